// Hook calls through the whole engine: what is called, what is answered and when, what is logged.
#include "engine/core/hook_calls.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/base/random.h"
#include "engine/core/engine.h"

namespace triggerd::core {
namespace {

using model::OutcomeClass;
using model::StartAttempt;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

template <class What, class From>
std::vector<What> all_of(const From& from) {
  std::vector<What> found;
  for (const auto& each : from) {
    if constexpr (requires { each.what; }) {
      if (const auto* what = std::get_if<What>(&each.what)) found.push_back(*what);
    } else {
      if (const auto* what = std::get_if<What>(&each)) found.push_back(*what);
    }
  }
  return found;
}

class HookCallsTest : public testing::Test {
 protected:
  static constexpr model::BatchSeq kAtOnce{0};

  HookCallsTest() {
    org_ = model::OrgId(random_.uuid_v4());
    open({});
  }
  void open(EngineOptions options) {
    engine_ = std::make_unique<Engine>(std::move(options), random_);
    webhooks_ = 0;
    engine_->load(model::Organization{org_, "acme", now_.wall});
    engine_->recovered(now_);
    take();
  }

  // As stored; a trigger for token_minted goes with it.
  model::WebhookId add(model::Webhook webhook = {}) {
    ++webhooks_;
    webhook.id = model::WebhookId(random_.uuid_v4());
    webhook.org = org_;
    webhook.ref = model::WebhookRef(webhooks_);
    if (webhook.target_url.empty()) {
      webhook.target_url = "https://h" + std::to_string(webhooks_) + ".example/";
    }
    const model::WebhookId id = webhook.id;
    engine_->load(std::move(webhook));
    engine_->load(model::Trigger{org_, model::WebhookRef(webhooks_), model::TriggerType::kSyncHook,
                                 "token_minted", model::Generation(webhooks_)});
    return id;
  }
  static model::Webhook closed() {
    model::Webhook webhook;
    webhook.delivery.on_failure = model::OnFailure::kClosed;
    return webhook;
  }
  static model::Webhook with_timeout(base::Duration timeout) {
    model::Webhook webhook;
    webhook.timeout = timeout;
    return webhook;
  }

  model::CallHook hook(base::Duration wait = base::Duration(0)) {
    model::CallHook request;
    request.org = org_;
    request.name = "token_minted";
    request.id = model::EventId(random_.uuid_v7(now_.wall));
    request.content = R"({"sub":"p"})";
    request.wait = wait;
    return request;
  }
  model::RequestId call(model::CallHook request) {
    const model::RequestId id(++requests_);
    engine_->handle(std::move(request), id, now_);
    take();
    return id;
  }
  model::RequestId call() { return call(hook()); }

  void take() {
    output_ = engine_->take_output();
    for (const model::Effect& effect : output_.effects) {
      if (std::holds_alternative<model::ApiKeyAdded>(effect.what)) continue;
      EXPECT_EQ(effect.rests_on, kAtOnce) << "a hook waits for no commit";
    }
    starts_ = all_of<StartAttempt>(output_.effects);
  }
  void pass(base::Duration time) {
    now_.mono += time;
    now_.wall += time;
    engine_->tick(now_);
    take();
  }
  static model::Outcome outcome(OutcomeClass kind, std::vector<model::HookClaim> claims = {}) {
    model::Outcome made;
    made.kind = kind;
    made.http_status = kind == OutcomeClass::kOk ? 200 : 0;
    if (kind == OutcomeClass::kOk) {
      made.hook = std::make_shared<model::HookAnswer>(model::HookAnswer{std::move(claims), ""});
    }
    return made;
  }
  void finish(const StartAttempt& attempt, const model::Outcome& outcome) {
    engine_->finish(attempt.id, outcome, now_);
    take();
  }
  // Nothing when none came with the last output.
  std::optional<model::HookReply> reply() {
    const auto replies = all_of<model::SendReply>(output_.effects);
    EXPECT_LE(replies.size(), 1U);
    if (replies.empty()) return std::nullopt;
    const auto* hook = std::get_if<model::HookReply>(&replies[0].reply);
    EXPECT_NE(hook, nullptr);
    return hook == nullptr ? std::nullopt : std::optional(*hook);
  }
  base::Error refusal() {
    const auto replies = all_of<model::SendReply>(output_.effects);
    const auto* refusal =
        replies.size() == 1 ? std::get_if<model::Refusal>(&replies[0].reply) : nullptr;
    EXPECT_NE(refusal, nullptr);
    return refusal == nullptr ? base::Error{} : refusal->faults.at(0);
  }
  std::vector<OutcomeClass> outcomes() {
    std::vector<OutcomeClass> kinds;
    for (const model::HookWebhook& each : reply().value_or(model::HookReply{}).webhooks) {
      kinds.push_back(each.outcome);
    }
    return kinds;
  }
  // Calls the one webhook, whose attempt comes to this.
  void call_and_finish(OutcomeClass kind) {
    call();
    ASSERT_EQ(starts_.size(), 1U);
    finish(starts_[0], outcome(kind));
  }

