// Synchronous hooks: calls every webhook of a hook once, collects what they come to until all are
// in or the deadline, and answers (CONTRACT A5; docs/adr/0012). Nothing here waits for a commit:
// calls and answers rest on nothing. What came of a call is written down for the delivery log when
// it is over; nothing of it outlives a crash, and no delivery comes of it.
//
// Webhooks that are not active are not called and not listed, as though they had no trigger; but
// one that its own failures disabled fails the call if its on_failure is closed.
//
// Thread: the engine's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/base/time.h"
#include "engine/core/circuit_breaker.h"
#include "engine/core/hook_limits.h"
#include "engine/core/hook_merge.h"
#include "engine/core/interner.h"
#include "engine/core/outbox.h"
#include "engine/core/publisher.h"
#include "engine/core/registry.h"
#include "engine/model/network.h"
#include "engine/model/request.h"

namespace triggerd::core {

class HookCalls {
 public:
  // All references outlive this. `publisher` numbers what goes into the delivery log.
  HookCalls(const HookLimits& limits, const CircuitBreakerOptions& breaker,
            model::TargetPolicy targets, Registry& registry, Publisher& publisher, Outbox& outbox,
            std::uint64_t seed);

  // Answered exactly once, at the latest by the deadline, unless cancelled.
  void handle(model::CallHook request, model::RequestId id, base::Now now);
  // Requires: model::is_hook_attempt(id). One that is not known any more came too late.
  void finish(model::AttemptId id, const model::Outcome& outcome, base::Now now);
  // Answers the calls whose deadline has come.
  void advance(base::Now now);
  // Nobody waits: what is under way is cut off.
  void cancel(model::RequestId id);
  // Which URLs are called, from the next call on.
  void use_targets(model::TargetPolicy targets) { targets_ = std::move(targets); }

  [[nodiscard]] std::optional<base::MonoTime> next_deadline() const;
  [[nodiscard]] std::size_t calls() const { return calls_.size(); }
  [[nodiscard]] std::size_t in_flight() const { return attempts_.size(); }
  [[nodiscard]] std::size_t bytes_held() const { return bytes_held_; }

 private:
  struct Part {
    HookPart said;
    model::AttemptId attempt;  // while it is under way
    bool is_over = false;
    bool is_cut_short = false;  // the caller waits less than the webhook may take
  };
  struct Call {
    model::EventPtr event;
    base::MonoTime started;
    base::MonoTime deadline;
    base::Duration waited_for{0};
    std::vector<Part> parts;  // in order of registration
    std::size_t open = 0;
    std::size_t bytes = 0;
  };
  struct AttemptFor {
    model::RequestId request;
    std::size_t part = 0;
  };
  // What is remembered of a webhook that was called.
  struct Receiver {
    model::WebhookPtr webhook;  // as it was called last
    std::uint32_t origin = 0;
    CircuitBreaker breaker;
  };
  struct OriginHash {
    std::uint64_t operator()(std::string_view origin) const {
      return std::hash<std::string_view>()(origin);
    }
  };
  using Calls = std::unordered_map<model::RequestId, Call>;

  [[nodiscard]] bool good_or_refuse(const model::CallHook& request, model::RequestId id);
  [[nodiscard]] bool room_or_refuse(const model::CallHook& request, std::size_t webhooks,
                                    model::RequestId id);
  void overloaded(model::RequestId id, std::string message);
  [[nodiscard]] std::vector<model::Match> matches_of(const model::CallHook& request) const;
  [[nodiscard]] bool counts_as_failed(const model::Webhook& webhook) const;
  void start(Call& call, std::size_t index, model::RequestId id, base::Now now);
  Receiver& receiver_of(const model::WebhookPtr& webhook);
  void forget_erased();
  [[nodiscard]] std::uint32_t intern_origin(const model::Webhook& webhook);
  void release_origin(std::uint32_t origin);
  void judge(const Part& part, base::MonoTime now);
  void cut_off(Call& call, model::OutcomeClass kind, const char* detail, base::MonoTime now);
  Call take(Calls::iterator at);
  void conclude(Calls::iterator at);
  void log(const Call& call);

  HookLimits limits_;
  CircuitBreakerOptions breaker_;
  model::TargetPolicy targets_;
  Registry& registry_;
  Publisher& publisher_;
  Outbox& outbox_;

  Calls calls_;  // never iterated
  std::set<std::pair<base::MonoTime, model::RequestId>> deadlines_;
  std::unordered_map<model::AttemptId, AttemptFor> attempts_;   // never iterated
  std::unordered_map<model::OrgId, std::size_t> calls_by_org_;  // never iterated
  // Those of erased webhooks go when there are twice as many as webhooks.
  std::map<model::WebhookRef, Receiver> receivers_;
  Interner<std::string, std::string_view, OriginHash> origins_;
  std::vector<std::uint32_t> origin_uses_;  // by number
  std::uint64_t last_attempt_ = 0;
  std::size_t bytes_held_ = 0;
};

}  // namespace triggerd::core
