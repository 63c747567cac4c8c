// Secrets of webhooks, through the whole engine: who gets one, what a rotation keeps and for how
// long, and what is told of them.
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "engine/base/random.h"
#include "engine/core/engine.h"

namespace triggerd::core {
namespace {

using base::ErrorCode;
using model::SigningSecret;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::nanoseconds;

base::Uuid uuid(std::uint8_t number) {
  base::Uuid id;
  id.bytes[15] = number;
  return id;
}
const model::OrgId kOrg{uuid(1)};
const model::OrgId kOtherOrg{uuid(2)};

// As the edge makes it; times are the engine's to say, whatever stands there.
SigningSecret made(std::uint8_t number) {
  SigningSecret secret;
  secret.hmac_key[0] = number;
  secret.ed25519_seed[0] = number;
  secret.ed25519_public[0] = number;
  secret.created_at = base::WallTime(hours(7));
  secret.expires_at = base::WallTime(hours(8));
  return secret;
}

class SecretRequestsTest : public testing::Test {
 protected:
  SecretRequestsTest() {
    options_.secret_overlap = hours(2);
    engine_ = std::make_unique<Engine>(options_, random_);
    ask(model::CreateOrganization{kOrg, "acme"});
    ask(model::CreateOrganization{kOtherOrg, "globex"});
  }

  const model::Reply& ask(model::Request request) {
    engine_->handle(std::move(request), model::RequestId(++requests_), now_);
    output_ = engine_->take_output();
    for (const model::Effect& effect : output_.effects) {
      const auto* sent = std::get_if<model::SendReply>(&effect.what);
      if (sent != nullptr) reply_ = sent->reply;
    }
    return reply_;
  }
  model::WebhookId create(std::optional<std::string> format, std::optional<SigningSecret> secret) {
    model::CreateWebhook asked{kOrg, {}, secret};
    asked.draft.name = "w";
    asked.draft.target_url = "https://h" + std::to_string(++urls_) + ".example/";
    if (format) asked.draft.delivery.emplace().format.emplace(*format);
    return std::get<model::WebhookReply>(ask(asked)).webhook->id;
  }
  std::vector<SigningSecret> secrets_of(model::WebhookId id) {
    return std::get<model::WebhookReply>(ask(model::GetWebhook{kOrg, id})).webhook->secrets;
  }
  model::SecretRotated rotate(model::WebhookId id, std::uint8_t number) {
    return std::get<model::SecretRotated>(ask(model::RotateSecret{kOrg, id, made(number)}));
  }
  model::SecretReply show(model::WebhookId id) {
    return std::get<model::SecretReply>(ask(model::GetSecret{kOrg, id}));
  }
  void pass(base::Duration by) {
    now_.mono += by;
    now_.wall += by;
  }

