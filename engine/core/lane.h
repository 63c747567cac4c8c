// Waiting deliveries of one webhook, first in first out. Plain state: core/scheduler moves it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "engine/base/heap.h"
#include "engine/core/circuit_breaker.h"
#include "engine/core/concurrency_limit.h"
#include "engine/core/rate_limit.h"

namespace triggerd::core {

// Which delivery: the place of its event among the pending ones, and the match in it.
struct DeliveryRef {
  std::uint32_t event = 0;
  std::uint32_t match = 0;
  bool operator==(const DeliveryRef&) const = default;
};

// A ring of 8-byte references; doubles when full, and gives its memory back when it runs empty.
class DeliveryQueue {
 public:
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }
  void push_back(DeliveryRef delivery);
  void push_front(DeliveryRef delivery);
  // Requires: !empty().
  DeliveryRef pop_front();
  // Takes this one out, wherever it stands; false when it is not here. Looks at all before it.
  bool remove(DeliveryRef delivery);

 private:
  void make_room();
  [[nodiscard]] DeliveryRef& at(std::uint32_t place) { return ring_[place & (capacity_ - 1)]; }

  std::unique_ptr<DeliveryRef[]> ring_;
  std::uint32_t capacity_ = 0;  // a power of two, or 0
  std::uint32_t first_ = 0;
  std::uint32_t size_ = 0;
};

// Learns where a delayed delivery stands, so that Scheduler::undelay() finds it.
class DelayObserver {
 public:
  virtual ~DelayObserver() = default;
  // kNotInHeap when it has left. Must not call back.
  virtual void delayed_at(DeliveryRef delivery, base::HeapPosition position) = 0;
};

// What a webhook may ask for.
struct LaneSettings {
  std::optional<std::uint32_t> in_flight_max;  // absent: SchedulerLimits::in_flight_per_lane
  std::optional<RateLimit> rate;
};

// First attempts and retries wait apart: neither stands in the other's way.
enum class Work : std::uint8_t { kFresh, kRetry };

struct LaneRate {
  RateLimit limit;
  RateBucket bucket;
};

struct Lane {
  explicit Lane(std::uint32_t limit_start) : limit(limit_start) {}

  [[nodiscard]] DeliveryQueue& queue(Work work) { return work == Work::kFresh ? fresh : retries; }
  [[nodiscard]] bool has_waiting() const { return !fresh.empty() || !retries.empty(); }

  // Two cache lines in all: a start and its end need every part.
  std::uint32_t organization = 0;  // number of its organization
  std::uint32_t host = 0;          // number of its origin
  std::uint32_t seat = 0;          // number of the two together
  std::uint32_t in_flight = 0;
  std::uint32_t in_flight_max = 0;
  ConcurrencyLimit limit;
  CircuitBreaker breaker;
  DeliveryQueue fresh;
  DeliveryQueue retries;
  std::unique_ptr<LaneRate> rate;  // null: as fast as there is room
  // Counts the receivers it has had: what ends with another number says nothing about this one.
  std::uint16_t era = 0;
  std::uint8_t fresh_in_row = 0;  // starts since its last retry
  bool blocked = false;           // in its host's row: the host has no room
  bool promoted = false;          // in the ring of starts, with a slot of its host kept for it
  bool retry_paid = false;        // it came to its host's row by a turn of the retries
  bool paused = false;
  bool resting = false;  // steps back until its entry in the scheduler's heap comes up
  base::HeapPosition wake_position = base::kNotInHeap;  // of that entry
};
static_assert(sizeof(Lane) <= 136);

}  // namespace triggerd::core
