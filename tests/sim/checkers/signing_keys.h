// Keys that sign: at most one waits for its time, which is at least the lead away and behind all
// others; one goes only when no token that it signed can be valid any more, the oldest first; and
// none is used or shown before it is stored.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/checkers/checker.h"

namespace triggerd::sim {

class SigningKeys final : public Checker {
 public:
  explicit SigningKeys(const Scene& scene) : Checker(scene) {}
  void emitted(const Emitted& seen) override;
  void released(const Released& seen) override;
  void restarted(const Restarted& seen) override;

  // Keys that came, and that went.
  [[nodiscard]] std::uint64_t added() const { return added_; }
  [[nodiscard]] std::uint64_t erased() const { return erased_.size(); }

 private:
  void check_added(const model::SigningKey& key, base::Now now);
  void check_erased(const std::string& kid, base::Now now);
  void check_stored(const std::string& kid, const char* how);
  void object(std::string what) { scene_.verdict.object("signing keys", std::move(what)); }

  std::vector<model::SigningKey> keys_;  // as emitted so far, in order of active_from
  std::set<std::string> erased_;         // ever
  std::uint64_t added_ = 0;
};

}  // namespace triggerd::sim
