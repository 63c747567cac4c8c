#include "engine/core/engine.h"

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>

#include "engine/base/assert.h"
#include "engine/core/engine_parts.h"

namespace triggerd::core {

using base::MonoTime;
using base::Now;
using model::AttemptId;
using model::ReadId;
using model::RequestId;

namespace {

EngineOptions completed(EngineOptions options) {
  if (options.retry_schedule.empty()) options.retry_schedule = default_retry_schedule();
  options.in_flight_per_webhook = std::max(options.in_flight_per_webhook, 1U);
  options.in_flight_per_host = std::max(options.in_flight_per_host, 1U);
  options.in_flight = std::max(options.in_flight, 1U);
  options.isolation.retry_share_percent =
      std::clamp(options.isolation.retry_share_percent, 1U, 100U);
  options.dedup_ids = std::max(options.dedup_ids, std::size_t{1});
  return options;
}

DeliveryOptions delivery_options(const EngineOptions& options, std::uint64_t seed) {
  DeliveryOptions chosen;
  chosen.retry = RetryOptions{options.retry_schedule, options.retry_jitter};
  chosen.limits = SchedulerLimits{options.in_flight_per_webhook, options.in_flight_per_host,
                                  options.in_flight, options.isolation};
  chosen.targets = options.targets;
  chosen.payload_cache_bytes = options.payload_cache_bytes;
  chosen.resident = options.resident;
  chosen.disable_after = options.disable_after;
  chosen.seed = seed;
  return chosen;
}

// Answered by the process around the core.
template <class Asked>
constexpr bool kIsForServer =
    std::is_same_v<Asked, model::StartBackup> || std::is_same_v<Asked, model::ListBackups> ||
    std::is_same_v<Asked, model::ReloadConfig>;

// Answered by the store's reader.
template <class Asked>
constexpr bool kIsForReader =
    std::is_same_v<Asked, model::GetEvent> || std::is_same_v<Asked, model::ReadRecentEvents> ||
    std::is_same_v<Asked, model::ListLoggedDeliveries> ||
    std::is_same_v<Asked, model::ListLoggedEvents> || std::is_same_v<Asked, model::GetDelivery> ||
    std::is_same_v<Asked, model::ReadEventsAfter> || std::is_same_v<Asked, model::ListDeadLetters>;

template <class Asked>
constexpr bool kIsForMending =
    std::is_same_v<Asked, model::RetryDelivery> || std::is_same_v<Asked, model::SkipDelivery> ||
    std::is_same_v<Asked, model::GetPending> || std::is_same_v<Asked, model::ListOrderingKeys>;

template <class Asked>
constexpr bool kIsForJobs =
    std::is_same_v<Asked, model::StartRecovery> || std::is_same_v<Asked, model::ListJobs> ||
    std::is_same_v<Asked, model::GetJob> || std::is_same_v<Asked, model::CancelJob>;

PublishLimits publish_limits(const EngineOptions& options) {
  PublishLimits limits;
  limits.pending_per_org = options.pending_per_org_max;
  limits.pending = options.pending_max;
  return limits;
}

}  // namespace

Engine::Parts::Parts(EngineOptions given, base::Random& random)
    : options(completed(std::move(given))),
      seed(random.next()),
      registry(seed),
      waits(PublishWaitLimits{options.publish_waits_max, options.watched_deliveries_max}, outbox),
      deliveries(delivery_options(options, seed), registry, outbox, waits, random),
      registry_requests(RegistryLimits{options.webhooks_per_org_max,
                                       options.triggers_per_webhook_max, options.secret_overlap},
                        options.targets, registry, deliveries, catalogue, filters, outbox, random),
      door(options.rates, seed),
      publisher(publish_limits(options),
                DedupOptions{options.dedup_window, options.dedup_ids, seed}, registry, deliveries,
                catalogue, filters, door, waits, outbox),
      signing_keys(options.key_publish_lead,
                   RateLimit::of(options.rates.jwks.per_minute, std::chrono::minutes(1),
                                 options.rates.jwks.burst),
                   seed, outbox),
      hooks(options.hooks, options.hook_breaker, options.targets, registry, publisher, outbox,
            seed),
      mending(MendingLimits{options.pending_per_org_max, options.pending_max}, registry, deliveries,
              outbox),
      recover_jobs(mending, registry, deliveries, outbox, random),
      operational_events(registry, publisher, outbox, random) {
  stored.next_webhook = registry.next_webhook();
  stored.next_generation = registry.next_generation();
  stored.next_event = publisher.next_event();
}

void Engine::Parts::advance(Now now) {
  operational_events.publish(now);
  deliveries.advance(now);
}

void Engine::Parts::write_counters() {
  const bool moved = stored.next_webhook != registry.next_webhook() ||
                     stored.next_generation != registry.next_generation();
  const bool far =
      publisher.next_event().value() - stored.next_event.value() >= model::kEventsPerCounters;
  // A recovery begins its scan there: one that was given again may lie below.
  const std::optional<model::EventSeq> first = deliveries.first_pending();
  const bool lower = first && *first < stored.first_pending;
  if (!moved && !far && !lower && !counters_wanted) return;
  counters_wanted = false;
  stored.next_webhook = registry.next_webhook();
  stored.next_generation = registry.next_generation();
  stored.next_event = publisher.next_event();
  stored.first_pending = first.value_or(publisher.next_event());
  outbox.put(model::PutCounters{stored});
}

Engine::Engine(EngineOptions options, base::Random& random)
    : parts_(std::make_unique<Parts>(std::move(options), random)) {}

Engine::~Engine() = default;

void Engine::handle(model::Request request, RequestId id, Now now) {
  Parts& parts = *parts_;
  const bool is_hook = std::holds_alternative<model::CallHook>(request);
  std::optional<model::OrgId> deleted;
  if (const auto* deletion = std::get_if<model::DeleteOrganization>(&request)) {
    deleted = deletion->org;
  }
  const std::size_t organizations = parts.registry.organization_count();
  std::visit(
      [&parts, id, now](auto&& asked) {
        using Asked = std::decay_t<decltype(asked)>;
        if constexpr (std::is_same_v<Asked, model::PublishEvents>) {
          parts.publisher.handle(std::forward<decltype(asked)>(asked), id, now);
        } else if constexpr (std::is_same_v<Asked, model::CallHook>) {
          parts.hooks.handle(std::forward<decltype(asked)>(asked), id, now);
        } else if constexpr (std::is_same_v<Asked, model::RotateSigningKey> ||
                             std::is_same_v<Asked, model::ListSigningKeys> ||
                             std::is_same_v<Asked, model::GetJwks>) {
          parts.signing_keys.handle(std::forward<decltype(asked)>(asked), id, now);
        } else if constexpr (kIsForMending<Asked>) {
          parts.mending.handle(asked, id, now);
        } else if constexpr (kIsForJobs<Asked>) {
          parts.recover_jobs.handle(asked, id, now);
        } else if constexpr (kIsForReader<Asked> || kIsForServer<Asked>) {
          TRIGGERD_ASSERT(!kIsForReader<Asked> && !kIsForServer<Asked>);
        } else {
          parts.registry_requests.handle(asked, id, now);
        }
      },
      std::move(request));
  if (parts.registry.organization_count() < organizations) {
    // With its events goes maybe the highest sequence that is stored.
    parts.outbox.put(model::EraseLog{*deleted, parts.publisher.next_event()});
    parts.recover_jobs.organization_erased(*deleted);
    parts.counters_wanted = true;
  }
  // A hook waits for nothing of the deliveries, and they for nothing of it.
  if (!is_hook) parts.advance(now);
}

void Engine::finish(AttemptId id, const model::Outcome& outcome, Now now) {
  if (model::is_hook_attempt(id)) return parts_->hooks.finish(id, outcome, now);
  parts_->deliveries.finish(id, outcome, now);
  parts_->advance(now);
}

void Engine::loaded(ReadId id, const model::ReadAnswer& answer, Now now) {
  static_cast<void>(
      parts_->publisher.loaded(id, answer, now) || parts_->deliveries.loaded(id, answer, now) ||
      parts_->mending.loaded(id, answer, now) || parts_->recover_jobs.loaded(id, answer, now));
  parts_->advance(now);
}

void Engine::tick(Now now) {
  parts_->hooks.advance(now);
  parts_->signing_keys.tick(now);
  parts_->recover_jobs.advance(now);
  parts_->advance(now);
  parts_->waits.advance(now);
}

void Engine::tick_hooks(Now now) {
  parts_->hooks.advance(now);
}

void Engine::tune(const EngineTuning& tuning, Now now) {
  Parts& parts = *parts_;
  parts.options.rates = tuning.rates;
  parts.options.targets = tuning.targets;
  parts.door.use(tuning.rates, now.mono);
  const model::DoorRate& jwks = tuning.rates.jwks;
  parts.signing_keys.use(RateLimit::of(jwks.per_minute, std::chrono::minutes(1), jwks.burst),
                         now.mono);
  parts.registry_requests.use_targets(tuning.targets);
  parts.deliveries.use_targets(tuning.targets);
  parts.hooks.use_targets(tuning.targets);
}

void Engine::cancel(RequestId id) {
  parts_->publisher.cancel(id);
  parts_->hooks.cancel(id);
  parts_->mending.cancel(id);
  parts_->waits.cancel(id);
  parts_->outbox.drop_reply(id);
}

void Engine::stop_waiting() {
  parts_->waits.stop();
  parts_->recover_jobs.stop_all();
}

model::Output Engine::take_output() {
  parts_->deliveries.write_rows();
  parts_->write_counters();
  return parts_->outbox.take();
}

std::optional<MonoTime> Engine::next_deadline() const {
  std::optional<MonoTime> next;
  for (const std::optional<MonoTime>& each :
       {parts_->hooks.next_deadline(), parts_->deliveries.next_deadline(),
        parts_->signing_keys.next_deadline(), parts_->waits.next_deadline(),
        parts_->recover_jobs.next_deadline()}) {
    if (each && (!next || *each < *next)) next = each;
  }
  return next;
}

std::optional<MonoTime> Engine::next_hook_deadline() const {
  return parts_->hooks.next_deadline();
}

std::optional<model::WebhookId> Engine::webhook_id(model::WebhookRef ref) const {
  const model::Webhook* webhook = parts_->registry.peek(ref);
  if (webhook == nullptr) return std::nullopt;
  return webhook->id;
}

const model::Webhook* Engine::peek_webhook(model::WebhookRef ref) const {
  return parts_->registry.peek(ref);
}

std::optional<model::WebhookRef> Engine::webhook_ref(model::OrgId org, model::WebhookId id) const {
  const model::WebhookPtr webhook = parts_->registry.find(org, id);
  if (webhook == nullptr) return std::nullopt;
  return webhook->ref;
}

model::PendingOfWebhook Engine::pending_of(model::WebhookRef ref) const {
  return parts_->deliveries.counts().pending_of(ref);
}

std::optional<model::EventSeq> Engine::first_pending() const {
  return parts_->deliveries.first_pending();
}

EngineStats Engine::stats() const {
  EngineStats stats;
  stats.organizations = parts_->registry.organization_count();
  stats.webhooks = parts_->registry.webhook_count();
  stats.webhooks_paused = parts_->registry.webhook_count(model::WebhookState::kPaused);
  stats.webhooks_disabled = parts_->registry.webhook_count(model::WebhookState::kDisabled);
  stats.triggers = parts_->registry.trigger_count();
  stats.pending = parts_->deliveries.counts().pending();
  stats.in_flight = parts_->deliveries.in_flight();
  stats.delayed = parts_->deliveries.counts().delayed() +
                  parts_->deliveries.parking().count(model::ParkedKind::kDelayed);
  stats.parked = parts_->deliveries.parking().count();
  stats.oldest_pending = parts_->deliveries.oldest_pending();
  stats.hook_calls = parts_->hooks.calls();
  stats.hooks_in_flight = parts_->hooks.in_flight();
  stats.publishes_waiting = parts_->waits.publishes();
  stats.deliveries_watched = parts_->waits.deliveries();
  stats.recover_jobs = parts_->recover_jobs.running();
  stats.breakers = parts_->deliveries.breakers();
  return stats;
}

}  // namespace triggerd::core
