// Publishers that wait for first attempts: what they are told happened, is durable when they are
// told, and is told in time; nothing is shown to one that did not wait. That each is answered
// exactly once is seen by Replies.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "tests/sim/checkers/checker.h"
#include "tests/support/store_tables.h"

namespace triggerd::sim {

class Waits final : public Checker {
 public:
  explicit Waits(const Scene& scene) : Checker(scene) {}
  void handled(const Handled& seen) override;
  void emitted(const Emitted& seen) override;
  void released(const Released& seen) override;
  void finished(const Finished& seen) override;
  void restarted(const Restarted& seen) override;
  // The engine was told that nobody waits for this request.
  void abandoned(model::RequestId id) { asked_.erase(id); }

 private:
  struct Asked {
    model::OrgId org;
    base::Duration wait{0};
    base::MonoTime at;
    std::optional<base::MonoTime> accepted_at;  // while the answer is to come
  };
  void check_time(const model::SendReply& sent, base::Now now);
  void check_reply(const Asked& asked, const model::PublishReply& reply);
  void check_event(const Asked& asked, const model::PublishedEvent& event);
  void check_attempt(const model::Event& event, const model::Match& match,
                     const model::FirstAttempt& told);
  void object(std::string what) { scene_.verdict.object("waits", std::move(what)); }

  // All of this process.
  std::unordered_map<model::RequestId, Asked> asked_;               // publishes without an answer
  std::unordered_map<model::EventId, model::RequestId> asked_for_;  // minted ids: of one request
  support::DeliveryMap<std::pair<model::OutcomeClass, std::uint16_t>> first_outcomes_;
};

}  // namespace triggerd::sim
