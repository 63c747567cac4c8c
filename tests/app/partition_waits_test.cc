// Publishers that wait for first attempts, through the turn.
#include <chrono>
#include <variant>

#include <gtest/gtest.h>

#include "tests/app/partition_fixture.h"

namespace triggerd::app {
namespace {

using PartitionWaitsTest = PartitionTest;

TEST_F(PartitionWaitsTest, WhoWaitsForFirstAttemptsIsToldWhatIsDurable) {
  open_with_webhook();
  const model::RequestId waiting = publish_and_wait();
  ASSERT_TRUE(pump_until(loop_, [&] { return outlet_.starts.size() == 1; }));
  store_.hold_commits();
  const std::size_t before = store_.commits_begun();
  partition_->finish(outlet_.starts[0].id, outcome(204));
  await_commit_begun(before + 1);
  pump(loop_);
  EXPECT_EQ(outlet_.find(waiting), nullptr);
  store_.release_commits();
  const model::Reply* reply = answer(waiting);
  ASSERT_NE(reply, nullptr);
  const auto& published = std::get<model::PublishReply>(*reply);
  EXPECT_EQ(published.events.at(0).deliveries.at(0).http_status, 204);
  EXPECT_EQ(published.waited_for, base::Duration(std::chrono::seconds(20)));
}

TEST_F(PartitionWaitsTest, AHoldAnswersWhoWaitsForFirstAttempts) {
  open_with_webhook();
  const model::RequestId waiting = publish_and_wait();
  ASSERT_TRUE(pump_until(loop_, [&] { return outlet_.starts.size() == 1; }));
  EXPECT_EQ(outlet_.find(waiting), nullptr);
  partition_->hold_attempts();
  const model::Reply* reply = answer(waiting);
  ASSERT_NE(reply, nullptr);
  const auto& published = std::get<model::PublishReply>(*reply);
  ASSERT_EQ(published.events.at(0).deliveries.size(), 1U);
  EXPECT_FALSE(published.events[0].deliveries[0].is_over);
  EXPECT_EQ(std::get<model::PublishReply>(*answer(publish_and_wait())).waited_for,
            base::Duration(0));
}

TEST_F(PartitionWaitsTest, AFailedCommitRefusesWhoWaitsForFirstAttempts) {
  open_with_webhook();
  const model::RequestId waiting = publish_and_wait();
  ASSERT_TRUE(pump_until(loop_, [&] { return outlet_.starts.size() == 1; }));
  EXPECT_EQ(outlet_.find(waiting), nullptr);
  store_.fail_commits();
  EXPECT_EQ(refusal_of(answer(publish())), base::ErrorCode::kUnavailable);
  EXPECT_EQ(refusal_of(answer(waiting)), base::ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace triggerd::app
