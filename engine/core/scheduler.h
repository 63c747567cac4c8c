// Which delivery next. Organizations take turns, and the ready lanes of one take turns: a lane that
// started one goes behind all of its organization that are ready. Delayed deliveries by due time,
// equal ones in the order they came. A start takes a slot of its lane, of its destination host and
// of the whole, and a token of its lane's rate; nothing starts where one is missing. Lanes that
// wait for their host are served in the same two turns as its slots fall free; a lane without a
// token rests until it has one, and holds nobody up.
//
// Retries take turns of their own, and no more than their share (core/retry_budget) while fresh
// work is ready; when there is none they flow. In a lane that has both, a retry goes after so many
// first attempts at the latest, so that neither waits for ever.
//
// How many calls a lane has at once follows how its receiver fares (core/concurrency_limit), up to
// its own bound; a receiver that only fails is left alone for a while (core/circuit_breaker), and
// so is one that asked for it by Retry-After. Meanwhile all of the lane waits: no attempt is spent.
// Thread: the engine's. It starts nothing itself and reads no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/heap.h"
#include "engine/base/random.h"
#include "engine/base/time.h"
#include "engine/core/fair_turns.h"
#include "engine/core/grant.h"
#include "engine/core/interner.h"
#include "engine/core/isolation.h"
#include "engine/core/lane.h"
#include "engine/core/rate_limit.h"
#include "engine/core/retry_budget.h"
#include "engine/model/records.h"

namespace triggerd::core {

struct SchedulerLimits {
  std::uint32_t in_flight_per_lane = 0;
  std::uint32_t in_flight_per_host = 0;
  std::uint32_t in_flight = 0;
  IsolationOptions isolation{};
};

// What became of the breaker of a lane.
enum class BreakerChange : std::uint8_t { kNone, kOpened, kClosed };

class Scheduler {
 public:
  // `observer` outlives the scheduler. `seed`: of hash tables and of the breakers' jitter.
  // Requires: limits above 0.
  Scheduler(const SchedulerLimits& limits, DelayObserver& observer, std::uint64_t seed);

  // --- Lanes ----------------------------------------------------------------------------------
  [[nodiscard]] bool has_lane(model::WebhookRef ref) const { return lane_of(ref) != nullptr; }
  // `origin` names the destination host (model::TargetUrl::origin). Requires: no such lane.
  void open_lane(model::WebhookRef ref, std::string_view origin, const model::OrgId& org = {});
  // From the next start on. The tokens of a rate are kept when the rate changes, as far as they
  // fit. Requires: has_lane, in_flight_max above 0.
  void configure_lane(model::WebhookRef ref, const LaneSettings& settings, base::MonoTime now);
  // From the next start on; what is in flight counts for the old host. Requires: has_lane.
  void move_lane(model::WebhookRef ref, std::string_view origin);
  // Its receiver is another one now, or has been repaired: what was learnt is forgotten.
  // Requires: has_lane.
  void renew_lane(model::WebhookRef ref);
  // Requires: has_lane. Repeating changes nothing.
  void pause(model::WebhookRef ref);
  void resume(model::WebhookRef ref);
  // Nothing starts in this lane until then, or sooner when it rests already. Requires: has_lane.
  void rest(model::WebhookRef ref, base::MonoTime until);
  // Requires: has_lane, nothing waiting, nothing in flight.
  void close_lane(model::WebhookRef ref);
  [[nodiscard]] bool is_idle(model::WebhookRef ref) const;  // nothing waiting, nothing in flight
  // None where there is no lane.
  [[nodiscard]] std::size_t waiting(model::WebhookRef ref, Work work) const;

  // --- Waiting deliveries. Requires: has_lane -------------------------------------------------
  void push_back(model::WebhookRef ref, DeliveryRef delivery, Work work = Work::kFresh);
  void push_front(model::WebhookRef ref, DeliveryRef delivery, Work work = Work::kFresh);
  // The first waiting, without a slot: to give it up.
  std::optional<DeliveryRef> take(model::WebhookRef ref);
  // This one, likewise. Requires: it waits there. Looks at those before it.
  void remove(model::WebhookRef ref, DeliveryRef delivery);

  // --- Starts ---------------------------------------------------------------------------------
  std::optional<Grant> next(base::MonoTime now);
  // May what was granted begin now: is the lane at that host still, not paused, within its bound,
  // not left alone? If so, what it tells will be about the receiver as it is now.
  [[nodiscard]] bool may_begin(Grant& grant) const;
  // It is over, or did not happen.
  void release(const Grant& grant) { release(grant, CallReport(), base::MonoTime()); }
  BreakerChange release(const Grant& grant, const CallReport& report, base::MonoTime now);
  // Gives the token of a start that did not happen back to its lane. Beside release().
  void refund(const Grant& grant);
  // Takes it again: true when its lane has one, or needs none.
  [[nodiscard]] bool take_token(const Grant& grant, base::MonoTime now);
  // May next() give something?
  [[nodiscard]] bool has_ready() const {
    return (!ring_.empty() || !retry_ring_.empty()) && in_flight_ < limits_.in_flight;
  }

