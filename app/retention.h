// Runs retention passes over the store: in the background, piece by piece, with a rest after each,
// on a thread of its own.
//
// Thread: that of its loop. The store outlives it; the destructor waits for the piece under way.
#pragma once

#include <cstdint>

#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/loop/event_loop.h"
#include "engine/loop/worker.h"
#include "engine/model/limits.h"
#include "store/store.h"

namespace triggerd::app {

struct RetentionOptions {
  base::Duration age = model::kRetentionAgeDefault;
  base::Duration dead_letter_age = model::kRetentionDeadLetterAgeDefault;
  std::uint64_t bytes_max = 0;  // 0: no limit
  base::Duration interval = model::kRetentionInterval;
};

class Retention {
 public:
  Retention(loop::EventLoop& event_loop, store::Store& store, RetentionOptions options);
  Retention(const Retention&) = delete;
  Retention& operator=(const Retention&) = delete;

  // The first pass begins after the interval, and each later one so long after the one before.
  void start();
  // From the next pass on; one that rests begins within the new interval.
  void use(RetentionOptions options);

 private:
  void step();
  void stepped(const base::Result<store::RetentionProgress>& progress);

  loop::EventLoop& loop_;
  RetentionOptions options_;
  store::RetentionStep step_;        // the next one; its rules are those of the pass
  store::RetentionProgress erased_;  // in this pass so far
  bool resting_ = false;             // between two passes
  loop::Timer timer_;
  loop::Worker<store::RetentionStep, base::Result<store::RetentionProgress>> worker_;
};

}  // namespace triggerd::app
