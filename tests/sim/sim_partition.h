// The turn, as app/partition does it, in virtual time: inputs go in, the output is taken, what
// rests on nothing leaves, at most one commit is under way and later batches merge behind it, and
// the effects of a batch leave in order once it is durable. One per simulated process.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/core/engine.h"
#include "tests/support/fault_store.h"

namespace triggerd::sim {

// Where a partition's doings go. Called from within end_turn() and commit_ended(); must not call
// the partition back.
class Outside {
 public:
  virtual ~Outside() = default;
  virtual void emitted(const model::Output& output) = 0;
  virtual void released(const model::EffectKind& effect) = 0;
  virtual void committed(model::BatchSeq seq) = 0;
  virtual void read_wanted(const model::Read& read) = 0;
  // A commit has begun, or should begin after a short wait for company.
  virtual void commit_begun() = 0;
  virtual void commit_wait_begun() = 0;
  // A call that was cancelled before it left: its outcome is due at once.
  virtual void call_withdrawn(const model::StartAttempt& attempt) = 0;
};

class SimPartition {
 public:
  // All outlive the partition. The engine starts from what the store holds.
  SimPartition(const core::EngineOptions& options, base::Random& random, support::FaultStore& store,
               Outside& outside);

  // Reads the store; before any other call but engine(). The turn is still to be ended.
  void recover(base::Now now);

  [[nodiscard]] core::Engine& engine() { return engine_; }
  // After each input, or several with the same time.
  void end_turn();
  // The wait for company is over.
  void start_commit();
  // The sync came back. False: the store is poisoned, the process must be recovered.
  [[nodiscard]] bool commit_ended();

  // Nothing is being committed and nothing waits to be.
  [[nodiscard]] bool idle() const { return !store_.commit_under_way() && next_.mutations.empty(); }

  // From now on writes down durable_state() at each commit.
  void write_down_states() { writing_down_ = true; }
  // The state to expect of a recovery; nothing when it was not written down.
  [[nodiscard]] std::optional<std::string> state_to_expect(bool kept_under_way) const;

 private:
  void take_effects(model::Output& output);
  void release_durable();

  core::Engine engine_;
  support::FaultStore& store_;
  Outside& outside_;
  model::BatchSeq durable_;
  model::Batch next_;            // collected while a commit is under way
  bool somebody_waits_ = false;  // an effect or a read rests on next_
  bool waiting_ = false;         // for company
  model::BatchSeq under_way_;
  std::deque<model::Effect> held_;
  std::deque<model::Read> held_reads_;
  bool writing_down_ = false;
  std::optional<std::string> state_durable_;
  std::optional<std::string> state_under_way_;
};

// Engine::durable_state(), once the engine has it.
template <class AnyEngine>
[[nodiscard]] std::optional<std::string> state_of(const AnyEngine& engine) {
  if constexpr (requires { engine.durable_state(); }) return engine.durable_state();
  return std::nullopt;
}

}  // namespace triggerd::sim
