#include "dispatcher/request_builder.h"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/model/limits.h"
#include "tests/dispatcher/sign/sign_fixtures.h"

namespace triggerd::dispatcher {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

class RequestBuilderTest : public testing::Test {
 protected:
  HttpCall build() {
    model::TargetUrl url;
    url.host = "hooks.example";
    url.path = "/in";
    return builder_.build(parts_.make(), url, kNow);
  }
  rapidjson::Document claims() { return parse_json(claims_text(build().body)); }

  KeyRingPtr ring_ = new_ring();
  base::SeededRandom random_{1};
  RequestBuilder builder_{"https://events.example", ring_, random_};
  AttemptParts parts_;
};

std::string line_of(const HttpCall& call, const std::string& name) {
  for (const std::string& line : call.headers) {
    if (line.substr(0, name.size() + 2) == name + ": ") return line.substr(name.size() + 2);
  }
  return "absent";
}

TEST_F(RequestBuilderTest, ClaimsTheElevenClaimsInSortedOrder) {
  const std::string text = claims_text(build().body);
  const std::string head =
      R"({"aud":"0190a6e0-1111-7000-8000-000000000001","exp":1709433120,"iat":1709431920,)"
      R"("iss":"https://events.example","jti":")";
  const std::string tail =
      R"(","sub":"0190a6e0-2222-4000-8000-000000000002","target_url":"https://hooks.example/in",)"
      R"("trigger_content":{"event_metadata":{"event_name":"PersonCreated_v1"}, "n":1.50e1 },)"
      R"("trigger_name":"PersonCreated_v1","trigger_type":"event",)"
      R"("webhook_id":"0190a6e0-3333-7000-8000-000000000003"})";
  ASSERT_EQ(text.size(), head.size() + 36 + tail.size());
  EXPECT_EQ(text.substr(0, head.size()), head);
  EXPECT_EQ(text.substr(head.size() + 36), tail);
  EXPECT_EQ(parse_json(text).MemberCount(), 11U);
}

TEST_F(RequestBuilderTest, SignsTheTokenByThePublishedKey) {
  EXPECT_TRUE(verifies(build().body, jwks_of(ring_)));
}

TEST_F(RequestBuilderTest, SignsByTheNewRingOnceItIsGiven) {
  const KeyRingPtr next = new_ring();
  builder_.use(next);
  EXPECT_TRUE(verifies(build().body, jwks_of(next)));
}

