// The checker of isolation is shown histories that break its rules, and some that only look so.
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/checkers/isolation.h"
#include "tests/sim/checkers_fixture.h"

namespace triggerd::sim {
namespace {

// Webhooks with one call at a time to hosts of their own, and what becomes of their calls.
class IsolationTest : public CheckersTest {
 protected:
  IsolationTest() {
    options_.isolation.breaker = {3, seconds(2), seconds(8), 0};
    options_.isolation.in_flight_start = 4;
    options_.in_flight_per_webhook = 4;
    options_.in_flight_per_host = 8;
  }

  [[nodiscard]] model::PutWebhook webhook(std::uint32_t ref, std::uint8_t org = 1) {
    auto made = std::make_shared<model::Webhook>(*webhook_);
    made->ref = model::WebhookRef(ref);
    made->org = id_of<model::OrgId>(org);
    made->target_url = "https://h" + std::to_string(ref) + ".example.com/w";
    return model::PutWebhook{webhooks_[ref] = made};
  }
  [[nodiscard]] model::StartAttempt call_to(std::uint32_t ref, std::uint8_t event_number,
                                            std::uint16_t number = 1) {
    model::StartAttempt start = call(++last_call_, event_number, number);
    start.webhook = webhooks_[ref];
    return start;
  }
  [[nodiscard]] model::PutEvent accepted(std::uint8_t number, std::uint32_t ref) const {
    return model::PutEvent{event(number, {{model::WebhookRef(ref), kGeneration}})};
  }
  // A call that begins and is over, with time passing between them.
  void call_and_finish(Isolation& checker, std::uint32_t ref, std::uint16_t status,
                       std::uint16_t number = 1) {
    const model::StartAttempt start = call_to(ref, 100, number);
    emit(checker, {}, {start});
    pass(std::chrono::milliseconds(10));
    finish(checker, start, status);
    pass(std::chrono::milliseconds(10));
  }
  void open(Isolation& checker) {
    emit(checker, {webhook(3)});
    pass(seconds(1));
    for (int i = 0; i < 3; ++i) call_and_finish(checker, 3, 500);
  }

