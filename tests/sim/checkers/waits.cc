#include "tests/sim/checkers/waits.h"

#include <algorithm>
#include <chrono>
#include <variant>

#include "tests/sim/checkers/text.h"

namespace triggerd::sim {
namespace {

using model::OutcomeClass;

// The world lets time pass a little beyond what is due.
constexpr base::Duration kSlack = std::chrono::milliseconds(3);

bool any_open(const model::PublishReply& reply) {
  for (const model::PublishedEvent& event : reply.events) {
    if (std::any_of(event.deliveries.begin(), event.deliveries.end(),
                    [](const model::FirstAttempt& attempt) { return !attempt.is_over; })) {
      return true;
    }
  }
  return false;
}

}  // namespace

void Waits::handled(const Handled& seen) {
  const auto* publish = std::get_if<model::PublishEvents>(&seen.request);
  if (publish == nullptr) return;
  asked_[seen.id] = Asked{publish->org, publish->wait, seen.now.mono, std::nullopt};
  for (const model::NewEvent& event : publish->events) {
    if (!event.id_from_client) asked_for_[event.id] = seen.id;
  }
}

void Waits::emitted(const Emitted& seen) {
  for (const model::Mutation& mutation : seen.output.batch.mutations) {
    const auto* put = std::get_if<model::PutEvent>(&mutation);
    if (put == nullptr) continue;
    const auto request = asked_for_.find(put->event->id);
    if (request == asked_for_.end()) continue;
    const auto asked = asked_.find(request->second);
    if (asked != asked_.end()) asked->second.accepted_at = seen.now.mono;
    asked_for_.erase(request);
  }
  for (const model::Effect& effect : seen.output.effects) {
    const auto* sent = std::get_if<model::SendReply>(&effect.what);
    if (sent != nullptr) check_time(*sent, seen.now);
  }
  for (const auto& [id, asked] : asked_) {
    if (asked.accepted_at && seen.now.mono > *asked.accepted_at + asked.wait + kSlack) {
      object("request " + std::to_string(id.value()) + " waits longer than it wanted to");
    }
  }
}

void Waits::check_time(const model::SendReply& sent, base::Now now) {
  const auto at = asked_.find(sent.request);
  if (at == asked_.end()) return;
  at->second.accepted_at.reset();
  const auto* reply = std::get_if<model::PublishReply>(&sent.reply);
  if (reply == nullptr || reply->waited_for == base::Duration(0)) return;
  if (any_open(*reply) && now.mono < at->second.at + at->second.wait) {
    object("request " + std::to_string(sent.request.value()) +
           " is answered before its time with attempts open");
  }
}

void Waits::released(const Released& seen) {
  const auto* sent = std::get_if<model::SendReply>(&seen.effect);
  // What is given back is asked again.
  if (sent == nullptr || std::holds_alternative<model::StaleRules>(sent->reply)) return;
  const auto at = asked_.find(sent->request);
  if (at == asked_.end()) return;
  const Asked asked = at->second;
  asked_.erase(at);
  if (const auto* reply = std::get_if<model::PublishReply>(&sent->reply)) {
    check_reply(asked, *reply);
  }
}

void Waits::check_reply(const Asked& asked, const model::PublishReply& reply) {
  const bool waited = reply.waited_for != base::Duration(0);
  if (waited && reply.waited_for != asked.wait) object("a wait is granted that nobody asked for");
  for (const model::PublishedEvent& event : reply.events) {
    const std::size_t expected = waited && !event.duplicate ? event.webhooks : 0;
    if (event.deliveries.size() != expected) {
      object("event " + event.id.to_string() + " shows " + std::to_string(event.deliveries.size()) +
             " first attempts where " + std::to_string(expected) + " belong");
    } else if (expected > 0) {
      check_event(asked, event);
    }
  }
}

void Waits::check_event(const Asked& asked, const model::PublishedEvent& event) {
  const model::Event* stored = scene_.durable.find_event(asked.org, event.id);
  if (stored == nullptr || stored->matches.size() != event.deliveries.size()) {
    return object("event " + event.id.to_string() + " is told of unlike it is stored");
  }
  for (std::size_t i = 0; i < event.deliveries.size(); ++i) {
    check_attempt(*stored, stored->matches[i], event.deliveries[i]);
  }
}

void Waits::check_attempt(const model::Event& event, const model::Match& match,
                          const model::FirstAttempt& told) {
  const support::DeliveryKey key{event.seq, match.webhook};
  if (scene_.durable.reopened.contains(key)) return;  // what came first is told no more
  const auto webhook = scene_.durable.webhooks.find(match.webhook);
  if (webhook != scene_.durable.webhooks.end() && webhook->second->id != told.webhook) {
    return object(text_of(key) + " is told of under the name of another webhook");
  }
  if (!told.is_over) return;
  const auto happened = first_outcomes_.find(key);
  if (happened != first_outcomes_.end()) {
    if (happened->second != std::pair(told.outcome, told.http_status)) {
      object("the first attempt of " + text_of(key) + " came to something else than is told");
    }
  } else if (told.outcome != OutcomeClass::kCancelled) {
    object("the first attempt of " + text_of(key) + " is told of and never ended");
  }
  // A deleted webhook takes its delivery log along.
  if (webhook != scene_.durable.webhooks.end() && !scene_.durable.latest_attempts.contains(key)) {
    object("the first attempt of " + text_of(key) + " is told of and not stored");
  }
}

void Waits::finished(const Finished& seen) {
  // These did not happen: there will be another first one.
  const OutcomeClass kind = seen.outcome.kind;
  if (kind == OutcomeClass::kBusy || kind == OutcomeClass::kCancelled) return;
  first_outcomes_.try_emplace({seen.attempt.event->seq, seen.attempt.webhook->ref},
                              std::pair(kind, seen.outcome.http_status));
}

void Waits::restarted(const Restarted&) {
  asked_.clear();
  asked_for_.clear();
  first_outcomes_.clear();
}

}  // namespace triggerd::sim
