// Deliveries: backlogs bigger than memory. What does not fit waits in the store, and is read back
// in its turn.
//
// Webhooks with a backlog share `DeliveryOptions::resident` evenly. A lane that has its share of
// first attempts waiting parks what comes later, so that what is parked of it is always younger
// than what is not; so does one with its share of retries, in order of their due times. An event of
// which nothing else is open leaves the memory with its payload. When half of its share is gone, a
// lane reads the next ones back, a page at a time for many lanes together.
//
// With n backlogged webhooks the memory holds about resident * (1 + ln n) deliveries of narrow
// events at the worst, and kResidentPerWebhookMin of each at the least: nobody has to give back
// what was there before.
#include <algorithm>
#include <utility>
#include <variant>

#include "engine/base/assert.h"
#include "engine/core/deliveries.h"
#include "engine/model/limits.h"

namespace triggerd::core {

using base::Now;
using model::DeliveryState;
using model::EventSeq;
using model::ParkedKey;
using model::ParkedKind;
using model::ParkedLoaded;
using model::PendingChunk;
using model::ReadParked;
using model::WallTime;
using model::WebhookRef;

namespace {

const PendingChunk* find_row(const std::vector<PendingChunk>& rows, EventSeq seq,
                             std::uint32_t chunk) {
  const auto before = [](const PendingChunk& row, const std::pair<EventSeq, std::uint32_t>& key) {
    return std::pair(row.seq, row.chunk) < key;
  };
  const auto at = std::lower_bound(rows.begin(), rows.end(), std::pair(seq, chunk), before);
  const bool is_there = at != rows.end() && at->seq == seq && at->chunk == chunk;
  return is_there ? &*at : nullptr;
}

// What waits for a webhook that is gone or disabled is read back to be given up, without waiting
// for room or for its time.
bool is_given_up(const Registry& registry, WebhookRef ref) {
  const model::Webhook* webhook = registry.peek(ref);
  return webhook == nullptr || webhook->state == model::WebhookState::kDisabled;
}

// An event takes some 270 bytes and each of its deliveries 32, so that those of a wide event are
// cheaper by about so much.
std::size_t cheapness(std::uint32_t matches) {
  constexpr std::uint32_t counted_max = 16;
  return std::max<std::size_t>(std::min(matches, counted_max) / 2, 1);
}

}  // namespace

std::size_t Deliveries::share() const {
  const std::size_t lanes = std::max<std::size_t>(counts_.backlogged(), 1);
  return std::max<std::size_t>(options_.resident / lanes, model::kResidentPerWebhookMin);
}

bool Deliveries::has_room_in_line(WebhookRef ref) const {
  return counts_.places_of(ref).in_line < std::max<std::size_t>(share(), model::kResidentInLineMin);
}

// --- Into the store ---------------------------------------------------------------------------

// A new one, or one that failed and is delayed; its row is to be written by the caller. What a
// recovery finds in memory stays there: it did fit.
bool Deliveries::park_if_full(DeliveryRef delivery) {
  const PendingEvent& event = events_.at(delivery.event);
  const PendingDelivery& parked = event.deliveries[delivery.match];
  const WebhookRef ref = parked.webhook;
  if (parked.state == DeliveryState::kDelayed) {
    // The others of its key stand behind it: it stays.
    if (parked.keyed || wants_order(event, ref) || counts_.places_of(ref).delayed < share()) {
      return false;
    }
  } else {
    const bool has_room =
        scheduler_.waiting(ref, Work::kFresh) < share() * cheapness(event.count) &&
        (!wants_order(event, ref) || has_room_in_line(ref));
    // It must not overtake those that are parked.
    if (has_room && parking_.part(ref, ParkedKind::kFresh) == nullptr) return false;
  }
  const ParkedKey key = parked_key(ref, parked.state, parked.due, event.seq);
  move(delivery, DeliveryPlace::kParked);
  parking_.parked(key, event.accepted_at);
  outbox_.put(model::PutParked{key, delivery.match});
  if (key.kind == ParkedKind::kDelayed) wake_at(ref, key.due);
  --events_.at(delivery.event).open;
  forget_if_over(delivery.event);
  return true;
}

// Nothing of it is open: it goes with the end of the turn, when its rows are written.
void Deliveries::forget_if_over(std::uint32_t place) {
  PendingEvent& event = events_.at(place);
  if (event.open > 0 || event.is_leaving) return;
  event.is_leaving = true;
  events_.drop(place);
  finished_.push_back(place);
}

void Deliveries::wake_at(WebhookRef ref, WallTime due) {
  parking_.want_at(ref,
                   now_.mono + std::min<base::Duration>(due - now_.wall, model::kScheduleEntryMax));
}

// --- And back ---------------------------------------------------------------------------------

// How many of this kind are to be read back now.
std::uint32_t Deliveries::wanted_of(WebhookRef ref, ParkedKind kind) {
  const ParkedPart* part = parking_.part(ref, kind);
  if (part == nullptr) return 0;
  if (is_given_up(registry_, ref)) return model::kParkedPerLaneRead;
  if (kind == ParkedKind::kDelayed && part->from.due > now_.wall) {
    wake_at(ref, part->from.due);
    return 0;
  }
  const std::size_t room = share();
  const std::size_t waiting =
      scheduler_.waiting(ref, kind == ParkedKind::kFresh ? Work::kFresh : Work::kRetry);
  if (waiting > room / 2) return 0;
  if (kind == ParkedKind::kFresh && !has_room_in_line(ref)) return 0;
  return static_cast<std::uint32_t>(
      std::min<std::size_t>(room - waiting, model::kParkedPerLaneRead));
}

// When all that is known now is durable: the rows of the turn are written.
void Deliveries::ask_parked() {
  if (parking_.is_empty() || parking_.reading()) return;
  ReadParked read;
  std::uint32_t room = model::kParkedPerRead;
  while (read.lanes.size() < parking_.lanes_per_read() && room > 0) {
    const std::optional<WebhookRef> ref = parking_.take_wanted();
    if (!ref) break;
    for (const ParkedKind kind : {ParkedKind::kFresh, ParkedKind::kDelayed}) {
      const std::uint32_t wanted = std::min(wanted_of(*ref, kind), room);
      if (wanted == 0) continue;
      const WallTime until = is_given_up(registry_, *ref) ? WallTime::max() : now_.wall;
      read.lanes.push_back({parking_.part(*ref, kind)->from, until, wanted});
      room -= wanted;
    }
  }
  if (read.lanes.empty()) return;
  read.first_pending = *first_pending();
  Parking::Reading reading;
  reading.lanes = read.lanes;
  reading.watch = watch_.began();
  reading.id = outbox_.ask(outbox_.newest(), std::move(read));
  parking_.began(std::move(reading));
}

bool Deliveries::parked_loaded(model::ReadId id, const model::ReadAnswer& answer, Now now) {
  if (!parking_.reading() || parking_.reading()->id != id) return false;
  const auto* loaded = std::get_if<ParkedLoaded>(&answer);
  const Parking::Reading reading = parking_.ended(/*failed=*/loaded == nullptr);
  for (std::size_t i = 0; i < reading.lanes.size(); ++i) {
    const WebhookRef ref = reading.lanes[i].from.webhook;
    if (loaded == nullptr || i >= loaded->lanes.size()) {
      parking_.want_at(ref, now.mono + model::kReadRetryDelay);
      continue;
    }
    take_parked(*loaded, i, reading.watch);
    parking_.want(ref);
  }
  watch_.ended(reading.watch);
  if (loaded == nullptr) return true;
  if (loaded->first_pending) parking_.advance(*loaded->first_pending);
  for (const model::EventPtr& content : loaded->events) {
    const std::uint32_t place = events_.find_from(content->seq);
    if (place == kNoEvent) continue;
    const PendingEvent& event = events_.at(place);
    if (event.seq == content->seq && event.open > 0 && event.content == nullptr) {
      events_.keep(place, content);
    }
  }
  return true;
}

void Deliveries::take_parked(const ParkedLoaded& read, std::size_t lane, std::uint64_t watch) {
  std::optional<ParkedKey> next = read.lanes[lane].next;
  std::optional<WallTime> accepted_at;
  for (const ParkedLoaded::Delivery& found : read.lanes[lane].deliveries) {
    const EventSeq seq = found.key.seq;
    std::optional<DeliveryRef> delivery = find_open(seq, found.match);
    if (!events_.is_known(seq, found.match)) {
      const auto chunk = static_cast<std::uint32_t>(found.match / model::kPendingChunkEntries);
      const PendingChunk* row = find_row(read.chunks, seq, chunk);
      if (row == nullptr || watch_.is_over_since(watch, seq, kWholeEvent)) {
        // The row is another one by now. Those behind it must not go first.
        next = found.key;
        break;
      }
      delivery = DeliveryRef{events_.bring_in(*row), found.match};
    }
    if (!delivery || delivery_at(*delivery).place != DeliveryPlace::kParked) {
      if (delivery) forget_if_over(delivery->event);
      continue;  // somebody was faster
    }
    accepted_at = events_.at(delivery->event).accepted_at;
    unpark(*delivery);
    const Fate fate = fate_of(delivery_at(*delivery));
    if (fate.state != DeliveryState::kReady) {
      give_up(*delivery, fate, now_);
    } else {
      enter(*delivery);
    }
  }
  if (next) parking_.advance(*next, accepted_at);
}

// It is to be placed by the caller.
void Deliveries::unpark(DeliveryRef delivery) {
  PendingEvent& event = events_.at(delivery.event);
  const PendingDelivery& unparked = event.deliveries[delivery.match];
  TRIGGERD_ASSERT(unparked.place == DeliveryPlace::kParked);
  const ParkedKey key = parked_key(unparked.webhook, unparked.state, unparked.due, event.seq);
  parking_.unparked(key);
  outbox_.put(model::EraseParked{key});
  move(delivery, DeliveryPlace::kNowhere);
  ++event.open;
  mark_dirty(delivery);
}

// --- One by hand ------------------------------------------------------------------------------

bool Deliveries::is_stale(std::uint64_t watch, const model::StoredDelivery& stored) {
  const EventSeq seq = stored.event->seq;
  return !events_.is_known(seq, stored.match) && watch_.is_over_since(watch, seq, kWholeEvent);
}

std::optional<DeliveryRef> Deliveries::bring_in_parked(const model::StoredDelivery& stored) {
  if (!stored.row) return std::nullopt;
  const std::size_t at = stored.match % model::kPendingChunkEntries;
  if (at >= stored.row->entries.size() || !stored.row->entries[at].parked) return std::nullopt;
  if (events_.is_known(stored.event->seq, stored.match)) return std::nullopt;
  return DeliveryRef{events_.bring_in(*stored.row), stored.match};
}

}  // namespace triggerd::core
