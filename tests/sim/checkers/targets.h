// A call goes only to a webhook that had the trigger when the event was accepted, and whose filter
// lets the event through (told by its text and the event's content, see regions.h), and none leaves
// after the deletion of the webhook, the trigger or the organization was acknowledged, nor after
// the webhook said that it is gone (410).
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "tests/sim/checkers/checker.h"

namespace triggerd::sim {

class Targets final : public Checker {
 public:
  explicit Targets(const Scene& scene) : Checker(scene) {}
  void handled(const Handled& seen) override;
  void emitted(const Emitted& seen) override;
  void released(const Released& seen) override;
  void finished(const Finished& seen) override;
  void restarted(const Restarted& seen) override;

  // Events that were kept from a webhook by its filter.
  [[nodiscard]] std::uint64_t filtered() const { return filtered_; }

 private:
  // What an acknowledged deletion forbids from then on.
  struct Forbidden {
    std::vector<model::WebhookRef> webhooks;
    std::vector<model::Generation> generations;
  };
  using TriggerName = std::pair<model::WebhookRef, std::string>;

  void learn(const model::Mutation& mutation);
  void check_matches(const model::Event& event);
  void check_call(const model::StartAttempt& start);
  [[nodiscard]] Forbidden forbidden_by(const model::Request& deletion) const;
  void object(std::string what) { scene_.verdict.object("targets", std::move(what)); }

  // The registry as emitted so far, whether durable or not.
  std::map<model::Generation, model::Trigger> triggers_;
  std::unordered_map<model::WebhookRef, bool> active_;
  // Ever seen.
  std::map<model::WebhookId, model::WebhookRef> refs_;
  std::unordered_map<model::WebhookRef, model::OrgId> orgs_;
  std::unordered_map<model::WebhookRef, std::string> urls_;
  std::map<TriggerName, std::vector<model::Generation>> erased_;

  std::unordered_map<model::RequestId, model::Request> deletions_;  // not yet acknowledged
  std::unordered_map<model::RequestId, Forbidden> acknowledging_;   // reply emitted, not yet sent
  std::unordered_set<model::WebhookRef> forbidden_webhooks_;
  std::unordered_set<model::Generation> forbidden_generations_;
  std::unordered_set<model::WebhookRef> gone_;
  std::uint64_t filtered_ = 0;
};

}  // namespace triggerd::sim
