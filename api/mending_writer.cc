#include "api/mending_writer.h"

#include <string_view>

#include "api/json_output.h"

namespace triggerd::api {
namespace {

std::string_view word_of_state(model::JobState state) {
  switch (state) {
    case model::JobState::kRunning:
      return "running";
    case model::JobState::kFinished:
      return "finished";
    case model::JobState::kCancelled:
      return "cancelled";
    case model::JobState::kFailed:
      break;
  }
  return "failed";
}

void job_object(Json& json, const model::RecoverJob& job) {
  json.begin_object();
  json.time_member("created_at", job.created_at);
  if (job.state != model::JobState::kRunning) json.time_member("ended_at", job.ended_at);
  json.text_member("id", job.id.to_string());
  json.number_member("rate", job.per_second);
  if (!job.reason.empty()) json.text_member("reason", job.reason);
  json.number_member("recovered", static_cast<std::int64_t>(job.recovered));
  json.time_member("since", job.since);
  json.number_member("skipped", static_cast<std::int64_t>(job.skipped));
  json.text_member("state", word_of_state(job.state));
  json.key("states");
  json.begin_list();
  if ((job.states & model::kRecoverCancelled) != 0) json.text("cancelled");
  if ((job.states & model::kRecoverDead) != 0) json.text("dead");
  json.end_list();
  json.text_member("type", "recover");
  json.time_member("until", job.until);
  json.text_member("webhook_id", job.webhook_id.to_string());
  json.end_object();
}

std::string_view word_of_state(model::WebhookState state) {
  switch (state) {
    case model::WebhookState::kActive:
      return "active";
    case model::WebhookState::kPaused:
      return "paused";
    case model::WebhookState::kDisabled:
      break;
  }
  return "disabled";
}

// `name` and `webhook_id` sort between them: the caller's keys come before or behind.
void count_members(Json& json, const model::PendingCounts& counts) {
  json.number_member("delayed", static_cast<std::int64_t>(counts.delayed));
  json.number_member("in_flight", static_cast<std::int64_t>(counts.in_flight));
  json.number_member("in_line", static_cast<std::int64_t>(counts.in_line));
}
void more_count_members(Json& json, const model::PendingCounts& counts) {
  json.number_member("parked", static_cast<std::int64_t>(counts.parked));
  json.number_member("pending", static_cast<std::int64_t>(counts.pending));
  json.number_member("ready", static_cast<std::int64_t>(counts.ready));
}

}  // namespace

std::string write_mended(const model::DeliveryMended& reply) {
  return in_envelope([&reply](Json& json) {
    json.begin_object();
    if (!model::is_final(reply.state)) json.number_member("attempts", reply.attempts);
    json.text_member("event_id", reply.event.to_string());
    json.text_member("status", word_of(model::status_of(reply.state)));
    json.text_member("webhook_id", reply.webhook.to_string());
    json.end_object();
  });
}

std::string write_job(const model::RecoverJob& job) {
  return in_envelope([&job](Json& json) { job_object(json, job); });
}

std::string write_jobs(const model::JobsReply& reply) {
  return in_envelope([&reply](Json& json) { write_list(json, reply.jobs, job_object); });
}

std::string write_pending(const model::PendingReply& reply, const PageMeta& meta) {
  Json json;
  json.begin_object();
  json.key("meta");
  json.begin_object();
  json.key("cursor_pagination");
  json.begin_object();
  json.text_member("cursor", meta.cursor);
  json.number_member("limit", meta.limit);
  json.end_object();
  json.end_object();
  json.key("result");
  json.begin_object();
  count_members(json, reply.counts);
  if (reply.oldest_accepted_at) json.time_member("oldest_accepted_at", *reply.oldest_accepted_at);
  more_count_members(json, reply.counts);
  json.key("webhooks");
  write_list(json, reply.webhooks, [](Json& each, const model::PendingOfOneWebhook& one) {
    each.begin_object();
    count_members(each, one.counts);
    each.text_member("name", one.webhook->name);
    more_count_members(each, one.counts);
    each.text_member("state", word_of_state(one.webhook->state));
    each.text_member("webhook_id", one.webhook->id.to_string());
    each.end_object();
  });
  json.end_object();
  json.end_object();
  return json.take();
}

std::string write_ordering_keys(const model::OrderingKeysReply& reply) {
  return in_envelope([&reply](Json& json) {
    json.begin_object();
    json.key("is_complete");
    json.boolean(reply.is_whole);
    json.key("keys");
    write_list(json, reply.keys, [](Json& each, const model::HeldKey& key) {
      each.begin_object();
      each.time_member("accepted_at", key.accepted_at);
      each.number_member("attempts", key.attempts);
      each.text_member("event_id", key.head.to_string());
      each.text_member("event_name", key.event_name);
      if (key.next_attempt) each.time_member("next_attempt_at", *key.next_attempt);
      each.text_member("ordering_key", key.key);
      each.number_member("waiting", static_cast<std::int64_t>(key.waiting));
      each.end_object();
    });
    json.end_object();
  });
}

std::string write_webhook_test(model::WebhookId webhook, model::EventId event,
                               const std::string& event_name) {
  return in_envelope([&](Json& json) {
    json.begin_object();
    json.text_member("event_id", event.to_string());
    json.text_member("event_name", event_name);
    json.text_member("webhook_id", webhook.to_string());
    json.end_object();
  });
}

}  // namespace triggerd::api
