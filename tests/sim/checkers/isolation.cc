#include "tests/sim/checkers/isolation.h"

#include <algorithm>
#include <chrono>
#include <variant>

#include "engine/core/retry_budget.h"
#include "engine/core/retry_policy.h"
#include "tests/sim/checkers/pace.h"

namespace triggerd::sim {
namespace {

constexpr base::Duration kTolerance = std::chrono::milliseconds(1);
constexpr std::size_t kCacheThatHoldsAll = std::size_t{1} << 20;

enum class Tells : std::uint8_t { kNothing, kSuccess, kFailure, kOverload };

Tells told_by(const model::Outcome& outcome) {
  switch (outcome.kind) {
    case model::OutcomeClass::kOk:
      return Tells::kSuccess;
    case model::OutcomeClass::kBusy:
    case model::OutcomeClass::kCancelled:
      return Tells::kNothing;
    case model::OutcomeClass::kTimeout:
    case model::OutcomeClass::kConnect:
      return Tells::kOverload;
    default:
      return core::asks_for_less(outcome) ? Tells::kOverload : Tells::kFailure;
  }
}

std::uint32_t bound_in(const core::EngineOptions& options, const model::Webhook& webhook) {
  return webhook.delivery.max_in_flight.value_or(options.in_flight_per_webhook);
}

}  // namespace

void Isolation::object(model::WebhookRef ref, const char* what) {
  scene_.verdict.object("isolation", "webhook " + std::to_string(ref.value()) + " " + what);
}

// --- What the engine hands out ----------------------------------------------------------------

void Isolation::emitted(const Emitted& seen) {
  for (const model::Mutation& mutation : seen.output.batch.mutations) learn(mutation, seen.now);
  check_waiting(seen.output, seen.now);
  for (const model::Effect& effect : seen.output.effects) {
    const auto* start = std::get_if<model::StartAttempt>(&effect.what);
    if (start != nullptr) check_start(*start, seen.now);
  }
  for (auto& [ref, receiver] : receivers_) {
    if (!could_start(receiver, seen.now)) {
      receiver.passed_over.reset();
    } else if (!receiver.passed_over) {
      receiver.passed_over = 0;
    }
  }
}

void Isolation::learn(const model::Mutation& mutation, base::Now now) {
  if (const auto* put = std::get_if<model::PutWebhook>(&mutation)) {
    changed(put->webhook, now);
  } else if (const auto* erased = std::get_if<model::EraseWebhook>(&mutation)) {
    const auto at = receivers_.find(erased->ref);
    if (at == receivers_.end()) return;
    --webhooks_at_[origin_of(at->second.webhook->target_url)];
    receivers_.erase(at);
  } else if (const auto* event = std::get_if<model::PutEvent>(&mutation)) {
    const model::Event& accepted = *event->event;
    if (!accepted.ordering_key.empty()) return;
    for (const model::Match& match : accepted.matches) {
      const auto at = receivers_.find(match.webhook);
      if (at != receivers_.end()) at->second.fresh.insert(accepted.seq);
    }
  } else if (const auto* put_attempt = std::get_if<model::PutAttempt>(&mutation)) {
    const auto at = receivers_.find(put_attempt->attempt.webhook);
    if (at != receivers_.end()) at->second.fresh.erase(put_attempt->attempt.seq);
  }
}

void Isolation::changed(const model::WebhookPtr& webhook, base::Now now) {
  Receiver& receiver = receivers_[webhook->ref];
  const model::WebhookPtr before = receiver.webhook;
  receiver.webhook = webhook;
  receiver.passed_over.reset();
  const std::uint32_t bound = bound_in(scene_.options, *webhook);
  receiver.bound_most = std::max(receiver.bound_most, bound);
  if (before == nullptr) {
    renew(receiver);
    ++webhooks_at_[origin_of(webhook->target_url)];
    return;
  }
  --webhooks_at_[origin_of(before->target_url)];
  ++webhooks_at_[origin_of(webhook->target_url)];
  const bool enabled = before->state == model::WebhookState::kDisabled &&
                       webhook->state != model::WebhookState::kDisabled;
  if (before->target_url == webhook->target_url && !enabled) return;
  renew(receiver);
  receiver.changed_at = now.mono;
}

void Isolation::renew(Receiver& receiver) const {
  ++receiver.era;
  ++receiver.round;
  receiver.open = receiver.breaker_in_doubt = false;
  receiver.probe.reset();
  receiver.failures_in_row = receiver.doublings = 0;
  receiver.limit = receiver.limit_before = scene_.options.isolation.in_flight_start;
}

void Isolation::check_start(const model::StartAttempt& start, base::Now now) {
  const std::string origin = origin_of(start.webhook->target_url);
  ++in_flight_at_[origin];
  const auto at = receivers_.find(start.webhook->ref);
  if (at == receivers_.end()) {
    calls_[start.id.value()] = Call{0, {}, true, origin};
    return;
  }
  Receiver& receiver = at->second;
  receiver.passed_over.reset();
  receiver.fresh.erase(start.event->seq);
  ++receiver.in_flight;
  Call call{receiver.era, receiver.round, false, origin};
  call.in_doubt = receiver.changed_at == now.mono;
  if (receiver.limit_fell_at == now.mono) call.round.reset();
  if (receiver.open && receiver.opened_at == now.mono) call.round.reset();
  if (!call.in_doubt && scene_.options.isolation.in_flight_start > 0) {
    const bool fell_now = receiver.limit_fell_at == now.mono;
    const double limit = fell_now ? receiver.limit_before : receiver.limit;
    const double allowed = std::min<double>(limit, receiver.bound_most);
    if (receiver.in_flight > allowed) object(at->first, "gets more at once than it can take");
  }
  if (!call.in_doubt && receiver.open && receiver.opened_at != now.mono) {
    if (receiver.probe) {
      object(at->first, "is called beside the probe");
    } else if (now.mono + kTolerance < receiver.open_until) {
      object(at->first, "is called though it was to be left alone");
    }
    receiver.probe = start.id.value();
    ++probes_;
  }
  calls_[start.id.value()] = call;
}

// --- What the receivers answer ----------------------------------------------------------------

void Isolation::finished(const Finished& seen) {
  const auto call_at = calls_.find(seen.attempt.id.value());
  if (call_at == calls_.end()) return;
  const Call call = call_at->second;
  calls_.erase(call_at);
  --in_flight_at_[call.origin];
  // Who waits for this host has a new situation.
  for (auto& [ref, receiver] : receivers_) {
    if (origin_of(receiver.webhook->target_url) == call.origin) receiver.passed_over.reset();
  }
  const auto at = receivers_.find(seen.attempt.webhook->ref);
  if (at == receivers_.end()) return;
  Receiver& receiver = at->second;
  receiver.passed_over.reset();
  if (receiver.in_flight > 0) --receiver.in_flight;
  if (told_by(seen.outcome) == Tells::kNothing) receiver.stepped_back_at = seen.now.mono;
  if (call.era != receiver.era) return;
  if (call.in_doubt) {
    // It may count or not, so nobody can say when the breaker opens; until the receiver is another.
    if (told_by(seen.outcome) != Tells::kNothing) {
      receiver.breaker_in_doubt = true;
      receiver.open = false;
    }
    // The limit may have risen by it.
    if (told_by(seen.outcome) == Tells::kSuccess && receiver.limit < receiver.bound_most) {
      receiver.limit += 1;
    }
    return;
  }
  judge_limit(receiver, call, seen);
  judge_breaker(receiver, seen);
}

void Isolation::judge_limit(Receiver& receiver, const Call& call, const Finished& seen) {
  const Tells tells = told_by(seen.outcome);
  if (tells == Tells::kSuccess) {
    if (receiver.limit < receiver.bound_most) receiver.limit += 1;
  } else if (tells == Tells::kOverload && call.round == receiver.round) {
    if (receiver.limit_fell_at != seen.now.mono) receiver.limit_before = receiver.limit;
    receiver.limit = std::max(std::min<double>(receiver.limit, receiver.bound_most) / 2, 1.0);
    receiver.limit_fell_at = seen.now.mono;
    ++receiver.round;
    ++falls_;
  }
}

void Isolation::judge_breaker(Receiver& receiver, const Finished& seen) {
  const core::CircuitBreakerOptions& options = scene_.options.isolation.breaker;
  const Tells tells = told_by(seen.outcome);
  if (options.failures_to_open == 0 || receiver.breaker_in_doubt) return;
  if (receiver.open) {
    if (receiver.probe != seen.attempt.id.value()) return;
    receiver.probe.reset();
    if (tells == Tells::kSuccess) {
      receiver.open = false;
      receiver.failures_in_row = receiver.doublings = 0;
    } else if (tells != Tells::kNothing) {
      ++receiver.doublings;
      open(receiver, seen.now);
    }
  } else if (tells == Tells::kSuccess) {
    receiver.failures_in_row = 0;
  } else if (tells != Tells::kNothing && ++receiver.failures_in_row >= options.failures_to_open) {
    receiver.doublings = 0;
    open(receiver, seen.now);
  }
  if (tells != Tells::kOverload || seen.outcome.retry_after <= base::Duration(0) ||
      !core::asks_for_less(seen.outcome)) {
    return;
  }
  if (!receiver.open) open(receiver, seen.now);
  const base::Duration hold = std::min(seen.outcome.retry_after, core::kReceiverHoldMax);
  receiver.open_until = receiver.failures_in_row == 0
                            ? std::max(receiver.open_until, seen.now.mono + hold)
                            : seen.now.mono + hold;
  receiver.failures_in_row = 0;
}

void Isolation::open(Receiver& receiver, base::Now now) {
  const core::CircuitBreakerOptions& options = scene_.options.isolation.breaker;
  base::Duration time = options.open_for;
  const base::Duration most = std::max(options.open_for, options.open_for_max);
  for (std::uint32_t i = 0; i < receiver.doublings && time < most; ++i) time *= 2;
  time = std::min(time, most);
  receiver.open = true;
  receiver.opened_at = now.mono;
  receiver.open_until =
      now.mono + std::chrono::duration_cast<base::Duration>(time * (1 - options.jitter));
  if (receiver.failures_in_row >= options.failures_to_open) receiver.failures_in_row = 0;
  ++openings_;
}

void Isolation::restarted(const Restarted&) {
  receivers_.clear();
  calls_.clear();
  in_flight_at_.clear();
  webhooks_at_.clear();
  fresh_starts_ = retry_starts_ = 0;
  for (const auto& [ref, webhook] : scene_.durable.webhooks) changed(webhook, {});
}

// --- Who waits --------------------------------------------------------------------------------

bool Isolation::could_start(const Receiver& receiver, base::Now now) const {
  const std::string origin = origin_of(receiver.webhook->target_url);
  const auto there = webhooks_at_.find(origin);
  const auto busy = in_flight_at_.find(origin);
  return scene_.options.payload_cache_bytes >= kCacheThatHoldsAll && !receiver.fresh.empty() &&
         receiver.webhook->state == model::WebhookState::kActive &&
         !receiver.webhook->delivery.rate && !receiver.open && !receiver.breaker_in_doubt &&
         receiver.failures_in_row == 0 && receiver.in_flight == 0 &&
         receiver.changed_at != now.mono &&
         now.mono - receiver.stepped_back_at > std::chrono::seconds(1) &&
         (busy == in_flight_at_.end() || busy->second == 0) &&
         there->second <= scene_.options.in_flight_per_host;
}

// A turn of its organization in each round of them, and one of its own in each round of the
// organization's webhooks; beside them the retries that were saved up, and one of each webhook that
// was let through before.
std::uint64_t Isolation::patience_of(const Receiver& receiver) const {
  std::set<model::OrgId> organizations;
  std::uint64_t of_own = 0;
  for (const auto& [ref, other] : receivers_) {
    organizations.insert(other.webhook->org);
    if (other.webhook->org == receiver.webhook->org) ++of_own;
  }
  const std::uint64_t fresh = (of_own + 1) * (organizations.size() + 1);
  const std::uint64_t share = std::min(scene_.options.isolation.retry_share_percent, 99U);
  return fresh * 100 / (100 - share) + core::RetryBudget::kBurst + 2 * receivers_.size();
}

// All starts of this output came while a first attempt waited, if one did before and does now.
void Isolation::check_waiting(const model::Output& output, base::Now now) {
  std::uint64_t fresh = 0;
  std::uint64_t retries = 0;
  std::set<model::WebhookRef> started;
  for (const model::Effect& effect : output.effects) {
    const auto* start = std::get_if<model::StartAttempt>(&effect.what);
    if (start == nullptr) continue;
    ++(start->number > 1 ? retries : fresh);
    started.insert(start->webhook->ref);
  }
  bool somebody_waits = false;
  for (auto& [ref, receiver] : receivers_) {
    if (!receiver.passed_over || started.contains(ref) || !could_start(receiver, now)) continue;
    somebody_waits = true;
    *receiver.passed_over += fresh + retries;
    if (*receiver.passed_over > patience_of(receiver)) object(ref, "is passed over for too long");
  }
  if (!somebody_waits) {
    fresh_starts_ = retry_starts_ = 0;
    return;
  }
  contested_ += fresh + retries;
  fresh_starts_ += fresh;
  retry_starts_ += retries;
  const std::uint64_t share = scene_.options.isolation.retry_share_percent;
  if (share >= 100) return;
  const std::uint64_t allowed =
      fresh_starts_ * share / (100 - share) + core::RetryBudget::kBurst + 2 * receivers_.size();
  if (retry_starts_ > allowed) {
    scene_.verdict.object("isolation", std::to_string(retry_starts_) + " retries beside " +
                                           std::to_string(fresh_starts_) +
                                           " first attempts while first attempts wait");
  }
}

}  // namespace triggerd::sim
