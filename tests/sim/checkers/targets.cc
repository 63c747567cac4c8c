#include "tests/sim/checkers/targets.h"

#include <algorithm>
#include <variant>

#include "tests/sim/checkers/text.h"
#include "tests/sim/regions.h"

namespace triggerd::sim {

void Targets::handled(const Handled& seen) {
  if (std::holds_alternative<model::DeleteWebhook>(seen.request) ||
      std::holds_alternative<model::RemoveTrigger>(seen.request) ||
      std::holds_alternative<model::DeleteOrganization>(seen.request)) {
    deletions_[seen.id] = seen.request;
  }
}

void Targets::emitted(const Emitted& seen) {
  for (const model::Mutation& mutation : seen.output.batch.mutations) learn(mutation);
  for (const model::Effect& effect : seen.output.effects) {
    if (const auto* sent = std::get_if<model::SendReply>(&effect.what)) {
      const auto deletion = deletions_.find(sent->request);
      if (deletion == deletions_.end()) continue;
      if (std::holds_alternative<model::Done>(sent->reply)) {
        acknowledging_[sent->request] = forbidden_by(deletion->second);
      }
      deletions_.erase(deletion);
    } else if (const auto* start = std::get_if<model::StartAttempt>(&effect.what)) {
      if (gone_.contains(start->webhook->ref)) {
        object("webhook " + std::to_string(start->webhook->ref.value()) +
               " is called again though it is gone");
      }
    }
  }
}

void Targets::learn(const model::Mutation& mutation) {
  if (const auto* webhook = std::get_if<model::PutWebhook>(&mutation)) {
    const model::Webhook& put = *webhook->webhook;
    refs_[put.id] = put.ref;
    orgs_[put.ref] = put.org;
    urls_[put.ref] = put.target_url;
    active_[put.ref] = put.state == model::WebhookState::kActive;
    if (put.state != model::WebhookState::kDisabled) gone_.erase(put.ref);  // enabled again
  } else if (const auto* gone = std::get_if<model::EraseWebhook>(&mutation)) {
    active_.erase(gone->ref);
    std::erase_if(triggers_, [gone](const auto& row) { return row.second.webhook == gone->ref; });
  } else if (const auto* put = std::get_if<model::PutTrigger>(&mutation)) {
    triggers_[put->trigger.generation] = put->trigger;
  } else if (const auto* erase = std::get_if<model::EraseTrigger>(&mutation)) {
    const model::Trigger& wanted = erase->trigger;
    std::erase_if(triggers_, [this, &wanted](const auto& row) {
      const model::Trigger& trigger = row.second;
      const bool same = trigger.webhook == wanted.webhook && trigger.type == wanted.type &&
                        trigger.name == wanted.name;
      if (same && trigger.type == model::TriggerType::kEvent) {
        erased_[{trigger.webhook, trigger.name}].push_back(trigger.generation);
      }
      return same;
    });
  } else if (const auto* event = std::get_if<model::PutEvent>(&mutation)) {
    check_matches(*event->event);
  }
}

void Targets::check_matches(const model::Event& event) {
  std::size_t expected = 0;
  for (const auto& [generation, trigger] : triggers_) {
    if (trigger.org != event.org || trigger.type != model::TriggerType::kEvent ||
        trigger.name != event.name) {
      continue;
    }
    const model::Match match{trigger.webhook, generation};
    const bool matched =
        std::find(event.matches.begin(), event.matches.end(), match) != event.matches.end();
    const auto active = active_.find(trigger.webhook);
    const bool refused = trigger.filter && !has(set_of(*trigger.filter), region_of(event.content));
    if (refused) {
      ++filtered_;
      if (matched) {
        object("event " + std::to_string(event.seq.value()) + " goes to webhook " +
               std::to_string(trigger.webhook.value()) + " whose filter refuses it");
      }
      continue;
    }
    if (matched) {
      ++expected;
    } else if (active != active_.end() && active->second) {
      object("event " + std::to_string(event.seq.value()) + " misses webhook " +
             std::to_string(trigger.webhook.value()) + " which has its trigger");
    }
  }
  if (expected != event.matches.size()) {
    object("event " + std::to_string(event.seq.value()) + " matches a webhook without the trigger");
  }
}

Targets::Forbidden Targets::forbidden_by(const model::Request& deletion) const {
  Forbidden forbidden;
  if (const auto* webhook = std::get_if<model::DeleteWebhook>(&deletion)) {
    const auto ref = refs_.find(webhook->id);
    if (ref != refs_.end()) forbidden.webhooks.push_back(ref->second);
  } else if (const auto* trigger = std::get_if<model::RemoveTrigger>(&deletion)) {
    const auto ref = refs_.find(trigger->id);
    if (ref == refs_.end() || trigger->type != "event") return forbidden;
    const auto generations = erased_.find({ref->second, trigger->name});
    if (generations != erased_.end()) forbidden.generations = generations->second;
  } else if (const auto* org = std::get_if<model::DeleteOrganization>(&deletion)) {
    for (const auto& [ref, owner] : orgs_) {
      if (owner == org->org) forbidden.webhooks.push_back(ref);
    }
  }
  return forbidden;
}

void Targets::released(const Released& seen) {
  if (const auto* start = std::get_if<model::StartAttempt>(&seen.effect)) {
    check_call(*start);
  } else if (const auto* sent = std::get_if<model::SendReply>(&seen.effect)) {
    const auto at = acknowledging_.find(sent->request);
    if (at == acknowledging_.end()) return;
    forbidden_webhooks_.insert(at->second.webhooks.begin(), at->second.webhooks.end());
    forbidden_generations_.insert(at->second.generations.begin(), at->second.generations.end());
    acknowledging_.erase(at);
  }
}

void Targets::check_call(const model::StartAttempt& start) {
  const support::DeliveryKey key{start.event->seq, start.webhook->ref};
  const auto& matches = start.event->matches;
  const auto match = std::find_if(matches.begin(), matches.end(),
                                  [&key](const auto& each) { return each.webhook == key.webhook; });
  if (match == matches.end()) {
    object(text_of(key) + " is called without a trigger");
  } else if (forbidden_generations_.contains(match->generation) &&
             !scene_.durable.reopened.contains(key)) {  // given again by hand, it needs no trigger
    object(text_of(key) + " is called after its trigger was removed");
  }
  if (forbidden_webhooks_.contains(key.webhook)) {
    object(text_of(key) + " is called after the webhook was deleted");
  }
  if (start.event->org != start.webhook->org) object(text_of(key) + " crosses organizations");
}

void Targets::finished(const Finished& seen) {
  // A 410 of a URL that was replaced meanwhile says nothing about the new one.
  const model::Webhook& called = *seen.attempt.webhook;
  const auto url = urls_.find(called.ref);
  if (seen.outcome.http_status == 410 && url != urls_.end() && url->second == called.target_url) {
    gone_.insert(called.ref);
  }
}

void Targets::restarted(const Restarted&) {
  // What was not durable did not happen: the registry starts again from the store.
  triggers_ = scene_.durable.triggers;
  active_.clear();
  gone_.clear();
  // A ref that was given out and lost in the crash is given out again.
  refs_.clear();
  orgs_.clear();
  urls_.clear();
  for (const auto& [ref, webhook] : scene_.durable.webhooks) {
    refs_[webhook->id] = ref;
    orgs_[ref] = webhook->org;
    urls_[ref] = webhook->target_url;
    active_[ref] = webhook->state == model::WebhookState::kActive;
    if (webhook->disabled_reason == model::DisabledReason::kGone) gone_.insert(ref);
  }
  deletions_.clear();
  acknowledging_.clear();
  // A removal that was lost did not happen, and a generation that was lost is given out again.
  const model::Generation beyond =
      scene_.durable.counters ? scene_.durable.counters->next_generation : model::Generation();
  for (auto& [name, generations] : erased_) {
    std::erase_if(generations, [this, beyond](model::Generation generation) {
      return generation >= beyond || scene_.durable.triggers.contains(generation);
    });
  }
}

}  // namespace triggerd::sim
