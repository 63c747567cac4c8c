#include "api/feed_ring.h"

#include <memory>
#include <string>

#include <gmock/gmock.h>

#include "api/sse.h"

namespace triggerd::api {
namespace {

using model::EventSeq;
using ::testing::HasSubstr;

std::string sse(std::string_view data) {
  std::string text;
  append_sse(text, "event", data);
  return text;
}

TEST(Sse, every_line_of_the_data_stands_on_one_of_its_own) {
  EXPECT_EQ(sse("{}"), "event: event\ndata: {}\n\n");
  EXPECT_EQ(sse(""), "event: event\ndata: \n\n");
  EXPECT_EQ(sse("a\nb"), "event: event\ndata: a\ndata: b\n\n");
  EXPECT_EQ(sse("a\r\nb\rc\n"), "event: event\ndata: a\ndata: b\ndata: c\ndata: \n\n");
  EXPECT_EQ(sse("a\n\nid: 7"), "event: event\ndata: a\ndata: \ndata: id: 7\n\n");
}

model::FedItem event(std::uint64_t seq, std::size_t bytes = 0) {
  auto made = std::make_shared<model::Event>();
  made->seq = EventSeq(seq);
  made->name = "A_v1";
  made->content = R"({"text":")" + std::string(bytes, 'x') + "\"}";
  return model::EventPtr(made);
}
model::FedItem delivery() {
  model::FedDelivery made;
  made.attempt.event_name = "A_v1";
  return made;
}

TEST(FeedRing, keeps_what_came_in_order) {
  FeedRing ring(EventSeq(7));
  ring.add(event(6));  // before it began
  ring.add(event(7));
  ring.add(event(9));
  ring.add(delivery());
  ring.add(event(9));  // again
  EXPECT_EQ(ring.end() - ring.first(), 2U);
  EXPECT_EQ(ring.oldest(), EventSeq(7));
  EXPECT_EQ(ring.newest(), EventSeq(9));
  EXPECT_TRUE(ring.at(ring.first()).is_event);
  EXPECT_THAT(ring.at(ring.first()).text, HasSubstr("event: event\ndata: {\"accepted_at\":"));
  EXPECT_THAT(ring.at(ring.first() + 1).text, HasSubstr("event: delivery\n"));
  EXPECT_EQ(ring.deliveries(), 1U);
  EXPECT_EQ(ring.deliveries_forgotten(), 0U);
}

TEST(FeedRing, forgets_the_oldest_at_its_limit_of_messages) {
  FeedRing ring(EventSeq(0), {3, 1'000'000});
  ring.add(event(1));
  ring.add(delivery());
  ring.add(event(2));
  EXPECT_EQ(ring.oldest(), EventSeq(0));
  ring.add(delivery());
  EXPECT_EQ(ring.oldest(), EventSeq(1));
  EXPECT_EQ(ring.deliveries_forgotten(), 0U);
  ring.add(event(3));
  EXPECT_EQ(ring.oldest(), EventSeq(1));
  EXPECT_EQ(ring.deliveries_forgotten(), 1U);
  EXPECT_EQ(ring.first(), 2U);
  EXPECT_EQ(ring.end(), 5U);
  EXPECT_EQ(ring.at(2).seq, EventSeq(2));
}

TEST(FeedRing, forgets_the_oldest_at_its_limit_of_bytes) {
  FeedRing ring(EventSeq(0), {1000, 10'000});
  for (std::uint64_t seq = 1; seq <= 100; ++seq) {
    ring.add(event(seq, 1000));
    EXPECT_LE(ring.bytes(), 10'000U);
  }
  EXPECT_GE(ring.end() - ring.first(), 5U);
  EXPECT_EQ(ring.at(ring.end() - 1).seq, EventSeq(100));
  EXPECT_EQ(ring.oldest().value() + 1, ring.at(ring.first()).seq.value());
  // One that is larger than all of it is not kept: it is read from the store.
  ring.add(event(101, 20'000));
  EXPECT_EQ(ring.first(), ring.end());
  EXPECT_EQ(ring.oldest(), EventSeq(101));
  EXPECT_EQ(ring.bytes(), 0U);
}

}  // namespace
}  // namespace triggerd::api
