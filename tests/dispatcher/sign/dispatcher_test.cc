#include "dispatcher/dispatcher.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/base/log.h"
#include "tests/dispatcher/sign/sign_fixtures.h"

namespace triggerd::dispatcher {
namespace {

using model::AttemptId;
using model::Outcome;
using model::OutcomeClass;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// Keeps the calls; the test says when they are over.
class FakeTransport final : public Transport {
 public:
  void start(HttpCall call) override { calls.push_back(std::move(call)); }
  void cancel(AttemptId id) override { cancelled.push_back(id); }

  std::vector<HttpCall> calls;
  std::vector<AttemptId> cancelled;
};

Outcome outcome_of(OutcomeClass kind, std::uint16_t status = 0) {
  Outcome outcome;
  outcome.kind = kind;
  outcome.http_status = status;
  return outcome;
}

std::vector<std::string> log_lines;  // of the running test

void keep_line(base::LogLevel level, std::string_view component, std::string_view message,
               std::string_view fields) {
  const char* const name = level == base::LogLevel::kInfo ? "info " : "debug ";
  log_lines.push_back(name + std::string(component) + ' ' + std::string(message) + " {" +
                      std::string(fields) + '}');
}

class DispatcherTest : public testing::Test {
 protected:
  DispatcherTest() { base::set_log_sink(keep_line, base::LogLevel::kDebug); }
  ~DispatcherTest() override {
    if (dispatcher_) settle();
    base::set_log_sink(nullptr, base::LogLevel::kInfo);
    log_lines.clear();
  }

  void open(DispatcherOptions options) {
    options.issuer = "https://events.example";
    dispatcher_ = std::make_unique<Dispatcher>(
        loop_, options, ring_, random_, [this](AttemptId id, Outcome outcome) {
          outcomes_.emplace_back(id.value(), std::move(outcome));
        });
    dispatcher_->use(std::move(owned_));
  }
  void open() { open({}); }

  void start(std::uint64_t id) {
    parts_.attempt.id = AttemptId(id);
    dispatcher_->start(parts_.make());
  }
  void start_hook(std::uint64_t id) {
    parts_.attempt.trigger_type = model::TriggerType::kSyncHook;
    start(id);
    parts_.attempt.trigger_type = model::TriggerType::kEvent;
  }
  void finish(std::uint64_t id, Outcome outcome = outcome_of(OutcomeClass::kOk, 200)) {
    dispatcher_->finished(AttemptId(id), std::move(outcome));
  }
  // Ends all that is under way.
  void settle() {
    dispatcher_->cancel_all();
    for (int i = 0; i < 1000 && dispatcher_->unfinished() > 0; ++i) {
      for (const AttemptId id : std::exchange(transport_.cancelled, {})) {
        finish(id.value(), outcome_of(OutcomeClass::kCancelled));
      }
      loop_.run_once();
    }
  }
  std::vector<std::pair<std::uint64_t, OutcomeClass>> kinds() const {
    std::vector<std::pair<std::uint64_t, OutcomeClass>> all;
    for (const auto& [id, outcome] : outcomes_) all.emplace_back(id, outcome.kind);
    return all;
  }
  std::vector<std::uint64_t> on_the_wire() const {
    std::vector<std::uint64_t> ids;
    for (const HttpCall& call : transport_.calls) ids.push_back(call.id.value());
    return ids;
  }

