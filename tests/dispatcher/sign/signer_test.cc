#include "dispatcher/signer.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <unordered_set>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "dispatcher/base64url.h"
#include "dispatcher/jws.h"
#include "tests/dispatcher/sign/sign_fixtures.h"

namespace triggerd::dispatcher {
namespace {

KeyRingPtr golden_ring() {
  std::vector<RingKey> keys;
  const std::string der = decode_base64url(read_data("es256_golden/key.txt")).value();
  keys.push_back({std::move(PrivateKey::from_pkcs8(der).value()), {}});
  return ring_of(std::move(keys));
}

TEST(Signer, MakesTheHeaderOfAlgAndKidAndNothingElse) {
  const KeyRingPtr ring = new_ring();
  const std::string token = Signer(ring).sign("{}", kNow);
  EXPECT_EQ(decode_base64url(split_token(token).header),
            R"({"alg":"ES256","kid":")" + last_key(ring).kid() + R"("})");
}

TEST(Signer, MakesTokensThatVerifyByThePublishedKey) {
  const KeyRingPtr ring = new_ring(2);
  Signer signer(ring);
  for (std::size_t length : {0U, 1U, 2U, 3U, 64U, 1000U, 300000U}) {
    const std::string claims(length, 'x');
    const std::string token = signer.sign(claims, kNow);
    EXPECT_EQ(claims_text(token), claims);
    EXPECT_TRUE(verifies(token, jwks_of(ring))) << length;
  }
}

TEST(Signer, ATokenWithOneChangedCharacterDoesNotVerify) {
  const KeyRingPtr ring = new_ring();
  std::string token = Signer(ring).sign(R"({"a":1})", kNow);
  ASSERT_TRUE(verifies(token, jwks_of(ring)));
  const std::size_t payload = token.find('.') + 2;
  token[payload] = token[payload] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(verifies(token, jwks_of(ring)));
}

TEST(Signer, AgreesWithAForeignSignerOnAllButTheSignature) {
  const std::string foreign = read_data("es256_golden/token.txt");
  const KeyRingPtr ring = golden_ring();
  EXPECT_TRUE(verifies(foreign, jwks_of(ring)));
  const std::string ours = Signer(ring).sign(claims_text(foreign), kNow);
  EXPECT_EQ(split_token(ours).header, split_token(foreign).header);
  EXPECT_EQ(split_token(ours).payload, split_token(foreign).payload);
  EXPECT_TRUE(verifies(ours, jwks_of(ring)));
}

TEST(Signer, TenThousandSignaturesHave64BytesAndNeverRepeatTheirNonce) {
  const KeyRingPtr ring = new_ring();
  Signer signer(ring);
  std::unordered_set<std::string> nonces;
  bool short_r = false;
  for (int i = 0; i < 10000; ++i) {
    const std::string raw =
        decode_base64url(split_token(signer.sign("{}", kNow)).signature).value();
    ASSERT_EQ(raw.size(), 64U);
    short_r = short_r || raw[0] == '\0';
    ASSERT_TRUE(nonces.insert(raw.substr(0, 32)).second) << "r came again";
  }
  EXPECT_TRUE(short_r) << "one r in 256 starts with a zero byte: padding was not seen";
}

TEST(Signer, SignsWithTheNewRingOnceItIsGiven) {
  const KeyRingPtr before = new_ring();
  const KeyRingPtr after = new_ring();
  Signer signer(before);
  EXPECT_TRUE(verifies(signer.sign("{}", kNow), jwks_of(before)));
  signer.use(after);
  const std::string token = signer.sign("{}", kNow);
  EXPECT_TRUE(verifies(token, jwks_of(after)));
  EXPECT_FALSE(verifies(token, jwks_of(before)));
}

TEST(Signer, EachKeySignsFromItsTimeUntilTheNextOnes) {
  const auto at = [](std::int64_t second) {
    return base::WallTime(base::Duration(std::chrono::seconds(second)));
  };
  std::vector<RingKey> keys;
  for (const std::int64_t from : {100, 200, 300}) {
    keys.push_back({std::move(PrivateKey::generate().value()), at(from)});
  }
  const std::string kids[] = {keys[0].key.kid(), keys[1].key.kid(), keys[2].key.kid()};
  const KeyRingPtr ring = ring_of(std::move(keys));
  Signer signer(ring);
  const base::Duration one(1);
  // In this order: the clock may be set back.
  const std::pair<base::WallTime, int> cases[] = {
      {at(0), 0},   {at(100), 0}, {at(200) - one, 0}, {at(200), 1}, {at(300) - one, 1},
      {at(300), 2}, {at(999), 2}, {at(250), 1},       {at(0), 0},   {at(300), 2}};
  for (const auto& [now, index] : cases) {
    const std::string token = signer.sign("{}", now);
    EXPECT_EQ(decode_base64url(split_token(token).header),
              R"({"alg":"ES256","kid":")" + kids[index] + R"("})");
    EXPECT_TRUE(verifies(token, jwks_of(ring)));
  }
}

TEST(Signer, SeveralThreadsSignWithOneRing) {
  const KeyRingPtr ring = new_ring();
  std::vector<std::string> tokens(4);
  std::vector<std::thread> threads;
  threads.reserve(tokens.size());
  for (std::string& token : tokens) {
    threads.emplace_back([&ring, &token] {
      Signer signer(ring);
      for (int i = 0; i < 50; ++i) token = signer.sign("{}", kNow);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& token : tokens) EXPECT_TRUE(verifies(token, jwks_of(ring)));
}

std::vector<std::uint8_t> der(const std::string& r, const std::string& s) {
  const std::string text = std::string("\x30") + static_cast<char>(4 + r.size() + s.size()) +
                           '\x02' + static_cast<char>(r.size()) + r + '\x02' +
                           static_cast<char>(s.size()) + s;
  return {text.begin(), text.end()};
}

TEST(JwsSignature, PadsShortNumbersOnTheLeftAndDropsSignBytes) {
  const std::string full = std::string(1, '\0') + std::string(32, '\xff');
  const std::optional<Es256Signature> raw = signature_from_der(der("\x07", full));
  ASSERT_TRUE(raw.has_value());
  EXPECT_EQ((*raw)[30], 0);
  EXPECT_EQ((*raw)[31], 7);
  EXPECT_EQ((*raw)[32], 0xff);
  EXPECT_EQ((*raw)[63], 0xff);
  const std::string back = signature_to_der(*raw);
  EXPECT_EQ(std::vector<std::uint8_t>(back.begin(), back.end()), der("\x07", full));
}

TEST(JwsSignature, RefusesWhatIsNotTwoPositiveNumbersOf32Bytes) {
  std::vector<std::uint8_t> good = der("\x01", "\x01");
  ASSERT_TRUE(signature_from_der(good).has_value());
  for (std::size_t length = 0; length < good.size(); ++length) {
    EXPECT_FALSE(signature_from_der(std::span(good).first(length)).has_value()) << length;
  }
  good.push_back(0);
  EXPECT_FALSE(signature_from_der(good).has_value());
  EXPECT_FALSE(signature_from_der(der("\x81", "\x01")).has_value());
  EXPECT_FALSE(signature_from_der(der("", "\x01")).has_value());
  EXPECT_FALSE(signature_from_der(der(std::string(33, '\x01'), "\x01")).has_value());
}

}  // namespace
}  // namespace triggerd::dispatcher
