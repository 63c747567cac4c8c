// Requests about organizations, API keys, webhooks and triggers: checked, carried out on the
// registry, written down, answered. Every write is safe to repeat (CONTRACT A1).
//
// Thread: the engine's.
#pragma once

#include <cstddef>
#include <optional>

#include "engine/base/time.h"
#include "engine/core/deliveries.h"
#include "engine/core/event_catalogue.h"
#include "engine/core/outbox.h"
#include "engine/core/registry.h"
#include "engine/core/trigger_filters.h"
#include "engine/core/validate.h"
#include "engine/model/network.h"
#include "engine/model/request.h"

namespace triggerd::core {

struct RegistryLimits {
  std::size_t webhooks_per_org = 0;
  std::size_t triggers_per_webhook = 0;
  base::Duration secret_overlap{0};  // a rotated secret is valid so long beside the new one
};

// Gives a webhook that is to sign its first secret, if the edge made one.
void adopt_first_secret(model::Webhook& webhook, const std::optional<model::SigningSecret>& made,
                        base::Now now);

class RegistryRequests {
 public:
  // All arguments outlive this.
  RegistryRequests(const RegistryLimits& limits, model::TargetPolicy targets, Registry& registry,
                   Deliveries& deliveries, EventCatalogue& catalogue, TriggerFilters& filters,
                   Outbox& outbox, base::Random& random);

  // Each answers `id` exactly once.
  void handle(const model::CreateOrganization& request, model::RequestId id, base::Now now);
  void handle(const model::ListOrganizations& request, model::RequestId id, base::Now now);
  void handle(const model::GetOrganization& request, model::RequestId id, base::Now now);
  void handle(const model::DeleteOrganization& request, model::RequestId id, base::Now now);
  void handle(const model::CreateApiKey& request, model::RequestId id, base::Now now);
  void handle(const model::ListApiKeys& request, model::RequestId id, base::Now now);
  void handle(const model::DeleteApiKey& request, model::RequestId id, base::Now now);
  void handle(const model::CreateWebhook& request, model::RequestId id, base::Now now);
  void handle(const model::ListWebhooks& request, model::RequestId id, base::Now now);
  void handle(const model::GetWebhook& request, model::RequestId id, base::Now now);
  void handle(const model::PatchWebhook& request, model::RequestId id, base::Now now);
  void handle(const model::DeleteWebhook& request, model::RequestId id, base::Now now);
  void handle(const model::RotateSecret& request, model::RequestId id, base::Now now);
  void handle(const model::GetSecret& request, model::RequestId id, base::Now now);
  void handle(const model::ListTriggers& request, model::RequestId id, base::Now now);
  void handle(const model::AddTrigger& request, model::RequestId id, base::Now now);
  void handle(const model::RemoveTrigger& request, model::RequestId id, base::Now now);
  // Answers with the filter that is to be tried: the one given, or the one in force.
  void handle(const model::TestTrigger& request, model::RequestId id, base::Now now);
  void handle(const model::ListEventTypes& request, model::RequestId id, base::Now now);
  void handle(const model::GetEventType& request, model::RequestId id, base::Now now);
  void handle(const model::DefineEventType& request, model::RequestId id, base::Now now);
  void handle(const model::RemoveEventType& request, model::RequestId id, base::Now now);

  // Which URLs are taken, from the next request on.
  void use_targets(model::TargetPolicy targets) { targets_ = std::move(targets); }

 private:
  void refuse(model::RequestId id, Faults faults);
  void refuse(model::RequestId id, base::ErrorCode code, std::string message);
  // Both answer `id` with kNotFound and give null when there is none.
  const OrganizationEntry* organization_or_refuse(const model::OrgId& org, model::RequestId id);
  model::WebhookPtr webhook_or_refuse(const model::OrgId& org, const model::WebhookId& webhook,
                                      model::RequestId id);
  // Answers `id` and gives false when another webhook than `own` has the URL.
  bool url_free_or_refuse(const OrganizationEntry& org, const std::string& url,
                          model::WebhookRef own, model::RequestId id);
  void erase_webhook(const model::Webhook& webhook);
  // The filter of a trigger, in the place of what it has, and the edges told of it.
  void set_filter(const model::OrgId& org, model::Generation trigger,
                  const std::optional<model::Filter>& filter);
  // Answers `id` and gives false when the trigger cannot have the filter.
  bool filter_good_or_refuse(const model::AddTrigger& request, model::TriggerType type,
                             std::optional<model::Generation> trigger, model::RequestId id);
  void erase_event_type(const model::OrgId& org, const std::string& name);

  RegistryLimits limits_;
  model::TargetPolicy targets_;
  Registry& registry_;
  Deliveries& deliveries_;
  EventCatalogue& catalogue_;
  TriggerFilters& filters_;
  Outbox& outbox_;
  base::Random& random_;
};

}  // namespace triggerd::core
