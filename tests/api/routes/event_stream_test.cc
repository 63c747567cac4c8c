#include <gmock/gmock.h>

#include "tests/api/routes/api_fixture.h"

namespace triggerd::api {
namespace {

using ::testing::HasSubstr;

const std::string kEvents = "/organizations/events";

std::string event(int n) {
  return R"({"event_name":"A_v1","content":{"n":)" + std::to_string(n) + "}}\n";
}

class EventStreamTest : public ApiTest {
 protected:
  void open() {
    HttpRequest head;
    head.method = Method::kPost;
    head.target = kEvents;
    head.fields = with_key("publish-key", {{"Content-Type", "application/x-ndjson"}});
    HeadDecision decision = handler.on_head(head);
    ASSERT_TRUE(std::holds_alternative<StreamBody>(decision));
    EXPECT_EQ(std::get<StreamBody>(decision).answer.status, 200);
    reader = handler.on_stream(head, [this](const std::string& bytes, Flow flow) {
      EXPECT_FALSE(over);
      answer += bytes;
      over = flow == Flow::kLast;
    });
  }
  // What the reader had no room for.
  std::string feed(const std::string& text) {
    std::string_view bytes = text;
    reader->on_body(bytes);
    return std::string(bytes);
  }
  const model::PublishEvents& group(std::size_t index) {
    return std::get<model::PublishEvents>(backend.requests.at(index));
  }
  // Accepts the group that waits longest.
  void accept() {
    model::PublishReply reply;
    for (const model::NewEvent& each : group(replied++).events) {
      reply.events.push_back({each.id, false, 1});
    }
    backend.reply(std::move(reply));
  }

  std::unique_ptr<BodyReader> reader;
  std::string answer;
  bool over = false;
  std::size_t replied = 0;
};

TEST_F(EventStreamTest, each_line_is_answered_in_order) {
  open();
  feed(event(1) + "{}\n\n" + event(2) + "[]\n");
  ASSERT_EQ(backend.requests.size(), 1U);
  EXPECT_EQ(group(0).events.size(), 2U);
  EXPECT_EQ(group(0).acceptance, model::Acceptance::kEach);
  EXPECT_EQ(answer, "");
  const std::string first = group(0).events[0].id.to_string();
  const std::string second = group(0).events[1].id.to_string();
  accept();
  const auto result = [](const std::string& line, const std::string& id) {
    return R"({"line":)" + line + R"(,"result":{"duplicate":false,"event_id":")" + id +
           R"(","webhooks":1}})" + "\n";
  };
  EXPECT_EQ(answer,
            result("1", first) +
                R"({"errors":[{"httpcode":400,"message":"event_name: required, but missing"}],)"
                R"("line":2})"
                "\n" +
                result("4", second) +
                R"({"errors":[{"httpcode":400,"message":"line: expected an event object, got a )"
                R"(list"}],"line":5})"
                "\n");
  EXPECT_FALSE(over);
  reader->on_body_end();
  EXPECT_TRUE(over);
}

TEST_F(EventStreamTest, one_group_is_with_the_engine_while_the_next_collects_up_to_its_bound) {
  open();
  std::string text;
  for (int i = 0; i < 2000; ++i) text += event(i);
  std::string rest = feed(text);
  EXPECT_EQ(backend.requests.size(), 1U);
  EXPECT_FALSE(rest.empty());
  EXPECT_TRUE(reader->has_room()) << "the first group went to the engine";
  rest = feed(rest);
  EXPECT_FALSE(reader->has_room());
  EXPECT_EQ(feed(rest), rest) << "nothing is taken without room";
  EXPECT_EQ(backend.requests.size(), 1U);
  int groups = 0;
  while (!backend.waiting.empty()) {
    accept();
    EXPECT_LE(backend.waiting.size(), 1U);
    rest = feed(rest);
    ++groups;
  }
  EXPECT_EQ(rest, "");
  EXPECT_EQ(std::count(answer.begin(), answer.end(), '\n'), 2000);
  EXPECT_LT(groups, 30) << "groups grow when events match few webhooks";
}

TEST_F(EventStreamTest, a_refused_event_and_a_refused_group_are_lines_too) {
  open();
  feed(event(1) + event(2));
  model::PublishReply reply;
  reply.events.resize(2);
  reply.events[0].faults.push_back({base::ErrorCode::kInvalid, "event_name: unknown"});
  reply.events[1].webhooks = 3;
  ++replied;
  backend.reply(std::move(reply));
  EXPECT_THAT(answer, HasSubstr(R"({"errors":[{"httpcode":400,"message":"event_name: unknown"}],)"
                                R"("line":1})"));
  EXPECT_THAT(answer, HasSubstr(R"("webhooks":3)"));
  answer.clear();
  feed(event(3) + event(4));
  backend.reply(model::Refusal{{{base::ErrorCode::kOverloaded, "full"}}, std::nullopt});
  EXPECT_EQ(answer,
            "{\"errors\":[{\"httpcode\":503,\"message\":\"full\"}],\"line\":3}\n"
            "{\"errors\":[{\"httpcode\":503,\"message\":\"full\"}],\"line\":4}\n");
  EXPECT_FALSE(over);
}

TEST_F(EventStreamTest, a_line_over_the_limit_is_skipped_and_the_stream_goes_on) {
  open();
  const std::string text =
      std::string(model::kStreamLineBytesMax + 10, 'x') + "\n" + event(1) + "{";
  EXPECT_EQ(feed(text), "");
  EXPECT_EQ(backend.requests.size(), 1U);
  accept();
  EXPECT_THAT(answer, HasSubstr(R"("httpcode":413)"));
  EXPECT_THAT(answer, HasSubstr(R"({"line":2,"result":)"));
  reader->on_body_end();
  EXPECT_THAT(answer, HasSubstr("malformed JSON"));
  EXPECT_TRUE(over);
}

TEST_F(EventStreamTest, a_body_that_is_cut_ends_with_the_reason_behind_all_answers) {
  open();
  feed(event(1) + R"({"event_name":"A_v)");
  reader->on_body_cut(503, "stopping");
  EXPECT_EQ(answer, "");
  accept();
  EXPECT_TRUE(over);
  EXPECT_THAT(answer, ::testing::EndsWith(R"({"errors":[{"httpcode":503,"message":"stopping"}],)"
                                          "\"line\":2}\n"));
  EXPECT_EQ(backend.requests.size(), 1U) << "half a line is no event";
}

TEST_F(EventStreamTest, a_reply_to_a_stream_that_has_gone_is_dropped) {
  open();
  feed(event(1));
  reader.reset();
  accept();
  EXPECT_EQ(answer, "");
}

TEST_F(EventStreamTest, so_many_streams_are_open_at_a_time) {
  std::vector<std::unique_ptr<BodyReader>> readers;
  for (std::size_t i = 0; i < model::kStreamsMax; ++i) {
    open();
    readers.push_back(std::move(reader));
  }
  const HttpResponse refusal = answer_to(
      Method::kPost, kEvents, with_key("publish-key", {{"Content-Type", "application/x-ndjson"}}));
  EXPECT_EQ(refusal.status, 503);
  readers.pop_back();
  open();
}

}  // namespace
}  // namespace triggerd::api
