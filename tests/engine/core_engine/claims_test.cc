// Requests that claim tokens of a rate, through the whole engine.
#include <chrono>
#include <map>
#include <optional>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "engine/base/random.h"
#include "engine/core/engine.h"

namespace triggerd::core {
namespace {

using base::ErrorCode;
using model::RateKind;

base::Uuid uuid(std::uint8_t number) {
  base::Uuid id;
  id.bytes[15] = number;
  return id;
}
const model::OrgId kOrg{uuid(1)};
const model::IpAddress kClient = *model::IpAddress::parse("192.0.2.7");

model::NewEvent event(std::uint8_t number, const char* name = "PersonCreated_v1") {
  model::NewEvent made;
  made.id = model::EventId(uuid(number));
  made.name = name;
  made.content = R"({"event_metadata":{}})";
  made.own_members_at = 20;
  return made;
}

class ClaimsTest : public testing::Test {
 protected:
  ClaimsTest() {
    EngineOptions options;
    options.rates.test_events = {60, 4};
    options.rates.sdk_client = {60, 3};
    options.rates.sdk_organization = {60, 2};
    engine_.emplace(options, random_);
    engine_->load(model::Organization{kOrg, "acme", now_.wall});
    model::Webhook webhook;
    webhook.id = model::WebhookId(uuid(100));
    webhook.org = kOrg;
    webhook.ref = model::WebhookRef(1);
    webhook.name = "w";
    webhook.target_url = "https://hooks.example/w";
    engine_->load(webhook);
    engine_->load(model::Trigger{kOrg, webhook.ref, model::TriggerType::kEvent, "PersonCreated_v1",
                                 model::Generation(1)});
    engine_->recovered(now_);
  }

  model::Output ask(model::Request request) {
    engine_->handle(std::move(request), model::RequestId(++requests_), now_);
    model::Output output = engine_->take_output();
    for (const model::Effect& effect : output.effects) {
      if (const auto* start = std::get_if<model::StartAttempt>(&effect.what)) {
        started_.push_back(*start);
      }
    }
    return output;
  }
  // The code of the refusal; nothing when it was granted.
  static std::optional<ErrorCode> refusal_of(const model::Output& output) {
    for (const model::Effect& effect : output.effects) {
      const auto* reply = std::get_if<model::SendReply>(&effect.what);
      if (reply == nullptr) continue;
      const auto* refusal = std::get_if<model::Refusal>(&reply->reply);
      if (refusal == nullptr) return std::nullopt;
      return refusal->faults.at(0).code;
    }
    ADD_FAILURE() << "not answered";
    return std::nullopt;
  }
  std::optional<ErrorCode> publish_from_sdk(const model::OrgId& org, const char* name) {
    model::PublishEvents request{org, {event(++events_, name)}};
    request.claims = {{RateKind::kSdkClient, {}, kClient, 1},
                      {RateKind::kSdkOrganization, org, {}, 1}};
    return refusal_of(ask(std::move(request)));
  }

  base::SeededRandom random_{1};
  base::Now now_{base::MonoTime(std::chrono::hours(1)),
                 *base::parse_rfc3339("2024-03-03T00:00:00Z")};
  std::optional<Engine> engine_;
  std::vector<model::StartAttempt> started_;
  std::uint64_t requests_ = 0;
  std::uint8_t events_ = 0;
};

TEST_F(ClaimsTest, OfAPublishRefuseItWhole) {
  model::PublishEvents three{kOrg, {event(1), event(2), event(3)}};
  three.claims = {{RateKind::kTestEvents, kOrg, {}, 3}};
  EXPECT_EQ(refusal_of(ask(three)), std::nullopt);
  EXPECT_EQ(started_.size(), 3U);
  const model::Output refused = ask(three);
  EXPECT_EQ(refusal_of(refused), ErrorCode::kRateLimited);
  EXPECT_TRUE(refused.batch.mutations.empty());
  EXPECT_EQ(started_.size(), 3U);
  three.events.pop_back();
  three.claims[0].tokens = 1;
  EXPECT_EQ(refusal_of(ask(three)), std::nullopt) << "the refused request cost nothing";
}

TEST_F(ClaimsTest, OfAnOrganizationAreNotTakenByFaultyRequests) {
  model::PublishEvents faulty{kOrg, {event(1, "Unknown_v1")}};
  faulty.claims = {{RateKind::kTestEvents, kOrg, {}, 4}};
  EXPECT_EQ(refusal_of(ask(faulty)), ErrorCode::kInvalid);
  model::PublishEvents good{kOrg, {event(1)}};
  good.claims = {{RateKind::kTestEvents, kOrg, {}, 4}};
  EXPECT_EQ(refusal_of(ask(good)), std::nullopt);
}

TEST_F(ClaimsTest, OfAClientComeBeforeEverythingElse) {
  const model::OrgId unknown(uuid(9));
  EXPECT_EQ(publish_from_sdk(unknown, "PersonCreated_v1"), ErrorCode::kNotFound);
  EXPECT_EQ(publish_from_sdk(unknown, "PersonCreated_v1"), ErrorCode::kNotFound);
  EXPECT_EQ(publish_from_sdk(kOrg, "Unknown_v1"), ErrorCode::kInvalid);
  EXPECT_EQ(publish_from_sdk(unknown, "PersonCreated_v1"), ErrorCode::kRateLimited)
      << "who guesses is stopped";
  EXPECT_EQ(publish_from_sdk(kOrg, "PersonCreated_v1"), ErrorCode::kRateLimited);
}

TEST_F(ClaimsTest, OfClientAndOrganizationBothHold) {
  EXPECT_EQ(publish_from_sdk(kOrg, "PersonCreated_v1"), std::nullopt);
  EXPECT_EQ(publish_from_sdk(kOrg, "PersonCreated_v1"), std::nullopt);
  EXPECT_EQ(publish_from_sdk(kOrg, "PersonCreated_v1"), ErrorCode::kRateLimited);
  EXPECT_EQ(started_.size(), 2U);
}

TEST_F(ClaimsTest, AnIdMintedTwiceByTheEdgeIsDeliveredTwice) {
  const model::Output output = ask(model::PublishEvents{kOrg, {event(1), event(1)}});
  const auto* reply = std::get_if<model::SendReply>(&output.effects.at(0).what);
  ASSERT_NE(reply, nullptr);
  const auto& published = std::get<model::PublishReply>(reply->reply).events;
  ASSERT_EQ(published.size(), 2U);
  EXPECT_FALSE(published[0].duplicate);
  EXPECT_FALSE(published[1].duplicate);
  ASSERT_EQ(started_.size(), 2U);
  EXPECT_EQ(started_[0].event->id, started_[1].event->id);
  EXPECT_NE(started_[0].event->seq, started_[1].event->seq);
  model::NewEvent from_client = event(1);
  from_client.id_from_client = true;
  EXPECT_EQ(refusal_of(ask(model::PublishEvents{kOrg, {from_client}})), std::nullopt);
  EXPECT_EQ(started_.size(), 2U) << "a client's id is still seen once";
}

}  // namespace
}  // namespace triggerd::core
