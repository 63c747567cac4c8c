// How much of the attempts may be retries while fresh work waits: a token bucket that first
// attempts fill. With a share of 20 % each first attempt earns a quarter of a retry, so that of any
// run of attempts retries are at most the share and the burst.
//
// Pure; a value.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/base/assert.h"

namespace triggerd::core {

class RetryBudget {
 public:
  // Retries saved up at most.
  static constexpr std::int64_t kBurst = 10;

  // Requires: share_percent in 1 to 100; 100: retries are as good as any attempt.
  explicit RetryBudget(std::uint32_t share_percent)
      : earning_(share_percent), cost_(100 - std::int64_t{share_percent}) {
    TRIGGERD_ASSERT(share_percent >= 1 && share_percent <= 100);
  }

  [[nodiscard]] bool allows() const { return credit_ >= cost_; }
  void attempted_fresh() { credit_ = std::min(credit_ + earning_, kBurst * cost_); }
  // A retry before fresh work. One that was not to wait (allows() is false) is made good for later.
  void retried() { credit_ -= cost_; }

 private:
  std::int64_t earning_;
  std::int64_t cost_;
  std::int64_t credit_ = 0;
};

}  // namespace triggerd::core
