#include "dispatcher/webhook_signer.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/dispatcher/sign/sign_fixtures.h"

namespace triggerd::dispatcher {
namespace {

std::array<std::uint8_t, 32> from_hex(const std::string& text) {
  std::array<std::uint8_t, 32> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(std::stoul(text.substr(2 * i, 2), nullptr, 16));
  }
  return bytes;
}

model::SigningSecret secret_of(std::uint8_t byte) {
  model::SigningSecret secret;
  secret.hmac_key.fill(byte);
  secret.ed25519_seed.fill(static_cast<std::uint8_t>(byte + 1));
  return secret;
}

model::Webhook signed_with(std::uint8_t kinds, std::vector<model::SigningSecret> secrets) {
  model::Webhook webhook;
  webhook.delivery.format = model::DeliveryFormat::kJson;
  webhook.delivery.signatures = kinds;
  webhook.secrets = std::move(secrets);
  return webhook;
}

std::size_t signatures_in(const std::string& value) {
  if (value.empty()) return 0;
  return 1 + static_cast<std::size_t>(std::count(value.begin(), value.end(), ' '));
}

constexpr SignedMessage kMessage{"id", "1709431920", "{}"};

TEST(WebhookSigner, MakesTheGoldenSignatures) {
  const rapidjson::Document vectors = parse_json(read_data("standard_webhooks/vectors.json"));
  WebhookSigner signer;
  ASSERT_GE(vectors.Size(), 24U);
  for (const auto& vector : vectors.GetArray()) {
    model::Webhook webhook = signed_with(0, {});
    std::uint8_t kinds = 0;
    for (const auto& kind : vector["kinds"].GetArray()) {
      kinds |= kind == "hmac" ? model::kSignatureHmac : model::kSignatureEd25519;
    }
    webhook.delivery.signatures = kinds;
    for (const auto& each : vector["secrets"].GetArray()) {
      model::SigningSecret secret;
      secret.hmac_key = from_hex(each["hmac_key"].GetString());
      secret.ed25519_seed = from_hex(each["ed25519_seed"].GetString());
      if (!webhook.secrets.empty()) secret.expires_at = kNow + std::chrono::hours(1);
      webhook.secrets.push_back(secret);
    }
    const std::string timestamp = std::to_string(vector["timestamp"].GetInt64());
    const std::string body(vector["body"].GetString(), vector["body"].GetStringLength());
    EXPECT_EQ(signer.sign(webhook, {vector["id"].GetString(), timestamp, body}, kNow),
              vector["signature"].GetString())
        << body;
  }
}

TEST(WebhookSigner, APreviousSecretSignsUntilTheMomentItExpires) {
  model::SigningSecret previous = secret_of(9);
  previous.expires_at = kNow;
  const model::Webhook webhook = signed_with(model::kSignatureHmac, {secret_of(1), previous});
  WebhookSigner signer;
  const base::Duration one(1);
  const std::string before = signer.sign(webhook, kMessage, kNow - one);
  const std::string after = signer.sign(webhook, kMessage, kNow);
  EXPECT_EQ(signatures_in(before), 2U);
  EXPECT_EQ(signatures_in(after), 1U);
  EXPECT_EQ(before.substr(0, after.size()), after) << "the new one comes first";
}

TEST(WebhookSigner, SignsNothingWithoutASecretOrASettingThatAsksForIt) {
  WebhookSigner signer;
  EXPECT_EQ(signer.sign(signed_with(0, {secret_of(1)}), kMessage, kNow), "");
  EXPECT_EQ(signer.sign(signed_with(model::kSignaturesAll, {}), kMessage, kNow), "");
  model::Webhook by_default = signed_with(0, {secret_of(1)});
  by_default.delivery.signatures.reset();
  EXPECT_EQ(signatures_in(signer.sign(by_default, kMessage, kNow)), 1U) << "json: hmac";
  by_default.delivery.format = model::DeliveryFormat::kJwt;
  EXPECT_EQ(signer.sign(by_default, kMessage, kNow), "");
}

TEST(WebhookSigner, AnotherIdTimestampBodyOrKeyMakesAnotherSignature) {
  WebhookSigner signer;
  for (const std::uint8_t kind : {model::kSignatureHmac, model::kSignatureEd25519}) {
    const model::Webhook webhook = signed_with(kind, {secret_of(1)});
    const std::string good = signer.sign(webhook, kMessage, kNow);
    EXPECT_EQ(signer.sign(webhook, kMessage, kNow), good);
    EXPECT_NE(signer.sign(webhook, {"ie", "1709431920", "{}"}, kNow), good);
    EXPECT_NE(signer.sign(webhook, {"id", "1709431921", "{}"}, kNow), good);
    EXPECT_NE(signer.sign(webhook, {"id", "1709431920", "{ }"}, kNow), good);
    EXPECT_NE(signer.sign(signed_with(kind, {secret_of(2)}), kMessage, kNow), good);
  }
}

TEST(WebhookSigner, MoreKeysThanItKeepsSignAllTheSame) {
  WebhookSigner signer;
  std::vector<std::string> first;
  for (int round = 0; round < 2; ++round) {
    for (std::size_t i = 0; i <= WebhookSigner::kKeysKept; ++i) {
      model::SigningSecret secret;
      secret.ed25519_seed[0] = static_cast<std::uint8_t>(i);
      secret.ed25519_seed[1] = static_cast<std::uint8_t>(i >> 8);
      const std::string value =
          signer.sign(signed_with(model::kSignatureEd25519, {secret}), kMessage, kNow);
      if (round == 0) {
        first.push_back(value);
      } else {
        ASSERT_EQ(value, first[i]) << i;
      }
    }
  }
}

}  // namespace
}  // namespace triggerd::dispatcher
