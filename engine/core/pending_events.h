// Events that have deliveries to make which are not parked, and the cache of their payloads.
//
// An event has a place (a u32, given out again when it has gone); a delivery is (place, match).
// About 180 bytes an event and 24 a delivery; the payload is extra and shared by all its
// deliveries. Payloads are kept up to a limit of bytes; above it go first those whose deliveries
// all wait for a later time (longest so first), then the newest of the others: they are the last in
// their lanes.
//
// Thread: the engine's. References hold until the event is erased.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/heap.h"
#include "engine/model/output.h"

namespace triggerd::core {

inline constexpr std::uint32_t kNoEvent = 0xffffffff;

// Where a delivery stands while the process lives; its stored state is beside it.
enum class DeliveryPlace : std::uint8_t {
  kNowhere,   // final
  kLane,      // in its webhook's lane
  kDelayed,   // in the heap of delays
  kInFlight,  // on the wire
  kReading,   // has its slots, waits for the payload
  kInLine,    // behind another one of its ordering key
  kParked,    // in the store alone, though its event is here for others
};

struct PendingDelivery {
  model::WebhookRef webhook;
  model::Generation generation;
  model::WallTime due;  // stored; kDelayed only
  base::HeapPosition heap_position = base::kNotInHeap;
  model::DeliveryState state = model::DeliveryState::kReady;  // stored
  std::uint8_t attempts = 0;                                  // stored, as is the next
  std::uint8_t attempts_before = 0;                           // of these, before it was given again
  DeliveryPlace place : 6 = DeliveryPlace::kNowhere;
  bool keyed : 1 = false;  // has entered a line of its ordering key
  bool known : 1 = false;  // its row has been read, or is ours: the store alone tells of the others
};
static_assert(sizeof(PendingDelivery) <= 24);

enum class CacheList : std::uint8_t { kNone, kActive, kIdle };

struct PendingEvent {
  model::EventSeq seq;
  model::EventId id;
  model::OrgId org;
  model::WallTime accepted_at;
  model::BatchSeq batch;  // that holds it; 0 after a recovery
  std::string name;
  std::unique_ptr<std::string> ordering_key;  // null when empty: most events
  model::EventPtr content;                    // null: cold
  std::unique_ptr<PendingDelivery[]> deliveries;
  std::uint32_t count = 0;
  std::uint32_t open = 0;    // deliveries not final, and not parked
  std::uint32_t active = 0;  // of these, in a lane, reading or in flight
  std::uint32_t busy = 0;    // of these, reading or in flight
  model::ReadId reading;     // of the payload; 0: none under way
  std::uint32_t read_retries = 0;
  CacheList cache_list = CacheList::kNone;
  bool is_mark = false;
  bool is_leaving = false;  // none is open: it is forgotten at the end of the turn
  std::uint32_t cache_before = kNoEvent;
  std::uint32_t cache_after = kNoEvent;
  std::uint32_t before = kNoEvent;  // in order of sequence
  std::uint32_t after = kNoEvent;
};

// What the row tells of the deliveries, unless they are known already.
void fill(PendingEvent& event, const model::PendingChunk& row);

class PendingEvents {
 public:
  explicit PendingEvents(std::size_t payload_bytes_max) : payload_bytes_max_(payload_bytes_max) {}

  // Adds an event behind all others. Requires: seq above that of last().
  std::uint32_t add(PendingEvent event);
  // Adds one that may belong between others. Requires: none of its sequence is there.
  std::uint32_t insert(PendingEvent event);
  // The event with what its row tells, unless that is known already. Nothing is open by it.
  std::uint32_t bring_in(const model::PendingChunk& row);
  // Is this delivery of the event in memory, wherever it stands?
  [[nodiscard]] bool is_known(model::EventSeq seq, std::uint32_t match);
  // The first of this sequence or a later one; kNoEvent when there is none.
  [[nodiscard]] std::uint32_t find_from(model::EventSeq seq);
  // Requires: it is there.
  void erase(std::uint32_t place);
  [[nodiscard]] PendingEvent& at(std::uint32_t place) { return *events_[place]; }
  [[nodiscard]] const PendingEvent& at(std::uint32_t place) const { return *events_[place]; }

  // In order of sequence; kNoEvent at the ends.
  [[nodiscard]] std::uint32_t first() const { return first_; }
  [[nodiscard]] std::uint32_t last() const { return last_; }
  [[nodiscard]] std::uint32_t after(std::uint32_t place) const { return events_[place]->after; }

  // --- Payloads -------------------------------------------------------------------------------
  void keep(std::uint32_t place, model::EventPtr content);
  void drop(std::uint32_t place);
  // Call when `active` of the event became 0, or more than 0.
  void settle(std::uint32_t place);
  // Drops payloads until they fit. Those of deliveries in flight stay: they are in use anyway.
  void trim();
  [[nodiscard]] std::size_t payload_bytes() const { return payload_bytes_; }

 private:
  struct List {
    std::uint32_t front = kNoEvent;
    std::uint32_t back = kNoEvent;
  };
  [[nodiscard]] List& list_of(CacheList list) {
    return list == CacheList::kActive ? active_list_ : idle_list_;
  }
  [[nodiscard]] std::uint32_t take_place();
  void mark(std::uint32_t place);
  void link_back(std::uint32_t place, CacheList list);
  void unlink(std::uint32_t place);

  std::vector<std::unique_ptr<PendingEvent>> events_;
  std::vector<std::uint32_t> free_;
  std::uint32_t first_ = kNoEvent;
  std::uint32_t last_ = kNoEvent;
  // Some of the events by sequence, so that one is found by a short walk. Where walks are long,
  // marks are added.
  std::map<model::EventSeq, std::uint32_t> marks_;
  std::uint32_t unmarked_ = 0;  // events added since the last mark

  std::size_t payload_bytes_max_;
  std::size_t payload_bytes_ = 0;
  List active_list_;  // some delivery wants the payload soon
  List idle_list_;    // all wait for a later time
};

}  // namespace triggerd::core
