// What will happen in a simulated world, in order of virtual time; equal times in order of
// planning, so that a seed replays exactly.
#pragma once

#include <cstdint>
#include <queue>
#include <vector>

#include "engine/base/time.h"

namespace triggerd::sim {

enum class Happening : std::uint8_t {
  kWorkload,     // the clients do something
  kFault,        // something breaks, or is told to break soon
  kAbandon,      // id: a client gives up on this request
  kOutcome,      // id: this attempt is over
  kReadAnswer,   // id: the reader answers
  kAskAgain,     // id: a request that was given back goes in again
  kCommitStart,  // outcomes have waited long enough for company
  kCommitEnd,    // the sync returns
};

struct Plan {
  base::MonoTime at;
  std::uint64_t order = 0;
  // Of the process it belongs to; a restart makes the older ones void. 0: outlives restarts.
  std::uint64_t epoch = 0;
  std::uint64_t id = 0;
  Happening what = Happening::kWorkload;
};

class Agenda {
 public:
  void add(base::MonoTime at, Happening what, std::uint64_t epoch, std::uint64_t id) {
    plans_.push(Plan{at, ++order_, epoch, id, what});
  }
  [[nodiscard]] bool empty() const { return plans_.empty(); }
  // Requires: !empty().
  [[nodiscard]] const Plan& top() const { return plans_.top(); }
  void pop() { plans_.pop(); }

 private:
  struct Later {
    bool operator()(const Plan& left, const Plan& right) const {
      return left.at != right.at ? left.at > right.at : left.order > right.order;
    }
  };
  std::priority_queue<Plan, std::vector<Plan>, Later> plans_;
  std::uint64_t order_ = 0;
};

}  // namespace triggerd::sim
