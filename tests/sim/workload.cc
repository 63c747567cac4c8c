#include "tests/sim/workload.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>
#include <variant>

#include "engine/model/event_types.h"

namespace triggerd::sim {
namespace {

constexpr std::size_t kNames = 6;  // event names in use
constexpr const char* kHookName = "token_minted";
constexpr std::size_t kRemembered = 200;  // events that may be repeated

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
  if (dice < 260) return read(org);
  if (dice < 280) return nonsense(org);
  if (dice < 380) return call_hook(org, now);
  return publish(org, now);
}

model::Request Workload::publish(KnownOrg& org, base::Now now) {
  model::PublishEvents publish;
  publish.org = org.id;
  const std::uint64_t count = draw_chance(random_, 0.5) ? 1 : 1 + random_.below(plan_.batch_max);
  for (std::uint64_t i = 0; i < count; ++i) publish.events.push_back(new_event(org.id, now));
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

model::Request Workload::call_hook(KnownOrg& org, base::Now now) {
  model::CallHook call;
  call.org = org.id;
  call.name = kHookName;
  call.id = model::EventId(random_.uuid_v7(now.wall));
  call.content = R"({"payload":")" + std::string(random_.below(100), 'x') + R"("})";
  if (draw_chance(random_, 0.3)) call.wait = std::chrono::seconds(1 + random_.below(3));
  return call;
}

model::NewEvent Workload::new_event(model::OrgId org, base::Now now) {
  if (!published_.empty() && draw_chance(random_, plan_.repeat_share)) {
    const auto& [owner, event] = published_[random_.below(published_.size())];
    if (owner == org) return event;
  }
  model::NewEvent event;
  event.id = model::EventId(random_.uuid_v7(now.wall));
  event.id_from_client = draw_chance(random_, 0.3);
  event.name = draw_name();
  event.timestamp = now.wall;
  if (draw_chance(random_, 0.5)) event.ordering_key = "key " + std::to_string(random_.below(4));
  event.content = R"({"event_metadata":{},"payload":")";
  event.own_members_at = static_cast<std::uint32_t>(event.content.find(R"("payload")"));
  event.content.append(random_.below(plan_.payload_bytes_max), 'x');
  event.content.append("\"}");
  if (event.id_from_client) {
    published_.emplace_back(org, event);
    if (published_.size() > kRemembered) published_.pop_front();
  }
  return event;
}

model::WebhookDraft Workload::new_draft() {
  model::WebhookDraft draft;
  const std::string number = std::to_string(++urls_);
  draft.name = "webhook " + number;
  draft.target_url =
      "https://h" + std::to_string(random_.below(plan_.hosts)) + ".example.com/w" + number;
  if (draw_chance(random_, 0.3)) draft.timeout = "3s";
  if (draw_chance(random_, 0.5)) draft.delivery = draw_settings();
  if (draw_chance(random_, 0.2)) {
    if (!draft.delivery) draft.delivery.emplace();
    draft.delivery->on_failure.emplace("closed");
  }
  return draft;
}

// Some of the settings, some of them back to their default.
model::DeliveryDraft Workload::draw_settings() {
  model::DeliveryDraft draft;
  const auto draw = [this](auto& into, auto value) {
    if (!draw_chance(random_, 0.5)) return;
    into.emplace(std::nullopt);
    if (!draw_chance(random_, 0.2)) into->emplace(std::move(value));
  };
  draw(draft.ordering, std::string(draw_chance(random_, 0.8) ? "key" : "none"));
  draw(draft.max_in_flight, static_cast<std::int64_t>(1 + random_.below(8)));
  draw(draft.rate, model::RateDraft{0.2 + random_.unit() * 20,
                                    static_cast<std::int64_t>(1 + random_.below(5))});
  return draft;
}

model::Request Workload::change_webhook(KnownOrg& org) {
  KnownWebhook* webhook = draw_webhook(org);
  const bool full = org.webhooks.size() >= plan_.webhooks_max;
  if (webhook == nullptr || (!full && draw_chance(random_, 0.6))) {
    return model::CreateWebhook{org.id, new_draft()};
  }
  if (draw_chance(random_, 0.4)) return model::DeleteWebhook{org.id, webhook->id};
  model::PatchWebhook patch{org.id, webhook->id, {}};
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
  return model::AddTrigger{org.id, webhook->id, "event", draw_name()};
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

model::Request Workload::nonsense(KnownOrg& org) {
  const model::WebhookId nobody(random_.uuid_v4());
  switch (random_.below(6)) {
    case 0: {
      model::WebhookDraft draft = new_draft();
      draft.target_url = "http://user@h0.example.com/?q";
      return model::CreateWebhook{org.id, draft};
    }
    case 1:
      return model::AddTrigger{org.id, nobody, "event", draw_name()};
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

const std::string& Workload::draw_name() {
  static const std::array<std::string, kNames> names = [] {
    std::array<std::string, kNames> built;
    for (std::size_t i = 0; i < kNames; ++i) built[i] = model::built_in_event_types()[i * 3].name;
    return built;
  }();
  return names[random_.below(names.size())];
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
      orgs_.push_back({made->organization.id, {}, {}});
    }
  } else if (const auto* all = std::get_if<model::OrganizationsReply>(&reply)) {
    // The list also tells of those whose reply was lost in a crash.
    for (const model::Organization& each : all->organizations) {
      if (find_org(each.id) == nullptr) orgs_.push_back({each.id, {}, {}});
    }
  } else if (const auto* key = std::get_if<model::ApiKeyReply>(&reply)) {
    KnownOrg* org = find_org(key->key.org);
    if (org != nullptr) org->keys.push_back(key->key.id);
  } else if (const auto* webhook = std::get_if<model::WebhookReply>(&reply)) {
    KnownOrg* org = find_org(webhook->webhook->org);
    if (org != nullptr && find_webhook(org->id, webhook->webhook->id) == nullptr) {
      org->webhooks.push_back({webhook->webhook->id, {}});
    }
  } else if (const auto* webhooks = std::get_if<model::WebhooksReply>(&reply)) {
    for (const model::WebhookPtr& each : webhooks->webhooks) {
      learn(request, model::WebhookReply{each});
    }
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
  } else if (const auto* key = std::get_if<model::DeleteApiKey>(&deletion)) {
    KnownOrg* owner = find_org(key->org);
    if (owner != nullptr) std::erase(owner->keys, key->id);
  }
}

}  // namespace triggerd::sim
