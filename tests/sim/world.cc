#include "tests/sim/world.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

#include "engine/base/assert.h"
#include "engine/model/limits.h"
#include "tests/sim/sim_mending.h"

namespace triggerd::sim {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr base::WallTime kStart{std::chrono::seconds(1'800'000'000)};
// More turns than this without time passing: the engine spins.
constexpr std::uint32_t kTurnsAtOneTimeMax = 10'000;
// After faults end: the longest delay is Retry-After of 24 h, or 24 h and its jitter.
constexpr base::Duration kSettleMax = hours(72);
constexpr std::uint64_t kSettleStepsMax = 2'000'000;
constexpr base::Duration kCompanyWait = milliseconds(5);

}  // namespace

World::World(std::uint64_t seed, std::uint32_t requests, Tally& tally, Trace& trace)
    : tally_(tally),
      trace_(trace),
      random_(seed),
      engine_random_(seed ^ 0x656e67696e65ULL),
      plan_(draw_plan(random_)),
      clock_(kStart),
      receivers_(plan_, random_),
      workload_(plan_, random_),
      scene_{store_.durable(), plan_.engine, plan_.fault_free, verdict_},
      accounted_(scene_),
      durability_(scene_),
      targets_(scene_),
      recovery_(scene_),
      pace_(scene_),
      replies_(scene_),
      repeats_(scene_),
      hooks_(scene_),
      settings_(scene_),
      signing_keys_(scene_),
      secrets_(scene_),
      door_(scene_),
      catalogue_(scene_),
      waits_(scene_),
      isolation_(scene_),
      checkers_{&accounted_, &durability_, &targets_,   &recovery_, &pace_,
                &replies_,   &repeats_,    &hooks_,     &settings_, &signing_keys_,
                &secrets_,   &door_,       &catalogue_, &waits_,    &isolation_},
      requests_left_(requests) {}

std::optional<std::string> World::run() {
  if (plan_.fault_free) tally_.hit(Sometimes::kFaultFreeWorld);
  start_process();
  partition_->end_turn();
  agenda_.add(now().mono, Happening::kWorkload, 0, 0);
  plan_fault();
  while (requests_left_ > 0 && !failed()) {
    step();
    maybe_crash();
  }
  if (!failed()) drain();
  tally_.virtual_days +=
      std::chrono::duration<double, std::ratio<86400>>(now().mono - base::MonoTime(hours(1)))
          .count();
  if (repeats_.repeated() > 0) tally_.hit(Sometimes::kDuplicateAfterCrash);
  if (settings_.ordered() > 0) tally_.hit(Sometimes::kOrderedCall);
  if (settings_.rated() > 0) tally_.hit(Sometimes::kRatedCall);
  if (targets_.filtered() > 0) tally_.hit(Sometimes::kFiltered);
  if (catalogue_.erased() > 0) tally_.hit(Sometimes::kEventTypeErased);
  if (secrets_.rotated() > 0) tally_.hit(Sometimes::kSecretRotated);
  if (signing_keys_.erased() > 0) tally_.hit(Sometimes::kSigningKeyErased);
  if (door_.refused() > 0) tally_.hit(Sometimes::kRateRefusal);
  if (isolation_.openings() > 0) tally_.hit(Sometimes::kBreakerOpened);
  if (isolation_.probes() > 0) tally_.hit(Sometimes::kProbed);
  if (isolation_.falls() > 0) tally_.hit(Sometimes::kLimitFell);
  if (isolation_.contested() > 0) tally_.hit(Sometimes::kContested);
  return verdict_.objection();
}

void World::start_process() {
  Outside& outside = *this;  // here the private base is known
  partition_ = std::make_unique<SimPartition>(plan_.engine, engine_random_, store_, outside);
  for (const auto& [key, job] : store_.durable().jobs) {
    if (job.state == model::JobState::kRunning && job.recovered > 0) {
      tally_.hit(Sometimes::kJobGoesOn);
    }
  }
  partition_->recover(now());
}

// Time moves to what comes next; what is due then, and sometimes what is due right after, shares a
// turn.
void World::step() {
  ++tally_.steps;
  const std::optional<base::MonoTime> deadline = partition_->engine().next_deadline();
  TRIGGERD_ASSERT(deadline || !agenda_.empty());
  base::MonoTime next = deadline.value_or(base::MonoTime::max());
  if (!agenda_.empty()) next = std::min(next, agenda_.top().at);
  if (next > now().mono) {
    turns_at_this_time_ = 0;
    if (draw_chance(random_, 0.3)) next += draw_between(random_, microseconds(0), milliseconds(3));
    clock_.advance_to(next);
  } else if (++turns_at_this_time_ > kTurnsAtOneTimeMax) {
    verdict_.object("world", "the engine wants turn after turn without time passing");
  }
  if (deadline && *deadline <= now().mono) partition_->engine().tick(now());
  const std::uint64_t epoch = epoch_;
  while (!agenda_.empty() && agenda_.top().at <= now().mono && epoch == epoch_) {
    const Plan plan = agenda_.top();
    agenda_.pop();
    if (plan.epoch == 0 || plan.epoch == epoch_) happen(plan);
  }
  if (epoch == epoch_) partition_->end_turn();
}

void World::happen(const Plan& plan) {
  switch (plan.what) {
    case Happening::kWorkload:
      client_acts();
      return;
    case Happening::kFault:
      something_breaks();
      return;
    case Happening::kAbandon:
      abandon(model::RequestId(plan.id));
      return;
    case Happening::kOutcome:
      outcome_arrives(plan.id);
      return;
    case Happening::kReadAnswer:
      read_answered(plan.id);
      return;
    case Happening::kAskAgain:
      ask_again(model::RequestId(plan.id));
      return;
    case Happening::kCommitStart:
      // The turn in progress must be taken first: a commit holds whole turns.
      partition_->end_turn();
      partition_->start_commit();
      return;
    case Happening::kCommitEnd:
      partition_->end_turn();
      if (!partition_->commit_ended()) restart(End::kCommitFailed);
      return;
  }
}

void World::client_acts() {
  if (requests_left_ == 0) return;
  --requests_left_;
  const model::RequestId id(++last_request_);
  model::Request request = workload_.next(now());
  if (auto* publish = std::get_if<model::PublishEvents>(&request)) {
    edge_.prepare(*publish);
    trace_.add(now().mono, "publish",
               {{"request", id.value()}, {"events", publish->events.size()}});
  } else {
    trace_.add(now().mono, "request", {{"request", id.value()}, {"kind", request.index()}});
  }
  tell(&Checker::handled, Handled{id, request, now()});
  waiting_[id] = request;
  if (!plan_.fault_free && draw_chance(random_, 0.01)) {
    agenda_.add(now().mono + draw_between(random_, microseconds(1), milliseconds(30)),
                Happening::kAbandon, epoch_, id.value());
  }
  partition_->engine().handle(std::move(request), id, now());
  // Bursts, and pauses between them; now and then a long one.
  base::Duration pause = draw_between(random_, microseconds(0), milliseconds(8));
  if (draw_chance(random_, 0.2)) pause = draw_pause(random_, plan_.pause_mean);
  if (draw_chance(random_, 0.01)) pause = draw_pause(random_, 30 * plan_.pause_mean);
  agenda_.add(now().mono + pause, Happening::kWorkload, 0, 0);
}

// Prepared under the rules that are known now. Nobody may wait for it any more.
void World::ask_again(model::RequestId id) {
  const auto at = given_back_.find(id);
  TRIGGERD_ASSERT(at != given_back_.end());
  model::PublishEvents publish = std::move(at->second);
  given_back_.erase(at);
  if (!waiting_.contains(id)) return;
  edge_.prepare(publish);
  model::Request request = std::move(publish);
  trace_.add(now().mono, "ask again", {{"request", id.value()}});
  tell(&Checker::handled_again, Handled{id, request, now()});
  partition_->engine().handle(std::move(request), id, now());
}

// What is paused would never settle. The owners of all webhooks see to that in the end.
void World::resume_paused() {
  for (const auto& [ref, webhook] : store_.durable().webhooks) {
    if (webhook->state == model::WebhookState::kDisabled) continue;
    model::PatchWebhook patch{webhook->org, webhook->id, {}};
    patch.draft.delivery.emplace().state.emplace("active");
    const model::RequestId id(++last_request_);
    model::Request request = patch;
    tell(&Checker::handled, Handled{id, request, now()});
    waiting_[id] = request;
    partition_->engine().handle(std::move(request), id, now());
  }
}

bool World::has_paused() const {
  const auto& webhooks = store_.durable().webhooks;
  return std::any_of(webhooks.begin(), webhooks.end(), [](const auto& row) {
    return row.second->state == model::WebhookState::kPaused;
  });
}

void World::abandon(model::RequestId id) {
  if (waiting_.erase(id) == 0) return;
  tally_.hit(Sometimes::kRequestAbandoned);
  trace_.add(now().mono, "abandon", {{"request", id.value()}});
  replies_.abandoned(id);
  hooks_.abandoned(id);
  waits_.abandoned(id);
  partition_->engine().cancel(id);
}

void World::outcome_arrives(std::uint64_t id) {
  const auto call = calls_.find(id);
  if (call == calls_.end()) return;
  const model::StartAttempt attempt = std::move(call->second);
  calls_.erase(call);
  model::Outcome outcome = std::move(outcomes_[id]);
  outcomes_.erase(id);
  trace_.add(now().mono, "outcome",
             {{"event", attempt.event->seq.value()},
              {"webhook", attempt.webhook->ref.value()},
              {"class", static_cast<std::uint64_t>(outcome.kind)},
              {"status", outcome.http_status}});
  if (outcome.http_status == 410) tally_.hit(Sometimes::kGone);
  if (outcome.kind == model::OutcomeClass::kBusy) tally_.hit(Sometimes::kBusy);
  if (outcome.retry_after >= base::Duration(0)) tally_.hit(Sometimes::kRetryAfter);
  if (model::is_hook_attempt(attempt.id)) {
    hooks_.finished(Finished{attempt, outcome, now()});
  } else {
    tell(&Checker::finished, Finished{attempt, outcome, now()});
  }
  partition_->engine().finish(model::AttemptId(id), outcome, now());
}

void World::read_wanted(const model::Read& read) {
  const std::uint64_t id = ++last_read_;
  ReadInProgress& reading = reads_[id];
  reading.read = read;
  if (draw_chance(random_, 0.5)) reading.answer = answer_to(read);
  trace_.add(now().mono, "read", {{"read", read.id.value()}, {"kind", read.what.index()}});
  agenda_.add(now().mono + draw_between(random_, microseconds(20), milliseconds(20)),
              Happening::kReadAnswer, epoch_, id);
}

model::ReadAnswer World::answer_to(const model::Read& read) {
  if (const auto* event = std::get_if<model::ReadEvent>(&read.what)) {
    base::Result<model::EventPtr> found = store_.read_event(event->seq);
    if (!found.ok()) return model::ReadFailed{found.error()};
    return model::EventLoaded{std::move(found.value())};
  }
  if (const auto* id = std::get_if<model::ReadEventId>(&read.what)) {
    const auto found = store_.get({id->org, id->id});
    if (!found.ok()) return model::ReadFailed{found.error()};
    if (!found.value()) return model::EventIdLoaded{};
    return model::EventIdLoaded{true, found.value()->accepted_at, found.value()->matches};
  }
  if (const auto* delivery = std::get_if<model::ReadDelivery>(&read.what)) {
    const auto found = store_.get({delivery->org, delivery->event});
    if (!found.ok()) return model::ReadFailed{found.error()};
    return delivery_of(store_.durable(), *delivery);
  }
  if (const auto* finals = std::get_if<model::ReadFinals>(&read.what)) {
    const auto found = store_.read_event(finals->after);
    if (!found.ok()) return model::ReadFailed{found.error()};
    return finals_of(store_.durable(), *finals);
  }
  const auto& parked = std::get<model::ReadParked>(read.what);
  auto page = store_.list(store::ListParked{parked, model::kParkedPageBytes});
  if (!page.ok()) return model::ReadFailed{page.error()};
  return std::move(page.value().parked);
}

void World::read_answered(std::uint64_t id) {
  const auto at = reads_.find(id);
  TRIGGERD_ASSERT(at != reads_.end());
  model::ReadAnswer answer =
      at->second.answer ? *std::move(at->second.answer) : answer_to(at->second.read);
  const model::ReadId read = at->second.read.id;
  reads_.erase(at);
  if (const auto* found = std::get_if<model::EventIdLoaded>(&answer)) {
    if (found->found) tally_.hit(Sometimes::kDedupThroughRead);
  } else if (std::holds_alternative<model::EventLoaded>(answer)) {
    tally_.hit(Sometimes::kColdPayloadRead);
  } else if (std::holds_alternative<model::ReadFailed>(answer)) {
    tally_.hit(Sometimes::kReadFailed);
  }
  trace_.add(now().mono, "read answered", {{"read", read.value()}, {"kind", answer.index()}});
  partition_->engine().loaded(read, answer, now());
}

void World::emitted(const model::Output& output) {
  const model::Output others = without_hooks(output);
  note_output(others);
  for (Checker* checker : checkers_) {
    checker->emitted(Emitted{checker == &hooks_ ? output : others, now()});
  }
}

model::Output World::without_hooks(const model::Output& output) {
  model::Output others = output;
  const auto is_hooks = [](const model::Effect& effect) {
    const auto* start = std::get_if<model::StartAttempt>(&effect.what);
    return start != nullptr && model::is_hook_attempt(start->id);
  };
  std::erase_if(others.effects, is_hooks);
  model::EventSeq call{0};
  std::erase_if(others.batch.mutations, [&call](const model::Mutation& mutation) {
    if (const auto* put = std::get_if<model::PutEvent>(&mutation)) {
      if (put->event->trigger_type != model::TriggerType::kSyncHook) return false;
      call = put->event->seq;
      return true;
    }
    const auto* attempt = std::get_if<model::PutAttempt>(&mutation);
    return attempt != nullptr && attempt->attempt.seq == call;
  });
  return others;
}

void World::note_output(const model::Output& output) {
  if (!output.batch.mutations.empty()) {
    trace_.add(now().mono, "batch",
               {{"batch", output.batch.seq.value()}, {"mutations", output.batch.mutations.size()}});
  }
  for (const model::Mutation& mutation : output.batch.mutations) {
    if (const auto* event = std::get_if<model::PutEvent>(&mutation)) {
      ++tally_.events;
      if (event->event->is_test) tally_.hit(Sometimes::kTestEvent);
    } else if (std::holds_alternative<model::ReopenDelivery>(mutation)) {
      tally_.hit(Sometimes::kGivenAgain);
    } else if (const auto* parked = std::get_if<model::PutParked>(&mutation)) {
      const bool is_retry = parked->key.kind == model::ParkedKind::kDelayed;
      tally_.hit(is_retry ? Sometimes::kParkedRetry : Sometimes::kParked);
    } else if (std::holds_alternative<model::EraseParked>(mutation)) {
      tally_.hit(Sometimes::kReadBack);
    } else if (const auto* job = std::get_if<model::PutJob>(&mutation)) {
      if (job->job.state == model::JobState::kFinished && job->job.recovered > 0) {
        tally_.hit(Sometimes::kJobFinished);
      }
    } else if (const auto* changed = std::get_if<model::PutWebhook>(&mutation)) {
      if (changed->webhook->state == model::WebhookState::kPaused) {
        tally_.hit(Sometimes::kPaused);
      } else if (changed->webhook->disabled_reason == model::DisabledReason::kFailing) {
        tally_.hit(Sometimes::kDisabledForFailing);
      }
    } else if (const auto* put = std::get_if<model::PutAttempt>(&mutation)) {
      const model::AttemptRecord& attempt = put->attempt;
      if (attempt.state_after == model::DeliveryState::kDead &&
          attempt.outcome.http_status != 410 && attempt.number != model::kNoAttempt) {
        tally_.hit(Sometimes::kRetryExhausted);
      } else if (attempt.state_after == model::DeliveryState::kCancelled) {
        tally_.hit(Sometimes::kCancelledDelivery);
      }
    }
  }
}

void World::released(const model::EffectKind& effect) {
  edge_.told(effect);
  const auto* call = std::get_if<model::StartAttempt>(&effect);
  if (call != nullptr && model::is_hook_attempt(call->id)) {
    hooks_.released(Released{effect, now()});
    replies_.released(Released{effect, now()});
  } else {
    tell(&Checker::released, Released{effect, now()});
  }
  if (const auto* start = std::get_if<model::StartAttempt>(&effect)) {
    start_call(*start);
  } else if (const auto* sent = std::get_if<model::SendReply>(&effect)) {
    reply_arrives(*sent);
  } else if (const auto* cancel = std::get_if<model::CancelAttempt>(&effect)) {
    const auto outcome = outcomes_.find(cancel->id.value());
    if (outcome == outcomes_.end()) return;
    // Over already, or cut off; the outcome comes soon, and the planned one finds nothing.
    if (draw_chance(random_, 0.5)) outcome->second = {};
    if (draw_chance(random_, 0.5)) outcome->second.kind = model::OutcomeClass::kCancelled;
    agenda_.add(now().mono + microseconds(10), Happening::kOutcome, epoch_, cancel->id.value());
  }
}

void World::start_call(const model::StartAttempt& attempt) {
  ++tally_.calls;
  if (attempt.number > 1 && attempt.webhook->delivery.schedule) {
    tally_.hit(Sometimes::kOwnSchedule);
  }
  SimReceivers::Answer answer = receivers_.call(attempt, now());
  trace_.add(now().mono, "call",
             {{"attempt", attempt.id.value()},
              {"event", attempt.event->seq.value()},
              {"webhook", attempt.webhook->ref.value()},
              {"number", attempt.number}});
  const std::uint64_t id = attempt.id.value();
  if (!calls_.emplace(id, attempt).second) {
    verdict_.object("world", "attempt id " + std::to_string(id) + " is used twice at once");
  }
  outcomes_[id] = std::move(answer.outcome);
  agenda_.add(now().mono + answer.after, Happening::kOutcome, epoch_, id);
}

void World::call_withdrawn(const model::StartAttempt& attempt) {
  const std::uint64_t id = attempt.id.value();
  calls_.emplace(id, attempt);
  outcomes_[id].kind = model::OutcomeClass::kCancelled;
  agenda_.add(now().mono, Happening::kOutcome, epoch_, id);
}

void World::reply_arrives(const model::SendReply& sent) {
  const auto at = waiting_.find(sent.request);
  const auto* refusal = std::get_if<model::Refusal>(&sent.reply);
  trace_.add(now().mono, "reply", {{"request", sent.request.value()}, {"kind", sent.reply.index()}},
             refusal != nullptr ? "refused" : nullptr);
  note_reply(sent.reply);
  if (at == waiting_.end()) return;  // nobody waits any more
  if (const auto* stale = std::get_if<model::StaleRules>(&sent.reply)) {
    given_back_[sent.request] = stale->request;
    agenda_.add(now().mono + draw_between(random_, microseconds(1), milliseconds(2)),
                Happening::kAskAgain, epoch_, sent.request.value());
    return;
  }
  if (const auto* published = std::get_if<model::PublishReply>(&sent.reply)) {
    note_wait(std::get<model::PublishEvents>(at->second), *published);
  }
  workload_.learn(at->second, sent.reply);
  waiting_.erase(at);
}

void World::note_reply(const model::Reply& reply) {
  const auto* refusal = std::get_if<model::Refusal>(&reply);
  if (refusal != nullptr && !refusal->faults.empty()) {
    const base::Error& fault = refusal->faults.front();
    if (fault.code == base::ErrorCode::kOverloaded) tally_.hit(Sometimes::kOverloadRefusal);
    if (fault.message.find("the schema refuses it") != std::string::npos) {
      tally_.hit(Sometimes::kSchemaRefusal);
    }
  }
  if (std::holds_alternative<model::StaleRules>(reply)) tally_.hit(Sometimes::kGivenBack);
  if (const auto* hook = std::get_if<model::HookReply>(&reply)) {
    tally_.hit(hook->decision == model::HookDecision::kDeny ? Sometimes::kHookDenied
                                                            : Sometimes::kHookContinued);
    for (const model::HookWebhook& each : hook->webhooks) {
      if (each.outcome == model::OutcomeClass::kBreakerOpen) tally_.hit(Sometimes::kHookBreaker);
      if (each.outcome == model::OutcomeClass::kTimeout) tally_.hit(Sometimes::kHookTimeout);
    }
    if (!hook->conflicts.empty()) tally_.hit(Sometimes::kHookConflict);
  }
  if (const auto* published = std::get_if<model::PublishReply>(&reply)) {
    for (const model::PublishedEvent& event : published->events) {
      if (event.duplicate) tally_.hit(Sometimes::kDedupInMemory);
      if (!event.faults.empty()) tally_.hit(Sometimes::kRefusedByItself);
    }
  }
}

void World::note_wait(const model::PublishEvents& asked, const model::PublishReply& reply) {
  if (asked.wait == base::Duration(0)) return;
  if (reply.waited_for == base::Duration(0)) return tally_.hit(Sometimes::kNoRoomToWait);
  for (const model::PublishedEvent& event : reply.events) {
    for (const model::FirstAttempt& first : event.deliveries) {
      tally_.hit(first.is_over ? Sometimes::kWaitedForAttempt : Sometimes::kWaitRanOut);
    }
  }
}

void World::committed(model::BatchSeq seq) {
  ++tally_.commits;
  trace_.add(now().mono, "durable", {{"batch", seq.value()}});
  tell(&Checker::committed, seq);
}

void World::commit_begun() {
  base::Duration sync = draw_between(random_, microseconds(100), plan_.commit_max);
  if (draw_chance(random_, plan_.slow_commit_share)) sync *= 100;
  agenda_.add(now().mono + sync, Happening::kCommitEnd, epoch_, 0);
}

void World::commit_wait_begun() {
  agenda_.add(now().mono + kCompanyWait, Happening::kCommitStart, epoch_, 0);
}

bool World::settled() {
  const core::EngineStats stats = partition_->engine().stats();
  return stats.pending == 0 && stats.recover_jobs == 0 && partition_->idle() && calls_.empty() &&
         reads_.empty() && waiting_.empty();
}

// Some of the deliveries that do not settle, as they are stored.
std::string World::unsettled() const {
  constexpr std::size_t shown_max = 4;
  std::string text;
  std::size_t shown = 0;
  for (const auto& [at, chunk] : store_.durable().pending) {
    for (const model::PendingEntry& entry : chunk.entries) {
      if (model::is_final(entry.state) || ++shown > shown_max) continue;
      const auto webhook = store_.durable().webhooks.find(entry.webhook);
      text += "\n    event " + std::to_string(chunk.seq.value()) + " for webhook " +
              std::to_string(entry.webhook.value()) + " in state " +
              std::to_string(static_cast<int>(entry.state)) + " after " +
              std::to_string(entry.attempts);
      if (!chunk.ordering_key.empty()) text += " of " + chunk.ordering_key;
      if (webhook == store_.durable().webhooks.end()) {
        text += ", which is deleted";
      } else {
        text += ", which is in state " + std::to_string(static_cast<int>(webhook->second->state));
      }
    }
  }
  return text;
}

// Liveness: without further faults everything settles in bounded time.
void World::drain() {
  trace_.add(now().mono, "heal");
  faults_on_ = false;
  crash_in_steps_.reset();
  receivers_.heal();
  std::uint64_t resumed_in = 0;  // a commit that was bound to fail may still undo it
  const base::MonoTime until = now().mono + kSettleMax;
  for (std::uint64_t steps = 0; !settled() && !failed(); ++steps) {
    const bool nothing_comes = !partition_->engine().next_deadline() && agenda_.empty();
    // One may have been made in a batch that was on its way to the store.
    if (resumed_in != epoch_ || (nothing_comes && has_paused())) {
      resumed_in = epoch_;
      resume_paused();
      continue;
    }
    if (nothing_comes || now().mono > until || steps > kSettleStepsMax) {
      const core::EngineStats stats = partition_->engine().stats();
      verdict_.object(
          "world", "does not settle: " + std::to_string(stats.pending) + " deliveries pending, " +
                       std::to_string(waiting_.size()) + " requests without a reply" +
                       (nothing_comes ? ", and nothing will happen" : "") + unsettled());
      return;
    }
    step();
  }
  if (!failed()) {
    for (Checker* checker : checkers_) checker->drained(now());
  }
}

}  // namespace triggerd::sim
