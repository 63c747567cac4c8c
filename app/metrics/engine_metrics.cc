#include "app/metrics/engine_metrics.h"

#include <algorithm>
#include <variant>

#include "engine/model/event_types.h"

namespace triggerd::app::metrics {

using model::DeliveryState;
using model::OutcomeClass;

namespace {

constexpr std::array<std::string_view, 6> kStatusClassWords{"none", "1xx", "2xx",
                                                            "3xx",  "4xx", "5xx"};
constexpr std::string_view kOtherType = "other";

double seconds(std::uint64_t microseconds) {
  return static_cast<double>(microseconds) / 1e6;
}

double seconds(base::Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

std::size_t status_class(std::uint16_t status) {
  return std::min<std::size_t>(status / 100U, kStatusClassWords.size() - 1);
}

// Nothing was sent: not an attempt to be counted, but a state reached without one.
bool is_attempt(const model::AttemptRecord& record) {
  return record.number != model::kNoAttempt;
}

}  // namespace

EngineMetrics::EngineMetrics() : events_(model::built_in_event_types().size() + 1) {
  for (const model::BuiltInEventType& type : model::built_in_event_types()) {
    places_.emplace(type.name, places_.size());
  }
}

// --- What is fed ------------------------------------------------------------------------------

void EngineMetrics::recorded(const model::Mutation& mutation) {
  if (const auto* event = std::get_if<model::PutEvent>(&mutation)) {
    accepted(*event->event);
  } else if (const auto* attempt = std::get_if<model::PutAttempt>(&mutation)) {
    attempted(attempt->attempt);
  }
}

void EngineMetrics::accepted(const model::Event& event) {
  if (event.trigger_type != model::TriggerType::kEvent) return;  // counted by its decision
  const auto found = places_.find(event.name);
  events_[found != places_.end() ? found->second : events_.size() - 1].add();
  event_bytes_.observe(static_cast<double>(event.content.size()));
  event_webhooks_.observe(static_cast<double>(event.matches.size()));
}

void EngineMetrics::attempted(const model::AttemptRecord& record) {
  if (model::is_final(record.state_after)) {
    ended_[static_cast<std::size_t>(record.state_after)].add();
  }
  if (!is_attempt(record)) return;
  const model::Outcome& outcome = record.outcome;
  if (record.state_after == DeliveryState::kDelivered &&
      record.trigger_type == model::TriggerType::kEvent) {
    const base::WallTime ended =
        outcome.started_at + std::chrono::microseconds(outcome.timings.total_us);
    Distribution<18>& latency = record.number == 1 ? first_latency_ : retry_latency_;
    latency.observe(std::max(0.0, seconds(ended - record.accepted_at)));
  }
  attempts_[static_cast<std::size_t>(outcome.kind)][status_class(outcome.http_status)].add();
  const model::PhaseTimings& timings = outcome.timings;
  attempt_seconds_.observe(seconds(std::uint64_t{timings.total_us}));
  if (timings.dns_us > 0) dns_seconds_.observe(seconds(std::uint64_t{timings.dns_us}));
  if (timings.connect_us > 0) connect_seconds_.observe(seconds(std::uint64_t{timings.connect_us}));
  if (timings.tls_us > 0) tls_seconds_.observe(seconds(std::uint64_t{timings.tls_us}));
  if (timings.first_byte_us == 0 || timings.total_us < timings.first_byte_us) return;
  const std::uint64_t before = std::uint64_t{timings.dns_us} + timings.connect_us + timings.tls_us;
  wait_seconds_.observe(
      seconds(timings.first_byte_us > before ? timings.first_byte_us - before : 0));
  transfer_seconds_.observe(seconds(std::uint64_t{timings.total_us} - timings.first_byte_us));
}

void EngineMetrics::replied(const model::Reply& reply) {
  if (const auto* published = std::get_if<model::PublishReply>(&reply)) {
    for (const model::PublishedEvent& event : published->events) {
      if (event.duplicate) duplicates_.add();
    }
  } else if (const auto* hook = std::get_if<model::HookReply>(&reply)) {
    (hook->decision == model::HookDecision::kDeny ? hooks_denied_ : hooks_continued_).add();
    for (const model::HookWebhook& webhook : hook->webhooks) {
      hook_attempts_[static_cast<std::size_t>(webhook.outcome)].add();
    }
  }
}

void EngineMetrics::committed(base::Duration took, std::size_t mutations) {
  commit_seconds_.observe(seconds(took));
  mutations_.add(mutations);
}

void EngineMetrics::observe(const core::EngineStats& stats, base::Now now) {
  turned_at_.store(now.mono.time_since_epoch().count(), std::memory_order_relaxed);
  organizations_.set(static_cast<double>(stats.organizations));
  const std::uint64_t held = stats.webhooks_paused + stats.webhooks_disabled;
  webhooks_active_.set(static_cast<double>(stats.webhooks - held));
  webhooks_paused_.set(static_cast<double>(stats.webhooks_paused));
  webhooks_disabled_.set(static_cast<double>(stats.webhooks_disabled));
  triggers_.set(static_cast<double>(stats.triggers));
  pending_.set(static_cast<double>(stats.pending));
  in_flight_.set(static_cast<double>(stats.in_flight));
  delayed_.set(static_cast<double>(stats.delayed));
  parked_.set(static_cast<double>(stats.parked));
  hook_calls_.set(static_cast<double>(stats.hook_calls));
  publishes_waiting_.set(static_cast<double>(stats.publishes_waiting));
  const base::WallTime oldest = stats.oldest_pending.value_or(now.wall);
  oldest_pending_seconds_.set(std::max(0.0, seconds(now.wall - oldest)));
  breakers_open_.set(static_cast<double>(stats.breakers.open));
  breakers_half_open_.set(static_cast<double>(stats.breakers.half_open));
  breaker_moves_[0].set(static_cast<double>(stats.breakers.to_open));
  breaker_moves_[1].set(static_cast<double>(stats.breakers.to_half_open));
  breaker_moves_[2].set(static_cast<double>(stats.breakers.to_closed));
}

void EngineMetrics::observe_lag(base::Duration lag) {
  lag_seconds_.observe(std::max(0.0, seconds(lag)));
}

double EngineMetrics::seconds_since_turn(base::MonoTime now) const {
  const std::int64_t turned_at = turned_at_.load(std::memory_order_relaxed);
  if (turned_at == 0) return 0;
  return seconds(now - base::MonoTime(base::Duration(turned_at)));
}

// --- The page ---------------------------------------------------------------------------------

void EngineMetrics::append_to(Exposition& page) const {
  append_events(page);
  append_deliveries(page);
  append_hooks(page);
  append_store(page);
  append_stats(page);
  append_breakers(page);
}

void EngineMetrics::append_events(Exposition& page) const {
  page.counter("triggerd_events_accepted_total",
               "Events answered with 202 or about to be; names that were added count as other.");
  const auto types = model::built_in_event_types();
  for (std::size_t i = 0; i < events_.size(); ++i) {
    page.sample(static_cast<double>(events_[i].value()),
                {{"event_type", i < types.size() ? types[i].name : kOtherType}});
  }
  page.one_counter("triggerd_events_deduplicated_total",
                   "Events that had been accepted before and were not delivered again.",
                   static_cast<double>(duplicates_.value()));
  page.histogram("triggerd_event_payload_bytes", "Size of the contents of accepted events.");
  page.distribution<9>({&event_bytes_});
  page.histogram("triggerd_fanout_deliveries", "Webhooks that an accepted event goes to.");
  page.distribution<8>({&event_webhooks_});
}

void EngineMetrics::append_deliveries(Exposition& page) const {
  page.counter("triggerd_deliveries_total", "Deliveries that have ended, by how.");
  const std::array<std::pair<DeliveryState, std::string_view>, 3> ends{
      {{DeliveryState::kDelivered, "delivered"},
       {DeliveryState::kDead, "dead"},
       {DeliveryState::kCancelled, "cancelled"}}};
  for (const auto& [state, word] : ends) {
    page.sample(static_cast<double>(ended_[static_cast<std::size_t>(state)].value()),
                {{"outcome", word}});
  }
  page.counter("triggerd_delivery_attempts_total", "Calls of webhooks for events.");
  for (auto kind = static_cast<std::size_t>(OutcomeClass::kOk); kind < kOutcomes; ++kind) {
    for (std::size_t status = 0; status < kStatusClasses; ++status) {
      const std::uint64_t value = attempts_[kind][status].value();
      if (value == 0) continue;
      page.sample(static_cast<double>(value),
                  {{"outcome", model::word_of(static_cast<OutcomeClass>(kind))},
                   {"status_class", kStatusClassWords[status]}});
    }
  }
  page.histogram("triggerd_delivery_latency_seconds",
                 "From acceptance to the 2xx, of deliveries that came to one, by their attempt.");
  page.distribution<18>({&first_latency_}, {{"attempt", "first"}});
  page.distribution<18>({&retry_latency_}, {{"attempt", "retry"}});
  page.histogram("triggerd_delivery_attempt_duration_seconds",
                 "From the start of a call to its end.");
  page.distribution<14>({&attempt_seconds_});
  page.histogram("triggerd_delivery_phase_duration_seconds",
                 "Parts of calls: what did not happen (a reused connection) is not counted.");
  page.distribution<14>({&dns_seconds_}, {{"phase", "dns"}});
  page.distribution<14>({&connect_seconds_}, {{"phase", "connect"}});
  page.distribution<14>({&tls_seconds_}, {{"phase", "tls"}});
  page.distribution<14>({&wait_seconds_}, {{"phase", "wait"}});
  page.distribution<14>({&transfer_seconds_}, {{"phase", "transfer"}});
}

void EngineMetrics::append_hooks(Exposition& page) const {
  page.counter("triggerd_hook_calls_total", "Sync hook calls answered, by decision.");
  page.sample(static_cast<double>(hooks_continued_.value()), {{"decision", "continue"}});
  page.sample(static_cast<double>(hooks_denied_.value()), {{"decision", "deny"}});
  page.counter("triggerd_hook_attempts_total", "Calls of webhooks for sync hooks.");
  for (auto kind = static_cast<std::size_t>(OutcomeClass::kOk); kind < kOutcomes; ++kind) {
    const std::uint64_t value = hook_attempts_[kind].value();
    if (value == 0) continue;
    page.sample(static_cast<double>(value),
                {{"outcome", model::word_of(static_cast<OutcomeClass>(kind))}});
  }
}

void EngineMetrics::append_store(Exposition& page) const {
  page.histogram("triggerd_store_write_duration_seconds",
                 "One synced write of a batch, from hand-over to durable.");
  page.distribution<12>({&commit_seconds_});
  page.one_counter("triggerd_store_mutations_total", "Rows put or erased.",
                   static_cast<double>(mutations_.value()));
  page.histogram("triggerd_loop_lag_seconds",
                 "How much later than asked for a timer of the engine's loop fired.");
  page.distribution<12>({&lag_seconds_}, {{"shard", "0"}});
}

void EngineMetrics::append_stats(Exposition& page) const {
  page.one_gauge("triggerd_organizations", "Organizations.", organizations_.value());
  page.gauge("triggerd_webhooks", "Webhooks, by state.");
  page.sample(webhooks_active_.value(), {{"state", "active"}});
  page.sample(webhooks_paused_.value(), {{"state", "paused"}});
  page.sample(webhooks_disabled_.value(), {{"state", "disabled"}});
  page.one_gauge("triggerd_triggers", "Triggers.", triggers_.value());
  page.one_gauge("triggerd_deliveries_pending", "Deliveries that have not ended.",
                 pending_.value());
  page.one_gauge("triggerd_deliveries_in_flight", "Of these, on the wire.", in_flight_.value());
  page.one_gauge("triggerd_retries_scheduled", "Of these, waiting for a retry.", delayed_.value());
  page.one_gauge("triggerd_deliveries_in_store_only",
                 "Of the pending ones, those that wait in the store because memory has its share.",
                 parked_.value());
  page.one_gauge("triggerd_delivery_oldest_pending_seconds",
                 "Since the oldest event with a pending delivery was accepted; 0: none is.",
                 oldest_pending_seconds_.value());
  page.one_gauge("triggerd_publishes_waiting", "Requests that wait for first attempts.",
                 publishes_waiting_.value());
  page.one_gauge("triggerd_hook_calls_in_progress", "Sync hook calls under way.",
                 hook_calls_.value());
}

void EngineMetrics::append_breakers(Exposition& page) const {
  page.gauge("triggerd_breaker_open",
             "Webhooks whose deliveries are held back because they fail, by state of the breaker.");
  page.sample(breakers_open_.value(), {{"state", "open"}});
  page.sample(breakers_half_open_.value(), {{"state", "half_open"}});
  page.counter("triggerd_breaker_transitions_total", "Changes of breakers, by what they came to.");
  page.sample(breaker_moves_[0].value(), {{"to", "open"}});
  page.sample(breaker_moves_[1].value(), {{"to", "half_open"}});
  page.sample(breaker_moves_[2].value(), {{"to", "closed"}});
}

}  // namespace triggerd::app::metrics
