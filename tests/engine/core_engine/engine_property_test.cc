// A small world around the engine: chance decides what is asked, what receivers answer, when the
// store is slow and when the process dies. What must hold, holds after every step.
#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "engine/base/random.h"
#include "engine/core/engine.h"
#include "tests/scenarios/replay_store.h"

namespace triggerd::core {
namespace {

using model::AttemptRecord;

const char* const kNames[] = {"PersonCreated_v1", "PersonDeleted_v1", "PasswordChanged_v1"};

base::Uuid uuid(std::uint8_t kind, std::uint8_t number) {
  base::Uuid id;
  id.bytes[0] = kind;
  id.bytes[15] = number;
  return id;
}

class World {
 public:
  explicit World(std::uint64_t seed) : dice_(seed), random_(seed + 1) {
    options_.in_flight_per_webhook = static_cast<std::uint32_t>(1 + dice_.below(3));
    options_.in_flight_per_host = static_cast<std::uint32_t>(1 + dice_.below(4));
    options_.in_flight = static_cast<std::uint32_t>(1 + dice_.below(8));
    options_.payload_cache_bytes = dice_.below(3) * 700;
    options_.resident = dice_.below(2) * 12;
    options_.dedup_ids = 1 + dice_.below(20);
    options_.retry_schedule = {std::chrono::seconds(1), std::chrono::seconds(10)};
    options_.pending_max = options_.pending_per_org_max = 60;
    now_.mono = base::MonoTime(std::chrono::hours(1));
    now_.wall = *base::parse_rfc3339("2024-03-03T00:00:00Z");
    engine_ = std::make_unique<Engine>(options_, random_);
    for (std::uint8_t i = 0; i < 2; ++i) ask(model::CreateOrganization{org(i), "org"});
  }

  void step() {
    const std::uint64_t what = dice_.below(100);
    if (what < 8) return ask(make_webhook());
    if (what < 11 && !webhooks_.empty()) return ask(delete_webhook());
    if (what < 24 && !webhooks_.empty()) return ask(add_trigger());
    if (what < 28 && !webhooks_.empty()) return ask(remove_trigger());
    if (what < 45) return ask(publish());
    if (what < 75 && !running_.empty()) return answer_attempt(AnyOutcome::kYes);
    if (what < 82 && !reads_.empty()) return answer_read(dice_.below(5) == 0);
    if (what < 90) return pass(std::chrono::milliseconds(dice_.below(4000)));
    if (what < 97) return commit(1 + dice_.below(3));
    if (what == 97) return crash();
  }

  // Faults end: every delivery comes to its end within a bounded time.
  void settle() {
    for (int turn = 0; turn < 20'000; ++turn) {
      commit(1000);
      if (!running_.empty()) {
        answer_attempt(AnyOutcome::kNo);
      } else if (!reads_.empty()) {
        answer_read(false);
      } else if (engine_->next_deadline()) {
        pass(std::max(*engine_->next_deadline() - now_.mono, base::Duration(0)));
      } else {
        break;
      }
    }
    commit(1000);
    RC_ASSERT(engine_->stats().pending == 0U);
    RC_ASSERT(engine_->stats().in_flight == 0U);
    RC_ASSERT(durable_.pending_rows() == 0U);
    check_every_delivery_ended();
  }

 private:
  enum class AnyOutcome : std::uint8_t { kNo, kYes };
  struct Running {
    model::StartAttempt start;
  };

  model::OrgId org(std::uint64_t number) {
    return model::OrgId(uuid(1, static_cast<std::uint8_t>(number)));
  }
  model::CreateWebhook make_webhook() {
    model::CreateWebhook asked;
    asked.org = org(dice_.below(2));
    asked.draft.name = "w";
    asked.draft.target_url =
        "https://h" + std::to_string(dice_.below(3)) + ".example/" + std::to_string(dice_.below(5));
    return asked;
  }
  const model::WebhookPtr& any_webhook() { return webhooks_[dice_.below(webhooks_.size())]; }
  model::DeleteWebhook delete_webhook() {
    const auto& webhook = any_webhook();
    return {webhook->org, webhook->id};
  }
  model::AddTrigger add_trigger() {
    const auto& webhook = any_webhook();
    return {webhook->org, webhook->id, "event", kNames[dice_.below(3)]};
  }
  model::RemoveTrigger remove_trigger() {
    const auto& webhook = any_webhook();
    return {webhook->org, webhook->id, "event", kNames[dice_.below(3)]};
  }
  model::PublishEvents publish() {
    model::PublishEvents asked;
    asked.org = org(dice_.below(2));
    const std::uint64_t count = 1 + dice_.below(3);
    for (std::uint64_t i = 0; i < count; ++i) {
      model::NewEvent event;
      event.id = model::EventId(uuid(2, static_cast<std::uint8_t>(dice_.below(250))));
      event.id_from_client = true;
      event.name = kNames[dice_.below(3)];
      event.content = R"({"event_metadata":{}})";
      event.own_members_at = 20;
      asked.events.push_back(event);
    }
    return asked;
  }

