// Who wants what: organizations, API keys, webhooks, triggers, and the index over them. Only state
// and its rules of consistency; limits, messages and mutations are core/registry_requests.
//
// Thread: the engine's. References and spans hold until the next change. Order of registration is
// the order of WebhookRef and of Generation, which are never reused.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/base/ids.h"
#include "engine/core/interner.h"
#include "engine/core/trigger_index.h"
#include "engine/model/records.h"

namespace triggerd::core {

struct OrganizationEntry {
  model::Organization organization;
  std::vector<model::ApiKey> api_keys;                             // in order of (created_at, id)
  std::vector<model::WebhookRef> webhooks;                         // in order of registration
  std::unordered_map<std::string_view, model::WebhookRef> by_url;  // views into the webhooks
};

class Registry {
 public:
  explicit Registry(std::uint64_t seed);

  // --- Organizations and their keys -----------------------------------------------------------
  [[nodiscard]] const OrganizationEntry* organization(const model::OrgId& org) const;
  // In order of (created_at, id).
  [[nodiscard]] std::vector<model::Organization> organizations() const;
  // Requires: no such organization.
  void add_organization(model::Organization organization);
  // Requires: it is there and has no webhooks.
  void erase_organization(const model::OrgId& org);
  // Requires: the organization is there.
  void add_api_key(model::ApiKey key);
  // Requires: it is there.
  void erase_api_key(const model::OrgId& org, const model::ApiKeyId& id);

  // --- Webhooks -------------------------------------------------------------------------------
  // Null when there is none (any more).
  [[nodiscard]] model::WebhookPtr webhook(model::WebhookRef ref) const;
  // The same without a reference count; for looking only.
  [[nodiscard]] const model::Webhook* peek(model::WebhookRef ref) const;
  // Null when there is none, or when it belongs to another organization.
  [[nodiscard]] model::WebhookPtr find(const model::OrgId& org, const model::WebhookId& id) const;
  // Requires: the organization is there; ref, id and URL are free.
  void add_webhook(model::WebhookPtr webhook);
  // Puts a changed webhook in the place of the one with its ref. Requires: it is there, of the same
  // id and organization; its URL is its own or free.
  void replace_webhook(model::WebhookPtr webhook);
  // Removes its triggers too. Requires: it is there.
  void erase_webhook(model::WebhookRef ref);

  // --- Triggers -------------------------------------------------------------------------------
  [[nodiscard]] std::optional<model::Generation> find_trigger(model::WebhookRef ref,
                                                              model::TriggerType type,
                                                              std::string_view name) const;
  [[nodiscard]] std::size_t trigger_count(model::WebhookRef ref) const;
  // In order of registration. Requires: the webhook is there.
  [[nodiscard]] std::vector<model::Trigger> triggers(model::WebhookRef ref) const;
  // Is this very trigger (not a later one of the same name) still there?
  [[nodiscard]] bool in_force(model::WebhookRef ref, model::Generation generation) const;
  // Requires: the webhook is there and has no such trigger; the generation is the highest so far.
  void add_trigger(const model::Trigger& trigger);
  // Requires: it is there.
  void remove_trigger(model::WebhookRef ref, model::Generation generation);

  // The index. In order of registration; empty when nothing matches.
  [[nodiscard]] std::span<const model::Match> match(const model::OrgId& org,
                                                    model::TriggerType type,
                                                    std::string_view name) const;

  // --- What must never run back ---------------------------------------------------------------
  [[nodiscard]] model::WebhookRef next_webhook() const { return next_webhook_; }
  [[nodiscard]] model::Generation next_generation() const { return next_generation_; }
  // Takes the higher of what is known and what is given.
  void raise_counters(model::WebhookRef next_webhook, model::Generation next_generation);

  [[nodiscard]] std::size_t organization_count() const { return orgs_.size(); }
  [[nodiscard]] std::size_t webhook_count() const { return by_id_.size(); }
  [[nodiscard]] std::size_t webhook_count(model::WebhookState state) const {
    return by_state_[static_cast<std::size_t>(state)];
  }
  [[nodiscard]] std::size_t trigger_count() const { return index_.triggers(); }
  // Memory of the trigger index in all: table, pool, names, organizations' numbers, and the list
  // of triggers that each webhook has.
  [[nodiscard]] std::size_t index_bytes() const;

 private:
  struct NamedTrigger {
    std::uint32_t name_and_type = 0;  // name << 1 | type
    model::Generation generation;
  };
  struct WebhookEntry {
    model::WebhookPtr webhook;
    std::uint32_t org = 0;
    std::vector<NamedTrigger> triggers;  // in order of generation
  };
  struct OrgHash {
    std::uint64_t operator()(const model::OrgId& org) const {
      return std::hash<model::OrgId>()(org);
    }
  };
  struct NameHash {
    std::uint64_t operator()(std::string_view name) const {
      return std::hash<std::string_view>()(name);
    }
  };

  [[nodiscard]] std::size_t& count_of(const model::Webhook& webhook) {
    return by_state_[static_cast<std::size_t>(webhook.state)];
  }
  [[nodiscard]] OrganizationEntry& entry_of(const model::OrgId& org);
  [[nodiscard]] const WebhookEntry* entry_of(model::WebhookRef ref) const;
  [[nodiscard]] static TriggerKey key_of(const WebhookEntry& entry, const NamedTrigger& trigger);

  Interner<model::OrgId, model::OrgId, OrgHash> orgs_;
  Interner<std::string, std::string_view, NameHash> names_;  // never erased: the catalogue's names
  std::vector<std::unique_ptr<OrganizationEntry>> organizations_;  // by interned number
  std::vector<std::unique_ptr<WebhookEntry>> webhooks_;            // by ref
  std::unordered_map<model::WebhookId, model::WebhookRef> by_id_;
  std::array<std::size_t, 4> by_state_{};  // how many webhooks
  TriggerIndex index_;
  model::WebhookRef next_webhook_{1};
  model::Generation next_generation_{1};
};

}  // namespace triggerd::core
