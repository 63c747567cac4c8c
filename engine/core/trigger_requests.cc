// Registry requests: triggers and their filters (CONTRACT A4, B1).
#include <string>
#include <utility>

#include "engine/core/registry_requests.h"

namespace triggerd::core {

using base::ErrorCode;
using base::Now;
using model::Generation;
using model::OrgId;
using model::RequestId;
using model::Trigger;
using model::TriggerType;
using model::WebhookPtr;

void RegistryRequests::handle(const model::ListTriggers& request, RequestId id, Now) {
  const WebhookPtr webhook = webhook_or_refuse(request.org, request.id, id);
  if (webhook == nullptr) return;
  model::TriggersReply reply{registry_.triggers(webhook->ref)};
  for (Trigger& trigger : reply.triggers) {
    if (const model::Filter* filter = filters_.shown(trigger.generation)) trigger.filter = *filter;
  }
  outbox_.reply(id, std::move(reply));
}

void RegistryRequests::handle(const model::AddTrigger& request, RequestId id, Now) {
  const WebhookPtr webhook = webhook_or_refuse(request.org, request.id, id);
  if (webhook == nullptr) return;
  TriggerVerdict verdict =
      validate_trigger(request.type, request.name, EventNames{catalogue_, request.org});
  if (!verdict.faults.empty()) return refuse(id, std::move(verdict.faults));
  const TriggerType type = verdict.trigger.type;
  const std::optional<Generation> there =
      registry_.find_trigger(webhook->ref, type, verdict.trigger.name);
  if (!filter_good_or_refuse(request, type, there, id)) return;
  if (there) {
    // Its generation stays: what it has brought so far goes on.
    const model::Filter* before = filters_.shown(*there);
    const bool same = before == nullptr ? !request.filter : request.filter == *before;
    if (!same) {
      outbox_.put(model::PutTrigger{
          Trigger{request.org, webhook->ref, type, verdict.trigger.name, *there, request.filter}});
      set_filter(request.org, *there, request.filter);
    }
    return outbox_.reply(id, model::TriggerAdded{});
  }
  if (registry_.trigger_count(webhook->ref) >= limits_.triggers_per_webhook) {
    return refuse(id, ErrorCode::kInvalid,
                  "triggers: a webhook has at most " +
                      std::to_string(limits_.triggers_per_webhook) +
                      "; delete one that is not used");
  }
  const Trigger trigger{
      request.org,   webhook->ref, type, verdict.trigger.name, registry_.next_generation(),
      request.filter};
  registry_.add_trigger(trigger);
  outbox_.put(model::PutTrigger{trigger});
  if (trigger.filter) set_filter(request.org, trigger.generation, trigger.filter);
  outbox_.reply(id, model::TriggerAdded{});
}

bool RegistryRequests::filter_good_or_refuse(const model::AddTrigger& request, TriggerType type,
                                             std::optional<Generation> trigger, RequestId id) {
  if (!request.filter) return true;
  if (type == TriggerType::kSyncHook) {
    refuse(id, ErrorCode::kInvalid,
           "filter: a sync_hook trigger has none, every call is for it; leave the filter out");
    return false;
  }
  if (EventCatalogue::is_operational(request.name)) {
    refuse(id, ErrorCode::kInvalid,
           "filter: a trigger for one of the engine's own events has none; leave the filter out");
    return false;
  }
  if (!filters_.fits(request.org, trigger.value_or(Generation(0)), *request.filter)) {
    refuse(id, ErrorCode::kInvalid,
           "filter: the filters of an organization look at no more than " +
               std::to_string(model::kFilterPathsPerOrgMax) +
               " different paths in all; use those that other filters look at, or fewer");
    return false;
  }
  return true;
}

void RegistryRequests::set_filter(const OrgId& org, Generation trigger,
                                  const std::optional<model::Filter>& filter) {
  if (filter) {
    filters_.set(org, trigger, *filter);
  } else if (!filters_.remove(org, trigger)) {
    return;
  }
  filters_.tell_paths(org, outbox_);
}

void RegistryRequests::handle(const model::RemoveTrigger& request, RequestId id, Now) {
  const WebhookPtr webhook = webhook_or_refuse(request.org, request.id, id);
  if (webhook == nullptr) return;
  TriggerVerdict verdict =
      validate_trigger(request.type, request.name, EventNames{catalogue_, request.org});
  if (!verdict.faults.empty()) return refuse(id, std::move(verdict.faults));
  const std::optional<Generation> generation =
      registry_.find_trigger(webhook->ref, verdict.trigger.type, verdict.trigger.name);
  if (!generation) {
    return refuse(id, ErrorCode::kNotFound,
                  "could not find trigger " + request.type + " " + request.name + " of webhook " +
                      request.id.to_string());
  }
  registry_.remove_trigger(webhook->ref, *generation);
  outbox_.put(model::EraseTrigger{
      Trigger{request.org, webhook->ref, verdict.trigger.type, verdict.trigger.name, *generation}});
  set_filter(request.org, *generation, std::nullopt);
  deliveries_.trigger_removed();
  outbox_.reply(id, model::Done{});
}

void RegistryRequests::handle(const model::TestTrigger& request, RequestId id, Now) {
  const WebhookPtr webhook = webhook_or_refuse(request.org, request.id, id);
  if (webhook == nullptr) return;
  TriggerVerdict verdict =
      validate_trigger(request.type, request.name, EventNames{catalogue_, request.org});
  if (!verdict.faults.empty()) return refuse(id, std::move(verdict.faults));
  if (verdict.trigger.type == TriggerType::kSyncHook) {
    return refuse(id, ErrorCode::kInvalid,
                  "trigger_type: a sync_hook trigger has no filter to test; use event");
  }
  if (request.filter) return outbox_.reply(id, model::FilterToTry{request.filter});
  const std::optional<Generation> there =
      registry_.find_trigger(webhook->ref, verdict.trigger.type, verdict.trigger.name);
  if (!there) {
    return refuse(id, ErrorCode::kNotFound,
                  "could not find trigger event " + request.name + " of webhook " +
                      request.id.to_string() + "; add it, or give the filter to test");
  }
  const model::Filter* filter = filters_.shown(*there);
  outbox_.reply(id, filter == nullptr ? model::FilterToTry{} : model::FilterToTry{*filter});
}

}  // namespace triggerd::core
