// The `delivery` object of a webhook, in and out.
#include <gmock/gmock.h>

#include "tests/api/routes/api_fixture.h"

namespace triggerd::api {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kWebhooks = "/organizations/webhooks";

class DeliverySettingsTest : public ApiTest {
 protected:
  static std::string path() { return std::string(kWebhooks) + "/" + std::string(kWebhookText); }
  static model::Webhook webhook() {
    model::Webhook webhook;
    webhook.id = *model::WebhookId::parse(kWebhookText);
    webhook.org = test_org();
    webhook.name = "n";
    webhook.target_url = "https://example.com/";
    return webhook;
  }
  model::DeliveryDraft patched(const std::string& delivery) {
    const auto request = asked<model::PatchWebhook>(
        Method::kPatch, path(), with_key("manage-key"), R"({"delivery":)" + delivery + "}",
        model::WebhookReply{std::make_shared<model::Webhook>(webhook())});
    EXPECT_TRUE(request.draft.delivery.has_value());
    return request.draft.delivery.value_or(model::DeliveryDraft());
  }
  // What the edge complains of; the core answers with it.
  Faults faults_of(const std::string& delivery) {
    return asked<model::PatchWebhook>(Method::kPatch, path(), with_key("manage-key"),
                                      R"({"delivery":)" + delivery + "}",
                                      model::Refusal{{{base::ErrorCode::kInvalid, "as told"}}, {}})
        .draft.faults;
  }
  std::string shown(const model::Webhook& webhook) {
    asked<model::GetWebhook>(Method::kGet, path(), with_key("read-key"), "",
                             model::WebhookReply{std::make_shared<model::Webhook>(webhook)});
    return response->body;
  }
};

TEST_F(DeliverySettingsTest, every_field_is_read_as_sent) {
  const model::DeliveryDraft draft =
      patched(R"({"format":"cloudevents","signatures":["hmac","ed25519"],"schedule":["5s","1h"],)"
              R"("max_in_flight":7.0,"rate":{"per_second":2.5,"burst":9e0},"ordering":"key",)"
              R"("on_failure":"closed","state":"paused","disabled_reason":"gone"})");
  EXPECT_FALSE(draft.reset);
  EXPECT_EQ(draft.format, "cloudevents");
  EXPECT_THAT(draft.signatures.value().value(), ElementsAre("hmac", "ed25519"));
  EXPECT_THAT(draft.schedule.value().value(), ElementsAre("5s", "1h"));
  EXPECT_EQ(draft.max_in_flight, 7);
  EXPECT_EQ(draft.rate.value()->per_second, 2.5);
  EXPECT_EQ(draft.rate.value()->burst, 9);
  EXPECT_EQ(draft.ordering, "key");
  EXPECT_EQ(draft.on_failure, "closed");
  EXPECT_EQ(draft.state, "paused");
}

TEST_F(DeliverySettingsTest, absent_and_null_are_told_apart) {
  const model::DeliveryDraft draft = patched(R"({"rate":null,"format":null,"state":null})");
  ASSERT_TRUE(draft.rate && draft.format && draft.state);
  EXPECT_FALSE(*draft.rate || *draft.format || *draft.state);
  EXPECT_FALSE(draft.schedule || draft.signatures || draft.ordering || draft.max_in_flight);
  EXPECT_TRUE(patched("null").reset);
  EXPECT_FALSE(patched("{}").reset);
}

TEST_F(DeliverySettingsTest, unknown_fields_and_wrong_types_are_named_all_at_once) {
  const auto message = [](std::string_view part) {
    return Field(&base::Error::message, HasSubstr(std::string(part)));
  };
  EXPECT_THAT(
      faults_of(
          R"({"formats":"jwt","schedule":["1s",5],"max_in_flight":1.5,"rate":{"per_minute":1},)"
          R"("signatures":"hmac","state":true})"),
      ElementsAre(message("delivery.formats: unknown field; known are format, signatures"),
                  message("delivery.schedule[1]: expected a string, got a number"),
                  message("delivery.max_in_flight: expected a whole number"),
                  message("delivery.rate.per_minute: unknown field; known are per_second"),
                  message("delivery.signatures: expected a list"),
                  message("delivery.state: expected a string, got a boolean")));
  EXPECT_THAT(faults_of("[]"), ElementsAre(message("delivery: expected an object, got a list")));
  EXPECT_THAT(faults_of(R"({"rate":5})"),
              ElementsAre(message("delivery.rate: expected an object")));
}

TEST_F(DeliverySettingsTest, a_webhook_without_settings_shows_none) {
  EXPECT_THAT(shown(webhook()), Not(HasSubstr("delivery")));
}

TEST_F(DeliverySettingsTest, what_is_set_is_shown_and_nothing_else) {
  model::Webhook set = webhook();
  set.delivery.schedule = {std::chrono::seconds(90), std::chrono::hours(72)};
  EXPECT_THAT(shown(set), HasSubstr(R"("delivery":{"schedule":["1m30s","72h0m0s"]},)"));
  set.delivery.schedule->clear();
  set.delivery.format = model::DeliveryFormat::kCloudEventsBinary;
  set.delivery.max_in_flight = 3;
  set.delivery.on_failure = model::OnFailure::kClosed;
  set.delivery.ordering = model::Ordering::kKey;
  set.delivery.rate = model::DeliveryRate{1'250, 4};
  set.delivery.signatures = model::kSignaturesAll;
  set.state = model::WebhookState::kPaused;
  EXPECT_THAT(shown(set),
              HasSubstr(R"("delivery":{"format":"cloudevents-binary","max_in_flight":3,)"
                        R"("on_failure":"closed","ordering":"key",)"
                        R"("rate":{"burst":4,"per_second":1.25},"schedule":[],)"
                        R"("signatures":["ed25519","hmac"],"state":"paused"},)"));
}

TEST_F(DeliverySettingsTest, rates_are_shown_exactly) {
  const auto shown_rate = [this](std::uint32_t thousandths) {
    model::Webhook set = webhook();
    set.delivery.rate = model::DeliveryRate{thousandths, 1};
    return shown(set);
  };
  EXPECT_THAT(shown_rate(1), HasSubstr(R"("per_second":0.001})"));
  EXPECT_THAT(shown_rate(20'050), HasSubstr(R"("per_second":20.05})"));
  EXPECT_THAT(shown_rate(100'000'000), HasSubstr(R"("per_second":100000})"));
}

TEST_F(DeliverySettingsTest, a_disabled_webhook_says_why) {
  model::Webhook off = webhook();
  off.state = model::WebhookState::kDisabled;
  off.disabled_reason = model::DisabledReason::kGone;
  EXPECT_THAT(shown(off), HasSubstr(R"("delivery":{"disabled_reason":"gone","state":"disabled"})"));
  off.disabled_reason = model::DisabledReason::kFailing;
  EXPECT_THAT(shown(off), HasSubstr(R"("disabled_reason":"failing")"));
  off.disabled_reason = model::DisabledReason::kByHand;
  EXPECT_THAT(shown(off), HasSubstr(R"("disabled_reason":"by_hand")"));
}

}  // namespace
}  // namespace triggerd::api
