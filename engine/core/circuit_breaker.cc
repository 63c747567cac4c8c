#include "engine/core/circuit_breaker.h"

namespace triggerd::core {

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
  failures_in_row_ = 0;
}

void CircuitBreaker::failed(const CircuitBreakerOptions& options, base::MonoTime now) {
  if (state_ == State::kOpen) return;
  const bool opens = state_ == State::kHalfOpen || ++failures_in_row_ >= options.failures_to_open;
  if (!opens) return;
  state_ = State::kOpen;
  probing_ = false;
  failures_in_row_ = 0;
  open_until_ = now + options.open_for;
}

void CircuitBreaker::abandoned() {
  probing_ = false;
}

std::optional<base::MonoTime> CircuitBreaker::probe_at() const {
  if (state_ != State::kOpen) return std::nullopt;
  return open_until_;
}

}  // namespace triggerd::core
