// The engine thread's side of the live feed (model/feed.h): which I/O loops watch which
// organizations, and what they are told once it is durable.
//
// What goes into a batch is collected for those who watch, goes with the batch to the commit
// thread, and is handed out when the batch has become durable. A watch begins behind everything
// that the engine has accepted so far, and is answered when all of that is durable: so whoever
// reads the store up to there, and goes on with the feed, has everything once.
//
// With nobody watching a mutation costs one look at whether it is an event.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/core/engine.h"
#include "engine/model/feed.h"
#include "engine/model/output.h"

namespace triggerd::app {

// Thread: the partition's; owned by it.
class LiveFeed {
 public:
  struct Told {
    std::function<void(unsigned thread, model::FeedBegun begun)> begun;
    std::function<void(unsigned thread, model::FeedPart part)> part;
  };
  explicit LiveFeed(Told told) : told_(std::move(told)) {}

  // Every event up to `newest` is in the store. After recovery, before the rest.
  void start(model::EventSeq newest) { collected_ = committing_through_ = durable_ = newest; }

  // A loop watches an organization from now on, or does no more. `number` comes back with the
  // answer. A loop that watches already begins anew.
  void watch(unsigned thread, model::OrgId org, std::uint64_t number);
  void unwatch(unsigned thread, model::OrgId org);

  // A mutation that is in the next batch.
  void collect(const model::Mutation& mutation, const core::Engine& engine);
  // The next batch is on its way to the store.
  void committing();
  // It has become durable.
  void committed();
  // Neither a commit is under way nor is there a batch to be.
  void idle();
  // A commit failed: nothing more is told.
  void stop();

  // Every event up to it is durable.
  [[nodiscard]] model::EventSeq durable() const { return durable_; }
  // Organizations that somebody watches.
  [[nodiscard]] std::size_t watched() const { return watched_.size(); }

 private:
  struct Watch {
    unsigned thread = 0;
    std::uint64_t number = 0;
    std::optional<model::EventSeq> waits_for;  // not answered before this is durable
  };
  using Items = std::unordered_map<model::OrgId, std::vector<model::FedItem>>;

  [[nodiscard]] std::vector<model::FedItem>* items_of(const model::OrgId& org);
  void answer_watches();

  Told told_;
  std::unordered_map<model::OrgId, std::vector<Watch>> watched_;
  Items next_;  // of the next batch; order among organizations does not matter
  Items committing_now_;
  // Newest event: of what was collected, of the batch under way, and of what is durable.
  model::EventSeq collected_;
  model::EventSeq committing_through_;
  model::EventSeq durable_;
  bool any_waits_ = false;
};

}  // namespace triggerd::app
