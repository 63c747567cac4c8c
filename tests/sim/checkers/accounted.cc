#include "tests/sim/checkers/accounted.h"

#include <algorithm>
#include <variant>

#include "tests/sim/checkers/text.h"

namespace triggerd::sim {
namespace {
constexpr const char* kName = "accounted";
}  // namespace

void Accounted::handled(const Handled& seen) {
  if (const auto* publish = std::get_if<model::PublishEvents>(&seen.request)) {
    publishes_[seen.id] = publish->org;
  } else if (const auto* org = std::get_if<model::DeleteOrganization>(&seen.request)) {
    org_deletes_.insert(org->org);
  } else if (const auto* webhook = std::get_if<model::DeleteWebhook>(&seen.request)) {
    webhook_deletes_.insert(webhook->id);
  } else if (const auto* trigger = std::get_if<model::RemoveTrigger>(&seen.request)) {
    trigger_removals_.insert({trigger->id, trigger->name});
  }
}

void Accounted::emitted(const Emitted& seen) {
  forms_.turn(seen.output.batch);
  for (const model::Mutation& mutation : seen.output.batch.mutations) {
    if (const auto* webhook = std::get_if<model::PutWebhook>(&mutation)) {
      webhooks_[webhook->webhook->ref] = {webhook->webhook->org, webhook->webhook->id};
      if (webhook->webhook->disabled_reason == model::DisabledReason::kByHand) {
        disabled_.insert(webhook->webhook->ref);
      } else if (webhook->webhook->disabled_reason == model::DisabledReason::kFailing) {
        gone_.insert(webhook->webhook->ref);
      }
    } else if (const auto* event = std::get_if<model::PutEvent>(&mutation)) {
      event_names_[event->event->seq] = event->event->name;
    } else if (const auto* attempt = std::get_if<model::PutAttempt>(&mutation)) {
      judge(attempt->attempt);
    }
  }
}

void Accounted::judge(const model::AttemptRecord& record) {
  const support::DeliveryKey key{record.seq, record.webhook};
  switch (record.state_after) {
    case model::DeliveryState::kReady:
    case model::DeliveryState::kDelayed:
      return;
    case model::DeliveryState::kDelivered:
      if (!succeeded_.contains(key)) {
        scene_.verdict.object(kName, text_of(key) + " is said to be delivered without a 2xx");
      }
      return;
    case model::DeliveryState::kDead:
      if (!gone_.contains(record.webhook) && !may_be_last(record.webhook, record.number)) {
        scene_.verdict.object(kName, text_of(key) + " is given up after attempt " +
                                         std::to_string(record.number) +
                                         ", and its schedule has more");
      }
      return;
    case model::DeliveryState::kCancelled:
      if (!may_be_cancelled(record.webhook, event_names_[record.seq])) {
        scene_.verdict.object(
            kName, text_of(key) + " is cancelled though nobody deleted or disabled anything");
      }
      return;
  }
}

bool Accounted::may_be_last(model::WebhookRef webhook, std::uint16_t number) const {
  const std::vector<model::WebhookPtr> forms = forms_.of(webhook);
  if (forms.empty()) return number > scene_.options.retry_schedule.size();
  return std::any_of(forms.begin(), forms.end(), [this, number](const auto& form) {
    const std::size_t retries = form->delivery.schedule ? form->delivery.schedule->size()
                                                        : scene_.options.retry_schedule.size();
    return number != model::kNoAttempt && number > retries;
  });
}

bool Accounted::may_be_cancelled(model::WebhookRef webhook, const std::string& event_name) const {
  const auto at = webhooks_.find(webhook);
  if (at == webhooks_.end()) return false;
  const auto& [org, id] = at->second;
  return disabled_.contains(webhook) || org_deletes_.contains(org) ||
         webhook_deletes_.contains(id) || trigger_removals_.contains({id, event_name});
}

void Accounted::released(const Released& seen) {
  const auto* sent = std::get_if<model::SendReply>(&seen.effect);
  if (sent == nullptr) return;
  const auto request = publishes_.find(sent->request);
  if (request == publishes_.end() || std::holds_alternative<model::StaleRules>(sent->reply)) return;
  const model::OrgId org = request->second;
  publishes_.erase(request);
  const auto* reply = std::get_if<model::PublishReply>(&sent->reply);
  if (reply == nullptr) return;
  for (const model::PublishedEvent& published : reply->events) {
    if (!published.faults.empty()) continue;  // refused by itself
    const model::Event* event = scene_.durable.find_event(org, published.id);
    if (event == nullptr) {
      scene_.verdict.object(kName, "event " + published.id.to_string() +
                                       " is answered with 202 and not in the store");
      continue;
    }
    if (published.duplicate) continue;
    if (published.webhooks != event->matches.size()) {
      scene_.verdict.object(kName, "event " + published.id.to_string() + " was promised to " +
                                       std::to_string(published.webhooks) +
                                       " webhooks and kept for " +
                                       std::to_string(event->matches.size()));
    }
    promised_.push_back(event->seq);
  }
}

void Accounted::finished(const Finished& seen) {
  const support::DeliveryKey key{seen.attempt.event->seq, seen.attempt.webhook->ref};
  if (seen.outcome.kind == model::OutcomeClass::kOk) succeeded_[key] = true;
  if (seen.outcome.http_status == 410) gone_.insert(key.webhook);
}

void Accounted::restarted(const Restarted&) {
  forms_.restarted(scene_.durable);
  publishes_.clear();
}

void Accounted::drained(base::Now) {
  for (const model::EventSeq seq : promised_) {
    if (!scene_.durable.events.contains(seq)) {
      scene_.verdict.object(kName,
                            "event " + std::to_string(seq.value()) + " was accepted and is lost");
    }
  }
  for (const auto& [seq, event] : scene_.durable.events) {
    for (const model::Match& match : event->matches) check_settled(*event, match);
  }
  for (const auto& [key, job] : scene_.durable.jobs) {
    if (job.state != model::JobState::kRunning) continue;
    scene_.verdict.object(kName, "job " + job.id.to_string() + " never comes to its end");
  }
  for (const auto& [key, chunk] : scene_.durable.pending) {
    scene_.verdict.object(kName, "a pending row of event " + std::to_string(key.first.value()) +
                                     " is left though everything had time to settle");
  }
}

void Accounted::check_settled(const model::Event& event, const model::Match& match) {
  const support::DeliveryKey key{event.seq, match.webhook};
  const auto latest = scene_.durable.latest_attempts.find(key);
  if (latest != scene_.durable.latest_attempts.end() &&
      model::is_final(latest->second.state_after)) {
    return;  // judge() has seen it
  }
  const model::PendingEntry* pending = scene_.durable.find_pending(key);
  if (pending != nullptr && !model::is_final(pending->state)) {
    scene_.verdict.object(kName,
                          text_of(key) + " still waits though everything had time to settle");
    return;
  }
  // A deleted webhook takes its delivery log along.
  if (!may_be_cancelled(match.webhook, event.name)) {
    scene_.verdict.object(kName, text_of(key) + " is gone without a final state");
  }
}

}  // namespace triggerd::sim
