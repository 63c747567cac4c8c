#include "dispatcher/key_ring.h"

#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/x509.h>

#include "dispatcher/base64url.h"
#include "tests/dispatcher/sign/sign_fixtures.h"

namespace triggerd::dispatcher {
namespace {

PrivateKey golden_key() {
  const std::string der = decode_base64url(read_data("es256_golden/key.txt")).value();
  return std::move(PrivateKey::from_pkcs8(der).value());
}

std::string pkcs8_of(EVP_PKEY* key) {
  PKCS8_PRIV_KEY_INFO* info = EVP_PKEY2PKCS8(key);
  unsigned char* der = nullptr;
  const int length = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
  std::string text(reinterpret_cast<char*>(der), static_cast<std::size_t>(length));
  OPENSSL_free(der);
  PKCS8_PRIV_KEY_INFO_free(info);
  EVP_PKEY_free(key);
  return text;
}

TEST(PrivateKey, ComesBackFromItsPkcs8AsTheSameKey) {
  const PrivateKey key = std::move(PrivateKey::generate().value());
  const base::Result<PrivateKey> again = PrivateKey::from_pkcs8(key.to_pkcs8());
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again.value().kid(), key.kid());
  EXPECT_EQ(again.value().public_x(), key.public_x());
  EXPECT_EQ(again.value().public_y(), key.public_y());
  EXPECT_EQ(again.value().to_pkcs8(), key.to_pkcs8());
}

TEST(PrivateKey, HasAThumbprintOf43CharactersAndCoordinatesOf32Bytes) {
  for (int i = 0; i < 50; ++i) {
    const PrivateKey key = std::move(PrivateKey::generate().value());
    EXPECT_EQ(key.kid().size(), 43U);
    EXPECT_EQ(decode_base64url(key.public_x()).value().size(), 32U);
    EXPECT_EQ(decode_base64url(key.public_y()).value().size(), 32U);
  }
}

TEST(PrivateKey, GivesItsStoredFormWithoutThePrivatePart) {
  const PrivateKey key = golden_key();
  const model::SigningKey record = key.record(kNow);
  EXPECT_EQ(record.kid, key.kid());
  EXPECT_EQ(record.public_x, key.public_x());
  EXPECT_EQ(record.public_y, key.public_y());
  EXPECT_EQ(record.created_at, kNow);
  EXPECT_TRUE(record.sealed_private_key.empty());
}

TEST(PrivateKey, RefusesBytesThatAreNotOneP256Key) {
  const std::string good = golden_key().to_pkcs8();
  std::string damaged = good;
  damaged[40] = static_cast<char>(damaged[40] ^ 1);  // within the private number
  const std::string cases[] = {"",
                               "hello",
                               std::string(5000, '\x30'),
                               good.substr(0, good.size() - 1),
                               good + '\0',
                               damaged,
                               pkcs8_of(EVP_EC_gen("P-384")),
                               pkcs8_of(EVP_EC_gen("secp256k1")),
                               pkcs8_of(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"))};
  for (const std::string& der : cases) {
    const base::Result<PrivateKey> key = PrivateKey::from_pkcs8(der);
    ASSERT_FALSE(key.ok());
    EXPECT_EQ(key.error().code, base::ErrorCode::kInvalid);
    EXPECT_THAT(key.error().message, testing::HasSubstr("signing key"));
  }
}

TEST(PrivateKey, SurvivesEveryDamagedByte) {
  const std::string good = golden_key().to_pkcs8();
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string damaged = good;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    const base::Result<PrivateKey> key = PrivateKey::from_pkcs8(damaged);
    if (key.ok()) {
      EXPECT_EQ(key.value().kid(), golden_key().kid()) << at;
    }
  }
}

TEST(KeyRing, PublishesTheGoldenDocumentByteForByte) {
  std::vector<PrivateKey> keys;
  keys.push_back(golden_key());
  const std::string kid = keys[0].kid();
  const KeyRing ring = std::move(KeyRing::create(std::move(keys), kid).value());
  EXPECT_EQ(ring.jwks(), read_data("es256_golden/jwks.json"));
}

TEST(KeyRing, PublishesEveryKeyAndNoPrivateMember) {
  const KeyRing ring = new_ring(3);
  const rapidjson::Document document = parse_json(ring.jwks());
  ASSERT_EQ(document["keys"].Size(), 3U);
  for (const auto& key : document["keys"].GetArray()) {
    EXPECT_FALSE(key.HasMember("d"));
    EXPECT_STREQ(key["alg"].GetString(), "ES256");
    EXPECT_STREQ(key["use"].GetString(), "sig");
    EXPECT_EQ(key.MemberCount(), 8U);
  }
  EXPECT_EQ(document["keys"][2]["kid"].GetString(), ring.active().kid());
}

TEST(KeyRing, RefusesNoKeysAForeignActiveKeyAndTheSameKeyTwice) {
  EXPECT_FALSE(KeyRing::create({}, "x").ok());

  std::vector<PrivateKey> one;
  one.push_back(golden_key());
  EXPECT_FALSE(KeyRing::create(std::move(one), "x").ok());

  std::vector<PrivateKey> twice;
  twice.push_back(golden_key());
  twice.push_back(golden_key());
  const std::string kid = twice[0].kid();
  const base::Result<KeyRing> ring = KeyRing::create(std::move(twice), kid);
  ASSERT_FALSE(ring.ok());
  EXPECT_THAT(ring.error().message, testing::HasSubstr("twice"));
}

}  // namespace
}  // namespace triggerd::dispatcher
