// MemoryStore: the lists of the delivery log and of parked deliveries, and retention.
#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

#include "store/log_rows.h"
#include "store/memory_bytes.h"
#include "store/memory_store.h"
#include "store/parked_rows.h"
#include "store/retention.h"

namespace triggerd::store {

using base::Result;
using base::Status;
using model::AttemptRecord;
using model::EventPtr;
using model::EventSeq;
using model::WebhookRef;

// --- Lists ------------------------------------------------------------------------------------

class MemoryStore::LogReader final : public LogRows {
 public:
  explicit LogReader(const MemoryStore& store) : store_(store) {}

  Result<std::optional<AttemptRecord>> attempt_before(WebhookRef webhook,
                                                      EventSeq before) override {
    auto at = store_.attempts_.lower_bound({webhook, before, 0});
    if (at == store_.attempts_.begin()) return std::optional<AttemptRecord>();
    --at;
    if (at->second.webhook != webhook) return std::optional<AttemptRecord>();
    return std::optional<AttemptRecord>(at->second);
  }
  Status attempts_of(WebhookRef webhook, EventSeq seq, const OnAttempt& each) override {
    auto at = store_.attempts_.upper_bound({webhook, seq, model::kNoAttempt});
    while (at != store_.attempts_.begin()) {
      --at;
      if (at->second.webhook != webhook || at->second.seq != seq || !each(at->second)) break;
    }
    return {};
  }
  Status pending_between(EventSeq first, EventSeq before, const OnPending& each) override {
    auto at = store_.pending_.lower_bound({before, 0});
    while (at != store_.pending_.begin()) {
      --at;
      if (at->first.first < first || !each(at->second)) break;
    }
    return {};
  }
  Result<std::optional<EventSeq>> final_before(WebhookRef webhook, model::DeliveryState state,
                                               EventSeq before) override {
    auto at = store_.finals_.lower_bound({webhook, state, before});
    if (at == store_.finals_.begin()) return std::optional<EventSeq>();
    const auto& [of, in, seq] = *--at;
    if (of != webhook || in != state) return std::optional<EventSeq>();
    return std::optional<EventSeq>(seq);
  }
  Result<std::optional<EventSeq>> final_after(WebhookRef webhook, model::DeliveryState state,
                                              EventSeq after) override {
    const auto at = store_.finals_.upper_bound({webhook, state, after});
    if (at == store_.finals_.end()) return std::optional<EventSeq>();
    const auto& [of, in, seq] = *at;
    if (of != webhook || in != state) return std::optional<EventSeq>();
    return std::optional<EventSeq>(seq);
  }
  Result<std::optional<model::DeadLetterPosition>> dead_before(
      model::OrgId org, const model::DeadLetterPosition& before) override {
    auto at = store_.dead_.lower_bound({org, before.seq, before.webhook});
    if (at == store_.dead_.begin()) return std::optional<model::DeadLetterPosition>();
    const auto& [of, seq, webhook] = *--at;
    if (of != org) return std::optional<model::DeadLetterPosition>();
    return std::optional(model::DeadLetterPosition{seq, webhook});
  }
  Result<EventPtr> event_at(EventSeq seq) override {
    const auto at = store_.events_.find(seq);
    return at == store_.events_.end() ? EventPtr() : at->second;
  }
  Result<model::DeliveryCounts> finals_of(EventSeq seq) override {
    model::DeliveryCounts counts;
    for (auto at = store_.event_finals_.lower_bound({seq, model::DeliveryState(0), WebhookRef(0)});
         at != store_.event_finals_.end() && std::get<0>(*at) == seq; ++at) {
      ++(std::get<1>(*at) == model::DeliveryState::kDead ? counts.dead : counts.cancelled);
    }
    return counts;
  }
  Result<std::optional<model::EventSummary>> event_before(model::OrgId org,
                                                          EventSeq before) override {
    auto at = store_.org_events_.lower_bound({org, before});
    if (at == store_.org_events_.begin()) return std::optional<model::EventSummary>();
    --at;
    if (at->first.first != org) return std::optional<model::EventSummary>();
    return std::optional<model::EventSummary>(model::summary_of(*at->second));
  }

 private:
  const MemoryStore& store_;
};

Result<ListPage> MemoryStore::list_of(const ListLog& query) const {
  LogReader rows(*this);
  return list_log(rows, query);
}
Result<ListPage> MemoryStore::list_of(const ListAttempts& query) const {
  LogReader rows(*this);
  return list_attempts(rows, query);
}
Result<ListPage> MemoryStore::list_of(const ListEvents& query) const {
  LogReader rows(*this);
  return list_events(rows, query);
}
Result<ListPage> MemoryStore::list_of(const ListFinals& query) const {
  LogReader rows(*this);
  return list_finals(rows, query);
}
Result<ListPage> MemoryStore::list_of(const ListDead& query) const {
  LogReader rows(*this);
  return list_dead(rows, query);
}

Result<ListPage> MemoryStore::list_of(const ListEventsAfter& query) const {
  ListPage page;
  std::size_t bytes = 0;
  std::uint32_t looked_at = 0;
  page.is_whole = true;
  for (auto at = org_events_.upper_bound({query.org, query.after});
       at != org_events_.end() && at->first.first == query.org; ++at) {
    if (is_full(page, bytes, looked_at, query)) {
      page.is_whole = false;
      break;
    }
    ++looked_at;
    const model::EventPtr& event = at->second;
    page.looked_at_through = event->seq;
    if (event->trigger_type == model::TriggerType::kEvent) {
      page.events.push_back(event);
      bytes += event->content.size();
    }
  }
  page.erased_before = retained_from_;
  if (!events_.contains(retained_from_)) page.erased_before = next_of(retained_from_);
  return page;
}

// --- Parked deliveries --------------------------------------------------------------------------

class MemoryStore::ParkedReader final : public ParkedRows {
 public:
  explicit ParkedReader(const MemoryStore& store) : store_(store) {}

