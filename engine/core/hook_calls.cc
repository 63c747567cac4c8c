#include "engine/core/hook_calls.h"

#include <algorithm>
#include <memory>

#include "engine/base/assert.h"
#include "engine/core/event_catalogue.h"
#include "engine/model/limits.h"
#include "engine/model/url.h"

namespace triggerd::core {

using base::Duration;
using base::ErrorCode;
using base::MonoTime;
using base::Now;
using model::AttemptId;
using model::BatchSeq;
using model::CallHook;
using model::Match;
using model::Outcome;
using model::OutcomeClass;
using model::Refusal;
using model::RequestId;
using model::Webhook;
using model::WebhookRef;
using model::WebhookState;

namespace {

Duration timeout_of(const Webhook& webhook) {
  return webhook.timeout > Duration(0) ? webhook.timeout : Duration(model::kSyncHookTimeoutDefault);
}

std::size_t bytes_of(const Outcome& outcome) {
  std::size_t bytes = outcome.answer.size() + outcome.detail.size();
  if (outcome.hook == nullptr) return bytes;
  bytes += outcome.hook->reason.size();
  for (const model::HookClaim& claim : outcome.hook->claims) {
    bytes += sizeof(claim) + claim.name.size() + claim.json.size();
  }
  return bytes;
}

Outcome not_called(OutcomeClass kind, const char* detail, base::WallTime now) {
  Outcome outcome;
  outcome.kind = kind;
  outcome.detail = detail;
  outcome.started_at = now;
  return outcome;
}

}  // namespace

HookCalls::HookCalls(const HookLimits& limits, const CircuitBreakerOptions& breaker,
                     model::TargetPolicy targets, Registry& registry, Publisher& publisher,
                     Outbox& outbox, std::uint64_t seed)
    : limits_(limits),
      breaker_(breaker),
      targets_(std::move(targets)),
      registry_(registry),
      publisher_(publisher),
      outbox_(outbox),
      origins_(seed) {}

// --- From request to calls --------------------------------------------------------------------

void HookCalls::handle(CallHook request, RequestId id, Now now) {
  if (!good_or_refuse(request, id)) return;
  std::vector<Match> matches = matches_of(request);
  if (matches.empty()) {
    model::HookReply reply;
    reply.waited_for = request.wait;
    outbox_.emit(BatchSeq(0), model::SendReply{id, std::move(reply)});
    return;
  }
  if (!room_or_refuse(request, matches.size(), id)) return;

  auto event = std::make_shared<model::Event>();
  event->seq = publisher_.take_event_seq();
  event->id = request.id;
  event->org = request.org;
  event->name = std::move(request.name);
  event->accepted_at = now.wall;
  event->timestamp = now.wall;
  event->traceparent = std::move(request.traceparent);
  event->content = std::move(request.content);
  event->own_members_at = 1;
  event->matches = std::move(matches);
  event->trigger_type = model::TriggerType::kSyncHook;

  Call call;
  call.event = event;
  call.started = now.mono;
  call.waited_for = request.wait;
  call.bytes = event->content.size();
  call.parts.resize(event->matches.size());
  call.open = call.parts.size();
  Duration longest{0};
  for (std::size_t i = 0; i < call.parts.size(); ++i) {
    call.parts[i].said.webhook = registry_.webhook(event->matches[i].webhook);
    longest = std::max(longest, timeout_of(*call.parts[i].said.webhook));
  }
  call.deadline = now.mono + (request.wait > Duration(0) ? request.wait : longest);
  for (std::size_t i = 0; i < call.parts.size(); ++i) start(call, i, id, now);

  bytes_held_ += call.bytes;
  ++calls_by_org_[event->org];
  deadlines_.emplace(call.deadline, id);
  const bool is_over = call.open == 0;
  const auto [at, is_new] = calls_.emplace(id, std::move(call));
  TRIGGERD_ASSERT(is_new);
  if (is_over) conclude(at);
}

bool HookCalls::good_or_refuse(const CallHook& request, RequestId id) {
  Refusal refusal;
  if (registry_.organization(request.org) == nullptr) {
    refusal.faults.push_back(
        {ErrorCode::kNotFound, "could not find organization " + request.org.to_string()});
  } else if (!EventCatalogue::knows_sync_hook(request.name)) {
    refusal.faults.push_back({ErrorCode::kNotFound,
                              "trigger_name: there is no such sync hook; there are token_minted, "
                              "identify_user, threat_detection and posture_detection"});
  }
  if (request.content.size() > model::kEventContentBytesMax) {
    refusal.faults.push_back(
        {ErrorCode::kTooLarge, "body: has " + std::to_string(request.content.size()) +
                                   " bytes, at most " +
                                   std::to_string(model::kEventContentBytesMax) + " are taken"});
  }
  if (refusal.faults.empty()) return true;
  outbox_.refuse(id, std::move(refusal));
  return false;
}

bool HookCalls::room_or_refuse(const CallHook& request, std::size_t webhooks, RequestId id) {
  if (webhooks > limits_.webhooks_per_call) {
    overloaded(id, "more than " + std::to_string(limits_.webhooks_per_call) +
                       " webhooks have this sync hook; remove some of the triggers");
    return false;
  }
  const auto of_org = calls_by_org_.find(request.org);
  if (of_org != calls_by_org_.end() && of_org->second >= limits_.calls_per_org) {
    overloaded(id, "the organization has too many hook calls under way; try again later");
    return false;
  }
  if (calls_.size() >= limits_.calls || bytes_held_ + request.content.size() > limits_.bytes_held) {
    overloaded(id, "too many hook calls are under way; try again later");
    return false;
  }
  return true;
}

void HookCalls::overloaded(RequestId id, std::string message) {
  Refusal refusal;
  refusal.faults.push_back({ErrorCode::kOverloaded, std::move(message)});
  refusal.retry_after = model::kOverloadRetryAfter;
  outbox_.refuse(id, std::move(refusal));
}

bool HookCalls::counts_as_failed(const Webhook& webhook) const {
  const bool by_its_failures = webhook.disabled_reason == model::DisabledReason::kGone ||
                               webhook.disabled_reason == model::DisabledReason::kFailing;
  return webhook.state == WebhookState::kDisabled && by_its_failures &&
         model::on_failure_of(webhook.delivery) == model::OnFailure::kClosed;
}

std::vector<Match> HookCalls::matches_of(const CallHook& request) const {
  std::vector<Match> matches;
  for (const Match& match :
       registry_.match(request.org, model::TriggerType::kSyncHook, request.name)) {
    const Webhook& webhook = *registry_.peek(match.webhook);
    if (webhook.state == WebhookState::kActive || counts_as_failed(webhook)) {
      matches.push_back(match);
    }
  }
  // The index gives them in the order of their triggers; what counts is who was registered first.
  std::sort(matches.begin(), matches.end(),
            [](const Match& left, const Match& right) { return left.webhook < right.webhook; });
  return matches;
}

void HookCalls::start(Call& call, std::size_t index, RequestId id, Now now) {
  Part& part = call.parts[index];
  const model::WebhookPtr& webhook = part.said.webhook;
  const auto without_call = [&part, &call, now](OutcomeClass kind, const char* detail) {
    part.said.outcome = not_called(kind, detail, now.wall);
    part.is_over = true;
    --call.open;
  };
  if (webhook->state != WebhookState::kActive) {
    return without_call(OutcomeClass::kDisabled,
                        "not called: the webhook was disabled by its failures");
  }
  Receiver& receiver = receiver_of(webhook);
  if (!receiver.breaker.try_begin(now.mono)) {
    return without_call(OutcomeClass::kBreakerOpen,
                        "not called: the webhook has failed too often of late");
  }
  const Duration own = timeout_of(*webhook);
  const Duration given = std::min(own, call.deadline - now.mono);
  part.is_cut_short = given < own;
  part.attempt = model::hook_attempt_id(++last_attempt_);
  attempts_.emplace(part.attempt, AttemptFor{id, index});
  model::StartAttempt attempt;
  attempt.id = part.attempt;
  attempt.webhook = webhook;
  attempt.event = call.event;
  attempt.trigger_type = model::TriggerType::kSyncHook;
  attempt.timeout = given;
  attempt.destination = receiver.origin;
  outbox_.emit(BatchSeq(0), std::move(attempt));
}

// --- Receivers --------------------------------------------------------------------------------

HookCalls::Receiver& HookCalls::receiver_of(const model::WebhookPtr& webhook) {
  if (receivers_.size() > 2 * registry_.webhook_count()) forget_erased();
  const auto [at, is_new] = receivers_.try_emplace(webhook->ref);
  Receiver& receiver = at->second;
  if (!is_new && receiver.webhook == webhook) return receiver;
  if (is_new || receiver.webhook->target_url != webhook->target_url) {
    const std::uint32_t origin = intern_origin(*webhook);
    if (!is_new) release_origin(receiver.origin);
    receiver.origin = origin;
    receiver.breaker = CircuitBreaker();  // what failed was another URL
  }
  receiver.webhook = webhook;
  return receiver;
}

std::uint32_t HookCalls::intern_origin(const Webhook& webhook) {
  const auto url = model::parse_target_url(webhook.target_url, targets_);
  // A URL that today's policy refuses was stored under another one; the dispatcher will block it.
  const std::uint32_t number = origins_.intern(url.ok() ? url.value().origin() : "");
  if (number >= origin_uses_.size()) origin_uses_.resize(number + 1);
  ++origin_uses_[number];
  return number;
}

void HookCalls::release_origin(std::uint32_t origin) {
  if (--origin_uses_[origin] == 0) origins_.erase(origin);
}

void HookCalls::forget_erased() {
  for (auto at = receivers_.begin(); at != receivers_.end();) {
    if (registry_.peek(at->first) != nullptr) {
      ++at;
      continue;
    }
    release_origin(at->second.origin);
    at = receivers_.erase(at);
  }
}

// Tells the breaker what became of a call that was begun.
void HookCalls::judge(const Part& part, MonoTime now) {
  const auto at = receivers_.find(part.said.webhook->ref);
  if (at == receivers_.end()) return;
  // The URL has changed since: the breaker is another receiver's.
  if (at->second.webhook->target_url != part.said.webhook->target_url) return;
  CircuitBreaker& breaker = at->second.breaker;
  switch (part.said.outcome.kind) {
    case OutcomeClass::kOk:
    case OutcomeClass::kDenied:
      return breaker.succeeded();
    case OutcomeClass::kBusy:
    case OutcomeClass::kCancelled:
      return breaker.abandoned();
    case OutcomeClass::kTimeout:
      // A caller in a hurry must not close the hook to those who would wait.
      if (part.is_cut_short) return breaker.abandoned();
      break;
    default:
      break;
  }
  breaker.failed(breaker_, now);
}

// --- From outcomes to the answer --------------------------------------------------------------

void HookCalls::finish(AttemptId id, const Outcome& outcome, Now now) {
  const auto at = attempts_.find(id);
  if (at == attempts_.end()) return;
  const AttemptFor attempt = at->second;
  attempts_.erase(at);
  const auto call_at = calls_.find(attempt.request);
  TRIGGERD_ASSERT(call_at != calls_.end());
  Call& call = call_at->second;
  Part& part = call.parts[attempt.part];
  TRIGGERD_ASSERT(!part.is_over && part.attempt == id);

  part.said.outcome = outcome;
  part.said.duration = outcome.timings.total_us > 0
                           ? Duration(std::chrono::microseconds(outcome.timings.total_us))
                           : now.mono - call.started;
  judge(part, now.mono);
  const std::size_t bytes = bytes_of(outcome);
  if (bytes_held_ + bytes > limits_.bytes_held) {
    part.said.outcome =
        not_called(OutcomeClass::kBusy, "no room for the answer", outcome.started_at);
  } else {
    call.bytes += bytes;
    bytes_held_ += bytes;
  }
  part.is_over = true;
  if (--call.open == 0) conclude(call_at);
}

void HookCalls::advance(Now now) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now.mono) {
    const auto at = calls_.find(deadlines_.begin()->second);
    TRIGGERD_ASSERT(at != calls_.end());
    cut_off(at->second, OutcomeClass::kTimeout, "no answer before the deadline of the hook call",
            now.mono);
    conclude(at);
  }
}

