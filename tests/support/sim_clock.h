// Virtual time for tests and the simulator: moves only when told. Wall time runs along with
// monotonic time until a fault makes it jump, as an operator's or NTP's correction does.
#pragma once

#include "engine/base/assert.h"
#include "engine/base/time.h"

namespace triggerd::support {

class SimClock {
 public:
  explicit SimClock(base::WallTime start) : now_{base::MonoTime(std::chrono::hours(1)), start} {}

  [[nodiscard]] base::Now now() const { return now_; }

  // Requires: `mono` is not in the past.
  void advance_to(base::MonoTime mono) {
    TRIGGERD_ASSERT(mono >= now_.mono);
    now_.wall += mono - now_.mono;
    now_.mono = mono;
  }
  void advance(base::Duration by) { advance_to(now_.mono + by); }
  // Wall time alone, in either direction.
  void jump_wall(base::Duration by) { now_.wall += by; }

 private:
  base::Now now_;
};

}  // namespace triggerd::support
