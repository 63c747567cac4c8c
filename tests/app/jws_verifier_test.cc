#include "app/jws_verifier.h"

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "dispatcher/base64url.h"
#include "dispatcher/request_builder.h"
#include "dispatcher/signer.h"
#include "tests/support/key_rings.h"

namespace triggerd::app {
namespace {

using dispatcher::base64url;
using support::jwks_of;
using support::last_key;
using support::new_ring;
using testing::HasSubstr;

constexpr base::WallTime kNow{std::chrono::seconds(1'709'431'920)};
constexpr const char* kOrg = "0190a6e0-1111-7000-8000-000000000001";
constexpr const char* kTarget = "https://hooks.example/in";

class JwsVerifierTest : public testing::Test {
 protected:
  // As triggerd sends it, at kNow.
  std::string token() {
    model::Webhook webhook;
    webhook.org = *base::OrgId::parse(kOrg);
    webhook.target_url = kTarget;
    model::Event event;
    event.name = "PersonCreated_v1";
    event.content = R"({"n":1.50e1})";
    model::StartAttempt attempt;
    attempt.webhook = std::make_shared<const model::Webhook>(webhook);
    attempt.event = std::make_shared<const model::Event>(event);
    base::SeededRandom random(1);
    dispatcher::RequestBuilder builder("https://events.example", ring_, random);
    return builder.build(attempt, {}, kNow).body;
  }
  // Signed by the right key, whatever it says.
  std::string signed_claims(const std::string& claims) {
    return dispatcher::Signer(ring_).sign(claims, kNow);
  }
  std::string fault(const std::string& text) const { return fault(text, expected_); }
  std::string fault(const std::string& text, const JwsExpectations& expected) const {
    const base::Result<JwsClaims> claims = verifier_.verify(text, expected);
    return claims.ok() ? "none" : claims.error().message;
  }

  support::KeyRingPtr ring_ = new_ring(2);
  JwsVerifier verifier_ = std::move(JwsVerifier::create(jwks_of(ring_)).value());
  JwsExpectations expected_{kOrg, kTarget, kNow};
};

std::vector<std::string> parts_of(const std::string& token) {
  const std::size_t first = token.find('.');
  const std::size_t last = token.rfind('.');
  return {token.substr(0, first), token.substr(first + 1, last - first - 1),
          token.substr(last + 1)};
}

TEST_F(JwsVerifierTest, AcceptsWhatTriggerdSendsAndReadsItsClaims) {
  const base::Result<JwsClaims> result = verifier_.verify(token(), expected_);
  ASSERT_TRUE(result.ok()) << result.error().message;
  const JwsClaims& claims = result.value();
  EXPECT_EQ(claims.kid, last_key(ring_).kid());
  EXPECT_EQ(claims.audience, kOrg);
  EXPECT_EQ(claims.issuer, "https://events.example");
  EXPECT_EQ(claims.target_url, kTarget);
  EXPECT_EQ(claims.trigger_name, "PersonCreated_v1");
  EXPECT_EQ(claims.trigger_type, "event");
  EXPECT_EQ(claims.issued_at, 1'709'431'920);
  EXPECT_EQ(claims.expires_at, 1'709'433'120);
  EXPECT_THAT(claims.text, HasSubstr(R"("trigger_content":{"n":1.50e1})"));
}

TEST_F(JwsVerifierTest, AcceptsATokenOfAnyPublishedKey) {
  const support::KeyRingPtr other = new_ring(1);
  const std::string both = jwks_of(ring_).substr(0, jwks_of(ring_).size() - 2) + ',' +
                           jwks_of(other).substr(jwks_of(other).find('[') + 1);
  const JwsVerifier verifier = std::move(JwsVerifier::create(both).value());
  EXPECT_TRUE(verifier.verify(token(), expected_).ok());
}

TEST_F(JwsVerifierTest, RefusesATokenOfAKeyThatIsNotPublished) {
  const support::KeyRingPtr foreign = new_ring(1);
  EXPECT_THAT(fault(dispatcher::Signer(foreign).sign("{}", kNow)),
              HasSubstr("no key is published"));
}

TEST_F(JwsVerifierTest, RefusesEveryChangedCharacter) {
  const std::string good = token();
  ASSERT_EQ(fault(good), "none");
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string tampered = good;
    tampered[at] = good[at] == 'A' ? 'B' : 'A';
    EXPECT_NE(fault(tampered), "none") << at;
  }
}

TEST_F(JwsVerifierTest, RefusesATokenCutAnywhereOrGrown) {
  const std::string good = token();
  for (std::size_t length = 0; length < good.size(); ++length) {
    EXPECT_NE(fault(good.substr(0, length)), "none") << length;
  }
  EXPECT_NE(fault(good + "A"), "none");
  EXPECT_NE(fault(good + "."), "none");
  EXPECT_NE(fault(good + "\n"), "none");
  EXPECT_NE(fault("." + good), "none");
}

TEST_F(JwsVerifierTest, RefusesOtherAlgorithms) {
  const std::vector<std::string> parts = parts_of(token());
  const std::string kid = R"(,"kid":")" + last_key(ring_).kid() + R"("})";
  for (const char* algorithm : {"none", "HS256", "es256", "ES384", "RS256"}) {
    const std::string header = R"({"alg":")" + std::string(algorithm) + '"' + kid;
    EXPECT_THAT(fault(base64url(header) + '.' + parts[1] + '.'), HasSubstr("not ES256"));
    EXPECT_THAT(fault(base64url(header) + '.' + parts[1] + '.' + parts[2]), HasSubstr("not ES256"));
  }
  EXPECT_THAT(fault(base64url(R"({"alg":["ES256"])" + kid) + '.' + parts[1] + '.' + parts[2]),
              HasSubstr("not ES256"));
  EXPECT_THAT(fault(base64url(R"({"alg":"ES256","crit":["exp"])" + kid) + '.' + parts[1] + '.'),
              HasSubstr("critical"));
}

TEST_F(JwsVerifierTest, RefusesAnEmptyAZeroAndANegatedSignature) {
  const std::vector<std::string> parts = parts_of(token());
  const std::string text = parts[0] + '.' + parts[1] + '.';
  EXPECT_THAT(fault(text), HasSubstr("signature"));
  EXPECT_THAT(fault(text + base64url(std::string(64, '\0'))), HasSubstr("signature"));
  EXPECT_THAT(fault(text + base64url(std::string(64, '\xff'))), HasSubstr("signature"));
  EXPECT_THAT(fault(text + base64url(std::string(65, '\x01'))), HasSubstr("signature"));
}

TEST_F(JwsVerifierTest, RefusesFromTheSecondOfExpiryOn) {
  JwsExpectations expected = expected_;
  expected.now = kNow + std::chrono::seconds(1199);
  EXPECT_EQ(fault(token(), expected), "none");
  expected.now = kNow + std::chrono::seconds(1200);
  EXPECT_THAT(fault(token(), expected), HasSubstr("expired"));
  expected.leeway = std::chrono::seconds(1);
  EXPECT_EQ(fault(token(), expected), "none");
}

TEST_F(JwsVerifierTest, RefusesATokenOfTheNextSecondUnlessLeewayAllowsIt) {
  JwsExpectations expected = expected_;
  expected.now = kNow - std::chrono::nanoseconds(1);
  EXPECT_THAT(fault(token(), expected), HasSubstr("future"));
  expected.leeway = std::chrono::seconds(1);
  EXPECT_EQ(fault(token(), expected), "none");
}

TEST_F(JwsVerifierTest, RefusesAnotherAudienceAndAnotherTarget) {
  JwsExpectations expected = expected_;
  expected.audience = "0190a6e0-1111-7000-8000-00000000000f";
  EXPECT_THAT(fault(token(), expected), HasSubstr("aud"));
  expected = expected_;
  expected.target_url = "https://hooks.example/other";
  EXPECT_THAT(fault(token(), expected), HasSubstr("target_url"));
  expected.audience.clear();
  expected.target_url.clear();
  EXPECT_EQ(fault(token(), expected), "none") << "empty is not compared";
}

TEST_F(JwsVerifierTest, RefusesSignedTextThatIsNotTheClaims) {
  const std::string good = *dispatcher::decode_base64url(parts_of(token())[1]);
  EXPECT_EQ(fault(signed_claims(good)), "none");
  for (const char* text : {"", "[]", "1", "{", "{}", "{}{}", "{\"aud\":\"\xff\"}"}) {
    EXPECT_NE(fault(signed_claims(text)), "none") << text;
  }
  for (const char* name : {"aud", "exp", "iat", "iss", "jti", "sub", "target_url",
                           "trigger_content", "trigger_name", "trigger_type", "webhook_id"}) {
    std::string without = good;
    without.replace(without.find('"' + std::string(name) + '"') + 1, 1, "X");
    EXPECT_THAT(fault(signed_claims(without)), HasSubstr(name));
  }
  EXPECT_NE(fault(signed_claims(std::string(300'000, '['))), "none") << "depth is no danger";
}

TEST_F(JwsVerifierTest, RefusesATokenOverTheLimit) {
  EXPECT_THAT(fault(std::string(JwsVerifier::kTokenBytesMax + 1, 'A')), HasSubstr("1 MiB"));
  EXPECT_THAT(fault(std::string(JwsVerifier::kTokenBytesMax, 'A')), HasSubstr("header.payload"));
}

TEST_F(JwsVerifierTest, SkipsKeysOfOtherKindsInTheDocument) {
  const std::string foreign = R"({"kty":"RSA","n":"AQAB","e":"AQAB","kid":"r"},)"
                              R"({"kty":"EC","crv":"P-384","kid":"p","x":"","y":""},7,)";
  std::string jwks = jwks_of(ring_);
  jwks.insert(jwks.find('[') + 1, foreign);
  base::Result<JwsVerifier> verifier = JwsVerifier::create(jwks);
  ASSERT_TRUE(verifier.ok()) << verifier.error().message;
  EXPECT_TRUE(verifier.value().verify(token(), expected_).ok());
}

TEST_F(JwsVerifierTest, RefusesDocumentsWithoutAUsableKey) {
  std::string off_curve = jwks_of(ring_);
  const std::size_t x = off_curve.find(R"("x":")") + 5;
  off_curve[x] = off_curve[x] == 'A' ? 'B' : 'A';
  std::string short_x = jwks_of(ring_);
  short_x.erase(short_x.find(R"("x":")") + 5, 4);
  std::string many = R"({"keys":[)";
  for (std::size_t i = 0; i < JwsVerifier::kKeysMax; ++i) many += "{},";
  many += "{}]}";
  for (const std::string& jwks :
       {std::string(), std::string("{}"), std::string("[]"), std::string(R"({"keys":[]})"),
        std::string(R"({"keys":{}})"), off_curve, short_x, many, std::string(300'000, ' ')}) {
    EXPECT_FALSE(JwsVerifier::create(jwks).ok()) << jwks.substr(0, 200);
  }
}

RC_GTEST_FIXTURE_PROP(JwsVerifierTest, SurvivesArbitraryTokens, ()) {
  const auto header = *rc::gen::arbitrary<std::string>();
  const auto payload = *rc::gen::arbitrary<std::string>();
  RC_ASSERT(!verifier_.verify(header, expected_).ok());
  RC_ASSERT(!verifier_.verify(base64url(header) + '.' + payload + '.' + payload, expected_).ok());
}

}  // namespace
}  // namespace triggerd::app
