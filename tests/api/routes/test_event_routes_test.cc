#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/model/event_types.h"
#include "tests/api/routes/api_fixture.h"

namespace triggerd::api {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* kPath = "/test-events";

ApiOptions options() {
  ApiOptions options;
  options.test_events_burst = 7;
  return options;
}

class TestEventsTest : public ApiTest {
 protected:
  TestEventsTest() : ApiTest(options()) {}

  model::PublishEvents published(const std::string& body) {
    return asked<model::PublishEvents>(Method::kPost, kPath, with_key("manage-key"), body,
                                       model::PublishReply{});
  }
  std::string refused(const std::string& body) {
    return message_of(answer_to(Method::kPost, kPath, with_key("manage-key"), body), 400);
  }
};

TEST_F(TestEventsTest, AreAnsweredFlatAndPublishedNested) {
  const auto request = published(
      R"([{"event_name":"AuthenticationSucceeded_v1","analytics_correlation_id":"corr-1"}])");
  EXPECT_EQ(request.org, test_org());
  ASSERT_EQ(request.events.size(), 1U);
  const model::NewEvent& event = request.events[0];
  EXPECT_TRUE(event.is_test);
  EXPECT_FALSE(event.id_from_client);
  EXPECT_THAT(event.content, HasSubstr(R"("is_test_event":true)"));
  EXPECT_THAT(event.content, HasSubstr(R"("analytics_correlation_id":"corr-1")"));
  EXPECT_EQ(response->status, 201);
  EXPECT_THAT(response->body,
              StartsWith(R"({"result":[{"event_id":")" + event.id.to_string() +
                         R"(","event_name":"AuthenticationSucceeded_v1","organization_id":")" +
                         std::string(kOrgText) + R"(","timestamp":")" +
                         base::to_rfc3339(event.timestamp) + R"(","person_id":")"));
  EXPECT_THAT(response->body, HasSubstr(R"("authn_method":")"));
  const std::size_t at = response->body.find(R"("person_id":")") + 13;
  EXPECT_THAT(event.content, HasSubstr(response->body.substr(at, 36))) << "the same person";
}

TEST_F(TestEventsTest, HaveTheMembersOfTheirType) {
  const std::set<std::string> own = {"person_id", "authn_method", "failed_authn_method",
                                     "failure_reason", "window_location"};
  const std::map<std::string, std::set<std::string>> expected = {
      {"AuthenticationSucceeded_v1", {"person_id", "authn_method"}},
      {"AuthenticationFailed_v1", {"failed_authn_method", "failure_reason"}},
      {"PersonCreated_v1", {"person_id"}},
      {"AnonymousPersonCreated_v1", {"person_id"}},
      {"PersonDeleted_v1", {"person_id"}},
      {"VirtualPageLoaded_v1", {"window_location"}},
      {"SlashIDSDKLoaded_v1", {"window_location"}},
      {"PersonIdentified_v1", {"window_location"}},
      {"PersonLoggedOut_v1", {"window_location"}}};
  for (const model::BuiltInEventType& type : model::built_in_event_types()) {
    const std::string name(type.name);
    published(R"([{"event_name":")" + name + R"("}])");
    ASSERT_EQ(response->status, 201) << name;
    const auto found = expected.find(name);
    for (const std::string& member : own) {
      const bool wanted = found != expected.end() && found->second.contains(member);
      EXPECT_EQ(response->body.find("\"" + member + "\":\"") != std::string::npos, wanted)
          << name << ' ' << member << ": " << response->body;
      EXPECT_THAT(response->body, Not(HasSubstr("\"" + member + R"(":"")"))) << name;
    }
  }
}

TEST_F(TestEventsTest, AreCountedAndRepeated) {
  const auto request =
      published(R"([{"event_name":"PersonCreated_v1","count":3},)"
                R"({"event_name":"TokenMinted_v1","count":2,"duplicates":true,"later":1}])");
  ASSERT_EQ(request.events.size(), 3U + 4U);
  std::map<std::string, int> ids;
  for (const model::NewEvent& event : request.events) ++ids[event.id.to_string()];
  EXPECT_EQ(ids.size(), 5U);
  EXPECT_EQ(ids[request.events[3].id.to_string()], 2) << "both under one id";
  EXPECT_EQ(request.events[3].content, request.events[4].content);
  std::size_t shown = 0;
  for (const auto& [id, count] : ids) {
    if (response->body.find(id) != std::string::npos) ++shown;
  }
  EXPECT_EQ(shown, 5U) << "each is shown, once";
  ASSERT_EQ(request.claims.size(), 1U);
  EXPECT_EQ(request.claims[0].kind, model::RateKind::kTestEvents);
  EXPECT_EQ(request.claims[0].org, test_org());
  EXPECT_EQ(request.claims[0].tokens, 5U);
}

TEST_F(TestEventsTest, MintACorrelationIdEach) {
  const auto request =
      published(R"([{"event_name":"PersonCreated_v1","count":2,"analytics_correlation_id":""}])");
  const auto id_of = [](const std::string& content) {
    return content.substr(content.find("analytics_correlation_id") + 27, 36);
  };
  EXPECT_TRUE(base::Uuid::parse(id_of(request.events[0].content)).has_value());
  EXPECT_NE(id_of(request.events[0].content), id_of(request.events[1].content));
}

TEST_F(TestEventsTest, AtTheLimitAndOverIt) {
  EXPECT_EQ(published(R"([{"event_name":"PersonCreated_v1","count":7.0}])").events.size(), 7U);
  EXPECT_EQ(refused(R"([{"event_name":"PersonCreated_v1","count":8}])"),
            "[0].count: must be a whole number from 1 to 7");
  EXPECT_EQ(refused(R"([{"event_name":"PersonCreated_v1","count":4},)"
                    R"({"event_name":"PersonCreated_v1","count":4}])"),
            "body: 8 test events in all, at most 7 can be sent at once; lower the counts");
}

TEST_F(TestEventsTest, BadSpecificationsNameTheFault) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "malformed JSON"},
      {"{}", "body: expected a list"},
      {R"({"event_name":"PersonCreated_v1"})", "body: expected a list"},
      {"[]", "body: is empty"},
      {"[1]", "[0]: expected an object, got a number"},
      {"[{}]", "[0].event_name: required, but missing"},
      {R"([{"event_name":1}])", "[0].event_name: expected a string"},
      {R"([{"event_name":""}])", "is none of the 52 built-in event types"},
      {R"([{"event_name":"PersonCreated"}])", "is none of the 52 built-in event types"},
      {R"([{"event_name":"token_minted"}])", "is none of the 52 built-in event types"},
      {R"([{"event_name":"PersonCreated_v1","count":0}])", "[0].count: must be a whole number"},
      {R"([{"event_name":"PersonCreated_v1","count":-1}])", "[0].count: must be a whole number"},
      {R"([{"event_name":"PersonCreated_v1","count":1.5}])", "[0].count: must be a whole number"},
      {R"([{"event_name":"PersonCreated_v1","count":18446744073709551615}])", "[0].count: must"},
      {R"([{"event_name":"PersonCreated_v1","count":"1"}])", "[0].count: expected a whole number"},
      {R"([{"event_name":"PersonCreated_v1","count":null}])", "got null"},
      {R"([{"event_name":"PersonCreated_v1","duplicates":1}])", "[0].duplicates: expected true"},
      {R"([{"event_name":"PersonCreated_v1","analytics_correlation_id":7}])",
       "[0].analytics_correlation_id: expected a string"},
      {R"([{"event_name":"PersonCreated_v1","event_name":"PersonCreated_v1"}])", "stands twice"},
      {"[{\"event_name\":\"\xff\"}]", "malformed JSON"},
  };
  for (const auto& [body, fault] : cases) EXPECT_THAT(refused(body), HasSubstr(fault)) << body;
  const std::string longest(model::kNameBytesMax, 'c');
  const auto with_id = [](const std::string& id) {
    return R"([{"event_name":"PersonCreated_v1","analytics_correlation_id":")" + id + "\"}]";
  };
  EXPECT_EQ(published(with_id(longest)).events.size(), 1U);
  EXPECT_THAT(refused(with_id(longest + "c")), HasSubstr("at most 256 bytes"));
  const HttpResponse all = answer_to(Method::kPost, kPath, with_key("manage-key"),
                                     R"([{"event_name":"x"},{"count":0}])");
  EXPECT_THAT(all.body, testing::AllOf(HasSubstr("[0].event_name"), HasSubstr("[1].count"),
                                       HasSubstr("[1].event_name")))
      << "every fault is listed";
}

