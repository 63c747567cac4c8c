// The turn: gives the core its inputs, makes what it decided durable, and only then lets the
// effects out. One engine, one store, one commit in flight.
//
//   inputs ──> core::Engine ──> Output ──┬─ rests on nothing ───────────────> Outlet
//                                        ├─ batch ──> commit thread ── durable ─> Outlet
//                                        └─ reads ──> reader thread ──> engine.loaded()
//
// Group commit is the only batching there is: while a commit is in flight, batches collect and
// become the next one. A batch that nobody waits for (outcomes alone) waits at most 5 ms.
//
// After a failed commit nothing is acknowledged: every request is refused (kUnavailable), at once.
// Sync hooks under way are the exception, for their answers rest on nothing that is stored: they
// are called and answered to their end, and only new ones are refused.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "app/delivery_log.h"
#include "app/live_feed.h"
#include "engine/core/engine.h"
#include "engine/loop/event_loop.h"
#include "engine/loop/worker.h"
#include "store/store.h"

namespace triggerd::app {

// Where effects go. Called on the partition's thread, never from within submit() or finish().
class Outlet {
 public:
  virtual ~Outlet() = default;
  virtual void reply(model::RequestId request, model::Reply reply) = 0;
  virtual void start(model::StartAttempt attempt) = 0;
  virtual void cancel(model::AttemptId attempt) = 0;
  // To every I/O thread, before the reply that reveals it.
  virtual void tell_edges(const model::EdgeChange& change) = 0;
  virtual void signing_keys_changed(const std::vector<model::SigningKey>& keys) = 0;
  // To an I/O thread that watches an organization; in order with the replies to it.
  virtual void feed_begun(unsigned thread, model::FeedBegun begun) = 0;
  virtual void fed(unsigned thread, model::FeedPart part) = 0;
  // For figures: a mutation on its way to the store, and a commit that has become durable.
  virtual void recorded(const model::Mutation& /*mutation*/) {}
  virtual void committed(base::Duration /*took*/, std::size_t /*mutations*/) {}
  // All effects of a turn are out: the time to hand them over together.
  virtual void turn_ended() = 0;
  // A commit failed: the state after it is unknown. The partition acknowledges nothing more; the
  // process must end and recover from its store, once the hooks under way are answered.
  virtual void store_failed(const base::Error& error) = 0;
};

// Thread: that of its loop. The store, the random source and the outlet outlive it.
class Partition {
 public:
  Partition(loop::EventLoop& event_loop, store::Store& store, core::EngineOptions options,
            base::Random& random, Outlet& outlet);
  // Requires: drained() or store_failed, or nothing is lost by ending here (a kill is survived).
  ~Partition();
  Partition(const Partition&) = delete;
  Partition& operator=(const Partition&) = delete;

  // Reads the store and readies the engine; before any other input. Blocking. Each signing key is
  // also given to `on_signing_key`. Where there is none, `first_signing_key` (unless it is empty)
  // makes one, which is durable when this returns.
  using OnSigningKey = std::function<void(const model::SigningKey&)>;
  using FirstSigningKey = std::function<base::Result<model::SigningKey>()>;
  base::Status recover(const OnSigningKey& on_signing_key,
                       const FirstSigningKey& first_signing_key = {});

  // Inputs; they are taken up by the turn at the end of this tick.
  void submit(model::RequestId id, model::Request request);
  // Nobody waits for the reply to this request any more.
  void cancel(model::RequestId id);
  void finish(model::AttemptId id, const model::Outcome& outcome);
  // The live feed of an organization to an I/O thread (app/live_feed).
  void watch(unsigned thread, model::OrgId org, std::uint64_t number);
  void unwatch(unsigned thread, model::OrgId org) { feed_.unwatch(thread, org); }

  // Lets the effects of the inputs so far out that rest on nothing, without waiting for the turn.
  // For hooks: somebody waits for each step of theirs.
  void let_out_at_once();

  // Other settings from the next input on.
  void tune(const core::EngineTuning& tuning) { engine_.tune(tuning, loop_.now()); }

