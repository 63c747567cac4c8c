// "Sometimes" properties: what must happen now and then over a run of seeds, so that a simulation
// that became too tame is noticed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace triggerd::sim {

enum class Sometimes : std::uint8_t {
  kCrash,
  kCrashDuringCommit,
  kCrashKeptBatch,
  kCommitFailed,
  kRecoveryCompared,
  kRecoveryWithPending,
  kRetryExhausted,
  kGone,
  kBusy,
  kRetryAfter,
  kDedupInMemory,
  kDedupThroughRead,
  kColdPayloadRead,
  kReadFailed,
  kOverloadRefusal,
  kCancelledDelivery,
  kDuplicateAfterCrash,
  kRequestAbandoned,
  kWallJump,
  kFaultFreeWorld,
  kHookContinued,
  kHookDenied,
  kHookBreaker,
  kHookTimeout,
  kHookConflict,
  kOrderedCall,
  kRatedCall,
  kPaused,
  kDisabledForFailing,
  kFiltered,
  kGivenBack,
  kSchemaRefusal,
  kEventTypeErased,
  kOwnSchedule,
  kSecretRotated,
  kSigningKeyErased,
  kTestEvent,
  kRateRefusal,
  kWaitedForAttempt,
  kWaitRanOut,
  kNoRoomToWait,
  kRefusedByItself,
  kBreakerOpened,
  kProbed,
  kLimitFell,
  kContested,
  kGivenAgain,
  kJobFinished,
  kJobGoesOn,
  kParked,
  kParkedRetry,
  kReadBack,
  kRecoveryWithParked,
  kCount,
};
inline constexpr std::size_t kSometimesCount = static_cast<std::size_t>(Sometimes::kCount);

inline constexpr std::array<const char*, kSometimesCount> kSometimesNames = {
    "crash",
    "crash during commit",
    "crash kept the batch under way",
    "commit failed",
    "recovered state compared",
    "recovery with pending",
    "retry exhausted",
    "webhook gone (410)",
    "attempt found no room (busy)",
    "Retry-After obeyed",
    "duplicate found in memory",
    "duplicate found through a read",
    "cold payload read",
    "read failed",
    "overload refusal",
    "delivery cancelled",
    "duplicate call after a crash",
    "request abandoned",
    "wall clock jumped",
    "fault-free world",
    "hook call continued",
    "hook call denied",
    "hook breaker open",
    "hook webhook timed out",
    "hook claims in conflict",
    "call behind another of its ordering key",
    "call of a webhook with a rate",
    "webhook paused",
    "webhook disabled for failing",
    "event kept from a webhook by its filter",
    "publish given back because rules changed",
    "event refused by a schema",
    "event type erased",
    "retry by a webhook's own schedule",
    "webhook secret rotated",
    "signing key erased",
    "test event",
    "refused at the door",
    "publisher told of a first attempt",
    "publisher's wait ran out",
    "publisher without room to wait",
    "event refused by itself",
    "breaker opened",
    "breaker probed",
    "limit fell",
    "starts watched while first attempts waited",
    "delivery given again by hand or by a job",
    "job finished",
    "job went on after a restart",
    "delivery parked",
    "retry parked until it is due",
    "parked delivery read back",
    "recovery with parked deliveries",
};

// Sums over worlds.
class Tally {
 public:
  void hit(Sometimes what) { ++counts_[static_cast<std::size_t>(what)]; }
  [[nodiscard]] std::uint64_t count(Sometimes what) const {
    return counts_[static_cast<std::size_t>(what)];
  }

  std::uint64_t events = 0;
  std::uint64_t calls = 0;
  std::uint64_t commits = 0;
  std::uint64_t steps = 0;
  double virtual_days = 0;

 private:
  std::array<std::uint64_t, kSometimesCount> counts_{};
};

}  // namespace triggerd::sim
