#include "tests/sim/checkers/repeats.h"

#include <algorithm>
#include <set>
#include <variant>

#include "tests/sim/checkers/text.h"

namespace triggerd::sim {

void Repeats::emitted(const Emitted& seen) {
  learn_reopened(seen.output.batch);
  for (const model::Effect& effect : seen.output.effects) {
    if (const auto* start = std::get_if<model::StartAttempt>(&effect.what)) check_start(*start);
  }
}

// What was over is wanted again: the next attempt is the one behind those that its row says.
void Repeats::learn_reopened(const model::Batch& batch) {
  std::set<support::DeliveryKey> reopened;
  for (const model::Mutation& mutation : batch.mutations) {
    if (const auto* reopen = std::get_if<model::ReopenDelivery>(&mutation)) {
      reopened.insert({reopen->seq, reopen->webhook});
    } else if (const auto* put = std::get_if<model::PutPending>(&mutation)) {
      for (const model::PendingEntry& entry : put->chunk.entries) {
        const support::DeliveryKey key{put->chunk.seq, entry.webhook};
        if (reopened.erase(key) == 0) continue;
        progress_[key] = {static_cast<std::uint16_t>(entry.attempts + 1), State::kWaiting};
      }
    }
  }
}

Repeats::Progress Repeats::stored(support::DeliveryKey key) const {
  Progress progress;
  const model::PendingEntry* pending = scene_.durable.find_pending(key);
  if (pending != nullptr && !model::is_final(pending->state)) {
    progress.next_number = static_cast<std::uint16_t>(pending->attempts + 1);
    return progress;
  }
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
