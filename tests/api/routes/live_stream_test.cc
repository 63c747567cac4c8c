// The live stream as its client sees it, and what it asks of the engine thread.
#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/api/routes/api_fixture.h"

namespace triggerd::api {
namespace {

using model::EventSeq;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string kStream = "/organizations/stream";

// A client with its connection: what it got, and whether it reads.
struct Listener {
  std::unique_ptr<BodyReader> reader;
  std::string text;
  bool reads = true;
  bool over = false;

  // What has come since the last call.
  std::string take() { return std::exchange(text, {}); }
  // The messages since then, as "event 7" or "delivery"; with the position of each.
  std::vector<std::string> take_messages() {
    std::vector<std::string> messages;
    std::string id;
    std::string kind;
    std::string rest = take();
    for (std::size_t at = 0; at < rest.size();) {
      const std::size_t end = rest.find('\n', at);
      const std::string line = rest.substr(at, end - at);
      if (line.starts_with("id: ")) id = line.substr(4);
      if (line.starts_with("event: ")) kind = line.substr(7);
      if (line.empty() && !kind.empty()) messages.push_back(std::exchange(kind, {}) + " " + id);
      at = end + 1;
    }
    return messages;
  }
};

class LiveStreamTest : public ApiTest {
 protected:
  explicit LiveStreamTest(ApiOptions options = {}) : ApiTest(std::move(options)) {}
  ~LiveStreamTest() override {
    for (const auto& listener : listeners_) listener->reader.reset();
    EXPECT_EQ(backend.seats_taken, 0);
  }

  HeadDecision decide(const std::string& query, Fields further = {}, Method method = Method::kGet,
                      const std::string& key = "read-key") {
    head_ = HttpRequest();
    head_.method = method;
    head_.target = kStream + query;
    head_.fields = with_key(key, std::move(further));
    return handler.on_head(head_);
  }
  HttpResponse refusal(const std::string& query, Fields further = {}) {
    HeadDecision decision = decide(query, std::move(further));
    EXPECT_TRUE(std::holds_alternative<AnswerNow>(decision)) << query;
    auto* now = std::get_if<AnswerNow>(&decision);
    return now == nullptr ? HttpResponse() : std::move(now->response);
  }
  Listener& open(const std::string& query = "", Fields further = {}) {
    HeadDecision decision = decide(query, std::move(further));
    auto& listener = *listeners_.emplace_back(std::make_unique<Listener>());
    const auto* stream = std::get_if<StreamBody>(&decision);
    if (stream == nullptr) {
      ADD_FAILURE() << "no stream";
      return listener;
    }
    EXPECT_EQ(stream->ended_by, StreamBody::EndedBy::kClient);
    // As a connection: a piece at a time, and the next when this one is taken.
    listener.reader = handler.on_stream(head_, [&listener](const std::string& bytes, Flow flow) {
      EXPECT_FALSE(listener.over);
      listener.text += bytes;
      listener.over = flow == Flow::kLast;
    });
    return listener;
  }
  void begin(std::uint64_t from) {
    ASSERT_FALSE(backend.watches.empty());
    handler.live().begun({test_org(), backend.watches.back().second, EventSeq(from)});
    read();
  }
  // Every client that reads takes what there is.
  void read() {
    for (const auto& listener : listeners_) {
      std::size_t before = 0;
      do {
        before = listener->text.size();
        if (listener->reads && listener->reader != nullptr) listener->reader->on_room();
      } while (listener->text.size() != before);
    }
  }
  static model::EventPtr event(std::uint64_t seq, const std::string& name = "A_v1",
                               std::size_t bytes = 0) {
    auto made = std::make_shared<model::Event>();
    made->seq = EventSeq(seq);
    made->org = test_org();
    made->name = name;
    made->content = R"({"event_metadata":{},"x":")" + std::string(bytes, 'x') + "\"}";
    return made;
  }
  static model::FedDelivery delivery(const std::string& name = "A_v1") {
    model::FedDelivery made;
    made.attempt.event_name = name;
    made.attempt.outcome.http_status = 200;
    made.attempt.outcome.kind = model::OutcomeClass::kOk;
    return made;
  }
  void feed(std::vector<model::FedItem> items) {
    handler.live().fed({test_org(), std::move(items)});
    read();
  }
  std::uint64_t asked_after() {
    EXPECT_FALSE(backend.waiting.empty());
    return std::get<model::ReadEventsAfter>(backend.requests.back()).after.value();
  }
  void page(std::vector<model::EventPtr> events, std::uint64_t through, std::uint64_t newest,
            std::uint64_t erased_before = 0) {
    backend.reply(model::EventsAfterReply{std::move(events), EventSeq(through), EventSeq(newest),
                                          EventSeq(erased_before)});
    read();
  }