void HookCalls::cancel(RequestId id) {
  const auto at = calls_.find(id);
  if (at == calls_.end()) return;
  cut_off(at->second, OutcomeClass::kCancelled, "the caller went away", at->second.started);
  log(take(at));
}

void HookCalls::cut_off(Call& call, OutcomeClass kind, const char* detail, MonoTime now) {
  for (Part& part : call.parts) {
    if (part.is_over) continue;
    part.said.outcome = not_called(kind, detail, call.event->accepted_at);
    part.said.duration = now - call.started;
    part.said.outcome.timings.total_us = static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(part.said.duration).count());
    part.is_over = true;
    judge(part, now);
    attempts_.erase(part.attempt);
    outbox_.emit(BatchSeq(0), model::CancelAttempt{part.attempt});
  }
  call.open = 0;
}

HookCalls::Call HookCalls::take(Calls::iterator at) {
  const RequestId id = at->first;
  Call call = std::move(at->second);
  calls_.erase(at);
  deadlines_.erase({call.deadline, id});
  bytes_held_ -= call.bytes;
  const auto of_org = calls_by_org_.find(call.event->org);
  if (--of_org->second == 0) calls_by_org_.erase(of_org);
  return call;
}

void HookCalls::conclude(Calls::iterator at) {
  const RequestId id = at->first;
  const Call call = take(at);
  std::vector<HookPart> parts;
  parts.reserve(call.parts.size());
  for (const Part& part : call.parts) parts.push_back(part.said);
  model::HookReply reply = merge_hook(parts);
  reply.waited_for = call.waited_for;
  outbox_.emit(BatchSeq(0), model::SendReply{id, std::move(reply)});
  log(call);
}

void HookCalls::log(const Call& call) {
  // What is erased with its organization does not come back.
  if (registry_.organization(call.event->org) == nullptr) return;
  outbox_.put(model::PutEvent{call.event});
  for (std::size_t i = 0; i < call.parts.size(); ++i) {
    const HookPart& said = call.parts[i].said;
    const bool answered =
        said.outcome.kind == OutcomeClass::kOk || said.outcome.kind == OutcomeClass::kDenied;
    model::AttemptRecord record;
    record.webhook = call.event->matches[i].webhook;
    record.seq = call.event->seq;
    record.event_id = call.event->id;
    record.event_name = call.event->name;
    record.trigger_type = model::TriggerType::kSyncHook;
    record.accepted_at = call.event->accepted_at;
    record.state_after = answered ? model::DeliveryState::kDelivered : model::DeliveryState::kDead;
    record.outcome = said.outcome;
    record.outcome.hook = nullptr;
    outbox_.put(model::PutAttempt{std::move(record)});
  }
}

// --- To look at -------------------------------------------------------------------------------

std::optional<MonoTime> HookCalls::next_deadline() const {
  if (deadlines_.empty()) return std::nullopt;
  return deadlines_.begin()->first;
}

}  // namespace triggerd::core
