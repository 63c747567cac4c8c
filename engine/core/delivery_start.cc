// Deliveries: from the lane to the wire, by way of the payload.
#include <utility>
#include <variant>

#include "engine/core/deliveries.h"
#include "engine/model/limits.h"

namespace triggerd::core {

using base::Now;
using model::AttemptId;
using model::DeliveryState;
using model::EventLoaded;
using model::ReadId;
using model::WebhookPtr;

void Deliveries::advance(Now now) {
  now_ = now;
  parking_.wake(now.mono);
  promote_due(now);
  std::size_t swept = model::kSweptPerTurn;
  release_lines(swept);
  drain_lanes(swept, now);
  sweep(swept, now);
  for (std::size_t i = 0; i < model::kStartsPerTurn; ++i) {
    const std::optional<Grant> grant = scheduler_.next(now.mono);
    if (!grant) break;
    begin(*grant, now);
  }
  events_.trim();
}

void Deliveries::promote_due(Now now) {
  for (std::size_t i = 0; i < model::kDuePerTurn; ++i) {
    const std::optional<DeliveryRef> due = scheduler_.pop_due(now.mono);
    if (!due) return;
    const PendingDelivery& delivery = delivery_at(*due);
    const Fate fate = fate_of(delivery);
    if (fate.state != DeliveryState::kReady) {
      give_up(*due, fate, now);
      continue;
    }
    ensure_lane(delivery.webhook, events_.at(due->event).org);
    move(*due, DeliveryPlace::kLane);
    scheduler_.push_back(delivery.webhook, *due, work_of(delivery));
  }
}

void Deliveries::begin(Grant grant, Now now) {
  const Fate fate = fate_of(delivery_at(grant.delivery));
  if (fate.state != DeliveryState::kReady) {
    scheduler_.refund(grant);
    return give_up_start(grant, fate, now);
  }
  if (!scheduler_.may_begin(grant)) {
    scheduler_.refund(grant);
    return give_back(grant);
  }
  if (events_.at(grant.delivery.event).content == nullptr) {
    read_payload(grant);
  } else {
    start(grant, now);
  }
}

void Deliveries::start(const Grant& grant, Now) {
  const PendingEvent& event = events_.at(grant.delivery.event);
  const PendingDelivery& delivery = event.deliveries[grant.delivery.match];
  WebhookPtr webhook = registry_.webhook(delivery.webhook);
  move(grant.delivery, DeliveryPlace::kInFlight);
  const AttemptId id(++last_attempt_);
  model::StartAttempt effect;
  effect.id = id;
  effect.webhook = webhook;
  effect.event = event.content;
  effect.number = static_cast<std::uint16_t>(delivery.attempts + 1);
  effect.timeout =
      webhook->timeout > base::Duration(0) ? webhook->timeout : model::kEventTimeoutDefault;
  effect.destination = grant.host;
  outbox_.emit(event.batch, std::move(effect));
  attempts_.emplace(id, Attempt{grant, std::move(webhook)});
}

// --- Payloads gone cold -----------------------------------------------------------------------

void Deliveries::read_payload(const Grant& grant) {
  PendingEvent& event = events_.at(grant.delivery.event);
  move(grant.delivery, DeliveryPlace::kReading);
  // It starts later: with the token of then.
  scheduler_.refund(grant);
  if (event.reading == ReadId(0)) {
    event.reading = outbox_.ask(event.batch, model::ReadEvent{event.seq});
    reads_.emplace(event.reading, PayloadRead{grant.delivery.event, {}});
  }
  reads_.at(event.reading).waiting.push_back(grant);
}

bool Deliveries::loaded(ReadId id, const model::ReadAnswer& answer, Now now) {
  now_ = now;
  const auto at = reads_.find(id);
  if (at == reads_.end()) return parked_loaded(id, answer, now);
  const PayloadRead read = std::move(at->second);
  reads_.erase(at);
  PendingEvent& event = events_.at(read.event);
  event.reading = ReadId(0);
  const auto* loaded = std::get_if<EventLoaded>(&answer);
  const bool is_there =
      loaded != nullptr && loaded->event != nullptr && loaded->event->seq == event.seq;
  // One of its deliveries may have been given again meanwhile, and brought the payload along.
  if (is_there && event.content == nullptr) events_.keep(read.event, loaded->event);
  if (event.content != nullptr) {
    event.read_retries = 0;
    for (const Grant& grant : read.waiting) {
      const Fate fate = fate_of(delivery_at(grant.delivery));
      if (fate.state != DeliveryState::kReady) {
        // Its lane was drained meanwhile: nobody would look for it there.
        give_up_start(grant, fate, now);
      } else if (scheduler_.take_token(grant, now.mono)) {
        begin(grant, now);
      } else {
        give_back(grant);
      }
    }
    return true;
  }
  // What this process itself accepted is there, if not yet for the reader: doubt the answer first.
  const bool lost = loaded != nullptr && (event.batch == model::BatchSeq(0) ||
                                          ++event.read_retries > model::kReadRetriesMax);
  for (const Grant& grant : read.waiting) {
    if (lost) {
      give_up_start(grant, Fate{DeliveryState::kDead, "content lost"}, now);
    } else {
      payload_late(grant, now);
    }
  }
  return true;
}

void Deliveries::give_up_start(const Grant& grant, const Fate& fate, Now now) {
  scheduler_.release(grant);
  give_up(grant.delivery, fate, now);
  close_if_over(grant.lane);
}

// While the payload was read, the webhook was paused, or given a lower bound, or moved to another
// host (the slot is one of the old one), or its receiver failed; or it wants a token before it
// starts.
void Deliveries::give_back(const Grant& grant) {
  scheduler_.release(grant);
  move(grant.delivery, DeliveryPlace::kLane);
  scheduler_.push_front(grant.lane, grant.delivery, grant.work);
}

void Deliveries::payload_late(const Grant& grant, Now now) {
  scheduler_.release(grant);
  // Only in memory: in the store it is as ready as it was.
  move(grant.delivery, DeliveryPlace::kDelayed);
  scheduler_.delay(grant.delivery, now.mono + model::kReadRetryDelay);
}

}  // namespace triggerd::core
