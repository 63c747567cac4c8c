// Waiting deliveries of one webhook, first in first out. Plain state: core/scheduler moves it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/base/heap.h"
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

 private:
  void make_room();

  std::vector<DeliveryRef> ring_;  // a power of two
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

enum class LaneStanding : std::uint8_t {
  kIdle,     // nothing to start, or not allowed to
  kReady,    // in the scheduler's row of ready lanes
  kBlocked,  // in its host's row: the host has no room
};

struct LaneRate {
  RateLimit limit;
  RateBucket bucket;
};

struct Lane {
  DeliveryQueue queue;
  std::unique_ptr<LaneRate> rate;  // null: as fast as there is room
  std::uint32_t host = 0;
  std::uint32_t in_flight = 0;
  std::uint32_t in_flight_max = 0;
  std::uint32_t blocked_ticket = 0;  // entries of a host's row with another number are void
  LaneStanding standing = LaneStanding::kIdle;
  bool promoted = false;  // ready, with a slot of its host kept for it
  bool paused = false;
  bool resting = false;  // steps back until its entry in the scheduler's heap comes up
  base::HeapPosition wake_position = base::kNotInHeap;  // of that entry
};

}  // namespace triggerd::core
