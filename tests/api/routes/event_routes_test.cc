#include <gmock/gmock.h>

#include "api/event_reader.h"
#include "api/trace_context.h"
#include "tests/api/routes/api_fixture.h"

namespace triggerd::api {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

const std::string kEvents = "/organizations/events";
const std::string kEventId = "0d9b9ef5-7b3a-4b5e-9a39-3f0a3b7d1c11";

class EventRoutesTest : public ApiTest {
 protected:
  std::vector<model::NewEvent> publish(std::string body, Fields further = {}) {
    return asked<model::PublishEvents>(Method::kPost, kEvents,
                                       with_key("publish-key", std::move(further)), std::move(body),
                                       model::PublishReply{})
        .events;
  }
  HttpResponse refused(std::string body) {
    return answer_to(Method::kPost, kEvents, with_key("publish-key"), std::move(body));
  }
};

TEST_F(EventRoutesTest, one_event_and_a_list_of_one_are_answered_alike) {
  for (const char* body :
       {R"({"event_name":"PersonCreated_v1"})", R"([{"event_name":"PersonCreated_v1"}])"}) {
    const auto request = asked<model::PublishEvents>(
        Method::kPost, kEvents, with_key("publish-key"), body,
        model::PublishReply{{{*model::EventId::parse(kEventId), false, 3}}});
    EXPECT_EQ(request.org, test_org());
    EXPECT_EQ(request.events.size(), 1U);
    EXPECT_EQ(response->status, 202);
    EXPECT_EQ(response->body,
              R"({"result":[{"duplicate":false,"event_id":")" + kEventId + R"(","webhooks":3}]})");
  }
}

TEST_F(EventRoutesTest, a_granted_wait_shows_the_first_attempts) {
  model::PublishReply reply;
  reply.waited_for = std::chrono::seconds(9);
  reply.events.push_back({*model::EventId::parse(kEventId), false, 3});
  const model::WebhookId webhook = *model::WebhookId::parse(kWebhookText);
  reply.events[0].deliveries = {{webhook, true, model::OutcomeClass::kOk, 204},
                                {webhook, true, model::OutcomeClass::kTimeout, 0},
                                {webhook}};
  reply.events.push_back({*model::EventId::parse(kEventId), true, 3});
  const auto request = asked<model::PublishEvents>(Method::kPost, kEvents,
                                                   with_key("publish-key", {{"Prefer", "wait=9"}}),
                                                   R"({"event_name":"PersonCreated_v1"})", reply);
  EXPECT_EQ(request.wait, std::chrono::seconds(9));
  EXPECT_EQ(response->status, 202);
  EXPECT_EQ(field_of(*response, "Preference-Applied"), "wait=9");
  const std::string of_webhook = R"("webhook_id":")" + std::string(kWebhookText) + R"("})";
  EXPECT_EQ(response->body, R"({"result":[{"deliveries":[{"outcome":"ok","status":204,)" +
                                of_webhook + R"(,{"outcome":"timeout",)" + of_webhook +
                                R"(,{"outcome":"pending",)" + of_webhook +
                                R"(],"duplicate":false,"event_id":")" + kEventId +
                                R"(","webhooks":3},{"deliveries":[],"duplicate":true,)" +
                                R"("event_id":")" + kEventId + R"(","webhooks":3}]})");
}

TEST_F(EventRoutesTest, a_wait_that_is_not_granted_changes_nothing) {
  const auto request = asked<model::PublishEvents>(
      Method::kPost, kEvents, with_key("publish-key", {{"Prefer", "wait=20"}}),
      R"({"event_name":"PersonCreated_v1"})",
      model::PublishReply{{{*model::EventId::parse(kEventId), false, 3}}});
  EXPECT_EQ(request.wait, std::chrono::seconds(20));
  EXPECT_EQ(field_of(*response, "Preference-Applied"), "");
  EXPECT_EQ(response->body,
            R"({"result":[{"duplicate":false,"event_id":")" + kEventId + R"(","webhooks":3}]})");
}

TEST_F(EventRoutesTest, a_wait_that_is_none_is_refused_beside_the_faults_of_the_body) {
  const HttpResponse answer = answer_to(
      Method::kPost, kEvents, with_key("publish-key", {{"Prefer", "wait=21"}}), R"({"content":1})");
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body,
              HasSubstr("Prefer: wait must be a whole number of seconds from 1 to 20"));
  EXPECT_THAT(answer.body, HasSubstr("event_name"));
}

