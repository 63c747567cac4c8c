// Every delivery from acceptance to its end: what waits, what starts, what an outcome leads to,
// what is given up. Owns the pending events and the scheduler.
//
// A delivery has a stored state (PendingDelivery::state, attempts, due) and a place in memory. The
// stored state changes only together with a mutation, so that an engine rebuilt from the store
// agrees with this one. A delivery that is due again is in its lane, and still kDelayed in the
// store: writing that down would gain nothing.
//
// Thread: the engine's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/base/random.h"
#include "engine/base/time.h"
#include "engine/core/delivery_parts.h"
#include "engine/core/key_lines.h"
#include "engine/core/mending_watch.h"
#include "engine/core/outbox.h"
#include "engine/core/parking.h"
#include "engine/core/pending_counters.h"
#include "engine/core/pending_events.h"
#include "engine/core/publish_waits.h"
#include "engine/core/registry.h"
#include "engine/core/webhook_health.h"
#include "engine/model/output.h"

namespace triggerd::core {

class Deliveries final : private DelayObserver {
 public:
  // All arguments outlive this.
  Deliveries(DeliveryOptions options, Registry& registry, Outbox& outbox, PublishWaits& waits,
             base::Random& random);

  // --- Recovery: load() in order of (seq, chunk), then recovered() ----------------------------
  void load(const model::PendingChunk& chunk);
  void recovered(base::Now now);

  // --- Inputs ---------------------------------------------------------------------------------
  // A new event, put into the batch being collected; its matches become deliveries, stored as
  // pending rows. Requires: seq above all before.
  void accept(const model::EventPtr& event);
  void finish(model::AttemptId id, const model::Outcome& outcome, base::Now now);
  // False when this read was not asked for here.
  bool loaded(model::ReadId id, const model::ReadAnswer& answer, base::Now now);
  // Starts what may start, within the bounds of a turn. Ends every input.
  void advance(base::Now now);

  // The webhook is another one than `before`: URL, state, settings.
  void webhook_changed(const model::Webhook& before, base::Now now);
  void webhook_erased(model::WebhookRef ref);  // it is not there any more
  // A trigger is not there any more: its deliveries are found and cancelled by and by.
  void trigger_removed() { request_sweep(); }
  void use_targets(model::TargetPolicy targets) { options_.targets = std::move(targets); }

  // --- By hand (delivery_mend.cc) -------------------------------------------------------------
  // The delivery while it is not over.
  [[nodiscard]] std::optional<DeliveryRef> find_open(model::EventSeq seq, std::uint32_t match);
  [[nodiscard]] const PendingDelivery& look_at(DeliveryRef delivery) const {
    return events_.at(delivery.event).deliveries[delivery.match];
  }
  // One that waits for a later time is due now. False: nothing is to be stored. Requires: not over.
  bool hurry(DeliveryRef delivery, base::Now now);
  // Gives it up. False while an attempt is under way. Requires: not over.
  bool skip(DeliveryRef delivery, base::Now now);
  // Gives one again that is over, as `stored` has it. Requires: find_open() has nothing.
  void reopen(const model::StoredDelivery& stored, base::Now now);
  // For who reads what is over, to give it again. is_stale: its row has changed since it was read.
  [[nodiscard]] MendingWatch& watch() { return watch_; }
  [[nodiscard]] bool is_stale(std::uint64_t read, const model::StoredDelivery& stored);
  // The delivery, if it is parked. Requires: not is_stale, find_open() has nothing.
  std::optional<DeliveryRef> bring_in_parked(const model::StoredDelivery& stored);

  // Writes the rows that changed, and asks for parked deliveries. Before the batch is taken.
  void write_rows();

  // --- To look at -----------------------------------------------------------------------------
  [[nodiscard]] std::optional<base::MonoTime> next_deadline() const;
  [[nodiscard]] const PendingCounters& counts() const { return counts_; }
  [[nodiscard]] std::uint64_t in_flight() const { return attempts_.size(); }
  [[nodiscard]] const Parking& parking() const { return parking_; }
  [[nodiscard]] std::optional<model::WallTime> oldest_of(const model::OrgId& org);
  // Paused, or its receiver is left alone for a while.
  [[nodiscard]] bool is_held_back(model::WebhookRef ref) const {
    return scheduler_.has_lane(ref) && scheduler_.is_held_back(ref);
  }
  // Those that others of their key wait behind, most first. False: there are more.
  bool held_keys(model::WebhookRef ref, std::vector<model::HeldKey>& keys) const;
  [[nodiscard]] std::size_t payload_bytes() const { return events_.payload_bytes(); }
  // The lowest sequence with a pending row; nothing when there is none. After write_rows().
  [[nodiscard]] std::optional<model::EventSeq> first_pending() const;
  [[nodiscard]] std::optional<base::WallTime> oldest_pending() const;  // its acceptance
  [[nodiscard]] const BreakerCounts& breakers() const { return scheduler_.breakers(); }
  // Appends one line for each delivery not final, in order of (seq, match).
  void append_durable_state(std::string& out) const;

