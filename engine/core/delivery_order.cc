// Deliveries: those of one ordering key one at a time, in order of acceptance.
//
// A delivery with an ordering key, for a webhook that wants order, enters the line of its key
// (core/key_lines) when its event is accepted, and again at recovery and when it is read back; only
// the head of a line has a place in a lane. What was accepted before a webhook wanted order stays
// unordered until then.
#include <algorithm>

#include "engine/base/assert.h"
#include "engine/core/deliveries.h"
#include "engine/model/limits.h"

namespace triggerd::core {

using base::Duration;
using model::DeliveryState;
using model::Webhook;
using model::WebhookRef;

namespace {

// A stored due time further away than any schedule comes from a clock that jumped.
constexpr Duration kDueAtMost = model::kScheduleEntryMax;

}  // namespace

bool Deliveries::wants_order(const PendingEvent& event, WebhookRef ref) const {
  if (event.ordering_key == nullptr) return false;
  const Webhook* webhook = registry_.peek(ref);
  return webhook != nullptr && model::ordering_of(webhook->delivery) == model::Ordering::kKey;
}

// The delivery is pending, and has no place yet. Requires: called in order of acceptance.
void Deliveries::enter(DeliveryRef delivery) {
  const PendingEvent& event = events_.at(delivery.event);
  PendingDelivery& entered = event.deliveries[delivery.match];
  entered.keyed = wants_order(event, entered.webhook);
  if (entered.keyed && !lines_.enter(entered.webhook, *event.ordering_key, delivery)) {
    return move(delivery, DeliveryPlace::kInLine);
  }
  place_head(delivery);
}

// To where its stored state belongs.
void Deliveries::place_head(DeliveryRef delivery) {
  const PendingDelivery& placed = delivery_at(delivery);
  const Duration left = placed.due - now_.wall;
  if (placed.state == DeliveryState::kDelayed && left > Duration(0)) {
    move(delivery, DeliveryPlace::kDelayed);
    scheduler_.delay(delivery, now_.mono + std::min(left, kDueAtMost));
    return;
  }
  ensure_lane(placed.webhook, events_.at(delivery.event).org);
  move(delivery, DeliveryPlace::kLane);
  scheduler_.push_back(placed.webhook, delivery, work_of(placed));
}

// Whatever became of it, the next of its key may go.
void Deliveries::follow(DeliveryRef over) {
  const PendingEvent& event = events_.at(over.event);
  const PendingDelivery& delivery = event.deliveries[over.match];
  if (!delivery.keyed) return;
  const auto next = lines_.leave(delivery.webhook, *event.ordering_key, over);
  if (next) place_next(*next);
}

void Deliveries::place_next(DeliveryRef delivery) {
  place_head(delivery);
  // Its lane was drained before it came.
  const WebhookRef ref = delivery_at(delivery).webhook;
  const Webhook* webhook = registry_.peek(ref);
  if (webhook == nullptr || webhook->state == model::WebhookState::kDisabled) {
    draining_.insert(ref);
    request_sweep();
  }
}

void Deliveries::release_lines(std::size_t& budget) {
  while (!releasing_.empty() && budget > 0) {
    const WebhookRef ref = *releasing_.begin();
    std::optional<DeliveryRef> released = lines_.release(ref);
    for (; released; released = lines_.release(ref)) {
      delivery_at(*released).keyed = false;
      place_next(*released);
      if (--budget == 0) return;
    }
    releasing_.erase(ref);
  }
}

}  // namespace triggerd::core
