#include "engine/core/scheduler.h"

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

}  // namespace

void Scheduler::OnMove::operator()(const DeliveryRef& delivery, HeapPosition position) const {
  if (delivery.match != kLaneWakes) return observer->delayed_at(delivery, position);
  (*lanes)[delivery.event]->wake_position = position;
}

Scheduler::Scheduler(const SchedulerLimits& limits, DelayObserver& observer, std::uint64_t seed)
    : limits_(limits), origins_(seed), delayed_(OnMove{&observer, &lanes_}) {
  TRIGGERD_ASSERT(limits.in_flight_per_lane > 0 && limits.in_flight_per_host > 0 &&
                  limits.in_flight > 0);
}

// --- Lanes ------------------------------------------------------------------------------------

void Scheduler::open_lane(WebhookRef ref, std::string_view origin) {
  TRIGGERD_ASSERT(!has_lane(ref));
  if (ref.value() >= lanes_.size()) lanes_.resize(std::size_t{ref.value()} + 1);
  lanes_[ref.value()] = std::make_unique<Lane>();
  lanes_[ref.value()]->host = host_for(origin);
  lanes_[ref.value()]->in_flight_max = limits_.in_flight_per_lane;
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
  const std::uint32_t host = host_for(origin);
  leave_host(*lane);
  lane->host = host;
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
  TRIGGERD_ASSERT(lane != nullptr && lane->queue.empty() && lane->in_flight == 0);
  stop_resting(*lane);
  leave_host(*lane);
  lanes_[ref.value()].reset();
}

bool Scheduler::is_idle(WebhookRef ref) const {
  const Lane* lane = lane_of(ref);
  return lane == nullptr || (lane->queue.empty() && lane->in_flight == 0);
}

// --- Waiting deliveries -----------------------------------------------------------------------

void Scheduler::push_back(WebhookRef ref, DeliveryRef delivery) {
  Lane* lane = lane_of(ref);
  TRIGGERD_ASSERT(lane != nullptr);
  lane->queue.push_back(delivery);
  wake(ref, *lane);
}

void Scheduler::push_front(WebhookRef ref, DeliveryRef delivery) {
  Lane* lane = lane_of(ref);
  TRIGGERD_ASSERT(lane != nullptr);
  lane->queue.push_front(delivery);
  wake(ref, *lane);
}

std::optional<DeliveryRef> Scheduler::take(WebhookRef ref) {
  Lane* lane = lane_of(ref);
  if (lane == nullptr || lane->queue.empty()) return std::nullopt;
  return lane->queue.pop_front();
}

// --- Starts -----------------------------------------------------------------------------------

bool Scheduler::may_start(const Lane& lane) const {
  return !lane.paused && !lane.resting && !lane.queue.empty() &&
         lane.in_flight < lane.in_flight_max;
}

void Scheduler::stop_resting(Lane& lane) {
  if (!lane.resting) return;
  lane.resting = false;
  delayed_.erase(lane.wake_position);
}

void Scheduler::wake(WebhookRef ref, Lane& lane) {
  if (lane.standing != LaneStanding::kIdle || !may_start(lane)) return;
  lane.standing = LaneStanding::kReady;
  ready_.push_back(ref);
}

void Scheduler::block(WebhookRef ref, Lane& lane) {
  lane.standing = LaneStanding::kBlocked;
  ++lane.blocked_ticket;
  hosts_[lane.host].blocked.push_back(BlockedLane{ref, lane.blocked_ticket});
}

std::optional<Grant> Scheduler::next(MonoTime now) {
  while (has_ready()) {
    const WebhookRef ref = ready_.front();
    ready_.pop_front();
    Lane* lane = lane_of(ref);
    if (lane == nullptr || lane->standing != LaneStanding::kReady) continue;  // closed meanwhile
    lane->standing = LaneStanding::kIdle;
    Host& host = hosts_[lane->host];
    const bool promoted = std::exchange(lane->promoted, false);
    if (promoted) --host.promoted;
    // Asked before the host is: who has no token does not stand in the host's row either.
    if (may_start(*lane) && lane->rate != nullptr) {
      const MonoTime token_at = lane->rate->bucket.next_token(lane->rate->limit);
      if (token_at > now) rest(ref, token_at);
    }
    if (!may_start(*lane)) {
      if (promoted) promote(lane->host);
      continue;
    }
    if (!promoted && (host.in_flight >= limits_.in_flight_per_host || host.promoted > 0 ||
                      !host.blocked.empty())) {
      block(ref, *lane);  // behind those of its host that wait already
      promote(lane->host);
      continue;
    }
    if (lane->rate != nullptr) {
      const bool has_token = !lane->rate->bucket.take(1, lane->rate->limit, now);
      TRIGGERD_ASSERT(has_token);
    }
    ++lane->in_flight;
    ++host.in_flight;
    ++in_flight_;
    const Grant grant{lane->queue.pop_front(), ref, lane->host};
    wake(ref, *lane);
    return grant;
  }
  return std::nullopt;
}

void Scheduler::release(const Grant& grant) {
  Host& host = hosts_[grant.host];
  Lane* lane = lane_of(grant.lane);
  TRIGGERD_ASSERT(lane != nullptr && lane->in_flight > 0 && host.in_flight > 0 && in_flight_ > 0);
  --lane->in_flight;
  --host.in_flight;
  --in_flight_;
  promote(grant.host);  // those who wait come before the lane that had the slot
  forget_if_unused(grant.host);
  wake(grant.lane, *lane);
}

void Scheduler::refund(const Grant& grant) {
  const Lane* lane = lane_of(grant.lane);
  if (lane == nullptr || lane->rate == nullptr) return;
  lane->rate->bucket.put_back(1, lane->rate->limit);
}

void Scheduler::promote(std::uint32_t host_number) {
  Host& host = hosts_[host_number];
  while (host.in_flight + host.promoted < limits_.in_flight_per_host && !host.blocked.empty()) {
    const BlockedLane entry = host.blocked.front();
    host.blocked.pop_front();
    Lane* lane = lane_of(entry.lane);
    if (lane == nullptr || lane->standing != LaneStanding::kBlocked ||
        lane->blocked_ticket != entry.ticket) {
      continue;
    }
    lane->standing = LaneStanding::kIdle;
    if (!may_start(*lane)) continue;
    lane->standing = LaneStanding::kReady;
    lane->promoted = true;
    ++host.promoted;
    ready_.push_back(entry.lane);
  }
}

// --- Hosts ------------------------------------------------------------------------------------

void Scheduler::leave_host(Lane& lane) {
  const std::uint32_t host_number = lane.host;
  Host& host = hosts_[host_number];
  --host.lanes;
  if (lane.standing == LaneStanding::kBlocked) {
    lane.standing = LaneStanding::kIdle;
    ++lane.blocked_ticket;
  }
  if (std::exchange(lane.promoted, false)) {
    --host.promoted;
    promote(host_number);
  }
  forget_if_unused(host_number);
}

std::uint32_t Scheduler::host_for(std::string_view origin) {
  const std::uint32_t number = origins_.intern(origin);
  if (number >= hosts_.size()) hosts_.resize(number + 1);
  ++hosts_[number].lanes;
  return number;
}

void Scheduler::forget_if_unused(std::uint32_t host_number) {
  Host& host = hosts_[host_number];
  if (host.lanes > 0 || host.in_flight > 0) return;
  TRIGGERD_ASSERT(host.promoted == 0);
  host = Host{};
  origins_.erase(host_number);
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
