#include "api/delivery_log_writer.h"

#include "api/json_output.h"

namespace triggerd::api {
namespace {

std::string_view word_of_type(model::TriggerType type) {
  return type == model::TriggerType::kEvent ? "event" : "sync_hook";
}

void timings_object(Json& json, const model::PhaseTimings& timings) {
  json.begin_object();
  json.number_member("connect_us", timings.connect_us);
  json.number_member("dns_us", timings.dns_us);
  json.number_member("first_byte_us", timings.first_byte_us);
  json.number_member("queue_us", timings.queue_us);
  json.number_member("tls_us", timings.tls_us);
  json.number_member("total_us", timings.total_us);
  json.end_object();
}

// In lists: what it came to, without the receiver's answer.
void attempt_members(Json& json, const model::AttemptRecord& attempt) {
  const model::Outcome& outcome = attempt.outcome;
  if (!outcome.detail.empty()) json.text_member("detail", outcome.detail);
  json.number_member("duration_ms", (outcome.timings.total_us + 500) / 1000);
  if (outcome.http_status != 0) json.number_member("http_status", outcome.http_status);
  if (attempt.state_after == model::DeliveryState::kDelayed) {
    json.time_member("next_attempt_at", attempt.due);
  }
  // kNoAttempt marks a state that was reached without a call.
  if (attempt.number != model::kNoAttempt) json.number_member("number", attempt.number);
  json.text_member("outcome", model::word_of(outcome.kind));
}

void short_attempt_object(Json& json, const model::AttemptRecord& attempt) {
  json.begin_object();
  attempt_members(json, attempt);
  json.time_member("started_at", attempt.outcome.started_at);
  json.end_object();
}

void whole_attempt_object(Json& json, const model::AttemptRecord& attempt) {
  const model::Outcome& outcome = attempt.outcome;
  json.begin_object();
  json.text_member("answer", outcome.answer);
  json.number_member("answer_bytes", outcome.answer_bytes);
  attempt_members(json, attempt);
  if (outcome.retry_after >= model::Duration(0)) {
    json.number_member(
        "retry_after_seconds",
        std::chrono::duration_cast<std::chrono::seconds>(outcome.retry_after).count());
  }
  json.time_member("started_at", outcome.started_at);
  json.key("timings");
  timings_object(json, outcome.timings);
  json.end_object();
}

void delivery_members(Json& json, const model::LoggedDelivery& line, model::WebhookId webhook) {
  json.text_member("event_id", line.event_id.to_string());
  json.text_member("event_name", line.event_name);
  if (line.last_attempt) {
    json.key("last_attempt");
    short_attempt_object(json, *line.last_attempt);
  }
  if (line.next_attempt) json.time_member("next_attempt_at", *line.next_attempt);
  json.text_member("status", word_of(model::status_of(line.state)));
  json.text_member("trigger_type", word_of_type(line.trigger_type));
  json.text_member("webhook_id", webhook.to_string());
}

void event_object(Json& json, const model::LoggedEvent& line) {
  const model::EventSummary& event = line.event;
  json.begin_object();
  json.time_member("accepted_at", event.accepted_at);
  json.key("deliveries");
  json.begin_object();
  json.number_member("cancelled", line.deliveries.cancelled);
  json.number_member("dead", line.deliveries.dead);
  json.number_member("delivered", line.deliveries.delivered);
  json.number_member("pending", line.deliveries.pending);
  json.end_object();
  json.text_member("event_id", event.id.to_string());
  json.text_member("event_name", event.name);
  if (event.is_test) {
    json.key("is_test_event");
    json.boolean(true);
  }
  json.time_member("timestamp", event.timestamp);
  json.text_member("trigger_type", word_of_type(event.trigger_type));
  json.end_object();
}

template <class List, class WriteOne>
std::string write_page(const List& list, const PageMeta& meta, const WriteOne& write_one) {
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
  write_list(json, list, write_one);
  json.end_object();
  return json.take();
}

}  // namespace

std::string_view word_of(model::DeliveryStatus status) {
  switch (status) {
    case model::DeliveryStatus::kPending:
      return "pending";
    case model::DeliveryStatus::kDelivered:
      return "delivered";
    case model::DeliveryStatus::kDead:
      return "dead";
    case model::DeliveryStatus::kCancelled:
      break;
  }
  return "cancelled";
}

std::string write_logged_deliveries(const model::LoggedDeliveriesReply& reply,
                                    const PageMeta& meta) {
  return write_page(reply.deliveries, meta,
                    [&reply](Json& json, const model::LoggedDelivery& line) {
                      json.begin_object();
                      json.time_member("accepted_at", line.accepted_at);
                      json.number_member("attempts", line.attempts);
                      delivery_members(json, line, reply.webhook);
                      json.end_object();
                    });
}

std::string write_logged_events(const model::LoggedEventsReply& reply, const PageMeta& meta) {
  return write_page(reply.events, meta, event_object);
}

std::string write_dead_letters(const model::DeadLettersReply& reply, const PageMeta& meta) {
  return write_page(reply.letters, meta, [](Json& json, const model::DeadLetter& letter) {
    json.begin_object();
    json.time_member("accepted_at", letter.delivery.accepted_at);
    json.number_member("attempts", letter.delivery.attempts);
    delivery_members(json, letter.delivery, letter.webhook_id);
    json.end_object();
  });
}

std::string write_dead_letter_lines(const model::DeadLettersReply& reply) {
  std::string lines;
  for (const model::DeadLetter& letter : reply.letters) {
    Json json;
    json.begin_object();
    json.time_member("accepted_at", letter.delivery.accepted_at);
    json.number_member("attempts", letter.delivery.attempts);
    // As it is delivered, byte for byte.
    if (letter.event != nullptr) {
      json.key("event");
      json.raw(letter.event->content, rapidjson::kObjectType);
    }
    json.text_member("event_id", letter.delivery.event_id.to_string());
    json.text_member("event_name", letter.delivery.event_name);
    if (letter.delivery.last_attempt) {
      json.key("last_attempt");
      whole_attempt_object(json, *letter.delivery.last_attempt);
    }
    json.text_member("webhook_id", letter.webhook_id.to_string());
    json.end_object();
    lines += json.take();
    lines += '\n';
  }
  return lines;
}

std::string write_logged_delivery(const model::DeliveryReply& reply) {
  return in_envelope([&reply](Json& json) {
    json.begin_object();
    json.time_member("accepted_at", reply.delivery.accepted_at);
    json.key("attempt_log");
    write_list(json, reply.attempts, whole_attempt_object);
    json.number_member("attempts", reply.delivery.attempts);
    delivery_members(json, reply.delivery, reply.webhook);
    json.end_object();
  });
}

std::string write_live_delivery(const model::FedDelivery& delivery) {
  const model::AttemptRecord& attempt = delivery.attempt;
  Json json;
  json.begin_object();
  json.key("attempt");
  short_attempt_object(json, attempt);
  json.text_member("event_id", attempt.event_id.to_string());
  json.text_member("event_name", attempt.event_name);
  json.text_member("status", word_of(model::status_of(attempt.state_after)));
  json.text_member("trigger_type", word_of_type(attempt.trigger_type));
  json.text_member("webhook_id", delivery.webhook.to_string());
  json.end_object();
  return json.take();
}

}  // namespace triggerd::api
