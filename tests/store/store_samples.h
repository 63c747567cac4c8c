// Records for the tests of the store: small, complete, told apart by a number.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/model/output.h"
#include "engine/model/records.h"

namespace triggerd::store::testing {

template <class Id>
Id id_of(std::uint8_t number) {
  base::Uuid uuid;
  for (std::size_t i = 0; i < uuid.bytes.size(); ++i) {
    uuid.bytes[i] = static_cast<std::uint8_t>(number + i);
  }
  return Id(uuid);
}
inline model::WallTime wall(std::int64_t seconds) {
  return model::WallTime(std::chrono::seconds(1'700'000'000 + seconds));
}

inline model::Organization organization(std::uint8_t number) {
  return {id_of<model::OrgId>(number), "organization " + std::to_string(number), wall(number)};
}
inline model::ApiKey api_key(std::uint8_t org, std::uint8_t number) {
  model::ApiKey key;
  key.id = id_of<model::ApiKeyId>(number);
  key.org = id_of<model::OrgId>(org);
  key.name = "key " + std::to_string(number);
  key.digest.fill(number);
  key.scopes = model::kScopePublish;
  key.created_at = wall(number);
  return key;
}
inline model::DeliverySettings delivery_settings() {
  model::DeliverySettings settings;
  settings.schedule = {std::chrono::seconds(1), std::chrono::hours(72)};
  settings.rate = model::DeliveryRate{1'500, 30};
  settings.max_in_flight = 1000;
  settings.format = model::DeliveryFormat::kCloudEventsBinary;
  settings.signatures = model::kSignaturesAll;
  settings.ordering = model::Ordering::kKey;
  settings.on_failure = model::OnFailure::kClosed;
  return settings;
}
// Its bytes are the text "signing-secret-N.." as far as it goes, so that a test finds it on disk.
inline model::SigningSecret signing_secret(std::uint8_t number) {
  model::SigningSecret secret;
  const std::string text = "signing-secret-" + std::to_string(number) + ".for-hmac-sha256..";
  std::copy_n(text.begin(), secret.hmac_key.size(), secret.hmac_key.begin());
  secret.ed25519_seed = secret.hmac_key;
  secret.ed25519_public.fill(number);
  secret.created_at = wall(number);
  if (number == 1) secret.expires_at = wall(number + 86'400);
  return secret;
}
inline model::Webhook webhook(std::uint32_t ref) {
  model::Webhook webhook;
  webhook.id = id_of<model::WebhookId>(static_cast<std::uint8_t>(ref));
  webhook.org = id_of<model::OrgId>(1);
  webhook.ref = model::WebhookRef(ref);
  webhook.name = "webhook " + std::to_string(ref);
  webhook.target_url = "https://receiver.example/hook/" + std::to_string(ref);
  webhook.description = "for tests";
  webhook.custom_headers = {{"X-Token", {"secret-value-" + std::to_string(ref), "second"}},
                            {"X-Empty", {}}};
  webhook.timeout = std::chrono::seconds(5);
  webhook.created_at = wall(ref);
  webhook.state = model::WebhookState::kDisabled;
  webhook.disabled_reason = model::DisabledReason::kFailing;
  webhook.failing_since = wall(ref + 1);
  webhook.delivery = delivery_settings();
  webhook.secrets = {signing_secret(2), signing_secret(1)};
  return webhook;
}
inline model::Trigger trigger(std::uint32_t ref, const std::string& name,
                              std::uint32_t generation) {
  return {id_of<model::OrgId>(1), model::WebhookRef(ref), model::TriggerType::kEvent, name,
          model::Generation(generation)};
}
// One of every kind of test, and groups in groups.
inline model::Filter filter() {
  model::FilterField plain{
      {"user", "plan"},
      {model::ExactTest{std::string("pro")}, model::ExactTest{std::monostate()},
       model::ExactTest{true}, model::ExactTest{std::int64_t{-7}}, model::ExactTest{0.5},
       model::PrefixTest{"a"}, model::SuffixTest{"z"}, model::ExistsTest{false}}};
  model::NumericTest numeric{{{model::NumericOperator::kGreater, std::int64_t{0}},
                              {model::NumericOperator::kLessOrEqual, 2.5}}};
  model::CidrTest cidr;
  cidr.network.address = *model::IpAddress::parse("2001:db8::");
  cidr.network.prefix_bits = 32;
  model::FilterGroup left{{{{"a"}, {numeric}}}, {}};
  model::FilterGroup right{{{{"b"}, {cidr}}}, {}};
  model::AnythingButTest other{{std::string("x"), false}, {"p"}, {"s"}};
  return {R"({"user":{}})", {{plain, {{"c"}, {other}}}, {{left, {{}, {{left, right}}}}}}};
}
inline model::EventType event_type(std::uint8_t org, const std::string& name) {
  return {id_of<model::OrgId>(org), name, "when " + name + " happens", R"({"type":"object"})",
          wall(org)};
}
inline model::Event event(std::uint64_t seq) {
  model::Event event;
  event.seq = model::EventSeq(seq);
  event.id = id_of<model::EventId>(static_cast<std::uint8_t>(seq));
  event.org = id_of<model::OrgId>(1);
  event.name = "PersonCreated_v1";
  event.accepted_at = wall(1);
  event.timestamp = wall(2);
  event.is_test = true;
  event.ordering_key = "person-1";
  event.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  event.source = "/people/eu";
  event.subject = "person-7";
  event.content = R"({"event_metadata":{"n":)" + std::to_string(seq) + R"(},"a":0.1000})";
  event.own_members_at = 27;
  event.matches = {{model::WebhookRef(1), model::Generation(7)},
                   {model::WebhookRef(300), model::Generation(8)}};
  return event;
}
inline model::PendingEntry pending_entry(std::uint32_t webhook, model::DeliveryState state) {
  model::PendingEntry entry;
  entry.webhook = model::WebhookRef(webhook);
  entry.generation = model::Generation(7);
  entry.state = state;
  entry.attempts = 2;
  entry.attempts_before = 1;
  if (state == model::DeliveryState::kDelayed) entry.due = wall(60);
  return entry;
}
inline model::PendingChunk pending(std::uint64_t seq, std::uint32_t chunk,
                                   std::vector<model::PendingEntry> entries = {
                                       pending_entry(1, model::DeliveryState::kDelayed)}) {
  model::PendingChunk pending;
  pending.seq = model::EventSeq(seq);
  pending.chunk = chunk;
  pending.org = id_of<model::OrgId>(1);
  pending.event_id = id_of<model::EventId>(static_cast<std::uint8_t>(seq));
  pending.event_name = "PersonCreated_v1";
  pending.matches_in_all = 65;
  pending.accepted_at = wall(1);
  pending.ordering_key = "person-1";
  pending.entries = std::move(entries);
  return pending;
}
inline model::AttemptRecord attempt(std::uint32_t webhook, std::uint64_t seq,
                                    std::uint16_t number) {
  model::AttemptRecord attempt;
  attempt.webhook = model::WebhookRef(webhook);
  attempt.seq = model::EventSeq(seq);
  attempt.event_id = id_of<model::EventId>(static_cast<std::uint8_t>(seq));
  attempt.event_name = "PersonCreated_v1";
  attempt.accepted_at = wall(1);
  attempt.number = number;
  attempt.state_after = model::DeliveryState::kDelayed;
  attempt.due = wall(90);
  attempt.outcome.kind = model::OutcomeClass::kHttpError;
  attempt.outcome.http_status = 503;
  attempt.outcome.retry_after = std::chrono::seconds(30);
  attempt.outcome.timings = {7, 1, 200, 40'000, 5, 6'000'000};
  attempt.outcome.started_at = wall(3);
  attempt.outcome.detail = "answered 503";
  attempt.outcome.answer = "try later";
  attempt.outcome.answer_bytes = 9;
  return attempt;
}
inline model::SigningKey signing_key(const std::string& kid) {
  return {kid, wall(4), wall(5), "x-of-" + kid, "y-of-" + kid, std::string("sealed\0bytes", 12)};
}
inline model::Counters counters(std::uint64_t next_event, std::uint64_t first_pending) {
  model::Counters counters;
  counters.next_webhook = model::WebhookRef(5);
  counters.next_generation = model::Generation(9);
  counters.next_event = model::EventSeq(next_event);
  counters.first_pending = model::EventSeq(first_pending);
  return counters;
}

inline model::RecoverJob job(std::uint8_t org, std::uint8_t number) {
  model::RecoverJob job;
  job.id = id_of<model::JobId>(number);
  job.org = id_of<model::OrgId>(org);
  job.webhook = model::WebhookRef(300);
  job.webhook_id = id_of<model::WebhookId>(3);
  job.since = wall(10);
  job.until = wall(20);
  job.states = model::kRecoverDead | model::kRecoverCancelled;
  job.per_second = 100;
  job.state = model::JobState::kFailed;
  job.created_at = wall(21);
  job.ended_at = wall(22);
  job.position = model::EventSeq(1'000'000);
  job.recovered = 500;
  job.skipped = 1;
  job.reason = "the webhook was deleted";
  return job;
}

// Mutations, ready for a batch.
inline model::Mutation put(const model::Organization& organization) {
  return model::PutOrganization{organization};
}
inline model::Mutation put(const model::ApiKey& key) {
  return model::PutApiKey{key};
}
inline model::Mutation put(const model::EventType& type) {
  return model::PutEventType{type};
}
inline model::Mutation put(const model::Webhook& webhook) {
  return model::PutWebhook{std::make_shared<const model::Webhook>(webhook)};
}
inline model::Mutation put(const model::Trigger& trigger) {
  return model::PutTrigger{trigger};
}
inline model::Mutation put(const model::Event& event) {
  return model::PutEvent{std::make_shared<const model::Event>(event)};
}
inline model::Mutation put(const model::PendingChunk& chunk) {
  return model::PutPending{chunk};
}
inline model::Mutation put(const model::AttemptRecord& attempt) {
  return model::PutAttempt{attempt};
}
inline model::Mutation put(const model::SigningKey& key) {
  return model::PutSigningKey{key};
}
inline model::Mutation put(const model::Counters& counters) {
  return model::PutCounters{counters};
}

template <class... Mutations>
model::Batch batch(Mutations&&... mutations) {
  model::Batch batch;
  batch.seq = model::BatchSeq(1);
  (batch.mutations.push_back(std::forward<Mutations>(mutations)), ...);
  return batch;
}

}  // namespace triggerd::store::testing
