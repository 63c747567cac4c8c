// Deliveries: giving up the backlog of webhooks and triggers that are gone, a bounded piece a turn.
// Lanes are drained; what waits for a later time is found by a pass over all pending events.
#include <algorithm>

#include "engine/core/deliveries.h"

namespace triggerd::core {

using base::Now;
using model::DeliveryState;
using model::WebhookRef;

void Deliveries::request_sweep() {
  // Whatever is not delayed is asked for its fate before it starts, and when its outcome comes.
  if (counts_.delayed() > 0) sweep_wanted_ = true;
}

void Deliveries::drain_lanes(std::size_t& budget, Now now) {
  while (!draining_.empty() && budget > 0) {
    const WebhookRef ref = *draining_.begin();
    std::optional<DeliveryRef> waiting = scheduler_.take(ref);
    for (; waiting && budget > 0; waiting = scheduler_.take(ref)) {
      --budget;
      const Fate fate = fate_of(delivery_at(*waiting));
      if (fate.state == DeliveryState::kReady) break;  // enabled again meanwhile
      give_up(*waiting, fate, now);
    }
    if (waiting) {
      scheduler_.push_front(ref, *waiting, work_of(delivery_at(*waiting)));
      if (budget == 0) return;
    }
    draining_.erase(ref);
    close_if_over(ref);
  }
}

void Deliveries::close_if_over(WebhookRef ref) {
  if (registry_.peek(ref) != nullptr || !scheduler_.has_lane(ref) || !scheduler_.is_idle(ref)) {
    return;
  }
  scheduler_.close_lane(ref);
  draining_.erase(ref);
}

void Deliveries::sweep(std::size_t& budget, Now now) {
  if (sweep_at_ == kNoEvent && sweep_wanted_) {
    sweep_wanted_ = false;
    sweep_at_ = events_.first();
  }
  while (sweep_at_ != kNoEvent && budget > 0) {
    const PendingEvent& event = events_.at(sweep_at_);
    for (std::uint32_t match = 0; match < event.count; ++match) {
      const PendingDelivery& delivery = event.deliveries[match];
      if (delivery.place != DeliveryPlace::kDelayed) continue;
      const Fate fate = fate_of(delivery);
      if (fate.state == DeliveryState::kReady) continue;
      scheduler_.undelay(delivery.heap_position);
      give_up(DeliveryRef{sweep_at_, match}, fate, now);
    }
    budget -= std::min<std::size_t>(budget, event.count);
    sweep_at_ = event.after;
  }
}

}  // namespace triggerd::core
