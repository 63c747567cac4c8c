#include "app/partition.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "app/mending_reads.h"
#include "engine/base/log.h"

namespace triggerd::app {
namespace {

// Outcomes never force an fsync: they ride on the next batch, or wait at most this long.
constexpr base::Duration kOutcomesWait = std::chrono::milliseconds(5);
// Reads of clients under way; past it GET of an event is refused.
constexpr std::size_t kClientReadsMax = 10'000;
// What one attempt may hold in memory until it is logged.
constexpr std::size_t kAttemptLogBytes = sizeof(model::Mutation) + model::kAnswerBytesKept;

bool is_hook_call(const model::Mutation& mutation) {
  const auto* event = std::get_if<model::PutEvent>(&mutation);
  return event != nullptr && event->event->trigger_type == model::TriggerType::kSyncHook;
}

bool is_of_hook(const model::EffectKind& effect) {
  if (const auto* reply = std::get_if<model::SendReply>(&effect)) {
    return std::holds_alternative<model::HookReply>(reply->reply);
  }
  if (const auto* start = std::get_if<model::StartAttempt>(&effect)) {
    return model::is_hook_attempt(start->id);
  }
  const auto* cancel = std::get_if<model::CancelAttempt>(&effect);
  return cancel != nullptr && model::is_hook_attempt(cancel->id);
}

bool concludes(const model::Mutation& mutation) {
  const auto* attempt = std::get_if<model::PutAttempt>(&mutation);
  return attempt != nullptr && model::is_final(attempt->attempt.state_after);
}

// Mutations that record what a receiver did; nobody waits for those.
bool is_outcome(const model::Mutation& mutation) {
  return is_hook_call(mutation) || std::holds_alternative<model::PutAttempt>(mutation) ||
         std::holds_alternative<model::PutPending>(mutation) ||
         std::holds_alternative<model::ErasePending>(mutation) ||
         std::holds_alternative<model::PutParked>(mutation) ||
         std::holds_alternative<model::EraseParked>(mutation) ||
         std::holds_alternative<model::PutCounters>(mutation);
}

}  // namespace

Partition::Partition(loop::EventLoop& event_loop, store::Store& store, core::EngineOptions options,
                     base::Random& random, Outlet& outlet)
    : loop_(event_loop),
      store_(store),
      outlet_(outlet),
      engine_(std::move(options), random),
      feed_({[&outlet](unsigned thread, const model::FeedBegun& begun) {
               outlet.feed_begun(thread, begun);
             },
             [&outlet](unsigned thread, model::FeedPart part) {
               outlet.fed(thread, std::move(part));
             }}),
      timer_(event_loop, [this] { schedule_turn(); }),
      commit_timer_(event_loop, [this] { commit_if_due(); }),
      committer_(
          event_loop, "commit",
          [&store](const Commit& commit) {
            const base::MonoTime since = base::read_clocks().mono;
            base::Status status = store.commit(commit.batch);
            return Committed{commit.batch.seq, commit.batch.mutations.size(),
                             base::read_clocks().mono - since, std::move(status)};
          },
          [this](const Committed& done) { committed(done); }),
      reader_(
          event_loop, "reader", [&store](const ReadJob& job) { return read(store, job); },
          [this](ReadDone done) { read_done(std::move(done)); }) {}

Partition::~Partition() = default;

base::Status Partition::recover(const OnSigningKey& on_signing_key,
                                const FirstSigningKey& first_signing_key) {
  bool has_signing_key = false;
  model::EventSeq next_event(0);
  base::Status status = store_.scan([&](model::Record record) {
    if (const auto* key = std::get_if<model::SigningKey>(&record)) {
      has_signing_key = true;
      on_signing_key(*key);
    }
    if (const auto* counters = std::get_if<model::Counters>(&record)) {
      next_event = counters->next_event;
    }
    engine_.load(std::move(record));
  });
  if (!status.ok()) return status;
  if (!has_signing_key && first_signing_key) {
    base::Result<model::SigningKey> made = first_signing_key();
    if (!made.ok()) return made.error();
    model::SigningKey& key = made.value();
    key.created_at = loop_.now().wall;
    key.active_from = key.created_at;
    status = store_.commit(model::Batch{model::BatchSeq(0), {model::PutSigningKey{key}}});
    if (!status.ok()) return status;
    on_signing_key(key);
    engine_.load(std::move(key));
  }
  engine_.recovered(loop_.now());
  first_pending_durable_ = first_pending();
  feed_.start(model::EventSeq(next_event.value() - std::min<std::uint64_t>(next_event.value(), 1)));
  schedule_turn();
  return {};
}

void Partition::submit(model::RequestId id, model::Request request) {
  if (failed_) {
    refuse(id);
    schedule_turn();
    return;
  }
  if (const auto* get_event = std::get_if<model::GetEvent>(&request)) {
    read_for_client(id, ReadJob{{}, id, *get_event, {}, {}});
    return;
  }
  if (auto* recent = std::get_if<model::ReadRecentEvents>(&request)) {
    read_for_client(id, ReadJob{{}, id, {}, std::move(*recent), {}});
    return;
  }
  if (const auto* after = std::get_if<model::ReadEventsAfter>(&request)) {
    ReadJob job{{}, id, {}, {}, {}};
    job.after = *after;
    job.newest = feed_.durable();
    read_for_client(id, std::move(job));
    return;
  }
  if (is_log_read(request)) {
    read_log(id, std::move(request));
    return;
  }
  engine_.handle(std::move(request), id, loop_.now());
  schedule_turn();
}

model::EventSeq Partition::first_pending() const {
  constexpr model::EventSeq none(std::numeric_limits<std::uint64_t>::max());
  return engine_.first_pending().value_or(none);
}

void Partition::read_log(model::RequestId id, model::Request request) {
  const StoreLag lag{concluded_next_ + concluded_committing_,
                     std::min(first_pending_durable_, first_pending())};
  base::Result<LogRead> read = prepare_log_read(std::move(request), engine_, lag);
  if (!read.ok()) {
    outlet_.reply(id, model::Refusal{{read.error()}, std::nullopt});
    schedule_turn();
    return;
  }
  read_for_client(id, ReadJob{{}, id, {}, {}, std::move(read.value())});
}

void Partition::read_for_client(model::RequestId id, ReadJob job) {
  if (reads_out_ >= kClientReadsMax) {
    refuse(id);
    schedule_turn();
    return;
  }
  ++reads_out_;
  reader_.submit(std::move(job));
}

void Partition::watch(unsigned thread, model::OrgId org, std::uint64_t number) {
  if (failed_) return;
  feed_.watch(thread, org, number);
  schedule_turn();
}

// A reply that waits for its commit is let out all the same, and finds nobody.
void Partition::cancel(model::RequestId id) {
  engine_.cancel(id);
  schedule_turn();
}

void Partition::finish(model::AttemptId id, const model::Outcome& outcome) {
  TRIGGERD_ASSERT(attempts_out_ > 0);
  --attempts_out_;
  if (failed_ && !model::is_hook_attempt(id)) return;
  engine_.finish(id, outcome, loop_.now());
  schedule_turn();
}

void Partition::hold_attempts() {
  holding_ = true;
  engine_.stop_waiting();
  schedule_turn();
}

void Partition::drain(std::function<void()> on_drained) {
  on_drained_ = std::move(on_drained);
  hold_attempts();
}

void Partition::schedule_turn() {
  if (turn_scheduled_) return;
  turn_scheduled_ = true;
  loop_.defer([this] { turn(); });
}

void Partition::turn() {
  turn_scheduled_ = false;
  if (!failed_) {
    engine_.tick(loop_.now());
    take_output();
    commit_if_due();
    set_timer();
  } else {
    engine_.tick_hooks(loop_.now());
    refuse_output();
    set_timer();
  }
  outlet_.turn_ended();
  check_drained();
}

void Partition::take_output() {
  model::Output output = engine_.take_output();
  if (!output.batch.mutations.empty()) {
    if (next_batch_.mutations.empty()) outcomes_since_ = loop_.now().mono;
    for (model::Mutation& mutation : output.batch.mutations) {
      outlet_.recorded(mutation);
      if (drops_hook_log(mutation)) continue;
      if (!is_outcome(mutation)) somebody_waits_ = true;
      if (concludes(mutation)) ++concluded_next_;
      feed_.collect(mutation, engine_);
      next_batch_.mutations.push_back(std::move(mutation));
    }
    next_batch_.seq = output.batch.seq;
  }
  if (!commit_in_flight_ && next_batch_.mutations.empty()) feed_.idle();
  for (model::Effect& effect : output.effects) {
    if (effect.rests_on <= durable_) {
      let_out(std::move(effect.what));
    } else {
      if (effect.rests_on > committing_) somebody_waits_ = true;
      waiting_.push_back(std::move(effect));
    }
  }
  for (const model::Read& read : output.reads) {
    if (read.rests_on <= durable_) {
      start_read(read);
    } else {
      if (read.rests_on > committing_) somebody_waits_ = true;
      waiting_reads_.push_back(read);
    }
  }
}

// Hooks do not wait for commits, so their records could collect without an end while one is slow.
bool Partition::drops_hook_log(const model::Mutation& mutation) {
  if (is_hook_call(mutation)) {
    const model::Event& event = *std::get<model::PutEvent>(mutation).event;
    const std::size_t bytes = event.content.size() + event.matches.size() * kAttemptLogBytes;
    if (hook_log_bytes_ + bytes <= model::kHookLogBytesWaitingMax) {
      hook_log_bytes_ += bytes;
      return false;
    }
    hook_dropped_ = event.seq;
    if (hooks_not_logged_++ == 0) {
      const base::LogLine line(base::LogLevel::kWarn, "partition",
                               "hook calls are left out of the delivery log: commits are slow");
    }
    return true;
  }
  const auto* attempt = std::get_if<model::PutAttempt>(&mutation);
  return attempt != nullptr && attempt->attempt.seq == hook_dropped_;
}

void Partition::let_out_at_once() {
  if (failed_) return;
  take_output();
  outlet_.turn_ended();
}

void Partition::let_out(model::EffectKind effect) {
  if (auto* reply = std::get_if<model::SendReply>(&effect)) {
    outlet_.reply(reply->request, std::move(reply->reply));
  } else if (auto* attempt = std::get_if<model::StartAttempt>(&effect)) {
    // A process that is about to end starts nothing; the delivery stands READY in the store. For a
    // hook somebody waits: it was taken before the drain began.
    if (holding_ && !model::is_hook_attempt(attempt->id)) return;
    ++attempts_out_;
    outlet_.start(std::move(*attempt));
  } else if (const auto* cancelled = std::get_if<model::CancelAttempt>(&effect)) {
    outlet_.cancel(cancelled->id);
  } else if (auto* added = std::get_if<model::ApiKeyAdded>(&effect)) {
    outlet_.tell_edges(std::move(*added));
  } else if (auto* removed = std::get_if<model::ApiKeyRemoved>(&effect)) {
    outlet_.tell_edges(*removed);
  } else if (auto* paths = std::get_if<model::FilterPathsChanged>(&effect)) {
    outlet_.tell_edges(std::move(*paths));
  } else if (auto* schema = std::get_if<model::EventSchemaChanged>(&effect)) {
    outlet_.tell_edges(std::move(*schema));
  } else if (const auto* signing = std::get_if<model::SigningKeysChanged>(&effect)) {
    outlet_.signing_keys_changed(signing->keys);
  }
}

void Partition::commit_if_due() {
  if (failed_ || commit_in_flight_ || next_batch_.mutations.empty()) return;
  const base::MonoTime now = loop_.now().mono;
  if (!somebody_waits_ && !on_drained_ && now < *outcomes_since_ + kOutcomesWait) {
    commit_timer_.start_at(*outcomes_since_ + kOutcomesWait);
    return;
  }
  commit_timer_.stop();
  commit_in_flight_ = true;
  somebody_waits_ = false;
  concluded_committing_ = std::exchange(concluded_next_, 0);
  first_pending_committing_ = first_pending();
  outcomes_since_.reset();
  Commit commit{std::move(next_batch_)};
  committing_ = commit.batch.seq;
  feed_.committing();
  next_batch_.mutations.clear();
  hook_log_bytes_ = 0;
  committer_.submit(std::move(commit));
}

void Partition::committed(const Committed& done) {
  commit_in_flight_ = false;
  if (!done.status.ok()) {
    fail(done.status.error());
    return;
  }
  durable_ = done.seq;
  outlet_.committed(done.took, done.mutations);
  concluded_committing_ = 0;
  first_pending_durable_ = first_pending_committing_;
  release(durable_);
  feed_.committed();
  commit_if_due();
  outlet_.turn_ended();
  check_drained();
}

// Effects are let out in order; one that rests on a later batch does not hold up one behind it that
// rests on an earlier batch.
void Partition::release(model::BatchSeq durable) {
  std::deque<model::Effect> still_waiting;
  for (model::Effect& effect : waiting_) {
    if (effect.rests_on <= durable) {
      let_out(std::move(effect.what));
    } else {
      still_waiting.push_back(std::move(effect));
    }
  }
  waiting_.swap(still_waiting);
  while (!waiting_reads_.empty() && waiting_reads_.front().rests_on <= durable) {
    start_read(waiting_reads_.front());
    waiting_reads_.pop_front();
  }
}

void Partition::start_read(const model::Read& read) {
  ++reads_out_;
  reader_.submit(ReadJob{read, std::nullopt, {}, {}, {}});
}

void Partition::refuse(model::RequestId id) const {
  outlet_.reply(id, model::Refusal{{{base::ErrorCode::kUnavailable,
                                     "the store does not accept writes; try again later"}},
                                   std::chrono::seconds(5)});
}

void Partition::fail(const base::Error& error) {
  failed_ = true;
  feed_.stop();
  engine_.stop_waiting();
  for (const model::Effect& effect : waiting_) {
    if (const auto* reply = std::get_if<model::SendReply>(&effect.what)) refuse(reply->request);
  }
  waiting_.clear();
  for (const model::Read& read : std::exchange(waiting_reads_, {})) fail_read(read.id);
  refuse_output();
  set_timer();
  outlet_.turn_ended();
  outlet_.store_failed(error);
}

// After a failure nothing leaves but refusals, and what hooks under way need. A read is answered
// all the same: a publish may wait for it.
void Partition::refuse_output() {
  model::Output output = engine_.take_output();
  for (model::Effect& effect : output.effects) {
    if (is_of_hook(effect.what)) {
      let_out(std::move(effect.what));
    } else if (const auto* reply = std::get_if<model::SendReply>(&effect.what)) {
      refuse(reply->request);
    }
  }
  for (const model::Read& read : output.reads) {
    // The engine repeats the reads of deliveries and jobs; only a request must have its answer.
    if (std::holds_alternative<model::ReadEventId>(read.what) ||
        std::holds_alternative<model::ReadDelivery>(read.what)) {
      fail_read(read.id);
    }
  }
}

void Partition::fail_read(model::ReadId id) {
  engine_.loaded(id, model::ReadFailed{{base::ErrorCode::kUnavailable, "the store has failed"}},
                 loop_.now());
  schedule_turn();
}

void Partition::read_done(ReadDone done) {
  TRIGGERD_ASSERT(reads_out_ > 0);
  --reads_out_;
  if (failed_) {
    if (done.request) {
      refuse(*done.request);
      schedule_turn();
    } else {
      fail_read(done.id);
    }
    return;
  }
  if (done.request) {
    answer_event(std::move(done));
    outlet_.turn_ended();
    return;
  }
  engine_.loaded(done.id, done.answer, loop_.now());
  schedule_turn();
}

void Partition::set_timer() {
  const std::optional<base::MonoTime> deadline =
      failed_ ? engine_.next_hook_deadline() : engine_.next_deadline();
  if (!deadline) {
    timer_.stop();
  } else if (*deadline <= loop_.now().mono) {
    schedule_turn();
  } else {
    timer_.start_at(*deadline);
  }
}

void Partition::check_drained() {
  if (!on_drained_) return;
  if (!failed_ && (attempts_out_ > 0 || commit_in_flight_ || !next_batch_.mutations.empty() ||
                   turn_scheduled_)) {
    return;
  }
  const std::function<void()> on_drained = std::exchange(on_drained_, nullptr);
  on_drained();
}

// --- Reader thread ----------------------------------------------------------------------------

namespace {

// What the core asks.
model::ReadAnswer answer_to(store::Store& store, const model::Read& read) {
  if (const auto* event = std::get_if<model::ReadEvent>(&read.what)) {
    base::Result<model::EventPtr> result = store.read_event(event->seq);
    if (!result.ok()) return model::ReadFailed{result.error()};
    return model::EventLoaded{std::move(result.value())};
  }
  if (const auto* event_id = std::get_if<model::ReadEventId>(&read.what)) {
    const base::Result<std::optional<store::EventRow>> row =
        store.get(store::EventKey{event_id->org, event_id->id});
    if (!row.ok()) return model::ReadFailed{row.error()};
    if (!row.value()) return model::EventIdLoaded{};
    return model::EventIdLoaded{true, row.value()->accepted_at, row.value()->matches};
  }
  if (const auto* delivery = std::get_if<model::ReadDelivery>(&read.what)) {
    return read_delivery(store, *delivery);
  }
  if (const auto* finals = std::get_if<model::ReadFinals>(&read.what)) {
    return read_finals(store, *finals);
  }
  const auto& parked = std::get<model::ReadParked>(read.what);
  base::Result<store::ListPage> page =
      store.list(store::ListParked{parked, model::kParkedPageBytes});
  if (!page.ok()) return model::ReadFailed{page.error()};
  return std::move(page.value().parked);
}

}  // namespace

Partition::ReadDone Partition::read(store::Store& store, const ReadJob& job) {
  ReadDone done;
  done.id = job.read.id;
  done.request = job.request;
  if (job.recent) {
    base::Result<store::ListPage> page = store.list(store::ListRecentEvents{
        job.recent->org, job.recent->event_name, job.recent->count_max, model::kTrialScanMax});
    done.recent = true;
    if (page.ok()) {
      done.deliveries = std::move(page.value());
    } else {
      done.status = page.error();
    }
    return done;
  }
  if (job.after || job.log) {
    done.reply = job.after ? read_after(store, job) : run_log_read(store, *job.log);
    return done;
  }
  if (job.request) {
    const base::Result<std::optional<store::EventRow>> row =
        store.get(store::EventKey{job.event.org, job.event.id});
    if (!row.ok()) {
      done.status = row.error();
      return done;
    }
    if (!row.value()) return done;
    base::Result<model::EventPtr> event = store.read_event(row.value()->seq);
    if (!event.ok()) {
      done.status = event.error();
      return done;
    }
    done.event = std::move(event.value());
    if (done.event == nullptr) return done;
    store::ListDeliveries query{done.event->seq, {}};
    for (const model::Match& match : done.event->matches) query.webhooks.push_back(match.webhook);
    base::Result<store::ListPage> page = store.list(query);
    if (page.ok()) {
      done.deliveries = std::move(page.value());
    } else {
      done.status = page.error();
    }
    return done;
  }
  done.answer = answer_to(store, job.read);
  return done;
}

model::Reply Partition::read_after(store::Store& store, const ReadJob& job) {
  base::Result<store::ListPage> page =
      store.list(store::ListEventsAfter{job.after->org, job.after->after, model::kLivePageEventsMax,
                                        model::kLivePageBytesMax, model::kLogRowsLookedAtMax});
  if (!page.ok()) return model::Refusal{{page.error()}, std::nullopt};
  model::EventsAfterReply reply;
  reply.events = std::move(page.value().events);
  reply.newest = job.newest;
  reply.erased_before = page.value().erased_before;
  // A page that ends because nothing more is there has seen all that was durable when it was asked
  // for, whoever's it was.
  const std::optional<model::EventSeq>& last = page.value().looked_at_through;
  const bool is_all = page.value().is_whole;
  reply.through = std::max(job.after->after, last.value_or(model::EventSeq(0)));
  if (is_all) reply.through = std::max(reply.through, job.newest);
  return reply;
}

// --- One event with its deliveries ------------------------------------------------------------

void Partition::answer_event(ReadDone done) {
  if (done.reply) {
    if (auto* letters = std::get_if<model::DeadLettersReply>(&*done.reply)) {
      name_webhooks(engine_, *letters);
    }
    outlet_.reply(*done.request, *std::move(done.reply));
    return;
  }
  if (!done.status.ok()) {
    outlet_.reply(*done.request, model::Refusal{{done.status.error()}, std::nullopt});
    return;
  }
  if (done.recent) {
    outlet_.reply(*done.request, model::RecentEvents{std::move(done.deliveries.events)});
    return;
  }
  if (done.event == nullptr) {
    outlet_.reply(*done.request,
                  model::Refusal{{{base::ErrorCode::kNotFound, "event not found"}}, std::nullopt});
    return;
  }
  model::EventReply reply{done.event, {}};
  std::unordered_map<model::WebhookRef, const model::PendingEntry*> pending;
  for (const model::PendingChunk& chunk : done.deliveries.pending) {
    for (const model::PendingEntry& entry : chunk.entries) {
      // Of those that are over, the attempts tell.
      if (!model::is_final(entry.state)) pending[entry.webhook] = &entry;
    }
  }
  std::unordered_map<model::WebhookRef, model::DeliveryView> logged;
  for (model::AttemptRecord& attempt : done.deliveries.attempts) {
    const auto [at, is_latest] = logged.try_emplace(attempt.webhook);
    model::DeliveryView& view = at->second;
    if (is_latest) view.state = attempt.state_after;
    if (attempt.number != model::kNoAttempt) view.attempts = attempt.number;
    view.last_attempt = std::move(attempt);
  }
  for (const model::Match& match : done.event->matches) {
    const std::optional<model::WebhookId> id = engine_.webhook_id(match.webhook);
    if (!id) continue;
    model::DeliveryView view;
    if (const auto found = logged.find(match.webhook); found != logged.end()) {
      view = std::move(found->second);
    }
    view.webhook = *id;
    if (const auto found = pending.find(match.webhook); found != pending.end()) {
      const model::PendingEntry& entry = *found->second;
      view.state = entry.state;
      view.attempts = entry.attempts;
      if (entry.state == model::DeliveryState::kDelayed) view.next_attempt = entry.due;
    }
    reply.deliveries.push_back(std::move(view));
  }
  outlet_.reply(*done.request, std::move(reply));
}

}  // namespace triggerd::app
