// The catalogue of event names: an event is accepted only under a name that is built in or added,
// and only when the schema in force for it (told by its text, see regions.h) does not refuse it; a
// name that has triggers stays.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "tests/sim/checkers/checker.h"

namespace triggerd::sim {

class Catalogue final : public Checker {
 public:
  explicit Catalogue(const Scene& scene) : Checker(scene) {}
  void emitted(const Emitted& seen) override;
  void restarted(const Restarted& seen) override;

  // Event types that went.
  [[nodiscard]] std::uint64_t erased() const { return erased_; }

 private:
  using Name = std::pair<model::OrgId, std::string>;
  void check_event(const model::Event& event);
  void object(std::string what) { scene_.verdict.object("catalogue", std::move(what)); }

  // As emitted so far.
  std::map<Name, model::EventType> types_;
  std::map<model::Generation, model::Trigger> triggers_;
  std::uint64_t erased_ = 0;
};

}  // namespace triggerd::sim
