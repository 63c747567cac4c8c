#include "tests/sim/sim_receivers.h"

#include <chrono>
#include <memory>
#include <string>
#include <utility>

namespace triggerd::sim {
namespace {
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
}  // namespace

SimReceivers::Answer SimReceivers::call(const model::StartAttempt& attempt, base::Now now) {
  const auto mood = mood_of(attempt.webhook->id, now.mono);
  Answer answer;
  switch (mood) {
    case MoodKind::kWell:
      answer = ok(attempt);
      break;
    case MoodKind::kFlaky:
      answer = draw_chance(random_, 0.5) ? ok(attempt) : http_error(502);
      break;
    case MoodKind::kFailing:
      answer = http_error(draw_chance(random_, 0.8) ? 500 : 302);
      break;
    case MoodKind::kHanging:
      answer.after = attempt.timeout;
      answer.outcome.kind = model::OutcomeClass::kTimeout;
      break;
    case MoodKind::kResetting:
      answer.after = draw_between(random_, milliseconds(0), milliseconds(50));
      answer.outcome.kind = model::OutcomeClass::kConnect;
      break;
    case MoodKind::kThrottling:
      answer = throttled();
      break;
    case MoodKind::kBusy:
      answer.after = draw_between(random_, base::Duration(0), milliseconds(1));
      answer.outcome.kind = model::OutcomeClass::kBusy;
      break;
    case MoodKind::kGone:
      answer = http_error(410);
      break;
  }
  answer.outcome.started_at = now.wall;
  answer.outcome.timings.total_us = static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(answer.after).count());
  if (attempt.trigger_type == model::TriggerType::kSyncHook) judge_hook(answer);
  return answer;
}

// What the dispatcher makes of a hook's answer, and sometimes a veto or garbage.
void SimReceivers::judge_hook(Answer& answer) {
  if (answer.outcome.kind != model::OutcomeClass::kOk) return;
  auto hook = std::make_shared<model::HookAnswer>();
  const std::uint64_t dice = healed_ || plan_.fault_free ? 99 : random_.below(100);
  if (dice < 8) {
    answer.outcome.kind = model::OutcomeClass::kBadAnswer;
    return;
  }
  if (dice < 14) {
    answer.outcome.kind = model::OutcomeClass::kDenied;
    answer.outcome.http_status = 403;
    if (draw_chance(random_, 0.5)) hook->reason = "veto";
  } else {
    for (const char* name : {"a", "b", "sub"}) {
      if (draw_chance(random_, 0.4)) {
        hook->claims.push_back({name, std::to_string(random_.below(3))});
      }
    }
  }
  answer.outcome.hook = std::move(hook);
}

SimReceivers::MoodKind SimReceivers::mood_of(model::WebhookId webhook, base::MonoTime now) {
  if (healed_ || plan_.fault_free) return MoodKind::kWell;
  Mood& mood = moods_[webhook];
  if (now < mood.until) return mood.kind;
  mood.until = now + draw_pause(random_, plan_.trouble_mean);
  mood.kind = MoodKind::kWell;
  if (!draw_chance(random_, plan_.receiver_trouble)) return mood.kind;
  switch (random_.below(16)) {
    case 0:
      mood.kind = draw_chance(random_, 0.3) ? MoodKind::kGone : MoodKind::kFlaky;
      break;
    case 1:
    case 2:
      mood.kind = MoodKind::kBusy;  // we never stay without room for long
      mood.until = now + draw_pause(random_, seconds(1));
      break;
    case 3:
    case 4:
    case 5:
      mood.kind = MoodKind::kThrottling;
      break;
    case 6:
    case 7:
      mood.kind = MoodKind::kHanging;
      break;
    case 8:
    case 9:
      mood.kind = MoodKind::kResetting;
      break;
    case 10:
    case 11:
    case 12:
      mood.kind = MoodKind::kFlaky;
      break;
    default:
      mood.kind = MoodKind::kFailing;
  }
  return mood.kind;
}

SimReceivers::Answer SimReceivers::ok(const model::StartAttempt& attempt) {
  Answer answer;
  answer.after = draw_between(random_, milliseconds(1), milliseconds(150));
  answer.outcome.kind = model::OutcomeClass::kOk;
  answer.outcome.http_status = draw_chance(random_, 0.9) ? 200 : 204;
  // Now and then slow, near the timeout but before it.
  if (draw_chance(random_, 0.02)) answer.after = attempt.timeout - milliseconds(1);
  return answer;
}

SimReceivers::Answer SimReceivers::http_error(std::uint16_t status) {
  Answer answer;
  answer.after = draw_between(random_, milliseconds(1), milliseconds(400));
  answer.outcome.kind = model::OutcomeClass::kHttpError;
  answer.outcome.http_status = status;
  return answer;
}

SimReceivers::Answer SimReceivers::throttled() {
  Answer answer = http_error(draw_chance(random_, 0.5) ? 429 : 503);
  if (draw_chance(random_, 0.7)) {
    answer.outcome.retry_after = draw_chance(random_, 0.1)
                                     ? base::Duration(model::kRetryAfterMax)
                                     : draw_between(random_, seconds(0), minutes(10));
  }
  return answer;
}

}  // namespace triggerd::sim
