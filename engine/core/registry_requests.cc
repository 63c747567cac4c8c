#include "engine/core/registry_requests.h"

#include <memory>
#include <string>
#include <utility>

namespace triggerd::core {

using base::ErrorCode;
using base::Now;
using model::Generation;
using model::OrgId;
using model::RequestId;
using model::Trigger;
using model::Webhook;
using model::WebhookId;
using model::WebhookPtr;
using model::WebhookRef;

RegistryRequests::RegistryRequests(const RegistryLimits& limits, model::TargetPolicy targets,
                                   Registry& registry, Deliveries& deliveries,
                                   EventCatalogue& catalogue, TriggerFilters& filters,
                                   Outbox& outbox, base::Random& random)
    : limits_(limits),
      targets_(std::move(targets)),
      registry_(registry),
      deliveries_(deliveries),
      catalogue_(catalogue),
      filters_(filters),
      outbox_(outbox),
      random_(random) {}

// --- Webhooks ---------------------------------------------------------------------------------

void RegistryRequests::handle(const model::CreateWebhook& request, RequestId id, Now now) {
  const OrganizationEntry* org = organization_or_refuse(request.org, id);
  if (org == nullptr) return;
  WebhookVerdict verdict = validate_webhook(request.draft, DraftKind::kCreate, targets_);
  if (!verdict.faults.empty()) return refuse(id, std::move(verdict.faults));
  if (!url_free_or_refuse(*org, *verdict.webhook.target_url, WebhookRef(0), id)) return;
  if (org->webhooks.size() >= limits_.webhooks_per_org) {
    return refuse(id, ErrorCode::kInvalid,
                  "webhooks: an organization has at most " +
                      std::to_string(limits_.webhooks_per_org) + "; delete one that is not used");
  }
  auto webhook = std::make_shared<Webhook>();
  webhook->id = WebhookId(random_.uuid_v7(now.wall));
  webhook->org = request.org;
  webhook->ref = registry_.next_webhook();
  webhook->created_at = now.wall;
  verdict.webhook.apply_to(*webhook);
  adopt_first_secret(*webhook, request.secret, now);
  registry_.add_webhook(webhook);
  outbox_.put(model::PutWebhook{webhook});
  outbox_.reply(id, model::WebhookReply{webhook});
}

void RegistryRequests::handle(const model::ListWebhooks& request, RequestId id, Now) {
  const OrganizationEntry* org = organization_or_refuse(request.org, id);
  if (org == nullptr) return;
  model::WebhooksReply reply;
  reply.webhooks.reserve(org->webhooks.size());
  for (const WebhookRef ref : org->webhooks) reply.webhooks.push_back(registry_.webhook(ref));
  outbox_.reply(id, std::move(reply));
}

void RegistryRequests::handle(const model::GetWebhook& request, RequestId id, Now) {
  WebhookPtr webhook = webhook_or_refuse(request.org, request.id, id);
  if (webhook != nullptr) outbox_.reply(id, model::WebhookReply{std::move(webhook)});
}

void RegistryRequests::handle(const model::PatchWebhook& request, RequestId id, Now now) {
  const WebhookPtr before = webhook_or_refuse(request.org, request.id, id);
  if (before == nullptr) return;
  WebhookVerdict verdict = validate_webhook(request.draft, DraftKind::kPatch, targets_);
  if (!verdict.faults.empty()) return refuse(id, std::move(verdict.faults));
  auto after = std::make_shared<Webhook>(*before);
  verdict.webhook.apply_to(*after);
  adopt_first_secret(*after, request.secret, now);
  // Another receiver has its own past.
  if (after->target_url != before->target_url) after->failing_since = base::WallTime();
  if (!url_free_or_refuse(*registry_.organization(request.org), after->target_url, after->ref,
                          id)) {
    return;
  }
  if (*after != *before) {
    registry_.replace_webhook(after);
    outbox_.put(model::PutWebhook{after});
    deliveries_.webhook_changed(*before, now);
  }
  outbox_.reply(id, model::WebhookReply{after});
}

void RegistryRequests::handle(const model::DeleteWebhook& request, RequestId id, Now) {
  const WebhookPtr webhook = webhook_or_refuse(request.org, request.id, id);
  if (webhook == nullptr) return;
  erase_webhook(*webhook);
  outbox_.reply(id, model::Done{});
}

void RegistryRequests::erase_webhook(const Webhook& webhook) {
  bool had_filters = false;
  for (const Trigger& trigger : registry_.triggers(webhook.ref)) {
    outbox_.put(model::EraseTrigger{trigger});
    had_filters |= filters_.remove(webhook.org, trigger.generation);
  }
  if (had_filters) filters_.tell_paths(webhook.org, outbox_);
  outbox_.put(model::EraseWebhook{webhook.org, webhook.ref});
  const WebhookRef ref = webhook.ref;
  registry_.erase_webhook(ref);
  deliveries_.webhook_erased(ref);
}

// --- Shared -----------------------------------------------------------------------------------

void RegistryRequests::refuse(RequestId id, Faults faults) {
  outbox_.refuse(id, model::Refusal{std::move(faults), std::nullopt});
}

// What is not there, or there already, shows the state: it waits like any other answer.
void RegistryRequests::refuse(RequestId id, ErrorCode code, std::string message) {
  model::Refusal refusal;
  refusal.faults.push_back({code, std::move(message)});
  outbox_.reply(id, std::move(refusal));
}

const OrganizationEntry* RegistryRequests::organization_or_refuse(const OrgId& org, RequestId id) {
  const OrganizationEntry* entry = registry_.organization(org);
  if (entry == nullptr) {
    refuse(id, ErrorCode::kNotFound, "could not find organization " + org.to_string());
  }
  return entry;
}

WebhookPtr RegistryRequests::webhook_or_refuse(const OrgId& org, const WebhookId& webhook,
                                               RequestId id) {
  WebhookPtr found = registry_.find(org, webhook);
  if (found == nullptr) {
    // The same words whether it never was, is gone, or belongs to somebody else.
    refuse(id, ErrorCode::kNotFound, "could not find webhook " + webhook.to_string());
  }
  return found;
}

bool RegistryRequests::url_free_or_refuse(const OrganizationEntry& org, const std::string& url,
                                          WebhookRef own, RequestId id) {
  const auto at = org.by_url.find(url);
  if (at == org.by_url.end() || at->second == own) return true;
  refuse(id, ErrorCode::kConflict,
         "target_url: in use by webhook " + registry_.peek(at->second)->id.to_string() +
             "; add triggers to that one, or give another URL");
  return false;
}

}  // namespace triggerd::core
