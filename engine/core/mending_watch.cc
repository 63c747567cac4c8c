#include "engine/core/mending_watch.h"

#include "engine/base/assert.h"

namespace triggerd::core {

std::uint64_t MendingWatch::began() {
  reads_.insert(++moments_);
  return moments_;
}

void MendingWatch::ended(std::uint64_t read) {
  const bool was_there = reads_.erase(read) == 1;
  TRIGGERD_ASSERT(was_there);
  // What was over before the oldest of the others began is known to all of them.
  while (!in_order_.empty() && (reads_.empty() || in_order_.front().first < *reads_.begin())) {
    const auto& [moment, delivery] = in_order_.front();
    const auto at = over_.find(delivery);
    if (at != over_.end() && at->second == moment) over_.erase(at);
    in_order_.pop_front();
  }
}

void MendingWatch::over(model::EventSeq seq, std::uint32_t match) {
  if (reads_.empty()) return;
  over_[{seq, match}] = ++moments_;
  in_order_.emplace_back(moments_, Delivery{seq, match});
}

bool MendingWatch::is_over_since(std::uint64_t read, model::EventSeq seq,
                                 std::uint32_t match) const {
  TRIGGERD_ASSERT(reads_.contains(read));
  const auto at = over_.find({seq, match});
  return at != over_.end() && at->second > read;
}

}  // namespace triggerd::core
