// RocksStore: from mutations to rows.
#include <utility>
#include <variant>

#include "engine/base/assert.h"
#include "store/rocks_database.h"

namespace triggerd::store {
namespace {

// Where a webhook's secrets stand: a sealed value moved to another webhook does not open.
std::string secrets_place(model::WebhookId id) {
  return "registry/webhook_secrets/" + id.to_string();
}

// One alternative per mutation, for std::visit.
template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

}  // namespace

base::Result<WebhookRow> RocksStore::Database::seal(const model::Webhook& webhook) const {
  WebhookRow stored{webhook, ""};
  if (webhook.custom_headers.empty() && webhook.secrets.empty()) return stored;
  const WebhookSecrets kept{std::exchange(stored.webhook.custom_headers, {}),
                            std::exchange(stored.webhook.secrets, {})};
  std::string plain;
  encode(kept, plain);
  base::Result<std::string> sealed = secrets.seal(plain, secrets_place(webhook.id));
  if (!sealed.ok()) return sealed.error();
  stored.sealed = std::move(sealed.value());
  return stored;
}

base::Result<model::Webhook> unseal(const SecretBox& secrets, WebhookRow stored) {
  if (stored.sealed.empty()) return std::move(stored.webhook);
  const std::string place = secrets_place(stored.webhook.id);
  const base::Result<std::string> plain = secrets.open(stored.sealed, place);
  if (!plain.ok()) return base::Error{plain.error().code, place + ": " + plain.error().message};
  base::Result<WebhookSecrets> kept = decode<WebhookSecrets>(plain.value());
  if (!kept.ok()) return kept.error();
  stored.webhook.custom_headers = std::move(kept.value().headers);
  stored.webhook.secrets = std::move(kept.value().signing);
  return std::move(stored.webhook);
}

rocksdb::Status RocksStore::Database::put_event(rocksdb::WriteBatch& batch,
                                                const model::Event& event) {
  rocksdb::Status status = put(batch, kEvents, event_key(event.seq), event);
  const EventRow found{event.seq, event.accepted_at,
                       static_cast<std::uint32_t>(event.matches.size())};
  if (status.ok()) status = put(batch, kEventIds, event_id_key(event.org, event.id), found);
  const model::EventSummary summary = model::summary_of(event);
  if (status.ok()) status = put(batch, kOrgEvents, key_of(summary), summary);
  return status;
}

rocksdb::Status RocksStore::Database::put_attempt(rocksdb::WriteBatch& batch,
                                                  const model::PutAttempt& change) {
  const model::AttemptRecord& attempt = change.attempt;
  rocksdb::Status status = put(batch, kAttempts, key_of(attempt), attempt);
  const model::DeliveryState state = attempt.state_after;
  if (state != model::DeliveryState::kDead && state != model::DeliveryState::kCancelled) {
    return status;
  }
  const std::string of_webhook = final_of_webhook_key(attempt.webhook, state, attempt.seq);
  if (status.ok()) status = batch.Put(columns[kFinals], of_webhook, "");
  const std::string of_event = final_of_event_key(attempt.seq, state, attempt.webhook);
  if (status.ok()) status = batch.Put(columns[kFinals], of_event, "");
  if (state != model::DeliveryState::kDead || attempt.trigger_type != model::TriggerType::kEvent) {
    return status;
  }
  const std::string of_org = dead_of_org_key(change.org, attempt.seq, attempt.webhook);
  if (status.ok()) status = batch.Put(columns[kFinals], of_org, "");
  return status;
}

// The row of a state that was reached without an attempt goes too: it would stand behind every
// attempt to come.
rocksdb::Status RocksStore::Database::reopen(rocksdb::WriteBatch& batch,
                                             const model::ReopenDelivery& change) const {
  rocksdb::Status status =
      erase(batch, kAttempts, attempt_key(change.webhook, change.seq, model::kNoAttempt));
  for (const auto state : {model::DeliveryState::kDead, model::DeliveryState::kCancelled}) {
    if (status.ok()) {
      status = erase(batch, kFinals, final_of_webhook_key(change.webhook, state, change.seq));
    }
    if (status.ok()) {
      status = erase(batch, kFinals, final_of_event_key(change.seq, state, change.webhook));
    }
  }
  const std::string of_org = dead_of_org_key(change.org, change.seq, change.webhook);
  if (status.ok()) status = erase(batch, kFinals, of_org);
  return status;
}

base::Status RocksStore::Database::add(rocksdb::WriteBatch& batch,
                                       const model::Mutation& mutation) {
  base::Status sealing;
  const rocksdb::Status status = std::visit(
      Overloaded{
          [&](const model::PutOrganization& change) {
            return put(batch, kRegistry, organization_key(change.organization.id),
                       change.organization);
          },
          [&](const model::EraseOrganization& change) {
            return erase(batch, kRegistry, organization_key(change.org));
          },
          [&](const model::PutApiKey& change) {
            return put(batch, kRegistry, api_key_key(change.key.org, change.key.id), change.key);
          },
          [&](const model::EraseApiKey& change) {
            return erase(batch, kRegistry, api_key_key(change.org, change.id));
          },
          [&](const model::PutWebhook& change) {
            TRIGGERD_ASSERT(change.webhook != nullptr);
            const base::Result<WebhookRow> stored = seal(*change.webhook);
            if (!stored.ok()) {
              sealing = stored.error();
              return rocksdb::Status::OK();
            }
            return put(batch, kRegistry, webhook_key(change.webhook->ref), stored.value());
          },
          [&](const model::EraseWebhook& change) {
            return erase(batch, kRegistry, webhook_key(change.ref));
          },
          [&](const model::PutTrigger& change) {
            return put(batch, kRegistry, trigger_key(change.trigger), change.trigger);
          },
          [&](const model::EraseTrigger& change) {
            return erase(batch, kRegistry, trigger_key(change.trigger));
          },
          [&](const model::PutEventType& change) {
            return put(batch, kRegistry, event_type_key(change.type.org, change.type.name),
                       change.type);
          },
          [&](const model::EraseEventType& change) {
            return erase(batch, kRegistry, event_type_key(change.org, change.name));
          },
          [&](const model::PutEvent& change) {
            TRIGGERD_ASSERT(change.event != nullptr);
            return put_event(batch, *change.event);
          },
          [&](const model::PutPending& change) {
            return put(batch, kPending, pending_key(change.chunk.seq, change.chunk.chunk),
                       change.chunk);
          },
          [&](const model::ErasePending& change) {
            return erase(batch, kPending, pending_key(change.seq, change.chunk));
          },
          [&](const model::PutParked& change) {
            return batch.Put(columns[kParked], parked_key(change.key), parked_row(change.match));
          },
          [&](const model::EraseParked& change) {
            return erase(batch, kParked, parked_key(change.key));
          },
          [&](const model::PutAttempt& change) { return put_attempt(batch, change); },
          [&](const model::ReopenDelivery& change) { return reopen(batch, change); },
          [&](const model::EraseLog& change) {
            return batch.Put(columns[kRegistry], erasure_key(change.org), event_key(change.before));
          },
          [&](const model::PutJob& change) {
            return put(batch, kRegistry, key_of(change.job), change.job);
          },
          [&](const model::EraseJob& change) {
            return erase(batch, kRegistry, job_key(change.org, change.id));
          },
          [&](const model::PutSigningKey& change) {
            return put(batch, kRegistry, signing_key_key(change.key.kid), change.key);
          },
          [&](const model::EraseSigningKey& change) {
            return erase(batch, kRegistry, signing_key_key(change.kid));
          },
          [&](const model::PutCounters& change) {
            return put(batch, kMeta, kCountersKey, change.counters);
          }},
      mutation);
  if (!sealing.ok()) return sealing;
  if (!status.ok()) return translate(status, "cannot build a commit");
  return {};
}

}  // namespace triggerd::store
