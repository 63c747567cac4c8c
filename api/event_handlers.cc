#include "api/event_handlers.h"

#include <optional>
#include <string>
#include <utility>

#include "api/answers.h"
#include "api/event_reader.h"
#include "api/json_writer.h"
#include "api/problem.h"
#include "engine/base/assert.h"

namespace triggerd::api {
namespace {

// One that is malformed is ignored, as the recommendation asks.
std::string_view traceparent_of(const HttpRequest& request) {
  const std::string* const value = request.find_field("traceparent");
  if (value == nullptr || request.count_fields("traceparent") > 1) return {};
  return is_traceparent(*value) ? std::string_view(*value) : std::string_view();
}

}  // namespace

bool is_traceparent(std::string_view text) {
  // 00-<trace id, 32>-<parent id, 16>-<flags, 2>
  if (text.size() != 55 || text.substr(0, 3) != "00-" || text[35] != '-' || text[52] != '-') {
    return false;
  }
  const std::string_view trace_id = text.substr(3, 32);
  const std::string_view parent_id = text.substr(36, 16);
  const auto is_hex = [](std::string_view part) {
    return part.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  };
  const auto is_zero = [](std::string_view part) {
    return part.find_first_not_of('0') == std::string_view::npos;
  };
  return is_hex(trace_id) && !is_zero(trace_id) && is_hex(parent_id) && !is_zero(parent_id) &&
         is_hex(text.substr(53));
}

Step publish_events(Call& call) {
  model::PublishEvents request{call.caller.org, {}};
  const EventDefaults defaults{call.caller.org, call.now.wall, call.random,
                               traceparent_of(call.request)};
  const Faults faults = read_events(call.request.body, defaults, request.events);
  if (!faults.empty()) return problem(faults);
  return Ask{std::move(request), {}};
}

Step get_event(Call& call) {
  const std::optional<model::EventId> id = model::EventId::parse(call.parameters[0]);
  if (!id) return problem(404, "event_id: event not found");
  return Ask{model::GetEvent{call.caller.org, *id}, {}};
}

HttpResponse show_published(const model::Reply& reply, const Audience& /*audience*/) {
  return json_answer(202, write_published(reply_as<model::PublishReply>(reply).events));
}

HttpResponse show_event(const model::Reply& reply, const Audience& /*audience*/) {
  const auto& found = reply_as<model::EventReply>(reply);
  TRIGGERD_ASSERT(found.event != nullptr);
  return json_answer(200, write_event(*found.event, found.deliveries));
}

}  // namespace triggerd::api
