// The live feed as an I/O thread gets it: nothing before it is durable, everything after it once.
#include <string>
#include <vector>

#include "tests/app/partition_fixture.h"

namespace triggerd::app {
namespace {

constexpr unsigned kThread = 3;

class PartitionFeedTest : public PartitionTest {
 protected:
  void watch(std::uint64_t number = 1) { partition_->watch(kThread, kOrgId, number); }
  void await_begun(std::size_t count) {
    EXPECT_TRUE(pump_until(loop_, [&] { return outlet_.begun_feeds.size() >= count; }));
  }
  std::vector<std::uint64_t> events_told() {
    std::vector<std::uint64_t> seqs;
    for (const model::FedItem& item : outlet_.fed_items) {
      if (const auto* event = std::get_if<model::EventPtr>(&item)) {
        seqs.push_back((*event)->seq.value());
      }
    }
    return seqs;
  }
  std::vector<const model::FedDelivery*> deliveries_told() {
    std::vector<const model::FedDelivery*> told;
    for (const model::FedItem& item : outlet_.fed_items) {
      if (const auto* delivery = std::get_if<model::FedDelivery>(&item)) told.push_back(delivery);
    }
    return told;
  }
  model::EventsAfterReply events_after(std::uint64_t after) {
    const model::Reply* reply = ask(model::ReadEventsAfter{kOrgId, model::EventSeq(after)});
    const auto* page = reply == nullptr ? nullptr : std::get_if<model::EventsAfterReply>(reply);
    EXPECT_NE(page, nullptr);
    return page == nullptr ? model::EventsAfterReply() : *page;
  }
};

TEST_F(PartitionFeedTest, TellsEventsAndOutcomesOnceTheyAreDurable) {
  open_with_webhook();
  watch();
  await_begun(1);
  EXPECT_EQ(outlet_.begun_feeds[0].number, 1U);
  const std::uint64_t from = outlet_.begun_feeds[0].from.value();

  store_.hold_commits();
  const std::size_t begun = store_.commits_begun();
  const model::RequestId published = publish();
  await_commit_begun(begun + 1);
  pump(loop_);
  EXPECT_TRUE(outlet_.fed_items.empty()) << "told before it is durable";
  store_.release_commits();
  EXPECT_FALSE(refusal_of(answer(published)));
  ASSERT_TRUE(pump_until(loop_, [&] { return !outlet_.fed_items.empty(); }));
  ASSERT_EQ(events_told().size(), 1U);
  EXPECT_GT(events_told()[0], from);

  ASSERT_TRUE(pump_until(loop_, [&] { return outlet_.starts.size() == 1; }));
  model::Outcome bad = outcome(503);
  bad.answer = "a secret of the receiver";
  partition_->finish(outlet_.starts[0].id, bad);
  ASSERT_TRUE(pump_until(loop_, [&] { return !deliveries_told().empty(); }));
  const model::FedDelivery& told = *deliveries_told()[0];
  EXPECT_EQ(told.attempt.event_id, last_event_);
  EXPECT_EQ(told.attempt.outcome.http_status, 503);
  EXPECT_EQ(told.attempt.outcome.answer, "");
  EXPECT_EQ(told.attempt.state_after, model::DeliveryState::kDelayed);
  EXPECT_EQ(told.webhook, outlet_.starts[0].webhook->id);
}

TEST_F(PartitionFeedTest, AWatchBeginsBehindWhatWasAcceptedAndWaitsForIt) {
  open_with_webhook();
  store_.hold_commits();
  const std::size_t begun = store_.commits_begun();
  publish();
  await_commit_begun(begun + 1);
  publish();  // in the batch after
  pump(loop_);
  watch();
  const model::RequestId last = publish();
  pump(loop_);
  EXPECT_TRUE(outlet_.begun_feeds.empty());
  store_.release_commits();
  EXPECT_FALSE(refusal_of(answer(last)));
  await_begun(1);
  const std::uint64_t from = outlet_.begun_feeds[0].from.value();
  ASSERT_TRUE(pump_until(loop_, [&] { return !events_told().empty(); }));
  EXPECT_EQ(events_told(), std::vector<std::uint64_t>({from + 1}));

  const model::EventsAfterReply before = events_after(0);
  ASSERT_EQ(before.events.size(), 3U);
  EXPECT_EQ(before.events[1]->seq.value(), from);
  EXPECT_EQ(before.through, before.newest);
  EXPECT_EQ(before.newest.value(), from + 1);
}

TEST_F(PartitionFeedTest, NobodyElseIsTold) {
  open_with_webhook();
  publish();
  partition_->watch(kThread, *model::OrgId::parse("0190a6e0-2222-7000-8000-000000000001"), 1);
  await_begun(1);
  EXPECT_FALSE(refusal_of(answer(publish())));
  watch(2);
  await_begun(2);
  partition_->unwatch(kThread, kOrgId);
  EXPECT_FALSE(refusal_of(answer(publish())));
  pump(loop_);
  EXPECT_TRUE(outlet_.fed_items.empty());
}

TEST_F(PartitionFeedTest, AfterARestartItGoesOnBehindWhatIsStored) {
  open_with_webhook();
  EXPECT_FALSE(refusal_of(answer(publish())));
  EXPECT_FALSE(refusal_of(answer(publish())));
  const model::EventsAfterReply before = events_after(0);
  ASSERT_EQ(before.events.size(), 2U);
  reopen();
  watch();
  await_begun(1);
  EXPECT_GE(outlet_.begun_feeds[0].from, before.events[1]->seq);
  EXPECT_FALSE(refusal_of(answer(publish())));
  ASSERT_TRUE(pump_until(loop_, [&] { return !events_told().empty(); }));
  EXPECT_GT(events_told()[0], outlet_.begun_feeds[0].from.value());
  const model::EventsAfterReply after = events_after(before.events[1]->seq.value());
  ASSERT_EQ(after.events.size(), 1U);
  EXPECT_EQ(after.events[0]->seq.value(), events_told()[0]);
}

TEST_F(PartitionFeedTest, AFailedCommitTellsNothing) {
  open_with_webhook();
  watch();
  await_begun(1);
  store_.fail_commits();
  EXPECT_EQ(refusal_of(answer(publish())), base::ErrorCode::kUnavailable);
  pump(loop_);
  EXPECT_TRUE(outlet_.fed_items.empty());
  EXPECT_EQ(refusal_of(ask(model::ReadEventsAfter{kOrgId, model::EventSeq(0)})),
            base::ErrorCode::kUnavailable);
}

TEST_F(PartitionFeedTest, CallsOfHooksAreOutcomesAndNoEvents) {
  open_with_webhook();
  add_hook();
  watch();
  await_begun(1);
  const std::size_t before = outlet_.starts.size();
  const model::RequestId call = call_hook("{}");
  partition_->let_out_at_once();
  ASSERT_TRUE(pump_until(loop_, [&] { return outlet_.starts.size() > before; }));
  partition_->finish(outlet_.starts.back().id, outcome(200));
  EXPECT_NE(answer(call), nullptr);
  ASSERT_TRUE(pump_until(loop_, [&] { return !deliveries_told().empty(); }));
  EXPECT_EQ(deliveries_told()[0]->attempt.trigger_type, model::TriggerType::kSyncHook);
  EXPECT_EQ(deliveries_told()[0]->attempt.event_name, "token_minted");
  EXPECT_TRUE(events_told().empty());
  EXPECT_TRUE(events_after(0).events.empty());
}

}  // namespace
}  // namespace triggerd::app
