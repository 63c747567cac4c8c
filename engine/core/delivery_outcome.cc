// Deliveries: what an outcome leads to.
#include <algorithm>
#include <chrono>
#include <limits>
#include <span>
#include <utility>

#include "engine/base/assert.h"
#include "engine/core/deliveries.h"

namespace triggerd::core {

using base::Duration;
using base::Now;
using model::AttemptId;
using model::AttemptRecord;
using model::DeliveryState;
using model::kNoAttempt;
using model::Outcome;
using model::OutcomeClass;
using model::PutAttempt;
using model::Webhook;
using model::WebhookState;

namespace {

// What the outcome says about the receiver, not about the delivery.
CallReport report_of(const Outcome& outcome) {
  CallReport report;
  report.latency = std::chrono::microseconds(outcome.timings.total_us);
  switch (outcome.kind) {
    case OutcomeClass::kOk:
      report.result = CallResult::kSucceeded;
      break;
    case OutcomeClass::kCancelled:
    case OutcomeClass::kBusy:
      report.result = CallResult::kNothing;
      break;
    case OutcomeClass::kTimeout:
    case OutcomeClass::kConnect:
      report.result = CallResult::kOverloaded;
      break;
    default:
      report.result = asks_for_less(outcome) ? CallResult::kOverloaded : CallResult::kFailed;
      if (asks_for_less(outcome)) {
        report.retry_after = std::max(outcome.retry_after, Duration(0));
      }
  }
  return report;
}

}  // namespace

void Deliveries::finish(AttemptId id, const Outcome& outcome, Now now) {
  const auto at = attempts_.find(id);
  if (at == attempts_.end()) return;
  now_ = now;
  const Attempt attempt = std::move(at->second);
  attempts_.erase(at);
  const Grant& grant = attempt.grant;
  tell_of_breaker(grant, scheduler_.release(grant, report_of(outcome), now.mono));

  PendingDelivery& delivery = delivery_at(grant.delivery);
  const RetryDecision decision = decide(attempt, outcome);
  const bool counts = decision.verdict != RetryVerdict::kAgain;
  if (counts && delivery.attempts < std::numeric_limits<std::uint8_t>::max()) ++delivery.attempts;
  const std::uint16_t number = counts ? delivery.attempts : kNoAttempt;
  if (counts) note_health(attempt, decision.verdict, now);

  Fate fate = fate_of(delivery);
  switch (decision.verdict) {
    case RetryVerdict::kDelivered:
      conclude(grant.delivery, DeliveryState::kDelivered, number, outcome);
      break;
    case RetryVerdict::kGone: {
      tell_of_dead_letter(grant.delivery, outcome);
      conclude(grant.delivery, DeliveryState::kDead, number, outcome);
      const Webhook* webhook = registry_.peek(grant.lane);
      if (webhook != nullptr && webhook->state != WebhookState::kDisabled) {
        disable(*webhook, model::DisabledReason::kGone, now);
      }
      break;
    }
    case RetryVerdict::kDead:
      tell_of_dead_letter(grant.delivery, outcome);
      conclude(grant.delivery, DeliveryState::kDead, number, outcome);
      break;
    case RetryVerdict::kRetry:
    case RetryVerdict::kAgain:
      if (fate.state != DeliveryState::kReady) {
        if (counts) {
          conclude(grant.delivery, fate.state, number, outcome);
        } else {
          give_up(grant.delivery, fate, now);
        }
      } else if (counts) {
        retry_later(grant.delivery, outcome, decision.delay, now);
      } else {
        step_back(grant, outcome, decision.delay, now);
      }
      break;
  }
  close_if_over(grant.lane);
}

void Deliveries::tell_of_breaker(const Grant& grant, BreakerChange change) {
  if (change == BreakerChange::kNone) return;
  const Webhook* webhook = registry_.peek(grant.lane);
  if (webhook == nullptr) return;
  outbox_.tell(
      {change == BreakerChange::kOpened ? FactKind::kBreakerOpened : FactKind::kBreakerClosed,
       webhook->org, grant.lane});
}

void Deliveries::tell_of_dead_letter(DeliveryRef delivery, const Outcome& outcome) {
  const PendingEvent& event = events_.at(delivery.event);
  const PendingDelivery& dead = event.deliveries[delivery.match];
  Fact fact{FactKind::kDeadLetter, event.org, dead.webhook};
  fact.event = event.id;
  fact.event_name = event.name;
  fact.attempts = dead.attempts;
  fact.outcome = outcome.kind;
  fact.http_status = outcome.http_status;
  fact.detail = outcome.detail;
  outbox_.tell(std::move(fact));
}

RetryDecision Deliveries::decide(const Attempt& attempt, const Outcome& outcome) {
  // Of those since it was accepted, or given again by hand.
  const PendingDelivery& delivery = delivery_at(attempt.grant.delivery);
  const std::uint32_t number = delivery.attempts - delivery.attempts_before + 1U;
  const Webhook* webhook = registry_.peek(attempt.grant.lane);
  const auto& own = (webhook != nullptr ? *webhook : *attempt.webhook).delivery.schedule;
  const std::span<const Duration> schedule = own ? *own : options_.retry.schedule;
  if (outcome.http_status == 410 && webhook != nullptr &&
      webhook->target_url != attempt.webhook->target_url) {
    // Gone is what was left behind, not where the webhook points now: a failure like any other.
    Outcome other = outcome;
    other.http_status = 404;
    return decide_retry(number, other, schedule, options_.retry.jitter, random_);
  }
  return decide_retry(number, outcome, schedule, options_.retry.jitter, random_);
}

// Before its verdict is carried out: the delivery of a webhook that is disabled for it is dead.
void Deliveries::note_health(const Attempt& attempt, RetryVerdict verdict, Now now) {
  const Webhook* webhook = registry_.peek(attempt.grant.lane);
  if (webhook == nullptr || webhook->state == WebhookState::kDisabled ||
      webhook->target_url != attempt.webhook->target_url) {
    return;
  }
  Webhook changed;
  if (verdict == RetryVerdict::kDelivered) {
    health_.forget(webhook->ref);
    if (webhook->failing_since == base::WallTime()) return;
    changed = *webhook;
    changed.failing_since = base::WallTime();
    return replace(std::move(changed));
  }
  if (verdict == RetryVerdict::kGone) return;
  switch (health_.failed(webhook->ref, webhook->failing_since, now)) {
    case HealthVerdict::kNothing:
      return;
    case HealthVerdict::kNote:
      changed = *webhook;
      changed.failing_since = health_.since(webhook->ref, now);
      return replace(std::move(changed));
    case HealthVerdict::kDisable:
      changed = *webhook;
      changed.failing_since = health_.since(webhook->ref, now);
      return disable(changed, model::DisabledReason::kFailing, now);
  }
}

void Deliveries::conclude(DeliveryRef delivery, DeliveryState state, std::uint16_t number,
                          Outcome outcome) {
  TRIGGERD_ASSERT(model::is_final(state));
  PendingEvent& event = events_.at(delivery.event);
  PendingDelivery& concluded = event.deliveries[delivery.match];
  TRIGGERD_ASSERT(!model::is_final(concluded.state));
  concluded.state = state;
  concluded.due = model::WallTime();
  move(delivery, DeliveryPlace::kNowhere);
  log(delivery, number, std::move(outcome));
  mark_dirty(delivery);
  follow(delivery);

  counts_.concluded(event.org, concluded.webhook);
  if (concluded.generation == model::kNoTrigger) watch_.over(event.seq, delivery.match);
  --event.open;
  forget_if_over(delivery.event);
}

// Puts down what led to the state in which the delivery now is, and tells who waits for it.
void Deliveries::log(DeliveryRef delivery, std::uint16_t number, Outcome outcome) {
  const PendingEvent& event = events_.at(delivery.event);
  const PendingDelivery& logged = event.deliveries[delivery.match];
  AttemptRecord record;
  record.webhook = logged.webhook;
  record.seq = event.seq;
  record.event_id = event.id;
  record.event_name = event.name;
  record.accepted_at = event.accepted_at;
  record.number = number;
  record.state_after = logged.state;
  record.due = logged.due;
  const OutcomeClass kind = outcome.kind;
  const std::uint16_t http_status = outcome.http_status;
  record.outcome = std::move(outcome);
  outbox_.put(PutAttempt{std::move(record), event.org});
  const bool is_first = number == 1 || (number == kNoAttempt && logged.attempts == 0);
  if (is_first) waits_.over(event.seq, delivery.match, kind, http_status);
}

void Deliveries::give_up(DeliveryRef delivery, const Fate& fate, Now now) {
  Outcome outcome;
  outcome.kind = OutcomeClass::kCancelled;
  outcome.started_at = now.wall;
  outcome.detail = fate.detail;
  conclude(delivery, fate.state, kNoAttempt, std::move(outcome));
}

void Deliveries::retry_later(DeliveryRef delivery, const Outcome& outcome, Duration delay,
                             Now now) {
  PendingDelivery& delayed = delivery_at(delivery);
  delayed.state = DeliveryState::kDelayed;
  delayed.due = now.wall + delay;
  if (!park_if_full(delivery)) {
    move(delivery, DeliveryPlace::kDelayed);
    scheduler_.delay(delivery, now.mono + delay);
  }
  log(delivery, delayed.attempts, outcome);
  mark_dirty(delivery);
}

// The attempt did not happen. Nothing is stored: a restart would make it ready just the same.
void Deliveries::step_back(const Grant& grant, const Outcome& outcome, Duration delay, Now now) {
  // No room there now: not for the others of this lane either.
  if (outcome.kind == OutcomeClass::kBusy && delay > Duration(0)) {
    scheduler_.rest(grant.lane, now.mono + delay);
    scheduler_.refund(grant);
  }
  move(grant.delivery, DeliveryPlace::kLane);
  scheduler_.push_front(grant.lane, grant.delivery, grant.work);
}

}  // namespace triggerd::core
