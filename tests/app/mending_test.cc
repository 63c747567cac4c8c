// Deliveries given again and given up by hand.
#include <chrono>
#include <vector>

#include <gmock/gmock.h>

#include "tests/app/mending_fixture.h"

namespace triggerd::app {
namespace {

using model::DeliveryState;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(MendingTest, ADeliveryThatWaitsIsDueAtOnce) {
  const auto webhook = make_webhook();
  const auto event = publish();
  answer_all(500);
  EXPECT_THAT(running(), IsEmpty());
  const model::Reply reply = retry(webhook, event);
  EXPECT_EQ(std::get<model::DeliveryMended>(reply).attempts, 1);
  ASSERT_THAT(running(), ElementsAre(event));
  EXPECT_EQ(running_.front().number, 2);
  answer_all(200);
  EXPECT_EQ(state_of(webhook, event), DeliveryState::kDelivered);
}

TEST_F(MendingTest, ADeadDeliveryIsGivenAgainWithAWholeSchedule) {
  const auto webhook = make_webhook();
  const auto event = publish();
  fail_until_dead();
  ASSERT_EQ(state_of(webhook, event), DeliveryState::kDead);
  EXPECT_EQ(refusal_of(retry(webhook, event)), "");
  ASSERT_EQ(running_.size(), 1U);
  EXPECT_EQ(running_.front().number, 3);
  answer_all(500);
  EXPECT_EQ(state_of(webhook, event), DeliveryState::kDelayed);
  pass(std::chrono::seconds(10));
  ASSERT_EQ(running_.size(), 1U);
  EXPECT_EQ(running_.front().number, 4);
  answer_all(500);
  EXPECT_EQ(state_of(webhook, event), DeliveryState::kDead);
}

TEST_F(MendingTest, ADeliveredOneIsGivenAgain) {
  const auto webhook = make_webhook();
  const auto event = publish();
  answer_all(200);
  EXPECT_EQ(refusal_of(retry(webhook, event)), "");
  ASSERT_THAT(running(), ElementsAre(event));
  answer_all(200);
  EXPECT_EQ(state_of(webhook, event), DeliveryState::kDelivered);
}

TEST_F(MendingTest, WhatWasGivenAgainSurvivesACrash) {
  const auto webhook = make_webhook();
  make_webhook("PersonDeleted_v1");
  const auto event = publish();
  fail_until_dead();
  // A recovery would begin its scan behind it: a new webhook puts the counters.
  publish("", "PersonDeleted_v1");
  make_webhook();
  EXPECT_EQ(refusal_of(retry(webhook, event)), "");
  const std::string before = engine_->durable_state();
  crash();
  EXPECT_EQ(engine_->durable_state(), before);
  EXPECT_THAT(running(), ::testing::Contains(event));
  answer_all(200);
  EXPECT_EQ(state_of(webhook, event), DeliveryState::kDelivered);
}

TEST_F(MendingTest, OneCancelledWithItsTriggerIsGivenAgain) {
  const auto webhook = make_webhook();
  set_state(webhook, "paused");
  const auto event = publish();
  ask(model::RemoveTrigger{kMendingOrg, webhook->id, "event", kMendingName});
  set_state(webhook, "active");
  ASSERT_EQ(state_of(webhook, event), DeliveryState::kCancelled);
  EXPECT_EQ(refusal_of(retry(webhook, event)), "");
  ASSERT_THAT(running(), ElementsAre(event));
  EXPECT_EQ(running_.front().number, 1);
  answer_all(200);
  EXPECT_EQ(state_of(webhook, event), DeliveryState::kDelivered);
}

TEST_F(MendingTest, APausedWebhookParksItAndADisabledOneRefuses) {
  const auto webhook = make_webhook();
  const auto event = publish();
  fail_until_dead();
  set_state(webhook, "paused");
  EXPECT_EQ(refusal_of(retry(webhook, event)), "");
  EXPECT_THAT(running(), IsEmpty());
  EXPECT_EQ(state_of(webhook, event), DeliveryState::kReady);
  set_state(webhook, "disabled");
  EXPECT_EQ(state_of(webhook, event), DeliveryState::kCancelled);
  const model::Reply refused = retry(webhook, event);
  EXPECT_EQ(code_of(refused), base::ErrorCode::kConflict);
  EXPECT_THAT(refusal_of(refused), HasSubstr("\"state\":\"active\""));
}

TEST_F(MendingTest, WhatIsNotThereIsRefused) {
  const auto webhook = make_webhook();
  const auto other = make_webhook("PersonDeleted_v1");
  const auto event = publish();
  EXPECT_EQ(code_of(retry(other, event)), base::ErrorCode::kNotFound);
  EXPECT_EQ(code_of(retry(webhook, model::EventId(random_.uuid_v4()))), base::ErrorCode::kNotFound);
  EXPECT_EQ(
      code_of(ask(model::RetryDelivery{kMendingOrg, model::WebhookId(random_.uuid_v4()), event})),
      base::ErrorCode::kNotFound);
}

TEST_F(MendingTest, TwoRetriesAtOnceGiveItOnce) {
  const auto webhook = make_webhook();
  const auto event = publish();
  fail_until_dead();
  holds_reads_ = true;
  for (int i = 0; i < 2; ++i) {
    engine_->handle(model::RetryDelivery{kMendingOrg, webhook->id, event},
                    model::RequestId(++last_request_), now_);
  }
  settle();
  holds_reads_ = false;
  settle();
  EXPECT_EQ(running_.size(), 1U);
  EXPECT_EQ(engine_->stats().pending, 1U);
}

// The store was asked before it was given again and over once more: its answer is old news.
TEST_F(MendingTest, AnAnswerOfBeforeIsNotBelieved) {
  const auto webhook = make_webhook();
  const auto event = publish();
  fail_until_dead();
  holds_reads_ = true;
  engine_->handle(model::RetryDelivery{kMendingOrg, webhook->id, event},
                  model::RequestId(++last_request_), now_);
  engine_->handle(model::RetryDelivery{kMendingOrg, webhook->id, event},
                  model::RequestId(++last_request_), now_);
  settle();
  ASSERT_EQ(reads_.size(), 2U);
  const model::Read first = reads_.front();
  const model::Read second = reads_.back();
  reads_.clear();
  const model::ReadAnswer old = answer_to(second);
  engine_->loaded(first.id, answer_to(first), now_);
  settle();
  answer_all(200);
  engine_->loaded(second.id, old, now_);
  holds_reads_ = false;
  settle();
  // The second one is carried out too: on what is true now.
  ASSERT_EQ(running_.size(), 1U);
  EXPECT_EQ(running_.front().number, 4);
}

// Another delivery of the same event is about to start, and waits for the payload.
TEST_F(MendingTest, OneIsGivenAgainWhileItsEventIsRead) {
  const auto first = make_webhook();
  const auto second = make_webhook();
  set_state(first, "paused");
  const auto event = publish();
  answer_all(500);
  pass(std::chrono::seconds(10));
  answer_all(500);
  ASSERT_EQ(state_of(second, event), DeliveryState::kDead);
  crash();  // all payloads are cold
  holds_reads_ = true;
  engine_->handle(model::RetryDelivery{kMendingOrg, second->id, event},
                  model::RequestId(++last_request_), now_);
  set_state(first, "active");
  ASSERT_EQ(reads_.size(), 2U);
  holds_reads_ = false;
  settle();
  EXPECT_THAT(running(), ElementsAre(event, event));
  answer_all(200);
  EXPECT_EQ(engine_->stats().pending, 0U);
}

// Its backlog is given up by pieces: what is retried meanwhile must not stand where nobody looks.
TEST_F(MendingTest, AWebhookDisabledWhileTheStoreIsAskedIsRefused) {
  const auto webhook = make_webhook();
  for (std::size_t i = 0; i < model::kSweptPerTurn; ++i) publish();
  const auto last = publish();
  while (!running_.empty()) answer_all(500);
  ASSERT_EQ(engine_->stats().delayed, model::kSweptPerTurn + 1);
  holds_reads_ = true;
  const model::RequestId retry(++last_request_);
  engine_->handle(model::RetryDelivery{kMendingOrg, webhook->id, last}, retry, now_);
  settle();
  ASSERT_EQ(reads_.size(), 1U);
  const model::Read read = reads_.front();
  reads_.clear();
  const model::ReadAnswer answer = answer_to(read);
  model::PatchWebhook patch{kMendingOrg, webhook->id, {}};
  patch.draft.delivery.emplace().state.emplace("disabled");
  engine_->handle(patch, model::RequestId(++last_request_), now_);
  engine_->loaded(read.id, answer, now_);
  settle();
  EXPECT_EQ(code_of(replies_.at(retry.value())), base::ErrorCode::kConflict);
  EXPECT_EQ(engine_->stats().pending, 0U);
}

TEST_F(MendingTest, NothingIsGivenAgainThatFindsNoRoomAmongThePending) {
  options_.pending_per_org_max = 2;
  crash();
  const auto webhook = make_webhook();
  const auto dead = publish();
  fail_until_dead();
  publish();
  const auto delayed = publish();
  answer_all(500);
  const model::Reply refused = retry(webhook, dead);
  EXPECT_EQ(code_of(refused), base::ErrorCode::kOverloaded);
  EXPECT_EQ(std::get<model::Refusal>(refused).retry_after, model::kOverloadRetryAfter);
  EXPECT_EQ(refusal_of(retry(webhook, delayed)), "");  // pending already
  answer_all(200);
  EXPECT_EQ(refusal_of(retry(webhook, dead)), "");
}

TEST_F(MendingTest, TooManyLookUpsAreRefused) {
  const auto webhook = make_webhook();
  const auto event = publish();
  holds_reads_ = true;
  for (std::size_t i = 0; i <= model::kMendingReadsMax; ++i) {
    engine_->handle(model::RetryDelivery{kMendingOrg, webhook->id, event},
                    model::RequestId(++last_request_), now_);
  }
  settle();
  EXPECT_EQ(code_of(replies_.at(last_request_)), base::ErrorCode::kOverloaded);
  EXPECT_FALSE(replies_.contains(last_request_ - 1));
}

// --- Skip -------------------------------------------------------------------------------------

TEST_F(MendingTest, ASkippedHeadLetsTheNextOfItsKeyGo) {
  const auto webhook = make_webhook();
  model::PatchWebhook patch{kMendingOrg, webhook->id, {}};
  patch.draft.delivery.emplace().ordering.emplace("key");
  EXPECT_EQ(refusal_of(ask(patch)), "");
  const auto first = publish("k");
  const auto second = publish("k");
  const auto third = publish("k");
  EXPECT_EQ(code_of(skip(webhook, first)), base::ErrorCode::kConflict);  // on the wire
  answer_all(500);
  const model::Reply held = ask(model::ListOrderingKeys{kMendingOrg, webhook->id});
  const auto& keys = std::get<model::OrderingKeysReply>(held).keys;
  ASSERT_EQ(keys.size(), 1U);
  EXPECT_EQ(keys[0].key, "k");
  EXPECT_EQ(keys[0].head, first);
  EXPECT_EQ(keys[0].attempts, 1);
  EXPECT_EQ(keys[0].waiting, 2U);
  EXPECT_TRUE(keys[0].next_attempt);

  EXPECT_EQ(refusal_of(skip(webhook, second)), "");  // out of the line
  EXPECT_THAT(running(), IsEmpty());
  EXPECT_EQ(refusal_of(skip(webhook, first)), "");
  EXPECT_THAT(running(), ElementsAre(third));
  EXPECT_EQ(state_of(webhook, first), DeliveryState::kDead);
  EXPECT_EQ(code_of(skip(webhook, first)), base::ErrorCode::kConflict);
  answer_all(200);
  EXPECT_EQ(engine_->stats().pending, 0U);
}

TEST_F(MendingTest, OneOfManyThatWaitInALaneIsSkipped) {
  const auto webhook = make_webhook();
  set_state(webhook, "paused");
  std::vector<model::EventId> events;
  for (int i = 0; i < 5; ++i) events.push_back(publish());
  EXPECT_EQ(refusal_of(skip(webhook, events[2])), "");
  set_state(webhook, "active");
  EXPECT_THAT(running(), ElementsAre(events[0], events[1], events[3], events[4]));
}

// --- What is pending --------------------------------------------------------------------------

TEST_F(MendingTest, PendingDeliveriesAreCountedByWhereTheyAre) {
  const auto first = make_webhook();
  const auto second = make_webhook("PersonDeleted_v1");
  const base::WallTime began = now_.wall;
  publish();
  answer_all(500);
  pass(std::chrono::seconds(1));
  publish();
  set_state(second, "paused");
  for (int i = 0; i < 3; ++i) publish("", "PersonDeleted_v1");
  const model::Reply reply = ask(model::GetPending{kMendingOrg, {}, 50});
  const auto& pending = std::get<model::PendingReply>(reply);
  EXPECT_EQ(pending.counts, (model::PendingCounts{5, 0, 1, 1, 0, 3}));
  EXPECT_EQ(pending.oldest_accepted_at, began);
  ASSERT_EQ(pending.webhooks.size(), 2U);
  EXPECT_EQ(pending.webhooks[0].webhook->id, first->id);
  EXPECT_EQ(pending.webhooks[0].counts, (model::PendingCounts{2, 0, 1, 1, 0, 0}));
  EXPECT_EQ(pending.webhooks[1].counts, (model::PendingCounts{3, 0, 0, 0, 0, 3}));
  EXPECT_FALSE(pending.next);

  const model::Reply page = ask(model::GetPending{kMendingOrg, {}, 1});
  const auto& one = std::get<model::PendingReply>(page);
  ASSERT_EQ(one.webhooks.size(), 1U);
  ASSERT_EQ(one.next, first->ref);
  EXPECT_EQ(one.counts.pending, 5U);
  const model::Reply rest = ask(model::GetPending{kMendingOrg, *one.next, 1});
  EXPECT_EQ(std::get<model::PendingReply>(rest).webhooks.at(0).webhook->id, second->id);
}

TEST_F(MendingTest, TheOldestPendingOneMovesOnAndBack) {
  const auto webhook = make_webhook();
  const auto oldest = [this] {
    return std::get<model::PendingReply>(ask(model::GetPending{kMendingOrg, {}, 1}))
        .oldest_accepted_at;
  };
  EXPECT_EQ(oldest(), std::nullopt);
  const base::WallTime first_at = now_.wall;
  const auto first = publish();
  answer_all(500);
  pass(std::chrono::seconds(1));
  const base::WallTime second_at = now_.wall;
  publish();
  EXPECT_EQ(oldest(), first_at);
  EXPECT_EQ(refusal_of(skip(webhook, first)), "");
  EXPECT_EQ(oldest(), second_at);
  EXPECT_EQ(refusal_of(retry(webhook, first)), "");
  EXPECT_EQ(oldest(), first_at);
}

// --- A test event to one webhook --------------------------------------------------------------

TEST_F(MendingTest, AnEventForOneWebhookGoesToNoOther) {
  const auto first = make_webhook();
  const auto second = make_webhook("PersonDeleted_v1");
  model::PublishEvents publish{kMendingOrg, {}};
  model::NewEvent event = new_event();
  event.is_sample = event.is_test = true;
  publish.events = {event};
  publish.webhook = second->id;
  EXPECT_EQ(refusal_of(ask(publish)), "");
  ASSERT_EQ(running_.size(), 1U);
  EXPECT_EQ(running_.front().webhook->id, second->id);
  answer_all(200);
  EXPECT_EQ(state_of(second, event.id), DeliveryState::kDelivered);
  set_state(second, "disabled");
  EXPECT_EQ(code_of(ask(publish)), base::ErrorCode::kConflict);
}

}  // namespace
}  // namespace triggerd::app
