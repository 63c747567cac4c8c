#include "tests/sim/checkers/repeats.h"

#include <algorithm>
#include <variant>

#include "tests/sim/checkers/text.h"

namespace triggerd::sim {

void Repeats::emitted(const Emitted& seen) {
  for (const model::Effect& effect : seen.output.effects) {
    if (const auto* start = std::get_if<model::StartAttempt>(&effect.what)) check_start(*start);
  }
}

Repeats::Progress Repeats::stored(support::DeliveryKey key) const {
  Progress progress;
  const auto at = scene_.durable.latest_attempts.find(key);
  if (at == scene_.durable.latest_attempts.end()) return progress;
  if (model::is_final(at->second.state_after)) {
    progress.state = State::kSucceeded;
  } else {
    progress.next_number = static_cast<std::uint16_t>(at->second.number + 1);
  }
  return progress;
}

void Repeats::check_start(const model::StartAttempt& start) {
  const support::DeliveryKey key{start.event->seq, start.webhook->ref};
  const auto [at, fresh] = progress_.try_emplace(key);
  Progress& progress = at->second;
  if (fresh) progress = stored(key);
  const std::string call = text_of(key) + ", attempt " + std::to_string(start.number);
  if (progress.state == State::kInFlight) {
    object(call + " starts while another is in flight");
  } else if (progress.state == State::kSucceeded) {
    object(call + " starts though the delivery was over");
  } else if (start.number != progress.next_number) {
    object(call + " starts where " + std::to_string(progress.next_number) + " was next");
  }
  progress.state = State::kInFlight;
  progress.next_number = start.number;
  std::uint16_t& highest = highest_called_[key];
  if (fresh && start.number <= highest) ++repeated_;
  highest = std::max(highest, start.number);
}

void Repeats::finished(const Finished& seen) {
  Progress& progress = progress_[{seen.attempt.event->seq, seen.attempt.webhook->ref}];
  progress.state = State::kWaiting;
  progress.next_number = seen.attempt.number;
  switch (seen.outcome.kind) {
    case model::OutcomeClass::kOk:
      progress.state = State::kSucceeded;
      return;
    case model::OutcomeClass::kBusy:
    case model::OutcomeClass::kCancelled:
      return;  // such a call costs no attempt
    default:
      ++progress.next_number;
  }
}

void Repeats::restarted(const Restarted&) {
  progress_.clear();
}

}  // namespace triggerd::sim
