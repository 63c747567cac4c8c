#include "tests/sim/checkers/durability.h"

#include <algorithm>
#include <variant>

#include "tests/sim/checkers/text.h"

namespace triggerd::sim {
namespace {

// Names of objects; the kind comes first, so that "all webhooks" is a range.
std::string org_object() {
  return "organization";
}
std::string key_object(const model::ApiKeyId& id) {
  return "key " + id.to_string();
}
std::string webhook_object(const model::WebhookId& id) {
  return "webhook " + id.to_string();
}
// All triggers of a webhook are one object: one turn has one batch, so that is exact enough.
std::string triggers_object(const model::WebhookId& id) {
  return "triggers " + id.to_string();
}
std::string event_object(const model::EventId& id) {
  return "event " + id.to_string();
}

model::OrgId org_of(const model::Request& request) {
  return std::visit(
      [](const auto& each) -> model::OrgId {
        using Kind = std::decay_t<decltype(each)>;
        if constexpr (std::is_same_v<Kind, model::CreateOrganization>) {
          return each.id.value_or(model::OrgId());
        } else if constexpr (requires { each.org; }) {
          return each.org;
        } else {
          return {};  // about no organization
        }
      },
      request);
}

}  // namespace

void Durability::handled(const Handled& seen) {
  Waiting waiting;
  if (const auto* publish = std::get_if<model::PublishEvents>(&seen.request)) {
    model::PublishEvents copy;  // the organization is all that is needed
    copy.org = publish->org;
    waiting.request = std::move(copy);
  } else {
    waiting.request = seen.request;
  }
  waiting_[seen.id] = std::move(waiting);
}

void Durability::emitted(const Emitted& seen) {
  const model::Batch& batch = seen.output.batch;
  for (const model::Mutation& mutation : batch.mutations) touch(mutation, batch.seq);
  if (!batch.mutations.empty()) emitted_ = batch.seq;
  for (const model::Effect& effect : seen.output.effects) {
    const auto* sent = std::get_if<model::SendReply>(&effect.what);
    if (sent == nullptr) continue;
    const auto at = waiting_.find(sent->request);
    if (at != waiting_.end()) at->second.needs = needs_of(at->second, sent->reply);
  }
}

void Durability::committed(model::BatchSeq seq) {
  durable_ = seq;
  if (durable_ >= emitted_) touched_.clear();  // all of it is durable: nothing needs to wait
}

void Durability::touch(const model::Mutation& mutation, model::BatchSeq seq) {
  if (const auto* org = std::get_if<model::PutOrganization>(&mutation)) {
    touched_[org->organization.id][org_object()] = seq;
  } else if (const auto* gone_org = std::get_if<model::EraseOrganization>(&mutation)) {
    touched_[gone_org->org][org_object()] = seq;
    erased_.insert(org_object() + gone_org->org.to_string());
  } else if (const auto* key = std::get_if<model::PutApiKey>(&mutation)) {
    touched_[key->key.org][key_object(key->key.id)] = seq;
  } else if (const auto* gone_key = std::get_if<model::EraseApiKey>(&mutation)) {
    touched_[gone_key->org][key_object(gone_key->id)] = seq;
    erased_.insert(key_object(gone_key->id));
  } else if (const auto* webhook = std::get_if<model::PutWebhook>(&mutation)) {
    touched_[webhook->webhook->org][webhook_object(webhook->webhook->id)] = seq;
    webhooks_[webhook->webhook->ref] = {webhook->webhook->org, webhook->webhook->id};
  } else if (const auto* gone_webhook = std::get_if<model::EraseWebhook>(&mutation)) {
    const model::WebhookId id = webhooks_[gone_webhook->ref].second;
    touched_[gone_webhook->org][webhook_object(id)] = seq;
    erased_.insert(webhook_object(id));
    erased_.insert(triggers_object(id));
  } else if (const auto* trigger = std::get_if<model::PutTrigger>(&mutation)) {
    const model::WebhookId id = webhooks_[trigger->trigger.webhook].second;
    touched_[trigger->trigger.org][triggers_object(id)] = seq;
  } else if (const auto* gone_trigger = std::get_if<model::EraseTrigger>(&mutation)) {
    const model::WebhookId id = webhooks_[gone_trigger->trigger.webhook].second;
    touched_[gone_trigger->trigger.org][triggers_object(id)] = seq;
    erased_.insert(triggers_object(id) + gone_trigger->trigger.name);
  } else if (const auto* event = std::get_if<model::PutEvent>(&mutation)) {
    touched_[event->event->org][event_object(event->event->id)] = seq;
  }
}

model::BatchSeq Durability::touched_in(model::OrgId org, const std::string& object) const {
  const auto at = touched_.find(org);
  if (at == touched_.end()) return {};
  const auto last = at->second.find(object);
  return last == at->second.end() ? model::BatchSeq() : last->second;
}

model::BatchSeq Durability::needs_of(const Waiting& waiting, const model::Reply& reply) const {
  if (std::holds_alternative<model::Refusal>(reply)) return {};
  model::OrgId org = org_of(waiting.request);
  model::BatchSeq needs;
  const auto need = [&needs, this, &org](const std::string& object) {
    needs = std::max(needs, touched_in(org, object));
  };
  if (const auto* made = std::get_if<model::OrganizationReply>(&reply)) {
    org = made->organization.id;
    need(org_object());
  } else if (const auto* all = std::get_if<model::OrganizationsReply>(&reply)) {
    for (const model::Organization& each : all->organizations) {
      org = each.id;
      need(org_object());
    }
  } else if (const auto* key = std::get_if<model::ApiKeyReply>(&reply)) {
    need(key_object(key->key.id));
  } else if (const auto* webhook = std::get_if<model::WebhookReply>(&reply)) {
    need(webhook_object(webhook->webhook->id));
  } else if (const auto* webhooks = std::get_if<model::WebhooksReply>(&reply)) {
    for (const model::WebhookPtr& each : webhooks->webhooks) need(webhook_object(each->id));
  } else if (const auto* published = std::get_if<model::PublishReply>(&reply)) {
    for (const model::PublishedEvent& each : published->events) need(event_object(each.id));
  } else if (const auto* triggers = std::get_if<model::ListTriggers>(&waiting.request)) {
    need(triggers_object(triggers->id));
  } else if (const auto* added = std::get_if<model::AddTrigger>(&waiting.request)) {
    need(triggers_object(added->id));
  } else if (const auto* removed = std::get_if<model::RemoveTrigger>(&waiting.request)) {
    need(triggers_object(removed->id));
  } else if (const auto* deleted = std::get_if<model::DeleteWebhook>(&waiting.request)) {
    need(webhook_object(deleted->id));
  } else if (const auto* deleted_key = std::get_if<model::DeleteApiKey>(&waiting.request)) {
    need(key_object(deleted_key->id));
  } else if (std::holds_alternative<model::DeleteOrganization>(waiting.request)) {
    need(org_object());
  }
  return needs;
}

void Durability::released(const Released& seen) {
  if (const auto* start = std::get_if<model::StartAttempt>(&seen.effect)) {
    check_call(*start);
  } else if (const auto* added = std::get_if<model::ApiKeyAdded>(&seen.effect)) {
    if (!scene_.durable.keys.contains(added->key.id) &&
        !erased_.contains(key_object(added->key.id))) {
      object("key " + added->key.id.to_string() + " is let in before it is stored");
    }
  } else if (const auto* sent = std::get_if<model::SendReply>(&seen.effect)) {
    const auto at = waiting_.find(sent->request);
    if (at == waiting_.end()) return;
    if (durable_ < at->second.needs) {
      object("reply to request " + std::to_string(sent->request.value()) + " reveals batch " +
             std::to_string(at->second.needs.value()) + " while only " +
             std::to_string(durable_.value()) + " is durable");
    }
    check_reply(at->second, sent->reply);
    waiting_.erase(at);
  }
}

void Durability::check_reply(const Waiting& waiting, const model::Reply& reply) {
  if (const auto* made = std::get_if<model::OrganizationReply>(&reply)) {
    const model::OrgId id = made->organization.id;
    if (!scene_.durable.organizations.contains(id) &&
        !erased_.contains(org_object() + id.to_string())) {
      object("organization " + id.to_string() + " is shown and not stored");
    }
  } else if (const auto* key = std::get_if<model::ApiKeyReply>(&reply)) {
    if (!scene_.durable.keys.contains(key->key.id) && !erased_.contains(key_object(key->key.id))) {
      object("key " + key->key.id.to_string() + " is shown and not stored");
    }
  } else if (const auto* webhook = std::get_if<model::WebhookReply>(&reply)) {
    const model::Webhook& shown = *webhook->webhook;
    if (!scene_.durable.webhooks.contains(shown.ref) &&
        !erased_.contains(webhook_object(shown.id))) {
      object("webhook " + shown.id.to_string() + " is shown and not stored");
    }
  } else if (const auto* published = std::get_if<model::PublishReply>(&reply)) {
    check_publish(std::get<model::PublishEvents>(waiting.request), *published);
  } else if (const auto* added = std::get_if<model::AddTrigger>(&waiting.request);
             added != nullptr && std::holds_alternative<model::TriggerAdded>(reply)) {
    const model::WebhookPtr* stored = scene_.durable.find_webhook(added->id);
    const auto type =
        added->type == "event" ? model::TriggerType::kEvent : model::TriggerType::kSyncHook;
    const bool there = stored != nullptr &&
                       scene_.durable.find_trigger((*stored)->ref, type, added->name) != nullptr;
    if (!there && !erased_.contains(triggers_object(added->id)) &&
        !erased_.contains(triggers_object(added->id) + added->name)) {
      object("trigger " + added->name + " of " + added->id.to_string() +
             " is acknowledged and not stored");
    }
  }
}

void Durability::check_publish(const model::PublishEvents& publish,
                               const model::PublishReply& reply) {
  for (const model::PublishedEvent& each : reply.events) {
    if (!each.faults.empty()) continue;
    if (scene_.durable.find_event(publish.org, each.id) == nullptr) {
      object("event " + each.id.to_string() + " is answered with 202 and not stored");
    }
  }
}

void Durability::check_call(const model::StartAttempt& start) {
  const auto stored = scene_.durable.events.find(start.event->seq);
  if (stored == scene_.durable.events.end()) {
    object("event " + std::to_string(start.event->seq.value()) + " is called out and not stored");
  } else if (!(*stored->second == *start.event)) {
    object("event " + std::to_string(start.event->seq.value()) +
           " is called out unlike it is stored");
  }
  if (!scene_.durable.webhooks.contains(start.webhook->ref) &&
      !erased_.contains(webhook_object(start.webhook->id))) {
    object("webhook " + start.webhook->id.to_string() + " is called and not stored");
  }
}

void Durability::restarted(const Restarted&) {
  durable_ = {};
  emitted_ = {};
  waiting_.clear();
  touched_.clear();
}

}  // namespace triggerd::sim
