// The clients of a simulated world: they register organizations, webhooks, triggers with filters
// and event types, change and delete them, rotate keys and secrets, publish events, repeat some,
// send test events and those of SDKs, and sometimes ask for nonsense. They know only what replies
// told them. What is asked is decided in workload.cc, what it holds in workload_drafts.cc.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/base/random.h"
#include "engine/model/request.h"
#include "tests/sim/world_plan.h"

namespace triggerd::sim {

class Workload {
 public:
  // Both outlive the workload.
  Workload(const WorldPlan& plan, base::Random& random) : plan_(plan), random_(random) {}

  [[nodiscard]] model::Request next(base::Now now);
  // `request` was the one with this reply.
  void learn(const model::Request& request, const model::Reply& reply);

 private:
  struct KnownWebhook {
    model::WebhookId id;
    std::vector<std::string> triggers;
  };
  struct KnownOrg {
    model::OrgId id;
    std::vector<KnownWebhook> webhooks;
    std::vector<model::ApiKeyId> keys;
    std::vector<std::string> event_types;  // that it added
    std::vector<model::JobId> jobs{};
  };

  [[nodiscard]] model::Request publish(KnownOrg& org, base::Now now);
  [[nodiscard]] model::Request send_test_events(KnownOrg& org, base::Now now);
  [[nodiscard]] model::Request send_sdk_event(KnownOrg& org, base::Now now);
  [[nodiscard]] model::Request call_hook(KnownOrg& org, base::Now now);
  [[nodiscard]] model::NewEvent new_event(const KnownOrg& org, base::Now now);
  [[nodiscard]] model::Request change_webhook(KnownOrg& org);
  [[nodiscard]] model::Request change_trigger(KnownOrg& org);
  [[nodiscard]] model::Request change_org(KnownOrg& org);
  [[nodiscard]] model::Request change_event_type(KnownOrg& org);
  [[nodiscard]] model::Request rotate(KnownOrg& org);
  [[nodiscard]] model::Request read(KnownOrg& org);
  [[nodiscard]] model::Request read_rules(KnownOrg& org);
  [[nodiscard]] model::Request mend(KnownOrg& org);
  [[nodiscard]] model::Request nonsense(KnownOrg& org);
  [[nodiscard]] model::WebhookDraft new_draft();
  [[nodiscard]] model::DeliveryDraft draw_settings();
  [[nodiscard]] model::SigningSecret draw_secret();
  [[nodiscard]] std::optional<model::Filter> draw_filter();
  [[nodiscard]] std::string draw_name(const KnownOrg& org);
  [[nodiscard]] KnownWebhook* draw_webhook(KnownOrg& org);
  [[nodiscard]] KnownOrg* find_org(model::OrgId id);
  [[nodiscard]] KnownWebhook* find_webhook(model::OrgId org, model::WebhookId id);
  void forget(const model::Request& deletion);

  const WorldPlan& plan_;
  base::Random& random_;
  std::vector<KnownOrg> orgs_;
  std::deque<std::pair<model::OrgId, model::NewEvent>> published_;  // with ids of the client's own
  std::deque<std::pair<model::OrgId, model::EventId>> accepted_;    // some of the last ones
  std::uint64_t urls_ = 0;
  std::uint64_t signing_keys_ = 0;
};

}  // namespace triggerd::sim
