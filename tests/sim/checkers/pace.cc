#include "tests/sim/checkers/pace.h"

#include <algorithm>
#include <chrono>
#include <variant>

#include "tests/sim/checkers/text.h"

namespace triggerd::sim {
namespace {

// Rounding of times, in the engine or in a stored row.
constexpr base::Duration kTolerance = std::chrono::milliseconds(1);

std::string seconds_text(base::Duration duration) {
  return std::to_string(std::chrono::duration<double>(duration).count()) + " s";
}

}  // namespace

std::string origin_of(const std::string& target_url) {
  const std::size_t host = target_url.find("://");
  if (host == std::string::npos) return target_url;
  return target_url.substr(0, target_url.find('/', host + 3));
}

void Pace::emitted(const Emitted& seen) {
  forms_.turn(seen.output.batch);
  for (JustFinished& finished : just_finished_) find_due(finished);
  for (const model::Mutation& mutation : seen.output.batch.mutations) {
    if (const auto* reopen = std::get_if<model::ReopenDelivery>(&mutation)) {
      mended_.insert({reopen->seq, reopen->webhook});
    }
    // One that was parked goes by the wall clock, as after a restart.
    if (const auto* unparked = std::get_if<model::EraseParked>(&mutation)) {
      const model::ParkedKey& key = unparked->key;
      const base::Duration left = std::max(base::Duration(0), key.due - seen.now.wall);
      if (key.kind == model::ParkedKind::kDelayed) {
        earliest_[{key.seq, key.webhook}] = seen.now.mono + left - kTolerance;
      }
    }
    if (const auto* put = std::get_if<model::PutPending>(&mutation)) {
      check_stored_due(put->chunk, seen.now);
    }
  }
  just_finished_.clear();
  for (const model::Effect& effect : seen.output.effects) {
    const auto* start = std::get_if<model::StartAttempt>(&effect.what);
    if (start == nullptr) continue;
    const support::DeliveryKey key{start->event->seq, start->webhook->ref};
    const auto due = earliest_.find(key);
    if (is_mended(*start)) continue;
    if (due != earliest_.end() && seen.now.mono < due->second) {
      object(text_of(key) + " is tried " + seconds_text(due->second - seen.now.mono) +
             " before it is due");
    }
  }
}

void Pace::handled(const Handled& seen) {
  if (const auto* retry = std::get_if<model::RetryDelivery>(&seen.request)) {
    hurried_.insert({retry->webhook, retry->event});
  }
}

// Somebody asked for it by hand: it need not wait, and its schedule begins anew.
bool Pace::is_mended(const model::StartAttempt& start) const {
  return mended_.contains({start.event->seq, start.webhook->ref}) ||
         hurried_.contains({start.webhook->id, start.event->id});
}

void Pace::check_stored_due(const model::PendingChunk& chunk, base::Now now) {
  for (const JustFinished& finished : just_finished_) {
    if (finished.key.seq != chunk.seq || finished.at.mono != now.mono) continue;
    for (const model::PendingEntry& entry : chunk.entries) {
      if (entry.webhook != finished.key.webhook || entry.attempts != finished.attempts) continue;
      if (entry.state == model::DeliveryState::kDelayed && entry.due < finished.due_min) {
        object(text_of(finished.key) + " is stored as due " +
               seconds_text(finished.due_min - entry.due) + " too early");
      }
    }
  }
}

void Pace::released(const Released& seen) {
  const auto* start = std::get_if<model::StartAttempt>(&seen.effect);
  if (start == nullptr) return;
  const std::string origin = origin_of(start->webhook->target_url);
  if (++of_host_[origin] > scene_.options.in_flight_per_host) {
    object("too many calls in flight to " + origin);
  }
  if (++in_all_ > scene_.options.in_flight) object("too many calls in flight in all");
}

void Pace::finished(const Finished& seen) {
  --of_host_[origin_of(seen.attempt.webhook->target_url)];
  --in_all_;
  const support::DeliveryKey key{seen.attempt.event->seq, seen.attempt.webhook->ref};
  earliest_.erase(key);
  const model::Outcome& outcome = seen.outcome;
  if (outcome.kind == model::OutcomeClass::kOk || outcome.kind == model::OutcomeClass::kBusy ||
      outcome.kind == model::OutcomeClass::kCancelled || is_mended(seen.attempt)) {
    return;
  }
  just_finished_.push_back(
      {key, static_cast<std::uint8_t>(seen.attempt.number), seen.now, outcome, seen.now.wall});
}

// By the schedule that allows it soonest, of those that may have been in force.
void Pace::find_due(JustFinished& finished) {
  std::vector<std::vector<base::Duration>> schedules;
  for (const model::WebhookPtr& form : forms_.of(finished.key.webhook)) {
    schedules.push_back(form->delivery.schedule.value_or(scene_.options.retry_schedule));
  }
  if (schedules.empty()) schedules.push_back(scene_.options.retry_schedule);
  std::optional<base::Duration> soonest;
  for (const std::vector<base::Duration>& schedule : schedules) {
    const std::size_t retry = finished.attempts;  // from 1
    if (retry > schedule.size()) continue;
    const auto delay = std::chrono::duration_cast<base::Duration>(
        schedule[retry - 1] * (1 - scene_.options.retry_jitter));
    soonest = std::min(soonest.value_or(delay), delay);
  }
  if (!soonest) return;
  const model::Outcome& outcome = finished.outcome;
  if (outcome.retry_after >= base::Duration(0) &&
      (outcome.http_status == 429 || outcome.http_status == 503)) {
    soonest = std::min<base::Duration>(outcome.retry_after, model::kRetryAfterMax);
  }
  const base::Duration delay = *soonest - kTolerance;
  earliest_[finished.key] = finished.at.mono + delay;
  finished.due_min = finished.at.wall + delay;
}

void Pace::restarted(const Restarted& seen) {
  forms_.restarted(scene_.durable);
  earliest_.clear();
  just_finished_.clear();
  of_host_.clear();
  in_all_ = 0;
  mended_ = scene_.durable.reopened;
  for (const auto& [at, chunk] : scene_.durable.pending) {
    for (const model::PendingEntry& entry : chunk.entries) {
      if (entry.state != model::DeliveryState::kDelayed) continue;
      const base::Duration left = std::max(base::Duration(0), entry.due - seen.now.wall);
      earliest_[{chunk.seq, entry.webhook}] = seen.now.mono + left - kTolerance;
    }
  }
}

}  // namespace triggerd::sim
