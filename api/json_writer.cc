#include "api/json_writer.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

#include "api/json_output.h"
#include "engine/base/time.h"
#include "engine/model/go_duration.h"

namespace triggerd::api {
namespace {

using model::DeliveryState;

std::vector<const model::Header*> sorted_by_name(const std::vector<model::Header>& headers) {
  std::vector<const model::Header*> sorted;
  sorted.reserve(headers.size());
  for (const model::Header& header : headers) sorted.push_back(&header);
  std::sort(sorted.begin(), sorted.end(),
            [](const model::Header* left, const model::Header* right) {
              return left->name < right->name;
            });
  return sorted;
}

std::string_view name_of(model::DeliveryFormat format) {
  switch (format) {
    case model::DeliveryFormat::kJwt:
      return "jwt";
    case model::DeliveryFormat::kJson:
      return "json";
    case model::DeliveryFormat::kCloudEvents:
      return "cloudevents";
    case model::DeliveryFormat::kCloudEventsBinary:
      break;
  }
  return "cloudevents-binary";
}

std::string_view name_of(model::WebhookState state) {
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

std::string_view name_of(model::DisabledReason reason) {
  switch (reason) {
    case model::DisabledReason::kGone:
      return "gone";
    case model::DisabledReason::kFailing:
      return "failing";
    case model::DisabledReason::kNone:
    case model::DisabledReason::kByHand:
      break;
  }
  return "by_hand";
}

// "10", "0.5", "1.25": exact.
std::string thousandths_text(std::uint32_t thousandths) {
  std::string text = std::to_string(thousandths / 1000);
  if (thousandths % 1000 == 0) return text;
  std::string rest = std::to_string(1000 + thousandths % 1000).substr(1);
  rest.erase(rest.find_last_not_of('0') + 1);
  return text + "." + rest;
}

void settings_members(Json& json, const model::DeliverySettings& settings) {
  if (settings.format) json.text_member("format", name_of(*settings.format));
  if (settings.max_in_flight) json.number_member("max_in_flight", *settings.max_in_flight);
  if (settings.on_failure) {
    json.text_member("on_failure",
                     *settings.on_failure == model::OnFailure::kClosed ? "closed" : "open");
  }
  if (settings.ordering) {
    json.text_member("ordering", *settings.ordering == model::Ordering::kKey ? "key" : "none");
  }
  if (settings.rate) {
    json.key("rate");
    json.begin_object();
    json.number_member("burst", settings.rate->burst);
    json.key("per_second");
    json.raw(thousandths_text(settings.rate->per_second_thousandths), rapidjson::kNumberType);
    json.end_object();
  }
  if (settings.schedule) {
    json.key("schedule");
    json.begin_list();
    for (const base::Duration delay : *settings.schedule) {
      json.text(model::format_go_duration(delay));
    }
    json.end_list();
  }
  if (settings.signatures) {
    json.key("signatures");
    json.begin_list();
    if ((*settings.signatures & model::kSignatureEd25519) != 0) json.text("ed25519");
    if ((*settings.signatures & model::kSignatureHmac) != 0) json.text("hmac");
    json.end_list();
  }
}

// Only what the client set, and a state that is not the default: a webhook of a SlashID client is
// shown as that client expects it.
void delivery_settings_member(Json& json, const model::Webhook& webhook) {
  const bool active = webhook.state == model::WebhookState::kActive;
  if (active && webhook.delivery == model::DeliverySettings()) return;
  json.key("delivery");
  json.begin_object();
  if (webhook.state == model::WebhookState::kDisabled) {
    json.text_member("disabled_reason", name_of(webhook.disabled_reason));
  }
  settings_members(json, webhook.delivery);
  if (!active) json.text_member("state", name_of(webhook.state));
  json.end_object();
}

void webhook_object(Json& json, const model::Webhook& webhook, HeaderValues values) {
  json.begin_object();
  if (!webhook.custom_headers.empty()) {
    json.key("custom_headers");
    json.begin_object();
    for (const model::Header* header : sorted_by_name(webhook.custom_headers)) {
      json.key(header->name);
      json.begin_list();
      for (const std::string& value : header->values) {
        json.text(values == HeaderValues::kClear ? std::string_view(value) : "***");
      }
      json.end_list();
    }
    json.end_object();
  }
  delivery_settings_member(json, webhook);
  json.text_member("description", webhook.description);
  json.text_member("id", webhook.id.to_string());
  json.text_member("name", webhook.name);
  json.text_member("target_url", webhook.target_url);
  json.text_member("timeout", model::format_go_duration(webhook.timeout));
  json.end_object();
}

// Members that a TestEvent of this name has beside the four that all have.
struct TestEventMember {
  std::string_view event_name;
  std::string_view member;
  std::string TestEvent::*value;
};
constexpr TestEventMember kTestEventMembers[] = {
    {"AuthenticationSucceeded_v1", "person_id", &TestEvent::person_id},
    {"AuthenticationSucceeded_v1", "authn_method", &TestEvent::authn_method},
    {"AuthenticationFailed_v1", "failed_authn_method", &TestEvent::authn_method},
    {"AuthenticationFailed_v1", "failure_reason", &TestEvent::failure_reason},
    {"PersonCreated_v1", "person_id", &TestEvent::person_id},
    {"AnonymousPersonCreated_v1", "person_id", &TestEvent::person_id},
    {"PersonDeleted_v1", "person_id", &TestEvent::person_id},
    {"VirtualPageLoaded_v1", "window_location", &TestEvent::window_location},
    {"SlashIDSDKLoaded_v1", "window_location", &TestEvent::window_location},
    {"PersonIdentified_v1", "window_location", &TestEvent::window_location},
    {"PersonLoggedOut_v1", "window_location", &TestEvent::window_location},
};

void test_event_object(Json& json, const TestEvent& event) {
  json.begin_object();
  json.text_member("event_id", event.id.to_string());
  json.text_member("event_name", event.name);
  json.text_member("organization_id", event.org.to_string());
  json.time_member("timestamp", event.timestamp);
  for (const TestEventMember& own : kTestEventMembers) {
    if (own.event_name == event.name) json.text_member(own.member, event.*own.value);
  }
  json.end_object();
}

std::string_view name_of(model::TriggerType type) {
  return type == model::TriggerType::kEvent ? "event" : "sync_hook";
}

std::string_view name_of(DeliveryState state) {
  switch (state) {
    case DeliveryState::kReady:
    case DeliveryState::kDelayed:
      break;
    case DeliveryState::kDelivered:
      return "delivered";
    case DeliveryState::kDead:
      return "dead";
    case DeliveryState::kCancelled:
      return "cancelled";
  }
  return "pending";
}

void attempt_object(Json& json, const model::AttemptRecord& attempt) {
  const model::Outcome& outcome = attempt.outcome;
  json.begin_object();
  json.text_member("answer", outcome.answer);
  if (!outcome.detail.empty()) json.text_member("detail", outcome.detail);
  json.number_member("duration_ms", (outcome.timings.total_us + 500) / 1000);
  if (outcome.http_status != 0) json.number_member("http_status", outcome.http_status);
  json.number_member("number", attempt.number);
  json.text_member("outcome", model::word_of(outcome.kind));
  json.time_member("started_at", outcome.started_at);
  json.end_object();
}

void delivery_object(Json& json, const model::DeliveryView& delivery) {
  json.begin_object();
  json.number_member("attempts", delivery.attempts);
  // kNoAttempt marks a state that was reached without a call.
  if (delivery.last_attempt && delivery.last_attempt->number != model::kNoAttempt) {
    json.key("last_attempt");
    attempt_object(json, *delivery.last_attempt);
  }
  if (delivery.next_attempt) json.time_member("next_attempt_at", *delivery.next_attempt);
  json.text_member("status", name_of(delivery.state));
  json.text_member("webhook_id", delivery.webhook.to_string());
  json.end_object();
}

void hook_webhook_object(Json& json, const model::HookWebhook& webhook) {
  const auto duration = std::chrono::round<std::chrono::milliseconds>(webhook.duration);
  json.begin_object();
  json.number_member("duration_ms", duration.count());
  json.text_member("outcome", model::word_of(webhook.outcome));
  json.number_member("status", webhook.http_status);
  json.text_member("webhook_id", webhook.webhook.to_string());
  json.end_object();
}

void organization_object(Json& json, const model::Organization& organization) {
  json.begin_object();
  json.time_member("created_at", organization.created_at);
  json.text_member("id", organization.id.to_string());
  json.text_member("name", organization.name);
  json.end_object();
}

void api_key_object(Json& json, const model::ApiKey& key, std::string_view text) {
  json.begin_object();
  if (!text.empty()) json.text_member("api_key", text);
  json.time_member("created_at", key.created_at);
  json.text_member("id", key.id.to_string());
  json.text_member("name", key.name);
  json.key("scopes");
  json.begin_list();
  if ((key.scopes & model::kScopePublish) != 0) json.text("publish");
  if ((key.scopes & model::kScopeRead) != 0) json.text("read");
  if ((key.scopes & model::kScopeManage) != 0) json.text("manage");
  json.end_list();
  json.end_object();
}

// RFC 4648 section 4, with padding.
std::string base64(const std::array<std::uint8_t, 32>& bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  std::uint32_t window = 0;
  unsigned bits = 0;
  for (const std::uint8_t byte : bytes) {
    window = window << 8 | byte;
    for (bits += 8; bits >= 6;) text += digits[window >> (bits -= 6) & 0x3f];
  }
  if (bits > 0) text += digits[window << (6 - bits) & 0x3f];
  while (text.size() % 4 != 0) text += '=';
  return text;
}

void secret_members(Json& json, const model::SecretReply& secret) {
  json.time_member("created_at", secret.created_at);
  if (secret.previous_expires_at) {
    json.time_member("previous_expires_at", *secret.previous_expires_at);
  }
  json.text_member("public_key", "whpk_" + base64(secret.ed25519_public));
}

std::string_view name_of(model::SigningKeyState state) {
  switch (state) {
    case model::SigningKeyState::kWaiting:
      return "waiting";
    case model::SigningKeyState::kActive:
      break;
    case model::SigningKeyState::kRetiring:
      return "retiring";
  }
  return "active";
}

void signing_key_object(Json& json, const model::SigningKeyView& key) {
  json.begin_object();
  json.time_member("active_from", key.active_from);
  json.time_member("created_at", key.created_at);
  json.text_member("kid", key.kid);
  if (key.leaves_at) json.time_member("leaves_at", *key.leaves_at);
  json.text_member("state", name_of(key.state));
  json.end_object();
}

void event_type_object(Json& json, const model::EventTypeView& event_type) {
  json.begin_object();
  json.key("built_in");
  json.boolean(event_type.built_in);
  if (!event_type.type.description.empty()) {
    json.text_member("description", event_type.type.description);
  }
  json.text_member("name", event_type.type.name);
  if (!event_type.type.schema.empty()) {
    json.key("schema");
    json.raw(event_type.type.schema, rapidjson::kObjectType);
  }
  json.end_object();
}

void error_object(Json& json, const ErrorEntry& entry) {
  json.begin_object();
  json.number_member("httpcode", entry.status);
  json.text_member("message", entry.message);
  json.end_object();
}

void first_attempt_object(Json& json, const model::FirstAttempt& attempt) {
  json.begin_object();
  json.text_member("outcome", attempt.is_over ? model::word_of(attempt.outcome) : "pending");
  if (attempt.http_status != 0) json.number_member("status", attempt.http_status);
  json.text_member("webhook_id", attempt.webhook.to_string());
  json.end_object();
}

enum class Deliveries : std::uint8_t { kHidden, kShown };

void published_object(Json& json, const model::PublishedEvent& event, Deliveries deliveries) {
  json.begin_object();
  if (deliveries == Deliveries::kShown) {
    json.key("deliveries");
    write_list(json, event.deliveries, first_attempt_object);
  }
  json.key("duplicate");
  json.boolean(event.duplicate);
  json.text_member("event_id", event.id.to_string());
  json.number_member("webhooks", event.webhooks);
  json.end_object();
}

}  // namespace

std::string write_errors(const std::vector<ErrorEntry>& entries) {
  Json json;
  json.begin_object();
  json.key("errors");
  write_list(json, entries, error_object);
  json.end_object();
  return json.take();
}

std::string write_webhook(const model::Webhook& webhook, HeaderValues values) {
  return in_envelope([&](Json& json) { webhook_object(json, webhook, values); });
}

std::string write_webhooks(const std::vector<model::WebhookPtr>& webhooks, HeaderValues values) {
  return in_envelope([&](Json& json) {
    write_list(json, webhooks, [&](Json& out, const model::WebhookPtr& webhook) {
      webhook_object(out, *webhook, values);
    });
  });
}

std::string write_triggers(const std::vector<model::Trigger>& triggers) {
  return in_envelope([&](Json& json) {
    write_list(json, triggers, [](Json& out, const model::Trigger& trigger) {
      out.begin_object();
      if (trigger.filter) {
        out.key("filter");
        out.raw(trigger.filter->text, rapidjson::kObjectType);
      }
      out.text_member("trigger_name", trigger.name);
      out.text_member("trigger_type", name_of(trigger.type));
      out.end_object();
    });
  });
}

std::string write_event_type(const model::EventTypeView& event_type) {
  return in_envelope([&](Json& json) { event_type_object(json, event_type); });
}

std::string write_event_types(const std::vector<model::EventTypeView>& event_types) {
  return in_envelope([&](Json& json) { write_list(json, event_types, event_type_object); });
}

std::string write_trial(const std::vector<model::TrialResult>& results) {
  return in_envelope([&](Json& json) {
    write_list(json, results, [](Json& out, const model::TrialResult& result) {
      out.begin_object();
      if (result.event_id) out.text_member("event_id", result.event_id->to_string());
      out.text_member("event_name", result.event_name);
      if (!result.failed_field.empty()) out.text_member("failed_field", result.failed_field);
      out.key("matches");
      out.boolean(result.matches);
      out.end_object();
    });
  });
}

std::string write_published(const model::PublishReply& reply) {
  const Deliveries deliveries =
      reply.waited_for > model::Duration(0) ? Deliveries::kShown : Deliveries::kHidden;
  return in_envelope([&](Json& json) {
    write_list(json, reply.events, [deliveries](Json& out, const model::PublishedEvent& event) {
      published_object(out, event, deliveries);
    });
  });
}

std::string write_published_line(const model::PublishedEvent& event, std::uint64_t line) {
  Json json;
  json.begin_object();
  json.number_member("line", static_cast<std::int64_t>(line));
  json.key("result");
  published_object(json, event, Deliveries::kHidden);
  json.end_object();
  return json.take() + '\n';
}

std::string write_line_errors(const std::vector<ErrorEntry>& entries, std::uint64_t line) {
  Json json;
  json.begin_object();
  json.key("errors");
  write_list(json, entries, error_object);
  json.number_member("line", static_cast<std::int64_t>(line));
  json.end_object();
  return json.take() + '\n';
}

std::string write_test_events(const std::vector<TestEvent>& events) {
  return in_envelope([&events](Json& json) { write_list(json, events, test_event_object); });
}

std::string write_sdk_event(const model::EventId& id) {
  return in_envelope([&id](Json& json) {
    json.begin_object();
    json.text_member("event_id", id.to_string());
    json.end_object();
  });
}

std::string write_event(const model::Event& event,
                        const std::vector<model::DeliveryView>& deliveries) {
  return in_envelope([&](Json& json) {
    json.begin_object();
    json.time_member("accepted_at", event.accepted_at);
    json.key("content");
    // Behind own_members_at stand the publisher's own members and the closing brace.
    json.raw("{" + event.content.substr(event.own_members_at), rapidjson::kObjectType);
    json.key("deliveries");
    write_list(json, deliveries, delivery_object);
    json.text_member("event_id", event.id.to_string());
    json.text_member("event_name", event.name);
    if (event.is_test) {
      json.key("is_test_event");
      json.boolean(true);
    }
    if (!event.ordering_key.empty()) json.text_member("ordering_key", event.ordering_key);
    json.time_member("timestamp", event.timestamp);
    json.end_object();
  });
}

std::string write_live_event(const model::Event& event) {
  Json json;
  json.begin_object();
  json.time_member("accepted_at", event.accepted_at);
  json.key("content");
  json.raw(event.content, rapidjson::kObjectType);
  json.text_member("event_id", event.id.to_string());
  json.text_member("event_name", event.name);
  if (event.is_test) {
    json.key("is_test_event");
    json.boolean(true);
  }
  if (!event.ordering_key.empty()) json.text_member("ordering_key", event.ordering_key);
  json.time_member("timestamp", event.timestamp);
  json.number_member("webhooks", static_cast<std::int64_t>(event.matches.size()));
  json.end_object();
  return json.take();
}

std::string write_live_dropped(std::uint64_t deliveries) {
  Json json;
  json.begin_object();
  json.number_member("deliveries", static_cast<std::int64_t>(deliveries));
  json.text_member("message", "the client was too slow; the delivery log has what was left out");
  json.end_object();
  return json.take();
}

std::string write_live_message(std::string_view message) {
  Json json;
  json.begin_object();
  json.text_member("message", message);
  json.end_object();
  return json.take();
}

std::string write_hook(const model::HookReply& reply) {
  return in_envelope([&](Json& json) {
    const bool denied = reply.decision == model::HookDecision::kDeny;
    json.begin_object();
    json.key("claims");
    json.begin_object();
    for (const model::HookClaim& claim : reply.claims) {
      json.key(claim.name);
      json.raw(claim.json, rapidjson::kNullType);
    }
    json.end_object();
    json.key("conflicts");
    write_list(json, reply.conflicts, [](Json& out, const std::string& name) { out.text(name); });
    json.text_member("decision", denied ? "deny" : "continue");
    json.key("dropped");
    write_list(json, reply.dropped, [](Json& out, const std::string& name) { out.text(name); });
    if (denied) json.text_member("reason", reply.reason);
    json.key("webhooks");
    write_list(json, reply.webhooks, hook_webhook_object);
    json.end_object();
  });
}

std::string write_organization(const model::Organization& organization) {
  return in_envelope([&](Json& json) { organization_object(json, organization); });
}

std::string write_organizations(const std::vector<model::Organization>& organizations) {
  return in_envelope([&](Json& json) { write_list(json, organizations, organization_object); });
}

std::string write_api_key(const model::ApiKey& key, std::string_view text) {
  return in_envelope([&](Json& json) { api_key_object(json, key, text); });
}

std::string write_api_keys(const std::vector<model::ApiKey>& keys) {
  return in_envelope([&](Json& json) {
    write_list(json, keys,
               [](Json& out, const model::ApiKey& key) { api_key_object(out, key, {}); });
  });
}

std::string write_rotated_secret(const model::SecretRotated& rotated) {
  return in_envelope([&](Json& json) {
    json.begin_object();
    secret_members(json, {rotated.secret.created_at, rotated.secret.ed25519_public,
                          rotated.previous_expires_at});
    json.text_member("secret", "whsec_" + base64(rotated.secret.hmac_key));
    json.end_object();
  });
}

std::string write_secret(const model::SecretReply& secret) {
  return in_envelope([&](Json& json) {
    json.begin_object();
    secret_members(json, secret);
    json.end_object();
  });
}

std::string write_signing_key(const model::SigningKeyView& key) {
  return in_envelope([&](Json& json) { signing_key_object(json, key); });
}

std::string write_signing_keys(const std::vector<model::SigningKeyView>& keys) {
  return in_envelope([&](Json& json) { write_list(json, keys, signing_key_object); });
}

std::string write_jwks(const std::vector<model::VerificationKey>& keys) {
  Json json;
  json.begin_object();
  json.key("keys");
  write_list(json, keys, [](Json& out, const model::VerificationKey& key) {
    out.begin_object();
    out.text_member("alg", "ES256");
    out.text_member("crv", "P-256");
    out.key("key_ops");
    out.begin_list();
    out.text("verify");
    out.end_list();
    out.text_member("kid", key.kid);
    out.text_member("kty", "EC");
    out.text_member("use", "sig");
    out.text_member("x", key.x);
    out.text_member("y", key.y);
    out.end_object();
  });
  json.end_object();
  return json.take();
}

std::string write_version(std::string_view version) {
  Json json;
  json.begin_object();
  json.text_member("name", "triggerd");
  json.text_member("version", version);
  json.end_object();
  return json.take();
}

}  // namespace triggerd::api
