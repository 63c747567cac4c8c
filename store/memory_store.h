// A store that forgets everything with the process: tests, the simulator, `--store memory`.
// Keeps plain values, encodes nothing; grows with what is put into it.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "store/store.h"

namespace triggerd::store {

// Every function may be called from any thread.
class MemoryStore final : public Store {
 public:
  base::Status commit(const model::Batch& batch) override;
  base::Result<std::optional<EventRow>> get(const EventKey& key) override;
  base::Result<ListPage> list(const ListQuery& query) override;
  base::Status scan(const std::function<void(model::Record)>& record) override;
  base::Result<RetentionProgress> retain(const RetentionStep& step) override;
  base::Result<model::EventPtr> read_event(model::EventSeq seq) override;
  base::Status close() override;

 private:
  class LogReader;  // memory_log.cc, as are the next
  class ParkedReader;
  class Retainer;
  using TriggerKey = std::tuple<model::OrgId, model::WebhookRef, model::TriggerType, std::string>;
  using PendingKey = std::pair<model::EventSeq, std::uint32_t>;
  using AttemptKey = std::tuple<model::WebhookRef, model::EventSeq, std::uint16_t>;

  void apply(const model::PutOrganization& put);
  void apply(const model::EraseOrganization& erase);
  void apply(const model::PutApiKey& put);
  void apply(const model::EraseApiKey& erase);
  void apply(const model::PutWebhook& put);
  void apply(const model::EraseWebhook& erase);
  void apply(const model::PutTrigger& put);
  void apply(const model::EraseTrigger& erase);
  void apply(const model::PutEventType& put);
  void apply(const model::EraseEventType& erase);
  void apply(const model::PutEvent& put);
  void apply(const model::PutPending& put);
  void apply(const model::ErasePending& erase);
  void apply(const model::PutParked& put);
  void apply(const model::EraseParked& erase);
  void apply(const model::PutAttempt& put);
  void apply(const model::ReopenDelivery& reopen);
  void apply(const model::EraseLog& erase);
  void apply(const model::PutJob& put);
  void apply(const model::EraseJob& erase);
  void apply(const model::PutSigningKey& put);
  void apply(const model::EraseSigningKey& erase);
  void apply(const model::PutCounters& put);

  [[nodiscard]] base::Result<ListPage> list_of(const ListDeliveries& query) const;
  [[nodiscard]] base::Result<ListPage> list_of(const ListParked& query) const;
  [[nodiscard]] base::Result<ListPage> list_of(const ListRecentEvents& query) const;
  [[nodiscard]] base::Result<ListPage> list_of(const ListLog& query) const;
  [[nodiscard]] base::Result<ListPage> list_of(const ListAttempts& query) const;
  [[nodiscard]] base::Result<ListPage> list_of(const ListEvents& query) const;
  [[nodiscard]] base::Result<ListPage> list_of(const ListEventsAfter& query) const;
  [[nodiscard]] base::Result<ListPage> list_of(const ListFinals& query) const;
  [[nodiscard]] base::Result<ListPage> list_of(const ListDead& query) const;

  std::mutex mutex_;  // guards all below
  std::optional<model::Counters> counters_;
  std::map<std::string, model::SigningKey> signing_keys_;
  std::map<model::OrgId, model::Organization> organizations_;
  std::map<std::pair<model::OrgId, model::ApiKeyId>, model::ApiKey> api_keys_;
  std::map<model::WebhookRef, model::WebhookPtr> webhooks_;
  std::map<TriggerKey, model::Trigger> triggers_;
  std::map<std::pair<model::OrgId, std::string>, model::EventType> event_types_;
  std::map<model::EventSeq, model::EventPtr> events_;
  std::map<std::pair<model::OrgId, model::EventId>, EventRow> event_ids_;
  std::map<PendingKey, model::PendingChunk> pending_;
  std::map<model::ParkedKey, std::uint32_t> parked_;
  std::map<AttemptKey, model::AttemptRecord> attempts_;
  // Dead and cancelled deliveries, of a webhook and of an event.
  std::set<std::tuple<model::WebhookRef, model::DeliveryState, model::EventSeq>> finals_;
  std::set<std::tuple<model::EventSeq, model::DeliveryState, model::WebhookRef>> event_finals_;
  std::set<std::tuple<model::OrgId, model::EventSeq, model::WebhookRef>> dead_;
  std::map<std::pair<model::OrgId, model::JobId>, model::RecoverJob> jobs_;
  std::map<std::pair<model::OrgId, model::EventSeq>, model::EventPtr> org_events_;
  std::map<model::OrgId, model::EventSeq> erasures_;
  std::uint64_t log_bytes_ = 0;    // of contents and answers, about
  model::EventSeq retained_from_;  // how far a pass of retention has walked
};

}  // namespace triggerd::store
