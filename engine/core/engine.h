// The pure core: inputs and the time go in, mutations, effects and reads come out. No clock, no
// thread, no file, no socket; chance comes from the Random it is given. The same inputs give the
// same outputs, byte for byte.
//
// Thread: one. Owner: a partition (app/partition), or a simulated world (tests/sim).
//
// Recovery: load() each record of Store::scan in order, then recovered(); only then the inputs.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/random.h"
#include "engine/base/time.h"
#include "engine/core/circuit_breaker.h"
#include "engine/core/door_rates.h"
#include "engine/core/hook_limits.h"
#include "engine/core/isolation.h"
#include "engine/model/delivery_log.h"
#include "engine/model/limits.h"
#include "engine/model/network.h"
#include "engine/model/output.h"

namespace triggerd::core {

struct EngineOptions {
  // Delays before attempts 2, 3, …; the first attempt is at once (Standard Webhooks).
  std::vector<base::Duration> retry_schedule;  // empty: the default schedule of CONTRACT A2
  double retry_jitter = model::kRetryJitterDefault;
  // A webhook that has only failed for so long is disabled; 0: never.
  base::Duration disable_after = model::kDisableAfterDefault;
  model::TargetPolicy targets;
  std::uint32_t in_flight_per_webhook = model::kInFlightPerWebhookDefault;
  std::uint32_t in_flight_per_host = model::kInFlightPerHostDefault;
  std::uint32_t in_flight = model::kInFlightDefault;
  std::size_t pending_per_org_max = model::kPendingPerOrgMax;
  std::size_t pending_max = model::kPendingMax;
  std::size_t webhooks_per_org_max = model::kWebhooksPerOrgMax;
  std::size_t triggers_per_webhook_max = model::kTriggersPerWebhookMax;
  std::size_t payload_cache_bytes = model::kPayloadCacheBytesDefault;
  std::size_t resident = model::kResidentDefault;  // deliveries that wait in memory, about
  std::size_t dedup_ids = model::kDedupIdsDefault;
  base::Duration dedup_window = model::kDedupWindow;
  DoorRates rates;  // each rate and burst above 0
  // How long a webhook's previous secret signs beside the new one.
  base::Duration secret_overlap = model::kSecretOverlapDefault;
  // How long a new signing key is published before it signs.
  base::Duration key_publish_lead = model::kKeyPublishLeadDefault;
  HookLimits hooks;
  // Publishers that wait for first attempts, and the deliveries they wait for.
  std::size_t publish_waits_max = model::kWaitingPublishesMax;
  std::size_t watched_deliveries_max = model::kWatchedDeliveriesMax;
  CircuitBreakerOptions hook_breaker;
  IsolationOptions isolation;  // of the deliveries of events
};

// What an operator asks first; kept by counting, never by scanning.
struct EngineStats {
  std::uint64_t organizations = 0;
  std::uint64_t webhooks = 0;
  std::uint64_t webhooks_paused = 0;  // of these, as is the next
  std::uint64_t webhooks_disabled = 0;
  std::uint64_t triggers = 0;
  std::uint64_t pending = 0;                     // deliveries not final
  std::uint64_t in_flight = 0;                   // of these, on the wire
  std::uint64_t delayed = 0;                     // of these, waiting for a retry
  std::uint64_t parked = 0;                      // of these, in the store alone
  std::optional<base::WallTime> oldest_pending;  // when its event was accepted
  std::uint64_t hook_calls = 0;                  // synchronous hooks under way
  std::uint64_t hooks_in_flight = 0;             // calls of webhooks for them
  std::uint64_t publishes_waiting = 0;           // requests that wait for first attempts
  std::uint64_t deliveries_watched = 0;          // by them
  std::uint64_t recover_jobs = 0;                // under way
  BreakerCounts breakers;                        // of deliveries; hooks have their own
};

// What may change while it runs.
struct EngineTuning {
  DoorRates rates;  // each rate and burst above 0
  model::TargetPolicy targets;
};

class Engine {
 public:
  // `random` outlives the engine.
  Engine(EngineOptions options, base::Random& random);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  void load(model::Record record);
  // After the last record. Pending deliveries are ready, or due at their stored time.
  void recovered(base::Now now);

  // One request from the edge; answered by exactly one SendReply, now or after a read.
  // Requires: `id` is new. GetEvent and what else the store's reader answers is not for the core.
  void handle(model::Request request, model::RequestId id, base::Now now);
  // The outcome of an attempt that was started. Unknown ids are dropped: that is normal.
  void finish(model::AttemptId id, const model::Outcome& outcome, base::Now now);
  // The answer to a read. Unknown ids are dropped.
  void loaded(model::ReadId id, const model::ReadAnswer& answer, base::Now now);
  // Time has passed; starts what is due.
  void tick(base::Now now);
  // As tick(), for the hooks alone; finish() of their attempts likewise touches nothing else. For a
  // process whose store has failed: hooks rest on nothing durable, so those under way go on.
  void tick_hooks(base::Now now);
  // From the next request and the next attempt on.
  void tune(const EngineTuning& tuning, base::Now now);
  // Nobody waits for this request any more: its reply is not sent. What it did stands.
  void cancel(model::RequestId id);
  // No attempt of an event will be let out any more: publishers that wait for first attempts are
  // answered with what is known, and from now on none waits; jobs stand still.
  void stop_waiting();

  // All that came of the inputs since the last call. Never fails; empty when nothing happened.
  [[nodiscard]] model::Output take_output();
  // When tick() should be called at the latest; nothing when no time-driven work waits. A time in
  // the past means: work is left over from this turn, call tick() soon.
  [[nodiscard]] std::optional<base::MonoTime> next_deadline() const;
  // When tick_hooks() should be called at the latest.
  [[nodiscard]] std::optional<base::MonoTime> next_hook_deadline() const;

  [[nodiscard]] EngineStats stats() const;
  // The webhook with this ref; nothing once it is deleted.
  [[nodiscard]] std::optional<model::WebhookId> webhook_id(model::WebhookRef ref) const;
  // The same, whole; null once it is deleted. Until the next input.
  [[nodiscard]] const model::Webhook* peek_webhook(model::WebhookRef ref) const;
  // The webhook of this id; nothing when the organization has none.
  [[nodiscard]] std::optional<model::WebhookRef> webhook_ref(model::OrgId org,
                                                             model::WebhookId id) const;
  // Deliveries that are not over, as of the last take_output(); those accepted since count already.
  // `oldest` is not set.
  [[nodiscard]] model::PendingOfWebhook pending_of(model::WebhookRef ref) const;
  // The lowest sequence with a pending row as of then; nothing when there is none.
  [[nodiscard]] std::optional<model::EventSeq> first_pending() const;

  // All that must survive a crash, as text: signing keys, organizations, keys, webhooks,
  // triggers, deliveries not final. Right after take_output() of batch N it is the same as that of
  // an engine rebuilt from a store that has applied the batches 1 to N. For tests; slow.
  [[nodiscard]] std::string durable_state() const;

 private:
  struct Parts;  // the registry, the scheduler and the others; engine.cc
  std::unique_ptr<Parts> parts_;
};

}  // namespace triggerd::core
