#include "dispatcher/dispatcher.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "dispatcher/hook_answer.h"
#include "engine/base/assert.h"
#include "engine/base/log.h"
#include "engine/model/url.h"

namespace triggerd::dispatcher {
namespace {

// Of the signatures of a tick, what hooks leave to events at least: one part of so many.
constexpr std::size_t kShareOfEvents = 4;

bool is_hook(const model::StartAttempt& attempt) {
  return attempt.trigger_type == model::TriggerType::kSyncHook;
}

// Neither userinfo nor query nor fragment: they may hold secrets, should a stored URL have any.
std::string without_secrets(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const std::size_t scheme = url.find("://");
  const std::size_t authority = scheme == std::string_view::npos ? 0 : scheme + 3;
  const std::string_view host = url.substr(authority, url.find('/', authority) - authority);
  const std::size_t userinfo = host.rfind('@');
  std::string shown(url.substr(0, authority));
  return shown.append(
      url.substr(userinfo == std::string_view::npos ? authority : authority + userinfo + 1));
}

double seconds(std::uint32_t microseconds) {
  return microseconds / 1e6;
}

std::uint32_t microseconds(base::Duration duration) {
  const auto whole = std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(whole, 0, UINT32_MAX));
}

// A UUID as text that lives as long as the log line, without an allocation.
class UuidText {
 public:
  explicit UuidText(const base::Uuid& uuid) { uuid.write_to(text_.data()); }
  [[nodiscard]] std::string_view view() const { return {text_.data(), text_.size()}; }

 private:
  std::array<char, 36> text_{};
};

void log_attempt(const model::StartAttempt& attempt, const model::Outcome& outcome) {
  // Busy is not an attempt, and comes in masses exactly when there is no time for logging.
  const bool made = outcome.kind != model::OutcomeClass::kBusy;
  const model::Event& event = *attempt.event;
  const model::PhaseTimings& timings = outcome.timings;
  base::LogLine line(made ? base::LogLevel::kInfo : base::LogLevel::kDebug, "dispatcher",
                     "attempt");
  line.field("event_id", UuidText(event.id.value()).view())
      .field("webhook_id", UuidText(attempt.webhook->id.value()).view())
      .field("org_id", UuidText(attempt.webhook->org.value()).view())
      .field("event_name", event.name)
      .field("attempt", static_cast<std::int64_t>(attempt.number))
      .field("outcome", model::word_of(outcome.kind))
      .field("http_status", static_cast<std::int64_t>(outcome.http_status))
      .field("duration_s", seconds(timings.total_us))
      .field("queue_s", seconds(timings.queue_us))
      .field("dns_s", seconds(timings.dns_us))
      .field("connect_s", seconds(timings.connect_us))
      .field("tls_s", seconds(timings.tls_us))
      .field("first_byte_s", seconds(timings.first_byte_us))
      .field("answer_bytes", static_cast<std::int64_t>(outcome.answer_bytes))
      .field("url", without_secrets(attempt.webhook->target_url));
  if (event.traceparent.size() >= 35) line.field("trace_id", event.traceparent.substr(3, 32));
  if (!outcome.detail.empty()) line.field("error", outcome.detail);
}

}  // namespace

Dispatcher::Dispatcher(loop::EventLoop& loop, DispatcherOptions options,
                       std::shared_ptr<const KeyRing> ring, base::Random& random,
                       OnOutcome on_outcome)
    : loop_(loop),
      options_(std::move(options)),
      builder_(options_.issuer, std::move(ring), random),
      on_outcome_(std::move(on_outcome)) {
  TRIGGERD_ASSERT(options_.signatures_per_tick > 0);
}

Dispatcher::~Dispatcher() {
  TRIGGERD_ASSERT(attempts_.empty() && !tick_deferred_);
}

void Dispatcher::use(std::unique_ptr<Transport> transport) {
  TRIGGERD_ASSERT(transport_ == nullptr && transport != nullptr);
  transport_ = std::move(transport);
}

void Dispatcher::use_for_hooks(std::unique_ptr<Transport> transport) {
  TRIGGERD_ASSERT(hook_transport_ == nullptr && transport != nullptr);
  hook_transport_ = std::move(transport);
}

