// Requests out of JSON text: one of the two places that know the wire's field names (the other is
// json_writer), and the only one that knows simdjson. CONTRACT A1, A3, A9, B1.2.
//
// A document is validated as a whole before anything of it is believed: grammar, UTF-8, nesting of
// at most kJsonDepthMax, no name twice in one object, numbers that fit into a double or 64 bits.
// Fields that are not known are ignored; values are checked for their type here and for their
// meaning by the core.
//
// Every function returns the faults found, none when the request was filled in. `body` gets
// kJsonPadding spare bytes behind its end if it has none. Any thread; one parser for each.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/problem.h"
#include "engine/base/random.h"
#include "engine/base/time.h"
#include "engine/model/request.h"

namespace triggerd::api {

// Absent fields stay absent, for POST too: the core knows which ones are required.
[[nodiscard]] Faults read_webhook(std::string& body, model::WebhookDraft& draft);

struct TriggerText {
  std::string type;
  std::string name;
};
[[nodiscard]] Faults read_trigger(std::string& body, TriggerText& trigger);

[[nodiscard]] Faults read_organization(std::string& body, model::CreateOrganization& request);

struct ApiKeyDraft {
  std::string name = "api-key";  // when the client gives none; the core wants one
  std::uint8_t scopes = model::kScopesAll;
};
[[nodiscard]] Faults read_api_key(std::string& body, ApiKeyDraft& draft);

// What the publisher may leave out.
struct EventDefaults {
  model::OrgId org;
  base::WallTime now;
  base::Random& random;
  std::string_view traceparent;  // of the request, for each of its events
};
// One object or a list of 1 to kEventsPerBatchMax. Content is taken byte for byte; Event::content
// says how it is laid out. A fault in a list names the index.
[[nodiscard]] Faults read_events(std::string& body, const EventDefaults& defaults,
                                 std::vector<model::NewEvent>& events);

}  // namespace triggerd::api