  // Starts no more attempts of events; those in flight go on, and so do hooks.
  // Publishers that wait for first attempts are answered.
  void hold_attempts();
  // hold_attempts(), and calls back when none is in flight and everything is durable.
  void drain(std::function<void()> on_drained);

  [[nodiscard]] core::EngineStats stats() const { return engine_.stats(); }

 private:
  struct Commit {
    model::Batch batch;
  };
  struct Committed {
    model::BatchSeq seq;
    std::size_t mutations = 0;
    base::Duration took{0};
    base::Status status;
  };
  // A read of the core's, or (with `request`) of a client that wants an event.
  struct ReadJob {
    model::Read read;
    std::optional<model::RequestId> request;
    model::GetEvent event;
    std::optional<model::ReadRecentEvents> recent{};  // instead of `event`
    std::optional<LogRead> log{};                     // likewise
    std::optional<model::ReadEventsAfter> after{};    // likewise
    model::EventSeq newest{};                         // with `after`: what is durable
  };
  struct ReadDone {
    model::ReadId id;
    model::ReadAnswer answer;
    std::optional<model::RequestId> request;
    base::Status status;
    model::EventPtr event;
    store::ListPage deliveries;
    bool recent = false;
    std::optional<model::Reply> reply;  // of `log` and `after`, whole
  };

  void schedule_turn();
  void turn();
  void take_output();
  [[nodiscard]] bool drops_hook_log(const model::Mutation& mutation);
  void release(model::BatchSeq durable);
  void start_read(const model::Read& read);
  void let_out(model::EffectKind effect);
  void commit_if_due();
  void committed(const Committed& done);
  void fail(const base::Error& error);
  void refuse_output();
  void fail_read(model::ReadId id);
  void refuse(model::RequestId id) const;
  void read_done(ReadDone done);
  [[nodiscard]] model::EventSeq first_pending() const;
  void read_log(model::RequestId id, model::Request request);
  void read_for_client(model::RequestId id, ReadJob job);
  void answer_event(ReadDone done);
  void set_timer();
  void check_drained();
  [[nodiscard]] static ReadDone read(store::Store& store, const ReadJob& job);
  [[nodiscard]] static model::Reply read_after(store::Store& store, const ReadJob& job);

  loop::EventLoop& loop_;
  store::Store& store_;
  Outlet& outlet_;
  core::Engine engine_;

  bool turn_scheduled_ = false;
  bool failed_ = false;

  // Effects whose batch is not durable yet, in the order of their batches.
  std::deque<model::Effect> waiting_;
  std::deque<model::Read> waiting_reads_;  // likewise
  model::Batch next_batch_;                // collected while a commit is in flight
  std::size_t hook_log_bytes_ = 0;         // of finished hook calls in next_batch_
  bool somebody_waits_ = false;            // an effect rests on next_batch_, or it holds an event
  std::optional<base::MonoTime> outcomes_since_;  // when next_batch_ got its first mutation
  bool commit_in_flight_ = false;
  // Deliveries that were concluded in next_batch_, and in the batch under way.
  std::uint64_t concluded_next_ = 0;
  std::uint64_t concluded_committing_ = 0;
  // The lowest sequence with a pending row: in the batch under way, and in what is durable.
  model::EventSeq first_pending_committing_;
  model::EventSeq first_pending_durable_;
  model::BatchSeq committing_;  // the batch under way, or the last one that was
  model::BatchSeq durable_;
  LiveFeed feed_;

  bool holding_ = false;
  std::function<void()> on_drained_;
  std::size_t attempts_out_ = 0;  // given to the outlet, outcome not back
  std::size_t reads_out_ = 0;
  model::EventSeq hook_dropped_{0};     // its call is not logged: its attempts are not either
  std::uint64_t hooks_not_logged_ = 0;  // calls

  loop::Timer timer_;
  loop::Timer commit_timer_;
  loop::Worker<Commit, Committed> committer_;
  loop::Worker<ReadJob, ReadDone> reader_;
};

}  // namespace triggerd::app