  base::SeededRandom random_{1};
  base::Now now_{base::MonoTime(std::chrono::hours(1)),
                 *base::parse_rfc3339("2024-03-03T00:00:00Z")};
  model::OrgId org_;
  std::unique_ptr<Engine> engine_;
  std::uint32_t webhooks_ = 0;
  std::uint64_t requests_ = 0;
  model::Output output_;
  std::vector<StartAttempt> starts_;
};

TEST_F(HookCallsTest, CallsAllAtOnceAndAnswersWhenAllAreIn) {
  add();
  add(with_timeout(seconds(5)));
  call(hook());
  ASSERT_EQ(starts_.size(), 2U);
  EXPECT_FALSE(reply());
  EXPECT_EQ(starts_[0].timeout, seconds(2));
  EXPECT_EQ(starts_[1].timeout, seconds(5));
  EXPECT_EQ(starts_[0].event, starts_[1].event) << "one subject";
  EXPECT_EQ(starts_[0].event->content, R"({"sub":"p"})");
  EXPECT_EQ(starts_[0].trigger_type, model::TriggerType::kSyncHook);
  EXPECT_NE(starts_[0].destination, starts_[1].destination);
  const std::vector<StartAttempt> starts = starts_;
  finish(starts[1], outcome(OutcomeClass::kOk, {{"a", "2"}, {"b", "3"}}));
  EXPECT_FALSE(reply());
  finish(starts[0], outcome(OutcomeClass::kOk, {{"a", "1"}}));
  const auto merged = reply();
  ASSERT_TRUE(merged);
  EXPECT_THAT(merged->claims, ElementsAre(model::HookClaim{"a", "1"}, model::HookClaim{"b", "3"}));
  EXPECT_THAT(merged->conflicts, ElementsAre("a"));
  EXPECT_EQ(engine_->stats().hook_calls, 0U);
  EXPECT_EQ(engine_->next_deadline(), std::nullopt);
}

TEST_F(HookCallsTest, TheOrderIsThatOfTheWebhooksWhicheverTriggerIsOlder) {
  const model::WebhookId first = add();
  add();
  const auto ask = [this](model::Request request) {
    engine_->handle(std::move(request), model::RequestId(++requests_), now_);
    static_cast<void>(engine_->take_output());
  };
  ask(model::RemoveTrigger{org_, first, "sync_hook", "token_minted"});
  ask(model::AddTrigger{org_, first, "sync_hook", "token_minted"});
  call();
  ASSERT_THAT(starts_, SizeIs(2));
  const std::vector<StartAttempt> starts = starts_;
  EXPECT_EQ(starts[0].webhook->id, first);
  finish(starts[1], outcome(OutcomeClass::kOk, {{"a", "2"}}));
  finish(starts[0], outcome(OutcomeClass::kOk, {{"a", "1"}}));
  EXPECT_THAT(reply()->claims, ElementsAre(model::HookClaim{"a", "1"}));
}

TEST_F(HookCallsTest, TheDeadlineIsTheLongestTimeoutUnlessTheCallerSays) {
  add();
  add(with_timeout(seconds(5)));
  call();
  EXPECT_EQ(engine_->next_deadline(), now_.mono + seconds(5));
  call(hook(seconds(3)));
  EXPECT_EQ(engine_->next_deadline(), now_.mono + seconds(3));
  EXPECT_EQ(starts_[0].timeout, seconds(2));
  EXPECT_EQ(starts_[1].timeout, seconds(3)) << "no longer than somebody waits";
}

TEST_F(HookCallsTest, AtTheDeadlineItAnswersWithWhatIsThereAndCutsOffTheRest) {
  add();
  add();
  call();
  const std::vector<StartAttempt> starts = starts_;
  finish(starts[1], outcome(OutcomeClass::kOk, {{"b", "1"}}));
  pass(milliseconds(1999));
  EXPECT_FALSE(reply());
  pass(milliseconds(1));
  EXPECT_THAT(outcomes(), ElementsAre(OutcomeClass::kTimeout, OutcomeClass::kOk));
  EXPECT_EQ(reply()->webhooks[0].duration, seconds(2));
  EXPECT_THAT(reply()->claims, SizeIs(1));
  const auto cancelled = all_of<model::CancelAttempt>(output_.effects);
  ASSERT_EQ(cancelled.size(), 1U);
  EXPECT_EQ(cancelled[0].id, starts[0].id);
  finish(starts[0], outcome(OutcomeClass::kOk, {{"a", "1"}}));
  EXPECT_THAT(output_.effects, IsEmpty()) << "too late";
  EXPECT_THAT(output_.batch.mutations, IsEmpty());
}

TEST_F(HookCallsTest, WhoHasNoTriggerOrIsPausedIsNotCalled) {
  call();
  EXPECT_THAT(outcomes(), IsEmpty());
  EXPECT_TRUE(reply());
  EXPECT_THAT(output_.batch.mutations, IsEmpty()) << "nothing to log";
  model::Webhook paused = closed();
  paused.state = model::WebhookState::kPaused;
  add(paused);
  model::Webhook by_hand = closed();
  by_hand.state = model::WebhookState::kDisabled;
  by_hand.disabled_reason = model::DisabledReason::kByHand;
  add(by_hand);
  model::Webhook gone;
  gone.state = model::WebhookState::kDisabled;
  gone.disabled_reason = model::DisabledReason::kGone;
  add(gone);
  call();
  EXPECT_THAT(starts_, IsEmpty());
  ASSERT_TRUE(reply());
  EXPECT_EQ(reply()->decision, model::HookDecision::kContinue);
  EXPECT_THAT(outcomes(), IsEmpty());
}

TEST_F(HookCallsTest, AClosedWebhookThatItsFailuresDisabledDenies) {
  model::Webhook gone = closed();
  gone.state = model::WebhookState::kDisabled;
  gone.disabled_reason = model::DisabledReason::kGone;
  add(gone);
  call();
  EXPECT_THAT(starts_, IsEmpty());
  EXPECT_THAT(outcomes(), ElementsAre(OutcomeClass::kDisabled));
  EXPECT_EQ(reply()->decision, model::HookDecision::kDeny);
}

TEST_F(HookCallsTest, AClosedWebhookThatFailsDenies) {
  add();
  add(closed());
  call();
  const std::vector<StartAttempt> starts = starts_;
  finish(starts[0], outcome(OutcomeClass::kHttpError));
  finish(starts[1], outcome(OutcomeClass::kBadAnswer));
  EXPECT_EQ(reply()->decision, model::HookDecision::kDeny);
  EXPECT_THAT(reply()->reason, HasSubstr("bad_answer"));
}

TEST_F(HookCallsTest, UnknownHooksAndOrganizationsAreNotFound) {
  model::CallHook request = hook();
  request.name = "PersonCreated_v1";
  call(request);
  EXPECT_EQ(refusal().code, base::ErrorCode::kNotFound);
  request = hook();
  request.org = model::OrgId(random_.uuid_v4());
  call(request);
  EXPECT_EQ(refusal().code, base::ErrorCode::kNotFound);
}

// --- The breaker ------------------------------------------------------------------------------

TEST_F(HookCallsTest, ABreakerOpensPerWebhookAndLetsAProbeThrough) {
  add(closed());
  for (int i = 0; i < 5; ++i) call_and_finish(OutcomeClass::kHttpError);
  call();
  EXPECT_THAT(starts_, IsEmpty());
  EXPECT_THAT(outcomes(), ElementsAre(OutcomeClass::kBreakerOpen));
  EXPECT_EQ(reply()->decision, model::HookDecision::kDeny);
  pass(seconds(10));
  call();
  ASSERT_THAT(starts_, SizeIs(1));
  const StartAttempt probe = starts_[0];
  call();
  EXPECT_THAT(outcomes(), ElementsAre(OutcomeClass::kBreakerOpen)) << "one probe at a time";
  finish(probe, outcome(OutcomeClass::kOk));
  call_and_finish(OutcomeClass::kOk);
}

TEST_F(HookCallsTest, VetoesAndLackOfRoomDoNotOpenTheBreaker) {
  add();
  for (int i = 0; i < 10; ++i) call_and_finish(OutcomeClass::kDenied);
  for (int i = 0; i < 10; ++i) call_and_finish(OutcomeClass::kBusy);
  call_and_finish(OutcomeClass::kOk);
}

TEST_F(HookCallsTest, ACallerInAHurryDoesNotOpenTheBreakerForOthers) {
  add(with_timeout(seconds(10)));
  for (int i = 0; i < 10; ++i) {
    call(hook(seconds(1)));
    ASSERT_THAT(starts_, SizeIs(1));
    pass(seconds(1));
    EXPECT_THAT(outcomes(), ElementsAre(OutcomeClass::kTimeout));
  }
  for (int i = 0; i < 5; ++i) {
    call();
    ASSERT_THAT(starts_, SizeIs(1));
    pass(seconds(10));
  }
  call();
  EXPECT_THAT(outcomes(), ElementsAre(OutcomeClass::kBreakerOpen));
}

TEST_F(HookCallsTest, AnotherUrlIsAnotherReceiver) {
  const model::WebhookId id = add();
  for (int i = 0; i < 5; ++i) call_and_finish(OutcomeClass::kTimeout);
  model::WebhookDraft draft;
  draft.target_url = "https://elsewhere.example/";
  engine_->handle(model::PatchWebhook{org_, id, draft}, model::RequestId(++requests_), now_);
  static_cast<void>(engine_->take_output());
  call_and_finish(OutcomeClass::kOk);
}

// --- Limits -----------------------------------------------------------------------------------

TEST_F(HookCallsTest, CallsAreBoundedInAllAndForEachOrganization) {
  EngineOptions options;
  options.hooks.calls_per_org = 2;
  open(options);
  add();
  call();
  const StartAttempt first = starts_.at(0);
  call();
  call();
  EXPECT_EQ(refusal().code, base::ErrorCode::kOverloaded);
  finish(first, outcome(OutcomeClass::kOk));
  call();
  EXPECT_THAT(starts_, SizeIs(1));

  options.hooks.calls_per_org = 100;
  options.hooks.calls = 1;
  open(options);
  add();
  call();
  call();
  EXPECT_EQ(refusal().code, base::ErrorCode::kOverloaded);
}

TEST_F(HookCallsTest, WebhooksOfACallAreBounded) {
  EngineOptions options;
  options.hooks.webhooks_per_call = 2;
  open(options);
  add();
  add();
  call();
  EXPECT_THAT(starts_, SizeIs(2));
  add();
  call();
  EXPECT_EQ(refusal().code, base::ErrorCode::kOverloaded);
}

TEST_F(HookCallsTest, BytesHeldAreBounded) {
  EngineOptions options;
  options.hooks.bytes_held = 200;
  open(options);
  add();
  call();
  const StartAttempt first = starts_.at(0);
  model::CallHook large = hook();
  large.content = R"({"a":")" + std::string(200, 'x') + R"("})";
  call(large);
  EXPECT_EQ(refusal().code, base::ErrorCode::kOverloaded);
  finish(first, outcome(OutcomeClass::kOk, {{"a", std::string(200, '1')}}));
  EXPECT_THAT(outcomes(), ElementsAre(OutcomeClass::kBusy)) << "no room for the answer";
  call_and_finish(OutcomeClass::kOk);
  EXPECT_THAT(outcomes(), ElementsAre(OutcomeClass::kOk)) << "what was held is let go";
}

// --- The log ----------------------------------------------------------------------------------

TEST_F(HookCallsTest, ACallIsLoggedOnceWithAnAttemptForEachWebhook) {
  add();
  add();
  call();
  EXPECT_THAT(all_of<model::PutEvent>(output_.batch.mutations), IsEmpty()) << "not before it ends";
  const std::vector<StartAttempt> starts = starts_;
  finish(starts[0], outcome(OutcomeClass::kOk, {{"a", "1"}}));
  finish(starts[1], outcome(OutcomeClass::kConnect));
  const auto events = all_of<model::PutEvent>(output_.batch.mutations);
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(*events[0].event, *starts[0].event) << "as it was called out";
  EXPECT_EQ(events[0].event->trigger_type, model::TriggerType::kSyncHook);
  EXPECT_THAT(events[0].event->matches, SizeIs(2));
  const auto attempts = all_of<model::PutAttempt>(output_.batch.mutations);
  ASSERT_THAT(attempts, SizeIs(2));
  EXPECT_EQ(attempts[0].attempt.state_after, model::DeliveryState::kDelivered);
  EXPECT_EQ(attempts[0].attempt.outcome.hook, nullptr);
  EXPECT_EQ(attempts[1].attempt.state_after, model::DeliveryState::kDead);
  EXPECT_EQ(attempts[1].attempt.seq, events[0].event->seq);
  EXPECT_EQ(attempts[1].attempt.number, 1U);
  EXPECT_EQ(engine_->stats().pending, 0U);
}

TEST_F(HookCallsTest, ACallThatNobodyWaitsForIsCutOffAndLogged) {
  add();
  const model::RequestId id = call();
  const StartAttempt start = starts_.at(0);
  engine_->cancel(id);
  take();
  EXPECT_FALSE(reply());
  EXPECT_THAT(all_of<model::CancelAttempt>(output_.effects), SizeIs(1));
  EXPECT_THAT(all_of<model::PutAttempt>(output_.batch.mutations), SizeIs(1));
  finish(start, outcome(OutcomeClass::kOk));
  EXPECT_THAT(output_.effects, IsEmpty());
  EXPECT_EQ(engine_->stats().hook_calls, 0U);
}

TEST_F(HookCallsTest, WhatIsRememberedOfErasedWebhooksGoes) {
  add();
  for (int i = 0; i < 20; ++i) {
    const model::WebhookId id = add();
    call();
    const std::vector<StartAttempt> starts = starts_;
    ASSERT_THAT(starts, SizeIs(2));
    EXPECT_LE(starts[1].destination, 4U) << "numbers of destinations are used again";
    for (const StartAttempt& start : starts) finish(start, outcome(OutcomeClass::kOk));
    engine_->handle(model::DeleteWebhook{org_, id}, model::RequestId(++requests_), now_);
    static_cast<void>(engine_->take_output());
  }
}

}  // namespace
}  // namespace triggerd::core
