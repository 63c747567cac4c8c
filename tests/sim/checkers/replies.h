// Exactly one reply to each request of a process that lives, none to an abandoned one (a request
// that is given back, because rules have changed, has no reply yet); an event id is accepted once
// within the deduplication window; and in a world without faults each delivery is one call.
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <utility>

#include "tests/sim/checkers/checker.h"
#include "tests/support/store_tables.h"

namespace triggerd::sim {

class Replies final : public Checker {
 public:
  explicit Replies(const Scene& scene) : Checker(scene) {}
  void handled(const Handled& seen) override;
  void emitted(const Emitted& seen) override;
  void released(const Released& seen) override;
  void restarted(const Restarted& seen) override;
  void drained(base::Now now) override;
  // The engine was told that nobody waits for this request.
  void abandoned(model::RequestId id);

 private:
  enum class State : std::uint8_t { kOpen, kReplied, kAbandoned };
  struct Acceptance {
    base::Now at;
    model::EventSeq seq;
  };
  void check_acceptance(const model::Event& event, base::Now now);
  void object(std::string what) { scene_.verdict.object("replies", std::move(what)); }

  std::unordered_map<model::RequestId, State> requests_;  // of this process
  std::map<std::pair<model::OrgId, model::EventId>, Acceptance> accepted_;
  support::DeliveryMap<std::uint32_t> calls_;  // fault-free worlds only
};

}  // namespace triggerd::sim
