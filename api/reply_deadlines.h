// Requests that wait for a reply, each with its deadline. Whichever comes first takes the entry:
// the reply, or the deadline; the other then finds nothing, and that is normal.
//
// Pure: no clock, no timer. One thread. Every operation costs the same however many wait: entries
// of one timeout expire in the order in which they came, so each timeout has a queue of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "api/ticket.h"
#include "engine/base/assert.h"
#include "engine/base/time.h"

namespace triggerd::api {

template <class Entry>
class ReplyDeadlines {
 public:
  // More than `waiting_max` do not fit.
  explicit ReplyDeadlines(std::size_t waiting_max) : waiting_max_(waiting_max) {}

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool full() const { return size_ >= waiting_max_; }

  // Requires: !full(). `now` does not go back from call to call.
  Ticket add(Entry entry, base::Duration timeout, base::MonoTime now) {
    TRIGGERD_ASSERT(!full());
    const std::uint32_t index = take_slot();
    Slot& slot = slots_[index];
    slot.entry = std::move(entry);
    slot.serial = ++last_serial_;
    slot.deadline = now + timeout;
    slot.timeout = timeout;
    Queue& queue = queues_[timeout];
    slot.before = queue.last;
    slot.after = kNobody;
    (queue.last == kNobody ? queue.first : slots_[queue.last].after) = index;
    queue.last = index;
    ++size_;
    return {index, slot.serial};
  }

  // The entry, until something else is called; null when it has been taken.
  Entry* find(Ticket ticket) {
    if (ticket.slot >= slots_.size()) return nullptr;
    Slot& slot = slots_[ticket.slot];
    return slot.entry && slot.serial == ticket.serial ? &*slot.entry : nullptr;
  }

  // The entry, which waits no more; nothing when it has been taken.
  std::optional<Entry> take(Ticket ticket) {
    if (find(ticket) == nullptr) return std::nullopt;
    return release(ticket.slot);
  }

  // One entry whose deadline is not after `now`, if there is one.
  std::optional<Entry> take_expired(base::MonoTime now) {
    for (const auto& [timeout, queue] : queues_) {
      if (slots_[queue.first].deadline <= now) return release(queue.first);
    }
    return std::nullopt;
  }

  // The earliest deadline.
  [[nodiscard]] std::optional<base::MonoTime> next() const {
    std::optional<base::MonoTime> earliest;
    for (const auto& [timeout, queue] : queues_) {
      const base::MonoTime deadline = slots_[queue.first].deadline;
      if (!earliest || deadline < *earliest) earliest = deadline;
    }
    return earliest;
  }

 private:
  static constexpr std::uint32_t kNobody = 0xffffffff;

  struct Slot {
    std::optional<Entry> entry;
    std::uint64_t serial = 0;
    base::MonoTime deadline;
    base::Duration timeout{0};
    std::uint32_t before = kNobody;
    std::uint32_t after = kNobody;
  };
  // Never empty while it stands in the map; as many as there are timeouts in use (120 and the
  // default at most).
  struct Queue {
    std::uint32_t first = kNobody;
    std::uint32_t last = kNobody;
  };

  std::uint32_t take_slot() {
    if (free_.empty()) {
      slots_.emplace_back();
      return static_cast<std::uint32_t>(slots_.size() - 1);
    }
    const std::uint32_t index = free_.back();
    free_.pop_back();
    return index;
  }

  Entry release(std::uint32_t index) {
    Slot& slot = slots_[index];
    const auto queue = queues_.find(slot.timeout);
    (slot.before == kNobody ? queue->second.first : slots_[slot.before].after) = slot.after;
    (slot.after == kNobody ? queue->second.last : slots_[slot.after].before) = slot.before;
    if (queue->second.first == kNobody) queues_.erase(queue);
    Entry entry = *std::move(slot.entry);
    slot.entry.reset();
    free_.push_back(index);
    --size_;
    return entry;
  }

  std::size_t waiting_max_;
  std::size_t size_ = 0;
  std::uint64_t last_serial_ = 0;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::map<base::Duration, Queue> queues_;
};

}  // namespace triggerd::api
