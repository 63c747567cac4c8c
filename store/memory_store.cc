#include "store/memory_store.h"

#include <algorithm>
#include <vector>

#include "engine/base/assert.h"
#include "store/memory_bytes.h"

namespace triggerd::store {
namespace {

// Put and erased triggers are found by identity, whatever their generation.
auto identity(const model::Trigger& trigger) {
  return std::tuple(trigger.org, trigger.webhook, trigger.type, trigger.name);
}

}  // namespace

base::Status MemoryStore::commit(const model::Batch& batch) {
  const std::lock_guard lock(mutex_);
  for (const model::Mutation& mutation : batch.mutations) {
    std::visit([this](const auto& change) { apply(change); }, mutation);
  }
  return {};
}

base::Result<std::optional<EventRow>> MemoryStore::get(const EventKey& key) {
  const std::lock_guard lock(mutex_);
  const auto found = event_ids_.find({key.org, key.id});
  if (found == event_ids_.end()) return std::optional<EventRow>();
  return std::optional<EventRow>(found->second);
}

base::Result<ListPage> MemoryStore::list(const ListQuery& query) {
  const std::lock_guard lock(mutex_);
  return std::visit([this](const auto& what) { return list_of(what); }, query);
}

base::Status MemoryStore::scan(const std::function<void(model::Record)>& record) {
  const std::lock_guard lock(mutex_);
  std::optional<model::Counters> counters = counters_;
  if (!events_.empty()) {
    if (!counters) counters.emplace();
    const model::EventSeq beyond(events_.rbegin()->first.value() + 1);
    counters->next_event = std::max(counters->next_event, beyond);
  }
  if (counters) record(*counters);
  for (const auto& [kid, key] : signing_keys_) record(key);
  for (const auto& [id, organization] : organizations_) record(organization);
  for (const auto& [id, key] : api_keys_) record(key);
  for (const auto& [key, type] : event_types_) record(type);
  for (const auto& [ref, webhook] : webhooks_) record(*webhook);

  std::vector<const model::Trigger*> triggers;
  triggers.reserve(triggers_.size());
  for (const auto& [key, trigger] : triggers_) triggers.push_back(&trigger);
  std::stable_sort(triggers.begin(), triggers.end(),
                   [](const model::Trigger* left, const model::Trigger* right) {
                     return left->generation < right->generation;
                   });
  for (const model::Trigger* trigger : triggers) record(*trigger);
  for (const auto& [key, job] : jobs_) record(job);

  const model::EventSeq first = counters ? counters->first_pending : model::EventSeq(0);
  for (auto at = pending_.lower_bound({first, 0}); at != pending_.end(); ++at) record(at->second);
  return {};
}

base::Result<model::EventPtr> MemoryStore::read_event(model::EventSeq seq) {
  const std::lock_guard lock(mutex_);
  const auto found = events_.find(seq);
  return found == events_.end() ? model::EventPtr() : found->second;
}

base::Status MemoryStore::close() {
  return {};
}

base::Result<ListPage> MemoryStore::list_of(const ListDeliveries& query) const {
  ListPage page;
  for (const model::WebhookRef webhook : query.webhooks) {
    // The one before the first that is beyond every number.
    auto at = attempts_.upper_bound({webhook, query.seq, model::kNoAttempt});
    while (at != attempts_.begin()) {
      --at;
      if (at->second.webhook != webhook || at->second.seq != query.seq) break;
      page.attempts.push_back(at->second);
      if (at->second.number != model::kNoAttempt) break;
    }
  }
  for (auto at = pending_.lower_bound({query.seq, 0});
       at != pending_.end() && at->first.first == query.seq; ++at) {
    page.pending.push_back(at->second);
  }
  return page;
}

base::Result<ListPage> MemoryStore::list_of(const ListRecentEvents& query) const {
  ListPage page;
  std::uint64_t looked_at = 0;
  for (auto at = events_.rbegin(); at != events_.rend() && looked_at < query.looked_at_max &&
                                   page.events.size() < query.count_max;
       ++at, ++looked_at) {
    const model::EventPtr& event = at->second;
    if (event->org == query.org && event->name == query.event_name) page.events.push_back(event);
  }
  return page;
}

void MemoryStore::apply(const model::PutOrganization& put) {
  organizations_[put.organization.id] = put.organization;
}
void MemoryStore::apply(const model::EraseOrganization& erase) {
  organizations_.erase(erase.org);
}
void MemoryStore::apply(const model::PutApiKey& put) {
  api_keys_[{put.key.org, put.key.id}] = put.key;
}
void MemoryStore::apply(const model::EraseApiKey& erase) {
  api_keys_.erase({erase.org, erase.id});
}
void MemoryStore::apply(const model::PutWebhook& put) {
  TRIGGERD_ASSERT(put.webhook != nullptr);
  webhooks_[put.webhook->ref] = put.webhook;
}
void MemoryStore::apply(const model::EraseWebhook& erase) {
  webhooks_.erase(erase.ref);
}
void MemoryStore::apply(const model::PutTrigger& put) {
  triggers_[identity(put.trigger)] = put.trigger;
}
void MemoryStore::apply(const model::EraseTrigger& erase) {
  triggers_.erase(identity(erase.trigger));
}
void MemoryStore::apply(const model::PutEventType& put) {
  event_types_[{put.type.org, put.type.name}] = put.type;
}
void MemoryStore::apply(const model::EraseEventType& erase) {
  event_types_.erase({erase.org, erase.name});
}
void MemoryStore::apply(const model::PutEvent& put) {
  TRIGGERD_ASSERT(put.event != nullptr);
  const model::Event& event = *put.event;
  events_[event.seq] = put.event;
  org_events_[{event.org, event.seq}] = put.event;
  log_bytes_ += bytes_of(event);
  event_ids_[{event.org, event.id}] =
      EventRow{event.seq, event.accepted_at, static_cast<std::uint32_t>(event.matches.size())};
}
void MemoryStore::apply(const model::PutPending& put) {
  pending_[{put.chunk.seq, put.chunk.chunk}] = put.chunk;
}
void MemoryStore::apply(const model::ErasePending& erase) {
  pending_.erase({erase.seq, erase.chunk});
}
void MemoryStore::apply(const model::PutParked& put) {
  parked_[put.key] = put.match;
}
void MemoryStore::apply(const model::EraseParked& erase) {
  parked_.erase(erase.key);
}
void MemoryStore::apply(const model::PutAttempt& put) {
  const model::AttemptRecord& attempt = put.attempt;
  attempts_[{attempt.webhook, attempt.seq, attempt.number}] = attempt;
  log_bytes_ += bytes_of(attempt);
  const model::DeliveryState state = attempt.state_after;
  if (state != model::DeliveryState::kDead && state != model::DeliveryState::kCancelled) return;
  finals_.insert({attempt.webhook, state, attempt.seq});
  event_finals_.insert({attempt.seq, state, attempt.webhook});
  if (state == model::DeliveryState::kDead && attempt.trigger_type == model::TriggerType::kEvent) {
    dead_.insert({put.org, attempt.seq, attempt.webhook});
  }
}
void MemoryStore::apply(const model::ReopenDelivery& reopen) {
  attempts_.erase({reopen.webhook, reopen.seq, model::kNoAttempt});
  for (const auto state : {model::DeliveryState::kDead, model::DeliveryState::kCancelled}) {
    finals_.erase({reopen.webhook, state, reopen.seq});
    event_finals_.erase({reopen.seq, state, reopen.webhook});
  }
  dead_.erase({reopen.org, reopen.seq, reopen.webhook});
}
void MemoryStore::apply(const model::EraseLog& erase) {
  erasures_[erase.org] = erase.before;
}
void MemoryStore::apply(const model::PutJob& put) {
  jobs_[{put.job.org, put.job.id}] = put.job;
}
void MemoryStore::apply(const model::EraseJob& erase) {
  jobs_.erase({erase.org, erase.id});
}
void MemoryStore::apply(const model::PutSigningKey& put) {
  signing_keys_[put.key.kid] = put.key;
}
void MemoryStore::apply(const model::EraseSigningKey& erase) {
  signing_keys_.erase(erase.kid);
}
void MemoryStore::apply(const model::PutCounters& put) {
  counters_ = put.counters;
}

}  // namespace triggerd::store
