// How many calls a receiver is given at once, learnt from how it fares: additive increase,
// multiplicative decrease, as TCP finds the width of a path it does not know (Jacobson 1988).
//
//   a success, at least half of the limit in use, latency holds   + 1 until the first fall,
//                                                                 + 1 / limit afterwards
//   overload (timeout, 429, 503, refused connection)              x 1/2, once a round
//
// Latency holds while its moving average is at most twice the least that this receiver has shown
// of late, plus a few milliseconds for noise. One that rises stops the growth and causes no fall: a
// receiver that is only slow loses nothing.
//
// A round is all calls begun between two falls: those that were under way when the limit fell tell
// of the limit as it was, and count no more.
//
// Pure; a value of 20 bytes, one for each webhook. Thread: that of its owner.
#pragma once

#include <cstdint>

#include "engine/base/time.h"

namespace triggerd::core {

class ConcurrencyLimit {
 public:
  // Names the round in which a call began; wraps around.
  using Round = std::uint16_t;

  // Requires: start > 0.
  explicit ConcurrencyLimit(std::uint32_t start)
      : whole_(start), limit_(static_cast<float>(start)) {}

  // Calls at once now; at least 1, at most `most`. Requires: most > 0.
  [[nodiscard]] std::uint32_t value(std::uint32_t most) const {
    return whole_ < most ? whole_ : most;
  }
  [[nodiscard]] Round round() const { return round_; }

  // A call was answered. `in_use`: calls under way at that time, this one too. `latency` 0 when it
  // is not known. Requires: most > 0.
  void succeeded(base::Duration latency, std::uint32_t in_use, std::uint32_t most);
  // A call that began in `begun` ended in a sign of overload.
  void overloaded(Round begun, std::uint32_t most);

 private:
  [[nodiscard]] bool latency_holds(base::Duration latency);
  void set(float limit);

  std::uint32_t whole_;           // of limit_
  float limit_;                   // at least 1
  std::uint32_t floor_us_ = 0;    // the least latency of late; 0: none seen yet
  std::uint32_t average_us_ = 0;  // of the last few calls
  Round round_ = 0;
  bool has_fallen_ = false;
};
static_assert(sizeof(ConcurrencyLimit) <= 20);

}  // namespace triggerd::core
