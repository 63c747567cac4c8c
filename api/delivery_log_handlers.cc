#include "api/delivery_log_handlers.h"

#include <optional>
#include <string>
#include <utility>

#include "api/answers.h"
#include "api/delivery_log_writer.h"
#include "api/log_cursor.h"
#include "api/problem.h"
#include "api/query_reader.h"
#include "engine/model/limits.h"

namespace triggerd::api {
namespace {

// What the query of a list says.
struct ListParameters {
  model::LogFilter filter;
  std::optional<std::string> cursor;
  std::uint32_t limit = model::kLogPageDefault;
};

// Reads the parameters and, last, the cursor, which is tied to the others.
Faults read_list_parameters(const Call& call, std::optional<model::WebhookId> webhook,
                            ListParameters& out, std::optional<model::LogPosition>& position,
                            ListAsked& asked) {
  Faults faults;
  QueryReader reader(call.request.query(), faults);
  reader.limit(out.limit);
  reader.status(out.filter.status);
  reader.name(out.filter.event_name);
  reader.times(out.filter);
  const std::optional<std::string> cursor = reader.value("cursor");
  if (!faults.empty()) return faults;
  asked = {out.limit, query_digest(call.caller.org, webhook, out.filter)};
  if (!cursor) return faults;
  position = read_cursor(*cursor, asked.query_digest);
  if (!position) {
    reader.fault("cursor", kNotOfThisQuery);
  }
  return faults;
}

// Like the engine's word for one that is not there.
HttpResponse no_webhook(const std::string& text) {
  return problem(404, "could not find webhook " + text);
}

PageMeta meta_of(const std::optional<model::LogPosition>& next, const Audience& audience) {
  return {audience.list.limit,
          next ? write_cursor(*next, audience.list.query_digest) : std::string()};
}

// `webhook` is the one whose deliveries are listed.
template <class Request>
Step ask_for_list(Call& call, const std::optional<model::WebhookId>& webhook, Request request) {
  ListParameters parameters;
  ListAsked asked;
  const Faults faults = read_list_parameters(call, webhook, parameters, request.position, asked);
  if (!faults.empty()) return problem(faults);
  request.filter = std::move(parameters.filter);
  request.limit = parameters.limit;
  Ask ask{std::move(request), {}};
  ask.list = asked;
  return ask;
}

}  // namespace

Step list_deliveries(Call& call) {
  const std::optional<model::WebhookId> webhook = model::WebhookId::parse(call.parameters[0]);
  if (!webhook) return no_webhook(call.parameters[0]);
  return ask_for_list(call, webhook, model::ListLoggedDeliveries{call.caller.org, *webhook});
}

Step list_events(Call& call) {
  return ask_for_list(call, std::nullopt, model::ListLoggedEvents{call.caller.org});
}

Step get_delivery(Call& call) {
  const std::optional<model::WebhookId> webhook = model::WebhookId::parse(call.parameters[0]);
  if (!webhook) return no_webhook(call.parameters[0]);
  const std::optional<model::EventId> event = model::EventId::parse(call.parameters[1]);
  if (!event) return problem(404, "event_id: event not found");
  return Ask{model::GetDelivery{call.caller.org, *webhook, *event}, {}};
}

HttpResponse show_deliveries(const model::Reply& reply, const Audience& audience) {
  const auto& found = reply_as<model::LoggedDeliveriesReply>(reply);
  return json_answer(200, write_logged_deliveries(found, meta_of(found.next, audience)));
}

HttpResponse show_events(const model::Reply& reply, const Audience& audience) {
  const auto& found = reply_as<model::LoggedEventsReply>(reply);
  return json_answer(200, write_logged_events(found, meta_of(found.next, audience)));
}

HttpResponse show_delivery(const model::Reply& reply, const Audience& /*audience*/) {
  return json_answer(200, write_logged_delivery(reply_as<model::DeliveryReply>(reply)));
}

}  // namespace triggerd::api
