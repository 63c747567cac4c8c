#include "engine/core/pending_events.h"

#include <iterator>
#include <utility>

#include "engine/base/assert.h"
#include "engine/model/limits.h"

namespace triggerd::core {

namespace {

// How many payloads in use trim() passes over before it gives up for now.
constexpr int kPassedOverMax = 16;
constexpr std::uint32_t kStepsBetweenMarks = 64;

std::size_t bytes_of(const model::Event& event) {
  return sizeof(model::Event) + event.content.capacity() + event.name.capacity() +
         event.ordering_key.capacity() + event.traceparent.capacity() + event.source.capacity() +
         event.subject.capacity() + event.matches.capacity() * sizeof(model::Match);
}

}  // namespace

void fill(PendingEvent& event, const model::PendingChunk& row) {
  const std::size_t first = row.chunk * model::kPendingChunkEntries;
  TRIGGERD_ASSERT(first + row.entries.size() <= event.count);
  for (std::size_t i = 0; i < row.entries.size(); ++i) {
    const model::PendingEntry& entry = row.entries[i];
    PendingDelivery& delivery = event.deliveries[first + i];
    if (delivery.known) return;
    delivery.known = true;
    delivery.webhook = entry.webhook;
    delivery.generation = entry.generation;
    delivery.state = entry.state;
    delivery.attempts = entry.attempts;
    delivery.attempts_before = entry.attempts_before;
    delivery.due = entry.due;
    if (entry.parked) delivery.place = DeliveryPlace::kParked;
  }
}

std::uint32_t PendingEvents::take_place() {
  if (free_.empty()) {
    TRIGGERD_ASSERT(events_.size() < kNoEvent);
    events_.emplace_back();
    return static_cast<std::uint32_t>(events_.size() - 1);
  }
  const std::uint32_t place = free_.back();
  free_.pop_back();
  return place;
}

std::uint32_t PendingEvents::add(PendingEvent event) {
  const std::uint32_t place = take_place();
  TRIGGERD_ASSERT(last_ == kNoEvent || events_[last_]->seq < event.seq);
  event.before = last_;
  event.after = kNoEvent;
  if (last_ != kNoEvent) events_[last_]->after = place;
  if (first_ == kNoEvent) first_ = place;
  last_ = place;
  events_[place] = std::make_unique<PendingEvent>(std::move(event));
  if (++unmarked_ >= kStepsBetweenMarks) mark(place);
  return place;
}

std::uint32_t PendingEvents::insert(PendingEvent event) {
  const std::uint32_t after = find_from(event.seq);
  if (after == kNoEvent) return add(std::move(event));
  TRIGGERD_ASSERT(events_[after]->seq != event.seq);
  const std::uint32_t place = take_place();
  const std::uint32_t before = events_[after]->before;
  event.before = before;
  event.after = after;
  (before == kNoEvent ? first_ : events_[before]->after) = place;
  events_[after]->before = place;
  events_[place] = std::make_unique<PendingEvent>(std::move(event));
  return place;
}

std::uint32_t PendingEvents::bring_in(const model::PendingChunk& row) {
  std::uint32_t place = find_from(row.seq);
  if (place == kNoEvent || events_[place]->seq != row.seq) {
    PendingEvent event;
    event.seq = row.seq;
    event.id = row.event_id;
    event.org = row.org;
    event.accepted_at = row.accepted_at;
    event.name = row.event_name;
    if (!row.ordering_key.empty()) {
      event.ordering_key = std::make_unique<std::string>(row.ordering_key);
    }
    event.count = row.matches_in_all;
    event.deliveries = std::make_unique<PendingDelivery[]>(event.count);
    // Rows that are not there any more are of deliveries that are over, whichever way.
    for (std::uint32_t i = 0; i < event.count; ++i) {
      event.deliveries[i].state = model::DeliveryState::kDelivered;
    }
    place = insert(std::move(event));
  }
  fill(*events_[place], row);
  return place;
}

bool PendingEvents::is_known(model::EventSeq seq, std::uint32_t match) {
  const std::uint32_t place = find_from(seq);
  if (place == kNoEvent) return false;
  const PendingEvent& event = *events_[place];
  return event.seq == seq && match < event.count && event.deliveries[match].known;
}

std::uint32_t PendingEvents::find_from(model::EventSeq seq) {
  if (last_ == kNoEvent || events_[last_]->seq < seq) return kNoEvent;
  std::uint32_t place = first_;
  if (const auto beyond = marks_.upper_bound(seq); beyond != marks_.begin()) {
    place = std::prev(beyond)->second;
  }
  for (std::uint32_t steps = 1; place != kNoEvent && events_[place]->seq < seq; ++steps) {
    place = events_[place]->after;
    if (place != kNoEvent && steps % kStepsBetweenMarks == 0) mark(place);
  }
  return place;
}

void PendingEvents::mark(std::uint32_t place) {
  PendingEvent& event = *events_[place];
  if (place == last_) unmarked_ = 0;
  if (event.is_mark) return;
  event.is_mark = true;
  marks_.emplace(event.seq, place);
}

void PendingEvents::erase(std::uint32_t place) {
  drop(place);
  const PendingEvent& event = *events_[place];
  (event.before == kNoEvent ? first_ : events_[event.before]->after) = event.after;
  (event.after == kNoEvent ? last_ : events_[event.after]->before) = event.before;
  if (event.is_mark) marks_.erase(event.seq);
  events_[place].reset();
  free_.push_back(place);
}

// --- Payloads ---------------------------------------------------------------------------------

void PendingEvents::keep(std::uint32_t place, model::EventPtr content) {
  PendingEvent& event = *events_[place];
  TRIGGERD_ASSERT(event.content == nullptr && content != nullptr);
  payload_bytes_ += bytes_of(*content);
  event.content = std::move(content);
  link_back(place, event.active > 0 ? CacheList::kActive : CacheList::kIdle);
}

void PendingEvents::drop(std::uint32_t place) {
  PendingEvent& event = *events_[place];
  if (event.content == nullptr) return;
  payload_bytes_ -= bytes_of(*event.content);
  event.content.reset();
  unlink(place);
}

void PendingEvents::settle(std::uint32_t place) {
  const PendingEvent& event = *events_[place];
  if (event.content == nullptr) return;
  const CacheList wanted = event.active > 0 ? CacheList::kActive : CacheList::kIdle;
  if (event.cache_list == wanted) return;
  unlink(place);
  link_back(place, wanted);
}

void PendingEvents::trim() {
  while (payload_bytes_ > payload_bytes_max_ && idle_list_.front != kNoEvent) {
    drop(idle_list_.front);
  }
  std::uint32_t place = active_list_.back;
  for (int passed_over = 0; payload_bytes_ > payload_bytes_max_ && place != kNoEvent;) {
    const PendingEvent& event = *events_[place];
    const std::uint32_t before = event.cache_before;
    if (event.busy == 0) {
      drop(place);
    } else if (++passed_over == kPassedOverMax) {
      return;
    }
    place = before;
  }
}

void PendingEvents::link_back(std::uint32_t place, CacheList list) {
  List& ends = list_of(list);
  PendingEvent& event = *events_[place];
  event.cache_list = list;
  event.cache_before = ends.back;
  event.cache_after = kNoEvent;
  (ends.back == kNoEvent ? ends.front : events_[ends.back]->cache_after) = place;
  ends.back = place;
}

void PendingEvents::unlink(std::uint32_t place) {
  PendingEvent& event = *events_[place];
  if (event.cache_list == CacheList::kNone) return;
  List& ends = list_of(event.cache_list);
  (event.cache_before == kNoEvent ? ends.front : events_[event.cache_before]->cache_after) =
      event.cache_after;
  (event.cache_after == kNoEvent ? ends.back : events_[event.cache_after]->cache_before) =
      event.cache_before;
  event.cache_list = CacheList::kNone;
}

}  // namespace triggerd::core
