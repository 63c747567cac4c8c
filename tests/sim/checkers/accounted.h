// Every accepted event is, for every webhook matched at acceptance, delivered, dead, or cancelled
// for a reason that somebody gave, also across crashes. A state claimed must have happened outside:
// delivered needs a 2xx, dead needs the attempts of the schedule (the webhook's own, or the
// engine's) used up or a webhook that is gone, cancelled needs a delete.
#pragma once

#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "tests/sim/checkers/checker.h"
#include "tests/sim/checkers/webhook_forms.h"
#include "tests/support/store_tables.h"

namespace triggerd::sim {

class Accounted final : public Checker {
 public:
  using Checker::Checker;
  void handled(const Handled& seen) override;
  void emitted(const Emitted& seen) override;
  void released(const Released& seen) override;
  void finished(const Finished& seen) override;
  void restarted(const Restarted& seen) override;
  void drained(base::Now now) override;

 private:
  void judge(const model::AttemptRecord& record);
  // May the delivery be given up after this attempt, by a schedule that may have been in force?
  [[nodiscard]] bool may_be_last(model::WebhookRef webhook, std::uint16_t number) const;
  void check_settled(const model::Event& event, const model::Match& match);
  // Did anybody ask for something that cancels this?
  [[nodiscard]] bool may_be_cancelled(model::WebhookRef webhook,
                                      const std::string& event_name) const;

  WebhookForms forms_;
  std::unordered_map<model::RequestId, model::OrgId> publishes_;  // not yet answered
  std::unordered_map<model::EventSeq, std::string> event_names_;
  std::unordered_map<model::WebhookRef, std::pair<model::OrgId, model::WebhookId>> webhooks_;
  std::vector<model::EventSeq> promised_;  // their 202 has left
  support::DeliveryMap<bool> succeeded_;
  std::unordered_set<model::WebhookRef> gone_;      // or failing
  std::unordered_set<model::WebhookRef> disabled_;  // by hand, once at least
  // Deletes that were asked for, whatever came of them.
  std::set<model::OrgId> org_deletes_;
  std::set<model::WebhookId> webhook_deletes_;
  std::set<std::pair<model::WebhookId, std::string>> trigger_removals_;
};

}  // namespace triggerd::sim
