#include "engine/core/scheduler.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "engine/base/assert.h"

namespace triggerd::core {

using base::HeapPosition;
using base::MonoTime;
using model::WebhookRef;

namespace {

// In the heap of delays, stands for a lane that rests: `event` is then the webhook.
constexpr std::uint32_t kLaneWakes = std::numeric_limits<std::uint32_t>::max();
// First attempts of a lane in a row while it has retries that are due. They earn two retries at the
// usual share: one for this lane, one for those that have nothing but retries.
constexpr std::uint8_t kFreshInRowMost = 8;

}  // namespace

void Scheduler::OnMove::operator()(const DeliveryRef& delivery, HeapPosition position) const {
  if (delivery.match != kLaneWakes) return observer->delayed_at(delivery, position);
  (*lanes)[delivery.event]->wake_position = position;
}

Scheduler::Scheduler(const SchedulerLimits& limits, DelayObserver& observer, std::uint64_t seed)
    : limits_(limits),
      random_(seed ^ 0x6272656b72ULL),
      budget_(limits.isolation.retry_share_percent),
      organizations_(seed),
      seats_(seed),
      origins_(seed),
      delayed_(OnMove{&observer, &lanes_}) {
  TRIGGERD_ASSERT(limits.in_flight_per_lane > 0 && limits.in_flight_per_host > 0 &&
                  limits.in_flight > 0);
}

// --- Lanes ------------------------------------------------------------------------------------

void Scheduler::open_lane(WebhookRef ref, std::string_view origin, const model::OrgId& org) {
  TRIGGERD_ASSERT(!has_lane(ref));
  if (ref.value() >= lanes_.size()) lanes_.resize(std::size_t{ref.value()} + 1);
  lanes_[ref.value()] = std::make_unique<Lane>(std::max(limits_.isolation.in_flight_start, 1U));
  Lane& lane = *lanes_[ref.value()];
  lane.organization = organizations_.intern(org);
  if (lane.organization >= organization_lanes_.size()) {
    organization_lanes_.resize(std::size_t{lane.organization} + 1);
  }
  ++organization_lanes_[lane.organization];
  join_host(lane, origin);
  lane.in_flight_max = limits_.in_flight_per_lane;
}

void Scheduler::configure_lane(WebhookRef ref, const LaneSettings& settings, MonoTime now) {
  Lane* lane = lane_of(ref);
  TRIGGERD_ASSERT(lane != nullptr && settings.in_flight_max.value_or(1) > 0);
  lane->in_flight_max = settings.in_flight_max.value_or(limits_.in_flight_per_lane);
  const bool same_rate = settings.rate.has_value() == (lane->rate != nullptr) &&
                         (!settings.rate || *settings.rate == lane->rate->limit);
  if (!same_rate) {
    if (!settings.rate) {
      lane->rate.reset();
    } else if (lane->rate == nullptr) {
      lane->rate = std::make_unique<LaneRate>(LaneRate{*settings.rate, {}});
    } else {
      lane->rate->limit = *settings.rate;
      lane->rate->bucket.fit(*settings.rate, now);
    }
    // It may have rested for a token of the old rate.
    stop_resting(*lane);
  }
  wake(ref, *lane);
}

void Scheduler::move_lane(WebhookRef ref, std::string_view origin) {
  Lane* lane = lane_of(ref);
  TRIGGERD_ASSERT(lane != nullptr);
  leave_host(ref, *lane);
  join_host(*lane, origin);
  wake(ref, *lane);
}

void Scheduler::renew_lane(WebhookRef ref) {
  Lane* lane = lane_of(ref);
  TRIGGERD_ASSERT(lane != nullptr);
  ++lane->era;
  breakers_.moved(lane->breaker.state(), CircuitBreaker::State::kClosed);
  lane->breaker = CircuitBreaker();
  lane->limit = ConcurrencyLimit(std::max(limits_.isolation.in_flight_start, 1U));
  // It may have rested because the breaker was open.
  stop_resting(*lane);
  wake(ref, *lane);
}

void Scheduler::pause(WebhookRef ref) {
  Lane* lane = lane_of(ref);
  TRIGGERD_ASSERT(lane != nullptr);
  lane->paused = true;
}

void Scheduler::resume(WebhookRef ref) {
  Lane* lane = lane_of(ref);
  TRIGGERD_ASSERT(lane != nullptr);
  lane->paused = false;
  wake(ref, *lane);
}

void Scheduler::rest(WebhookRef ref, MonoTime until) {
  Lane* lane = lane_of(ref);
  TRIGGERD_ASSERT(lane != nullptr);
  if (lane->resting) return;
  lane->resting = true;
  delayed_.push(until, DeliveryRef{ref.value(), kLaneWakes});
}

void Scheduler::close_lane(WebhookRef ref) {
  Lane* lane = lane_of(ref);
  TRIGGERD_ASSERT(lane != nullptr && !lane->has_waiting() && lane->in_flight == 0);
  stop_resting(*lane);
  const std::uint32_t organization = lane->organization;
  if (turns_.waits(ref.value())) turns_.leave(ring_, organization, ref.value());
  if (retry_turns_.waits(ref.value())) retry_turns_.leave(retry_ring_, organization, ref.value());
  leave_host(ref, *lane);
  breakers_.moved(lane->breaker.state(), CircuitBreaker::State::kClosed);
  if (--organization_lanes_[organization] == 0) organizations_.erase(organization);
  lanes_[ref.value()].reset();
}

std::size_t Scheduler::waiting(WebhookRef ref, Work work) const {
  const Lane* lane = lane_of(ref);
  if (lane == nullptr) return 0;
  return work == Work::kFresh ? lane->fresh.size() : lane->retries.size();
}

bool Scheduler::is_idle(WebhookRef ref) const {
  const Lane* lane = lane_of(ref);
  return lane == nullptr || (!lane->has_waiting() && lane->in_flight == 0);
}

// --- Waiting deliveries -----------------------------------------------------------------------

void Scheduler::push_back(WebhookRef ref, DeliveryRef delivery, Work work) {
  Lane* lane = lane_of(ref);
  TRIGGERD_ASSERT(lane != nullptr);
  lane->queue(work).push_back(delivery);
  wake(ref, *lane);
}

void Scheduler::push_front(WebhookRef ref, DeliveryRef delivery, Work work) {
  Lane* lane = lane_of(ref);
  TRIGGERD_ASSERT(lane != nullptr);
  lane->queue(work).push_front(delivery);
  wake(ref, *lane);
}

std::optional<DeliveryRef> Scheduler::take(WebhookRef ref) {
  Lane* lane = lane_of(ref);
  if (lane == nullptr || !lane->has_waiting()) return std::nullopt;
  return (lane->fresh.empty() ? lane->retries : lane->fresh).pop_front();
}

void Scheduler::remove(WebhookRef ref, DeliveryRef delivery) {
  Lane* lane = lane_of(ref);
  TRIGGERD_ASSERT(lane != nullptr);
  const bool was_there = lane->retries.remove(delivery) || lane->fresh.remove(delivery);
  TRIGGERD_ASSERT(was_there);
}

// --- Starts -----------------------------------------------------------------------------------

bool Scheduler::may_start(const Lane& lane) const {
  return !lane.paused && !lane.resting && lane.has_waiting() && !lane.breaker.is_probing() &&
         lane.in_flight < bound_of(lane);
}

void Scheduler::stop_resting(Lane& lane) {
  if (!lane.resting) return;
  lane.resting = false;
  delayed_.erase(lane.wake_position);
}

void Scheduler::wake(WebhookRef ref, Lane& lane) {
  if (lane.blocked || !may_start(lane)) return;
  const std::uint32_t member = ref.value();
  if (!lane.fresh.empty() && !turns_.waits(member)) {
    // Where others wait for the host, it joins them now: after its turn it would come behind those
    // that were served meanwhile.
    if (!hosts_[lane.host].blocked.empty()) return block(ref, lane);
    turns_.join(ring_, lane.organization, member);
  }
  if (!lane.retries.empty() && !retry_turns_.waits(member)) {
    retry_turns_.join(retry_ring_, lane.organization, member);
  }
}

// Asked before the host is: who must rest does not stand in the host's row either.
bool Scheduler::put_to_rest(WebhookRef ref, const Lane& lane, MonoTime now) {
  MonoTime until = now;
  if (lane.rate != nullptr) until = lane.rate->bucket.next_token(lane.rate->limit);
  if (lane.breaker.state() == CircuitBreaker::State::kOpen && until <= now) {
    until = *lane.breaker.probe_at();
  }
  if (until <= now) return false;
  rest(ref, until);
  return true;
}

// What the lane starts in a turn of this kind; nothing when it has nothing of the kind.
std::optional<Work> Scheduler::choose(const Lane& lane, Work turn) {
  if (lane.breaker.state() != CircuitBreaker::State::kClosed && !lane.fresh.empty() &&
      !lane.retries.empty()) {
    // A probe: of the kind that the last start was not. What fails may be some events, not the
    // receiver, and those must not be all that it is asked.
    return lane.fresh_in_row > 0 ? Work::kRetry : Work::kFresh;
  }
  if (turn == Work::kRetry || lane.fresh.empty()) {
    const bool may_retry = turn == Work::kRetry || lane.retry_paid;
    return may_retry && !lane.retries.empty() ? std::optional(Work::kRetry) : std::nullopt;
  }
  const bool retry_first = lane.retry_paid || lane.fresh_in_row >= kFreshInRowMost;
  return retry_first && !lane.retries.empty() ? Work::kRetry : Work::kFresh;
}

std::optional<Grant> Scheduler::next(MonoTime now) {
  while (has_ready()) {
    const bool retry_turn = ring_.empty() || (!retry_ring_.empty() && budget_.allows());
    const WebhookRef ref(retry_turn ? retry_turns_.take(retry_ring_) : turns_.take(ring_));
    if (auto grant = try_start(ref, retry_turn ? Work::kRetry : Work::kFresh, now)) return grant;
  }
  return std::nullopt;
}

std::optional<Grant> Scheduler::try_start(WebhookRef ref, Work turn, MonoTime now) {
  Lane& lane = *lane_of(ref);
  if (lane.blocked) return std::nullopt;  // comes again when its host has room
  Host& host = hosts_[lane.host];
  const bool promoted = std::exchange(lane.promoted, false);
  if (promoted) --host.promoted;
  std::optional<Work> work;
  if (may_start(lane) && !put_to_rest(ref, lane, now)) work = choose(lane, turn);
  if (!work) {
    lane.retry_paid = false;
    if (promoted) promote(lane.host);
    wake(ref, lane);  // of the other kind there may be something
    return std::nullopt;
  }
  if (*work == Work::kFresh) {
    lane.retry_paid = false;
  } else if (!lane.retry_paid && (turn == Work::kFresh || !ring_.empty())) {
    budget_.retried();
  }
  if (!promoted && (host.in_flight >= limits_.in_flight_per_host || host.promoted > 0 ||
                    !host.blocked.empty())) {
    lane.retry_paid = *work == Work::kRetry;
    block(ref, lane);  // behind those of its host that wait already
    promote(lane.host);
    return std::nullopt;
  }
  return start(ref, lane, *work, now);
}

Grant Scheduler::start(WebhookRef ref, Lane& lane, Work work, MonoTime now) {
  if (lane.rate != nullptr) {
    const bool has_token = !lane.rate->bucket.take(1, lane.rate->limit, now);
    TRIGGERD_ASSERT(has_token);
  }
  const CircuitBreaker::State before = lane.breaker.state();
  const bool may_begin = lane.breaker.try_begin(now);
  TRIGGERD_ASSERT(may_begin);
  breakers_.moved(before, lane.breaker.state());
  lane.retry_paid = false;
  if (work == Work::kRetry) {
    lane.fresh_in_row = 0;
  } else {
    budget_.attempted_fresh();
    if (lane.fresh_in_row < kFreshInRowMost) ++lane.fresh_in_row;
  }
  ++lane.in_flight;
  ++hosts_[lane.host].in_flight;
  ++in_flight_;
  Grant grant;
  grant.delivery = lane.queue(work).pop_front();
  grant.lane = ref;
  grant.host = lane.host;
  grant.round = lane.limit.round();
  grant.era = lane.era;
  grant.work = work;
  grant.is_probe = lane.breaker.is_probing();
  wake(ref, lane);
  return grant;
}

bool Scheduler::may_begin(Grant& grant) const {
  const Lane& lane = *lane_of(grant.lane);
  const bool is_probe = grant.is_probe && grant.era == lane.era;
  const bool left_alone = lane.breaker.state() != CircuitBreaker::State::kClosed && !is_probe;
  if (lane.host != grant.host || lane.paused || left_alone || lane.in_flight > bound_of(lane)) {
    return false;
  }
  grant.round = lane.limit.round();
  grant.era = lane.era;
  grant.is_probe = is_probe;
  return true;
}

BreakerChange Scheduler::release(const Grant& grant, const CallReport& report, MonoTime now) {
  Host& host = hosts_[grant.host];
  Lane* lane = lane_of(grant.lane);
  TRIGGERD_ASSERT(lane != nullptr && lane->in_flight > 0 && host.in_flight > 0 && in_flight_ > 0);
  const CircuitBreaker::State before = lane->breaker.state();
  if (grant.era == lane->era) learn(*lane, grant, report, now);
  breakers_.moved(before, lane->breaker.state());
  const bool was_closed = before == CircuitBreaker::State::kClosed;
  const bool is_closed = lane->breaker.state() == CircuitBreaker::State::kClosed;
  --lane->in_flight;
  --host.in_flight;
  --in_flight_;
  promote(grant.host);  // those who wait come before the lane that had the slot
  forget_if_unused(grant.host);
  wake(grant.lane, *lane);
  if (was_closed == is_closed) return BreakerChange::kNone;
  return is_closed ? BreakerChange::kClosed : BreakerChange::kOpened;
}

void Scheduler::learn(Lane& lane, const Grant& grant, const CallReport& report, MonoTime now) {
  if (limits_.isolation.in_flight_start > 0) {
    if (report.result == CallResult::kSucceeded) {
      lane.limit.succeeded(report.latency, lane.in_flight, lane.in_flight_max);
    } else if (report.result == CallResult::kOverloaded) {
      lane.limit.overloaded(grant.round, lane.in_flight_max);
    }
  }
  if (limits_.isolation.breaker.failures_to_open == 0) return;
  // What began before it opened is old news; only the probe tells whether to go on.
  if (lane.breaker.state() != CircuitBreaker::State::kClosed && !grant.is_probe) return;
  switch (report.result) {
    case CallResult::kNothing:
      lane.breaker.abandoned();
      return;
    case CallResult::kSucceeded:
      lane.breaker.succeeded();
      return;
    case CallResult::kFailed:
    case CallResult::kOverloaded:
      lane.breaker.failed(limits_.isolation.breaker, now, &random_);
  }
  if (report.retry_after <= base::Duration(0)) return;
  lane.breaker.hold(now + std::min<base::Duration>(report.retry_after, kReceiverHoldMax));
}

bool Scheduler::take_token(const Grant& grant, MonoTime now) {
  const Lane* lane = lane_of(grant.lane);
  if (lane == nullptr || lane->rate == nullptr) return true;
  return !lane->rate->bucket.take(1, lane->rate->limit, now);
}

void Scheduler::refund(const Grant& grant) {
  const Lane* lane = lane_of(grant.lane);
  if (lane == nullptr || lane->rate == nullptr) return;
  lane->rate->bucket.put_back(1, lane->rate->limit);
}

// --- Delays -----------------------------------------------------------------------------------

void Scheduler::delay(DeliveryRef delivery, MonoTime due) {
  delayed_.push(due, delivery);
}

std::optional<DeliveryRef> Scheduler::pop_due(MonoTime now) {
  while (!delayed_.empty() && delayed_.top_key() <= now) {
    const DeliveryRef delivery = delayed_.pop();
    if (delivery.match != kLaneWakes) return delivery;
    const WebhookRef ref(delivery.event);
    Lane* lane = lane_of(ref);
    TRIGGERD_ASSERT(lane != nullptr && lane->resting);
    lane->resting = false;
    wake(ref, *lane);
  }
  return std::nullopt;
}

std::optional<MonoTime> Scheduler::next_due() const {
  if (delayed_.empty()) return std::nullopt;
  return delayed_.top_key();
}

}  // namespace triggerd::core
