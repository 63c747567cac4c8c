#include "tests/support/fault_store.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "engine/base/assert.h"

namespace triggerd::support {

base::Status FaultStore::commit(const model::Batch& batch) {
  if (poisoned_) return base::Error{base::ErrorCode::kInternal, "an earlier commit failed"};
  begin_commit(batch);
  return end_commit();
}

void FaultStore::begin_commit(model::Batch batch) {
  TRIGGERD_ASSERT(!closed_);
  TRIGGERD_ASSERT(!volatile_);
  volatile_ = std::move(batch);
}

base::Status FaultStore::end_commit() {
  TRIGGERD_ASSERT(volatile_);
  if (poisoned_) {
    volatile_.reset();
    return base::Error{base::ErrorCode::kInternal, "an earlier commit failed"};
  }
  if (failure_) {
    const Failure failure = *std::exchange(failure_, std::nullopt);
    poisoned_ = true;
    after_poison_ = failure.unsynced;
    return base::Error{failure.code, "commit failed as the test asked"};
  }
  settle(Unsynced::kKept);
  return {};
}

void FaultStore::fail_commit(base::ErrorCode code, Unsynced unsynced) {
  failure_ = Failure{code, unsynced};
}

void FaultStore::crash(Unsynced unsynced) {
  // After a failed commit its fate is drawn already.
  settle(after_poison_.value_or(unsynced));
  failure_.reset();
  failing_reads_ = 0;
  after_poison_.reset();
  poisoned_ = false;
  closed_ = false;
}

void FaultStore::reopen() {
  crash(Unsynced::kLost);
}

void FaultStore::settle(Unsynced unsynced) {
  if (volatile_ && unsynced == Unsynced::kKept) durable_.apply(*volatile_);
  volatile_.reset();
}

std::optional<base::Error> FaultStore::read_fault() {
  TRIGGERD_ASSERT(!closed_);
  if (failing_reads_ == 0) return std::nullopt;
  --failing_reads_;
  return base::Error{base::ErrorCode::kInternal, "read failed as the test asked"};
}

base::Result<std::optional<store::EventRow>> FaultStore::get(const store::EventKey& key) {
  if (std::optional<base::Error> fault = read_fault()) return *std::move(fault);
  const model::Event* event = durable_.find_event(key.org, key.id);
  if (event == nullptr) return std::optional<store::EventRow>();
  return std::optional(store::EventRow{event->seq, event->accepted_at,
                                       static_cast<std::uint32_t>(event->matches.size())});
}

base::Result<store::ListPage> FaultStore::list(const store::ListQuery& query) {
  if (std::optional<base::Error> fault = read_fault()) return *std::move(fault);
  store::ListPage page;
  // The latest row of each alone, without what may stand behind it.
  if (const auto* deliveries = std::get_if<store::ListDeliveries>(&query)) {
    for (const model::WebhookRef webhook : deliveries->webhooks) {
      const auto at = durable_.latest_attempts.find({deliveries->seq, webhook});
      if (at != durable_.latest_attempts.end()) page.attempts.push_back(at->second);
    }
    for (auto at = durable_.pending.lower_bound({deliveries->seq, 0});
         at != durable_.pending.end() && at->first.first == deliveries->seq; ++at) {
      page.pending.push_back(at->second);
    }
    return page;
  }
  if (const auto* recent = std::get_if<store::ListRecentEvents>(&query)) {
    std::map<model::EventSeq, model::EventPtr> in_order(durable_.events.begin(),
                                                        durable_.events.end());
    std::uint64_t looked_at = 0;
    for (auto at = in_order.rbegin(); at != in_order.rend() && looked_at < recent->looked_at_max &&
                                      page.events.size() < recent->count_max;
         ++at, ++looked_at) {
      const model::Event& event = *at->second;
      if (event.org == recent->org && event.name == recent->event_name) {
        page.events.push_back(at->second);
      }
    }
    return page;
  }
  // Lists of the delivery log are no concern of the core.
  TRIGGERD_ASSERT(std::holds_alternative<store::ListParked>(query));
  const auto& wanted = std::get<store::ListParked>(query);
  page.parked = read_parked(wanted.what, wanted.bytes_max, durable_.parked, durable_.pending,
                            durable_.events);
  return page;
}

base::Status FaultStore::scan(const std::function<void(model::Record)>& record) {
  TRIGGERD_ASSERT(!closed_);
  durable_.scan(record);
  return {};
}

// The tables keep everything: the simulator accounts for it.
base::Result<store::RetentionProgress> FaultStore::retain(const store::RetentionStep& /*step*/) {
  return store::RetentionProgress{};
}

base::Result<model::EventPtr> FaultStore::read_event(model::EventSeq seq) {
  if (std::optional<base::Error> fault = read_fault()) return *std::move(fault);
  const auto at = durable_.events.find(seq);
  return at == durable_.events.end() ? model::EventPtr() : at->second;
}

base::Status FaultStore::close() {
  closed_ = true;
  return {};
}

}  // namespace triggerd::support