TEST_F(EventRoutesTest, content_is_event_metadata_then_the_publishers_members) {
  const auto events = publish(
      R"({"event_name":"PersonCreated_v1","event_id":"0D9B9EF5-7B3A-4B5E-9A39-3F0A3B7D1C11",)"
      R"("timestamp":"2024-03-03T04:12:00.074366570+02:00","is_test_event":true,)"
      R"("ordering_key":"person-7","unknown":{"x":1},"content":{"person_id":"p"}})");
  ASSERT_EQ(events.size(), 1U);
  const model::NewEvent& event = events[0];
  EXPECT_EQ(event.content,
            R"({"event_metadata":{"event_id":")" + kEventId +
                R"(","event_name":"PersonCreated_v1","event_type":"PersonCreated",)"
                R"("event_version":1,"is_test_event":true,)"
                R"("organization_id":"11111111-2222-4333-8444-555555555555","source":1,)"
                R"("timestamp":"2024-03-03T02:12:00.07436657Z"},"person_id":"p"})");
  EXPECT_EQ(event.content.substr(event.own_members_at), R"("person_id":"p"})");
  EXPECT_TRUE(event.id_from_client);
  EXPECT_EQ(event.id.to_string(), kEventId);
  EXPECT_EQ(event.name, "PersonCreated_v1");
  EXPECT_EQ(event.ordering_key, "person-7");
  EXPECT_TRUE(event.is_test);
}

TEST_F(EventRoutesTest, without_content_there_is_metadata_alone) {
  for (const char* body :
       {R"({"event_name":"SlashIDSDKLoaded_v1","timestamp":"2024-03-03T02:12:00Z"})",
        R"({"event_name":"SlashIDSDKLoaded_v1","timestamp":"2024-03-03T02:12:00Z","content":{}})",
        "{\"event_name\":\"SlashIDSDKLoaded_v1\",\"timestamp\":\"2024-03-03T02:12:00Z\","
        "\"content\":{ \n\t}}"}) {
    const auto events = publish(body);
    ASSERT_EQ(events.size(), 1U);
    EXPECT_THAT(events[0].content,
                MatchesRegex(R"(\{"event_metadata":\{"event_id":"[0-9a-f-]{36}",.*"source":2,)"
                             R"("timestamp":"2024-03-03T02:12:00Z"\}\})"));
    EXPECT_EQ(events[0].content.substr(events[0].own_members_at), "}");
  }
}

TEST_F(EventRoutesTest, what_is_left_out_is_minted) {
  const base::WallTime before = loop.now().wall;
  const auto events = publish(R"([{"event_name":"A_v2"},{"event_name":"A_v2"}])");
  ASSERT_EQ(events.size(), 2U);
  for (const model::NewEvent& event : events) {
    EXPECT_FALSE(event.id_from_client);
    EXPECT_THAT(
        event.id.to_string(),
        MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
    EXPECT_THAT(event.content, HasSubstr(event.id.to_string()));
    EXPECT_THAT(event.content, HasSubstr(base::to_rfc3339(event.timestamp)));
    EXPECT_GE(event.timestamp, before);
    EXPECT_LE(event.timestamp, loop.now().wall);
    EXPECT_FALSE(event.is_test);
    EXPECT_THAT(event.content, ::testing::Not(HasSubstr("is_test_event")));
    EXPECT_THAT(event.content, HasSubstr(R"("event_version":2)"));
  }
  EXPECT_NE(events[0].id, events[1].id);
}

TEST_F(EventRoutesTest, content_passes_byte_for_byte) {
  for (const std::string content :
       {R"({"n":0.1000})", R"({"n":-0})", R"({"n":1E+2,"m":-0.0e-0})",
        R"({"s":"\u0041\/\ud83d\ude00"})", R"({"n":123456789012345678901234567890.123456789})",
        "{ \"a\" :\t[ 1 ,\r\n 2 ] , \"b\":{ } }", R"({"a":"}]\"\\","b":[{"c":"{["}]})",
        "{\"caf\xc3\xa9\":\"\xf0\x9f\x98\x80\"}",
        R"({"event_metadata_":1,"x":{"event_metadata":{}}})", R"({"":null})",
        R"({"a":[[],{},[{}]],"b":true})", R"({"s":"\\"})", R"({"s":"\\\"","t":"\\\\"})"}) {
    const auto events =
        publish(R"([ {"content" : )" + content +
                R"( ,"event_name":"A_v1"},{"event_name":"B_v1","content":)" + content + "}]");
    ASSERT_EQ(events.size(), 2U) << content;
    for (const model::NewEvent& event : events) {
      EXPECT_EQ("{" + event.content.substr(event.own_members_at), content);
      EXPECT_EQ(event.content.substr(event.own_members_at - 2, 2), "},");
    }
  }
}

