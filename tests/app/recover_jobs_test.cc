// Jobs that give dead deliveries again.
#include <chrono>
#include <vector>

#include <gmock/gmock.h>

#include "engine/model/event_types.h"
#include "tests/app/mending_fixture.h"

namespace triggerd::app {
namespace {

using model::DeliveryState;
using model::JobState;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RecoverJobsTest : public MendingTest {
 protected:
  std::vector<model::EventId> publish_dead(int count) {
    std::vector<model::EventId> events;
    for (int i = 0; i < count; ++i) events.push_back(publish());
    fail_until_dead();
    return events;
  }
};

TEST_F(RecoverJobsTest, GivesAllDeadOnesAgainOldestFirst) {
  const auto webhook = make_webhook();
  const auto events = publish_dead(5);
  const auto delivered = publish();
  answer_all(200);
  const model::JobId id = recover(webhook, 1000);
  EXPECT_THAT(running(), ElementsAreArray(events));
  answer_all(200);
  pass(std::chrono::seconds(1));
  const model::RecoverJob done = job(id);
  EXPECT_EQ(done.state, JobState::kFinished);
  EXPECT_EQ(done.recovered, 5U);
  EXPECT_EQ(done.skipped, 0U);
  for (const auto& event : events) EXPECT_EQ(state_of(webhook, event), DeliveryState::kDelivered);
  EXPECT_EQ(state_of(webhook, delivered), DeliveryState::kDelivered);
  EXPECT_EQ(engine_->stats().recover_jobs, 0U);
}

TEST_F(RecoverJobsTest, KeepsItsPace) {
  const auto webhook = make_webhook();
  publish_dead(25);
  const model::JobId id = recover(webhook, 10);
  EXPECT_THAT(running_, SizeIs(10));
  pass(std::chrono::milliseconds(900));
  EXPECT_EQ(job(id).recovered, 10U);
  pass(std::chrono::milliseconds(200));
  EXPECT_EQ(job(id).recovered, 20U);
  EXPECT_EQ(job(id).state, JobState::kRunning);
  pass(std::chrono::seconds(2));
  EXPECT_EQ(job(id).recovered, 25U);
  EXPECT_EQ(job(id).state, JobState::kFinished);
}

TEST_F(RecoverJobsTest, GoesOnWhereItStoppedAfterACrash) {
  const auto webhook = make_webhook();
  const auto events = publish_dead(25);
  const model::JobId id = recover(webhook, 10);
  pass(std::chrono::milliseconds(1100));
  ASSERT_EQ(job(id).recovered, 20U);
  const std::string before = engine_->durable_state();
  crash();
  // The rest is given again, and nothing twice.
  pass(std::chrono::seconds(2));
  EXPECT_EQ(job(id).recovered, 25U);
  EXPECT_EQ(job(id).skipped, 0U);
  EXPECT_EQ(job(id).state, JobState::kFinished);
  EXPECT_EQ(engine_->stats().pending, 25U);
  answer_all(200);
  pass(std::chrono::seconds(1));
  for (const auto& event : events) EXPECT_EQ(state_of(webhook, event), DeliveryState::kDelivered);
  EXPECT_THAT(before, HasSubstr("recovered 20"));
}

TEST_F(RecoverJobsTest, ACrashBetweenTheReadAndItsAnswerLosesNothing) {
  const auto webhook = make_webhook();
  const auto events = publish_dead(3);
  holds_reads_ = true;
  const model::JobId id = recover(webhook, 10);
  ASSERT_THAT(reads_, SizeIs(1));
  holds_reads_ = false;
  crash();
  pass(std::chrono::seconds(1));
  EXPECT_EQ(job(id).recovered, 3U);
  EXPECT_THAT(running(), ElementsAreArray(events));
}

TEST_F(RecoverJobsTest, WaitsWhileTheWebhookHasEnoughPending) {
  const auto webhook = make_webhook();
  publish_dead(1200);
  set_state(webhook, "paused");
  const model::JobId id = recover(webhook, model::kRecoverPerSecondMax);
  pass(std::chrono::seconds(5));
  EXPECT_GE(engine_->stats().pending, model::kRecoverPendingMax);
  EXPECT_LT(engine_->stats().pending, model::kRecoverPendingMax + model::kRecoverPageMax);
  EXPECT_EQ(job(id).state, JobState::kRunning);
  set_state(webhook, "active");
  for (int i = 0; i < 100 && job(id).state == JobState::kRunning; ++i) {
    answer_all(200);
    pass(std::chrono::milliseconds(200));
  }
  EXPECT_EQ(job(id).recovered, 1200U);
}

TEST_F(RecoverJobsTest, FillsTheRoomOfItsOrganizationAndWaitsForMore) {
  const auto webhook = make_webhook();
  publish_dead(25);
  options_.pending_per_org_max = 10;
  crash();
  const model::JobId id = recover(webhook, 1000);
  pass(std::chrono::seconds(1));
  EXPECT_EQ(job(id).recovered, 10U);
  EXPECT_EQ(engine_->stats().pending, 10U);
  answer_all(200);
  pass(std::chrono::seconds(1));
  EXPECT_EQ(job(id).recovered, 20U);
  answer_all(200);
  pass(std::chrono::seconds(1));
  EXPECT_EQ(job(id).recovered, 25U);
  EXPECT_EQ(job(id).state, JobState::kFinished);
}

TEST_F(RecoverJobsTest, SoManyAttemptsAreTheLast) {
  options_.retry_schedule.assign(19, std::chrono::seconds(1));
  crash();
  const auto webhook = make_webhook();
  const auto event = publish_dead(1).front();
  for (int attempts = 20; attempts < model::kAttemptsToReopenMax; attempts += 20) {
    EXPECT_EQ(refusal_of(retry(webhook, event)), "") << attempts;
    fail_until_dead();
  }
  EXPECT_THAT(refusal_of(retry(webhook, event)), HasSubstr("has had 200 attempts"));
  const model::JobId id = recover(webhook, 10);
  EXPECT_EQ(job(id).recovered, 0U);
  EXPECT_EQ(job(id).skipped, 1U);
}

TEST_F(RecoverJobsTest, LeavesOutWhatLiesOutsideOfItsTime) {
  const auto webhook = make_webhook();
  publish_dead(2);
  const base::WallTime since = now_.wall;
  const auto wanted = publish_dead(2);
  const base::WallTime until = now_.wall;
  publish_dead(2);
  model::StartRecovery start{kMendingOrg, webhook->id, since, until};
  EXPECT_EQ(refusal_of(ask(start)), "");
  EXPECT_THAT(running(), ElementsAreArray(wanted));
  start.until = since;
  EXPECT_EQ(code_of(ask(start)), base::ErrorCode::kInvalid);
}

TEST_F(RecoverJobsTest, CancelledOnesAreGivenAgainWhenAskedFor) {
  const auto webhook = make_webhook();
  set_state(webhook, "paused");
  const auto event = publish();
  pass(std::chrono::seconds(1));  // what comes at the very time of the job is not of before it
  set_state(webhook, "disabled");
  EXPECT_EQ(code_of(ask(model::StartRecovery{kMendingOrg, webhook->id, {}})),
            base::ErrorCode::kConflict);
  set_state(webhook, "active");
  ASSERT_EQ(state_of(webhook, event), DeliveryState::kCancelled);
  recover(webhook, 10);
  EXPECT_THAT(running(), IsEmpty());
  recover(webhook, 10, model::kRecoverCancelled);
  EXPECT_THAT(running(), ::testing::ElementsAre(event));
}

TEST_F(RecoverJobsTest, EndsWithItsWebhookAndSaysWhy) {
  const auto webhook = make_webhook();
  publish_dead(5);
  const model::JobId id = recover(webhook, 1);
  set_state(webhook, "disabled");
  pass(std::chrono::seconds(2));
  EXPECT_EQ(job(id).state, JobState::kFailed);
  EXPECT_THAT(job(id).reason, HasSubstr("disabled"));
  set_state(webhook, "active");
  const model::JobId other = recover(webhook, 1);
  ask(model::DeleteWebhook{kMendingOrg, webhook->id});
  pass(std::chrono::seconds(2));
  EXPECT_EQ(job(other).state, JobState::kFailed);
  EXPECT_THAT(job(other).reason, HasSubstr("deleted"));
}

TEST_F(RecoverJobsTest, ACancelledJobGivesNothingMore) {
  const auto webhook = make_webhook();
  publish_dead(5);
  const model::JobId id = recover(webhook, 1);
  EXPECT_EQ(refusal_of(ask(model::CancelJob{kMendingOrg, id})), "");
  pass(std::chrono::seconds(5));
  EXPECT_EQ(job(id).state, JobState::kCancelled);
  EXPECT_EQ(job(id).recovered, 1U);
  EXPECT_EQ(refusal_of(ask(model::CancelJob{kMendingOrg, id})), "");
  EXPECT_EQ(code_of(ask(model::CancelJob{kMendingOrg, model::JobId()})),
            base::ErrorCode::kNotFound);
}

TEST_F(RecoverJobsTest, SoManyRunAtATimeAndSoManyAreKept) {
  const auto webhook = make_webhook();
  publish_dead(30);
  for (std::size_t i = 0; i < model::kRunningJobsPerOrgMax; ++i) recover(webhook, 1);
  model::StartRecovery start{kMendingOrg, webhook->id, {}};
  EXPECT_EQ(code_of(ask(start)), base::ErrorCode::kConflict);
  pass(std::chrono::seconds(10));
  ASSERT_EQ(engine_->stats().recover_jobs, 0U);
  for (std::size_t i = 0; i < model::kJobsKeptPerOrgMax; ++i) {
    recover(webhook, 1000);
    pass(std::chrono::seconds(1));
  }
  const auto jobs = [this] {
    return std::get<model::JobsReply>(ask(model::ListJobs{kMendingOrg})).jobs.size();
  };
  EXPECT_EQ(jobs(), model::kJobsKeptPerOrgMax);
  crash();
  EXPECT_EQ(jobs(), model::kJobsKeptPerOrgMax);
  pass(model::kJobsKeptFor);
  EXPECT_EQ(jobs(), 0U);
}

TEST_F(RecoverJobsTest, JobsGoWithTheirOrganization) {
  const auto webhook = make_webhook();
  publish_dead(3);
  const model::JobId id = recover(webhook, 1);
  ask(model::DeleteOrganization{kMendingOrg});
  ask(model::CreateOrganization{kMendingOrg, "again"});
  EXPECT_EQ(code_of(ask(model::GetJob{kMendingOrg, id})), base::ErrorCode::kNotFound);
  crash();
  EXPECT_EQ(engine_->stats().recover_jobs, 0U);
}

TEST_F(RecoverJobsTest, StandStillWhenTheProcessEnds) {
  const auto webhook = make_webhook();
  publish_dead(5);
  const model::JobId id = recover(webhook, 1);
  engine_->stop_waiting();
  EXPECT_EQ(engine_->next_deadline(), std::nullopt);
  pass(std::chrono::seconds(5));
  EXPECT_EQ(job(id).recovered, 1U);
  crash();
  pass(std::chrono::seconds(5));
  EXPECT_EQ(job(id).recovered, 5U);
}

TEST_F(RecoverJobsTest, AReadThatFailsIsMadeAgain) {
  const auto webhook = make_webhook();
  const auto events = publish_dead(2);
  holds_reads_ = true;
  const model::JobId id = recover(webhook, 10);
  ASSERT_THAT(reads_, SizeIs(1));
  const model::Read failed = reads_.front();
  reads_.clear();
  holds_reads_ = false;
  engine_->loaded(failed.id, model::ReadFailed{}, now_);
  settle();
  EXPECT_THAT(running(), IsEmpty());
  pass(model::kReadRetryDelay);
  EXPECT_THAT(running(), ElementsAreArray(events));
  EXPECT_EQ(job(id).state, JobState::kFinished);
}

// --- The engine's own events ------------------------------------------------------------------

TEST_F(RecoverJobsTest, ADeadLetterIsToldOnceAndNotOfItself) {
  const auto webhook = make_webhook();
  const auto listener = make_webhook("triggerd.DeadLetter_v1");
  const auto event = publish();
  answer_all(500);
  pass(std::chrono::seconds(10));
  answer_all(500);
  ASSERT_EQ(running_.size(), 1U);
  const model::StartAttempt told = running_.front();
  EXPECT_EQ(told.webhook->id, listener->id);
  EXPECT_EQ(told.event->name, "triggerd.DeadLetter_v1");
  EXPECT_THAT(told.event->content, HasSubstr("\"event_id\":\"" + event.to_string()));
  EXPECT_THAT(told.event->content, HasSubstr("\"http_status\":500"));
  fail_until_dead();
  EXPECT_EQ(state_of(listener, told.event->id), DeliveryState::kDead);
  EXPECT_EQ(state_of(webhook, event), DeliveryState::kDead);
}

TEST_F(RecoverJobsTest, WebhooksSecretsAndJobsAreToldOf) {
  const auto webhook = make_webhook();
  const auto listener = make_webhook("triggerd.WebhookDisabled_v1");
  for (const char* name :
       {"triggerd.WebhookEnabled_v1", "triggerd.SecretRotated_v1", "triggerd.RecoverFinished_v1"}) {
    ask(model::AddTrigger{kMendingOrg, listener->id, "event", name});
  }
  const auto told = [this] {
    std::vector<std::string> names;
    for (const model::StartAttempt& start : running_) names.push_back(start.event->name);
    answer_all(200);
    return names;
  };
  set_state(webhook, "disabled");
  EXPECT_THAT(told(), ::testing::ElementsAre("triggerd.WebhookDisabled_v1"));
  set_state(webhook, "active");
  EXPECT_THAT(told(), ::testing::ElementsAre("triggerd.WebhookEnabled_v1"));
  ask(model::RotateSecret{kMendingOrg, webhook->id, {}});
  EXPECT_THAT(told(), ::testing::ElementsAre("triggerd.SecretRotated_v1"));
  recover(webhook, 10);
  EXPECT_THAT(told(), ::testing::ElementsAre("triggerd.RecoverFinished_v1"));
}

class BreakerEventsTest : public RecoverJobsTest {
 protected:
  BreakerEventsTest() { breaker_failures_ = 2; }
  // Whether events of these names came, in order; all are answered well.
  std::vector<std::string> told() {
    std::vector<std::string> names;
    for (const model::StartAttempt& start : running_) {
      if (model::is_operational(start.event->name)) names.push_back(start.event->name);
    }
    return names;
  }
};

TEST_F(BreakerEventsTest, ABreakerThatFlapsIsToldOfOnceAMinute) {
  const auto listener = make_webhook("triggerd.BreakerOpened_v1");
  ask(model::AddTrigger{kMendingOrg, listener->id, "event", "triggerd.BreakerClosed_v1"});
  const auto webhook = make_webhook();
  const auto fail_twice = [this, &webhook] {
    publish();
    publish();
    for (int i = 0; i < 2; ++i) {
      ASSERT_EQ(running_.front().webhook->id, webhook->id);
      model::Outcome outcome;
      outcome.kind = model::OutcomeClass::kHttpError;
      outcome.http_status = 500;
      const model::AttemptId id = running_.front().id;
      running_.pop_front();
      engine_->finish(id, outcome, now_);
    }
    settle();
  };
  fail_twice();
  EXPECT_THAT(told(), ::testing::ElementsAre("triggerd.BreakerOpened_v1"));
  answer_all(200);
  pass(std::chrono::seconds(15));  // the probe is one of those that failed
  ASSERT_FALSE(running_.empty());
  while (!running_.empty() && told().empty()) answer_all(200);
  EXPECT_THAT(told(), ::testing::ElementsAre("triggerd.BreakerClosed_v1"));
  while (!running_.empty()) answer_all(200);
  ASSERT_EQ(engine_->stats().pending, 0U);
  // Again within the minute: neither is told.
  fail_twice();
  EXPECT_THAT(told(), IsEmpty());
  pass(std::chrono::seconds(15));
  while (!running_.empty()) {
    EXPECT_THAT(told(), IsEmpty());
    answer_all(200);
  }
  pass(std::chrono::minutes(1));
  while (!running_.empty()) answer_all(200);
  fail_twice();
  EXPECT_THAT(told(), ::testing::ElementsAre("triggerd.BreakerOpened_v1"));
}

TEST_F(RecoverJobsTest, NobodyElsePublishesOrDefinesTheEnginesNames) {
  make_webhook("triggerd.DeadLetter_v1");
  const model::PublishEvents publish{kMendingOrg, {new_event("triggerd.DeadLetter_v1")}};
  EXPECT_THAT(refusal_of(ask(publish)), HasSubstr("triggerd."));
  EXPECT_EQ(code_of(ask(model::DefineEventType{kMendingOrg, "triggerd.Own_v1", "", ""})),
            base::ErrorCode::kInvalid);
  EXPECT_EQ(code_of(ask(model::RemoveEventType{kMendingOrg, "triggerd.DeadLetter_v1"})),
            base::ErrorCode::kConflict);
  EXPECT_THAT(running(), IsEmpty());
}

}  // namespace
}  // namespace triggerd::app
