// Each checker is shown a violation and must object; and the same story without it, and must not.
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/checkers/accounted.h"
#include "tests/sim/checkers/durability.h"
#include "tests/sim/checkers/pace.h"
#include "tests/sim/checkers/recovery.h"
#include "tests/sim/checkers/repeats.h"
#include "tests/sim/checkers/replies.h"
#include "tests/sim/checkers/settings.h"
#include "tests/sim/checkers/targets.h"
#include "tests/sim/checkers_fixture.h"

namespace triggerd::sim {
namespace {

TEST_F(CheckersTest, AccountedAcceptsADeliveryThatSucceeded) {
  Accounted checker(scene());
  emit(checker, {model::PutEvent{event(1)}});
  commit(checker);
  finish(checker, call(1, 1), 200);
  emit(checker, {ended(1, 1, model::DeliveryState::kDelivered)});
  commit(checker);
  checker.drained(now_);
  EXPECT_EQ(objection(), "");
}

TEST_F(CheckersTest, AccountedObjectsToADeliveryThatNeverEnds) {
  Accounted checker(scene());
  emit(checker, {model::PutEvent{event(1)}});
  commit(checker);
  checker.drained(now_);
  EXPECT_THAT(objection(), HasSubstr("without a final state"));
}

TEST_F(CheckersTest, AccountedObjectsToAnAcceptedEventThatIsLost) {
  Accounted checker(scene());
  handle(checker, 1, model::PublishEvents{kOrg, {}});
  release(checker, published(1, 1));
  EXPECT_THAT(objection(), HasSubstr("not in the store"));
}

TEST_F(CheckersTest, AccountedObjectsToStatesWithoutACause) {
  const std::vector<std::pair<model::DeliveryState, const char*>> cases = {
      {model::DeliveryState::kDelivered, "without a 2xx"},
      {model::DeliveryState::kDead, "given up after attempt 2, and its schedule has more"},
      {model::DeliveryState::kCancelled, "nobody deleted"},
  };
  for (const auto& [state, words] : cases) {
    Verdict verdict;
    Accounted checker({durable_, options_, false, verdict});
    emit(checker, {ended(1, 2, state)});
    EXPECT_THAT(verdict.objection().value_or(""), HasSubstr(words));
  }
}

TEST_F(CheckersTest, DurabilityObjectsToAReplyBeforeItsBatch) {
  Durability checker(scene());
  handle(checker, 1, model::PublishEvents{kOrg, {}});
  emit(checker, {model::PutEvent{event(1)}}, {published(1, 1)});
  release(checker, published(1, 1));
  EXPECT_THAT(objection(), HasSubstr("reveals batch 1"));
}

TEST_F(CheckersTest, DurabilityAcceptsAReplyBehindItsBatch) {
  Durability checker(scene());
  handle(checker, 1, model::PublishEvents{kOrg, {}});
  emit(checker, {model::PutEvent{event(1)}}, {published(1, 1)});
  commit(checker);
  release(checker, published(1, 1));
  EXPECT_EQ(objection(), "");
}

TEST_F(CheckersTest, DurabilityObjectsToAReadThatShowsAnUnsyncedChange) {
  Durability checker(scene());
  emit(checker, {model::PutWebhook{webhook_}});
  commit(checker);
  emit(checker, {model::PutWebhook{webhook_}});
  handle(checker, 1, model::GetWebhook{kOrg, webhook_->id});
  const model::SendReply shown{model::RequestId(1), model::WebhookReply{webhook_}};
  emit(checker, {}, {shown});
  release(checker, shown);
  EXPECT_THAT(objection(), HasSubstr("reveals batch 2"));
}

TEST_F(CheckersTest, DurabilityObjectsToACallOfAnEventThatIsNotStored) {
  Durability checker(scene());
  emit(checker, {model::PutWebhook{webhook_}});
  commit(checker);
  release(checker, call(1, 1));
  EXPECT_THAT(objection(), HasSubstr("called out and not stored"));
}

TEST_F(CheckersTest, TargetsObjectsToAMatchWithoutTheTrigger) {
  Targets checker(scene());
  emit(checker, {model::PutWebhook{webhook_}, model::PutEvent{event(1)}});
  EXPECT_THAT(objection(), HasSubstr("without the trigger"));
}

TEST_F(CheckersTest, TargetsObjectsToAWebhookThatIsMissed) {
  Targets checker(scene());
  emit(checker,
       {model::PutWebhook{webhook_}, model::PutTrigger{trigger_}, model::PutEvent{event(1, {})}});
  EXPECT_THAT(objection(), HasSubstr("misses webhook 3"));
}

TEST_F(CheckersTest, TargetsObjectsToACallAfterTheRemovalWasAcknowledged) {
  Targets checker(scene());
  emit(checker,
       {model::PutWebhook{webhook_}, model::PutTrigger{trigger_}, model::PutEvent{event(1)}});
  handle(checker, 1, model::RemoveTrigger{kOrg, webhook_->id, "event", kName});
  const model::SendReply done{model::RequestId(1), model::Done{}};
  emit(checker, {model::EraseTrigger{trigger_}}, {done});
  release(checker, call(1, 1));
  EXPECT_EQ(objection(), "");  // not acknowledged yet
  release(checker, done);
  release(checker, call(2, 1));
  EXPECT_THAT(objection(), HasSubstr("after its trigger was removed"));
}

// Its number is given out again.
TEST_F(CheckersTest, TargetsForgetsAGenerationThatWasLost) {
  Targets checker(scene());
  emit(checker, {model::PutWebhook{webhook_}});
  commit(checker);
  emit(checker, {model::PutTrigger{trigger_}, model::EraseTrigger{trigger_}});
  checker.restarted({now_, std::nullopt, ""});
  handle(checker, 1, model::RemoveTrigger{kOrg, webhook_->id, "event", kName});
  model::Trigger other = trigger_;
  other.name = "PersonDeleted_v1";
  const model::SendReply done{model::RequestId(1), model::Done{}};
  emit(checker, {model::PutTrigger{other}}, {done});
  release(checker, done);
  release(checker, call(1, 1));
  EXPECT_EQ(objection(), "");
}

TEST_F(CheckersTest, TargetsObjectsToACallOfAWebhookThatIsGone) {
  Targets checker(scene());
  emit(checker, {model::PutWebhook{webhook_}});
  finish(checker, call(1, 1), 410);
  emit(checker, {}, {call(2, 2)});
  EXPECT_THAT(objection(), HasSubstr("though it is gone"));
}

TEST_F(CheckersTest, TargetsAllowsAWebhookThatMovedAwayFromWhatIsGone) {
  Targets checker(scene());
  emit(checker, {model::PutWebhook{webhook_}});
  model::Webhook moved = *webhook_;
  moved.target_url += "/elsewhere";
  emit(checker, {model::PutWebhook{std::make_shared<const model::Webhook>(moved)}});
  finish(checker, call(1, 1), 410);
  emit(checker, {}, {call(2, 2)});
  EXPECT_EQ(objection(), "");
}

TEST_F(CheckersTest, RecoveryObjectsToAnotherState) {
  Recovery checker(scene());
  checker.restarted({now_, "a\nb 1\n", "a\nb 1\n"});
  EXPECT_EQ(objection(), "");
  checker.restarted({now_, std::nullopt, "whatever"});
  EXPECT_EQ(objection(), "");
  checker.restarted({now_, "a\nb 1\nc\n", "a\nb 2\nc\n"});
  EXPECT_THAT(objection(), HasSubstr("b 2\n  instead of\n    b 1"));
}

TEST_F(CheckersTest, RecoveryObjectsToAMissingOrAddedEnd) {
  Verdict shorter;
  Recovery({durable_, options_, false, shorter}).restarted({now_, "a\nb\n", "a\n"});
  EXPECT_TRUE(shorter.objection());
  Verdict longer;
  Recovery({durable_, options_, false, longer}).restarted({now_, "a\n", "a\nb\n"});
  EXPECT_TRUE(longer.objection());
}

TEST_F(CheckersTest, PaceObjectsToARetryBeforeItsTime) {
  Pace checker(scene());
  release(checker, call(1, 1));
  finish(checker, call(1, 1), 500);
  pass(seconds(7));  // 10 s less 20 % are due
  emit(checker, {}, {call(2, 1, 2)});
  EXPECT_THAT(objection(), HasSubstr("before it is due"));
}

TEST_F(CheckersTest, PaceAcceptsARetryWithinTheJitter) {
  Pace checker(scene());
  release(checker, call(1, 1));
  finish(checker, call(1, 1), 500);
  pass(seconds(8));
  emit(checker, {}, {call(2, 1, 2)});
  EXPECT_EQ(objection(), "");
}

TEST_F(CheckersTest, PaceObjectsToARetryBeforeRetryAfter) {
  Pace checker(scene());
  release(checker, call(1, 1));
  model::Outcome outcome;
  outcome.kind = model::OutcomeClass::kHttpError;
  outcome.http_status = 429;
  outcome.retry_after = seconds(60);
  checker.finished({call(1, 1), outcome, now_});
  pass(seconds(59));
  emit(checker, {}, {call(2, 1, 2)});
  EXPECT_THAT(objection(), HasSubstr("before it is due"));
}

TEST_F(CheckersTest, PaceRemembersDueTimesAcrossARestart) {
  Pace checker(scene());
  model::PendingEntry entry;
  entry.webhook = kRef;
  entry.state = model::DeliveryState::kDelayed;
  entry.due = now_.wall + seconds(30);
  model::PendingChunk chunk;
  chunk.seq = model::EventSeq(1);
  chunk.entries.push_back(entry);
  emit(checker, {model::PutPending{chunk}});
  commit(checker);
  checker.restarted({now_, std::nullopt, ""});
  pass(seconds(29));
  emit(checker, {}, {call(1, 1, 2)});
  EXPECT_THAT(objection(), HasSubstr("before it is due"));
}

TEST_F(CheckersTest, PaceObjectsToADueTimeStoredTooEarly) {
  Pace checker(scene());
  release(checker, call(1, 1));
  finish(checker, call(1, 1), 500);
  model::PendingEntry entry;
  entry.webhook = kRef;
  entry.state = model::DeliveryState::kDelayed;
  entry.attempts = 1;
  entry.due = now_.wall + seconds(3);
  model::PendingChunk chunk;
  chunk.seq = model::EventSeq(1);
  chunk.entries.push_back(entry);
  emit(checker, {model::PutPending{chunk}});
  EXPECT_THAT(objection(), HasSubstr("too early"));
}

TEST_F(CheckersTest, PaceObjectsToMoreCallsThanTheCaps) {
  options_.in_flight_per_host = 1;
  Pace checker(scene());
  release(checker, call(1, 1));
  EXPECT_EQ(objection(), "");
  release(checker, call(2, 2));
  EXPECT_THAT(objection(), HasSubstr("too many calls in flight to "));
}

TEST_F(CheckersTest, SettingsObjectsToMoreCallsThanTheWebhookTakes) {
  Settings checker(scene());
  emit(checker, {model::PutWebhook{webhook_}}, {call(1, 1)});
  EXPECT_EQ(objection(), "");
  emit(checker, {}, {call(2, 2)});
  EXPECT_THAT(objection(), HasSubstr("is more than the webhook takes at once"));
}

TEST_F(CheckersTest, RepliesObjectsToTwoNoneOrUnwantedReplies) {
  const model::SendReply done{model::RequestId(1), model::Done{}};
  {
    Verdict verdict;
    Replies checker({durable_, options_, false, verdict});
    handle(checker, 1, model::ListOrganizations{});
    emit(checker, {}, {done});
    EXPECT_FALSE(verdict.objection());
    emit(checker, {}, {done});
    EXPECT_THAT(verdict.objection().value_or(""), HasSubstr("answered twice"));
  }
  {
    Verdict verdict;
    Replies checker({durable_, options_, false, verdict});
    handle(checker, 1, model::ListOrganizations{});
    checker.drained(now_);
    EXPECT_THAT(verdict.objection().value_or(""), HasSubstr("has no reply"));
  }
  {
    Verdict verdict;
    Replies checker({durable_, options_, false, verdict});
    handle(checker, 1, model::ListOrganizations{});
    checker.abandoned(model::RequestId(1));
    emit(checker, {}, {done});
    EXPECT_THAT(verdict.objection().value_or(""), HasSubstr("nobody waits"));
  }
}

TEST_F(CheckersTest, RepliesObjectsToAnEventAcceptedTwiceInTheWindow) {
  Replies checker(scene());
  emit(checker, {model::PutEvent{event(1)}});
  auto again = std::make_shared<model::Event>(*event(1));
  again->seq = model::EventSeq(2);
  pass(std::chrono::hours(25));
  emit(checker, {model::PutEvent{again}});
  EXPECT_EQ(objection(), "");
  pass(std::chrono::hours(23));
  emit(checker, {model::PutEvent{again}});
  EXPECT_THAT(objection(), HasSubstr("accepted twice"));
}

TEST_F(CheckersTest, RepliesObjectsToASecondCallWithoutFaults) {
  Replies checker(scene(/*fault_free=*/true));
  release(checker, call(1, 1));
  EXPECT_EQ(objection(), "");
  release(checker, call(2, 1, 2));
  EXPECT_THAT(objection(), HasSubstr("called twice"));
}

TEST_F(CheckersTest, RepeatsObjectsToARepetitionWithoutACrash) {
  Repeats checker(scene());
  emit(checker, {}, {call(1, 1)});
  finish(checker, call(1, 1), 200);
  emit(checker, {}, {call(2, 1, 2)});
  EXPECT_THAT(objection(), HasSubstr("the delivery was over"));
}

TEST_F(CheckersTest, RepeatsObjectsToTwoCallsAtOnce) {
  Repeats checker(scene());
  emit(checker, {}, {call(1, 1)});
  emit(checker, {}, {call(2, 1)});
  EXPECT_THAT(objection(), HasSubstr("another is in flight"));
}

TEST_F(CheckersTest, RepeatsAllowsWhatWasInFlightAtACrash) {
  Repeats checker(scene());
  emit(checker, {}, {call(1, 1)});
  checker.restarted({now_, std::nullopt, ""});
  emit(checker, {}, {call(1, 1)});
  EXPECT_EQ(objection(), "");
  EXPECT_EQ(checker.repeated(), 1U);
}

TEST_F(CheckersTest, RepeatsObjectsToACallWhoseOutcomeWasDurable) {
  Repeats checker(scene());
  emit(checker, {}, {call(1, 1)});
  finish(checker, call(1, 1), 500);
  emit(checker, {ended(1, 1, model::DeliveryState::kDelayed)});
  commit(checker);
  checker.restarted({now_, std::nullopt, ""});
  emit(checker, {}, {call(1, 1, 1)});
  EXPECT_THAT(objection(), HasSubstr("where 2 was next"));
}

}  // namespace
}  // namespace triggerd::sim
