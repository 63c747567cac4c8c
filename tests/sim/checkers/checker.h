// What a checker sees of a simulated world, and how it objects. Checkers form their opinion from
// these observations and from the durable content of the store, never from the engine's insides.
#pragma once

#include <optional>
#include <string>

#include "engine/core/engine.h"
#include "engine/model/output.h"
#include "engine/model/request.h"
#include "tests/support/store_tables.h"

namespace triggerd::sim {

// The first objection stands; the world stops there.
class Verdict {
 public:
  void object(const char* checker, std::string what) {
    if (!objection_) objection_ = std::string(checker) + ": " + std::move(what);
  }
  [[nodiscard]] const std::optional<std::string>& objection() const { return objection_; }

 private:
  std::optional<std::string> objection_;
};

// What all checkers share. Borrowed parts outlive the checkers.
struct Scene {
  const support::StoreTables& durable;
  const core::EngineOptions& options;  // `retry_schedule` is filled in, never empty
  bool fault_free = false;             // no crash, no failure, every receiver well
  Verdict& verdict;
};

struct Handled {
  model::RequestId id;
  const model::Request& request;
  base::Now now;
};
struct Emitted {
  const model::Output& output;
  base::Now now;
};
struct Released {
  const model::EffectKind& effect;
  base::Now now;
};
struct Finished {
  const model::StartAttempt& attempt;
  const model::Outcome& outcome;
  base::Now now;
};
struct Restarted {
  base::Now now;
  // Engine::durable_state() of the engine that is gone, at the last durable batch; absent when the
  // world did not write it down.
  std::optional<std::string> expected_state;
  std::string recovered_state;
};

class Checker {
 public:
  explicit Checker(const Scene& scene) : scene_(scene) {}
  virtual ~Checker() = default;
  Checker(const Checker&) = delete;
  Checker& operator=(const Checker&) = delete;

  // A request goes into the engine.
  virtual void handled(const Handled&) {}
  // A request that the engine gave back goes in again.
  virtual void handled_again(const Handled&) {}
  // The engine's output was taken, before anything of it leaves.
  virtual void emitted(const Emitted&) {}
  // A batch (merged ones have the last one's number) has become durable.
  virtual void committed(model::BatchSeq) {}
  // An effect leaves for the outside.
  virtual void released(const Released&) {}
  // An outcome goes into the engine.
  virtual void finished(const Finished&) {}
  // The process died and was recovered; nothing of before is in flight any more.
  virtual void restarted(const Restarted&) {}
  // Faults ended and everything had time to settle.
  virtual void drained(base::Now) {}

 protected:
  Scene scene_;
};

}  // namespace triggerd::sim
