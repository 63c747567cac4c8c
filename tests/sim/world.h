// One simulated world, made from a seed: an engine behind the turn of a partition, a store with
// faults, receivers with moods, clients, crashes, and the checkers that watch. The same seed and
// options give the same world, step by step.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/base/random.h"
#include "engine/core/engine.h"
#include "tests/sim/agenda.h"
#include "tests/sim/checkers/accounted.h"
#include "tests/sim/checkers/catalogue.h"
#include "tests/sim/checkers/checker.h"
#include "tests/sim/checkers/door.h"
#include "tests/sim/checkers/durability.h"
#include "tests/sim/checkers/hooks.h"
#include "tests/sim/checkers/isolation.h"
#include "tests/sim/checkers/pace.h"
#include "tests/sim/checkers/recovery.h"
#include "tests/sim/checkers/repeats.h"
#include "tests/sim/checkers/replies.h"
#include "tests/sim/checkers/secrets.h"
#include "tests/sim/checkers/settings.h"
#include "tests/sim/checkers/signing_keys.h"
#include "tests/sim/checkers/targets.h"
#include "tests/sim/checkers/waits.h"
#include "tests/sim/sim_edge.h"
#include "tests/sim/sim_partition.h"
#include "tests/sim/sim_receivers.h"
#include "tests/sim/tally.h"
#include "tests/sim/trace.h"
#include "tests/sim/workload.h"
#include "tests/sim/world_plan.h"
#include "tests/support/fault_store.h"
#include "tests/support/sim_clock.h"

namespace triggerd::sim {

class World final : private Outside {
 public:
  // `tally` and `trace` outlive the world. `requests`: how many the clients make.
  World(std::uint64_t seed, std::uint32_t requests, Tally& tally, Trace& trace);

  // Lives through faults, then heals and waits until everything has settled. Returns what a checker
  // objected to, or nothing.
  [[nodiscard]] std::optional<std::string> run();
  [[nodiscard]] const WorldPlan& plan() const { return plan_; }

 private:
  struct ReadInProgress {
    model::Read read;
    std::optional<model::ReadAnswer> answer;  // taken early: the store may change before it comes
  };
  // How a process ends.
  enum class End : std::uint8_t { kCrash, kCommitFailed };

  // Outside
  void emitted(const model::Output& output) override;
  void released(const model::EffectKind& effect) override;
  void committed(model::BatchSeq seq) override;
  void read_wanted(const model::Read& read) override;
  void commit_begun() override;
  void commit_wait_begun() override;
  void call_withdrawn(const model::StartAttempt& attempt) override;

  // world.cc
  void start_process();
  void step();
  void happen(const Plan& plan);
  void client_acts();
  void ask_again(model::RequestId id);
  void resume_paused();
  [[nodiscard]] bool has_paused() const;
  void abandon(model::RequestId id);
  void outcome_arrives(std::uint64_t id);
  void read_answered(std::uint64_t id);
  [[nodiscard]] model::ReadAnswer answer_to(const model::Read& read);
  void start_call(const model::StartAttempt& attempt);
  void reply_arrives(const model::SendReply& sent);
  void note_reply(const model::Reply& reply);
  void note_output(const model::Output& output);
  void note_wait(const model::PublishEvents& asked, const model::PublishReply& reply);
  // What the checkers of deliveries see of an output.
  [[nodiscard]] static model::Output without_hooks(const model::Output& output);
  void drain();
  [[nodiscard]] bool settled();
  [[nodiscard]] std::string unsettled() const;

  // world_faults.cc
  void plan_fault();
  void something_breaks();
  void maybe_crash();
  void restart(End end);

  [[nodiscard]] bool failed() const { return verdict_.objection().has_value(); }
  [[nodiscard]] base::Now now() const { return clock_.now(); }
  template <class Observation, class Method>
  void tell(Method method, const Observation& seen) {
    for (Checker* checker : checkers_) (checker->*method)(seen);
  }

  Tally& tally_;
  Trace& trace_;
  base::SeededRandom random_;         // of the world
  base::SeededRandom engine_random_;  // of the engine
  WorldPlan plan_;
  support::SimClock clock_;
  Agenda agenda_;
  support::FaultStore store_;
  SimReceivers receivers_;
  Workload workload_;
  SimEdge edge_;
  std::unique_ptr<SimPartition> partition_;

  Verdict verdict_;
  Scene scene_;
  Accounted accounted_;
  Durability durability_;
  Targets targets_;
  Recovery recovery_;
  Pace pace_;
  Replies replies_;
  Repeats repeats_;
  Hooks hooks_;
  Settings settings_;
  SigningKeys signing_keys_;
  Secrets secrets_;
  Door door_;
  Catalogue catalogue_;
  Waits waits_;
  Isolation isolation_;
  std::array<Checker*, 15> checkers_;

  std::uint64_t epoch_ = 1;  // counts the processes
  std::uint32_t requests_left_;
  std::uint64_t last_request_ = 0;
  std::uint64_t last_read_ = 0;
  std::uint32_t turns_at_this_time_ = 0;
  std::optional<std::uint32_t> crash_in_steps_;
  bool prefer_crash_in_commit_ = false;
  bool faults_on_ = true;
  // Of this process.
  std::unordered_map<model::RequestId, model::Request> waiting_;
  std::unordered_map<model::RequestId, model::PublishEvents> given_back_;
  std::unordered_map<std::uint64_t, model::StartAttempt> calls_;
  std::unordered_map<std::uint64_t, model::Outcome> outcomes_;
  std::unordered_map<std::uint64_t, ReadInProgress> reads_;
};

}  // namespace triggerd::sim
