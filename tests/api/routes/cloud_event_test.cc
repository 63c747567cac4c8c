#include <gmock/gmock.h>

#include <utility>

#include "api/cloud_event_reader.h"
#include "tests/api/routes/api_fixture.h"

namespace triggerd::api {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string kEvents = "/organizations/events";
const std::string kUuid = "0d9b9ef5-7b3a-4b5e-9a39-3f0a3b7d1c11";
const std::string kTrace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
// The required attributes, as JSON members.
const std::string kRequired =
    R"("specversion":"1.0","id":")" + kUuid + R"(","source":"/people","type":"PersonCreated_v1")";

class CloudEventTest : public ApiTest {
 protected:
  static Fields typed(std::string type, Fields further = {}) {
    further.push_back({"Content-Type", std::move(type)});
    return with_key("publish-key", std::move(further));
  }
  static Fields binary(Fields further = {}) {
    Fields fields = with_key("publish-key", {{"ce-specversion", "1.0"},
                                             {"ce-id", kUuid},
                                             {"CE-Source", "/people"},
                                             {"ce-type", "PersonCreated_v1"}});
    for (HttpField& field : further) fields.push_back(std::move(field));
    return fields;
  }
  std::vector<model::NewEvent> publish(Fields fields, std::string body) {
    return asked<model::PublishEvents>(Method::kPost, kEvents, std::move(fields), std::move(body),
                                       model::PublishReply{})
        .events;
  }
  model::NewEvent structured(const std::string& further, Fields fields = {}) {
    const auto events =
        publish(typed("application/cloudevents+json; charset=UTF-8", std::move(fields)),
                "{" + kRequired + further + "}");
    EXPECT_EQ(events.size(), 1U);
    return events.empty() ? model::NewEvent{} : events[0];
  }
  std::string refused(const std::string& body, int status = 400) {
    return message_of(
        answer_to(Method::kPost, kEvents, typed("application/cloudevents+json"), body), status);
  }
  // The message for the required attributes and `further`.
  std::string fault_of(const std::string& further) {
    return refused("{" + kRequired + "," + further + "}");
  }
  std::string binary_refused(Fields further, const std::string& body = "{}") {
    return message_of(answer_to(Method::kPost, kEvents, binary(std::move(further)), body), 400);
  }
};

TEST_F(CloudEventTest, attributes_become_those_of_an_event) {
  const model::NewEvent event =
      structured(R"(,"time":"2024-03-03T04:12:00.5+02:00","subject":"person-7","datacontenttype":)"
                 R"("application/json","dataschema":"urn:x","partitionkey":"k","traceparent":")" +
                 kTrace + R"(","other":true,"another":7,"unset":null,"data":{ "n" : 0.10 })");
  EXPECT_EQ(event.id.to_string(), kUuid);
  EXPECT_TRUE(event.id_from_client);
  EXPECT_EQ(event.name, "PersonCreated_v1");
  EXPECT_EQ(event.source, "/people");
  EXPECT_EQ(event.subject, "person-7");
  EXPECT_EQ(event.ordering_key, "k");
  EXPECT_EQ(event.traceparent, kTrace);
  EXPECT_EQ(base::to_rfc3339(event.timestamp), "2024-03-03T02:12:00.5Z");
  EXPECT_EQ(event.content.substr(event.own_members_at), R"( "n" : 0.10 })");
  EXPECT_THAT(event.content, HasSubstr(R"("event_id":")" + kUuid));
  EXPECT_THAT(event.content, HasSubstr(R"("event_name":"PersonCreated_v1")"));
  EXPECT_THAT(event.content, HasSubstr(R"("timestamp":"2024-03-03T02:12:00.5Z")"));
}

TEST_F(CloudEventTest, what_is_optional_may_be_absent) {
  const base::WallTime before = loop.now().wall;
  for (const char* further : {"", R"(,"data":{})", R"(,"data":null)"}) {
    const model::NewEvent event = structured(further);
    EXPECT_EQ(event.content.substr(event.own_members_at), "}") << further;
    EXPECT_GE(event.timestamp, before);
    EXPECT_EQ(event.subject, "");
    EXPECT_EQ(event.ordering_key, "");
    EXPECT_EQ(event.traceparent, "");
  }
}

TEST_F(CloudEventTest, orderingkey_stands_before_partitionkey) {
  EXPECT_EQ(structured(R"(,"orderingkey":"o","partitionkey":"p")").ordering_key, "o");
  EXPECT_EQ(structured(R"(,"partitionkey":"p","orderingkey":"o")").ordering_key, "o");
  EXPECT_EQ(structured(R"(,"partitionkey":12)").ordering_key, "12");
}

TEST_F(CloudEventTest, the_traceparent_of_an_event_stands_before_that_of_its_request) {
  const std::string other = "00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-00";
  EXPECT_EQ(structured("", {{"traceparent", other}}).traceparent, other);
  EXPECT_EQ(structured(R"(,"traceparent":")" + kTrace + '"', {{"traceparent", other}}).traceparent,
            kTrace);
  EXPECT_EQ(structured(R"(,"traceparent":"00-x")", {{"traceparent", other}}).traceparent, other);
}

TEST_F(CloudEventTest, an_id_that_is_no_uuid_gives_the_same_event_id_each_time) {
  const auto id_of = [&](const std::string& id, const std::string& source) {
    return publish(typed("application/cloudevents+json"),
                   R"({"specversion":"1.0","type":"A_v1","id":")" + id + R"(","source":")" +
                       source + R"("})")
        .at(0)
        .id;
  };
  const model::EventId id = id_of("A-1", "/s");
  EXPECT_EQ(id.to_string(), "4ee6984a-1e22-8cdb-b0e2-efda09f3b491");
  EXPECT_EQ(id, id_of("A-1", "/s"));
  EXPECT_NE(id, id_of("A-2", "/s"));
  EXPECT_NE(id, id_of("A-1", "/t"));
  EXPECT_NE(id_of("b", "/sa"), id_of("ab", "/s"));
  EXPECT_NE(derived_event_id(test_org(), "/s", "A-1"), derived_event_id(other_org(), "/s", "A-1"));
  EXPECT_EQ(id_of("0D9B9EF5-7B3A-4B5E-9A39-3F0A3B7D1C11", "/s").to_string(), kUuid);
}

