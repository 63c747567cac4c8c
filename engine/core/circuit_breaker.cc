#include "engine/core/circuit_breaker.h"

#include <algorithm>

namespace triggerd::core {
namespace {

// Enough for any sensible limit, and no shift overflows.
constexpr std::uint8_t kDoublingsMost = 20;

base::Duration open_time(const CircuitBreakerOptions& options, std::uint8_t doublings,
                         base::Random* random) {
  const base::Duration most = std::max(options.open_for, options.open_for_max);
  base::Duration chosen = options.open_for;
  for (std::uint8_t i = 0; i < doublings && chosen < most; ++i) chosen *= 2;
  chosen = std::min(chosen, most);
  if (random == nullptr || options.jitter <= 0) return chosen;
  const double factor = 1.0 + options.jitter * (2.0 * random->unit() - 1.0);
  return base::Duration(
      static_cast<base::Duration::rep>(static_cast<double>(chosen.count()) * factor));
}

}  // namespace

bool CircuitBreaker::try_begin(base::MonoTime now) {
  if (state_ == State::kClosed) return true;
  if (state_ == State::kOpen) {
    if (now < open_until_) return false;
    state_ = State::kHalfOpen;
    probing_ = false;
  }
  if (probing_) return false;
  probing_ = true;
  return true;
}

void CircuitBreaker::succeeded() {
  state_ = State::kClosed;
  probing_ = false;
  doublings_ = 0;
  failures_in_row_ = 0;
}

void CircuitBreaker::failed(const CircuitBreakerOptions& options, base::MonoTime now,
                            base::Random* random) {
  if (state_ == State::kOpen) return;
  const bool again = state_ == State::kHalfOpen;
  if (!again && ++failures_in_row_ < options.failures_to_open) return;
  if (again && doublings_ < kDoublingsMost) ++doublings_;
  state_ = State::kOpen;
  probing_ = false;
  failures_in_row_ = 0;
  open_until_ = now + open_time(options, doublings_, random);
}

void CircuitBreaker::hold(base::MonoTime until) {
  open_until_ = state_ == State::kOpen ? std::max(open_until_, until) : until;
  state_ = State::kOpen;
  probing_ = false;
  failures_in_row_ = 0;
}

void CircuitBreaker::abandoned() {
  probing_ = false;
}

std::optional<base::MonoTime> CircuitBreaker::probe_at() const {
  if (state_ != State::kOpen) return std::nullopt;
  return open_until_;
}

void BreakerCounts::moved(CircuitBreaker::State from, CircuitBreaker::State to) {
  if (from == to) return;
  if (from == CircuitBreaker::State::kOpen) --open;
  if (from == CircuitBreaker::State::kHalfOpen) --half_open;
  switch (to) {
    case CircuitBreaker::State::kOpen:
      ++open;
      ++to_open;
      return;
    case CircuitBreaker::State::kHalfOpen:
      ++half_open;
      ++to_half_open;
      return;
    case CircuitBreaker::State::kClosed:
      ++to_closed;
  }
}

}  // namespace triggerd::core