  void ask(model::Request request) {
    engine_->handle(std::move(request), model::RequestId(++last_request_), now_);
    ++unanswered_;
    take();
  }

  void answer_attempt(AnyOutcome any) {
    auto at = running_.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(dice_.below(running_.size())));
    const model::StartAttempt start = at->second.start;
    running_.erase(at);
    model::Outcome outcome;
    outcome.kind = model::OutcomeClass::kOk;
    outcome.http_status = 200;
    const std::uint64_t what = any == AnyOutcome::kYes ? dice_.below(20) : 0;
    if (what >= 8) {
      outcome.kind = model::OutcomeClass::kHttpError;
      outcome.http_status = 500;
    }
    if (what == 16) outcome.kind = model::OutcomeClass::kBusy;
    if (what == 17) outcome.kind = model::OutcomeClass::kCancelled;
    if (what == 18) outcome.http_status = 410;
    if (what >= 19) outcome.kind = model::OutcomeClass::kTimeout;
    if (outcome.kind != model::OutcomeClass::kHttpError && what > 0 && what >= 16)
      outcome.http_status = 0;
    engine_->finish(start.id, outcome, now_);
    take();
  }

  void answer_read(bool failed) {
    const auto at = reads_.begin();
    const model::Read read = at->second;
    if (read.rests_on.value() > durable_batch_) return;
    reads_.erase(at);
    model::ReadAnswer answer = model::ReadFailed{};
    if (!failed) {
      if (const auto* event = std::get_if<model::ReadEvent>(&read.what)) {
        answer = model::EventLoaded{durable_.event(event->seq)};
        RC_ASSERT(std::get<model::EventLoaded>(answer).event != nullptr);
      } else if (const auto* parked = std::get_if<model::ReadParked>(&read.what)) {
        answer = durable_.parked(*parked);
      } else {
        answer = durable_.event_id(std::get<model::ReadEventId>(read.what));
      }
    }
    engine_->loaded(read.id, answer, now_);
    take();
  }

  void pass(base::Duration time) {
    now_.mono += time;
    now_.wall += time;
    engine_->tick(now_);
    take();
  }

  void commit(std::uint64_t batches) {
    for (; batches > 0 && !committing_.empty(); --batches) {
      durable_.apply(committing_.front());
      durable_batch_ = committing_.front().seq.value();
      committing_.pop_front();
    }
    release();
  }

  void crash() {
    engine_ = std::make_unique<Engine>(options_, random_);
    committing_.clear();
    effects_.clear();
    reads_.clear();
    running_.clear();
    unanswered_ = 0;
    durable_batch_ = 0;
    durable_.restarted();
    taken_ = durable_;
    durable_.load_into(*engine_);
    engine_->recovered(now_);
    webhooks_.clear();
    for (std::uint64_t i = 0; i < 2; ++i) {
      if (durable_.has_organization(org(i))) continue;
      ask(model::CreateOrganization{org(i), "org"});
    }
    for (std::uint64_t i = 0; i < 2; ++i) ask(model::ListWebhooks{org(i)});
    take();
  }

  void take() {
    model::Output output = engine_->take_output();
    for (const model::Read& read : output.reads) reads_.emplace(read.id.value(), read);
    for (model::Effect& effect : output.effects) {
      RC_ASSERT(effect.rests_on <= output.batch.seq);
      effects_.push_back(std::move(effect));
    }
    if (!output.batch.mutations.empty()) {
      taken_.apply(output.batch);
      committing_.push_back(std::move(output.batch));
    }
    release();
    base::SeededRandom other(1);
    Engine rebuilt(options_, other);
    taken_.load_into(rebuilt);
    rebuilt.recovered(now_);
    RC_ASSERT(engine_->durable_state() == rebuilt.durable_state());
    RC_ASSERT(engine_->stats().pending == rebuilt.stats().pending);
    for (const model::WebhookPtr& webhook : webhooks_) {
      const model::PendingOfWebhook pending = engine_->pending_of(webhook->ref);
      RC_ASSERT(pending.count == rebuilt.pending_of(webhook->ref).count);
      RC_ASSERT(pending.newest >= rebuilt.pending_of(webhook->ref).newest);
    }
  }