TEST_F(CloudEventTest, every_missing_attribute_is_named) {
  const HttpResponse answer =
      answer_to(Method::kPost, kEvents, typed("application/cloudevents+json"), R"({"data":[]})");
  EXPECT_EQ(answer.status, 400);
  for (const char* fault : {"data: expected an object, got a list",
                            "specversion: required, but missing", "id: required, but missing",
                            "source: required, but missing", "type: required, but missing"}) {
    EXPECT_THAT(answer.body, HasSubstr(fault));
  }
}

TEST_F(CloudEventTest, bad_attributes_are_refused_by_name) {
  EXPECT_THAT(fault_of(R"("data_base64":"e30=")"), HasSubstr("data_base64: only JSON data"));
  EXPECT_THAT(fault_of(R"("datacontenttype":"text/xml")"),
              HasSubstr("datacontenttype: only JSON data"));
  EXPECT_THAT(fault_of(R"("datacontenttype":"application/json; charset=utf-16")"),
              HasSubstr("datacontenttype"));
  EXPECT_THAT(fault_of(R"("data":"{}")"), HasSubstr("data: expected an object, got a string"));
  EXPECT_THAT(fault_of(R"("data":{"event_metadata":1})"), HasSubstr("data.event_metadata"));
  EXPECT_THAT(fault_of(R"("subject":"")"), HasSubstr("subject: must not be empty"));
  EXPECT_THAT(fault_of(R"("subject":7)"), HasSubstr("subject: expected a string, got a number"));
  EXPECT_THAT(fault_of(R"("subject":"a\nb")"), HasSubstr("subject: must not have control"));
  EXPECT_THAT(fault_of(R"("subject":"\u0085")"), HasSubstr("subject: must not have control"));
  EXPECT_THAT(fault_of(R"("time":"yesterday")"), HasSubstr("time: must be an RFC 3339"));
  EXPECT_THAT(fault_of(R"("Camel":"x")"), HasSubstr("Camel: an attribute's name"));
  EXPECT_THAT(fault_of(R"("under_score":"x")"), HasSubstr("under_score: an attribute's name"));
  EXPECT_THAT(fault_of(R"("":"x")"), HasSubstr("an attribute's name"));
  EXPECT_THAT(fault_of(R"("extension":{})"), HasSubstr("extension: expected a string, a boolean"));
  EXPECT_THAT(fault_of(R"("extension":1.5)"), HasSubstr("extension: expected"));
  EXPECT_THAT(fault_of(R"("orderingkey":")" + std::string(257, 'k') + '"'),
              HasSubstr("orderingkey: at most 256 bytes"));
  EXPECT_THAT(fault_of(R"("subject":")" + std::string(1025, 's') + '"'),
              HasSubstr("subject: at most 1024 bytes"));
  const auto with = [&](const std::string& version, const std::string& id,
                        const std::string& source, const std::string& type) {
    return refused(R"({"specversion":)" + version + R"(,"id":)" + id + R"(,"source":)" + source +
                   R"(,"type":)" + type + "}");
  };
  EXPECT_THAT(with(R"("0.3")", R"("i")", R"("/s")", R"("A_v1")"), StartsWith("specversion"));
  EXPECT_THAT(with("1.0", R"("i")", R"("/s")", R"("A_v1")"), HasSubstr("specversion: expected"));
  EXPECT_THAT(with(R"("1.0")", R"("")", R"("/s")", R"("A_v1")"), HasSubstr("id: must not be"));
  EXPECT_THAT(with(R"("1.0")", "null", R"("/s")", R"("A_v1")"), HasSubstr("id: required"));
  EXPECT_THAT(with(R"("1.0")", '"' + std::string(1025, 'i') + '"', R"("/s")", R"("A_v1")"),
              HasSubstr("id: at most 1024 bytes"));
  EXPECT_THAT(with(R"("1.0")", R"("i")", R"("a b")", R"("A_v1")"), HasSubstr("source: must be a"));
  EXPECT_THAT(with(R"("1.0")", R"("i")", R"("%x0")", R"("A_v1")"), HasSubstr("source: must be a"));
  EXPECT_THAT(with(R"("1.0")", R"("i")", R"("/s")", R"("com.example.x")"),
              StartsWith("type: must"));
  EXPECT_THAT(refused("[]"), HasSubstr("body: expected an object"));
  EXPECT_THAT(refused("{"), HasSubstr("malformed JSON at byte 1"));
}

