// In which format events are sent: by the media type, and by the fields of a binary CloudEvent
// (CONTRACT A3; CloudEvents HTTP binding 1.0.2, section 3).
#pragma once

#include <cstdint>
#include <optional>

#include "api/http.h"

namespace triggerd::api {

enum class EventFormat : std::uint8_t {
  kJson,              // application/json, or not said
  kNdjson,            // application/x-ndjson: a stream of lines
  kCloudEvent,        // application/cloudevents+json
  kCloudEventBatch,   // application/cloudevents-batch+json
  kCloudEventBinary,  // ce-* fields, and JSON of any type or not said
};

// Nothing when it is none of these.
[[nodiscard]] std::optional<EventFormat> event_format_of(const HttpRequest& head);

}  // namespace triggerd::api
