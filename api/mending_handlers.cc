#include "api/mending_handlers.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "api/answers.h"
#include "api/log_cursor.h"
#include "api/mending_reader.h"
#include "api/mending_writer.h"
#include "api/problem.h"
#include "api/query_reader.h"
#include "api/test_event_handlers.h"
#include "engine/model/limits.h"

namespace triggerd::api {
namespace {

// Like the engine's word for one that is not there.
HttpResponse no_webhook(const Call& call) {
  return problem(404, "could not find webhook " + call.parameters[0]);
}

// Of a path with a webhook and an event.
template <class Request>
Step ask_of_delivery(const Call& call) {
  const std::optional<model::WebhookId> webhook = model::WebhookId::parse(call.parameters[0]);
  if (!webhook) return no_webhook(call);
  const std::optional<model::EventId> event = model::EventId::parse(call.parameters[1]);
  if (!event) return problem(404, "event_id: event not found");
  return Ask{Request{call.caller.org, *webhook, *event}, {}};
}

// Of a path with a job.
template <class Request>
Step ask_of_job(const Call& call) {
  const std::optional<model::JobId> job = model::JobId::parse(call.parameters[0]);
  if (!job) return problem(404, "could not find job " + call.parameters[0]);
  return Ask{Request{call.caller.org, *job}, {}};
}

}  // namespace

Step retry_delivery(Call& call) {
  return ask_of_delivery<model::RetryDelivery>(call);
}

Step skip_delivery(Call& call) {
  return ask_of_delivery<model::SkipDelivery>(call);
}

Step start_recovery(Call& call) {
  const std::optional<model::WebhookId> webhook = model::WebhookId::parse(call.parameters[0]);
  if (!webhook) return no_webhook(call);
  model::StartRecovery request{call.caller.org, *webhook, {}};
  const Faults faults = read_recovery(call.request.body, request);
  if (!faults.empty()) return problem(faults);
  return Ask{request, {}};
}

Step test_webhook(Call& call) {
  const std::optional<model::WebhookId> webhook = model::WebhookId::parse(call.parameters[0]);
  if (!webhook) return no_webhook(call);
  std::string event_name;
  const Faults faults = read_webhook_test(call.request.body, event_name);
  if (!faults.empty()) return problem(faults);
  model::PublishEvents request{call.caller.org, {}};
  request.webhook = webhook;
  request.claims = {{model::RateKind::kTestEvents, call.caller.org, {}, 1}};
  request.events.push_back(make_sample(event_name, call));
  const model::EventId event = request.events.front().id;
  Ask ask{std::move(request), {}};
  ask.answer = write_webhook_test(*webhook, event, event_name);
  return ask;
}

Step list_ordering_keys(Call& call) {
  const std::optional<model::WebhookId> webhook = model::WebhookId::parse(call.parameters[0]);
  if (!webhook) return no_webhook(call);
  return Ask{model::ListOrderingKeys{call.caller.org, *webhook}, {}};
}

Step list_jobs(Call& call) {
  return Ask{model::ListJobs{call.caller.org}, {}};
}

Step get_job(Call& call) {
  return ask_of_job<model::GetJob>(call);
}

Step cancel_job(Call& call) {
  return ask_of_job<model::CancelJob>(call);
}

Step get_pending(Call& call) {
  model::GetPending request{call.caller.org, {}, model::kLogPageDefault};
  Faults faults;
  QueryReader reader(call.request.query(), faults);
  reader.limit(request.limit);
  const std::optional<std::string> cursor = reader.value("cursor");
  if (!faults.empty()) return problem(faults);
  ListAsked asked;
  asked.limit = request.limit;
  asked.query_digest =
      digest_of(OtherList::kPending, query_digest(call.caller.org, std::nullopt, {}));
  if (cursor) {
    const auto position = read_cursor(*cursor, asked.query_digest);
    if (!position || position->before.value() > UINT32_MAX) {
      reader.fault("cursor", kNotOfThisQuery);
      return problem(faults);
    }
    request.after = model::WebhookRef(static_cast<std::uint32_t>(position->before.value()));
  }
  Ask ask{request, {}};
  ask.list = std::move(asked);
  return ask;
}

HttpResponse show_retried(const model::Reply& reply, const Audience& /*audience*/) {
  return json_answer(202, write_mended(reply_as<model::DeliveryMended>(reply)));
}

HttpResponse show_skipped(const model::Reply& reply, const Audience& /*audience*/) {
  return json_answer(200, write_mended(reply_as<model::DeliveryMended>(reply)));
}

HttpResponse show_started_job(const model::Reply& reply, const Audience& /*audience*/) {
  const model::RecoverJob& job = reply_as<model::JobReply>(reply).job;
  HttpResponse response = json_answer(202, write_job(job));
  response.fields.push_back({"Location", "/organizations/jobs/" + job.id.to_string()});
  return response;
}

HttpResponse show_webhook_test(const model::Reply& reply, const Audience& audience) {
  static_cast<void>(reply_as<model::PublishReply>(reply));
  return json_answer(202, audience.answer);
}

HttpResponse show_ordering_keys(const model::Reply& reply, const Audience& /*audience*/) {
  return json_answer(200, write_ordering_keys(reply_as<model::OrderingKeysReply>(reply)));
}

HttpResponse show_jobs(const model::Reply& reply, const Audience& /*audience*/) {
  return json_answer(200, write_jobs(reply_as<model::JobsReply>(reply)));
}

HttpResponse show_job(const model::Reply& reply, const Audience& /*audience*/) {
  return json_answer(200, write_job(reply_as<model::JobReply>(reply).job));
}

HttpResponse show_pending(const model::Reply& reply, const Audience& audience) {
  const auto& found = reply_as<model::PendingReply>(reply);
  std::string cursor;
  if (found.next) {
    const model::EventSeq after(found.next->value());
    cursor = write_cursor({after, model::EventSeq(0)}, audience.list.query_digest);
  }
  return json_answer(200, write_pending(found, {audience.list.limit, std::move(cursor)}));
}

}  // namespace triggerd::api
