// Synchronous hooks: every call is answered once, by its deadline, with what a plain merge of the
// outcomes gives; nothing of it waits for a commit; nobody is called for a call that was answered.
// Sees the hooks' doings; the other checkers see the rest.
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "tests/sim/checkers/checker.h"

namespace triggerd::sim {

class Hooks final : public Checker {
 public:
  explicit Hooks(const Scene& scene) : Checker(scene) {}
  void handled(const Handled& seen) override;
  void emitted(const Emitted& seen) override;
  void released(const Released& seen) override;
  void finished(const Finished& seen) override;
  void restarted(const Restarted& seen) override;
  // The engine was told that nobody waits for this request.
  void abandoned(model::RequestId id);

 private:
  struct Part {
    model::WebhookPtr webhook;
    base::Duration timeout{0};
    std::optional<model::Outcome> outcome;
    base::MonoTime at;
  };
  struct Call {
    model::RequestId request;
    base::Duration wait{0};
    base::Now began;
    std::map<model::WebhookRef, Part> parts;  // in order of registration
  };
  struct Merged {
    std::map<std::string, std::string> claims;
    std::map<std::string, bool> conflicts;
    std::map<std::string, bool> dropped;
  };

  void check_reply(const Call& call, const model::HookReply& reply, base::Now now);
  void check_webhooks(const Call& call, const model::HookReply& reply, base::Now now);
  void check_claims(const Call& call, const model::HookReply& reply);
  [[nodiscard]] static Merged merge(const Call& call, const model::HookReply& reply);
  void object(const std::string& what) { scene_.verdict.object("hooks", what); }

  std::map<model::EventId, Call> calls_;  // not answered
  std::unordered_map<model::RequestId, model::EventId> by_request_;
  std::unordered_set<model::RequestId> over_;  // answered, or abandoned
};

}  // namespace triggerd::sim