TEST_F(EventRoutesTest, bad_events_are_refused_by_field) {
  const auto message = [&](const std::string& further) {
    return message_of(refused(R"({"event_name":"A_v1",)" + further + "}"), 400);
  };
  EXPECT_EQ(message(R"("content":[])"), "content: expected an object, got a list");
  EXPECT_EQ(message(R"("content":null)"), "content: expected an object, got null");
  EXPECT_THAT(message(R"("content":{"event_metadata":{}})"), HasSubstr("content.event_metadata"));
  EXPECT_THAT(message(R"("content":{"event\u005fmetadata":1})"),
              HasSubstr("content.event_metadata"));
  EXPECT_THAT(message(R"("content":{"a":{"b":[{"c":1,"c":2}]}})"), HasSubstr("twice"));
  EXPECT_THAT(message(R"("event_id":"7")"), HasSubstr("event_id: must be a UUID"));
  EXPECT_THAT(message(R"("event_id":7)"), HasSubstr("event_id: expected a string"));
  EXPECT_THAT(message(R"("timestamp":"yesterday")"), HasSubstr("timestamp: must be an RFC 3339"));
  EXPECT_THAT(message(R"("timestamp":"2024-03-03T02:12:00")"), HasSubstr("timestamp"));
  EXPECT_THAT(message(R"("timestamp":1709431920)"), HasSubstr("timestamp: expected a string"));
  EXPECT_THAT(message(R"("is_test_event":1)"), HasSubstr("is_test_event: expected true or false"));
  EXPECT_THAT(message(R"("ordering_key":1)"), HasSubstr("ordering_key: expected a string"));
  EXPECT_THAT(message_of(refused("{}"), 400), HasSubstr("event_name: required"));
  EXPECT_THAT(message_of(refused(R"({"event_name":3})"), 400), HasSubstr("event_name: expected"));
  EXPECT_THAT(message_of(refused(R"({"event_name":""})"), 400), HasSubstr("event_name"));
  EXPECT_THAT(message_of(refused(R"({"event_name":"PersonCreated"})"), 400), HasSubstr("_v"));
  EXPECT_THAT(message_of(refused("7"), 400), HasSubstr("body: expected"));
}

const std::string kBadBatch =
    R"([{"event_name":"A_v1"},{"event_name":1,"content":2},3,{"event_name":"B_v1","timestamp":0},)"
    R"({"ordering_key":"k"}])";

TEST_F(EventRoutesTest, the_bad_entries_of_a_batch_go_to_the_engine_which_names_all) {
  const auto events = publish(kBadBatch);
  ASSERT_EQ(events.size(), 5U);
  std::vector<std::string> messages;
  for (const base::Error& fault : faults_of_entries(events)) messages.push_back(fault.message);
  EXPECT_THAT(messages, ::testing::ElementsAre("[1].event_name: expected a string, got a number",
                                               "[1].content: expected an object, got a number",
                                               "[2]: expected an event object, got a number",
                                               "[3].timestamp: expected a string, got a number",
                                               "[4].event_name: required, but missing"));
  // What could be read of them is there to be judged, but no content.
  EXPECT_EQ(events[3].name, "B_v1");
  EXPECT_EQ(events[4].ordering_key, "k");
  EXPECT_NE(events[0].content, "");
  for (std::size_t i = 1; i < 5; ++i) EXPECT_EQ(events[i].content, "") << i;
}

TEST_F(EventRoutesTest, a_fault_of_the_request_is_named_with_those_of_all_entries) {
  const HttpResponse answer =
      answer_to(Method::kPost, kEvents, with_key("publish-key", {{"Prefer", "wait=0"}}), kBadBatch);
  EXPECT_EQ(answer.status, 400);
  for (const char* fault : {"Prefer: wait", "[1].event_name", "[2]: expected", "[4].event_name"}) {
    EXPECT_THAT(answer.body, HasSubstr(fault));
  }
}

TEST_F(EventRoutesTest, limits_hold_to_the_byte_and_to_the_event) {
  const auto with_key_bytes = [](std::size_t bytes) {
    return R"({"event_name":"A_v1","ordering_key":")" + std::string(bytes, 'k') + "\"}";
  };
  EXPECT_EQ(publish(with_key_bytes(256)).size(), 1U);
  EXPECT_THAT(message_of(refused(with_key_bytes(257)), 400), HasSubstr("ordering_key"));

  const auto with_content_bytes = [](std::size_t bytes) {
    return R"({"event_name":"A_v1","content":{"a":")" + std::string(bytes - 8, 'x') + "\"}}";
  };
  EXPECT_EQ(publish(with_content_bytes(model::kEventContentBytesMax)).size(), 1U);
  EXPECT_THAT(message_of(refused(with_content_bytes(model::kEventContentBytesMax + 1)), 413),
              HasSubstr("content"));

  const auto batch = [](std::size_t events) {
    std::string body = "[";
    for (std::size_t i = 0; i < events; ++i) body += R"({"event_name":"A_v1"},)";
    if (events > 0) body.pop_back();
    return body + "]";
  };
  EXPECT_EQ(publish(batch(1000)).size(), 1000U);
  EXPECT_THAT(message_of(refused(batch(1001)), 400), HasSubstr("1 to 1000"));
  EXPECT_THAT(message_of(refused(batch(0)), 400), HasSubstr("1 to 1000"));
}

