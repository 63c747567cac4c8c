#include "engine/core/publish_waits.h"

#include <algorithm>

#include "engine/base/assert.h"

namespace triggerd::core {

using base::Duration;
using base::MonoTime;
using base::Now;
using model::EventSeq;
using model::FirstAttempt;
using model::OutcomeClass;
using model::PublishReply;
using model::RequestId;

bool PublishWaits::has_room(std::size_t deliveries) const {
  return !stopped_ && waiting_.size() < limits_.publishes &&
         deliveries_ + deliveries <= limits_.deliveries;
}

void PublishWaits::add(RequestId id, PublishReply reply, std::vector<EventSeq> events,
                       Duration wait, Now now) {
  TRIGGERD_ASSERT(events.size() == reply.events.size());
  Waiting waiting;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const std::size_t deliveries = reply.events[i].deliveries.size();
    if (deliveries == 0) continue;
    TRIGGERD_ASSERT(events[i] != EventSeq(0));
    waiting.deliveries += deliveries;
    watched_.emplace(events[i], Watch{id, i});
  }
  TRIGGERD_ASSERT(waiting.deliveries > 0 && has_room(waiting.deliveries));
  waiting.open = waiting.deliveries;
  waiting.deadline = now.mono + wait;
  waiting.reply = std::move(reply);
  waiting.events = std::move(events);
  deliveries_ += waiting.deliveries;
  deadlines_.emplace(waiting.deadline, id);
  const bool is_new = waiting_.emplace(id, std::move(waiting)).second;
  TRIGGERD_ASSERT(is_new);
}

void PublishWaits::over(EventSeq event, std::uint32_t match, OutcomeClass outcome,
                        std::uint16_t http_status) {
  if (watched_.empty()) return;
  const auto watch = watched_.find(event);
  if (watch == watched_.end()) return;
  const auto at = waiting_.find(watch->second.request);
  TRIGGERD_ASSERT(at != waiting_.end());
  Waiting& waiting = at->second;
  FirstAttempt& first = waiting.reply.events[watch->second.index].deliveries[match];
  if (first.is_over) return;
  first.is_over = true;
  first.outcome = outcome;
  first.http_status = http_status;
  if (--waiting.open == 0) answer(at);
}

void PublishWaits::advance(Now now) {
  std::size_t budget = model::kSweptPerTurn;
  while (budget > 0 && !deadlines_.empty() && deadlines_.begin()->first <= now.mono) {
    const auto at = waiting_.find(deadlines_.begin()->second);
    TRIGGERD_ASSERT(at != waiting_.end());
    budget -= std::min(budget, at->second.events.size());
    answer(at);
  }
}

void PublishWaits::cancel(RequestId id) {
  const auto at = waiting_.find(id);
  if (at != waiting_.end()) take(at);
}

void PublishWaits::stop() {
  stopped_ = true;
  while (!deadlines_.empty()) answer(waiting_.find(deadlines_.begin()->second));
}

PublishWaits::Waiting PublishWaits::take(WaitingById::iterator at) {
  Waiting waiting = std::move(at->second);
  deadlines_.erase({waiting.deadline, at->first});
  waiting_.erase(at);
  for (std::size_t i = 0; i < waiting.events.size(); ++i) {
    if (!waiting.reply.events[i].deliveries.empty()) watched_.erase(waiting.events[i]);
  }
  deliveries_ -= waiting.deliveries;
  return waiting;
}

void PublishWaits::answer(WaitingById::iterator at) {
  const RequestId id = at->first;
  outbox_.reply(id, take(at).reply);
}

std::optional<MonoTime> PublishWaits::next_deadline() const {
  if (deadlines_.empty()) return std::nullopt;
  return deadlines_.begin()->first;
}

}  // namespace triggerd::core
