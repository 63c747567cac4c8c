#include "app/partition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/app/partition_fixture.h"

namespace triggerd::app {
namespace {

// --- Durable before visible -------------------------------------------------------------------

TEST_F(PartitionTest, NothingLeavesBeforeItsCommitIsDurable) {
  open_with_webhook();
  store_.hold_commits();
  const std::size_t before = store_.commits_begun();
  const model::RequestId id = publish();
  await_commit_begun(before + 1);
  pump(loop_);
  EXPECT_EQ(outlet_.find(id), nullptr);
  EXPECT_TRUE(outlet_.starts.empty());
  store_.release_commits();
  EXPECT_FALSE(refusal_of(answer(id)));
  EXPECT_TRUE(pump_until(loop_, [&] { return outlet_.starts.size() == 1; }));
}

TEST_F(PartitionTest, WhatIsDurableIsShownWhileACommitIsInFlightAndNothingElse) {
  open_with_webhook();
  ASSERT_FALSE(refusal_of(answer(publish())));
  const model::EventId durable = last_event_;
  store_.hold_commits();
  const std::size_t before = store_.commits_begun();
  const model::RequestId waiting = publish();
  await_commit_begun(before + 1);
  const model::RequestId listed = submit(model::ListWebhooks{kOrgId});
  const model::Reply* shown = ask(model::GetEvent{kOrgId, durable});
  ASSERT_NE(shown, nullptr);
  EXPECT_EQ(std::get<model::EventReply>(*shown).event->id, durable);
  EXPECT_EQ(refusal_of(ask(model::GetEvent{kOrgId, last_event_})), base::ErrorCode::kNotFound);
  EXPECT_EQ(outlet_.find(listed), nullptr) << "it may tell of what is not durable yet";
  EXPECT_EQ(outlet_.find(waiting), nullptr);
  store_.release_commits();
  EXPECT_FALSE(refusal_of(answer(listed)));
}

TEST_F(PartitionTest, ManyPublishesDuringACommitBecomeOneFurtherCommit) {
  open_with_webhook();
  store_.hold_commits();
  const std::size_t before = store_.commits_begun();
  std::vector<model::RequestId> ids = {publish()};
  await_commit_begun(before + 1);
  for (int i = 0; i < 50; ++i) {
    ids.push_back(publish());
    loop_.run_once();  // a turn of its own
  }
  store_.release_commits();
  for (const model::RequestId id : ids) EXPECT_FALSE(refusal_of(answer(id)));
  EXPECT_EQ(store_.commits_begun(), before + 2);
}

TEST_F(PartitionTest, AnApiKeyIsKnownOnlyWhenItIsDurable) {
  open_with_webhook();
  store_.hold_commits();
  const std::size_t before = store_.commits_begun();
  model::CreateApiKey create{kOrgId, model::ApiKeyId(random_.uuid_v4()), "ci", {}, 7};
  create.digest[0] = 9;
  const model::RequestId id = submit(create);
  await_commit_begun(before + 1);
  pump(loop_);
  EXPECT_TRUE(outlet_.keys.empty());
  store_.release_commits();
  EXPECT_FALSE(refusal_of(answer(id)));
  ASSERT_EQ(outlet_.keys.size(), 1U);
  EXPECT_EQ(outlet_.keys[0].digest, create.digest);
  EXPECT_FALSE(refusal_of(ask(model::DeleteApiKey{kOrgId, create.id})));
  EXPECT_EQ(outlet_.keys_removed, 1);
}

TEST_F(PartitionTest, ARepeatedIdIsAnsweredOnlyWhenTheFirstIsDurable) {
  open_with_webhook();
  store_.hold_commits();
  const std::size_t before = store_.commits_begun();
  model::NewEvent event = new_event();
  event.id = model::EventId(random_.uuid_v7(loop_.now().wall));
  event.id_from_client = true;
  const model::RequestId first = publish(event);
  await_commit_begun(before + 1);
  const model::RequestId second = publish(event);
  pump(loop_);
  EXPECT_EQ(outlet_.find(second), nullptr);
  store_.release_commits();
  ASSERT_FALSE(refusal_of(answer(first)));
  const model::Reply* repeated = answer(second);
  ASSERT_NE(repeated, nullptr);
  EXPECT_TRUE(std::get<model::PublishReply>(*repeated).events.at(0).duplicate);
}

// --- Outcomes ---------------------------------------------------------------------------------

TEST_F(PartitionTest, OutcomesShareCommitsAndBecomeDurableByThemselves) {
  open_with_webhook();
  constexpr std::size_t calls = 40;
  for (std::size_t i = 0; i < calls; ++i) publish();
  ASSERT_TRUE(pump_until(loop_, [&] { return outlet_.starts.size() == calls; }));
  ASSERT_TRUE(pump_until(loop_, [&] { return store_.commits_begun() == store_.commits_ended(); }));
  pump(loop_);
  const std::size_t before = store_.commits_begun();
  for (const model::StartAttempt& start : outlet_.starts) {
    partition_->finish(start.id, outcome(200));
    loop_.run_once();  // a turn of its own
  }
  // Nobody asks for a commit; it comes all the same.
  bool durable = false;
  partition_->drain([&durable] { durable = true; });
  ASSERT_TRUE(pump_until(loop_, [&] { return durable; }));
  EXPECT_LT(store_.commits_begun(), before + calls);
  EXPECT_EQ(partition_->stats().pending, 0U);
}

TEST_F(PartitionTest, AnOutcomeAloneIsCommittedWithoutFurtherInput) {
  open_with_webhook();
  const model::StartAttempt start = published_and_started();
  ASSERT_TRUE(pump_until(loop_, [&] { return store_.commits_begun() == store_.commits_ended(); }));
  const std::size_t before = store_.commits_begun();
  partition_->finish(start.id, outcome(200));
  await_commit_begun(before + 1);
}

TEST_F(PartitionTest, AnOutcomeRidesOnTheBatchOfALaterTurn) {
  open_with_webhook();
  // A slow machine may take longer than an outcome waits, but not every time.
  bool rode = false;
  for (int i = 0; i < 50 && !rode; ++i) {
    const model::StartAttempt start = published_and_started();
    ASSERT_TRUE(
        pump_until(loop_, [&] { return store_.commits_begun() == store_.commits_ended(); }));
    pump(loop_);
    const std::size_t before = store_.commits_begun();
    partition_->finish(start.id, outcome(200));
    loop_.run_once();
    ASSERT_FALSE(refusal_of(answer(publish())));
    rode = store_.commits_begun() == before + 1;
  }
  EXPECT_TRUE(rode);
}

// --- Reads ------------------------------------------------------------------------------------

TEST_F(PartitionTest, AReadWaitsForTheBatchItRestsOn) {
  options_.dedup_ids = 1;
  open_with_webhook();
  store_.hold_commits();
  model::NewEvent first = new_event();
  first.id_from_client = true;
  const model::RequestId accepted = publish(first);
  publish();  // memory forgets the first id, and its batch is not durable yet
  pump(loop_);
  const std::size_t reads = store_.reads_begun();
  const model::RequestId again = publish(first);
  pump(loop_);
  // Reads keep their order: one that was made too early would have begun before this one.
  EXPECT_EQ(refusal_of(ask(model::GetEvent{kOrgId, model::EventId(random_.uuid_v4())})),
            base::ErrorCode::kNotFound);
  EXPECT_EQ(store_.reads_begun(), reads + 1);
  store_.release_commits();
  const auto* reply = std::get_if<model::PublishReply>(answer(again));
  ASSERT_NE(reply, nullptr);
  EXPECT_TRUE(reply->events.at(0).duplicate);
  EXPECT_FALSE(refusal_of(answer(accepted)));
}

TEST_F(PartitionTest, AnAcceptedEventIsReadForItsCallWhenMemoryDidNotKeepIt) {
  options_.payload_cache_bytes = 1;  // the content is gone from memory as soon as it is stored
  open_with_webhook();
  store_.hold_commits();
  const std::size_t commits = store_.commits_begun();
  const std::size_t reads = store_.reads_begun();
  const model::RequestId id = publish();
  await_commit_begun(commits + 1);
  pump(loop_);
  EXPECT_EQ(store_.reads_begun(), reads);
  store_.release_commits();
  EXPECT_FALSE(refusal_of(answer(id)));
  ASSERT_TRUE(pump_until(loop_, [&] { return outlet_.starts.size() == 1; }));
  EXPECT_EQ(outlet_.starts[0].event->id, last_event_);
}

TEST_F(PartitionTest, AnUnknownEventIsNotFound) {
  open_with_webhook();
  EXPECT_EQ(refusal_of(ask(model::GetEvent{kOrgId, model::EventId(random_.uuid_v4())})),
            base::ErrorCode::kNotFound);
  ASSERT_FALSE(refusal_of(answer(publish())));
  const model::OrgId stranger(random_.uuid_v4());
  EXPECT_EQ(refusal_of(ask(model::GetEvent{stranger, last_event_})), base::ErrorCode::kNotFound);
}

TEST_F(PartitionTest, AnEventIsShownWithWhatBecameOfEachDelivery) {
  open_with_webhook();
  const model::WebhookId retried = add_webhook("https://retried.example/in");
  const model::WebhookId on_the_wire = add_webhook("https://slow.example/in");
  ASSERT_FALSE(refusal_of(answer(publish())));
  ASSERT_TRUE(pump_until(loop_, [&] { return outlet_.starts.size() == 3; }));
  const std::vector<model::StartAttempt> starts = outlet_.starts;
  model::WebhookId delivered;
  for (const model::StartAttempt& start : starts) {
    if (start.webhook->id == on_the_wire) continue;
    const std::uint16_t status = start.webhook->id == retried ? 503 : 200;
    if (status == 200) delivered = start.webhook->id;
    partition_->finish(start.id, outcome(status));
  }
  ASSERT_FALSE(refusal_of(answer(publish())));  // what came before it is durable with it
  const model::EventId shown = starts[0].event->id;
  const model::Reply* reply = ask(model::GetEvent{kOrgId, shown});
  ASSERT_NE(reply, nullptr);
  const auto& event = std::get<model::EventReply>(*reply);
  EXPECT_EQ(event.event->id, shown);
  ASSERT_EQ(event.deliveries.size(), 3U);
  std::map<model::WebhookId, model::DeliveryView> views;
  for (const model::DeliveryView& view : event.deliveries) views[view.webhook] = view;

  EXPECT_EQ(views[delivered].state, model::DeliveryState::kDelivered);
  EXPECT_EQ(views[delivered].attempts, 1);
  EXPECT_FALSE(views[delivered].next_attempt);
  ASSERT_TRUE(views[delivered].last_attempt);
  EXPECT_EQ(views[delivered].last_attempt->outcome.http_status, 200);

  EXPECT_EQ(views[retried].state, model::DeliveryState::kDelayed);
  EXPECT_EQ(views[retried].attempts, 1);
  ASSERT_TRUE(views[retried].next_attempt);
  EXPECT_GT(*views[retried].next_attempt, loop_.now().wall);
  EXPECT_EQ(views[retried].last_attempt->outcome.http_status, 503);

  EXPECT_EQ(views[on_the_wire].state, model::DeliveryState::kReady);
  EXPECT_FALSE(views[on_the_wire].last_attempt);
}

TEST_F(PartitionTest, ADeadDeliveryIsShownAsDead) {
  options_.retry_schedule = {std::chrono::milliseconds(1)};
  open_with_webhook();
  const model::EventId event = published_and_started().event->id;
  partition_->finish(outlet_.starts[0].id, outcome(500));
  ASSERT_TRUE(pump_until(loop_, [&] { return outlet_.starts.size() == 2; }));
  EXPECT_EQ(outlet_.starts[1].number, 2);
  partition_->finish(outlet_.starts[1].id, outcome(502));
  ASSERT_FALSE(refusal_of(answer(publish())));
  const model::Reply* reply = ask(model::GetEvent{kOrgId, event});
  ASSERT_NE(reply, nullptr);
  const auto& shown = std::get<model::EventReply>(*reply);
  ASSERT_EQ(shown.deliveries.size(), 1U);
  EXPECT_EQ(shown.deliveries[0].state, model::DeliveryState::kDead);
  EXPECT_EQ(shown.deliveries[0].attempts, 2);
  EXPECT_FALSE(shown.deliveries[0].next_attempt);
  EXPECT_EQ(shown.deliveries[0].last_attempt->outcome.http_status, 502);
}

TEST_F(PartitionTest, ADeliveryThatEndsWithoutACallStillShowsWhatWasTried) {
  open_with_webhook();
  const model::StartAttempt start = published_and_started();
  const model::EventId event = start.event->id;
  partition_->finish(start.id, outcome(500));
  ASSERT_FALSE(refusal_of(ask(model::RemoveTrigger{kOrgId, start.webhook->id, "event", kName})));
  ASSERT_FALSE(refusal_of(answer(publish())));  // what came before it is durable with it
  const model::Reply* reply = ask(model::GetEvent{kOrgId, event});
  ASSERT_NE(reply, nullptr);
  const auto& shown = std::get<model::EventReply>(*reply);
  ASSERT_EQ(shown.deliveries.size(), 1U);
  EXPECT_EQ(shown.deliveries[0].state, model::DeliveryState::kCancelled);
  EXPECT_EQ(shown.deliveries[0].attempts, 1);
  ASSERT_TRUE(shown.deliveries[0].last_attempt);
  EXPECT_EQ(shown.deliveries[0].last_attempt->number, 1);
  EXPECT_EQ(shown.deliveries[0].last_attempt->outcome.http_status, 500);
}

// --- Holding and draining ---------------------------------------------------------------------

TEST_F(PartitionTest, HoldAttemptsAnswersButStartsNothingMore) {
  open_with_webhook();
  published_and_started();
  partition_->hold_attempts();
  EXPECT_FALSE(refusal_of(answer(publish())));
  pump(loop_);
  EXPECT_EQ(outlet_.starts.size(), 1U);
}

TEST_F(PartitionTest, WhatAHoldKeptBackIsStartedByTheNextProcess) {
  open_with_webhook();
  partition_->hold_attempts();
  ASSERT_FALSE(refusal_of(answer(publish())));
  pump(loop_);
  ASSERT_TRUE(outlet_.starts.empty());
  partition_.reset();
  open();
  EXPECT_TRUE(pump_until(loop_, [&] { return outlet_.starts.size() == 1; }));
  EXPECT_EQ(outlet_.starts[0].event->id, last_event_);
}

TEST_F(PartitionTest, DrainWaitsForCallsAndForTheLastCommit) {
  open_with_webhook();
  const model::StartAttempt start = published_and_started();
  int drained = 0;
  partition_->drain([&drained] { ++drained; });
  pump(loop_);
  EXPECT_EQ(drained, 0) << "a call is in flight";
  store_.hold_commits();
  const std::size_t before = store_.commits_begun();
  partition_->finish(start.id, outcome(200));
  await_commit_begun(before + 1);
  pump(loop_);
  EXPECT_EQ(drained, 0) << "its outcome is not durable";
  store_.release_commits();
  EXPECT_TRUE(pump_until(loop_, [&] { return drained > 0; }));
  pump(loop_);
  EXPECT_EQ(drained, 1);
}

// --- Synchronous hooks ------------------------------------------------------------------------

TEST_F(PartitionTest, AHookIsCalledAndAnsweredWhileACommitIsInFlight) {
  open_with_webhook();
  const model::WebhookId hook = add_hook();
  store_.hold_commits();
  const model::RequestId held = publish();
  await_commit_begun(store_.commits_ended() + 1);
  const model::RequestId call = call_hook("{}");
  partition_->let_out_at_once();
  ASSERT_EQ(outlet_.starts.size(), 1U) << "before the turn";
  EXPECT_EQ(outlet_.starts[0].trigger_type, model::TriggerType::kSyncHook);
  EXPECT_EQ(outlet_.starts[0].webhook->id, hook);
  partition_->finish(outlet_.starts[0].id, outcome(204));
  const auto* reply = answer(call);
  ASSERT_NE(reply, nullptr);
  EXPECT_EQ(std::get<model::HookReply>(*reply).webhooks.at(0).outcome, model::OutcomeClass::kOk);
  EXPECT_EQ(outlet_.find(held), nullptr);
  EXPECT_EQ(store_.commits_ended() + 1, store_.commits_begun());
  store_.release_commits();
  answer(held);
}

TEST_F(PartitionTest, AHooksRecordsForceNoCommitAndAreShownLater) {
  open_with_webhook();
  add_hook();
  pump(loop_);
  const std::size_t commits = store_.commits_begun();
  const model::RequestId call = call_hook(R"({"a":1})");
  pump(loop_);
  partition_->finish(outlet_.starts.at(0).id, outcome(500));
  answer(call);
  EXPECT_EQ(store_.commits_begun(), commits);
  await_commit_begun(commits + 1);
  EXPECT_TRUE(pump_until(loop_, [&] { return store_.commits_ended() == commits + 1; }));
  const auto* shown = ask(model::GetEvent{kOrgId, last_event_});
  const auto* event = shown == nullptr ? nullptr : std::get_if<model::EventReply>(shown);
  ASSERT_NE(event, nullptr);
  EXPECT_EQ(event->event->trigger_type, model::TriggerType::kSyncHook);
  EXPECT_EQ(event->event->content, R"({"a":1})");
  ASSERT_EQ(event->deliveries.size(), 1U);
  EXPECT_EQ(event->deliveries[0].state, model::DeliveryState::kDead);
  EXPECT_EQ(event->deliveries[0].attempts, 1U);
}

TEST_F(PartitionTest, WhileCommitsAreSlowHookCallsAreLeftOutOfTheLogAndNotHeldUp) {
  open_with_webhook();
  add_hook();
  store_.hold_commits();
  publish();
  await_commit_begun(store_.commits_ended() + 1);
  const std::string content =
      R"({"a":")" + std::string(model::kEventContentBytesMax - 8, 'x') + R"("})";
  const std::size_t fit = model::kHookLogBytesWaitingMax / (content.size() + 10'000);
  std::vector<model::EventId> calls;
  for (std::size_t i = 0; i < fit + 20; ++i) {
    const model::RequestId call = call_hook(content);
    pump(loop_);
    partition_->finish(outlet_.starts.back().id, outcome(200));
    ASSERT_FALSE(refusal_of(answer(call)));
    calls.push_back(last_event_);
  }
  store_.release_commits();
  EXPECT_TRUE(pump_until(loop_, [&] { return store_.commits_ended() == store_.commits_begun(); }));
  EXPECT_TRUE(pump_until(loop_, [&] {
    return refusal_of(ask(model::GetEvent{kOrgId, calls.front()})) == std::nullopt;
  }));
  EXPECT_FALSE(refusal_of(ask(model::GetEvent{kOrgId, calls.front()})));
  EXPECT_EQ(refusal_of(ask(model::GetEvent{kOrgId, calls.back()})), base::ErrorCode::kNotFound);
  call_hook("{}");
  pump(loop_);
  partition_->finish(outlet_.starts.back().id, outcome(200));
  EXPECT_TRUE(pump_until(loop_, [&] {
    return refusal_of(ask(model::GetEvent{kOrgId, last_event_})) == std::nullopt;
  })) << "logged again once commits are through";
}

TEST_F(PartitionTest, AHoldDoesNotHoldHooks) {
  open_with_webhook();
  add_hook();
  partition_->hold_attempts();
  const model::RequestId call = call_hook("{}");
  pump(loop_);
  ASSERT_EQ(outlet_.starts.size(), 1U);
  partition_->finish(outlet_.starts[0].id, outcome(200));
  EXPECT_FALSE(refusal_of(answer(call)));
}

// --- Recovery ---------------------------------------------------------------------------------

TEST_F(PartitionTest, RecoverShowsSigningKeysAndGivesEverythingToTheEngine) {
  model::SigningKey key;
  key.kid = "k1";
  ASSERT_TRUE(store_.commit(model::Batch{model::BatchSeq(0), {model::PutSigningKey{key}}}).ok());
  open_with_webhook();
  ASSERT_FALSE(refusal_of(answer(publish())));
  partition_.reset();
  signing_keys_.clear();
  open();
  ASSERT_EQ(signing_keys_.size(), 1U);
  EXPECT_EQ(signing_keys_[0].kid, "k1");
  EXPECT_EQ(partition_->stats().organizations, 1U);
  EXPECT_EQ(partition_->stats().webhooks, 1U);
  EXPECT_EQ(partition_->stats().triggers, 1U);
  EXPECT_EQ(partition_->stats().pending, 1U);
}

TEST_F(PartitionTest, WhereThereIsNoSigningKeyTheFirstOneIsMadeOnceAndDurable) {
  int made = 0;
  const auto first = [&made]() -> base::Result<model::SigningKey> {
    ++made;
    model::SigningKey key;
    key.kid = "first";
    return key;
  };
  for (int start = 0; start < 2; ++start) {
    partition_ = std::make_unique<Partition>(loop_, store_, options_, random_, outlet_);
    signing_keys_.clear();
    const auto keep = [this](const model::SigningKey& key) { signing_keys_.push_back(key); };
    ASSERT_TRUE(partition_->recover(keep, first).ok());
    ASSERT_EQ(signing_keys_.size(), 1U) << start;
    EXPECT_EQ(signing_keys_[0].kid, "first");
    EXPECT_EQ(signing_keys_[0].active_from, signing_keys_[0].created_at);
    EXPECT_EQ(made, 1) << start;
  }
}

TEST_F(PartitionTest, ANewSigningKeyIsUsedAndShownOnceItIsDurable) {
  open();
  store_.hold_commits();
  model::SigningKey key;
  key.kid = "k1";
  const model::RequestId asked = submit(model::RotateSigningKey{key});
  await_commit_begun(1);
  pump(loop_);
  EXPECT_TRUE(outlet_.signing_kids.empty());
  EXPECT_EQ(outlet_.find(asked), nullptr);
  store_.release_commits();
  ASSERT_FALSE(refusal_of(answer(asked)));
  EXPECT_THAT(outlet_.signing_kids, testing::ElementsAre("k1"));
}

}  // namespace
}  // namespace triggerd::app
