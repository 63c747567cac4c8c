#include "store/retention.h"

#include <optional>

namespace triggerd::store {
namespace {

using base::Result;
using base::Status;
using model::EventPtr;
using model::EventSeq;

class Step {
 public:
  Step(RetentionRows& rows, const RetentionStep& step) : rows_(rows), step_(step) {}

  Result<RetentionProgress> run();

 private:
  Status erase_log(model::OrgId org, EventSeq before);
  Status walk(const RetentionBounds& bounds);
  [[nodiscard]] Result<bool> is_kept(const model::Event& event);
  Status erase(const model::Event& event);
  [[nodiscard]] bool is_spent() const { return looked_at_ >= step_.events_max; }

  RetentionRows& rows_;
  const RetentionStep& step_;
  std::uint32_t looked_at_ = 0;
  RetentionProgress progress_;
};

Result<RetentionProgress> Step::run() {
  const Result<RetentionBounds> bounds = rows_.bounds(step_.rules.bytes_max);
  if (!bounds.ok()) return bounds.error();
  if (step_.from == EventSeq(0)) {
    for (const auto& [org, before] : bounds.value().erasures) {
      if (Status erased = erase_log(org, before); !erased.ok()) return erased.error();
      // Once more from the start, unless that would find only what is held by pending deliveries.
      if (is_spent() && progress_.events > 0) {
        progress_.from = EventSeq(0);
        return progress_;
      }
    }
  }
  if (Status walked = walk(bounds.value()); !walked.ok()) return walked.error();
  return progress_;
}

Status Step::erase_log(model::OrgId org, EventSeq before) {
  bool is_all = true;
  EventSeq from(0);
  while (!is_spent()) {
    const Result<EventPtr> event = rows_.event_of(org, from);
    if (!event.ok()) return event.error();
    if (event.value() == nullptr || event.value()->seq >= before) {
      if (is_all) rows_.end_erasure(org);
      return {};
    }
    ++looked_at_;
    from = EventSeq(event.value()->seq.value() + 1);
    const Result<bool> pending = rows_.is_pending(event.value()->seq);
    if (!pending.ok()) return pending.error();
    if (pending.value()) {
      is_all = false;
    } else if (Status erased = erase(*event.value()); !erased.ok()) {
      return erased;
    }
  }
  return {};
}

Status Step::walk(const RetentionBounds& bounds) {
  EventSeq from = step_.from;
  while (!is_spent()) {
    const Result<EventPtr> found = rows_.event_from(from);
    if (!found.ok()) return found.error();
    if (found.value() == nullptr) return {};
    const model::Event& event = *found.value();
    const bool is_old =
        event.accepted_at < step_.rules.events_before || event.seq < bounds.kept_by_size;
    if (!is_old || event.seq >= bounds.next_event) return {};
    ++looked_at_;
    from = EventSeq(event.seq.value() + 1);
    const Result<bool> kept = is_kept(event);
    if (!kept.ok()) return kept.error();
    if (kept.value()) continue;
    if (Status erased = erase(event); !erased.ok()) return erased;
  }
  progress_.from = from;
  return {};
}

Result<bool> Step::is_kept(const model::Event& event) {
  Result<bool> pending = rows_.is_pending(event.seq);
  if (!pending.ok() || pending.value()) return pending;
  // A hook that failed is over: there is no letter that somebody could want again.
  if (event.trigger_type == model::TriggerType::kSyncHook ||
      event.accepted_at < step_.rules.dead_before) {
    return false;
  }
  return rows_.has_dead_letter(event.seq);
}

Status Step::erase(const model::Event& event) {
  const Result<std::uint64_t> attempts = rows_.erase(event);
  if (!attempts.ok()) return attempts.error();
  ++progress_.events;
  progress_.attempts += attempts.value();
  return {};
}

}  // namespace

Result<RetentionProgress> retain_step(RetentionRows& rows, const RetentionStep& step) {
  return Step(rows, step).run();
}

}  // namespace triggerd::store
