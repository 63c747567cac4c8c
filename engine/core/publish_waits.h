// Publishers that wait for the first attempts of what they published (Prefer: wait=N): each gets
// its answer when all of them are over, or when its time is up, with what is known by then.
//
// The first attempt of a delivery is over with the outcome that counts as attempt 1, or when the
// delivery is given up before there was one. A wait is a preference: without room the answer does
// not wait, and says so by PublishReply::waited_for. Nothing of a wait is stored; after a crash
// nobody waits any more.
//
// Thread: the engine's. Some 20 bytes a watched delivery and 60 an event.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/base/time.h"
#include "engine/core/outbox.h"
#include "engine/model/limits.h"
#include "engine/model/request.h"

namespace triggerd::core {

struct PublishWaitLimits {
  std::size_t publishes = model::kWaitingPublishesMax;
  std::size_t deliveries = model::kWatchedDeliveriesMax;
};

class PublishWaits {
 public:
  // `outbox` outlives this.
  PublishWaits(const PublishWaitLimits& limits, Outbox& outbox)
      : limits_(limits), outbox_(outbox) {}

  // May one more publish with so many deliveries wait? From stop() on none may.
  [[nodiscard]] bool has_room(std::size_t deliveries) const;
  // Answers `id` later, exactly once unless cancelled; the answer rests on all that it reveals.
  // `events` has the sequence of each event in `reply`, 0 of one that is not delivered, and
  // `deliveries` there is in the order of the matches. Requires: has_room() for them, at least one
  // delivery, `id` is new, and the events are in the batch being collected or in one before it.
  void add(model::RequestId id, model::PublishReply reply, std::vector<model::EventSeq> events,
           base::Duration wait, base::Now now);

  // What was attempt 1 of this delivery came to this, or it ended before one. Call it behind the
  // mutation that says so. One that nobody waits for is dropped: most are.
  void over(model::EventSeq event, std::uint32_t match, model::OutcomeClass outcome,
            std::uint16_t http_status);
  // Answers those whose time is up, within the bounds of a turn.
  void advance(base::Now now);
  // Nobody waits any more for this answer.
  void cancel(model::RequestId id);
  // No attempt will be started any more: all are answered now, and nobody waits from now on.
  void stop();

  [[nodiscard]] std::optional<base::MonoTime> next_deadline() const;
  [[nodiscard]] std::size_t publishes() const { return waiting_.size(); }
  [[nodiscard]] std::size_t deliveries() const { return deliveries_; }

 private:
  struct Waiting {
    model::PublishReply reply;
    std::vector<model::EventSeq> events;
    base::MonoTime deadline;
    std::size_t deliveries = 0;
    std::size_t open = 0;  // of these, not over
  };
  struct Watch {
    model::RequestId request;
    std::size_t index = 0;  // of the event in its request
  };
  using WaitingById = std::unordered_map<model::RequestId, Waiting>;

  Waiting take(WaitingById::iterator at);
  void answer(WaitingById::iterator at);

  PublishWaitLimits limits_;
  Outbox& outbox_;
  bool stopped_ = false;
  WaitingById waiting_;                                 // never iterated
  std::unordered_map<model::EventSeq, Watch> watched_;  // never iterated
  std::set<std::pair<base::MonoTime, model::RequestId>> deadlines_;
  std::size_t deliveries_ = 0;
};

}  // namespace triggerd::core
