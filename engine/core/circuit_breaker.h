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
// Each probe that fails may double the time it is open, up to a limit.
//
// Pure; a value. Thread: that of its owner.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "engine/base/random.h"
#include "engine/base/time.h"

namespace triggerd::core {

struct CircuitBreakerOptions {
  std::uint32_t failures_to_open = 5;  // at least 1
  base::Duration open_for = std::chrono::seconds(10);
  // Doubled with each probe that fails, up to this; never less than open_for.
  base::Duration open_for_max = std::chrono::seconds(10);
  // Each time is spread over ± this share, so that the probes of many do not come at once. In
  // [0, 1).
  double jitter = 0;
};

class CircuitBreaker {
 public:
  enum class State : std::uint8_t { kClosed, kOpen, kHalfOpen };

  // May a call be made now? If so it counts as begun; in the half-open state it is the probe, and
  // no other may be made until it has ended.
  [[nodiscard]] bool try_begin(base::MonoTime now);

  void succeeded();
  // `random` draws the jitter, and only when it opens; without it there is none.
  void failed(const CircuitBreakerOptions& options, base::MonoTime now,
              base::Random* random = nullptr);
  // The receiver asked to be left alone until then: open at once, and for no shorter time.
  void hold(base::MonoTime until);
  // It ended without telling anything about the receiver: not made after all, or cut off by us.
  void abandoned();

  [[nodiscard]] State state() const { return state_; }
  // Half-open, and the one call that may be made is under way.
  [[nodiscard]] bool is_probing() const { return state_ == State::kHalfOpen && probing_; }
  // When a probe may be made; nothing unless open.
  [[nodiscard]] std::optional<base::MonoTime> probe_at() const;

 private:
  State state_ = State::kClosed;
  bool probing_ = false;               // kHalfOpen: the probe is under way
  std::uint8_t doublings_ = 0;         // of open_for; none once it has closed
  std::uint32_t failures_in_row_ = 0;  // kClosed
  base::MonoTime open_until_;
};

// How many breakers are not closed, and how often one changed: kept by counting.
struct BreakerCounts {
  std::uint64_t open = 0;  // now, as is the next
  std::uint64_t half_open = 0;
  std::uint64_t to_open = 0;  // so far, as are the next
  std::uint64_t to_half_open = 0;
  std::uint64_t to_closed = 0;

  // Nothing when both are the same.
  void moved(CircuitBreaker::State from, CircuitBreaker::State to);
};

}  // namespace triggerd::core
