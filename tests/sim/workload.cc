#include "tests/sim/workload.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>
#include <variant>

#include "tests/sim/regions.h"

namespace triggerd::sim {
namespace {

constexpr const char* kHookName = "token_minted";
constexpr std::uint64_t kOwnNames = 3;  // event types that an organization may add
constexpr std::uint64_t kClients = 3;   // addresses of SDKs
constexpr std::size_t kAcceptedRemembered = 100;

}  // namespace

model::Request Workload::next(base::Now now) {
  if (orgs_.empty() || (orgs_.size() < plan_.organizations_max && draw_chance(random_, 0.02))) {
    model::CreateOrganization create;
    create.name = "organization " + std::to_string(++urls_);
    return create;
  }
  KnownOrg& org = orgs_[random_.below(orgs_.size())];
  if (org.webhooks.empty()) return change_webhook(org);
  const std::uint64_t dice = random_.below(1000);
  if (dice < 60) return change_webhook(org);
  if (dice < 200) return change_trigger(org);
  if (dice < 210) return change_org(org);
  if (dice < 225) return change_event_type(org);
  if (dice < 240) return rotate(org);
  if (dice < 280) return read(org);
  if (dice < 295) return read_rules(org);
  if (dice < 315) return nonsense(org);
  if (dice < 415) return call_hook(org, now);
  if (dice < 440) return send_test_events(org, now);
  if (dice < 470) return send_sdk_event(org, now);
  if (dice < 520) return mend(org);
  return publish(org, now);
}

model::Request Workload::publish(KnownOrg& org, base::Now now) {
  model::PublishEvents publish;
  publish.org = org.id;
  const std::uint64_t count = draw_chance(random_, 0.5) ? 1 : 1 + random_.below(plan_.batch_max);
  for (std::uint64_t i = 0; i < count; ++i) publish.events.push_back(new_event(org, now));
  if (draw_chance(random_, 0.2)) publish.acceptance = model::Acceptance::kEach;
  if (draw_chance(random_, 0.1)) {
    // Of an id that was never good.
    model::NewEvent& bad = publish.events[random_.below(count)];
    bad.id = model::EventId(random_.uuid_v7(now.wall));
    bad.id_from_client = draw_chance(random_, 0.5);
    bad.name = "NoSuchEvent_v1";
  }
  if (draw_chance(random_, 0.2)) publish.wait = std::chrono::seconds(1 + random_.below(20));
  return publish;
}

// Some of them twice, under the one id that the edge minted.
model::Request Workload::send_test_events(KnownOrg& org, base::Now now) {
  model::PublishEvents publish;
  publish.org = org.id;
  const std::uint64_t count = 1 + random_.below(4);
  const bool twice = draw_chance(random_, 0.3);
  for (std::uint64_t i = 0; i < count; ++i) {
    model::NewEvent event = new_event(org, now);
    event.id = model::EventId(random_.uuid_v7(now.wall));
    event.id_from_client = false;
    event.is_test = event.is_sample = true;
    publish.events.push_back(event);
    if (twice) publish.events.push_back(std::move(event));
  }
  publish.claims = {{model::RateKind::kTestEvents,
                     org.id,
                     {},
                     static_cast<std::uint32_t>(publish.events.size())}};
  return publish;
}

model::Request Workload::send_sdk_event(KnownOrg& org, base::Now now) {
  model::PublishEvents publish;
  publish.org = org.id;
  publish.events.push_back(new_event(org, now));
  publish.events.back().id = model::EventId(random_.uuid_v7(now.wall));
  publish.events.back().id_from_client = false;
  const model::IpAddress client =
      *model::IpAddress::parse("192.0.2." + std::to_string(1 + random_.below(kClients)));
  publish.claims = {{model::RateKind::kSdkClient, {}, client, 1},
                    {model::RateKind::kSdkOrganization, org.id, {}, 1}};
  return publish;
}

model::Request Workload::call_hook(KnownOrg& org, base::Now now) {
  model::CallHook call;
  call.org = org.id;
  call.name = kHookName;
  call.id = model::EventId(random_.uuid_v7(now.wall));
  call.content = R"({"payload":")" + std::string(random_.below(100), 'x') + R"("})";
  if (draw_chance(random_, 0.3)) call.wait = std::chrono::seconds(1 + random_.below(3));
  return call;
}

model::Request Workload::change_webhook(KnownOrg& org) {
  KnownWebhook* webhook = draw_webhook(org);
  const bool full = org.webhooks.size() >= plan_.webhooks_max;
  if (webhook == nullptr || (!full && draw_chance(random_, 0.6))) {
    return model::CreateWebhook{org.id, new_draft(), draw_secret()};
  }
  if (draw_chance(random_, 0.4)) return model::DeleteWebhook{org.id, webhook->id};
  model::PatchWebhook patch{org.id, webhook->id, {}, draw_secret()};
  switch (random_.below(4)) {
    case 0:
      patch.draft.target_url = new_draft().target_url;
      break;
    case 1:
      patch.draft.description = "changed";
      break;
    case 2:
      patch.draft.delivery = draw_settings();
      break;
    default: {
      constexpr std::array<const char*, 5> states{"active", "active", "paused", "paused",
                                                  "disabled"};
      patch.draft.delivery.emplace().state.emplace(states.at(random_.below(states.size())));
    }
  }
  return patch;
}

model::Request Workload::change_trigger(KnownOrg& org) {
  KnownWebhook* webhook = draw_webhook(org);
  if (webhook == nullptr) return change_webhook(org);
  if (webhook->triggers.size() > 3 || (!webhook->triggers.empty() && draw_chance(random_, 0.25))) {
    const std::string& name = webhook->triggers[random_.below(webhook->triggers.size())];
    return model::RemoveTrigger{org.id, webhook->id, name == kHookName ? "sync_hook" : "event",
                                name};
  }
  if (draw_chance(random_, 0.2)) {
    return model::AddTrigger{org.id, webhook->id, "sync_hook", kHookName};
  }
  // One that is there takes the filter in the place of its own.
  std::string name = draw_name(org);
  if (!webhook->triggers.empty() && draw_chance(random_, 0.4)) {
    name = webhook->triggers[random_.below(webhook->triggers.size())];
    if (name == kHookName) name = draw_name(org);
  }
  return model::AddTrigger{org.id, webhook->id, "event", std::move(name), draw_filter()};
}

model::Request Workload::change_event_type(KnownOrg& org) {
  if (!org.event_types.empty() && draw_chance(random_, 0.4)) {
    return model::RemoveEventType{org.id, org.event_types[random_.below(org.event_types.size())]};
  }
  model::DefineEventType define;
  define.org = org.id;
  // A built-in one may have a schema too.
  define.name = draw_chance(random_, 0.3)
                    ? draw_name(org)
                    : "Own" + std::to_string(random_.below(kOwnNames)) + "_v1";
  if (draw_chance(random_, 0.4)) {
    define.schema = schema_refusing(static_cast<RegionSet>(1U << random_.below(kRegions + 1)));
  }
  if (draw_chance(random_, 0.3)) define.description = "described";
  return define;
}

model::Request Workload::rotate(KnownOrg& org) {
  const KnownWebhook* webhook = draw_webhook(org);
  if (webhook == nullptr || draw_chance(random_, 0.4)) {
    model::RotateSigningKey rotation;
    // Now and then one that was there already.
    if (draw_chance(random_, 0.9)) ++signing_keys_;
    rotation.key.kid = "k" + std::to_string(signing_keys_);
    return rotation;
  }
  return model::RotateSecret{org.id, webhook->id, draw_secret()};
}

model::Request Workload::change_org(KnownOrg& org) {
  switch (random_.below(4)) {
    case 0:
      if (orgs_.size() > 1) return model::DeleteOrganization{org.id};
      [[fallthrough]];
    case 1:
      if (!org.keys.empty()) return model::DeleteApiKey{org.id, org.keys.back()};
      [[fallthrough]];
    default: {
      model::CreateApiKey create;
      create.org = org.id;
      create.id = model::ApiKeyId(random_.uuid_v4());
      create.name = "key";
      const base::Uuid noise = random_.uuid_v4();
      std::copy(noise.bytes.begin(), noise.bytes.end(), create.digest.begin());
      return create;
    }
  }
}

model::Request Workload::read(KnownOrg& org) {
  const KnownWebhook* webhook = draw_webhook(org);
  switch (random_.below(6)) {
    case 0:
      return model::ListOrganizations{};
    case 1:
      return model::GetOrganization{org.id};
    case 2:
      return model::ListApiKeys{org.id};
    case 3:
      if (webhook != nullptr) return model::GetWebhook{org.id, webhook->id};
      [[fallthrough]];
    case 4:
      if (webhook != nullptr) return model::ListTriggers{org.id, webhook->id};
      [[fallthrough]];
    default:
      return model::ListWebhooks{org.id};
  }
}

model::Request Workload::read_rules(KnownOrg& org) {
  const KnownWebhook* webhook = draw_webhook(org);
  switch (random_.below(6)) {
    case 0:
      return model::ListSigningKeys{};
    case 1:
      return model::GetJwks{org.id, {}};
    case 2:
      return model::ListEventTypes{org.id};
    case 3:
      return model::GetEventType{org.id, draw_name(org)};
    case 4:
      if (webhook != nullptr && !webhook->triggers.empty()) {
        model::TestTrigger trial;
        trial.org = org.id;
        trial.id = webhook->id;
        trial.type = "event";
        trial.name = webhook->triggers.front();
        if (draw_chance(random_, 0.3)) trial.filter = draw_filter();
        return trial;
      }
      [[fallthrough]];
    default:
      if (webhook != nullptr) return model::GetSecret{org.id, webhook->id};
      return model::ListSigningKeys{};
  }
}

model::Request Workload::mend(KnownOrg& org) {
  const KnownWebhook* webhook = draw_webhook(org);
  if (webhook == nullptr) return model::ListJobs{org.id};
  switch (random_.below(8)) {
    case 0:
      return model::GetPending{org.id, {}, 10};
    case 1:
      return model::ListOrderingKeys{org.id, webhook->id};
    case 2:
      if (!org.jobs.empty()) {
        const model::JobId job = org.jobs[random_.below(org.jobs.size())];
        if (draw_chance(random_, 0.3)) return model::CancelJob{org.id, job};
        return model::GetJob{org.id, job};
      }
      [[fallthrough]];
    case 3:
    case 4: {
      model::StartRecovery start{org.id, webhook->id, {}};
      if (draw_chance(random_, 0.5)) start.states |= model::kRecoverCancelled;
      // Slow ones are still at it when a crash comes.
      start.per_second =
          draw_chance(random_, 0.5) ? 1 : static_cast<std::uint32_t>(1 + random_.below(20));
      return start;
    }
    default:
      break;
  }
  model::EventId event(random_.uuid_v4());
  if (!accepted_.empty()) {
    const auto& [owner, id] = accepted_[random_.below(accepted_.size())];
    if (owner == org.id) event = id;
  }
  return model::RetryDelivery{org.id, webhook->id, event};
}

model::Request Workload::nonsense(KnownOrg& org) {
  const model::WebhookId nobody(random_.uuid_v4());
  switch (random_.below(6)) {
    case 0: {
      model::WebhookDraft draft = new_draft();
      draft.target_url = "http://user@h0.example.com/?q";
      return model::CreateWebhook{org.id, draft, draw_secret()};
    }
    case 1:
      return model::AddTrigger{org.id, nobody, "event", draw_name(org)};
    case 2:
      return model::DeleteWebhook{org.id, nobody};
    case 3:
      return model::PublishEvents{org.id, {}};
    case 4:
      return model::GetOrganization{model::OrgId(nobody.value())};
    default:
      return model::RemoveTrigger{org.id, nobody, "event", "NoSuchEvent_v1"};
  }
}

Workload::KnownWebhook* Workload::draw_webhook(KnownOrg& org) {
  return org.webhooks.empty() ? nullptr : &org.webhooks[random_.below(org.webhooks.size())];
}

Workload::KnownOrg* Workload::find_org(model::OrgId id) {
  const auto at =
      std::find_if(orgs_.begin(), orgs_.end(), [&id](const auto& each) { return each.id == id; });
  return at == orgs_.end() ? nullptr : &*at;
}

Workload::KnownWebhook* Workload::find_webhook(model::OrgId org, model::WebhookId id) {
  KnownOrg* owner = find_org(org);
  if (owner == nullptr) return nullptr;
  const auto at = std::find_if(owner->webhooks.begin(), owner->webhooks.end(),
                               [&id](const auto& each) { return each.id == id; });
  return at == owner->webhooks.end() ? nullptr : &*at;
}

void Workload::learn(const model::Request& request, const model::Reply& reply) {
  if (const auto* made = std::get_if<model::OrganizationReply>(&reply)) {
    if (find_org(made->organization.id) == nullptr) {
      orgs_.push_back({made->organization.id, {}, {}, {}});
    }
  } else if (const auto* all = std::get_if<model::OrganizationsReply>(&reply)) {
    // The list also tells of those whose reply was lost in a crash.
    for (const model::Organization& each : all->organizations) {
      if (find_org(each.id) == nullptr) orgs_.push_back({each.id, {}, {}, {}});
    }
  } else if (const auto* key = std::get_if<model::ApiKeyReply>(&reply)) {
    KnownOrg* org = find_org(key->key.org);
    if (org != nullptr) org->keys.push_back(key->key.id);
  } else if (const auto* webhook = std::get_if<model::WebhookReply>(&reply)) {
    KnownOrg* org = find_org(webhook->webhook->org);
    if (org != nullptr && find_webhook(org->id, webhook->webhook->id) == nullptr) {
      org->webhooks.push_back({webhook->webhook->id, {}});
    }
  } else if (const auto* published = std::get_if<model::PublishReply>(&reply)) {
    for (const model::PublishedEvent& each : published->events) {
      if (each.webhooks == 0) continue;
      accepted_.emplace_back(std::get<model::PublishEvents>(request).org, each.id);
      if (accepted_.size() > kAcceptedRemembered) accepted_.pop_front();
    }
  } else if (const auto* job = std::get_if<model::JobReply>(&reply)) {
    KnownOrg* org = find_org(job->job.org);
    if (org == nullptr) return;
    if (std::find(org->jobs.begin(), org->jobs.end(), job->job.id) == org->jobs.end()) {
      org->jobs.push_back(job->job.id);
    }
  } else if (const auto* webhooks = std::get_if<model::WebhooksReply>(&reply)) {
    for (const model::WebhookPtr& each : webhooks->webhooks) {
      learn(request, model::WebhookReply{each});
    }
  } else if (const auto* type = std::get_if<model::EventTypeReply>(&reply)) {
    KnownOrg* org = find_org(type->event_type.type.org);
    if (org == nullptr || type->event_type.built_in) return;
    auto& known = org->event_types;
    const std::string& name = type->event_type.type.name;
    if (std::find(known.begin(), known.end(), name) == known.end()) known.push_back(name);
  } else if (const auto* added = std::get_if<model::AddTrigger>(&request)) {
    KnownWebhook* owner = find_webhook(added->org, added->id);
    if (owner != nullptr && std::holds_alternative<model::TriggerAdded>(reply) &&
        std::find(owner->triggers.begin(), owner->triggers.end(), added->name) ==
            owner->triggers.end()) {
      owner->triggers.push_back(added->name);
    }
  } else if (std::holds_alternative<model::Done>(reply)) {
    forget(request);
  } else if (const auto* refusal = std::get_if<model::Refusal>(&reply)) {
    const bool gone =
        std::any_of(refusal->faults.begin(), refusal->faults.end(),
                    [](const auto& fault) { return fault.code == base::ErrorCode::kNotFound; });
    if (gone) forget(request);
  }
}

void Workload::forget(const model::Request& deletion) {
  if (const auto* org = std::get_if<model::DeleteOrganization>(&deletion)) {
    std::erase_if(orgs_, [org](const auto& each) { return each.id == org->org; });
  } else if (const auto* webhook = std::get_if<model::DeleteWebhook>(&deletion)) {
    KnownOrg* owner = find_org(webhook->org);
    if (owner == nullptr) return;
    std::erase_if(owner->webhooks, [webhook](const auto& each) { return each.id == webhook->id; });
  } else if (const auto* trigger = std::get_if<model::RemoveTrigger>(&deletion)) {
    KnownWebhook* owner = find_webhook(trigger->org, trigger->id);
    if (owner != nullptr) std::erase(owner->triggers, trigger->name);
  } else if (const auto* type = std::get_if<model::RemoveEventType>(&deletion)) {
    KnownOrg* owner = find_org(type->org);
    if (owner != nullptr) std::erase(owner->event_types, type->name);
  } else if (const auto* key = std::get_if<model::DeleteApiKey>(&deletion)) {
    KnownOrg* owner = find_org(key->org);
    if (owner != nullptr) std::erase(owner->keys, key->id);
  }
}

}  // namespace triggerd::sim
