// Which delivery next. Ready lanes in fair turn: a lane that started one goes behind all that are
// ready. Delayed deliveries by due time, equal ones in the order they came. A start takes a slot of
// its lane, of its destination host and of the whole, and a token of its lane's rate; nothing
// starts where one is missing. Lanes that wait for their host are served first come first served as
// its slots fall free; a lane without a token rests until it has one, and holds nobody up.
//
// Thread: the engine's. It starts nothing itself and reads no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/heap.h"
#include "engine/base/time.h"
#include "engine/core/interner.h"
#include "engine/core/lane.h"
#include "engine/core/rate_limit.h"
#include "engine/model/records.h"

namespace triggerd::core {

struct SchedulerLimits {
  std::uint32_t in_flight_per_lane = 0;
  std::uint32_t in_flight_per_host = 0;
  std::uint32_t in_flight = 0;
};

// Learns where a delayed delivery stands, so that undelay() finds it.
class DelayObserver {
 public:
  virtual ~DelayObserver() = default;
  // kNotInHeap when it has left. Must not call back.
  virtual void delayed_at(DeliveryRef delivery, base::HeapPosition position) = 0;
};

// What a webhook may ask for.
struct LaneSettings {
  std::optional<std::uint32_t> in_flight_max;  // absent: SchedulerLimits::in_flight_per_lane
  std::optional<RateLimit> rate;
};

// A delivery that may start now, with the slots it holds until release().
struct Grant {
  DeliveryRef delivery;
  model::WebhookRef lane;
  std::uint32_t host = 0;
};

class Scheduler {
 public:
  // `observer` outlives the scheduler. Requires: limits above 0.
  Scheduler(const SchedulerLimits& limits, DelayObserver& observer, std::uint64_t seed);

  // --- Lanes ----------------------------------------------------------------------------------
  [[nodiscard]] bool has_lane(model::WebhookRef ref) const { return lane_of(ref) != nullptr; }
  // `origin` names the destination host (model::TargetUrl::origin). Requires: no such lane.
  void open_lane(model::WebhookRef ref, std::string_view origin);
  // From the next start on. The tokens of a rate are kept when the rate changes, as far as they
  // fit. Requires: has_lane, in_flight_max above 0.
  void configure_lane(model::WebhookRef ref, const LaneSettings& settings, base::MonoTime now);
  // From the next start on; what is in flight counts for the old host. Requires: has_lane.
  void move_lane(model::WebhookRef ref, std::string_view origin);
  // Requires: has_lane. Repeating changes nothing.
  void pause(model::WebhookRef ref);
  void resume(model::WebhookRef ref);
  [[nodiscard]] bool is_paused(model::WebhookRef ref) const { return lane_of(ref)->paused; }
  // Holds it more slots than it may by now?
  [[nodiscard]] bool is_over_bound(model::WebhookRef ref) const {
    return lane_of(ref)->in_flight > lane_of(ref)->in_flight_max;
  }
  [[nodiscard]] bool is_rated(model::WebhookRef ref) const { return lane_of(ref)->rate != nullptr; }
  // Nothing starts in this lane until then, or sooner when it rests already. Requires: has_lane.
  void rest(model::WebhookRef ref, base::MonoTime until);
  // Requires: has_lane, nothing waiting, nothing in flight.
  void close_lane(model::WebhookRef ref);
  [[nodiscard]] bool is_idle(model::WebhookRef ref) const;  // nothing waiting, nothing in flight

  // --- Waiting deliveries. Requires: has_lane -------------------------------------------------
  void push_back(model::WebhookRef ref, DeliveryRef delivery);
  void push_front(model::WebhookRef ref, DeliveryRef delivery);
  // The first waiting, without a slot: to give it up.
  std::optional<DeliveryRef> take(model::WebhookRef ref);

  // --- Starts ---------------------------------------------------------------------------------
  std::optional<Grant> next(base::MonoTime now);
  void release(const Grant& grant);
  // Gives the token of a start that did not happen back to its lane. Beside release().
  void refund(const Grant& grant);
  // Does the lane go to another host than the one whose slot this is?
  [[nodiscard]] bool has_moved(const Grant& grant) const {
    return lane_of(grant.lane)->host != grant.host;
  }
  // May next() give something?
  [[nodiscard]] bool has_ready() const { return !ready_.empty() && in_flight_ < limits_.in_flight; }

  // --- Delays ---------------------------------------------------------------------------------
  void delay(DeliveryRef delivery, base::MonoTime due);
  // Requires: the position that the observer learnt last.
  void undelay(base::HeapPosition position) { delayed_.erase(position); }
  // The next delivery due, now or earlier. Wakes rested lanes on its way.
  std::optional<DeliveryRef> pop_due(base::MonoTime now);
  [[nodiscard]] std::optional<base::MonoTime> next_due() const;

  [[nodiscard]] std::uint32_t in_flight() const { return in_flight_; }

 private:
  struct BlockedLane {
    model::WebhookRef lane;
    std::uint32_t ticket = 0;
  };
  struct Host {
    std::uint32_t lanes = 0;
    std::uint32_t in_flight = 0;
    std::uint32_t promoted = 0;  // slots kept for lanes that waited and are ready now
    std::deque<BlockedLane> blocked;
  };
  struct OriginHash {
    std::uint64_t operator()(std::string_view origin) const {
      return std::hash<std::string_view>()(origin);
    }
  };
  struct OnMove {
    DelayObserver* observer;
    std::vector<std::unique_ptr<Lane>>* lanes;
    void operator()(const DeliveryRef& delivery, base::HeapPosition position) const;
  };

  [[nodiscard]] Lane* lane_of(model::WebhookRef ref) const {
    return ref.value() < lanes_.size() ? lanes_[ref.value()].get() : nullptr;
  }
  [[nodiscard]] bool may_start(const Lane& lane) const;
  void wake(model::WebhookRef ref, Lane& lane);
  void stop_resting(Lane& lane);
  void block(model::WebhookRef ref, Lane& lane);
  // Gives slots of the host that fell free to lanes that wait for it.
  void promote(std::uint32_t host_number);
  void leave_host(Lane& lane);
  [[nodiscard]] std::uint32_t host_for(std::string_view origin);
  void forget_if_unused(std::uint32_t host_number);

  SchedulerLimits limits_;
  std::vector<std::unique_ptr<Lane>> lanes_;  // by webhook
  std::deque<model::WebhookRef> ready_;
  Interner<std::string, std::string_view, OriginHash> origins_;
  std::vector<Host> hosts_;  // by number of the origin
  base::Heap<base::MonoTime, DeliveryRef, OnMove> delayed_;
  std::uint32_t in_flight_ = 0;
};

}  // namespace triggerd::core
