// An engine recovered from the store equals the one that is gone, as it stood when it handed out
// the last batch that became durable.
#pragma once

#include "tests/sim/checkers/checker.h"

namespace triggerd::sim {

class Recovery final : public Checker {
 public:
  explicit Recovery(const Scene& scene) : Checker(scene) {}
  void restarted(const Restarted& seen) override;
};

}  // namespace triggerd::sim
