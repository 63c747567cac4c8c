#include "engine/core/publish_waits.h"

#include <chrono>
#include <variant>

#include <gtest/gtest.h>

namespace triggerd::core {
namespace {

using model::EventSeq;
using model::OutcomeClass;
using model::RequestId;
using std::chrono::seconds;

class PublishWaitsTest : public ::testing::Test {
 protected:
  // `events` of so many deliveries each; their sequences follow from the request's number.
  void add(std::uint64_t request, std::size_t events, std::size_t deliveries,
           base::Duration wait = seconds(10)) {
    model::PublishReply reply;
    reply.waited_for = wait;
    std::vector<EventSeq> accepted;
    for (std::size_t i = 0; i < events; ++i) {
      model::PublishedEvent event;
      event.webhooks = static_cast<std::uint32_t>(deliveries);
      event.deliveries.resize(deliveries);
      reply.events.push_back(std::move(event));
      accepted.push_back(seq(request, i));
    }
    waits_.add(RequestId(request), std::move(reply), std::move(accepted), wait, now_);
  }
  static EventSeq seq(std::uint64_t request, std::size_t event = 0) {
    return EventSeq(request * 10'000 + event + 1);
  }
  void over(EventSeq event, std::uint32_t match, std::uint16_t status = 200) {
    waits_.over(event, match, status == 200 ? OutcomeClass::kOk : OutcomeClass::kHttpError, status);
  }
  // The requests answered since the last call, in order; the last answer is in reply_.
  std::vector<std::uint64_t> answered() {
    std::vector<std::uint64_t> ids;
    for (model::Effect& effect : outbox_.take().effects) {
      auto& sent = std::get<model::SendReply>(effect.what);
      ids.push_back(sent.request.value());
      rests_on_ = effect.rests_on;
      reply_ = std::move(std::get<model::PublishReply>(sent.reply));
    }
    return ids;
  }
  void pass(base::Duration time) {
    now_.mono += time;
    waits_.advance(now_);
  }
  using Ids = std::vector<std::uint64_t>;

  base::Now now_{base::MonoTime(std::chrono::hours(1)), base::WallTime(std::chrono::hours(1))};
  Outbox outbox_;
  PublishWaits waits_{{3, 6}, outbox_};
  model::PublishReply reply_;
  model::BatchSeq rests_on_{0};
};

TEST_F(PublishWaitsTest, AnswersWhenAllAreOverAndForgetsThem) {
  add(1, 2, 2);
  EXPECT_EQ(waits_.next_deadline(), now_.mono + seconds(10));
  over(seq(1, 1), 1, 503);
  over(seq(1, 0), 0);
  over(seq(1, 0), 1);
  EXPECT_EQ(answered(), Ids{});
  over(seq(1, 1), 0);
  EXPECT_EQ(answered(), Ids{1});
  ASSERT_EQ(reply_.events.size(), 2U);
  EXPECT_TRUE(reply_.events[0].deliveries[1].is_over);
  EXPECT_EQ(reply_.events[1].deliveries[0].outcome, OutcomeClass::kOk);
  EXPECT_EQ(reply_.events[1].deliveries[1].outcome, OutcomeClass::kHttpError);
  EXPECT_EQ(reply_.events[1].deliveries[1].http_status, 503);
  EXPECT_EQ(waits_.publishes(), 0U);
  EXPECT_EQ(waits_.deliveries(), 0U);
  EXPECT_EQ(waits_.next_deadline(), std::nullopt);
  over(seq(1, 1), 0);
  pass(seconds(20));
  EXPECT_EQ(answered(), Ids{});
}

TEST_F(PublishWaitsTest, AnAnswerRestsOnTheBatchThatHoldsWhatItTells) {
  add(1, 1, 1);
  outbox_.put(model::PutAttempt{});
  over(seq(1), 0);
  EXPECT_EQ(answered(), Ids{1});
  EXPECT_EQ(rests_on_, model::BatchSeq(1));
}

TEST_F(PublishWaitsTest, OneDeliveryIsOverOnce) {
  add(1, 1, 2);
  over(seq(1), 0, 503);
  over(seq(1), 0, 200);
  EXPECT_EQ(answered(), Ids{});
  over(seq(1), 1);
  EXPECT_EQ(answered(), Ids{1});
  EXPECT_EQ(reply_.events[0].deliveries[0].http_status, 503);
}

TEST_F(PublishWaitsTest, AnswersAtTheDeadlineWithWhatIsKnown) {
  add(1, 1, 2, seconds(5));
  add(2, 1, 2, seconds(3));
  over(seq(1), 1);
  pass(seconds(3) - base::Duration(1));
  EXPECT_EQ(answered(), Ids{});
  pass(base::Duration(1));
  EXPECT_EQ(answered(), Ids{2});
  pass(seconds(2));
  EXPECT_EQ(answered(), Ids{1});
  EXPECT_FALSE(reply_.events[0].deliveries[0].is_over);
  EXPECT_TRUE(reply_.events[0].deliveries[1].is_over);
}

TEST_F(PublishWaitsTest, EventsWithoutDeliveriesAreNotWatched) {
  model::PublishReply reply;
  reply.events.resize(3);
  reply.events[1].deliveries.resize(1);
  waits_.add(RequestId(1), std::move(reply), {EventSeq(0), EventSeq(7), EventSeq(8)}, seconds(1),
             now_);
  EXPECT_EQ(waits_.deliveries(), 1U);
  over(EventSeq(7), 0);
  EXPECT_EQ(answered(), Ids{1});
}

TEST_F(PublishWaitsTest, HasRoomForSoManyPublishesAndSoManyDeliveries) {
  EXPECT_TRUE(waits_.has_room(6));
  EXPECT_FALSE(waits_.has_room(7));
  add(1, 1, 4);
  EXPECT_TRUE(waits_.has_room(2));
  EXPECT_FALSE(waits_.has_room(3));
  add(2, 1, 1);
  add(3, 1, 1);
  EXPECT_FALSE(waits_.has_room(0));  // three publishes
  waits_.cancel(RequestId(1));
  EXPECT_TRUE(waits_.has_room(4));
  EXPECT_EQ(answered(), Ids{});
  over(seq(1), 0);  // of one that went away
  waits_.cancel(RequestId(99));
  EXPECT_EQ(waits_.publishes(), 2U);
}

TEST_F(PublishWaitsTest, AStopAnswersAllAndLeavesNoRoom) {
  add(1, 1, 1, seconds(9));
  add(2, 1, 1, seconds(8));
  waits_.stop();
  EXPECT_EQ(answered(), (Ids{2, 1}));
  EXPECT_FALSE(waits_.has_room(0));
  EXPECT_EQ(waits_.next_deadline(), std::nullopt);
}

TEST_F(PublishWaitsTest, ATurnAnswersABoundedNumberAndTheNextTheRest) {
  PublishWaits many({20, 20 * model::kEventsPerBatchMax}, outbox_);
  for (std::uint64_t request = 1; request <= 6; ++request) {
    model::PublishReply reply;
    reply.events.resize(model::kEventsPerBatchMax);
    std::vector<EventSeq> accepted;
    for (std::size_t i = 0; i < model::kEventsPerBatchMax; ++i) {
      reply.events[i].deliveries.resize(1);
      accepted.push_back(seq(request, i));
    }
    many.add(RequestId(request), std::move(reply), std::move(accepted), seconds(1), now_);
  }
  now_.mono += seconds(1);
  many.advance(now_);
  EXPECT_EQ(answered(), (Ids{1, 2, 3, 4, 5}));
  EXPECT_LE(*many.next_deadline(), now_.mono);
  many.advance(now_);
  EXPECT_EQ(answered(), Ids{6});
}

}  // namespace
}  // namespace triggerd::core
