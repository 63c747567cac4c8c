// Reads of deliveries that are over, or parked, take their time. Meanwhile one may be given again,
// or read back, and be over again: of that the answer does not know. Who reads says when it began,
// and asks afterwards.
//
// Thread: the engine's. Memory: one entry for each delivery that was given again and is over, and
// for each event that left the memory, since the oldest read under way began.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <utility>

#include "engine/model/records.h"

namespace triggerd::core {

// In the place of a match: the event has left the memory, whatever stands in its rows now.
inline constexpr std::uint32_t kWholeEvent = 0xffffffff;

class MendingWatch {
 public:
  // A read begins; names it. Ended exactly once.
  [[nodiscard]] std::uint64_t began();
  void ended(std::uint64_t read);
  // A delivery that was given again is over (the match of an event), or an event has left.
  void over(model::EventSeq seq, std::uint32_t match);
  // Was it over again since this read began? Requires: the read has not ended.
  [[nodiscard]] bool is_over_since(std::uint64_t read, model::EventSeq seq,
                                   std::uint32_t match) const;

  [[nodiscard]] std::size_t reads() const { return reads_.size(); }
  [[nodiscard]] std::size_t noted() const { return over_.size(); }

 private:
  using Delivery = std::pair<model::EventSeq, std::uint32_t>;

  std::uint64_t moments_ = 0;  // counts beginnings and ends alike
  std::set<std::uint64_t> reads_;
  std::map<Delivery, std::uint64_t> over_;  // when it was over last
  std::deque<std::pair<std::uint64_t, Delivery>> in_order_;
};

}  // namespace triggerd::core
