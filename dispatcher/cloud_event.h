// The formats `cloudevents` and `cloudevents-binary`: an event as CloudEvents 1.0 over HTTP.
//
//   attribute         value
//   ---------------   ------------------------------------------------------------------------
//   specversion       1.0
//   id                the event ID: the same in every attempt
//   source            as it came, if it came as a CloudEvent; else PUBLIC_URL/organizations/ORG
//   type              the event name, or the hook's
//   time              the event's timestamp
//   subject           as it came; absent when it came without
//   datacontenttype   application/json
//   data              the trigger content, as in every other format (ADR 9)
//   istestevent       true; absent otherwise
//   partitionkey      the ordering key, if any
//   traceparent       as it came; the header of this name has a span for the attempt
//
// Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/model/records.h"

namespace triggerd::dispatcher {

// JSON, structured mode. `public_url` is without a slash at its end.
[[nodiscard]] std::string structured_cloud_event(const model::Event& event,
                                                 std::string_view public_url);

// Appends one "ce-…: value" line for each attribute but datacontenttype, which is Content-Type.
// Values are percent-encoded as the HTTP binding says (section 3.1.3.2).
void append_cloud_event_headers(std::vector<std::string>& lines, const model::Event& event,
                                std::string_view public_url);

}  // namespace triggerd::dispatcher
