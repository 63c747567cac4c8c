#include "engine/core/retry_policy.h"

#include <algorithm>
#include <chrono>
#include <cstddef>

#include "engine/base/assert.h"

namespace triggerd::core {
namespace {

using base::Duration;
using model::OutcomeClass;

constexpr int kStatusGone = 410;
constexpr int kStatusTooManyRequests = 429;
constexpr int kStatusUnavailable = 503;

// Retry-After as sent, when this outcome may carry one.
bool obeys_retry_after(const model::Outcome& outcome) {
  return asks_for_less(outcome) && outcome.retry_after >= Duration(0);
}

// Uniform in delay * [1 - jitter, 1 + jitter), so that a burst of failures does not come back as a
// burst.
Duration spread(Duration delay, double jitter, base::Random& random) {
  const double factor = 1.0 + jitter * (2.0 * random.unit() - 1.0);
  const double nanoseconds = static_cast<double>(delay.count()) * factor;
  return Duration(static_cast<Duration::rep>(std::max(0.0, nanoseconds)));
}

}  // namespace

bool asks_for_less(const model::Outcome& outcome) {
  return outcome.kind == OutcomeClass::kHttpError &&
         (outcome.http_status == kStatusTooManyRequests ||
          outcome.http_status == kStatusUnavailable);
}

const std::vector<Duration>& default_retry_schedule() {
  using std::chrono::hours;
  using std::chrono::minutes;
  using std::chrono::seconds;
  static const std::vector<Duration> schedule{seconds(5), minutes(5), minutes(30),
                                              hours(2),   hours(5),   hours(10),
                                              hours(14),  hours(20),  hours(24)};
  return schedule;
}

RetryDecision decide_retry(std::uint32_t attempt, const model::Outcome& outcome,
                           std::span<const Duration> schedule, double jitter,
                           base::Random& random) {
  TRIGGERD_ASSERT(attempt >= 1);
  TRIGGERD_ASSERT(jitter >= 0.0 && jitter <= 1.0);
  switch (outcome.kind) {
    case OutcomeClass::kOk:
      return {RetryVerdict::kDelivered, Duration(0)};
    case OutcomeClass::kCancelled:
      return {RetryVerdict::kAgain, Duration(0)};
    case OutcomeClass::kBusy:
      return {RetryVerdict::kAgain, spread(kBusyDelay, jitter, random)};
    case OutcomeClass::kHttpError:
      if (outcome.http_status == kStatusGone) return {RetryVerdict::kGone, Duration(0)};
      break;
    case OutcomeClass::kTimeout:
    case OutcomeClass::kConnect:
    case OutcomeClass::kDns:
    case OutcomeClass::kTls:
    case OutcomeClass::kBlocked:
    case OutcomeClass::kProtocol:
    case OutcomeClass::kBadAnswer:  // hooks are not retried; no event comes to these
    case OutcomeClass::kDenied:
    case OutcomeClass::kBreakerOpen:
    case OutcomeClass::kDisabled:
      break;
  }
  const std::size_t step = attempt - 1;
  if (step >= schedule.size()) return {RetryVerdict::kDead, Duration(0)};
  if (obeys_retry_after(outcome)) {
    return {RetryVerdict::kRetry, std::min<Duration>(outcome.retry_after, model::kRetryAfterMax)};
  }
  return {RetryVerdict::kRetry, spread(schedule[step], jitter, random)};
}

}  // namespace triggerd::core