TEST_F(TestEventsTest, TheDoorIsThatOfManagers) {
  const std::string body = R"([{"event_name":"PersonCreated_v1"}])";
  EXPECT_EQ(answer_to(Method::kPost, kPath, with_key("publish-key"), body).status, 403);
  EXPECT_EQ(answer_to(Method::kPost, kPath, with_key("read-key"), body).status, 403);
  EXPECT_EQ(answer_to(Method::kPost, kPath, with_key("foreign-key"), body).status, 403);
  EXPECT_EQ(answer_to(Method::kPost, kPath, with_key("no-key"), body).status, 401);
  EXPECT_EQ(answer_to(Method::kPost, kPath, {}, body).status, 401);
  EXPECT_EQ(answer_to(Method::kPost, kPath,
                      with_key("manage-key", {{"Authorization", "Bearer manage-key"}}), body)
                .status,
            400);
  EXPECT_EQ(answer_to(Method::kPost, kPath,
                      with_key("manage-key", {{"Content-Type", "text/plain"}}), body)
                .status,
            415);
  const HttpResponse wrong = answer_to(Method::kGet, kPath, with_key("manage-key"));
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(field_of(wrong, "Allow"), "POST");
}

TEST_F(TestEventsTest, ARateIsShownWithRetryAfter) {
  model::Refusal refusal{{{base::ErrorCode::kRateLimited, "test events: too many"}},
                         base::Duration(std::chrono::milliseconds(5100))};
  asked<model::PublishEvents>(Method::kPost, kPath, with_key("manage-key"),
                              R"([{"event_name":"PersonCreated_v1"}])", refusal);
  EXPECT_EQ(message_of(*response, 429), "test events: too many");
  EXPECT_EQ(field_of(*response, "Retry-After"), "6");
}

}  // namespace
}  // namespace triggerd::api
