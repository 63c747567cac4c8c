// Rates at the door: in no span of time are more tokens granted than the burst and what has grown
// since; who is refused is told to wait.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tests/sim/checkers/checker.h"

namespace triggerd::sim {

class Door final : public Checker {
 public:
  explicit Door(const Scene& scene) : Checker(scene) {}
  void handled(const Handled& seen) override;
  void handled_again(const Handled& seen) override { handled(seen); }
  void emitted(const Emitted& seen) override;
  void restarted(const Restarted& seen) override;

  [[nodiscard]] std::uint64_t refused() const { return refused_; }

 private:
  struct Claimed {
    std::vector<model::RateClaim> claims;
    base::MonoTime at;
  };
  struct Grant {
    base::MonoTime at;
    std::uint32_t tokens = 0;
  };
  using Owner = std::tuple<model::RateKind, model::OrgId, std::string>;

  void grant(const model::RateClaim& claim, base::MonoTime at);
  [[nodiscard]] const model::DoorRate& rate_of(model::RateKind kind) const;
  void object(std::string what) { scene_.verdict.object("door", std::move(what)); }

  std::unordered_map<model::RequestId, Claimed> open_;
  std::map<Owner, std::vector<Grant>> granted_;  // in order of time
  std::uint64_t refused_ = 0;
};

}  // namespace triggerd::sim