TEST_F(EventRoutesTest, traceparent_is_kept_when_it_is_one) {
  const std::string good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  EXPECT_EQ(publish(R"({"event_name":"A_v1"})", {{"traceparent", good}})[0].traceparent, good);
  EXPECT_EQ(publish(R"({"event_name":"A_v1"})")[0].traceparent, "");
  EXPECT_EQ(publish(R"({"event_name":"A_v1"})", {{"traceparent", "00-x"}})[0].traceparent, "");
  EXPECT_EQ(publish(R"({"event_name":"A_v1"})", {{"traceparent", good}, {"traceparent", good}})[0]
                .traceparent,
            "");
  EXPECT_FALSE(is_traceparent(""));
  EXPECT_FALSE(is_traceparent("01" + good.substr(2)));
  EXPECT_FALSE(is_traceparent(good + "-x"));
  EXPECT_FALSE(is_traceparent(good.substr(0, 54)));
  EXPECT_FALSE(is_traceparent("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"));
  EXPECT_FALSE(is_traceparent("00-00000000000000000000000000000000-00f067aa0ba902b7-01"));
  EXPECT_FALSE(is_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"));
  EXPECT_FALSE(is_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g"));
  EXPECT_FALSE(is_traceparent("00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
}

TEST_F(EventRoutesTest, an_event_is_shown_with_its_content_and_deliveries) {
  const auto time = [](const char* text) { return *base::parse_rfc3339(text); };
  auto event = std::make_shared<model::Event>();
  event->id = *model::EventId::parse(kEventId);
  event->name = "PersonCreated_v1";
  event->accepted_at = time("2024-03-03T02:12:01Z");
  event->timestamp = time("2024-03-03T02:12:00.5Z");
  const std::string head = R"({"event_metadata":{},)";
  event->content = head + R"( "n" : 0.10 })";
  event->own_members_at = static_cast<std::uint32_t>(head.size());
  model::EventReply reply{event, {}};
  model::DeliveryView dead;
  dead.webhook = *model::WebhookId::parse(kWebhookText);
  dead.state = model::DeliveryState::kDead;
  dead.attempts = 2;
  dead.last_attempt.emplace();
  dead.last_attempt->number = 2;
  dead.last_attempt->outcome.kind = model::OutcomeClass::kHttpError;
  dead.last_attempt->outcome.http_status = 503;
  dead.last_attempt->outcome.started_at = time("2024-03-03T02:12:02Z");
  dead.last_attempt->outcome.timings.total_us = 14'600;
  dead.last_attempt->outcome.answer = "no\xff\n";
  model::DeliveryView delayed = dead;
  delayed.state = model::DeliveryState::kDelayed;
  delayed.attempts = 0;
  delayed.next_attempt = time("2024-03-03T02:12:07Z");
  delayed.last_attempt.reset();
  model::DeliveryView cancelled = delayed;
  cancelled.state = model::DeliveryState::kCancelled;
  cancelled.next_attempt.reset();
  cancelled.last_attempt.emplace();
  cancelled.last_attempt->number = model::kNoAttempt;
  reply.deliveries = {dead, delayed, cancelled};
  const std::string id = R"("webhook_id":")" + std::string(kWebhookText) + "\"}";
  const auto request = asked<model::GetEvent>(Method::kGet, kEvents + "/" + kEventId,
                                              with_key("read-key"), "", reply);
  EXPECT_EQ(request.id.to_string(), kEventId);
  EXPECT_EQ(request.org, test_org());
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(
      response->body,
      R"({"result":{"accepted_at":"2024-03-03T02:12:01Z","content":{ "n" : 0.10 },)"
      R"("deliveries":[{"attempts":2,"last_attempt":{"answer":"no\ufffd\u000a",)"
      R"("duration_ms":15,"http_status":503,"number":2,"outcome":"http_error",)"
      R"("started_at":"2024-03-03T02:12:02Z"},"status":"dead",)" +
          id + R"(,{"attempts":0,"next_attempt_at":"2024-03-03T02:12:07Z","status":"pending",)" +
          id + R"(,{"attempts":0,"status":"cancelled",)" + id + R"(],"event_id":")" + kEventId +
          R"(","event_name":"PersonCreated_v1",)"
          R"("timestamp":"2024-03-03T02:12:00.5Z"}})");
  EXPECT_THAT(message_of(answer_to(Method::kGet, kEvents + "/nothing", with_key("read-key")), 404),
              HasSubstr("event not found"));
}

}  // namespace
}  // namespace triggerd::api
