// The delivery log's lists, once for every store: what a store must be able to look up, and the
// lists made of it.
//
// Work is bounded by rows: each list ends when its page is full, when it has looked at as many rows
// as it may, or when nothing is left, and says where to go on.
#pragma once

#include <functional>
#include <optional>

#include "store/store.h"

namespace triggerd::store {

// Rows of one moment (a snapshot), looked up from the newest on. Borrowed for one list.
class LogRows {
 public:
  using OnAttempt = std::function<bool(model::AttemptRecord)>;
  using OnPending = std::function<bool(const model::PendingChunk&)>;

  virtual ~LogRows() = default;
  // The last attempt (highest number) of the webhook's newest delivery below this sequence.
  virtual base::Result<std::optional<model::AttemptRecord>> attempt_before(
      model::WebhookRef webhook, model::EventSeq before) = 0;
  // All attempts of a delivery, last one first, until `each` returns false.
  virtual base::Status attempts_of(model::WebhookRef webhook, model::EventSeq seq,
                                   const OnAttempt& each) = 0;
  // Pending rows of events [first, before), the newest first, until `each` returns false.
  virtual base::Status pending_between(model::EventSeq first, model::EventSeq before,
                                       const OnPending& each) = 0;
  // The webhook's newest delivery below this sequence that was dead, or was cancelled.
  virtual base::Result<std::optional<model::EventSeq>> final_before(model::WebhookRef webhook,
                                                                    model::DeliveryState state,
                                                                    model::EventSeq before) = 0;
  // Its oldest one above this sequence.
  virtual base::Result<std::optional<model::EventSeq>> final_after(model::WebhookRef webhook,
                                                                   model::DeliveryState state,
                                                                   model::EventSeq after) = 0;
  // The organization's newest dead letter below this place.
  virtual base::Result<std::optional<model::DeadLetterPosition>> dead_before(
      model::OrgId org, const model::DeadLetterPosition& before) = 0;
  // The whole event; null when it is not there.
  virtual base::Result<model::EventPtr> event_at(model::EventSeq seq) = 0;
  // Deliveries of an event that are dead, and cancelled; the other counts are not set.
  virtual base::Result<model::DeliveryCounts> finals_of(model::EventSeq seq) = 0;
  // The organization's newest event below this sequence.
  virtual base::Result<std::optional<model::EventSummary>> event_before(model::OrgId org,
                                                                        model::EventSeq before) = 0;
};

// Is the page of this query full, or has it looked at enough?
[[nodiscard]] inline bool is_full(const ListPage& page, std::size_t bytes, std::uint32_t looked_at,
                                  const ListEventsAfter& query) {
  return page.events.size() >= query.count_max || bytes >= query.bytes_max ||
         looked_at >= query.looked_at_max;
}
[[nodiscard]] inline model::EventSeq next_of(model::EventSeq seq) {
  return model::EventSeq(seq.value() + 1);
}

[[nodiscard]] base::Result<ListPage> list_log(LogRows& rows, const ListLog& query);
[[nodiscard]] base::Result<ListPage> list_attempts(LogRows& rows, const ListAttempts& query);
[[nodiscard]] base::Result<ListPage> list_events(LogRows& rows, const ListEvents& query);
// mend_rows.cc
[[nodiscard]] base::Result<ListPage> list_finals(LogRows& rows, const ListFinals& query);
[[nodiscard]] base::Result<ListPage> list_dead(LogRows& rows, const ListDead& query);

// Shared by the two files: the sequence below which all events of the organization were accepted
// before `until`, of those below `before`.
[[nodiscard]] base::Result<model::EventSeq> sequence_at(LogRows& rows, model::OrgId org,
                                                        model::WallTime until,
                                                        model::EventSeq before);
// The delivery with this attempt as its last; counts those before it.
[[nodiscard]] base::Result<model::LoggedDelivery> logged_delivery(LogRows& rows,
                                                                  model::AttemptRecord last);
[[nodiscard]] bool passes(const model::LogFilter& filter, const model::LoggedDelivery& line);

}  // namespace triggerd::store