  Status parked_from(const model::ParkedKey& from, const OnParked& each) override {
    for (auto at = store_.parked_.lower_bound(from); at != store_.parked_.end(); ++at) {
      const auto& [key, match] = *at;
      if (key.webhook != from.webhook || key.kind != from.kind || !each({key, match})) break;
    }
    return {};
  }
  Result<std::optional<model::PendingChunk>> pending_at(EventSeq seq,
                                                        std::uint32_t chunk) override {
    const auto at = store_.pending_.find({seq, chunk});
    if (at == store_.pending_.end()) return std::optional<model::PendingChunk>();
    return std::optional<model::PendingChunk>(at->second);
  }
  Result<std::optional<EventSeq>> pending_from(EventSeq first) override {
    const auto at = store_.pending_.lower_bound({first, 0});
    if (at == store_.pending_.end()) return std::optional<EventSeq>();
    return std::optional<EventSeq>(at->first.first);
  }
  Result<EventPtr> event_at(EventSeq seq) override {
    const auto at = store_.events_.find(seq);
    return at == store_.events_.end() ? EventPtr() : at->second;
  }

 private:
  const MemoryStore& store_;
};

Result<ListPage> MemoryStore::list_of(const ListParked& query) const {
  ParkedReader rows(*this);
  return list_parked(rows, query);
}

// --- Retention --------------------------------------------------------------------------------

class MemoryStore::Retainer final : public RetentionRows {
 public:
  explicit Retainer(MemoryStore& store) : store_(store) {}

  Result<RetentionBounds> bounds(std::uint64_t bytes_max) override {
    RetentionBounds bounds;
    if (store_.counters_) bounds.next_event = store_.counters_->next_event;
    bounds.erasures.assign(store_.erasures_.begin(), store_.erasures_.end());
    if (bytes_max == 0) return bounds;
    std::uint64_t bytes = store_.log_bytes_;
    for (auto at = store_.events_.begin(); at != store_.events_.end() && bytes > bytes_max; ++at) {
      bytes -= std::min(bytes, bytes_of(*at->second) + bytes_of_attempts(*at->second));
      bounds.kept_by_size = EventSeq(at->first.value() + 1);
    }
    return bounds;
  }
  Result<EventPtr> event_from(EventSeq from) override {
    const auto at = store_.events_.lower_bound(from);
    if (at == store_.events_.end()) return EventPtr();
    store_.retained_from_ = std::max(store_.retained_from_, at->first);
    return at->second;
  }
  Result<EventPtr> event_of(model::OrgId org, EventSeq from) override {
    const auto at = store_.org_events_.lower_bound({org, from});
    if (at == store_.org_events_.end() || at->first.first != org) return EventPtr();
    return at->second;
  }
  Result<bool> is_pending(EventSeq seq) override {
    const auto at = store_.pending_.lower_bound({seq, 0});
    return at != store_.pending_.end() && at->first.first == seq;
  }
  Result<bool> has_dead_letter(EventSeq seq) override {
    const auto at =
        store_.event_finals_.lower_bound({seq, model::DeliveryState::kDead, WebhookRef(0)});
    return at != store_.event_finals_.end() && std::get<0>(*at) == seq &&
           std::get<1>(*at) == model::DeliveryState::kDead;
  }
  Result<std::uint64_t> erase(const model::Event& gone) override {
    const EventPtr event = store_.events_.at(gone.seq);  // `gone` may be what the maps hold
    std::uint64_t attempts = 0;
    for (const model::Match& match : event->matches) {
      auto at = store_.attempts_.lower_bound({match.webhook, event->seq, 0});
      while (at != store_.attempts_.end() && at->second.webhook == match.webhook &&
             at->second.seq == event->seq) {
        store_.log_bytes_ -= std::min(store_.log_bytes_, bytes_of(at->second));
        at = store_.attempts_.erase(at);
        ++attempts;
      }
      for (const auto state : {model::DeliveryState::kDead, model::DeliveryState::kCancelled}) {
        store_.finals_.erase({match.webhook, state, event->seq});
        store_.event_finals_.erase({event->seq, state, match.webhook});
      }
      store_.dead_.erase({event->org, event->seq, match.webhook});
    }
    const auto id = store_.event_ids_.find({event->org, event->id});
    if (id != store_.event_ids_.end() && id->second.seq == event->seq) store_.event_ids_.erase(id);
    store_.org_events_.erase({event->org, event->seq});
    store_.events_.erase(event->seq);
    store_.log_bytes_ -= std::min(store_.log_bytes_, bytes_of(*event));
    return attempts;
  }
  void end_erasure(model::OrgId org) override { store_.erasures_.erase(org); }

 private:
  [[nodiscard]] std::uint64_t bytes_of_attempts(const model::Event& event) const {
    std::uint64_t bytes = 0;
    for (const model::Match& match : event.matches) {
      for (auto at = store_.attempts_.lower_bound({match.webhook, event.seq, 0});
           at != store_.attempts_.end() && at->second.webhook == match.webhook &&
           at->second.seq == event.seq;
           ++at) {
        bytes += bytes_of(at->second);
      }
    }
    return bytes;
  }

  MemoryStore& store_;
};

Result<RetentionProgress> MemoryStore::retain(const RetentionStep& step) {
  const std::lock_guard lock(mutex_);
  Retainer rows(*this);
  return retain_step(rows, step);
}

}  // namespace triggerd::store
