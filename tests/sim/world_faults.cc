#include <chrono>
#include <utility>

#include "tests/sim/world.h"

namespace triggerd::sim {
namespace {
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::uint64_t kStepsToCrashMax = 60;

}  // namespace

void World::plan_fault() {
  if (plan_.fault_free || !faults_on_) return;
  agenda_.add(now().mono + draw_pause(random_, plan_.fault_pause_mean), Happening::kFault, 0, 0);
}

void World::something_breaks() {
  if (!faults_on_) return;
  plan_fault();
  if (draw_chance(random_, plan_.crash_share)) {
    // Soon, at any point between two steps; until then the states are written down.
    if (crash_in_steps_) return;
    crash_in_steps_ = static_cast<std::uint32_t>(random_.below(kStepsToCrashMax));
    prefer_crash_in_commit_ = draw_chance(random_, 0.5);
    partition_->write_down_states();
    return;
  }
  switch (random_.below(3)) {
    case 0: {
      const auto code =
          draw_chance(random_, 0.5) ? base::ErrorCode::kUnavailable : base::ErrorCode::kInternal;
      partition_->write_down_states();
      store_.fail_commit(
          code, draw_chance(random_, 0.5) ? support::Unsynced::kKept : support::Unsynced::kLost);
      trace_.add(now().mono, "commit will fail");
      return;
    }
    case 1:
      store_.fail_reads(1 + static_cast<std::uint32_t>(random_.below(5)));
      trace_.add(now().mono, "reads will fail");
      return;
    default: {
      // What happened before the jump is seen at the time at which it happened.
      partition_->end_turn();
      clock_.jump_wall(draw_between(random_, -hours(1), hours(1)));
      tally_.hit(Sometimes::kWallJump);
      trace_.add(now().mono, "wall clock jumps");
    }
  }
}

void World::maybe_crash() {
  if (!crash_in_steps_) return;
  if (*crash_in_steps_ > 0) {
    --*crash_in_steps_;
    return;
  }
  if (prefer_crash_in_commit_ && !store_.commit_under_way()) return;  // the next one will do
  crash_in_steps_.reset();
  restart(End::kCrash);
}

void World::restart(End end) {
  // Kept or lost is drawn here for a crash, and was drawn with the failure of a commit.
  const bool under_way = store_.commit_under_way();
  bool kept = draw_chance(random_, 0.5);
  if (end == End::kCommitFailed) kept = store_.keeps_failed_batch();
  std::optional<std::string> expected = partition_->state_to_expect(kept);
  if (end == End::kCrash) {
    tally_.hit(Sometimes::kCrash);
    if (under_way) tally_.hit(Sometimes::kCrashDuringCommit);
    if (under_way && kept) tally_.hit(Sometimes::kCrashKeptBatch);
    store_.crash(kept ? support::Unsynced::kKept : support::Unsynced::kLost);
  } else {
    tally_.hit(Sometimes::kCommitFailed);
    store_.reopen();
  }
  trace_.add(now().mono, end == End::kCrash ? "crash" : "commit failed",
             {{"during_commit", under_way ? 1U : 0U}, {"kept", kept ? 1U : 0U}});
  ++epoch_;
  waiting_.clear();
  given_back_.clear();
  edge_.restarted();
  calls_.clear();
  outcomes_.clear();
  reads_.clear();
  clock_.advance(draw_chance(random_, 0.9) ? draw_between(random_, milliseconds(10), seconds(20))
                                           : draw_between(random_, minutes(1), hours(5)));
  if (draw_chance(random_, 0.1)) clock_.jump_wall(draw_between(random_, -hours(1), hours(1)));

  start_process();
  if (partition_->engine().stats().pending > 0) tally_.hit(Sometimes::kRecoveryWithPending);
  if (partition_->engine().stats().parked > 0) tally_.hit(Sometimes::kRecoveryWithParked);
  std::optional<std::string> recovered = state_of(partition_->engine());
  if (!recovered) expected.reset();
  if (expected) tally_.hit(Sometimes::kRecoveryCompared);
  trace_.add(now().mono, "recovered", {{"pending", partition_->engine().stats().pending}});
  tell(&Checker::restarted,
       Restarted{now(), std::move(expected), std::move(recovered).value_or(std::string())});
  partition_->end_turn();
}

}  // namespace triggerd::sim
