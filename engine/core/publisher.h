// Publishing: checks a batch of events whole, tells duplicates from new events (asking the store
// where memory does not reach), fans the new ones out. All of a request or nothing.
//
// Thread: the engine's. At most kWaitingRequestsMax requests wait for the store.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "engine/base/time.h"
#include "engine/core/dedup_window.h"
#include "engine/core/deliveries.h"
#include "engine/core/door.h"
#include "engine/core/event_catalogue.h"
#include "engine/core/outbox.h"
#include "engine/core/publish_waits.h"
#include "engine/core/registry.h"
#include "engine/core/trigger_filters.h"
#include "engine/model/request.h"

namespace triggerd::core {

struct PublishLimits {
  std::size_t pending_per_org = 0;
  std::size_t pending = 0;
  std::size_t matches_per_request = model::kMatchesPerRequestMax;
  std::size_t waiting_requests = model::kWaitingRequestsMax;
  std::uint64_t filter_steps_per_request = model::kFilterStepsPerRequestMax;
};

class Publisher {
 public:
  // All arguments outlive this.
  Publisher(const PublishLimits& limits, const DedupOptions& dedup, Registry& registry,
            Deliveries& deliveries, const EventCatalogue& catalogue, const TriggerFilters& filters,
            Door& door, PublishWaits& waits, Outbox& outbox);

  // Recovery. Events may be stored that are not remembered here.
  void recovered() { seen_.set_incomplete(); }
  void raise_next_event(model::EventSeq next);

  // Answered exactly once, now or after loaded().
  void handle(model::PublishEvents request, model::RequestId id, base::Now now);
  // An event of the engine's own. One that goes to nobody, or finds no room among the pending, is
  // left out.
  void publish_own(const model::OrgId& org, const model::NewEvent& event, base::Now now);
  // False when this read is not of an event id asked for here.
  bool loaded(model::ReadId id, const model::ReadAnswer& answer, base::Now now);
  // A request that waits is dropped: nothing of it has been accepted.
  void cancel(model::RequestId id);

  [[nodiscard]] model::EventSeq next_event() const { return next_event_; }
  // The number of the next thing that stands among the events: of one accepted, or of a hook call.
  model::EventSeq take_event_seq();

 private:
  enum class Standing : std::uint8_t { kNew, kSeen, kRepeated, kUnknown, kRefused };
  struct Verdict {
    Standing standing = Standing::kNew;
    std::uint32_t webhooks = 0;   // kSeen: what was answered then
    std::size_t repeated_of = 0;  // kRepeated: the earlier one in this request
  };
  // What the store said of the event at this index.
  struct Answer {
    bool found = false;
    SeenEvent seen;
  };
  struct Waiting {
    model::PublishEvents request;
    std::vector<std::optional<Answer>> answers;
    std::size_t reads_open = 0;
    std::vector<model::ReadId> reads;
    std::uint64_t remembered_then = 0;  // `remembered_` when the store was asked
    std::uint32_t asked = 1;            // times
  };
  struct ReadFor {
    model::RequestId request;
    std::size_t index = 0;
  };

  enum class Claims : std::uint8_t { kOfClient, kOthers };
  [[nodiscard]] bool claim_or_refuse(const model::PublishEvents& request, Claims which,
                                     model::RequestId id, base::Now now);
  void resume(Waiting waiting, model::RequestId id, base::Now now);
  [[nodiscard]] static bool any_unknown(const std::vector<Verdict>& verdicts);
  // Gives the request back to an edge that prepared it under other rules than those in force.
  [[nodiscard]] bool rules_current_or_give_back(model::PublishEvents& request, model::RequestId id);
  [[nodiscard]] bool well_formed_or_refuse(const model::PublishEvents& request,
                                           model::RequestId id);
  [[nodiscard]] std::vector<Verdict> judge(const model::PublishEvents& request,
                                           const std::vector<std::optional<Answer>>& answers,
                                           base::Now now) const;
  void ask(Waiting waiting, model::RequestId id, const std::vector<Verdict>& verdicts);
  // Adds to `steps` what filters took.
  [[nodiscard]] std::vector<model::Match> matches_of(const model::OrgId& org,
                                                     const model::NewEvent& event,
                                                     std::uint64_t& steps);
  // The one webhook that a request is for.
  [[nodiscard]] std::optional<model::Match> only_match_of(const model::PublishEvents& request);
  void accept(const model::PublishEvents& request, model::RequestId id,
              const std::vector<Verdict>& verdicts, base::Now now);
  using MatchLists = std::vector<std::vector<model::Match>>;  // one for each event
  [[nodiscard]] bool match_or_refuse(const model::PublishEvents& request, model::RequestId id,
                                     const std::vector<Verdict>& verdicts, MatchLists& matches,
                                     std::size_t& in_all);
  model::EventPtr accept_event(const model::OrgId& org, const model::NewEvent& asked,
                               std::vector<model::Match> matches, base::Now now);
  [[nodiscard]] std::vector<model::FirstAttempt> first_attempts_of(const model::Event& event) const;
  void overloaded(model::RequestId id, std::string message);

  PublishLimits limits_;
  DedupOptions dedup_;
  Registry& registry_;
  Deliveries& deliveries_;
  const EventCatalogue& catalogue_;
  const TriggerFilters& filters_;
  Door& door_;
  PublishWaits& waits_;
  EventAttributes attributes_;  // of the event being matched
  Outbox& outbox_;
  DedupWindow seen_;
  std::uint64_t remembered_ = 0;  // ids put into seen_, ever
  // What seen_ has forgotten so far is durable with this batch. 0: it has forgotten nothing, and
  // what it never knew was accepted by an earlier process, from whose store we come.
  model::BatchSeq forgotten_rest_on_{0};
  std::uint64_t forgotten_then_ = 0;  // seen_.forgotten() when that was noted
  model::EventSeq next_event_{1};
  std::unordered_map<model::RequestId, Waiting> waiting_;  // never iterated
  std::unordered_map<model::ReadId, ReadFor> reads_;       // never iterated
};

}  // namespace triggerd::core
