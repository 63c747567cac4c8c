// Events that come as CloudEvents 1.0: structured and batched (JSON event format 1.0.2) and binary
// (HTTP binding 1.0.2, section 3.1). CONTRACT A3.
//
//   type → event_name    id → event id    time → timestamp    data → content
//   source, subject → kept on the event    traceparent (extension) → traceparent
//   orderingkey, else partitionkey (extensions) → ordering_key
//
// Other extensions are checked for their form and not kept. Data is a JSON object, or absent. The
// body of a document and its faults: see json_reader.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/event_reader.h"
#include "api/http.h"

namespace triggerd::api {

[[nodiscard]] Faults read_cloud_event(std::string& body, const EventDefaults& defaults,
                                      std::vector<model::NewEvent>& events);
// A list of 1 to kEventsPerBatchMax; what is wrong with an entry: see read_events.
[[nodiscard]] Faults read_cloud_event_batch(std::string& body, const EventDefaults& defaults,
                                            std::vector<model::NewEvent>& events);
// Attributes in ce-* fields, the body is the data; an empty one is none.
[[nodiscard]] Faults read_binary_cloud_event(HttpRequest& request, const EventDefaults& defaults,
                                             std::vector<model::NewEvent>& events);

// The value of a ce-* field: quotes off, then percent-decoded once (HTTP binding, 3.1.3.2). Nothing
// when it cannot be decoded, or is not UTF-8.
[[nodiscard]] std::optional<std::string> decode_cloud_event_field(std::string_view value);

// The event id of a CloudEvent whose id is no UUID: the same for the same organization, source and
// id, whenever and wherever it comes in, so that it is the key by which it is known again. UUIDv8
// out of SHA-256 (RFC 9562, appendix B.2).
[[nodiscard]] model::EventId derived_event_id(const model::OrgId& org, std::string_view source,
                                              std::string_view id);

}  // namespace triggerd::api
