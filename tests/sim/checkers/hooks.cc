#include "tests/sim/checkers/hooks.h"

#include <algorithm>
#include <chrono>
#include <variant>

namespace triggerd::sim {
namespace {

using model::OutcomeClass;

// The world lets time pass a little beyond what is due.
constexpr base::Duration kSlack = std::chrono::milliseconds(3);

bool is_hook(const model::StartAttempt& attempt) {
  return attempt.trigger_type == model::TriggerType::kSyncHook;
}

bool was_called(OutcomeClass kind) {
  return kind != OutcomeClass::kBreakerOpen && kind != OutcomeClass::kDisabled;
}

}  // namespace

void Hooks::handled(const Handled& seen) {
  const auto* hook = std::get_if<model::CallHook>(&seen.request);
  if (hook == nullptr) return;
  calls_[hook->id] = Call{seen.id, hook->wait, seen.now, {}};
  by_request_[seen.id] = hook->id;
}

void Hooks::abandoned(model::RequestId id) {
  const auto at = by_request_.find(id);
  if (at == by_request_.end()) return;
  over_.insert(id);
  calls_.erase(at->second);
  by_request_.erase(at);
}

void Hooks::emitted(const Emitted& seen) {
  for (const model::Effect& effect : seen.output.effects) {
    if (const auto* start = std::get_if<model::StartAttempt>(&effect.what)) {
      if (!is_hook(*start)) continue;
      if (effect.rests_on.value() != 0) object("a call waits for a commit");
      const auto call = calls_.find(start->event->id);
      if (call == calls_.end()) {
        object("a webhook is called for a hook call that is over");
        continue;
      }
      Part& part = call->second.parts[start->webhook->ref];
      if (part.webhook != nullptr) object("a webhook is called twice for one hook call");
      part.webhook = start->webhook;
      part.timeout = start->timeout;
      if (seen.now.mono != call->second.began.mono)
        object("a webhook is called later than at once");
      continue;
    }
    const auto* sent = std::get_if<model::SendReply>(&effect.what);
    if (sent == nullptr) continue;
    const auto id = by_request_.find(sent->request);
    if (id == by_request_.end()) {
      if (over_.contains(sent->request)) object("a call is answered twice, or to nobody");
      continue;
    }
    if (effect.rests_on.value() != 0) object("an answer waits for a commit");
    if (const auto* reply = std::get_if<model::HookReply>(&sent->reply)) {
      check_reply(calls_.at(id->second), *reply, seen.now);
    }
    over_.insert(sent->request);
    calls_.erase(id->second);
    by_request_.erase(id);
  }
  for (const auto& [id, call] : calls_) {
    base::Duration longest = call.wait;
    if (longest == base::Duration(0)) {
      for (const auto& [ref, part] : call.parts) longest = std::max(longest, part.timeout);
    }
    if (seen.now.mono > call.began.mono + longest + kSlack) {
      object("call " + id.to_string() + " is not answered by its deadline");
    }
  }
}

void Hooks::released(const Released& seen) {
  const auto* start = std::get_if<model::StartAttempt>(&seen.effect);
  if (start == nullptr || !is_hook(*start)) return;
  const auto call = calls_.find(start->event->id);
  if (call != calls_.end() && seen.now.mono != call->second.began.mono) {
    object("a call of a hook was held back");
  }
}

void Hooks::finished(const Finished& seen) {
  if (!is_hook(seen.attempt)) return;
  const auto call = calls_.find(seen.attempt.event->id);
  if (call == calls_.end()) return;  // too late
  Part& part = call->second.parts[seen.attempt.webhook->ref];
  part.outcome = seen.outcome;
  part.at = seen.now.mono;
}

void Hooks::restarted(const Restarted& /*seen*/) {
  calls_.clear();
  by_request_.clear();
  over_.clear();
}

void Hooks::check_reply(const Call& call, const model::HookReply& reply, base::Now now) {
  check_webhooks(call, reply, now);
  check_claims(call, reply);
}

// Every outcome is the one that arrived, or a timeout where none had.
void Hooks::check_webhooks(const Call& call, const model::HookReply& reply, base::Now now) {
  std::size_t called = 0;
  for (const model::HookWebhook& each : reply.webhooks) {
    if (!was_called(each.outcome)) continue;
    ++called;
    const auto at = std::find_if(call.parts.begin(), call.parts.end(), [&each](const auto& part) {
      return part.second.webhook->id == each.webhook;
    });
    if (at == call.parts.end()) {
      object("a webhook is listed that was not called");
      continue;
    }
    const Part& part = at->second;
    const bool in_time = part.outcome && part.at < now.mono;
    if (in_time && part.outcome->kind != each.outcome) object("an outcome is told wrongly");
    if (!part.outcome && each.outcome != OutcomeClass::kTimeout) object("an outcome is made up");
  }
  if (called != call.parts.size()) object("not all webhooks that were called are listed");
}

Hooks::Merged Hooks::merge(const Call& call, const model::HookReply& reply) {
  Merged merged;
  for (const auto& [ref, part] : call.parts) {
    const bool counted =
        std::any_of(reply.webhooks.begin(), reply.webhooks.end(), [&part = part](const auto& each) {
          return each.webhook == part.webhook->id && each.outcome == OutcomeClass::kOk;
        });
    if (!counted || !part.outcome || part.outcome->hook == nullptr) continue;
    for (const model::HookClaim& claim : part.outcome->hook->claims) {
      if (claim.name == "sub") {
        merged.dropped[claim.name] = true;
      } else if (const auto [at, first] = merged.claims.emplace(claim.name, claim.json);
                 !first && at->second != claim.json) {
        merged.conflicts[claim.name] = true;
      }
    }
  }
  return merged;
}

void Hooks::check_claims(const Call& call, const model::HookReply& reply) {
  bool denied = false;
  for (const model::HookWebhook& each : reply.webhooks) {
    if (each.outcome == OutcomeClass::kDenied) denied = true;
    if (each.outcome == OutcomeClass::kOk) continue;
    for (const auto& [ref, part] : call.parts) {
      if (part.webhook->id == each.webhook &&
          part.webhook->delivery.on_failure == model::OnFailure::kClosed) {
        denied = true;
      }
    }
    // Of one that was not called only the store knows whether it is closed.
    const model::WebhookPtr* stored = scene_.durable.find_webhook(each.webhook);
    if (!was_called(each.outcome) && stored != nullptr &&
        (*stored)->delivery.on_failure == model::OnFailure::kClosed) {
      denied = true;
    }
  }
  if (denied != (reply.decision == model::HookDecision::kDeny)) object("the decision is wrong");
  if (denied) {
    if (!reply.claims.empty() || reply.reason.empty()) object("a denial has claims or no reason");
    return;
  }
  const Merged merged = merge(call, reply);
  std::map<std::string, std::string> told;
  for (const model::HookClaim& claim : reply.claims) told[claim.name] = claim.json;
  if (told != merged.claims) object("the claims are not merged in order of registration");
  if (reply.conflicts.size() != merged.conflicts.size()) object("conflicts are told wrongly");
  if (reply.dropped.size() != merged.dropped.size()) object("dropped claims are told wrongly");
}

}  // namespace triggerd::sim