TEST_F(CloudEventTest, data_is_taken_up_to_its_limit) {
  const auto sized = [](std::size_t bytes) {
    return R"({"n":")" + std::string(bytes - 8, 'x') + R"("})";
  };
  EXPECT_EQ(structured(R"(,"data":)" + sized(model::kEventContentBytesMax)).name,
            "PersonCreated_v1");
  EXPECT_THAT(
      refused("{" + kRequired + R"(,"data":)" + sized(model::kEventContentBytesMax + 1) + "}", 413),
      HasSubstr("data: has 262145 bytes"));
}

TEST_F(CloudEventTest, a_batch_names_each_bad_index) {
  const std::string good = "{" + kRequired + "}";
  const auto events =
      publish(typed("application/cloudevents-batch+json"), "[" + good + " ,\n" + good + "]");
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[1].source, "/people");
  const Faults faults = faults_of_entries(publish(
      typed("application/cloudevents-batch+json"),
      "[" + good + R"(,7,{"specversion":"1.0"},)" + good + ",{" + kRequired + R"(,"time":""}])"));
  std::vector<std::string> messages;
  for (const base::Error& fault : faults) messages.push_back(fault.message);
  EXPECT_THAT(messages, ::testing::ElementsAre(
                            "[1]: expected an event object, got a number",
                            HasSubstr("[2].id: required"), HasSubstr("[2].source: required"),
                            HasSubstr("[2].type: required"), HasSubstr("[4].time: must be")));
  for (const char* body : {"[]", "{}"}) {
    EXPECT_EQ(
        answer_to(Method::kPost, kEvents, typed("application/cloudevents-batch+json"), body).status,
        400);
  }
}