 private:
  void delayed_at(DeliveryRef delivery, base::HeapPosition position) override;

  // deliveries.cc
  [[nodiscard]] PendingDelivery& delivery_at(DeliveryRef delivery) {
    return events_.at(delivery.event).deliveries[delivery.match];
  }
  [[nodiscard]] Fate fate_of(const PendingDelivery& delivery) const;
  [[nodiscard]] std::string origin_of(model::WebhookRef ref) const;
  void ensure_lane(model::WebhookRef ref, const model::OrgId& org);
  void configure_lane(const model::Webhook& webhook);
  void move(DeliveryRef delivery, DeliveryPlace to);
  void mark_dirty(DeliveryRef delivery);
  void disable(const model::Webhook& webhook, model::DisabledReason reason, base::Now now);
  void replace(model::Webhook changed);

  // delivery_order.cc
  [[nodiscard]] bool wants_order(const PendingEvent& event, model::WebhookRef ref) const;
  void enter(DeliveryRef delivery);
  void place_head(DeliveryRef delivery);
  void place_next(DeliveryRef delivery);
  void follow(DeliveryRef over);
  void release_lines(std::size_t& budget);

  // delivery_start.cc
  void begin(Grant grant, base::Now now);
  void read_payload(const Grant& grant);
  void start(const Grant& grant, base::Now now);
  void give_back(const Grant& grant);
  void give_up_start(const Grant& grant, const Fate& fate, base::Now now);
  void payload_late(const Grant& grant, base::Now now);
  void promote_due(base::Now now);

  // delivery_outcome.cc
  void conclude(DeliveryRef delivery, model::DeliveryState state, std::uint16_t number,
                model::Outcome outcome);
  void give_up(DeliveryRef delivery, const Fate& fate, base::Now now);
  [[nodiscard]] RetryDecision decide(const Attempt& attempt, const model::Outcome& outcome);
  void note_health(const Attempt& attempt, RetryVerdict verdict, base::Now now);
  void log(DeliveryRef delivery, std::uint16_t number, model::Outcome outcome);
  void retry_later(DeliveryRef delivery, const model::Outcome& outcome, base::Duration delay,
                   base::Now now);
  void tell_of_breaker(const Grant& grant, BreakerChange change);
  void tell_of_dead_letter(DeliveryRef delivery, const model::Outcome& outcome);
  void step_back(const Grant& grant, const model::Outcome& outcome, base::Duration delay,
                 base::Now now);

  // delivery_sweep.cc
  void request_sweep();
  void drain_lanes(std::size_t& budget, base::Now now);
  void close_if_over(model::WebhookRef ref);
  void sweep(std::size_t& budget, base::Now now);

  // delivery_rows.cc
  void write_row(const DirtyRow& row);

  // delivery_parking.cc
  [[nodiscard]] std::size_t share() const;
  [[nodiscard]] bool has_room_in_line(model::WebhookRef ref) const;
  [[nodiscard]] bool park_if_full(DeliveryRef delivery);
  void forget_if_over(std::uint32_t place);
  void wake_at(model::WebhookRef ref, model::WallTime due);
  [[nodiscard]] std::uint32_t wanted_of(model::WebhookRef ref, model::ParkedKind kind);
  void ask_parked();
  bool parked_loaded(model::ReadId id, const model::ReadAnswer& answer, base::Now now);
  void take_parked(const model::ParkedLoaded& read, std::size_t lane, std::uint64_t watch);
  void unpark(DeliveryRef delivery);

  DeliveryOptions options_;
  Registry& registry_;
  Outbox& outbox_;
  PublishWaits& waits_;
  base::Random& random_;
  PendingEvents events_;
  Scheduler scheduler_;
  KeyLines lines_;
  WebhookHealth health_;

  std::unordered_map<model::AttemptId, Attempt> attempts_;  // never iterated
  std::unordered_map<model::ReadId, PayloadRead> reads_;    // never iterated
  PendingCounters counts_;
  std::uint64_t last_attempt_ = 0;
  MendingWatch watch_;
  Parking parking_;

  std::vector<DirtyRow> dirty_;
  std::vector<std::uint32_t> finished_;  // events to forget once their rows are erased

  std::set<model::WebhookRef> draining_;   // their lanes are given up: gone or disabled
  std::set<model::WebhookRef> releasing_;  // want no order any more, with deliveries in line
  std::uint32_t sweep_at_ = kNoEvent;      // of a pass in search of delayed ones to give up
  bool sweep_wanted_ = false;
  base::Now now_;  // of the input that is handled, or was last
};

}  // namespace triggerd::core
