// Deliveries: what is done by hand. One that waits is hurried or given up, one that is over is
// given again.
#include <algorithm>
#include <memory>
#include <utility>

#include "engine/base/assert.h"
#include "engine/core/deliveries.h"
#include "engine/model/limits.h"

namespace triggerd::core {

using base::Now;
using model::DeliveryState;
using model::EventSeq;
using model::WebhookRef;

namespace {

// The row of a delivery that is over, as it would stand if there were one: all of it are over.
model::PendingChunk row_of(const model::Event& stored, std::uint32_t match) {
  model::PendingChunk row;
  row.seq = stored.seq;
  row.chunk = static_cast<std::uint32_t>(match / model::kPendingChunkEntries);
  row.org = stored.org;
  row.event_id = stored.id;
  row.event_name = stored.name;
  row.matches_in_all = static_cast<std::uint32_t>(stored.matches.size());
  row.accepted_at = stored.accepted_at;
  row.ordering_key = stored.ordering_key;
  const std::size_t first = row.chunk * model::kPendingChunkEntries;
  const std::size_t last = std::min(stored.matches.size(), first + model::kPendingChunkEntries);
  for (std::size_t i = first; i < last; ++i) {
    row.entries.push_back({stored.matches[i].webhook, stored.matches[i].generation,
                           DeliveryState::kDelivered, 0, 0, model::WallTime()});
  }
  return row;
}

}  // namespace

std::optional<DeliveryRef> Deliveries::find_open(EventSeq seq, std::uint32_t match) {
  const std::uint32_t place = events_.find_from(seq);
  if (place == kNoEvent) return std::nullopt;
  const PendingEvent& event = events_.at(place);
  if (event.seq != seq || match >= event.count || model::is_final(event.deliveries[match].state)) {
    return std::nullopt;
  }
  return DeliveryRef{place, match};
}

bool Deliveries::hurry(DeliveryRef delivery, Now now) {
  now_ = now;
  PendingDelivery& hurried = delivery_at(delivery);
  if (hurried.place == DeliveryPlace::kParked && hurried.state == DeliveryState::kDelayed) {
    unpark(delivery);
  } else if (hurried.place == DeliveryPlace::kDelayed) {
    scheduler_.undelay(hurried.heap_position);
  } else {
    forget_if_over(delivery.event);
    return false;
  }
  const bool is_stored = hurried.state == DeliveryState::kDelayed;
  if (is_stored) {
    hurried.due = now.wall;
    mark_dirty(delivery);
  }
  ensure_lane(hurried.webhook, events_.at(delivery.event).org);
  move(delivery, DeliveryPlace::kLane);
  scheduler_.push_back(hurried.webhook, delivery, work_of(hurried));
  return is_stored;
}

bool Deliveries::skip(DeliveryRef delivery, Now now) {
  now_ = now;
  const PendingEvent& event = events_.at(delivery.event);
  const PendingDelivery& skipped = event.deliveries[delivery.match];
  switch (skipped.place) {
    case DeliveryPlace::kInFlight:
    case DeliveryPlace::kReading:
      return false;
    case DeliveryPlace::kDelayed:
      scheduler_.undelay(skipped.heap_position);
      break;
    case DeliveryPlace::kLane:
      scheduler_.remove(skipped.webhook, delivery);
      break;
    case DeliveryPlace::kParked:
      unpark(delivery);
      break;
    case DeliveryPlace::kInLine:
      lines_.remove(skipped.webhook, *event.ordering_key, delivery);
      break;
    case DeliveryPlace::kNowhere:
      TRIGGERD_ASSERT(skipped.place != DeliveryPlace::kNowhere);
  }
  const Fate fate{DeliveryState::kDead, "skipped by hand"};
  model::Outcome outcome;
  outcome.kind = model::OutcomeClass::kCancelled;
  outcome.detail = fate.detail;
  tell_of_dead_letter(delivery, outcome);
  give_up(delivery, fate, now);
  return true;
}

void Deliveries::reopen(const model::StoredDelivery& stored, Now now) {
  now_ = now;
  const model::Event& content = *stored.event;
  const std::uint32_t place =
      events_.bring_in(stored.row ? *stored.row : row_of(content, stored.match));
  PendingEvent& event = events_.at(place);
  if (event.content == nullptr) events_.keep(place, stored.event);
  PendingDelivery& reopened = event.deliveries[stored.match];
  TRIGGERD_ASSERT(model::is_final(reopened.state));
  reopened.webhook = content.matches[stored.match].webhook;
  reopened.generation = model::kNoTrigger;
  reopened.state = DeliveryState::kReady;
  reopened.due = model::WallTime();
  reopened.attempts = static_cast<std::uint8_t>(stored.attempts);
  reopened.attempts_before = reopened.attempts;
  reopened.keyed = false;
  ++event.open;
  event.batch = outbox_.batch();
  counts_.added(event.org, reopened.webhook, event.seq);
  outbox_.put(model::ReopenDelivery{reopened.webhook, event.seq, event.org});
  const DeliveryRef delivery{place, stored.match};
  mark_dirty(delivery);
  enter(delivery);
}

bool Deliveries::held_keys(WebhookRef ref, std::vector<model::HeldKey>& keys) const {
  std::vector<KeyLines::Held> found;
  bool is_whole = lines_.held(ref, model::kOrderingKeysLookedAtMax, found);
  const std::size_t shown = std::min(found.size(), model::kOrderingKeysShownMax);
  is_whole = is_whole && shown == found.size();
  const auto more = [this](const KeyLines::Held& left, const KeyLines::Held& right) {
    if (left.waiting != right.waiting) return left.waiting > right.waiting;
    return events_.at(left.head.event).seq < events_.at(right.head.event).seq;
  };
  std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(shown), found.end(),
                    more);
  found.resize(shown);
  for (const KeyLines::Held& held : found) {
    const PendingEvent& event = events_.at(held.head.event);
    const PendingDelivery& head = event.deliveries[held.head.match];
    model::HeldKey key{*event.ordering_key, event.id, event.name, event.accepted_at};
    key.attempts = head.attempts;
    if (head.place == DeliveryPlace::kDelayed && head.state == DeliveryState::kDelayed) {
      key.next_attempt = head.due;
    }
    key.waiting = held.waiting;
    keys.push_back(std::move(key));
  }
  return is_whole;
}

}  // namespace triggerd::core
