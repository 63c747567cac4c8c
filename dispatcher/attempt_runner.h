// What a partition needs of delivery: start a call, cancel a call. Outcomes come back by id.
#pragma once

#include <functional>

#include "engine/model/output.h"

namespace triggerd::dispatcher {

// Thread: that of its loop. Every started attempt gives exactly one outcome, a cancelled one too
// (kCancelled, unless it was over already). Outcomes never come from within start() or cancel().
class AttemptRunner {
 public:
  using OnOutcome = std::function<void(model::AttemptId, model::Outcome)>;

  virtual ~AttemptRunner() = default;
  virtual void start(model::StartAttempt attempt) = 0;
  // Unknown ids are ignored: the outcome may be on its way.
  virtual void cancel(model::AttemptId id) = 0;
};

}  // namespace triggerd::dispatcher
