// Makes the calls that a partition asks for: builds and signs each request, hands it to the
// transport, writes one wide log line when it is over, and gives the outcome back.
//
//   start -> waiting (at most waiting_max) -> a tick: build, sign, on the wire -> outcome
//
// Signing is the dear part (about 22 us), so a tick signs at most `signatures_per_tick` and the
// rest waits for the next: sockets are served in between. Attempts of sync hooks, for which
// somebody waits, are signed first; a quarter of a tick is left to the others. They may have a
// transport of their own, so that events cannot take their connections.
//
// Thread: that of its loop. Wiring:
//   Dispatcher dispatcher(loop, options, ring, random, on_outcome);
//   auto transport = CurlTransport::create(loop, curl_options,
//       [&dispatcher](AttemptId id, Outcome outcome) { dispatcher.finished(id, std::move(outcome));
//       });
//   dispatcher.use(std::move(transport.value()));
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "dispatcher/attempt_runner.h"
#include "dispatcher/key_ring.h"
#include "dispatcher/request_builder.h"
#include "dispatcher/transport.h"
#include "engine/base/random.h"
#include "engine/loop/event_loop.h"
#include "engine/model/limits.h"
#include "engine/model/network.h"
#include "engine/model/output.h"

namespace triggerd::dispatcher {

struct DispatcherOptions {
  std::string issuer{};  // the public URL
  model::TargetPolicy targets{};
  std::size_t signatures_per_tick = 16;
  // Attempts not yet signed, of hooks and of events each; one more is answered kBusy.
  std::size_t waiting_max = model::kInFlightDefault;
};

class Dispatcher final : public AttemptRunner {
 public:
  // `loop` and `random` outlive the dispatcher.
  Dispatcher(loop::EventLoop& loop, DispatcherOptions options, std::shared_ptr<const KeyRing> ring,
             base::Random& random, OnOutcome on_outcome);
  // Requires: nothing unfinished (cancel_all(), then run the loop until unfinished() is 0).
  ~Dispatcher() override;
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  // Owns it from now on. Requires: the first one, before the first start().
  void use(std::unique_ptr<Transport> transport);
  // For the attempts of sync hooks. Without it they share the one of the events.
  void use_for_hooks(std::unique_ptr<Transport> transport);
  // Which URLs are called, from the next attempt on.
  void use(model::TargetPolicy targets) { options_.targets = std::move(targets); }
  // Signs with the keys of another ring from the next signature on.
  void use(std::shared_ptr<const KeyRing> ring) { builder_.use(std::move(ring)); }

  // Answers, besides what the transport says: kBusy above the limit of waiting attempts; kBlocked
  // when the policy refuses the webhook's URL now. Requires: an id that is not under way.
  void start(model::StartAttempt attempt) override;
  void cancel(model::AttemptId id) override;
  // At shutdown, when the grace has ended.
  void cancel_all();

  // The transport's callback. An unknown id is dropped.
  void finished(model::AttemptId id, model::Outcome outcome);

  // Started and not yet answered.
  [[nodiscard]] std::size_t unfinished() const { return attempts_.size(); }

 private:
  enum class Phase : std::uint8_t { kWaiting, kOnTheWire, kOver };
  struct Running {
    model::StartAttempt attempt;
    base::MonoTime queued_at;
    base::Duration queue{0};  // until it went on the wire
    base::WallTime started_at;
    Phase phase = Phase::kWaiting;
  };

  // In order of start. Ids of attempts cancelled meanwhile are skipped when their turn comes.
  using Queue = std::deque<model::AttemptId>;

  void tick();
  // Launches at most `turns` of them; gives how many turns are left.
  std::size_t launch_from(Queue& queue, std::size_t turns);
  [[nodiscard]] Transport& transport_of(const Running& running);
  void defer_tick();
  void launch(Running& running);
  // Ends an attempt here, without the transport; told in the next tick.
  void answer_later(Running& running, model::OutcomeClass kind, std::string detail);
  void tell(model::AttemptId id, model::Outcome outcome);

  loop::EventLoop& loop_;
  DispatcherOptions options_;
  RequestBuilder builder_;
  const OnOutcome on_outcome_;

  std::unordered_map<model::AttemptId, Running> attempts_;
  Queue waiting_;
  Queue waiting_hooks_;
  std::vector<std::pair<model::AttemptId, model::Outcome>> answers_;
  bool tick_deferred_ = false;
  // Last: nothing of them is left when the rest goes.
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<Transport> hook_transport_;  // null: the same
};

}  // namespace triggerd::dispatcher
