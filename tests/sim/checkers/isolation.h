// One webhook that fares badly does not take from the others, and none is forgotten:
//
//   - a receiver that has only failed is left alone for its time, then gets one call, and no other
//     until that is over; one that sent Retry-After likewise
//   - it gets fewer calls at once after each round of timeouts, 429, 503 and refused connections
//   - retries are no more than their share while first attempts wait
//   - what could start is started after so many starts of others at the latest
//
// Whether first attempts wait is told from outside, so only where there is no doubt: the webhook is
// active and well, has nothing in flight and no rate, and its host has room for all who go there.
// What happens to a webhook in the turn of a start may have come before it or after it: such starts
// are not held against it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/checkers/checker.h"
#include "tests/support/store_tables.h"

namespace triggerd::sim {

class Isolation final : public Checker {
 public:
  explicit Isolation(const Scene& scene) : Checker(scene) {}
  void emitted(const Emitted& seen) override;
  void finished(const Finished& seen) override;
  void restarted(const Restarted& seen) override;

  // How often a receiver was left alone, was asked again, got fewer calls; and starts that were
  // watched while first attempts waited.
  [[nodiscard]] std::uint64_t openings() const { return openings_; }
  [[nodiscard]] std::uint64_t probes() const { return probes_; }
  [[nodiscard]] std::uint64_t falls() const { return falls_; }
  [[nodiscard]] std::uint64_t contested() const { return contested_; }

 private:
  // A call, as it stood when it began.
  struct Call {
    std::uint64_t era = 0;
    std::optional<std::uint64_t> round;  // absent: in doubt
    bool in_doubt = false;
    std::string origin;
  };
  struct Receiver {
    model::WebhookPtr webhook;
    std::uint64_t era = 1;  // of the same target
    base::MonoTime changed_at;
    std::uint32_t in_flight = 0;
    // The breaker. Open from opened_at, until open_until at least; then half-open.
    bool open = false;
    bool breaker_in_doubt = false;  // a call ended that it may have counted, or not
    base::MonoTime opened_at;
    base::MonoTime open_until;
    std::optional<std::uint64_t> probe;  // an attempt
    std::uint32_t failures_in_row = 0;
    std::uint32_t doublings = 0;
    // At most so many at once; and before what happened at limit_fell_at.
    double limit = 0;
    double limit_before = 0;
    std::uint32_t bound_most = 0;
    std::uint64_t round = 1;
    base::MonoTime limit_fell_at;
    // First attempts that wait; starts of others since they surely could begin.
    std::set<model::EventSeq> fresh;
    base::MonoTime stepped_back_at;
    std::optional<std::uint64_t> passed_over;
  };

  void learn(const model::Mutation& mutation, base::Now now);
  void changed(const model::WebhookPtr& webhook, base::Now now);
  void renew(Receiver& receiver) const;
  void check_start(const model::StartAttempt& start, base::Now now);
  void judge_breaker(Receiver& receiver, const Finished& seen);
  void judge_limit(Receiver& receiver, const Call& call, const Finished& seen);
  void open(Receiver& receiver, base::Now now);
  void check_waiting(const model::Output& output, base::Now now);
  [[nodiscard]] bool could_start(const Receiver& receiver, base::Now now) const;
  [[nodiscard]] std::uint64_t patience_of(const Receiver& receiver) const;
  void object(model::WebhookRef ref, const char* what);

  std::map<model::WebhookRef, Receiver> receivers_;
  std::map<std::uint64_t, Call> calls_;  // by attempt
  std::map<std::string, std::uint32_t> in_flight_at_;
  std::map<std::string, std::uint32_t> webhooks_at_;
  std::uint64_t fresh_starts_ = 0;  // while first attempts wait, without a break
  std::uint64_t retry_starts_ = 0;
  std::uint64_t openings_ = 0;
  std::uint64_t probes_ = 0;
  std::uint64_t falls_ = 0;
  std::uint64_t contested_ = 0;
};

}  // namespace triggerd::sim
