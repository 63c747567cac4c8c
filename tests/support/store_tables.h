// What a store holds, as plain tables: the durable part of FaultStore, and what the simulator's
// checkers look at. Applies batches; knows nothing of failures.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/model/output.h"
#include "tests/support/parked_tables.h"

namespace triggerd::support {

// One delivery: an event (by its sequence) for one webhook.
struct DeliveryKey {
  model::EventSeq seq;
  model::WebhookRef webhook;
  auto operator<=>(const DeliveryKey&) const = default;
};
struct DeliveryKeyHash {
  std::size_t operator()(const DeliveryKey& key) const noexcept {
    const std::uint64_t mixed =
        (key.seq.value() * 0x9e3779b97f4a7c15ULL) ^ (key.webhook.value() * 0xff51afd7ed558ccdULL);
    return static_cast<std::size_t>(mixed ^ (mixed >> 29));
  }
};
template <class Value>
using DeliveryMap = std::unordered_map<DeliveryKey, Value, DeliveryKeyHash>;

struct StoreTables {
  std::map<model::OrgId, model::Organization> organizations;
  std::map<model::ApiKeyId, model::ApiKey> keys;
  std::map<model::WebhookRef, model::WebhookPtr> webhooks;
  std::map<model::Generation, model::Trigger> triggers;
  std::map<std::pair<model::OrgId, std::string>, model::EventType> event_types;
  std::unordered_map<model::EventSeq, model::EventPtr> events;
  std::map<std::pair<model::OrgId, model::EventId>, model::EventSeq> event_ids;
  PendingTable pending;
  ParkedTable parked;
  DeliveryMap<model::AttemptRecord> latest_attempts;  // the highest number of each
  DeliveryMap<std::uint16_t> attempts_made;
  // Of events alone, dead or cancelled.
  std::map<std::pair<model::WebhookRef, model::EventSeq>, model::DeliveryState> finals;
  std::set<DeliveryKey> reopened;  // ever
  std::map<std::string, model::SigningKey> signing_keys;
  std::map<std::pair<model::OrgId, model::JobId>, model::RecoverJob> jobs;
  std::optional<model::Counters> counters;

  // In the order of its mutations.
  void apply(const model::Batch& batch);

  // In the order of Store::scan.
  void scan(const std::function<void(model::Record)>& record) const;

  [[nodiscard]] const model::Event* find_event(model::OrgId org, model::EventId id) const;
  // Newest generation of the trigger (webhook, type, name); null when there is none.
  [[nodiscard]] const model::Trigger* find_trigger(model::WebhookRef webhook,
                                                   model::TriggerType type,
                                                   const std::string& name) const;
  [[nodiscard]] const model::WebhookPtr* find_webhook(model::WebhookId id) const;
  // The stored pending state of one delivery; null when no row tells of it.
  [[nodiscard]] const model::PendingEntry* find_pending(DeliveryKey key) const;
};

}  // namespace triggerd::support
