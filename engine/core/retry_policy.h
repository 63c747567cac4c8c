// What follows an attempt: done, again after a while, given up. CONTRACT A2.
// Pure: the same attempt, outcome, options and chance give the same decision.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/random.h"
#include "engine/base/time.h"
#include "engine/model/limits.h"
#include "engine/model/records.h"

namespace triggerd::core {

struct RetryOptions {
  // Delays before attempts 2, 3, …; behind the last one the delivery is dead. Never negative.
  std::vector<base::Duration> schedule;
  // Each delay of the schedule is spread over ± this share. Requires: in [0, 1].
  double jitter = model::kRetryJitterDefault;
};

// 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h; with the first attempt ten in all.
[[nodiscard]] const std::vector<base::Duration>& default_retry_schedule();

enum class RetryVerdict : std::uint8_t {
  kDelivered,  // a 2xx
  kRetry,      // again after `delay`; the attempt counts
  kAgain,      // again after `delay`, as if nothing had happened: the attempt does not count
  kDead,       // attempts used up
  kGone,       // 410: dead, and the webhook is to be disabled
};

struct RetryDecision {
  RetryVerdict verdict = RetryVerdict::kDead;
  base::Duration delay{0};  // kRetry and kAgain; never negative
  bool operator==(const RetryDecision&) const = default;
};

// 429 and 503: the receiver is there, and wants fewer calls. These may carry Retry-After.
[[nodiscard]] bool asks_for_less(const model::Outcome& outcome);

// How long a delivery that found no room on its I/O thread steps back.
inline constexpr base::Duration kBusyDelay = std::chrono::milliseconds(20);

// `attempt` is the number of the attempt just made, from 1. Retry-After (429, 503) replaces the
// delay of the schedule, unspread, at most kRetryAfterMax; it does not add attempts.
// `schedule` is that of the webhook, or RetryOptions::schedule. Requires: attempt >= 1.
[[nodiscard]] RetryDecision decide_retry(std::uint32_t attempt, const model::Outcome& outcome,
                                         std::span<const base::Duration> schedule, double jitter,
                                         base::Random& random);

}  // namespace triggerd::core
