#include <gmock/gmock.h>

#include "tests/api/routes/api_fixture.h"

namespace triggerd::api {
namespace {

using ::testing::HasSubstr;

const std::string kTypes = "/organizations/event-types";
const std::string kType = kTypes + "/OrderPlaced_v1";
const std::string kTrial =
    "/organizations/webhooks/aaaaaaaa-0000-4000-8000-000000000001/triggers/test";

class EventTypeRoutesTest : public ApiTest {
 protected:
  static model::EventTypeView order() {
    return {{test_org(), "OrderPlaced_v1", "an order", R"({"type":"object"})", {}}, false};
  }
};

constexpr std::string_view kOrder =
    R"({"built_in":false,"description":"an order","name":"OrderPlaced_v1",)"
    R"("schema":{"type":"object"}})";

TEST_F(EventTypeRoutesTest, an_event_type_is_put_and_said_to_be_new_or_not) {
  for (const bool created : {true, false}) {
    const auto request = asked<model::DefineEventType>(
        Method::kPut, kType, with_key("all-key"),
        R"({"description":"an order","schema":{ "type" : "object" }})",
        model::EventTypeReply{order(), created});
    EXPECT_EQ(request.name, "OrderPlaced_v1");
    EXPECT_EQ(request.description, "an order");
    EXPECT_EQ(request.schema, R"({"type":"object"})");
    EXPECT_EQ(response->status, created ? 201 : 200);
    EXPECT_EQ(response->body, R"({"result":)" + std::string(kOrder) + "}");
  }
  const auto bare = asked<model::DefineEventType>(Method::kPut, kType, with_key("all-key"), "{}",
                                                  model::EventTypeReply{order(), false});
  EXPECT_EQ(bare.schema, "");
}

TEST_F(EventTypeRoutesTest, event_types_are_listed_shown_and_deleted) {
  model::EventTypeView built_in{{test_org(), "PersonCreated_v1", "", "", {}}, true};
  asked<model::ListEventTypes>(Method::kGet, kTypes, with_key("all-key"), "",
                               model::EventTypesReply{{built_in, order()}});
  EXPECT_EQ(response->body, R"({"result":[{"built_in":true,"name":"PersonCreated_v1"},)" +
                                std::string(kOrder) + "]}");
  EXPECT_EQ(asked<model::GetEventType>(Method::kGet, kType, with_key("all-key"), "",
                                       model::EventTypeReply{order(), false})
                .name,
            "OrderPlaced_v1");
  EXPECT_EQ(
      asked<model::RemoveEventType>(Method::kDelete, kType, with_key("all-key"), "", model::Done{})
          .name,
      "OrderPlaced_v1");
  EXPECT_EQ(response->status, 204);
}

TEST_F(EventTypeRoutesTest, a_bad_schema_is_refused) {
  const auto refused = [&](std::string body) {
    return message_of(answer_to(Method::kPut, kType, with_key("all-key"), std::move(body)), 400);
  };
  EXPECT_THAT(refused(R"({"schema":[]})"), HasSubstr("schema: expected an object"));
  EXPECT_THAT(refused(R"({"schema":{"type":"strnig"}})"), HasSubstr("schema/type: expected"));
}

TEST_F(EventTypeRoutesTest, a_dry_run_takes_events_as_they_were_sent) {
  model::TriggerTestReply reply;
  reply.results.push_back({std::nullopt, "PersonCreated_v1", false, "user.plan"});
  reply.results.push_back({model::EventId(test_org().value()), "PersonCreated_v1", true, {}});
  const auto request = asked<model::TestTrigger>(
      Method::kPost, kTrial, with_key("all-key"),
      R"({"trigger_type":"event","trigger_name":"PersonCreated_v1","recent":5.0,)"
      R"("filter":{"user":{"plan":["pro"]}},"events":[{"content":{ "a":0.10 }}]})",
      reply);
  EXPECT_EQ(request.recent, 5U);
  ASSERT_EQ(request.events.size(), 1U);
  EXPECT_EQ(request.events[0].content, R"({ "a":0.10 })");
  EXPECT_EQ(request.filter->text, R"({"user":{"plan":["pro"]}})");
  EXPECT_EQ(response->body,
            R"({"result":[{"event_name":"PersonCreated_v1","failed_field":"user.plan",)"
            R"("matches":false},{"event_id":"11111111-2222-4333-8444-555555555555",)"
            R"("event_name":"PersonCreated_v1","matches":true}]})");
}

TEST_F(EventTypeRoutesTest, a_dry_run_that_is_wrong_names_the_field) {
  const auto refused = [&](const std::string& members) {
    return message_of(
        answer_to(Method::kPost, kTrial, with_key("all-key"),
                  R"({"trigger_type":"event","trigger_name":"PersonCreated_v1")" + members + "}"),
        400);
  };
  EXPECT_THAT(refused(""), HasSubstr("events: nothing to try"));
  EXPECT_THAT(refused(R"(,"recent":101)"), HasSubstr("recent: "));
  EXPECT_THAT(refused(R"(,"recent":-1)"), HasSubstr("recent: "));
  EXPECT_THAT(refused(R"(,"events":{})"), HasSubstr("events: expected a list"));
  EXPECT_THAT(refused(R"(,"events":[7])"), HasSubstr("events[0]: expected an object"));
  EXPECT_THAT(refused(R"(,"events":[{}])"), HasSubstr("events[0].content: required"));
  EXPECT_THAT(refused(R"(,"events":[{"content":[]}])"), HasSubstr("events[0].content: expected"));
}

}  // namespace
}  // namespace triggerd::api
