// No reply that reveals a write and no call leaves before the write is durable. What a reply
// reveals is worked out from the mutations the engine emitted, never from the batch it names.
#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tests/sim/checkers/checker.h"

namespace triggerd::sim {

class Durability final : public Checker {
 public:
  explicit Durability(const Scene& scene) : Checker(scene) {}
  void handled(const Handled& seen) override;
  void emitted(const Emitted& seen) override;
  void committed(model::BatchSeq seq) override;
  void released(const Released& seen) override;
  void restarted(const Restarted& seen) override;

 private:
  struct Waiting {
    model::Request request;  // without the contents of events
    model::BatchSeq needs;   // known once the reply is emitted
  };
  using TriggerKey = std::pair<model::WebhookRef, std::string>;

  void touch(const model::Mutation& mutation, model::BatchSeq seq);
  [[nodiscard]] model::BatchSeq needs_of(const Waiting& waiting, const model::Reply& reply) const;
  [[nodiscard]] model::BatchSeq touched_in(model::OrgId org, const std::string& object) const;
  void check_reply(const Waiting& waiting, const model::Reply& reply);
  void check_publish(const model::PublishEvents& publish, const model::PublishReply& reply);
  void check_call(const model::StartAttempt& start);
  void object(std::string what) { scene_.verdict.object("durability", std::move(what)); }

  model::BatchSeq durable_;
  model::BatchSeq emitted_;
  std::unordered_map<model::RequestId, Waiting> waiting_;
  // Last batch of this process that changed an object of the organization.
  std::map<model::OrgId, std::map<std::string, model::BatchSeq>> touched_;
  // Objects that were erased at some time: their absence later is no fault.
  std::set<std::string> erased_;
  std::unordered_map<model::WebhookRef, std::pair<model::OrgId, model::WebhookId>> webhooks_;
};

}  // namespace triggerd::sim
