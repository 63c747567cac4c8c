#include "api/event_format.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "api/head_check.h"
#include "api/media_type.h"

namespace triggerd::api {
namespace {

// Any required attribute: that one of them is missing is then said in the answer.
bool has_cloud_event_field(const HttpRequest& head) {
  constexpr std::array<std::string_view, 4> required = {"ce-specversion", "ce-id", "ce-source",
                                                        "ce-type"};
  return std::any_of(required.begin(), required.end(),
                     [&head](std::string_view name) { return head.find_field(name) != nullptr; });
}

}  // namespace

std::optional<EventFormat> event_format_of(const HttpRequest& head) {
  if (head.count_fields("Content-Type") > 1) return std::nullopt;
  const std::string* const type = head.find_field("Content-Type");
  const EventFormat plain =
      has_cloud_event_field(head) ? EventFormat::kCloudEventBinary : EventFormat::kJson;
  if (type == nullptr) return plain;
  const MediaType media_type = parse_media_type(*type);
  if (!media_type.is_utf8) return std::nullopt;
  if (media_type.essence == "application/cloudevents+json") return EventFormat::kCloudEvent;
  if (media_type.essence == "application/cloudevents-batch+json") {
    return EventFormat::kCloudEventBatch;
  }
  if (media_type.essence == "application/x-ndjson" || media_type.essence == "application/ndjson") {
    return EventFormat::kNdjson;
  }
  const bool taken = plain == EventFormat::kCloudEventBinary
                         ? is_json_media_type(*type)
                         : media_type.essence == "application/json";
  return taken ? std::optional<EventFormat>(plain) : std::nullopt;
}

}  // namespace triggerd::api