  loop::EventLoop loop_;
  base::SeededRandom random_{1};
  KeyRingPtr ring_ = new_ring();
  AttemptParts parts_;
  std::vector<std::pair<std::uint64_t, Outcome>> outcomes_;
  // The dispatcher's, once it is open.
  std::unique_ptr<FakeTransport> owned_ = std::make_unique<FakeTransport>();
  FakeTransport& transport_ = *owned_;
  std::unique_ptr<Dispatcher> dispatcher_;
};

TEST_F(DispatcherTest, SendsASignedCallToTheTargetInTheTickAfterStart) {
  open();
  parts_.webhook.target_url = "https://Hooks.example:443/in";
  start(7);
  EXPECT_THAT(transport_.calls, IsEmpty());
  loop_.run_once();
  ASSERT_EQ(transport_.calls.size(), 1U);
  const HttpCall& call = transport_.calls[0];
  EXPECT_EQ(call.id, AttemptId(7));
  EXPECT_EQ(call.url.to_string(), "https://hooks.example/in");
  EXPECT_TRUE(verifies(call.body, jwks_of(ring_)));
  EXPECT_STREQ(parse_json(claims_text(call.body))["target_url"].GetString(),
               "https://Hooks.example:443/in");
}

TEST_F(DispatcherTest, GivesTheOutcomeBackOnceWithTheTimeOfItsStart) {
  open();
  const base::WallTime before = loop_.now().wall;
  start(1);
  loop_.run_once();
  const base::WallTime after = loop_.now().wall;
  finish(1, outcome_of(OutcomeClass::kHttpError, 503));
  finish(1);
  ASSERT_EQ(outcomes_.size(), 1U);
  EXPECT_EQ(outcomes_[0].first, 1U);
  EXPECT_EQ(outcomes_[0].second.kind, OutcomeClass::kHttpError);
  EXPECT_EQ(outcomes_[0].second.http_status, 503);
  EXPECT_GE(outcomes_[0].second.started_at, before);
  EXPECT_LE(outcomes_[0].second.started_at, after);
  EXPECT_EQ(dispatcher_->unfinished(), 0U);
}

TEST_F(DispatcherTest, SignsAtMostTheBoundOfATickAndKeepsTheOrder) {
  open({.signatures_per_tick = 3});
  for (std::uint64_t id = 1; id <= 8; ++id) start(id);
  loop_.run_once();
  EXPECT_THAT(on_the_wire(), ElementsAre(1, 2, 3));
  loop_.run_once();
  EXPECT_THAT(on_the_wire(), ElementsAre(1, 2, 3, 4, 5, 6));
  loop_.run_once();
  EXPECT_THAT(on_the_wire(), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
}

TEST_F(DispatcherTest, SixteenIsTheBoundUnlessToldOtherwise) {
  open();
  for (std::uint64_t id = 1; id <= 20; ++id) start(id);
  loop_.run_once();
  EXPECT_EQ(transport_.calls.size(), 16U);
}

TEST_F(DispatcherTest, AnswersBusyAboveTheLimitOfWaitingAttemptsAndNotAtIt) {
  open({.waiting_max = 2});
  for (std::uint64_t id = 1; id <= 4; ++id) start(id);
  EXPECT_THAT(outcomes_, IsEmpty()) << "not from within start";
  loop_.run_once();
  EXPECT_THAT(on_the_wire(), ElementsAre(1, 2));
  EXPECT_THAT(kinds(),
              ElementsAre(std::pair(3, OutcomeClass::kBusy), std::pair(4, OutcomeClass::kBusy)));
  start(5);
  loop_.run_once();
  EXPECT_THAT(on_the_wire(), ElementsAre(1, 2, 5)) << "there is room again";
}

TEST_F(DispatcherTest, HooksGoFirstAndLeaveAQuarterToEvents) {
  open({.signatures_per_tick = 8});
  for (std::uint64_t id = 1; id <= 20; ++id) start(id);
  for (std::uint64_t id = 101; id <= 112; ++id) start_hook(id);
  loop_.run_once();
  EXPECT_THAT(on_the_wire(), ElementsAre(101, 102, 103, 104, 105, 106, 107, 108, 1, 2));
  loop_.run_once();
  EXPECT_THAT(on_the_wire(), ElementsAre(101, 102, 103, 104, 105, 106, 107, 108, 1, 2, 109, 110,
                                         111, 112, 3, 4, 5, 6));
}

TEST_F(DispatcherTest, HooksUseATransportOfTheirOwnAndAreJudged) {
  open();
  auto owned = std::make_unique<FakeTransport>();
  FakeTransport& for_hooks = *owned;
  dispatcher_->use_for_hooks(std::move(owned));
  start(1);
  start_hook(2);
  start_hook(3);
  loop_.run_once();
  EXPECT_THAT(on_the_wire(), ElementsAre(1));
  ASSERT_EQ(for_hooks.calls.size(), 2U);
  Outcome outcome = outcome_of(OutcomeClass::kOk, 200);
  outcome.answer = R"({"a":1})";
  outcome.answer_bytes = 7;
  finish(2, outcome);
  ASSERT_EQ(outcomes_.size(), 1U);
  ASSERT_NE(outcomes_[0].second.hook, nullptr);
  EXPECT_EQ(outcomes_[0].second.hook->claims.size(), 1U);
  finish(1, outcome);
  EXPECT_EQ(outcomes_[1].second.hook, nullptr) << "an event's answer is not looked at";
  dispatcher_->cancel(AttemptId(3));
  EXPECT_THAT(transport_.cancelled, IsEmpty());
  EXPECT_THAT(for_hooks.cancelled, ElementsAre(AttemptId(3)));
  finish(3, outcome_of(OutcomeClass::kCancelled));
}

TEST_F(DispatcherTest, BlocksAWebhookThatThePolicyRefusesNow) {
  open();
  parts_.webhook.target_url = "http://127.0.0.1:1/in";
  start(1);
  EXPECT_THAT(outcomes_, IsEmpty());
  loop_.run_once();
  EXPECT_THAT(transport_.calls, IsEmpty());
  EXPECT_THAT(kinds(), ElementsAre(std::pair(1, OutcomeClass::kBlocked)));
  EXPECT_THAT(outcomes_[0].second.detail, HasSubstr("target_url"));
}

TEST_F(DispatcherTest, CallsALocalTargetThatThePolicyAdmits) {
  model::TargetPolicy targets;
  targets.allow_http = true;
  targets.allow_networks = {*model::Network::parse("127.0.0.0/8")};
  open({.targets = targets});
  parts_.webhook.target_url = "http://127.0.0.1:8080/in";
  start(1);
  loop_.run_once();
  EXPECT_THAT(on_the_wire(), ElementsAre(1));
}

TEST_F(DispatcherTest, CancelsAWaitingAttemptWithoutSendingIt) {
  open();
  start(1);
  start(2);
  dispatcher_->cancel(AttemptId(1));
  dispatcher_->cancel(AttemptId(1));
  EXPECT_THAT(outcomes_, IsEmpty()) << "not from within cancel";
  loop_.run_once();
  EXPECT_THAT(on_the_wire(), ElementsAre(2));
  EXPECT_THAT(kinds(), ElementsAre(std::pair(1, OutcomeClass::kCancelled)));
}

TEST_F(DispatcherTest, PassesTheCancellationOfACallOnAndWaitsForItsOutcome) {
  open();
  start(1);
  loop_.run_once();
  dispatcher_->cancel(AttemptId(1));
  EXPECT_THAT(transport_.cancelled, ElementsAre(AttemptId(1)));
  EXPECT_THAT(outcomes_, IsEmpty());
  finish(1, outcome_of(OutcomeClass::kOk, 200));
  EXPECT_THAT(kinds(), ElementsAre(std::pair(1, OutcomeClass::kOk))) << "it was over already";
}

TEST_F(DispatcherTest, IgnoresUnknownIds) {
  open();
  dispatcher_->cancel(AttemptId(9));
  finish(9);
  start(1);
  finish(1);  // not on the wire yet
  EXPECT_THAT(outcomes_, IsEmpty());
  EXPECT_EQ(dispatcher_->unfinished(), 1U);
}

TEST_F(DispatcherTest, EveryAttemptHasExactlyOneOutcomeWhateverIsCancelled) {
  open({.signatures_per_tick = 2, .waiting_max = 20});
  base::SeededRandom chance(7);
  std::uint64_t started = 0;
  for (int round = 0; round < 300; ++round) {
    for (std::uint64_t i = chance.below(5); i > 0; --i) start(++started);
    if (started > 0) dispatcher_->cancel(AttemptId(1 + chance.below(started)));
    if (started > 0) finish(1 + chance.below(started));
    if (chance.below(2) == 0) loop_.run_once();
  }
  settle();
  std::vector<std::uint64_t> ids;
  for (const auto& [id, outcome] : outcomes_) ids.push_back(id);
  std::sort(ids.begin(), ids.end());
  ASSERT_EQ(ids.size(), started);
  for (std::uint64_t i = 0; i < started; ++i) EXPECT_EQ(ids[i], i + 1);
  std::vector<std::uint64_t> sent = on_the_wire();
  EXPECT_TRUE(std::is_sorted(sent.begin(), sent.end()));
}

TEST_F(DispatcherTest, TheOutcomeCallbackMayStartAndCancelAttempts) {
  dispatcher_ =
      std::make_unique<Dispatcher>(loop_, DispatcherOptions{.waiting_max = 1}, ring_, random_,
                                   [this](AttemptId id, Outcome outcome) {
                                     outcomes_.emplace_back(id.value(), std::move(outcome));
                                     if (id.value() > 2) return;
                                     start(id.value() + 10);
                                     dispatcher_->cancel(AttemptId(id.value() + 10));
                                   });
  dispatcher_->use(std::move(owned_));
  start(1);
  start(2);
  for (int i = 0; i < 5; ++i) loop_.run_once();
  finish(1);
  for (int i = 0; i < 5; ++i) loop_.run_once();
  EXPECT_THAT(
      kinds(),
      ElementsAre(std::pair(2, OutcomeClass::kBusy), std::pair(12, OutcomeClass::kCancelled),
                  std::pair(1, OutcomeClass::kOk), std::pair(11, OutcomeClass::kCancelled)));
}

TEST_F(DispatcherTest, SignsWithTheNewRingOnceItIsGiven) {
  open();
  const KeyRingPtr next = new_ring();
  dispatcher_->use(next);
  start(1);
  loop_.run_once();
  EXPECT_TRUE(verifies(transport_.calls[0].body, jwks_of(next)));
}

TEST_F(DispatcherTest, WritesOneWideLineForEachAttempt) {
  open();
  parts_.attempt.number = 3;
  parts_.event.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  start(1);
  loop_.run_once();
  Outcome outcome = outcome_of(OutcomeClass::kHttpError, 503);
  outcome.timings = {0, 1000, 2500, 3000, 40000, 41500};
  outcome.answer_bytes = 17;
  outcome.detail = "the receiver said \"no\"";
  outcome.answer = "SECRET";
  finish(1, outcome);
  ASSERT_EQ(log_lines.size(), 1U);
  // How long it waited for its turn is the machine's to say.
  const std::regex queue(R"re("queue_s":[0-9.e-]+,)re");
  EXPECT_TRUE(std::regex_search(log_lines[0], queue));
  EXPECT_EQ(
      std::regex_replace(log_lines[0], queue, ""),
      R"(info dispatcher attempt {"event_id":"0190a6e0-2222-4000-8000-000000000002",)"
      R"("webhook_id":"0190a6e0-3333-7000-8000-000000000003",)"
      R"("org_id":"0190a6e0-1111-7000-8000-000000000001","event_name":"PersonCreated_v1",)"
      R"("attempt":3,"outcome":"http_error","http_status":503,"duration_s":0.0415,)"
      R"("dns_s":0.001,"connect_s":0.0025,"tls_s":0.003,"first_byte_s":0.04,"answer_bytes":17,)"
      R"("url":"https://hooks.example/in","trace_id":"0af7651916cd43dd8448eb211c80319c",)"
      R"("error":"the receiver said \"no\""})");
}

TEST_F(DispatcherTest, NeverLogsUserinfoOrQueryOfAStoredUrl) {
  open();
  parts_.webhook.target_url = "https://user:pass@hooks.example/in?token=SECRET#x";
  start(1);
  loop_.run_once();
  ASSERT_EQ(log_lines.size(), 1U);
  EXPECT_THAT(log_lines[0], HasSubstr(R"("outcome":"blocked")"));
  EXPECT_THAT(log_lines[0], HasSubstr(R"("url":"https://hooks.example/in")"));
  EXPECT_THAT(log_lines[0], Not(HasSubstr("SECRET")));
  EXPECT_THAT(log_lines[0], Not(HasSubstr("pass")));
}

TEST_F(DispatcherTest, LogsBusyForDebuggingOnly) {
  open({.waiting_max = 0});
  start(1);
  loop_.run_once();
  ASSERT_EQ(log_lines.size(), 1U);
  EXPECT_THAT(log_lines[0], HasSubstr("debug"));
}

using DispatcherDeathTest = DispatcherTest;

TEST_F(DispatcherDeathTest, RefusesToDieWithAttemptsUnderWay) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  open();
  start(1);
  EXPECT_DEATH(dispatcher_.reset(), "attempts_.empty");
}

TEST_F(DispatcherDeathTest, RefusesAnIdThatIsUnderWay) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  open();
  start(1);
  EXPECT_DEATH(start(1), "inserted");
}

}  // namespace
}  // namespace triggerd::dispatcher