  std::map<std::uint32_t, model::WebhookPtr> webhooks_;
  std::uint64_t last_call_ = 0;
};

TEST_F(IsolationTest, ObjectsToACallOfAReceiverThatIsToBeLeftAlone) {
  Isolation checker(scene());
  open(checker);
  pass(seconds(1));
  EXPECT_EQ(objection(), "");
  call_and_finish(checker, 3, 200);
  EXPECT_THAT(objection(), HasSubstr("called though it was to be left alone"));
}

TEST_F(IsolationTest, AcceptsOneProbeThenCallsWhenItSucceeds) {
  Isolation checker(scene());
  open(checker);
  pass(seconds(2));
  call_and_finish(checker, 3, 200);
  for (int i = 0; i < 4; ++i) emit(checker, {}, {call_to(3, 1)});
  EXPECT_EQ(objection(), "");
  EXPECT_EQ(checker.openings(), 1U);
  EXPECT_EQ(checker.probes(), 1U);
}

TEST_F(IsolationTest, ObjectsToACallBesideTheProbe) {
  Isolation checker(scene());
  open(checker);
  pass(seconds(2));
  emit(checker, {}, {call_to(3, 1), call_to(3, 2)});
  EXPECT_THAT(objection(), HasSubstr("beside the probe"));
}

TEST_F(IsolationTest, ObjectsToAProbeThatFollowsAFailedOneTooSoon) {
  Isolation checker(scene());
  open(checker);
  pass(seconds(2));
  call_and_finish(checker, 3, 500);
  pass(seconds(3));  // four are due
  emit(checker, {}, {call_to(3, 1)});
  EXPECT_THAT(objection(), HasSubstr("called though it was to be left alone"));
}

TEST_F(IsolationTest, ObjectsToACallOfAnotherDeliveryBeforeRetryAfter) {
  Isolation checker(scene());
  emit(checker, {webhook(3)});
  pass(seconds(1));
  const model::StartAttempt start = call_to(3, 1);
  emit(checker, {}, {start});
  model::Outcome outcome;
  outcome.kind = model::OutcomeClass::kHttpError;
  outcome.http_status = 429;
  outcome.retry_after = seconds(60);
  checker.finished({start, outcome, now_});
  pass(seconds(59));
  emit(checker, {}, {call_to(3, 2)});
  EXPECT_THAT(objection(), HasSubstr("called though it was to be left alone"));
}

TEST_F(IsolationTest, AnotherTargetIsAnotherReceiver) {
  Isolation checker(scene());
  open(checker);
  model::PutWebhook moved = webhook(3);
  auto elsewhere = std::make_shared<model::Webhook>(*moved.webhook);
  elsewhere->target_url += "/elsewhere";
  webhooks_[3] = elsewhere;
  emit(checker, {model::PutWebhook{elsewhere}});
  pass(std::chrono::milliseconds(1));
  emit(checker, {}, {call_to(3, 1)});
  EXPECT_EQ(objection(), "");
}

TEST_F(IsolationTest, ObjectsToAsManyCallsAsBeforeAfterATimeout) {
  options_.isolation.breaker.failures_to_open = 0;
  Isolation checker(scene());
  emit(checker, {webhook(3)});
  pass(seconds(1));
  std::vector<model::StartAttempt> calls;
  for (std::uint8_t i = 0; i < 4; ++i) {
    calls.push_back(call_to(3, i));
    emit(checker, {}, {calls.back()});
  }
  EXPECT_EQ(objection(), "");
  model::Outcome timeout;
  timeout.kind = model::OutcomeClass::kTimeout;
  pass(seconds(1));
  for (const model::StartAttempt& each : calls) checker.finished({each, timeout, now_});
  pass(seconds(9));
  emit(checker, {}, {call_to(3, 5)});
  emit(checker, {}, {call_to(3, 6)});
  emit(checker, {}, {call_to(3, 7)});
  EXPECT_THAT(objection(), HasSubstr("more at once than it can take"));
}

TEST_F(IsolationTest, ObjectsToAnOrganizationThatIsPassedOver) {
  Isolation checker(scene());
  emit(checker, {webhook(3), webhook(4, 2), webhook(5, 2)});
  pass(seconds(2));
  emit(checker, {accepted(1, 3)});
  for (std::uint32_t i = 0; i < 20; ++i) call_and_finish(checker, 4 + i % 2, 200);
  EXPECT_EQ(objection(), "");
  for (std::uint32_t i = 0; i < 20; ++i) call_and_finish(checker, 4 + i % 2, 200);
  EXPECT_THAT(objection(), HasSubstr("webhook 3 is passed over for too long"));
}

TEST_F(IsolationTest, WhoCannotStartIsNotPassedOver) {
  Isolation checker(scene());
  model::PutWebhook paused = webhook(3);
  auto still = std::make_shared<model::Webhook>(*paused.webhook);
  still->state = model::WebhookState::kPaused;
  emit(checker, {model::PutWebhook{still}, webhook(4, 2)});
  pass(seconds(2));
  emit(checker, {accepted(1, 3)});
  for (int i = 0; i < 200; ++i) call_and_finish(checker, 4, 200);
  EXPECT_EQ(objection(), "");
}

TEST_F(IsolationTest, ObjectsToRetriesInPlaceOfFirstAttempts) {
  Isolation checker(scene());
  for (std::uint32_t ref = 3; ref <= 30; ++ref) emit(checker, {webhook(ref)});
  pass(seconds(2));
  emit(checker, {accepted(1, 3)});
  // More webhooks than that have to be waited for: no single one is passed over for too long yet.
  for (int i = 0; i < 60; ++i) call_and_finish(checker, 4, 200, 2);
  EXPECT_EQ(objection(), "");
  for (int i = 0; i < 10; ++i) call_and_finish(checker, 4, 200, 2);
  EXPECT_THAT(objection(), HasSubstr("retries beside 0 first attempts"));
}

}  // namespace
}  // namespace triggerd::sim
