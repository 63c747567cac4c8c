// Whether a receiver that fails is to be left alone for a while.
//
//             failures_to_open in a row              open_for is over
//   CLOSED ------------------------------> OPEN -----------------------> HALF-OPEN
//     ^                                     ^                             |  one probe
//     |                                     '-------- it failed ----------|
//     '---------------------------------------------- it succeeded -------'
//
// Every call is asked for with try_begin() and, if it may be made, ended by exactly one of
// succeeded(), failed() and abandoned(). Calls begun before it opened may still end: a success
// closes it, a failure keeps it open as long as it was to be.
//
// Pure; a value. Thread: that of its owner.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "engine/base/time.h"

namespace triggerd::core {

struct CircuitBreakerOptions {
  std::uint32_t failures_to_open = 5;  // at least 1
  base::Duration open_for = std::chrono::seconds(10);
};

class CircuitBreaker {
 public:
  enum class State : std::uint8_t { kClosed, kOpen, kHalfOpen };

  // May a call be made now? If so it counts as begun; in the half-open state it is the probe, and
  // no other may be made until it has ended.
  [[nodiscard]] bool try_begin(base::MonoTime now);

  void succeeded();
  void failed(const CircuitBreakerOptions& options, base::MonoTime now);
  // It ended without telling anything about the receiver: not made after all, or cut off by us.
  void abandoned();

  [[nodiscard]] State state() const { return state_; }
  // When a probe may be made; nothing unless open.
  [[nodiscard]] std::optional<base::MonoTime> probe_at() const;

 private:
  State state_ = State::kClosed;
  bool probing_ = false;               // kHalfOpen: the probe is under way
  std::uint32_t failures_in_row_ = 0;  // kClosed
  base::MonoTime open_until_;
};

}  // namespace triggerd::core
