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

TEST(PrivateKey, TheGoldenKeyGivesTheGoldenDocument) {
  std::vector<RingKey> keys;
  keys.push_back({golden_key(), {}});
  EXPECT_EQ(jwks_of(ring_of(std::move(keys))), read_data("es256_golden/jwks.json"));
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

TEST(KeyRing, RefusesNoKeysAndTheSameKeyTwice) {
  EXPECT_FALSE(KeyRing::create({}).ok());

  std::vector<RingKey> twice;
  twice.push_back({golden_key(), base::WallTime(base::Duration(1))});
  twice.push_back({golden_key(), base::WallTime(base::Duration(2))});
  const base::Result<KeyRing> ring = KeyRing::create(std::move(twice));
  ASSERT_FALSE(ring.ok());
  EXPECT_THAT(ring.error().message, testing::HasSubstr("twice"));
}

TEST(KeyRing, OrdersItsKeysByTheirTimeWhateverTheOrderGiven) {
  std::vector<RingKey> keys;
  for (const int from : {3, 1, 2}) {
    keys.push_back(
        {std::move(PrivateKey::generate().value()), base::WallTime(base::Duration(from))});
  }
  const std::string first = keys[1].key.kid();
  const KeyRing ring = std::move(KeyRing::create(std::move(keys)).value());
  EXPECT_EQ(ring.keys()[0].key.kid(), first);
  EXPECT_EQ(ring.keys()[2].active_from, base::WallTime(base::Duration(3)));
  const KeyRing::Turn turn = ring.at(base::WallTime(base::Duration(1)));
  EXPECT_EQ(turn.key.kid(), first);
  EXPECT_EQ(turn.from, base::WallTime::min()) << "there is none before it";
  EXPECT_EQ(turn.until, base::WallTime(base::Duration(2)));
  EXPECT_EQ(ring.at(kNow).until, base::WallTime::max());
}

}  // namespace
}  // namespace triggerd::dispatcher
