#include "engine/core/concurrency_limit.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "engine/base/assert.h"

namespace triggerd::core {
namespace {

// Weight of the newest call in the moving average: about the last ten count.
constexpr std::int64_t kAverageShare = 8;
// The floor creeps up to the average by this share a call, so that a receiver that has moved
// further away for good is not held against what it once was.
constexpr std::uint32_t kFloorShare = 1024;
constexpr std::uint32_t kNoiseUs = 5000;

std::uint32_t microseconds_of(base::Duration latency) {
  const auto whole = std::chrono::duration_cast<std::chrono::microseconds>(latency).count();
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(whole, 1, std::numeric_limits<std::uint32_t>::max() / 4));
}

}  // namespace

bool ConcurrencyLimit::latency_holds(base::Duration latency) {
  if (latency <= base::Duration(0)) return true;
  const std::uint32_t newest = microseconds_of(latency);
  if (floor_us_ == 0) floor_us_ = average_us_ = newest;
  const std::int64_t off = std::int64_t{newest} - std::int64_t{average_us_};
  average_us_ = static_cast<std::uint32_t>(average_us_ + off / kAverageShare);
  floor_us_ = std::min(floor_us_, newest);
  floor_us_ += (std::max(average_us_, floor_us_) - floor_us_) / kFloorShare;
  return average_us_ <= 2 * floor_us_ + kNoiseUs;
}

void ConcurrencyLimit::set(float limit) {
  limit_ = limit;
  whole_ = static_cast<std::uint32_t>(limit);
}

void ConcurrencyLimit::succeeded(base::Duration latency, std::uint32_t in_use, std::uint32_t most) {
  TRIGGERD_ASSERT(most > 0);
  if (!latency_holds(latency)) return;
  // What is not used says nothing about whether more would do.
  if (in_use * 2 < value(most)) return;
  // Above the bound, which may be a lower one than before, it stays as it was: nobody tries it.
  const auto bound = static_cast<float>(most);
  if (limit_ >= bound) return;
  set(std::min(limit_ + (has_fallen_ ? 1.0F / limit_ : 1.0F), bound));
}

void ConcurrencyLimit::overloaded(Round begun, std::uint32_t most) {
  if (begun != round_) return;
  ++round_;
  has_fallen_ = true;
  // From what was in force: a limit that the webhook's own bound hid falls from that bound.
  set(std::max(std::min(limit_, static_cast<float>(most)) / 2, 1.0F));
}

}  // namespace triggerd::core