void Dispatcher::start(model::StartAttempt attempt) {
  TRIGGERD_ASSERT(transport_ != nullptr);
  const model::AttemptId id = attempt.id;
  const auto [at, inserted] = attempts_.try_emplace(id);
  TRIGGERD_ASSERT(inserted);
  at->second.attempt = std::move(attempt);
  at->second.queued_at = loop_.now().mono;
  Queue& queue = is_hook(at->second.attempt) ? waiting_hooks_ : waiting_;
  if (queue.size() >= options_.waiting_max) {
    answer_later(at->second, model::OutcomeClass::kBusy, "too many calls wait to be signed");
    return;
  }
  queue.push_back(id);
  defer_tick();
}

void Dispatcher::cancel(model::AttemptId id) {
  const auto at = attempts_.find(id);
  if (at == attempts_.end()) return;
  if (at->second.phase == Phase::kWaiting) {
    answer_later(at->second, model::OutcomeClass::kCancelled, "cancelled before it was sent");
  } else if (at->second.phase == Phase::kOnTheWire) {
    transport_of(at->second).cancel(id);
  }
}

void Dispatcher::cancel_all() {
  std::vector<model::AttemptId> ids;
  ids.reserve(attempts_.size());
  for (const auto& [id, running] : attempts_) ids.push_back(id);
  for (const model::AttemptId id : ids) cancel(id);
}

void Dispatcher::finished(model::AttemptId id, model::Outcome outcome) {
  const auto at = attempts_.find(id);
  if (at == attempts_.end() || at->second.phase != Phase::kOnTheWire) return;
  tell(id, std::move(outcome));
}

void Dispatcher::defer_tick() {
  if (tick_deferred_) return;
  tick_deferred_ = true;
  loop_.defer([this] { tick(); });  // the destructor asserts that none is left
}

Transport& Dispatcher::transport_of(const Running& running) {
  const bool own = hook_transport_ != nullptr && is_hook(running.attempt);
  return own ? *hook_transport_ : *transport_;
}

// Attempts that cannot be sent count too: a tick is bounded whatever comes of it.
std::size_t Dispatcher::launch_from(Queue& queue, std::size_t turns) {
  while (!queue.empty()) {
    const auto at = attempts_.find(queue.front());
    const bool waits = at != attempts_.end() && at->second.phase == Phase::kWaiting;
    if (waits && turns == 0) break;
    queue.pop_front();
    if (!waits) continue;
    --turns;
    launch(at->second);
  }
  return turns;
}

void Dispatcher::tick() {
  const std::size_t left = launch_from(waiting_hooks_, options_.signatures_per_tick);
  const std::size_t share = options_.signatures_per_tick / kShareOfEvents;
  launch_from(waiting_, std::max({left, share, std::size_t{1}}));
  std::vector<std::pair<model::AttemptId, model::Outcome>> answers;
  answers.swap(answers_);
  tick_deferred_ = false;  // not before: answers of this tick need no further one
  for (auto& [id, outcome] : answers) tell(id, std::move(outcome));
  const bool all_launched = waiting_.empty() && waiting_hooks_.empty();
  if (!all_launched || !answers_.empty()) defer_tick();
}

void Dispatcher::launch(Running& running) {
  const base::WallTime now = loop_.now().wall;
  base::Result<model::TargetUrl> url =
      model::parse_target_url(running.attempt.webhook->target_url, options_.targets);
  if (!url.ok()) {
    // The policy became stricter since the webhook was registered.
    answer_later(running, model::OutcomeClass::kBlocked, url.error().message);
    return;
  }
  running.started_at = now;
  running.queue = loop_.now().mono - running.queued_at;
  running.phase = Phase::kOnTheWire;
  transport_of(running).start(builder_.build(running.attempt, std::move(url.value()), now));
}

void Dispatcher::answer_later(Running& running, model::OutcomeClass kind, std::string detail) {
  running.phase = Phase::kOver;
  running.started_at = loop_.now().wall;
  model::Outcome outcome;
  outcome.kind = kind;
  outcome.detail = std::move(detail);
  answers_.emplace_back(running.attempt.id, std::move(outcome));
  defer_tick();
}

void Dispatcher::tell(model::AttemptId id, model::Outcome outcome) {
  const auto at = attempts_.find(id);
  TRIGGERD_ASSERT(at != attempts_.end());
  outcome.started_at = at->second.started_at;
  outcome.timings.queue_us = microseconds(at->second.queue);
  if (is_hook(at->second.attempt)) judge_hook_answer(outcome);
  log_attempt(at->second.attempt, outcome);
  // First forgotten, then told: the callback may start the next attempt.
  attempts_.erase(at);
  on_outcome_(id, std::move(outcome));
}

}  // namespace triggerd::dispatcher
