// An engine over a store, without threads: what it puts is committed at once, what it asks is
// answered at once, and it can be thrown away and rebuilt like after a kill.
#pragma once

#include <algorithm>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "app/mending_reads.h"
#include "engine/base/random.h"
#include "engine/core/engine.h"
#include "store/memory_store.h"

namespace triggerd::app {

inline const model::OrgId kMendingOrg =
    *model::OrgId::parse("0190a6e0-1111-7000-8000-000000000001");
inline constexpr const char* kMendingName = "PersonCreated_v1";

class MendingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.retry_schedule = {std::chrono::seconds(10)};
    options_.retry_jitter = 0;
    options_.isolation.breaker.failures_to_open = breaker_failures_;
    options_.isolation.breaker.jitter = 0;
    options_.isolation.in_flight_start = 0;  // all at once
    open();
    ask(model::CreateOrganization{kMendingOrg, "acme"});
  }

  void open() {
    engine_ = std::make_unique<core::Engine>(options_, random_);
    ASSERT_TRUE(
        store_.scan([this](model::Record record) { engine_->load(std::move(record)); }).ok());
    engine_->recovered(now_);
    settle();
  }
  // What was on the wire is gone.
  void crash() {
    running_.clear();
    reads_.clear();
    open();
  }

  model::Reply ask(model::Request request) {
    const model::RequestId id(++last_request_);
    engine_->handle(std::move(request), id, now_);
    settle();
    const auto reply = replies_.find(id.value());
    EXPECT_TRUE(reply != replies_.end());
    return reply == replies_.end() ? model::Reply() : reply->second;
  }
  static std::string refusal_of(const model::Reply& reply) {
    const auto* refusal = std::get_if<model::Refusal>(&reply);
    return refusal == nullptr ? "" : refusal->faults.at(0).message;
  }
  static std::optional<base::ErrorCode> code_of(const model::Reply& reply) {
    const auto* refusal = std::get_if<model::Refusal>(&reply);
    if (refusal == nullptr) return std::nullopt;
    return refusal->faults.at(0).code;
  }

  // With a trigger for this event.
  model::WebhookPtr make_webhook(const std::string& name = kMendingName) {
    model::CreateWebhook create{kMendingOrg, {}};
    create.draft.name = "w";
    create.draft.target_url = "https://h" + std::to_string(++webhooks_) + ".example/";
    const model::Reply reply = ask(create);
    model::WebhookPtr made = std::get<model::WebhookReply>(reply).webhook;
    ask(model::AddTrigger{kMendingOrg, made->id, "event", name});
    return made;
  }
  void set_state(const model::WebhookPtr& webhook, const std::string& state) {
    model::PatchWebhook patch{kMendingOrg, webhook->id, {}};
    patch.draft.delivery.emplace().state.emplace(state);
    EXPECT_EQ(refusal_of(ask(patch)), "");
  }
  model::NewEvent new_event(const std::string& name = kMendingName) {
    model::NewEvent event;
    event.id = model::EventId(random_.uuid_v4());
    event.name = name;
    event.content = R"({"event_metadata":{}})";
    event.own_members_at = 20;
    event.timestamp = now_.wall;
    return event;
  }
  model::EventId publish(const std::string& key = "", const std::string& name = kMendingName) {
    model::NewEvent event = new_event(name);
    event.ordering_key = key;
    EXPECT_EQ(refusal_of(ask(model::PublishEvents{kMendingOrg, {event}})), "");
    return event.id;
  }
  model::Reply retry(const model::WebhookPtr& webhook, const model::EventId& event) {
    return ask(model::RetryDelivery{kMendingOrg, webhook->id, event});
  }
  model::Reply skip(const model::WebhookPtr& webhook, const model::EventId& event) {
    return ask(model::SkipDelivery{kMendingOrg, webhook->id, event});
  }
  model::RecoverJob job(const model::JobId& id) {
    const model::Reply reply = ask(model::GetJob{kMendingOrg, id});
    return std::get<model::JobReply>(reply).job;
  }
  model::JobId recover(const model::WebhookPtr& webhook, std::uint32_t per_second,
                       std::uint8_t states = model::kRecoverDead) {
    model::StartRecovery start{kMendingOrg, webhook->id, {}};
    start.states = states;
    start.per_second = per_second;
    const model::Reply reply = ask(start);
    EXPECT_EQ(refusal_of(reply), "");
    return std::get<model::JobReply>(reply).job.id;
  }

  // Every attempt that is under way is answered with this status.
  void answer_all(std::uint16_t status) {
    for (std::deque<model::StartAttempt> running = std::exchange(running_, {}); !running.empty();
         running.pop_front()) {
      model::Outcome outcome;
      outcome.kind = status < 300 ? model::OutcomeClass::kOk : model::OutcomeClass::kHttpError;
      outcome.http_status = status;
      outcome.started_at = now_.wall;
      engine_->finish(running.front().id, outcome, now_);
      settle();
    }
  }
  // Answers until nothing is pending.
  void fail_until_dead() {
    for (int i = 0; i < 100 && engine_->stats().pending > 0; ++i) {
      while (!running_.empty()) answer_all(500);
      pass(std::chrono::seconds(10));
    }
    ASSERT_EQ(engine_->stats().pending, 0U);
  }
  void pass(base::Duration time) {
    const base::MonoTime until = now_.mono + time;
    for (int i = 0; i < 10'000 && now_.mono < until; ++i) {
      const std::optional<base::MonoTime> next = engine_->next_deadline();
      const base::MonoTime to = next ? std::clamp(*next, now_.mono, until) : until;
      now_.wall += to - now_.mono;
      now_.mono = to;
      engine_->tick(now_);
      settle();
    }
  }
  std::vector<model::EventId> running() const {
    std::vector<model::EventId> events;
    for (const model::StartAttempt& start : running_) events.push_back(start.event->id);
    return events;
  }
  model::DeliveryState state_of(const model::WebhookPtr& webhook, const model::EventId& event) {
    const auto answer = read_delivery(store_, {kMendingOrg, webhook->ref, event});
    const auto& loaded = std::get<model::DeliveryLoaded>(answer);
    return loaded.delivery ? loaded.delivery->state : model::DeliveryState(0);
  }

  // Commits what was put, lets out what rests on it, answers what was asked.
  void settle() {
    for (int turn = 0; turn < 1000; ++turn) {
      model::Output output = engine_->take_output();
      if (!output.batch.mutations.empty()) {
        ASSERT_TRUE(store_.commit(output.batch).ok());
      }
      for (model::Effect& effect : output.effects) {
        if (auto* reply = std::get_if<model::SendReply>(&effect.what)) {
          replies_.emplace(reply->request.value(), std::move(reply->reply));
        } else if (auto* start = std::get_if<model::StartAttempt>(&effect.what)) {
          running_.push_back(std::move(*start));
        }
      }
      reads_.insert(reads_.end(), output.reads.begin(), output.reads.end());
      const bool did_nothing = output.batch.mutations.empty() && output.effects.empty();
      if (reads_.empty() && did_nothing && !wants_turn()) return;
      if (holds_reads_ || reads_.empty()) {
        if (did_nothing && !wants_turn()) return;
        engine_->tick(now_);
        continue;
      }
      const model::Read read = reads_.front();
      reads_.pop_front();
      engine_->loaded(read.id, answer_to(read), now_);
    }
    FAIL() << "never settles";
  }
  [[nodiscard]] bool wants_turn() const {
    const std::optional<base::MonoTime> next = engine_->next_deadline();
    return next && *next <= now_.mono;
  }
  model::ReadAnswer answer_to(const model::Read& read) {
    if (const auto* event = std::get_if<model::ReadEvent>(&read.what)) {
      return model::EventLoaded{store_.read_event(event->seq).value()};
    }
    if (const auto* delivery = std::get_if<model::ReadDelivery>(&read.what)) {
      return read_delivery(store_, *delivery);
    }
    if (const auto* finals = std::get_if<model::ReadFinals>(&read.what)) {
      return read_finals(store_, *finals);
    }
    return model::EventIdLoaded{};
  }

  std::uint32_t breaker_failures_ = 0;  // none opens
  core::EngineOptions options_;
  base::SeededRandom random_{1};
  base::Now now_{base::MonoTime(std::chrono::hours(1)),
                 *base::parse_rfc3339("2026-01-02T00:00:00Z")};
  store::MemoryStore store_;
  std::unique_ptr<core::Engine> engine_;
  std::map<std::uint64_t, model::Reply> replies_;
  std::deque<model::StartAttempt> running_;
  std::deque<model::Read> reads_;
  bool holds_reads_ = false;
  std::uint64_t last_request_ = 0;
  std::uint64_t webhooks_ = 0;
};

}  // namespace triggerd::app
