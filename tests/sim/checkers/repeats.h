// A call is repeated only after a crash, and only when it was in flight then or its outcome was not
// durable yet. Within one process the attempts of a delivery are numbered 1, 2, 3, …, one at a
// time, and end with a success.
#pragma once

#include <cstdint>
#include <string>

#include "tests/sim/checkers/checker.h"
#include "tests/support/store_tables.h"

namespace triggerd::sim {

class Repeats final : public Checker {
 public:
  explicit Repeats(const Scene& scene) : Checker(scene) {}
  void emitted(const Emitted& seen) override;
  void finished(const Finished& seen) override;
  void restarted(const Restarted& seen) override;

  // Calls made again after a crash, allowed ones.
  [[nodiscard]] std::uint64_t repeated() const { return repeated_; }

 private:
  enum class State : std::uint8_t { kWaiting, kInFlight, kSucceeded };
  struct Progress {
    std::uint16_t next_number = 1;
    State state = State::kWaiting;
  };
  void learn_reopened(const model::Batch& batch);
  void check_start(const model::StartAttempt& start);
  // What the store says when this process has not touched the delivery yet.
  [[nodiscard]] Progress stored(support::DeliveryKey key) const;
  void object(std::string what) { scene_.verdict.object("repeats", std::move(what)); }

  support::DeliveryMap<Progress> progress_;             // of this process
  support::DeliveryMap<std::uint16_t> highest_called_;  // ever
  std::uint64_t repeated_ = 0;
};

}  // namespace triggerd::sim
