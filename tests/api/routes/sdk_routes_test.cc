#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/api/routes/api_fixture.h"

namespace triggerd::api {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

constexpr const char* kPath = "/actions/sdk";
constexpr const char* kHead =
    R"({"organization_id":"11111111-2222-4333-8444-555555555555",)"
    R"("analytics_correlation_id":"c0ffee00-0000-4000-8000-000000000001",)"
    R"("window_location":"https://shop.example/a","user_agent":"UA/1")";

std::string post(const std::string& event_data) {
  return std::string(kHead) + R"(,"event_data":)" + event_data + "}";
}

ApiOptions enabled(std::vector<std::string> origins = {}) {
  ApiOptions options;
  options.sdk_ingest.enabled = true;
  options.sdk_ingest.allowed_origins = std::move(origins);
  options.trusted_proxies = {*model::Network::parse("10.0.0.0/8")};
  return options;
}

model::Reply accepted() {
  return model::PublishReply{{{*model::EventId::parse("66666666-7777-4888-9999-000000000000")}}};
}

class SdkTest : public ApiTest {
 protected:
  explicit SdkTest(ApiOptions options = enabled()) : ApiTest(std::move(options)) {}

  model::PublishEvents published(const std::string& body, Fields fields = {}) {
    return asked<model::PublishEvents>(Method::kPost, kPath, std::move(fields), body, accepted());
  }
  // What the delivered content has behind event_metadata.
  std::string own_content(const std::string& body, Fields fields = {}) {
    const auto request = published(body, std::move(fields));
    if (request.events.size() != 1) return "nothing";
    return request.events[0].content.substr(request.events[0].own_members_at);
  }
  std::string refused(const std::string& body) {
    return answer_to(Method::kPost, kPath, {}, body).body;
  }
};

class SdkOffTest : public ApiTest {};
class SdkListTest : public SdkTest {
 protected:
  SdkListTest() : SdkTest(enabled({"https://shop.example"})) {}
};

TEST_F(SdkOffTest, ThePathsAreNotThere) {
  for (const Method method : {Method::kGet, Method::kPost, Method::kOptions, Method::kDelete}) {
    for (const char* path : {"/actions/sdk", "/events", "/events?a=b"}) {
      const HttpResponse answer = answer_to(method, path, {{"Origin", "https://shop.example"}});
      EXPECT_EQ(answer.status, 404);
      EXPECT_EQ(answer.content_type, "text/plain");
      EXPECT_EQ(answer.body, "404 page not found");
      EXPECT_TRUE(answer.fields.empty()) << "as any unknown route";
    }
  }
}

TEST_F(SdkTest, ThePathsHaveTwoMethods) {
  for (const char* path : {"/actions/sdk", "/events"}) {
    const HttpResponse answer = answer_to(Method::kGet, path, {});
    EXPECT_EQ(answer.status, 405);
    EXPECT_EQ(field_of(answer, "Allow"), "POST, OPTIONS");
  }
}

TEST_F(SdkTest, AnEventIsPublishedWithItsMetadata) {
  const auto request = published(
      post(R"({"event_name":"PersonIdentified_v1","person_id":"p1","later" : {"a": [1, 2]}})"));
  EXPECT_EQ(request.org, test_org());
  ASSERT_EQ(request.events.size(), 1U);
  const model::NewEvent& event = request.events[0];
  EXPECT_EQ(event.name, "PersonIdentified_v1");
  EXPECT_FALSE(event.id_from_client);
  EXPECT_FALSE(event.is_test);
  EXPECT_THAT(event.content, HasSubstr(R"("source":2)"));
  EXPECT_THAT(event.content, EndsWith(R"(,"analytics_metadata":{"analytics_correlation_id":)"
                                      R"("c0ffee00-0000-4000-8000-000000000001"},)"
                                      R"("browser_metadata":{"user_agent":"UA/1",)"
                                      R"("window_location":"https://shop.example/a"},)"
                                      R"("person_id":"p1","later":{"a": [1, 2]}})"));
  EXPECT_EQ(response->status, 202);
  EXPECT_EQ(response->body, R"({"result":{"event_id":"66666666-7777-4888-9999-000000000000"}})");
}

TEST_F(SdkTest, TheSixFormsWithTheirLeniency) {
  for (const char* data : {
           R"({"event_name":"AuthenticationSucceeded_v1","person_id":"p",)"
           R"("success_authn_method":"otp_via_sms","authenticated_methods":["otp_via_sms"],)"
           R"("handle":{"type":"phone_number","value":"+12025550100"}})",
           R"({"event_name":"AuthenticationSucceeded_v1","person_id":"p",)"
           R"("authenticated_methods":[]})",
           R"({"event_name":"AuthenticationFailed_v1","failed_authn_method":"password",)"
           R"("failure_reason":"incorrect_password","person_id":"p","authenticated_methods":[],)"
           R"("failure_detail":"","handle":{"type":"username","value":""},"challenge_id":"c"})",
           R"({"event_name":"AuthenticationFailed_v1","failure_reason":"client_side_error"})",
           R"({"event_name":"PersonIdentified_v1","person_id":"p"})",
           R"({"event_name":"PersonLoggedOut_v1","person_id":"p"})",
           R"({"event_name":"SlashIDSDKLoaded_v1"})",
           R"({"event_name":"VirtualPageLoaded_v1"})",
           R"({"event_name":"VirtualPageLoaded_v1","person_id":"p"})",
       }) {
    published(post(data));
    EXPECT_EQ(response->status, 202) << data;
  }
}

TEST_F(SdkTest, EmptyValuesAreLeftOut) {
  EXPECT_EQ(own_content(R"({"organization_id":"11111111-2222-4333-8444-555555555555",)"
                        R"("analytics_correlation_id":"","window_location":"","user_agent":"",)"
                        R"("event_data":{"event_name":"SlashIDSDKLoaded_v1"}})"),
            "}");
  EXPECT_EQ(own_content(R"({"organization_id":"11111111-2222-4333-8444-555555555555",)"
                        R"("analytics_correlation_id":"c","window_location":"/","user_agent":"",)"
                        R"("slashid_sdk_version":"3.29.6",)"
                        R"("event_data":{"event_name":"SlashIDSDKLoaded_v1"}})"),
            R"("analytics_metadata":{"analytics_correlation_id":"c"},"browser_metadata":)"
            R"({"slashid_sdk_version":"3.29.6","window_location":"/"}})");
}

TEST_F(SdkTest, BadInputNamesTheFault) {
  const std::string page = R"({"event_name":"VirtualPageLoaded_v1"})";
  const std::pair<std::string, const char*> cases[] = {
      {"", "malformed JSON"},
      {"[]", "body: expected an object"},
      {"{}", "organization_id: required"},
      {R"({"organization_id":"","event_data":{}})", "organization_id: must be the UUID"},
      {R"({"organization_id":"acme","event_data":{}})", "organization_id: must be the UUID"},
      {R"({"organization_id":7})", "organization_id: expected a string"},
      {std::string(kHead) + "}", "event_data: required"},
      {post("[]"), "event_data: expected an object"},
      {post("{}"), "event_data.event_name: required"},
      {post(R"({"event_name":7})"), "event_data.event_name: expected a string"},
      {post(R"({"event_name":"PersonCreated_v1"})"), "is not sent by SDKs"},
      {post(R"({"event_name":""})"), "is not sent by SDKs"},
      {post(R"({"event_name":"PersonIdentified_v1"})"), "event_data.person_id: required"},
      {post(R"({"event_name":"PersonIdentified_v1","person_id":""})"), "must not be empty"},
      {post(R"({"event_name":"PersonLoggedOut_v1","person_id":7})"), "expected a string"},
      {post(R"({"event_name":"VirtualPageLoaded_v1","person_id":null})"), "expected a string"},
      {post(R"({"event_name":"AuthenticationSucceeded_v1","person_id":"p"})"),
       "event_data.authenticated_methods: required"},
      {post(R"({"event_name":"AuthenticationSucceeded_v1","person_id":"p",)"
            R"("authenticated_methods":"totp"})"),
       "expected a list of strings"},
      {post(R"({"event_name":"AuthenticationSucceeded_v1","person_id":"p",)"
            R"("authenticated_methods":[1]})"),
       "must be a list of strings"},
      {post(R"({"event_name":"AuthenticationFailed_v1"})"), "event_data.failure_reason: required"},
      {post(R"({"event_name":"AuthenticationFailed_v1","failure_reason":"x","handle":{}})"),
       "event_data.handle.type: required"},
      {post(R"({"event_name":"VirtualPageLoaded_v1","event_metadata":{}})"),
       "event_data.event_metadata: is built by the engine"},
      {post(R"({"event_name":"VirtualPageLoaded_v1","analytics_metadata":{}})"),
       "event_data.analytics_metadata: is built by the engine"},
      {post(R"({"event_name":"VirtualPageLoaded_v1","browser_metadata":{}})"),
       "event_data.browser_metadata: is built by the engine"},
      {post(R"({"event_name":"VirtualPageLoaded_v1","a":1,"a":2})"), "stands twice"},
      {post("{\"event_name\":\"VirtualPageLoaded_v1\",\"a\":\"\xff\"}"), "malformed JSON"},
  };
  for (const auto& [body, fault] : cases) {
    EXPECT_THAT(refused(body), HasSubstr(fault)) << body;
    EXPECT_EQ(response->status, 400) << body;
    EXPECT_EQ(field_of(*response, "Vary"), "Origin");
  }
  EXPECT_THAT(refused("{}"),
              testing::AllOf(HasSubstr("analytics_correlation_id: required"),
                             HasSubstr("window_location: required"),
                             HasSubstr("user_agent: required"), HasSubstr("event_data: required")))
      << "every fault is listed";
}

TEST_F(SdkTest, BodiesAreJsonAlsoWhereTheyAreCalledText) {
  const std::string body = post(R"({"event_name":"SlashIDSDKLoaded_v1"})");
  for (const char* type : {"application/json", "text/plain", "text/plain;charset=UTF-8"}) {
    published(body, {{"Content-Type", type}});
    EXPECT_EQ(response->status, 202) << type;
  }
  const Fields bad[] = {{{"Content-Type", "text/html"}},
                        {{"Content-Type", "text/plain; charset=latin1"}},
                        {{"Content-Encoding", "gzip"}}};
  for (const Fields& fields : bad) {
    EXPECT_EQ(answer_to(Method::kPost, kPath, fields, body).status, 415);
  }
  published(body, {{"Content-Length", std::to_string(model::kSdkBodyBytesMax)}});
  EXPECT_EQ(response->status, 202);
  const Fields over = {{"Content-Length", std::to_string(model::kSdkBodyBytesMax + 1)}};
  EXPECT_EQ(answer_to(Method::kPost, kPath, over, body).status, 413);
}

TEST_F(SdkTest, PagesOfOtherOriginsSeeEveryAnswer) {
  const Fields origin = {{"Origin", "https://shop.example"}};
  const auto seen = [&] {
    return field_of(*response, "Access-Control-Allow-Origin") == "https://shop.example" &&
           field_of(*response, "Access-Control-Allow-Credentials") == "true" &&
           field_of(*response, "Vary") == "Origin";
  };
  answer_to(Method::kOptions, kPath,
            {{"Origin", "https://shop.example"},
             {"Access-Control-Request-Method", "POST"},
             {"Access-Control-Request-Headers", "content-type"}});
  EXPECT_EQ(response->status, 204);
  EXPECT_TRUE(seen());
  EXPECT_EQ(field_of(*response, "Access-Control-Allow-Methods"), "POST, OPTIONS");
  EXPECT_EQ(field_of(*response, "Access-Control-Allow-Headers"), "content-type");
  EXPECT_EQ(field_of(*response, "Access-Control-Max-Age"), "600");
  published(post(R"({"event_name":"SlashIDSDKLoaded_v1"})"), origin);
  EXPECT_TRUE(seen());
  answer_to(Method::kPost, kPath, origin, "{}");
  EXPECT_EQ(response->status, 400);
  EXPECT_TRUE(seen());
  answer_to(Method::kGet, kPath, origin);
  EXPECT_EQ(response->status, 405);
  EXPECT_TRUE(seen());
  asked<model::PublishEvents>(
      Method::kPost, "/events", origin, post(R"({"event_name":"SlashIDSDKLoaded_v1"})"),
      model::Refusal{{{base::ErrorCode::kRateLimited, "too many"}}, std::chrono::seconds(3)});
  EXPECT_EQ(response->status, 429);
  EXPECT_EQ(field_of(*response, "Retry-After"), "3");
  EXPECT_TRUE(seen());
  answer_to(Method::kPost, "/organizations/events", origin);
  EXPECT_EQ(field_of(*response, "Access-Control-Allow-Origin"), "") << "on these two paths alone";
}

// The connection gives the answer to a body that turns out too long, or malformed.
TEST_F(SdkTest, TheAnswerToARefusedBodyIsSeenToo) {
  HttpRequest head;
  head.method = Method::kPost;
  head.target = kPath;
  head.fields = {{"Origin", "https://shop.example"}, {"Transfer-Encoding", "chunked"}};
  const HeadDecision decision = handler.on_head(head);
  const auto* read = std::get_if<ReadBody>(&decision);
  ASSERT_NE(read, nullptr);
  HttpResponse refusal;
  refusal.fields = read->refusal_fields;
  EXPECT_EQ(field_of(refusal, "Access-Control-Allow-Origin"), "https://shop.example");
  EXPECT_EQ(field_of(refusal, "Access-Control-Allow-Credentials"), "true");
  EXPECT_EQ(field_of(refusal, "Vary"), "Origin");
}

TEST_F(SdkListTest, PagesThatAreNotOnTheListMayNotSend) {
  const std::string body = post(R"({"event_name":"SlashIDSDKLoaded_v1"})");
  published(body, {{"Origin", "https://shop.example"}});
  EXPECT_EQ(field_of(*response, "Access-Control-Allow-Origin"), "https://shop.example");
  published(body);
  EXPECT_EQ(response->status, 202) << "servers have no origin";
  for (const Method method : {Method::kPost, Method::kOptions}) {
    answer_to(method, kPath, {{"Origin", "https://evil.example"}}, body);
    EXPECT_EQ(response->status, 403);
    EXPECT_EQ(field_of(*response, "Access-Control-Allow-Origin"), "");
  }
}

TEST_F(SdkTest, ClaimsNameClientAndOrganization) {
  // The fixture's requests have no peer, as one that cannot be told.
  const auto request = published(post(R"({"event_name":"SlashIDSDKLoaded_v1"})"));
  ASSERT_EQ(request.claims.size(), 2U);
  EXPECT_EQ(request.claims[0].kind, model::RateKind::kSdkClient);
  EXPECT_EQ(request.claims[0].org, model::OrgId());
  EXPECT_EQ(request.claims[0].client.to_string(), "::");
  EXPECT_EQ(request.claims[1].kind, model::RateKind::kSdkOrganization);
  EXPECT_EQ(request.claims[1].org, test_org());
}

TEST_F(SdkTest, TheClientsAddressIsInTheContentAndInTheClaim) {
  HttpRequest request;
  request.method = Method::kPost;
  request.target = kPath;
  request.peer = "10.0.0.1";
  request.fields = {{"X-Forwarded-For", "2001:db8:1:2:3:4:5:6"}};
  request.body = post(R"({"event_name":"SlashIDSDKLoaded_v1"})");
  handler.on_request(std::move(request), [this](const HttpResponse& answer) { response = answer; });
  ASSERT_EQ(backend.requests.size(), 1U);
  const auto& asked = std::get<model::PublishEvents>(backend.requests[0]);
  EXPECT_THAT(asked.events[0].content, HasSubstr(R"("client_ip_address":"2001:db8:1:2:3:4:5:6")"));
  EXPECT_EQ(asked.claims[0].client.to_string(), "2001:db8:1:2::");
}

}  // namespace
}  // namespace triggerd::api
