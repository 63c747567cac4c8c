#include "engine/core/registry.h"

#include <algorithm>
#include <utility>

#include "engine/base/assert.h"

namespace triggerd::core {

using model::ApiKey;
using model::ApiKeyId;
using model::Generation;
using model::Match;
using model::Organization;
using model::OrgId;
using model::Trigger;
using model::TriggerType;
using model::WebhookId;
using model::WebhookPtr;
using model::WebhookRef;

namespace {

template <class Row>
bool created_before(const Row& left, const Row& right) {
  if (left.created_at != right.created_at) return left.created_at < right.created_at;
  return left.id < right.id;
}

std::uint32_t name_and_type(std::uint32_t name, TriggerType type) {
  return (name << 1) | (type == TriggerType::kSyncHook ? 1U : 0U);
}

TriggerType type_of(std::uint32_t name_and_type) {
  return (name_and_type & 1U) != 0 ? TriggerType::kSyncHook : TriggerType::kEvent;
}

}  // namespace

Registry::Registry(std::uint64_t seed) : orgs_(seed), names_(seed), index_(seed) {}

// --- Organizations and their keys -------------------------------------------------------------

const OrganizationEntry* Registry::organization(const OrgId& org) const {
  const std::uint32_t number = orgs_.find(org);
  return number == orgs_.kNone ? nullptr : organizations_[number].get();
}

OrganizationEntry& Registry::entry_of(const OrgId& org) {
  const std::uint32_t number = orgs_.find(org);
  TRIGGERD_ASSERT(number != orgs_.kNone);
  return *organizations_[number];
}

std::vector<Organization> Registry::organizations() const {
  std::vector<Organization> all;
  all.reserve(orgs_.size());
  for (const auto& entry : organizations_) {
    if (entry) all.push_back(entry->organization);
  }
  std::sort(all.begin(), all.end(), created_before<Organization>);
  return all;
}

void Registry::add_organization(Organization organization) {
  TRIGGERD_ASSERT(orgs_.find(organization.id) == orgs_.kNone);
  const std::uint32_t number = orgs_.intern(organization.id);
  if (number >= organizations_.size()) organizations_.resize(number + 1);
  organizations_[number] = std::make_unique<OrganizationEntry>();
  organizations_[number]->organization = std::move(organization);
}

void Registry::erase_organization(const OrgId& org) {
  const std::uint32_t number = orgs_.find(org);
  TRIGGERD_ASSERT(number != orgs_.kNone && organizations_[number]->webhooks.empty());
  organizations_[number].reset();
  orgs_.erase(number);
}

void Registry::add_api_key(ApiKey key) {
  std::vector<ApiKey>& keys = entry_of(key.org).api_keys;
  keys.insert(std::upper_bound(keys.begin(), keys.end(), key, created_before<ApiKey>),
              std::move(key));
}

void Registry::erase_api_key(const OrgId& org, const ApiKeyId& id) {
  std::vector<ApiKey>& keys = entry_of(org).api_keys;
  const auto at =
      std::find_if(keys.begin(), keys.end(), [&id](const ApiKey& key) { return key.id == id; });
  TRIGGERD_ASSERT(at != keys.end());
  keys.erase(at);
}

// --- Webhooks ---------------------------------------------------------------------------------

const Registry::WebhookEntry* Registry::entry_of(WebhookRef ref) const {
  return ref.value() < webhooks_.size() ? webhooks_[ref.value()].get() : nullptr;
}

WebhookPtr Registry::webhook(WebhookRef ref) const {
  const WebhookEntry* entry = entry_of(ref);
  return entry == nullptr ? nullptr : entry->webhook;
}

const model::Webhook* Registry::peek(WebhookRef ref) const {
  const WebhookEntry* entry = entry_of(ref);
  return entry == nullptr ? nullptr : entry->webhook.get();
}

WebhookPtr Registry::find(const OrgId& org, const WebhookId& id) const {
  const auto at = by_id_.find(id);
  if (at == by_id_.end()) return nullptr;
  const WebhookPtr& webhook = webhooks_[at->second.value()]->webhook;
  return webhook->org == org ? webhook : nullptr;
}

void Registry::add_webhook(WebhookPtr webhook) {
  const WebhookRef ref = webhook->ref;
  if (ref.value() >= webhooks_.size()) webhooks_.resize(std::size_t{ref.value()} + 1);
  TRIGGERD_ASSERT(webhooks_[ref.value()] == nullptr);
  OrganizationEntry& org = entry_of(webhook->org);
  TRIGGERD_ASSERT(org.webhooks.empty() || org.webhooks.back() < ref);
  org.webhooks.push_back(ref);
  TRIGGERD_ASSERT(org.by_url.emplace(webhook->target_url, ref).second);
  TRIGGERD_ASSERT(by_id_.emplace(webhook->id, ref).second);
  raise_counters(WebhookRef(ref.value() + 1), Generation(0));
  ++count_of(*webhook);
  auto entry = std::make_unique<WebhookEntry>();
  entry->org = orgs_.find(webhook->org);
  entry->webhook = std::move(webhook);
  webhooks_[ref.value()] = std::move(entry);
}

void Registry::replace_webhook(WebhookPtr webhook) {
  WebhookEntry* entry = webhooks_[webhook->ref.value()].get();
  TRIGGERD_ASSERT(entry != nullptr && entry->webhook->id == webhook->id);
  OrganizationEntry& org = entry_of(webhook->org);
  // Also when the URL stays: the key is a view into the old webhook.
  org.by_url.erase(entry->webhook->target_url);
  TRIGGERD_ASSERT(org.by_url.emplace(webhook->target_url, webhook->ref).second);
  --count_of(*entry->webhook);
  ++count_of(*webhook);
  entry->webhook = std::move(webhook);
}

void Registry::erase_webhook(WebhookRef ref) {
  const WebhookEntry* entry = entry_of(ref);
  TRIGGERD_ASSERT(entry != nullptr);
  for (const NamedTrigger& trigger : entry->triggers) {
    index_.remove(key_of(*entry, trigger), trigger.generation);
  }
  OrganizationEntry& org = entry_of(entry->webhook->org);
  org.by_url.erase(entry->webhook->target_url);
  org.webhooks.erase(std::lower_bound(org.webhooks.begin(), org.webhooks.end(), ref));
  by_id_.erase(entry->webhook->id);
  --count_of(*entry->webhook);
  webhooks_[ref.value()].reset();
}

// --- Triggers ---------------------------------------------------------------------------------

TriggerKey Registry::key_of(const WebhookEntry& entry, const NamedTrigger& trigger) {
  return TriggerKey{entry.org, trigger.name_and_type >> 1, type_of(trigger.name_and_type)};
}

std::optional<Generation> Registry::find_trigger(WebhookRef ref, TriggerType type,
                                                 std::string_view name) const {
  const WebhookEntry* entry = entry_of(ref);
  const std::uint32_t number = names_.find(name);
  if (entry == nullptr || number == names_.kNone) return std::nullopt;
  const std::uint32_t wanted = name_and_type(number, type);
  for (const NamedTrigger& trigger : entry->triggers) {
    if (trigger.name_and_type == wanted) return trigger.generation;
  }
  return std::nullopt;
}

std::size_t Registry::trigger_count(WebhookRef ref) const {
  const WebhookEntry* entry = entry_of(ref);
  return entry == nullptr ? 0 : entry->triggers.size();
}

std::vector<Trigger> Registry::triggers(WebhookRef ref) const {
  const WebhookEntry* entry = entry_of(ref);
  TRIGGERD_ASSERT(entry != nullptr);
  std::vector<Trigger> all;
  all.reserve(entry->triggers.size());
  for (const NamedTrigger& trigger : entry->triggers) {
    all.push_back(Trigger{entry->webhook->org, ref, type_of(trigger.name_and_type),
                          names_.at(trigger.name_and_type >> 1), trigger.generation});
  }
  return all;
}

bool Registry::in_force(WebhookRef ref, Generation generation) const {
  const WebhookEntry* entry = entry_of(ref);
  if (entry == nullptr) return false;
  const auto at = std::lower_bound(
      entry->triggers.begin(), entry->triggers.end(), generation,
      [](const NamedTrigger& trigger, Generation wanted) { return trigger.generation < wanted; });
  return at != entry->triggers.end() && at->generation == generation;
}

void Registry::add_trigger(const Trigger& trigger) {
  WebhookEntry* entry = webhooks_[trigger.webhook.value()].get();
  TRIGGERD_ASSERT(entry != nullptr);
  TRIGGERD_ASSERT(entry->triggers.empty() ||
                  entry->triggers.back().generation < trigger.generation);
  const std::uint32_t name = names_.intern(trigger.name);
  entry->triggers.push_back(NamedTrigger{name_and_type(name, trigger.type), trigger.generation});
  index_.add(TriggerKey{entry->org, name, trigger.type},
             Match{trigger.webhook, trigger.generation});
  raise_counters(WebhookRef(0), Generation(trigger.generation.value() + 1));
}

void Registry::remove_trigger(WebhookRef ref, Generation generation) {
  WebhookEntry* entry = webhooks_[ref.value()].get();
  TRIGGERD_ASSERT(entry != nullptr);
  const auto at = std::find_if(
      entry->triggers.begin(), entry->triggers.end(),
      [generation](const NamedTrigger& trigger) { return trigger.generation == generation; });
  TRIGGERD_ASSERT(at != entry->triggers.end());
  index_.remove(key_of(*entry, *at), generation);
  entry->triggers.erase(at);
}

std::span<const Match> Registry::match(const OrgId& org, TriggerType type,
                                       std::string_view name) const {
  const std::uint32_t name_number = names_.find(name);
  if (name_number == names_.kNone) return {};
  const std::uint32_t org_number = orgs_.find(org);
  if (org_number == orgs_.kNone) return {};
  return index_.match(TriggerKey{org_number, name_number, type});
}

// --- Counters and sizes -----------------------------------------------------------------------

void Registry::raise_counters(WebhookRef next_webhook, Generation next_generation) {
  next_webhook_ = std::max(next_webhook_, next_webhook);
  next_generation_ = std::max(next_generation_, next_generation);
}

std::size_t Registry::index_bytes() const {
  std::size_t bytes = index_.bytes() + orgs_.bytes() + names_.bytes();
  for (const auto& entry : webhooks_) {
    if (entry)
      bytes +=
          sizeof(std::vector<NamedTrigger>) + entry->triggers.capacity() * sizeof(NamedTrigger);
  }
  return bytes;
}

}  // namespace triggerd::core
