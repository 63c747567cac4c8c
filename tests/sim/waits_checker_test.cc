// As checkers_test.cc: of publishers that wait.
#include <chrono>
#include <optional>
#include <variant>

#include "tests/sim/checkers/waits.h"
#include "tests/sim/checkers_fixture.h"

namespace triggerd::sim {
namespace {

class WaitsTest : public CheckersTest {
 protected:
  // A publish of event 1 that waits is asked, accepted and durable, and its call has ended.
  void begin(std::uint16_t status = 200) {
    durable_.webhooks[kRef] = webhook_;
    model::PublishEvents asked{kOrg, {}};
    asked.events.emplace_back().id = id_of<model::EventId>(1);
    asked.wait = seconds(5);
    handle(checker_, 1, asked);
    emit(checker_, {model::PutEvent{event(1)}});
    commit(checker_);
    finish(checker_, call(1, 1), status);
    emit(checker_, {ended(1, 1, model::DeliveryState::kDelivered)});
  }
  static model::SendReply told(model::OutcomeClass outcome, std::uint16_t status) {
    model::SendReply sent = published(1, 1);
    auto& reply = std::get<model::PublishReply>(sent.reply);
    reply.waited_for = seconds(5);
    reply.events[0].deliveries = {{id_of<model::WebhookId>(2), true, outcome, status}};
    return sent;
  }

  Waits checker_{scene()};
};

TEST_F(WaitsTest, AllowsWhatHappenedOnceItIsDurable) {
  begin();
  commit(checker_);
  emit(checker_, {}, {told(model::OutcomeClass::kOk, 200)});
  release(checker_, told(model::OutcomeClass::kOk, 200));
  EXPECT_EQ(objection(), "");
}

TEST_F(WaitsTest, ObjectsToAnotherOutcome) {
  begin(503);
  commit(checker_);
  release(checker_, told(model::OutcomeClass::kOk, 200));
  EXPECT_THAT(objection(), HasSubstr("something else than is told"));
}

TEST_F(WaitsTest, ObjectsToWhatIsNotDurable) {
  begin();
  release(checker_, told(model::OutcomeClass::kOk, 200));
  EXPECT_THAT(objection(), HasSubstr("told of and not stored"));
}

TEST_F(WaitsTest, ObjectsToAnAttemptThatNeverEnded) {
  begin();
  commit(checker_);
  checker_.restarted({now_, std::nullopt, ""});
  model::PublishEvents asked{kOrg, {}};
  asked.wait = seconds(5);
  handle(checker_, 1, asked);
  release(checker_, told(model::OutcomeClass::kOk, 200));
  EXPECT_THAT(objection(), HasSubstr("never ended"));
}

TEST_F(WaitsTest, ObjectsToAnAnswerBeforeItsTime) {
  begin();
  commit(checker_);
  model::SendReply open = told(model::OutcomeClass::kOk, 200);
  std::get<model::PublishReply>(open.reply).events[0].deliveries[0].is_over = false;
  pass(seconds(5) - base::Duration(1));
  emit(checker_, {}, {open});
  EXPECT_THAT(objection(), HasSubstr("before its time"));
}

TEST_F(WaitsTest, ObjectsToAnAnswerThatIsLate) {
  begin();
  pass(seconds(5));
  emit(checker_, {});
  EXPECT_EQ(objection(), "");
  pass(seconds(1));
  emit(checker_, {});
  EXPECT_THAT(objection(), HasSubstr("waits longer"));
}

TEST_F(WaitsTest, ObjectsToAttemptsShownToWhoDidNotWait) {
  begin();
  commit(checker_);
  model::SendReply sent = told(model::OutcomeClass::kOk, 200);
  std::get<model::PublishReply>(sent.reply).waited_for = seconds(0);
  release(checker_, sent);
  EXPECT_THAT(objection(), HasSubstr("shows 1 first attempts where 0 belong"));
}

}  // namespace
}  // namespace triggerd::sim
