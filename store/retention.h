// What a retention pass keeps and erases, once for every store.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "store/store.h"

namespace triggerd::store {

// Where a pass ends, whatever it would like to erase.
struct RetentionBounds {
  // No event is erased from here on: its sequence could be given out again.
  model::EventSeq next_event;
  // Below it is more than RetentionRules::bytes_max leaves room for; 0: there is room.
  model::EventSeq kept_by_size;
  // EraseLog: events of the organization below the sequence.
  std::vector<std::pair<model::OrgId, model::EventSeq>> erasures;
};

// Borrowed for one step.
class RetentionRows {
 public:
  virtual ~RetentionRows() = default;
  virtual base::Result<RetentionBounds> bounds(std::uint64_t bytes_max) = 0;
  // The first event at or above this sequence, of whoever or of one organization; null: none.
  virtual base::Result<model::EventPtr> event_from(model::EventSeq from) = 0;
  virtual base::Result<model::EventPtr> event_of(model::OrgId org, model::EventSeq from) = 0;
  virtual base::Result<bool> is_pending(model::EventSeq seq) = 0;
  virtual base::Result<bool> has_dead_letter(model::EventSeq seq) = 0;
  // With its id, summary, attempts and final states. Gives the number of attempts.
  virtual base::Result<std::uint64_t> erase(const model::Event& event) = 0;
  // Nothing of what EraseLog named is left.
  virtual void end_erasure(model::OrgId org) = 0;
};

[[nodiscard]] base::Result<RetentionProgress> retain_step(RetentionRows& rows,
                                                          const RetentionStep& step);

}  // namespace triggerd::store
