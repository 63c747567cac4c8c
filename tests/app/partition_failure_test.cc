// What a partition does when a commit has failed: nothing is acknowledged any more, everybody is
// answered, and hooks under way end as they would have.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

#include "tests/app/partition_fixture.h"

namespace triggerd::app {
namespace {

TEST_F(PartitionTest, AFailedCommitRefusesAllWhoWaitAndStartsNothing) {
  open_with_webhook();
  store_.hold_commits();
  store_.fail_commits();
  const std::size_t before = store_.commits_begun();
  std::vector<model::RequestId> ids = {publish()};
  await_commit_begun(before + 1);
  for (int i = 0; i < 3; ++i) ids.push_back(publish());
  loop_.run_once();
  store_.release_commits();
  for (const model::RequestId id : ids) {
    EXPECT_EQ(refusal_of(answer(id)), base::ErrorCode::kUnavailable);
  }
  pump(loop_);
  EXPECT_THAT(outlet_.failures, testing::ElementsAre("the disk is gone"));
  EXPECT_TRUE(outlet_.starts.empty());
  EXPECT_EQ(store_.commits_begun(), before + 1) << "no further commit is tried";
}

TEST_F(PartitionTest, AfterAFailureEveryRequestIsRefusedAtOnce) {
  open_with_webhook();
  store_.fail_commits();
  EXPECT_EQ(refusal_of(answer(publish())), base::ErrorCode::kUnavailable);
  const std::size_t commits = store_.commits_begun();
  EXPECT_EQ(refusal_of(answer(publish())), base::ErrorCode::kUnavailable);
  EXPECT_EQ(refusal_of(ask(model::ListOrganizations{})), base::ErrorCode::kUnavailable);
  EXPECT_EQ(refusal_of(ask(model::GetEvent{kOrgId, last_event_})), base::ErrorCode::kUnavailable);
  EXPECT_EQ(store_.commits_begun(), commits);
  EXPECT_EQ(outlet_.failures.size(), 1U);
}

TEST_F(PartitionTest, AFailedCommitRefusesThoseWhoWaitForARead) {
  open_with_webhook();
  ASSERT_FALSE(refusal_of(answer(publish())));
  reopen();
  store_.hold_reads();
  const std::size_t before = store_.reads_begun();
  const model::RequestId look = submit(model::GetEvent{kOrgId, last_event_});
  model::NewEvent old = new_event();
  old.id_from_client = true;
  const model::RequestId old_id = publish(old);  // waits for its id to be looked up
  ASSERT_TRUE(pump_until(loop_, [&] { return store_.reads_begun() > before; }));
  store_.fail_commits();
  EXPECT_EQ(refusal_of(answer(publish())), base::ErrorCode::kUnavailable);
  store_.release_reads();
  EXPECT_EQ(refusal_of(answer(look)), base::ErrorCode::kUnavailable);
  EXPECT_EQ(refusal_of(answer(old_id)), base::ErrorCode::kUnavailable);
}

TEST_F(PartitionTest, AFailedCommitRefusesThoseWhoseReadRestedOnIt) {
  open_with_webhook();
  ASSERT_FALSE(refusal_of(answer(publish())));
  reopen();
  store_.hold_commits();
  store_.fail_commits();
  const std::size_t before = store_.commits_begun();
  const model::RequestId first = publish();
  await_commit_begun(before + 1);
  model::NewEvent old = new_event();
  old.id_from_client = true;
  const model::RequestId second = publish(old);
  pump(loop_);
  store_.release_commits();
  EXPECT_EQ(refusal_of(answer(first)), base::ErrorCode::kUnavailable);
  EXPECT_EQ(refusal_of(answer(second)), base::ErrorCode::kUnavailable);
}

TEST_F(PartitionTest, AfterAFailureOutcomesAreDroppedAndADrainEnds) {
  open_with_webhook();
  const model::StartAttempt start = published_and_started();
  store_.fail_commits();
  EXPECT_EQ(refusal_of(answer(publish())), base::ErrorCode::kUnavailable);
  bool drained = false;
  partition_->drain([&drained] { drained = true; });
  EXPECT_TRUE(pump_until(loop_, [&] { return drained; }));
  partition_->finish(start.id, outcome(200));
  pump(loop_);
  EXPECT_EQ(outlet_.starts.size(), 1U);
}

// --- Synchronous hooks: their answers rest on nothing that is stored ---------------------------

TEST_F(PartitionTest, AfterAFailureHooksUnderWayAreAnsweredAsEver) {
  open_with_webhook();
  add_hook();
  const model::RequestId call = call_hook("{}");
  pump(loop_);
  ASSERT_EQ(outlet_.starts.size(), 1U);
  store_.fail_commits();
  EXPECT_EQ(refusal_of(answer(publish())), base::ErrorCode::kUnavailable);
  EXPECT_EQ(outlet_.find(call), nullptr) << "its webhook has not answered";
  partition_->finish(outlet_.starts[0].id, outcome(204));
  const model::Reply* reply = answer(call);
  const auto* answered = reply == nullptr ? nullptr : std::get_if<model::HookReply>(reply);
  ASSERT_NE(answered, nullptr);
  EXPECT_EQ(answered->webhooks.at(0).outcome, model::OutcomeClass::kOk);
}

TEST_F(PartitionTest, AfterAFailureHooksUnderWayStillHaveADeadline) {
  open_with_webhook();
  add_hook();
  const model::RequestId call = call_hook("{}", std::chrono::milliseconds(50));
  pump(loop_);
  store_.fail_commits();
  EXPECT_EQ(refusal_of(answer(publish())), base::ErrorCode::kUnavailable);
  const model::Reply* reply = answer(call);
  const auto* answered = reply == nullptr ? nullptr : std::get_if<model::HookReply>(reply);
  ASSERT_NE(answered, nullptr);
  EXPECT_EQ(answered->webhooks.at(0).outcome, model::OutcomeClass::kTimeout);
  EXPECT_THAT(outlet_.cancelled, testing::ElementsAre(outlet_.starts.at(0).id));
}

// Its calls are what the engine hands out after the failure.
TEST_F(PartitionTest, AHookTakenRightBeforeTheFailureIsCalledAndAnswered) {
  open_with_webhook();
  add_hook();
  store_.hold_commits();
  store_.fail_commits();
  publish();
  await_commit_begun(store_.commits_ended() + 1);
  store_.release_commits();
  // Without a tick, so that the failure is not known here yet.
  while (store_.commits_ended() < store_.commits_begun()) std::this_thread::yield();
  const model::RequestId call = call_hook("{}");
  ASSERT_TRUE(pump_until(loop_, [&] { return !outlet_.failures.empty(); }));
  ASSERT_TRUE(pump_until(loop_, [&] { return outlet_.starts.size() == 1; }));
  partition_->finish(outlet_.starts[0].id, outcome(204));
  EXPECT_FALSE(refusal_of(answer(call)));
}

TEST_F(PartitionTest, AfterAFailureACallerMayGoAway) {
  open_with_webhook();
  add_hook();
  const model::RequestId call = call_hook("{}");
  pump(loop_);
  store_.fail_commits();
  EXPECT_EQ(refusal_of(answer(publish())), base::ErrorCode::kUnavailable);
  partition_->cancel(call);
  pump(loop_);
  EXPECT_THAT(outlet_.cancelled, testing::ElementsAre(outlet_.starts.at(0).id));
  EXPECT_EQ(outlet_.find(call), nullptr);
}

TEST_F(PartitionTest, AfterAFailureNewHooksAreRefused) {
  open_with_webhook();
  add_hook();
  store_.fail_commits();
  EXPECT_EQ(refusal_of(answer(publish())), base::ErrorCode::kUnavailable);
  EXPECT_EQ(refusal_of(answer(call_hook("{}"))), base::ErrorCode::kUnavailable);
  EXPECT_TRUE(outlet_.starts.empty());
}

}  // namespace
}  // namespace triggerd::app