  // --- Delays ---------------------------------------------------------------------------------
  void delay(DeliveryRef delivery, base::MonoTime due);
  // Requires: the position that the observer learnt last.
  void undelay(base::HeapPosition position) { delayed_.erase(position); }
  // The next delivery due, now or earlier. Wakes rested lanes on its way.
  std::optional<DeliveryRef> pop_due(base::MonoTime now);
  [[nodiscard]] std::optional<base::MonoTime> next_due() const;

  [[nodiscard]] std::uint32_t in_flight() const { return in_flight_; }
  // Paused, or left alone by its breaker. Requires: has_lane.
  [[nodiscard]] bool is_held_back(model::WebhookRef ref) const {
    const Lane& lane = *lane_of(ref);
    return lane.paused || lane.breaker.state() != CircuitBreaker::State::kClosed;
  }
  [[nodiscard]] const BreakerCounts& breakers() const { return breakers_; }
  // How many calls it may have at once now. Requires: has_lane.
  [[nodiscard]] std::uint32_t bound_of(model::WebhookRef ref) const {
    return bound_of(*lane_of(ref));
  }

 private:
  struct Host {
    std::uint32_t lanes = 0;
    std::uint32_t in_flight = 0;
    std::uint32_t promoted = 0;  // slots kept for lanes that waited and are ready now
    TurnRing blocked;            // seats
  };
  struct StringHash {
    std::uint64_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  struct OrgHash {
    std::uint64_t operator()(const model::OrgId& org) const {
      return std::hash<model::OrgId>()(org);
    }
  };
  struct NumberHash {
    std::uint64_t operator()(std::uint64_t number) const { return number; }
  };
  struct OnMove {
    DelayObserver* observer;
    std::vector<std::unique_ptr<Lane>>* lanes;
    void operator()(const DeliveryRef& delivery, base::HeapPosition position) const;
  };

  // scheduler.cc
  [[nodiscard]] Lane* lane_of(model::WebhookRef ref) const {
    return ref.value() < lanes_.size() ? lanes_[ref.value()].get() : nullptr;
  }
  [[nodiscard]] std::uint32_t bound_of(const Lane& lane) const {
    return limits_.isolation.in_flight_start == 0 ? lane.in_flight_max
                                                  : lane.limit.value(lane.in_flight_max);
  }
  [[nodiscard]] bool may_start(const Lane& lane) const;
  void wake(model::WebhookRef ref, Lane& lane);
  void stop_resting(Lane& lane);
  // False when it need not rest: it has a token, and its breaker lets it start.
  bool put_to_rest(model::WebhookRef ref, const Lane& lane, base::MonoTime now);
  [[nodiscard]] static std::optional<Work> choose(const Lane& lane, Work turn);
  std::optional<Grant> try_start(model::WebhookRef ref, Work turn, base::MonoTime now);
  Grant start(model::WebhookRef ref, Lane& lane, Work work, base::MonoTime now);
  void learn(Lane& lane, const Grant& grant, const CallReport& report, base::MonoTime now);

  // scheduler_hosts.cc
  void block(model::WebhookRef ref, Lane& lane);
  // Gives slots of the host that fell free to lanes that wait for it.
  void promote(std::uint32_t host_number);
  void join_host(Lane& lane, std::string_view origin);
  void leave_host(model::WebhookRef ref, Lane& lane);
  void forget_if_unused(std::uint32_t host_number);

  SchedulerLimits limits_;
  base::SeededRandom random_;                 // jitter of breakers
  std::vector<std::unique_ptr<Lane>> lanes_;  // by webhook
  RetryBudget budget_;
  // Groups are organizations, members lanes: with fresh work or a slot kept; with retries.
  FairTurns turns_;
  FairTurns retry_turns_;
  TurnRing ring_;
  TurnRing retry_ring_;
  Interner<model::OrgId, model::OrgId, OrgHash> organizations_;
  std::vector<std::uint32_t> organization_lanes_;  // by number
  // Groups are seats: an organization at a host. Members are lanes that wait for the host.
  FairTurns host_turns_;
  Interner<std::uint64_t, std::uint64_t, NumberHash> seats_;
  std::vector<std::uint32_t> seat_lanes_;  // by number
  Interner<std::string, std::string_view, StringHash> origins_;
  std::vector<Host> hosts_;  // by number of the origin
  base::Heap<base::MonoTime, DeliveryRef, OnMove> delayed_;
  std::uint32_t in_flight_ = 0;
  BreakerCounts breakers_;  // of all lanes
};

}  // namespace triggerd::core