TEST_F(CloudEventTest, binary_attributes_come_in_fields) {
  const auto events = publish(binary({{"ce-subject", "caf%C3%A9%20%25"},
                                      {"ce-time", "2024-03-03T02:12:00Z"},
                                      {"ce-partitionkey", "\"quoted \\\" key\""},
                                      {"ce-traceparent", kTrace},
                                      {"Content-Type", "application/vnd.x+json"}}),
                              R"({"a":1})");
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].id.to_string(), kUuid);
  EXPECT_EQ(events[0].source, "/people");
  EXPECT_EQ(events[0].subject, "caf\xc3\xa9 %");
  EXPECT_EQ(events[0].ordering_key, "quoted \" key");
  EXPECT_EQ(events[0].traceparent, kTrace);
  EXPECT_EQ(base::to_rfc3339(events[0].timestamp), "2024-03-03T02:12:00Z");
  EXPECT_EQ(events[0].content.substr(events[0].own_members_at), R"("a":1})");
  const auto empty = publish(binary(), "");
  ASSERT_EQ(empty.size(), 1U);
  EXPECT_EQ(empty[0].content.substr(empty[0].own_members_at), "}");
}

TEST_F(CloudEventTest, bad_fields_of_a_binary_event_are_named) {
  EXPECT_THAT(binary_refused({{"ce-id", "again"}}), HasSubstr("ce-id: send it once"));
  EXPECT_THAT(binary_refused({{"ce-x", "%zz"}}), HasSubstr("ce-x: must be percent-encoded UTF-8"));
  EXPECT_THAT(binary_refused({{"ce-x", "%ff"}}), HasSubstr("ce-x: must be percent-encoded UTF-8"));
  EXPECT_THAT(binary_refused({{"ce-x", "a%0Ab"}}), HasSubstr("ce-x: must not have control"));
  EXPECT_THAT(binary_refused({{"ce-x-y", "1"}}), HasSubstr("ce-x-y: an attribute's name"));
  EXPECT_THAT(binary_refused({{"ce-datacontenttype", "application/json"}}),
              HasSubstr("Content-Type"));
  EXPECT_THAT(binary_refused({}, "[1]"), HasSubstr("body: expected an object, got a list"));
  EXPECT_THAT(binary_refused({}, R"({"event_metadata":1})"), HasSubstr("body.event_metadata"));
  const HttpResponse answer =
      answer_to(Method::kPost, kEvents, with_key("publish-key", {{"ce-id", "1"}}), "{");
  EXPECT_EQ(answer.status, 400);
  for (const char* fault : {"ce-specversion: required", "ce-source: required", "ce-type: required",
                            "malformed JSON at byte 1"}) {
    EXPECT_THAT(answer.body, HasSubstr(fault));
  }
}

TEST_F(CloudEventTest, other_media_types_are_refused_on_the_head_with_those_that_are_taken) {
  for (const char* type :
       {"text/plain", "application/cloudevents", "application/cloudevents+avro",
        "application/cloudevents+json; charset=latin1", "application/vnd.x+json", ""}) {
    const HttpResponse answer = answer_to(Method::kPost, kEvents, typed(type), "{}");
    EXPECT_THAT(message_of(answer, 415), HasSubstr("application/cloudevents-batch+json")) << type;
    EXPECT_TRUE(answered_on_head);
  }
  const HttpResponse answer =
      answer_to(Method::kPost, kEvents, binary({{"Content-Type", "text/plain"}}), "x");
  EXPECT_EQ(answer.status, 415);
}

}  // namespace
}  // namespace triggerd::api