  std::vector<std::unique_ptr<Listener>> listeners_;
  HttpRequest head_;
};

TEST_F(LiveStreamTest, tells_events_and_outcomes_as_they_come) {
  Listener& listener = open();
  read();
  EXPECT_EQ(listener.text, "");
  ASSERT_EQ(backend.watches.size(), 1U);
  EXPECT_EQ(backend.watches[0], std::pair(test_org(), std::uint64_t{1}));
  begin(7);
  EXPECT_EQ(listener.take(), "retry: 2000\nid: 7\n\n");
  feed({event(8), delivery()});
  const std::string text = listener.take();
  EXPECT_THAT(text,
              StartsWith("id: 8\nevent: event\ndata: {\"accepted_at\":\"1970-01-01T00:00:00Z\","
                         "\"content\":{\"event_metadata\":{},\"x\":\"\"},\"event_id\":"));
  EXPECT_THAT(text, HasSubstr("\n\nid: 8\nevent: delivery\ndata: {\"attempt\":{"));
  EXPECT_THAT(text, HasSubstr("\"http_status\":200"));
  EXPECT_THAT(text, HasSubstr("\"status\":\"delivered\""));
  feed({delivery(), event(11)});
  EXPECT_THAT(listener.take_messages(), ElementsAre("delivery 8", "event 11"));
  EXPECT_TRUE(backend.requests.empty());
}

TEST_F(LiveStreamTest, topics_and_names_say_what_is_told) {
  Listener& events = open("?topics=events&on=A*");
  Listener& outcomes = open("?topics=deliveries");
  Listener& both = open("?topics=events,deliveries&on=B_v1");
  begin(0);
  for (Listener* each : {&events, &outcomes, &both}) each->take();
  feed({event(1, "A_v1"), event(2, "B_v1"), delivery("A_v1"), delivery("B_v1")});
  EXPECT_THAT(events.take_messages(), ElementsAre("event 1"));
  EXPECT_THAT(outcomes.take_messages(), ElementsAre("delivery 2", "delivery 2"));
  EXPECT_THAT(both.take_messages(), ElementsAre("event 2", "delivery 2"));
}

TEST_F(LiveStreamTest, a_second_stream_shares_the_feed_and_the_last_one_ends_it) {
  Listener& first = open();
  begin(0);
  feed({event(1)});
  Listener& second = open();
  read();
  EXPECT_EQ(second.take(), "retry: 2000\nid: 1\n\n");
  feed({event(2)});
  EXPECT_THAT(second.take_messages(), ElementsAre("event 2"));
  EXPECT_THAT(first.take_messages(), ElementsAre("event 1", "event 2"));
  EXPECT_EQ(backend.watches.size(), 1U);
  EXPECT_EQ(handler.live().counts().clients, 2U);
  first.reader.reset();
  EXPECT_TRUE(backend.unwatched.empty());
  second.reader.reset();
  EXPECT_THAT(backend.unwatched, ElementsAre(test_org()));
  EXPECT_EQ(handler.live().counts().clients, 0U);
  // What is still on its way finds nobody.
  feed({event(3)});
  handler.live().begun({test_org(), 1, EventSeq(3)});

  Listener& third = open();
  // The answer to the first watch is not the one to this.
  handler.live().begun({test_org(), 1, EventSeq(3)});
  read();
  EXPECT_EQ(third.take(), "");
  begin(5);
  EXPECT_EQ(third.take(), "retry: 2000\nid: 5\n\n");
}

TEST_F(LiveStreamTest, resumes_from_the_store_and_goes_on_live_without_a_gap) {
  Listener& listener = open("", {{"Last-Event-ID", "3"}});
  begin(10);
  EXPECT_EQ(listener.take(), "retry: 2000\nid: 3\n\n");
  EXPECT_EQ(asked_after(), 3U);
  feed({event(11), delivery(), event(12)});
  EXPECT_EQ(listener.take(), "") << "not before what is older";
  page({event(4), event(6)}, 6, 10);
  EXPECT_THAT(listener.take_messages(), ElementsAre("event 4", "event 6"));
  EXPECT_EQ(asked_after(), 6U);
  page({event(9), event(11)}, 11, 11);
  EXPECT_THAT(listener.take_messages(),
              ElementsAre("event 9", "event 11", "delivery 11", "event 12"));
  EXPECT_TRUE(backend.waiting.empty());
}

TEST_F(LiveStreamTest, the_header_goes_before_the_parameter) {
  open("?last_event_id=2", {{"Last-Event-ID", "5"}});
  begin(10);
  EXPECT_EQ(asked_after(), 5U);
}

TEST_F(LiveStreamTest, says_so_when_the_position_is_older_than_what_is_kept) {
  Listener& listener = open("?last_event_id=3");
  begin(100);
  listener.take();
  page({event(50), event(60)}, 60, 100, 50);
  const std::string text = listener.take();
  EXPECT_THAT(text, StartsWith("id: 3\nevent: reset\ndata: {\"message\":\"events behind the"));
  EXPECT_THAT(text, HasSubstr("id: 50\nevent: event\n"));
  page({event(70)}, 100, 100, 62);
  EXPECT_THAT(listener.take_messages(), ElementsAre("reset 60", "event 70"));

  // Nothing behind it is gone.
  Listener& other = open("?last_event_id=49");
  read();
  other.take();
  page({event(50)}, 100, 100, 50);
  EXPECT_THAT(other.take_messages(), ElementsAre("event 50"));
}

TEST_F(LiveStreamTest, a_position_of_another_store_goes_on_from_now) {
  Listener& listener = open("?last_event_id=77");
  begin(10);
  listener.take();
  page({}, 77, 10);
  const std::string text = listener.take();
  EXPECT_THAT(text, StartsWith("id: 10\nevent: reset\n"));
  feed({event(11)});
  EXPECT_THAT(listener.take_messages(), ElementsAre("event 11"));
}

TEST_F(LiveStreamTest, a_loop_that_lags_behind_another_one_is_no_reset) {
  Listener& listener = open("?last_event_id=12");
  begin(10);
  listener.take();
  page({}, 12, 12);
  EXPECT_EQ(listener.take(), "");
  feed({event(11), event(12), event(13)});
  EXPECT_THAT(listener.take_messages(), ElementsAre("event 13"));
}

TEST_F(LiveStreamTest, a_slow_client_catches_up_from_the_store_and_is_told_what_it_missed) {
  Listener& slow = open();
  Listener& quick = open();
  begin(0);
  slow.take();
  slow.reads = false;
  std::uint64_t seq = 0;
  std::size_t held = 0;
  const std::size_t count = 3 * model::kFeedBytesMax / 10'000;
  for (std::size_t i = 0; i < count; ++i) {
    feed({event(++seq, "A_v1", 10'000), delivery()});
    quick.take();
    held = std::max(held, slow.text.size());
  }
  EXPECT_LE(held, model::kLivePieceBytes + 20'000) << "no more than a piece waits for it";
  slow.reads = true;
  read();
  std::vector<std::string> got = slow.take_messages();
  while (!backend.waiting.empty()) {
    const std::uint64_t after = asked_after();
    std::vector<model::EventPtr> events;
    for (std::uint64_t next = after + 1; next <= std::min(after + 20, seq); ++next) {
      events.push_back(event(next));
    }
    page(std::move(events), std::min(after + 20, seq), seq);
    for (const std::string& each : slow.take_messages()) got.push_back(each);
  }
  std::uint64_t expected = 0;
  std::uint64_t outcomes = 0;
  std::uint64_t dropped = 0;
  for (const std::string& each : got) {
    if (each.starts_with("event ")) {
      EXPECT_EQ(each, "event " + std::to_string(++expected));
    } else {
      ++(each.starts_with("delivery ") ? outcomes : dropped);
    }
  }
  EXPECT_EQ(expected, seq) << "no event is missing";
  EXPECT_EQ(dropped, 1U);
  EXPECT_EQ(outcomes + handler.live().counts().dropped, seq);
  EXPECT_GT(handler.live().counts().dropped, 0U);
  feed({event(++seq), delivery()});
  EXPECT_EQ(slow.take_messages().size(), 2U);
}

TEST_F(LiveStreamTest, one_of_outcomes_alone_reads_nothing_from_the_store) {
  Listener& slow = open("?topics=deliveries&last_event_id=1");
  begin(5);
  EXPECT_EQ(slow.take(), "retry: 2000\nid: 5\n\n");
  slow.reads = false;
  feed({delivery()});
  for (std::uint64_t seq = 6; seq < 6 + 2 * model::kFeedMessagesMax; ++seq) feed({event(seq)});
  slow.reads = true;
  read();
  feed({delivery()});
  const std::vector<std::string> got = slow.take_messages();
  EXPECT_EQ(got.front(), "delivery 5");
  EXPECT_EQ(got.size(), 2U);
  EXPECT_TRUE(backend.requests.empty());
}

TEST_F(LiveStreamTest, ends_with_a_word) {
  Listener& first = open();
  Listener& second = open("?last_event_id=1");
  begin(5);
  first.take();
  second.take();
  first.reader->on_body_cut(503, "the server is about to stop; connect again");
  EXPECT_TRUE(first.over);
  EXPECT_EQ(first.take(),
            "event: end\ndata: {\"message\":\"the server is about to stop; connect again\"}\n\n");
  first.reader->on_body_cut(503, "again");
  backend.reply(model::Refusal{{{base::ErrorCode::kUnavailable, "the store is gone"}}, {}});
  EXPECT_TRUE(second.over);
  EXPECT_THAT(second.take(), HasSubstr("the store is gone"));
  feed({event(6)});
}

TEST_F(LiveStreamTest, ends_when_its_key_is_deleted) {
  const auto key = *model::ApiKeyId::parse("aaaaaaaa-0000-4000-8000-000000000007");
  backend.keys["read-key"].key = key;
  Listener& listener = open();
  begin(5);
  handler.live().key_removed(*model::ApiKeyId::parse("aaaaaaaa-0000-4000-8000-000000000008"));
  EXPECT_FALSE(listener.over);
  handler.live().key_removed(key);
  EXPECT_TRUE(listener.over);
  EXPECT_THAT(listener.take(), HasSubstr("the API key was deleted"));
}

TEST_F(LiveStreamTest, a_client_that_goes_while_it_reads_is_forgotten) {
  Listener& listener = open("?last_event_id=1");
  begin(5);
  listener.reader.reset();
  EXPECT_THAT(backend.cancelled, ElementsAre(base::RequestId(1)));
  page({event(2)}, 5, 5);
}

TEST_F(LiveStreamTest, limits_of_streams_are_answers) {
  backend.seat = Backend::Seat::kNoneOfOrganization;
  HttpResponse answer = refusal("");
  EXPECT_THAT(message_of(answer, 429), StartsWith("the organization has 32 live streams open"));
  EXPECT_EQ(field_of(answer, "Retry-After"), "1");
  backend.seat = Backend::Seat::kNone;
  answer = refusal("");
  EXPECT_THAT(message_of(answer, 503), StartsWith("too many live streams are open"));
  EXPECT_EQ(field_of(answer, "Retry-After"), "1");
}

TEST_F(LiveStreamTest, bad_questions_are_named) {
  const auto message = [this](const std::string& query, Fields further = {}) {
    return message_of(refusal(query, std::move(further)), 400);
  };
  EXPECT_EQ(message("?topics=events,odd"),
            "query parameter topics: must be events, deliveries, or both with a comma in between");
  EXPECT_THAT(message("?topics="), HasSubstr("query parameter topics: must not be empty"));
  EXPECT_THAT(message("?on=a,,b"), StartsWith("query parameter on: has an empty name"));
  for (const std::string bad : {"x", "-1", "1.0", "18446744073709551616", "%20"}) {
    EXPECT_THAT(message("?last_event_id=" + bad),
                StartsWith("query parameter last_event_id: must be the id of a message"));
  }
  EXPECT_THAT(message("", {{"Last-Event-ID", "x"}}), StartsWith("Last-Event-ID: must be the id"));
  EXPECT_EQ(message("", {{"Last-Event-ID", "1"}, {"Last-Event-ID", "1"}}),
            "Last-Event-ID: send it once");
  EXPECT_EQ(backend.seats_taken, 0);
}

TEST_F(LiveStreamTest, needs_the_scope_read) {
  HeadDecision decision = decide("", {}, Method::kGet, "publish-key");
  ASSERT_TRUE(std::holds_alternative<AnswerNow>(decision));
  EXPECT_EQ(message_of(std::get<AnswerNow>(decision).response, 403),
            "the API key lacks the scope read");
}

TEST_F(LiveStreamTest, head_has_no_stream) {
  const HttpResponse answer = answer_to(Method::kHead, kStream, with_key("read-key"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "text/event-stream");
  EXPECT_EQ(field_of(answer, "Cache-Control"), "no-store");
  EXPECT_EQ(field_of(answer, "X-Accel-Buffering"), "no");
  EXPECT_EQ(backend.seats_taken, 0);
}

class LiveCommentTest : public LiveStreamTest {
 protected:
  LiveCommentTest() : LiveStreamTest(quick()) {}
  static ApiOptions quick() {
    ApiOptions options;
    options.live_comment_interval = std::chrono::milliseconds(5);
    return options;
  }
};

TEST_F(LiveCommentTest, a_quiet_stream_says_where_it_is) {
  Listener& listener = open();
  Listener& stuck = open();
  begin(5);
  listener.take();
  stuck.take();
  stuck.reads = false;
  stuck.reader->on_room();
  feed({event(6)});
  listener.take();
  stuck.take();
  const base::MonoTime end = base::read_clocks().mono + std::chrono::seconds(10);
  while (listener.text.size() < 30 && base::read_clocks().mono < end) {
    loop.run_once();
    read();
  }
  EXPECT_THAT(listener.text, StartsWith(":\nid: 6\n\n:\nid: 6\n\n"));
  EXPECT_EQ(stuck.text, "") << "it has not taken what it was sent";
}

}  // namespace
}  // namespace triggerd::api
