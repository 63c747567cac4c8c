#include "engine/core/rate_limit.h"

#include <algorithm>
#include <chrono>

namespace triggerd::core {

using base::Duration;
using base::MonoTime;

RateLimit rate_limit_of(const model::DeliveryRate& rate) {
  TRIGGERD_ASSERT(rate.per_second_thousandths > 0 && rate.burst > 0);
  return RateLimit::of(rate.per_second_thousandths, std::chrono::seconds(1000), rate.burst);
}

std::optional<Duration> RateBucket::take(std::uint32_t tokens, const RateLimit& limit,
                                         MonoTime now) {
  if (tokens > limit.burst) return Duration::max();
  // What is missing now grows at one token an interval; more than the burst is never missing.
  const MonoTime full_then = std::max(full_at_, now) + limit.interval * std::int64_t{tokens};
  const Duration missing = full_then - now - limit.interval * std::int64_t{limit.burst};
  if (missing > Duration(0)) return missing;
  full_at_ = full_then;
  return std::nullopt;
}

void RateBucket::fit(const RateLimit& limit, MonoTime now) {
  full_at_ = std::min(full_at_, now + limit.interval * std::int64_t{limit.burst});
}

void RateBucket::put_back(std::uint32_t tokens, const RateLimit& limit) {
  full_at_ -= limit.interval * std::int64_t{tokens};
}

}  // namespace triggerd::core
