#include "engine/core/validate_delivery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "engine/model/limits.h"

namespace triggerd::core {
namespace {

using model::DeliveryDraft;
using model::DeliverySettings;
using model::DisabledReason;
using model::Webhook;
using model::WebhookState;
using std::chrono::hours;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::vector<std::string> messages(const Faults& faults) {
  std::vector<std::string> texts;
  for (const base::Error& fault : faults) texts.push_back(fault.message);
  return texts;
}

// Everything set to something else than its default.
DeliveryDraft full_draft() {
  DeliveryDraft draft;
  draft.format.emplace("cloudevents-binary");
  draft.signatures.emplace(std::vector<std::string>{"ed25519", "hmac"});
  draft.schedule.emplace(std::vector<std::string>{"1s", "1h30m"});
  draft.max_in_flight.emplace(7);
  draft.rate.emplace(model::RateDraft{2.5, 4});
  draft.ordering.emplace("key");
  draft.on_failure.emplace("closed");
  draft.state.emplace("paused");
  return draft;
}

Webhook webhook_with(const DeliveryDraft& draft, Webhook webhook = {}) {
  const DeliveryVerdict verdict = validate_delivery(draft);
  EXPECT_THAT(messages(verdict.faults), IsEmpty());
  verdict.delivery.apply_to(webhook);
  return webhook;
}

Webhook disabled(DisabledReason reason) {
  Webhook webhook;
  webhook.state = WebhookState::kDisabled;
  webhook.disabled_reason = reason;
  webhook.failing_since = base::WallTime(hours(1));
  return webhook;
}

DeliveryDraft state_draft(const std::string& state) {
  DeliveryDraft draft;
  draft.state.emplace(state);
  return draft;
}

TEST(ValidateDelivery, TakesEveryField) {
  const Webhook webhook = webhook_with(full_draft());
  DeliverySettings expected;
  expected.format = model::DeliveryFormat::kCloudEventsBinary;
  expected.signatures = model::kSignaturesAll;
  expected.schedule = {seconds(1), hours(1) + std::chrono::minutes(30)};
  expected.max_in_flight = 7;
  expected.rate = model::DeliveryRate{2'500, 4};
  expected.ordering = model::Ordering::kKey;
  expected.on_failure = model::OnFailure::kClosed;
  EXPECT_EQ(webhook.delivery, expected);
  EXPECT_EQ(webhook.state, WebhookState::kPaused);
}

TEST(ValidateDelivery, AGivenFieldReplacesAndTheOthersKeepTheirValue) {
  const Webhook before = webhook_with(full_draft());
  DeliveryDraft draft;
  draft.max_in_flight.emplace(1000);
  const Webhook after = webhook_with(draft, before);
  Webhook expected = before;
  expected.delivery.max_in_flight = 1000;
  EXPECT_EQ(after, expected);
}

TEST(ValidateDelivery, NullTakesAFieldBackToItsDefault) {
  const Webhook before = webhook_with(full_draft());
  DeliveryDraft draft;
  draft.rate.emplace(std::nullopt);
  draft.schedule.emplace(std::nullopt);
  draft.state.emplace(std::nullopt);
  const Webhook after = webhook_with(draft, before);
  Webhook expected = before;
  expected.delivery.rate.reset();
  expected.delivery.schedule.reset();
  expected.state = WebhookState::kActive;
  EXPECT_EQ(after, expected);
}

TEST(ValidateDelivery, NullForTheWholeTakesEveryFieldBackToItsDefault) {
  DeliveryDraft draft;
  draft.reset = true;
  EXPECT_EQ(webhook_with(draft, webhook_with(full_draft())), Webhook());
}

TEST(ValidateDelivery, AnEmptyScheduleIsNotTheDefaultOne) {
  DeliveryDraft draft;
  draft.schedule.emplace(std::vector<std::string>{});
  EXPECT_EQ(webhook_with(draft).delivery.schedule, std::vector<base::Duration>{});
}

TEST(ValidateDelivery, ReportsAllFaultsAtOnce) {
  DeliveryDraft draft;
  draft.format.emplace("xml");
  draft.signatures.emplace(std::vector<std::string>{"hmac", "rsa"});
  draft.schedule.emplace(std::vector<std::string>{"1s", "1s", "1s", "73h"});
  draft.max_in_flight.emplace(0);
  draft.rate.emplace(model::RateDraft{0.0, 0});
  draft.ordering.emplace("KEY");
  draft.on_failure.emplace("");
  draft.state.emplace("off");
  EXPECT_THAT(
      messages(validate_delivery(draft).faults),
      ElementsAre("delivery.format: is unknown; use jwt, json, cloudevents or cloudevents-binary",
                  "delivery.signatures[1]: is unknown; use hmac or ed25519",
                  "delivery.schedule[3]: is out of range; use 0s to 72h",
                  "delivery.max_in_flight: is out of range; use 1 to 1000",
                  StartsWith("delivery.rate.per_second: is out of range"),
                  StartsWith("delivery.rate.burst: is out of range"),
                  "delivery.ordering: is unknown; use none or key",
                  "delivery.on_failure: is unknown; use open or closed",
                  "delivery.state: is unknown; use active, paused or disabled"));
}

TEST(ValidateDelivery, BoundsOfNumbers) {
  const auto max_in_flight = [](std::int64_t value) {
    DeliveryDraft draft;
    draft.max_in_flight.emplace(value);
    return validate_delivery(draft).faults.empty();
  };
  EXPECT_TRUE(max_in_flight(1) && max_in_flight(1000));
  EXPECT_FALSE(max_in_flight(-1) || max_in_flight(1001) || max_in_flight(INT64_MAX));
  const auto rate = [](std::optional<double> per_second, std::optional<std::int64_t> burst) {
    DeliveryDraft draft;
    draft.rate.emplace(model::RateDraft{per_second, burst});
    return validate_delivery(draft).faults.empty();
  };
  EXPECT_TRUE(rate(0.001, 1) && rate(100'000, 100'000));
  EXPECT_FALSE(rate(0.0009, 1) || rate(100'000.1, 1) || rate(-1, 1));
  EXPECT_FALSE(rate(1, 0) || rate(1, 100'001) || rate(std::nullopt, 1));
}

TEST(ValidateDelivery, ABurstLeftOutIsThatOfOneSecond) {
  const auto burst_of = [](double per_second) {
    DeliveryDraft draft;
    draft.rate.emplace(model::RateDraft{per_second, std::nullopt});
    return webhook_with(draft).delivery.rate->burst;
  };
  EXPECT_EQ(burst_of(0.001), 1U);
  EXPECT_EQ(burst_of(2.5), 3U);
  EXPECT_EQ(burst_of(100'000), 100'000U);
}

// --- States -----------------------------------------------------------------------------------

TEST(ValidateDelivery, DisabledByHandSaysSo) {
  const Webhook webhook = webhook_with(state_draft("disabled"));
  EXPECT_EQ(webhook.state, WebhookState::kDisabled);
  EXPECT_EQ(webhook.disabled_reason, DisabledReason::kByHand);
}

TEST(ValidateDelivery, WhatIsDisabledAlreadyKeepsItsReason) {
  const Webhook gone = disabled(DisabledReason::kGone);
  EXPECT_EQ(webhook_with(state_draft("disabled"), gone), gone);
}

TEST(ValidateDelivery, EnabledAgainItHasNoPast) {
  for (const std::string state : {"active", "paused"}) {
    const Webhook webhook = webhook_with(state_draft(state), disabled(DisabledReason::kFailing));
    EXPECT_EQ(webhook.disabled_reason, DisabledReason::kNone);
    EXPECT_EQ(webhook.failing_since, base::WallTime());
  }
}

TEST(ValidateSchedule, TakesUpTo20DurationsOfUpTo72Hours) {
  const auto faults_of = [](const std::vector<std::string>& entries) {
    return messages(validate_schedule("delivery.schedule", entries).faults);
  };
  EXPECT_THAT(validate_schedule("schedule", {"0s", "5s", "72h"}).schedule,
              ElementsAre(seconds(0), seconds(5), hours(72)));
  EXPECT_THAT(faults_of({}), IsEmpty());
  EXPECT_THAT(faults_of(std::vector<std::string>(20, "1s")), IsEmpty());
  EXPECT_THAT(faults_of(std::vector<std::string>(21, "1s")),
              ElementsAre(StartsWith("delivery.schedule: has more than 20 entries")));
  EXPECT_THAT(
      faults_of({"1s", "-1s", "72h1ns", "x", ""}),
      ElementsAre(StartsWith("delivery.schedule[1]: "), StartsWith("delivery.schedule[2]: "),
                  StartsWith("delivery.schedule[3]: "), StartsWith("delivery.schedule[4]: ")));
}

}  // namespace
}  // namespace triggerd::core