  void release() {
    std::deque<model::Effect> waiting;
    for (model::Effect& effect : effects_) {
      if (effect.rests_on.value() > durable_batch_) {
        waiting.push_back(std::move(effect));
      } else if (auto* start = std::get_if<model::StartAttempt>(&effect.what)) {
        started(*start);
      } else if (const auto* reply = std::get_if<model::SendReply>(&effect.what)) {
        replied(reply->reply);
      }
    }
    effects_ = std::move(waiting);
  }

  void replied(const model::Reply& reply) {
    RC_ASSERT(unanswered_ > 0);
    --unanswered_;
    if (const auto* one = std::get_if<model::WebhookReply>(&reply)) {
      webhooks_.push_back(one->webhook);
    } else if (const auto* all = std::get_if<model::WebhooksReply>(&reply)) {
      webhooks_.insert(webhooks_.end(), all->webhooks.begin(), all->webhooks.end());
    }
  }

  void started(const model::StartAttempt& start) {
    // Durable before it is told to anybody; matched at acceptance; not over.
    const model::EventPtr event = durable_.event(start.event->seq);
    RC_ASSERT(event != nullptr && event->content == start.event->content);
    const auto is_this = [&start](const model::Match& match) {
      return match.webhook == start.webhook->ref;
    };
    RC_ASSERT(std::any_of(event->matches.begin(), event->matches.end(), is_this));
    for (const AttemptRecord& record : durable_.attempts()) {
      if (record.seq != event->seq || record.webhook != start.webhook->ref) continue;
      RC_ASSERT(!model::is_final(record.state_after));
      RC_ASSERT(record.due <= now_.wall);
      RC_ASSERT(record.number <= start.number);
    }
    RC_ASSERT(start.timeout > base::Duration(0));
    RC_ASSERT(running_.emplace(start.id.value(), Running{start}).second);
    std::map<std::uint32_t, std::uint32_t> per_webhook;
    std::map<std::string, std::uint32_t> per_host;
    std::set<std::pair<std::uint64_t, std::uint32_t>> deliveries;
    for (const auto& [id, running] : running_) {
      const model::Webhook& webhook = *running.start.webhook;
      RC_ASSERT(++per_webhook[webhook.ref.value()] <= options_.in_flight_per_webhook);
      const std::string host = webhook.target_url.substr(0, webhook.target_url.rfind('/'));
      RC_ASSERT(++per_host[host] <= options_.in_flight_per_host);
      RC_ASSERT(deliveries.emplace(running.start.event->seq.value(), webhook.ref.value()).second);
    }
    RC_ASSERT(running_.size() <= options_.in_flight);
  }

  void check_every_delivery_ended() {
    std::map<std::pair<model::EventSeq, model::WebhookRef>, int> ends;
    for (const AttemptRecord& record : durable_.attempts()) {
      if (model::is_final(record.state_after)) ++ends[{record.seq, record.webhook}];
    }
    for (const model::EventPtr& event : durable_.events()) {
      for (const model::Match& match : event->matches) {
        RC_ASSERT((ends[{event->seq, match.webhook}] == 1));
      }
    }
  }

  base::SeededRandom dice_;
  base::SeededRandom random_;
  EngineOptions options_;
  base::Now now_;
  std::unique_ptr<Engine> engine_;
  testing::ReplayStore durable_;
  testing::ReplayStore taken_;
  std::deque<model::Batch> committing_;
  std::deque<model::Effect> effects_;
  std::map<std::uint64_t, model::Read> reads_;
  std::map<std::uint64_t, Running> running_;
  std::vector<model::WebhookPtr> webhooks_;  // also some that are gone
  std::uint64_t durable_batch_ = 0;
  std::uint64_t last_request_ = 0;
  std::uint64_t unanswered_ = 0;
};

RC_GTEST_PROP(EngineProperty, KeepsItsPromisesWhateverHappens, ()) {
  World world(*rc::gen::arbitrary<std::uint64_t>());
  const int steps = *rc::gen::inRange(1, 400);
  for (int i = 0; i < steps; ++i) world.step();
  world.settle();
}

}  // namespace
}  // namespace triggerd::core