TEST_F(RequestBuilderTest, MintsAVersion4JtiForEachAttemptAndKeepsTheSubject) {
  const rapidjson::Document first = claims();
  const rapidjson::Document second = claims();
  EXPECT_NE(first["jti"], second["jti"]);
  EXPECT_EQ(first["sub"], second["sub"]);
  EXPECT_EQ(first["sub"].GetString(), kEvent);
  const std::string jti = first["jti"].GetString();
  EXPECT_THAT(jti, MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-.{12}"));
}

TEST_F(RequestBuilderTest, AHooksTokenLivesFiveMinutesAndHasTheSubjectOfItsCall) {
  parts_.attempt.trigger_type = model::TriggerType::kSyncHook;
  parts_.event.name = "token_minted";
  const HttpCall call = build();
  const rapidjson::Document first = parse_json(claims_text(call.body));
  EXPECT_EQ(first["exp"].GetInt64(), 1709431920 + 300);
  EXPECT_STREQ(first["trigger_type"].GetString(), "sync_hook");
  EXPECT_STREQ(first["trigger_name"].GetString(), "token_minted");
  EXPECT_EQ(first["sub"].GetString(), kEvent);
  EXPECT_EQ(line_of(call, "webhook-id"), kEvent);
  EXPECT_EQ(first["sub"], claims()["sub"]) << "for all webhooks of the call";
  EXPECT_EQ(call.answer_bytes_kept, model::kAnswerBytesRead);
}

TEST_F(RequestBuilderTest, SplicesTheContentByteForByte) {
  parts_.event.content =
      "{\"a\" : 1.000e+05,\n\t\"z\":\"\\u00e4\xc3\xa4\",\"big\":123456789012345678901234567890}";
  EXPECT_THAT(claims_text(build().body),
              HasSubstr("\"trigger_content\":" + parts_.event.content + ",\"trigger_name\""));
}

TEST_F(RequestBuilderTest, TakesTheLargestContentAndASmallOneBehindIt) {
  parts_.event.content = "{\"a\":\"" + std::string(model::kEventContentBytesMax - 8, 'x') + "\"}";
  EXPECT_THAT(claims_text(build().body), HasSubstr(parts_.event.content));
  parts_.event.content = "{}";
  EXPECT_STREQ(claims()["trigger_name"].GetString(), "PersonCreated_v1");
}

TEST_F(RequestBuilderTest, EscapesHostileTextWithoutALossOrANewClaim) {
  const std::string hostile = "x\",\"aud\":\"other\"}\\\x01\n\xe2\x80\xa8";
  parts_.webhook.target_url = hostile;
  parts_.event.name = hostile;
  const rapidjson::Document document = claims();
  EXPECT_EQ(document.MemberCount(), 11U);
  EXPECT_EQ(document["target_url"].GetString(), hostile);
  EXPECT_EQ(document["trigger_name"].GetString(), hostile);
  EXPECT_EQ(document["aud"].GetString(), kOrg);
}

TEST_F(RequestBuilderTest, BytesThatAreNotUtf8DoNotBreakTheToken) {
  parts_.event.name = "a\xff\xc0z";
  EXPECT_STREQ(claims()["trigger_name"].GetString(), "a\xef\xbf\xbd\xef\xbf\xbdz");
}

TEST_F(RequestBuilderTest, EscapesTheIssuer) {
  RequestBuilder builder("https://a\"b", ring_, random_);
  const std::string token = builder.build(parts_.make(), {}, kNow).body;
  EXPECT_STREQ(parse_json(claims_text(token))["iss"].GetString(), "https://a\"b");
}

TEST_F(RequestBuilderTest, SendsTheFixedHeadersThenTheCustomOnesEachValueOnItsLine) {
  parts_.webhook.custom_headers = {{"X-B", {"2", "1"}}, {"X-A", {"v: w"}}};
  EXPECT_THAT(build().headers,
              ElementsAre("Content-Type: application/jwt", "User-Agent: triggerd/" TRIGGERD_VERSION,
                          "webhook-id: " + std::string(kEvent), "webhook-timestamp: 1709431920",
                          "X-B: 2", "X-B: 1", "X-A: v: w"));
}

TEST_F(RequestBuilderTest, LeavesOutACustomHeaderThatWouldBreakTheLines) {
  parts_.webhook.custom_headers = {{"X-A", {"1\r\nHost: evil", "2"}},
                                   {"X-B\r\nX-C", {"3"}},
                                   {"X-D", {std::string("4\0", 2)}},
                                   {"", {"5"}}};
  const HttpCall call = build();
  EXPECT_EQ(call.headers.size(), 5U);
  EXPECT_EQ(call.headers.back(), "X-A: 2");
}

TEST_F(RequestBuilderTest, KeepsTheTraceAndItsFlagsAndMintsASpanForEachAttempt) {
  parts_.event.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const std::string first = line_of(build(), "traceparent");
  const std::string second = line_of(build(), "traceparent");
  EXPECT_THAT(first, MatchesRegex("00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01"));
  EXPECT_NE(first, second);
  EXPECT_THAT(first, Not(HasSubstr("b7ad6b7169203331")));
}

TEST_F(RequestBuilderTest, SendsNoTraceparentWithoutOneOrWithAMalformedOne) {
  for (const char* text : {"", "00", "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0\r",
                           "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x"}) {
    parts_.event.traceparent = text;
    EXPECT_THAT(build().headers, Not(Contains(StartsWith("traceparent")))) << text;
  }
}

// --- The other formats ------------------------------------------------------------------------

TEST_F(RequestBuilderTest, JsonIsTheContentByteForByteSignedByHmac) {
  parts_.webhook.delivery.format = model::DeliveryFormat::kJson;
  parts_.webhook.secrets.emplace_back();
  parts_.webhook.custom_headers = {{"X-A", {"1"}}};
  const HttpCall call = build();
  EXPECT_EQ(call.body, parts_.event.content);
  EXPECT_THAT(
      call.headers,
      ElementsAre("Content-Type: application/json", "User-Agent: triggerd/" TRIGGERD_VERSION,
                  "webhook-id: " + std::string(kEvent), "webhook-timestamp: 1709431920",
                  MatchesRegex("webhook-signature: v1,[A-Za-z0-9+/]{43}="), "X-A: 1"));
}

TEST_F(RequestBuilderTest, CloudEventsCarryTheContentAsData) {
  parts_.webhook.delivery.format = model::DeliveryFormat::kCloudEvents;
  const HttpCall call = build();
  EXPECT_EQ(call.headers[0], "Content-Type: application/cloudevents+json");
  const rapidjson::Document document = parse_json(call.body);
  EXPECT_STREQ(document["source"].GetString(),
               "https://events.example/organizations/0190a6e0-1111-7000-8000-000000000001");
  EXPECT_THAT(call.body, HasSubstr("\"data\":" + parts_.event.content + "}"));
}

TEST_F(RequestBuilderTest, BinaryCloudEventsCarryTheContentAsBodyAndTheRestInHeaders) {
  parts_.webhook.delivery.format = model::DeliveryFormat::kCloudEventsBinary;
  parts_.event.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const HttpCall call = build();
  EXPECT_EQ(call.body, parts_.event.content);
  EXPECT_EQ(line_of(call, "Content-Type"), "application/json");
  EXPECT_EQ(line_of(call, "ce-id"), kEvent);
  EXPECT_EQ(line_of(call, "ce-traceparent"), parts_.event.traceparent);
  EXPECT_THAT(line_of(call, "traceparent"), Not(parts_.event.traceparent));
}

TEST_F(RequestBuilderTest, APublicUrlMayEndWithASlash) {
  RequestBuilder builder("https://events.example/", ring_, random_);
  parts_.webhook.delivery.format = model::DeliveryFormat::kCloudEvents;
  EXPECT_THAT(builder.build(parts_.make(), {}, kNow).body,
              HasSubstr("https://events.example/organizations/"));
}

TEST_F(RequestBuilderTest, ATokenMayBeSignedByHmacAndEd25519Besides) {
  parts_.webhook.delivery.signatures = model::kSignaturesAll;
  parts_.webhook.secrets.resize(2);
  const HttpCall call = build();
  EXPECT_TRUE(verifies(call.body, jwks_of(ring_)));
  EXPECT_THAT(line_of(call, "webhook-signature"),
              MatchesRegex("v1,.{44} v1a,.{88} v1,.{44} v1a,.{88}"));
}

TEST_F(RequestBuilderTest, PassesIdTimeoutAndUrlOn) {
  const HttpCall call = build();
  EXPECT_EQ(call.id, parts_.attempt.id);
  EXPECT_EQ(call.timeout, parts_.attempt.timeout);
  EXPECT_EQ(call.url.host, "hooks.example");
}

}  // namespace
}  // namespace triggerd::dispatcher
