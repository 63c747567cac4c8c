// How much a webhook that fares badly may take from the others: what it gets at once, when it is
// left alone, and what retries may take from first attempts. The rules: core/concurrency_limit,
// core/circuit_breaker, core/retry_budget; core/scheduler applies them.
#pragma once

#include <chrono>
#include <cstdint>

#include "engine/base/time.h"
#include "engine/core/circuit_breaker.h"

namespace triggerd::core {

inline constexpr std::uint32_t kInFlightStartDefault = 16;
inline constexpr std::uint32_t kBreakerFailuresMax = 10'000;
inline constexpr base::Duration kBreakerOpenForMost = std::chrono::hours(1);
inline constexpr std::uint32_t kRetrySharePercentDefault = 20;
// How long Retry-After of one delivery keeps the others of its webhook back: a receiver that asks
// for a day may mean this one event. The delivery itself obeys in full.
inline constexpr base::Duration kReceiverHoldMax = std::chrono::minutes(5);

struct IsolationOptions {
  // Calls that a webhook gets at once at first; they rise and fall with how its receiver fares, up
  // to what it may have. 0: always all that it may have.
  std::uint32_t in_flight_start = kInFlightStartDefault;
  // Of all attempts, while first attempts wait; 1 to 100.
  std::uint32_t retry_share_percent = kRetrySharePercentDefault;
  // A receiver that has only failed so often in a row is left alone. failures_to_open 0: never.
  CircuitBreakerOptions breaker{10, std::chrono::seconds(1), std::chrono::seconds(30), 0.2};
};

}  // namespace triggerd::core