  EngineOptions options_;
  base::SeededRandom random_{1};
  std::unique_ptr<Engine> engine_;
  base::Now now_{base::MonoTime(hours(1)), *base::parse_rfc3339("2024-03-03T00:00:00Z")};
  model::Output output_;
  model::Reply reply_;
  std::uint64_t requests_ = 0;
  int urls_ = 0;
};

TEST_F(SecretRequestsTest, TheFirstSecretComesWithTheFirstNeed) {
  const model::WebhookId id = create(std::nullopt, made(1));
  EXPECT_TRUE(secrets_of(id).empty()) << "a token needs none";
  model::PatchWebhook patch{kOrg, id, {}, made(2)};
  patch.draft.delivery.emplace().format.emplace("json");
  pass(minutes(1));
  ask(patch);
  ASSERT_EQ(secrets_of(id).size(), 1U);
  SigningSecret expected = made(2);
  expected.created_at = now_.wall;
  expected.expires_at = base::WallTime();
  EXPECT_EQ(secrets_of(id)[0], expected) << "the times are the engine's";

  patch.secret = made(3);
  patch.draft.delivery->format.emplace("cloudevents");
  ask(patch);
  EXPECT_EQ(secrets_of(id)[0].hmac_key[0], 2) << "there is one already";
}

TEST_F(SecretRequestsTest, WhoIsToBeSignedForHasOneFromTheBeginning) {
  const model::WebhookId id = create("json", made(1));
  ASSERT_EQ(secrets_of(id).size(), 1U);
  model::CreateWebhook unsigned_one{kOrg, {}, made(2)};
  unsigned_one.draft.name = "w";
  unsigned_one.draft.target_url = "https://unsigned.example/";
  unsigned_one.draft.delivery.emplace().format.emplace("json");
  unsigned_one.draft.delivery->signatures.emplace(std::vector<std::string>());
  const model::WebhookId other = std::get<model::WebhookReply>(ask(unsigned_one)).webhook->id;
  EXPECT_TRUE(secrets_of(other).empty()) << "explicitly none";
}

TEST_F(SecretRequestsTest, ARotationKeepsThePreviousOneForTheOverlap) {
  const model::WebhookId id = create("json", made(1));
  pass(minutes(10));
  const base::WallTime end = now_.wall + options_.secret_overlap;
  const model::SecretRotated rotated = rotate(id, 2);
  EXPECT_EQ(rotated.secret.hmac_key[0], 2);
  EXPECT_EQ(rotated.secret.created_at, now_.wall);
  EXPECT_EQ(rotated.previous_expires_at, end);
  const std::vector<SigningSecret> secrets = secrets_of(id);
  ASSERT_EQ(secrets.size(), 2U);
  EXPECT_EQ(secrets[0].hmac_key[0], 2);
  EXPECT_EQ(secrets[0].expires_at, base::WallTime());
  EXPECT_EQ(secrets[1].hmac_key[0], 1);
  EXPECT_EQ(secrets[1].expires_at, end);

  pass(options_.secret_overlap - nanoseconds(1));
  EXPECT_EQ(show(id).previous_expires_at, end);
  pass(nanoseconds(1));
  EXPECT_EQ(show(id).previous_expires_at, std::nullopt) << "over when its time has come";
}

TEST_F(SecretRequestsTest, TheFirstRotationOfAWebhookWithoutASecretHasNoPreviousOne) {
  const model::WebhookId id = create(std::nullopt, std::nullopt);
  const model::SecretRotated rotated = rotate(id, 1);
  EXPECT_EQ(rotated.previous_expires_at, std::nullopt);
  EXPECT_EQ(secrets_of(id).size(), 1U);
}

TEST_F(SecretRequestsTest, ThereAreTwoAtMostAndTheOldestGoesAtOnce) {
  const model::WebhookId id = create("json", made(1));
  for (std::uint8_t number = 2; number < 10; ++number) {
    rotate(id, number);
    const std::vector<SigningSecret> secrets = secrets_of(id);
    ASSERT_EQ(secrets.size(), model::kSigningSecretsMax);
    EXPECT_EQ(secrets[0].hmac_key[0], number);
    EXPECT_EQ(secrets[1].hmac_key[0], number - 1);
  }
}

TEST_F(SecretRequestsTest, NothingButARotationTellsASecret) {
  const model::WebhookId id = create("json", made(1));
  const model::SecretReply shown = show(id);
  EXPECT_EQ(shown.ed25519_public[0], 1);
  EXPECT_EQ(shown.created_at, now_.wall);
}

// What is told of a secret rests on the batch that holds it.
TEST_F(SecretRequestsTest, AnswersRestOnTheRotation) {
  const model::WebhookId id = create("json", made(1));
  rotate(id, 2);
  const model::BatchSeq batch = output_.batch.seq;
  ASSERT_FALSE(output_.batch.mutations.empty());
  EXPECT_EQ(output_.effects.at(0).rests_on, batch);
  show(id);
  EXPECT_EQ(output_.effects.at(0).rests_on, batch);
}

TEST_F(SecretRequestsTest, WhatIsNotThereOrNotTheirsIsNotFound) {
  const auto code = [this](model::Request request) {
    return std::get<model::Refusal>(ask(std::move(request))).faults.at(0).code;
  };
  const model::WebhookId none = create(std::nullopt, std::nullopt);
  EXPECT_EQ(code(model::GetSecret{kOrg, none}), ErrorCode::kNotFound);
  EXPECT_NE(std::get<model::Refusal>(reply_).faults[0].message.find("secret/rotate"),
            std::string::npos);
  const model::WebhookId id = create("json", made(1));
  EXPECT_EQ(code(model::RotateSecret{kOtherOrg, id, made(2)}), ErrorCode::kNotFound);
  EXPECT_EQ(code(model::GetSecret{kOtherOrg, id}), ErrorCode::kNotFound);
  EXPECT_TRUE(output_.batch.mutations.empty());
  EXPECT_EQ(secrets_of(id)[0].hmac_key[0], 1);
  ask(model::DeleteWebhook{kOrg, id});
  EXPECT_EQ(code(model::RotateSecret{kOrg, id, made(2)}), ErrorCode::kNotFound);
  EXPECT_EQ(code(model::GetSecret{kOrg, id}), ErrorCode::kNotFound);
}

TEST_F(SecretRequestsTest, ARecoveredEngineGoesOnWithTheOverlap) {
  const model::WebhookId id = create("json", made(1));
  rotate(id, 2);
  const base::WallTime end = now_.wall + options_.secret_overlap;
  const model::WebhookPtr stored =
      std::get<model::WebhookReply>(ask(model::GetWebhook{kOrg, id})).webhook;
  engine_ = std::make_unique<Engine>(options_, random_);
  engine_->load(model::Organization{kOrg, "acme", now_.wall});
  engine_->load(*stored);
  pass(minutes(1));
  engine_->recovered(now_);
  EXPECT_EQ(show(id).previous_expires_at, end);
  const base::WallTime next_end = now_.wall + options_.secret_overlap;
  EXPECT_EQ(rotate(id, 3).previous_expires_at, next_end);
  EXPECT_EQ(secrets_of(id)[1].hmac_key[0], 2);
}

}  // namespace
}  // namespace triggerd::core
