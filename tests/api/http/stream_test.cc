// Bodies and answers that flow.
#include <gmock/gmock.h>

#include "tests/api/http/http_client.h"

namespace triggerd::api {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string kHead = "POST /stream HTTP/1.1\r\nHost: a\r\n";
const std::string kChunked = kHead + "Transfer-Encoding: chunked\r\n\r\n";

// Takes the first answer off `received`, its chunks put together; nothing until it is whole.
std::optional<std::string> take_stream(std::string& received) {
  const std::size_t head = received.find("\r\n\r\n");
  if (head == std::string::npos) return std::nullopt;
  EXPECT_THAT(received.substr(0, head), HasSubstr("Transfer-Encoding: chunked"));
  EXPECT_THAT(received.substr(0, head), ::testing::Not(HasSubstr("Content-Length")));
  std::string body;
  std::size_t at = head + 4;
  for (;;) {
    const std::size_t line = received.find("\r\n", at);
    if (line == std::string::npos) return std::nullopt;
    const std::size_t bytes = std::stoul(received.substr(at, line - at), nullptr, 16);
    if (received.size() < line + 4 + bytes) return std::nullopt;
    body += received.substr(line + 2, bytes);
    at = line + 4 + bytes;
    if (bytes == 0) break;
  }
  received.erase(0, at);
  return body;
}

std::string stream_of(Client& client, ServerFixture& fixture) {
  std::optional<std::string> body;
  EXPECT_TRUE(fixture.run_until([&] {
    client.read();
    body = take_stream(client.received);
    return body || client.closed();
  }));
  return body.value_or("no whole answer: " + client.received);
}

TEST(HttpStream, a_body_flows_through_and_the_connection_goes_on) {
  ServerFixture fixture;
  Client client(fixture);
  client.send(kHead + "Content-Length: 5\r\n\r\nhello" + kChunked +
              "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(stream_of(client, fixture), "hello<end>");
  EXPECT_EQ(stream_of(client, fixture), "abcde<end>");
  EXPECT_EQ(client.wait_for(1).at(0).status, 200);
  EXPECT_EQ(fixture.handler.streams.open, 0U);
}

TEST(HttpStream, it_does_not_matter_how_the_bytes_come) {
  ServerFixture fixture;
  fixture.handler.streams.piece = 2;
  Client client(fixture);
  const std::string all =
      kChunked + "3\r\nabc\r\nb\r\nhello world\r\n0\r\n\r\n" + kHead + "Content-Length: 0\r\n\r\n";
  for (const char c : all) client.send(std::string(1, c));
  EXPECT_EQ(stream_of(client, fixture), "abchello world<end>");
  EXPECT_EQ(stream_of(client, fixture), "<end>");
}

TEST(HttpStream, it_waits_for_the_answers_in_front_of_it) {
  ServerFixture fixture;
  Client client(fixture);
  client.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n" + kHead + "Content-Length: 2\r\n\r\nhi");
  ASSERT_TRUE(fixture.run_until([&] { return fixture.handler.later.size() == 1; }));
  for (int i = 0; i < 5; ++i) fixture.loop.run_once();
  EXPECT_EQ(fixture.handler.streams.taken, 0U);
  fixture.handler.later[0](text_response(200, "first"));
  ASSERT_TRUE(fixture.run_until([&] {
    client.read();
    return client.received.find("<end>") != std::string::npos;
  }));
  EXPECT_LT(client.received.find("first"), client.received.find("hi"));
}

TEST(HttpStream, a_client_that_does_not_read_is_not_read_from) {
  ServerOptions options;
  options.limits.buffered_bytes = 4096;
  ServerFixture fixture(options);
  Client client(fixture);
  client.send(kHead + "Content-Length: 1000000000\r\n\r\n");
  // Until the client's socket is full: what the server took is then what fits into the buffers of
  // the way back, whatever the client would like to send.
  const std::string piece(std::size_t{64} * 1024, 'x');
  std::size_t full = 0;
  while (full < 20) {
    full = client.send_some(piece) ? 0 : full + 1;
    fixture.loop.run_once();
    ASSERT_LT(fixture.handler.streams.taken, std::size_t{64} * 1024 * 1024);
  }
  const std::size_t taken = fixture.handler.streams.taken;
  for (int i = 0; i < 20; ++i) fixture.loop.run_once();
  EXPECT_EQ(fixture.handler.streams.taken, taken);
}

TEST(HttpStream, a_reader_without_room_stops_the_client) {
  ServerFixture fixture;
  fixture.handler.streams.has_room = false;
  Client client(fixture);
  client.send(kHead + "Content-Length: 2\r\n\r\nhi");
  for (int i = 0; i < 10; ++i) fixture.loop.run_once();
  EXPECT_EQ(fixture.handler.streams.taken, 0U);
}

TEST(HttpStream, a_body_that_breaks_off_ends_the_answer_and_the_connection) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {kChunked + "3\r\nabc\r\nzz\r\n", "abc<400>"},
      {kHead + "Content-Length: 9\r\n\r\nabc", "abc<400>"}};
  for (const auto& [bytes, expected] : cases) {
    ServerFixture fixture;
    Client client(fixture);
    client.send(bytes);
    client.end_writing();
    EXPECT_EQ(stream_of(client, fixture), expected);
    EXPECT_TRUE(client.wait_closed());
  }
}

TEST(HttpStream, a_client_that_goes_takes_its_reader_with_it) {
  ServerFixture fixture;
  Client client(fixture);
  client.send(kChunked + "3\r\nabc\r\n");
  ASSERT_TRUE(fixture.run_until([&] { return fixture.handler.streams.taken == 3; }));
  EXPECT_EQ(fixture.handler.streams.open, 1U);
  client.reset();
  EXPECT_TRUE(fixture.run_until([&] { return fixture.handler.streams.open == 0; }));
}

TEST(HttpStream, draining_ends_it) {
  ServerFixture fixture;
  Client client(fixture);
  client.send(kChunked + "3\r\nabc\r\n");
  ASSERT_TRUE(fixture.run_until([&] { return fixture.handler.streams.taken == 3; }));
  bool drained = false;
  fixture.server->drain([&] { drained = true; });
  EXPECT_EQ(stream_of(client, fixture), "abc<503>");
  EXPECT_TRUE(client.wait_closed());
  client.end_writing();
  EXPECT_TRUE(fixture.run_until([&] { return drained; }));
}

TEST(HttpStream, a_part_that_does_not_come_is_cut) {
  ServerFixture fixture;
  Client client(fixture);
  client.send(kChunked + "3\r\nabc\r\n");
  ASSERT_TRUE(fixture.run_until([&] { return fixture.handler.streams.taken == 3; }));
  fixture.advance(std::chrono::milliseconds(500));
  fixture.advance(std::chrono::seconds(29));
  EXPECT_EQ(fixture.handler.streams.open, 1U);
  fixture.advance(std::chrono::seconds(3));
  EXPECT_EQ(stream_of(client, fixture), "abc<408>");
}

TEST(HttpStream, to_http_1_0_the_answer_ends_with_the_connection) {
  ServerFixture fixture;
  Client client(fixture);
  client.send("POST /stream HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi");
  EXPECT_TRUE(client.wait_closed());
  EXPECT_THAT(client.received, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(client.received, HasSubstr("Connection: close"));
  EXPECT_THAT(client.received, ::testing::Not(HasSubstr("Transfer-Encoding")));
  EXPECT_THAT(client.received, EndsWith("\r\n\r\nhi<end>"));
}

TEST(HttpStream, continue_is_said_before_the_body) {
  ServerFixture fixture;
  Client client(fixture);
  client.send(kHead + "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  ASSERT_TRUE(fixture.run_until([&] {
    client.read();
    return client.received == "HTTP/1.1 100 Continue\r\n\r\n";
  }));
  client.received.clear();
  client.send("hi");
  EXPECT_EQ(stream_of(client, fixture), "hi<end>");
}

// --- Answers that the client ends -------------------------------------------------------------

const std::string kLive = "GET /live HTTP/1.1\r\nHost: a\r\n\r\n";

TEST(HttpLiveStream, goes_on_for_as_long_as_it_is_quiet) {
  ServerFixture fixture;
  Client client(fixture);
  client.send(kLive);
  ASSERT_TRUE(fixture.run_until([&] { return fixture.handler.live.open == 1; }));
  for (int i = 0; i < 20; ++i) fixture.advance(std::chrono::minutes(10));
  EXPECT_EQ(fixture.handler.live.open, 1U);
  fixture.handler.live.text = "first";
  fixture.handler.live.last->go_on();
  EXPECT_TRUE(fixture.run_until([&] {
    client.read();
    return client.received.ends_with("\r\n\r\n5\r\nfirst\r\n");
  }));
  EXPECT_THAT(client.received, HasSubstr("Connection: close\r\n"));
  fixture.advance(std::chrono::hours(1));
  fixture.handler.live.text = "second";
  fixture.handler.live.last->go_on();
  EXPECT_TRUE(fixture.run_until([&] {
    client.read();
    return client.received.ends_with("6\r\nsecond\r\n");
  }));
  EXPECT_EQ(fixture.server->counts().timeouts, 0U);
}

TEST(HttpLiveStream, a_client_that_goes_is_noticed_while_it_is_quiet) {
  ServerFixture fixture;
  for (const bool by_reset : {false, true}) {
    Client client(fixture);
    client.send(kLive);
    ASSERT_TRUE(fixture.run_until([&] { return fixture.handler.live.open == 1; }));
    if (by_reset) {
      client.reset();
    } else {
      client.end_writing();
    }
    EXPECT_TRUE(fixture.run_until([&] { return fixture.handler.live.open == 0; }));
    EXPECT_EQ(fixture.server->counts().connections_open, 0U);
  }
}

TEST(HttpLiveStream, what_the_client_sends_behind_its_request_is_dropped) {
  ServerFixture fixture;
  Client client(fixture);
  client.send(kLive + "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(fixture.run_until([&] { return fixture.handler.live.open == 1; }));
  client.send("GET /y HTTP/1.1\r\nHost: a\r\n\r\n");
  for (int i = 0; i < 5; ++i) fixture.loop.run_once();
  EXPECT_THAT(fixture.handler.targets, ::testing::ElementsAre("/live"));
  client.end_writing();
  EXPECT_TRUE(fixture.run_until([&] { return fixture.handler.live.open == 0; }));
}

// One that reads nothing, while so much is made for it; the buffers of the system take a part.
void open_stuck(Client& client, ServerFixture& fixture, std::size_t bytes) {
  client.send(kLive);
  ASSERT_TRUE(fixture.run_until([&] { return fixture.handler.live.open == 1; }));
  fixture.handler.live.text.assign(bytes, 'x');
  fixture.handler.live.piece = 64'000;
  fixture.handler.live.last->go_on();
  for (int i = 0; i < 50; ++i) fixture.loop.run_once();
}

ServerOptions buffers_of(std::size_t bytes) {
  ServerOptions options;
  options.limits.buffered_bytes = bytes;
  return options;
}

TEST(HttpLiveStream, a_client_that_does_not_read_holds_a_bounded_amount_and_is_cut) {
  ServerFixture fixture(buffers_of(4096));
  Client client(fixture);
  open_stuck(client, fixture, std::size_t{64} << 20);
  // The rest fits into no buffer of the system's either.
  EXPECT_LT(fixture.handler.live.sent, std::size_t{32} << 20);
  const std::size_t sent = fixture.handler.live.sent;
  for (int i = 0; i < 20; ++i) fixture.loop.run_once();
  EXPECT_EQ(fixture.handler.live.sent, sent);
  fixture.advance(std::chrono::seconds(1));
  fixture.advance(std::chrono::seconds(31));
  EXPECT_EQ(fixture.handler.live.open, 0U);
}

TEST(HttpLiveStream, a_client_that_does_not_read_is_cut_though_there_is_room_for_more) {
  ServerFixture fixture(buffers_of(std::size_t{64} << 20));
  Client client(fixture);
  open_stuck(client, fixture, std::size_t{32} << 20);
  EXPECT_EQ(fixture.handler.live.sent, std::size_t{32} << 20);
  for (int i = 0; i < 4 && fixture.handler.live.open == 1; ++i) {
    fixture.handler.live.text = "it is quiet";
    fixture.handler.live.last->go_on();
    fixture.advance(std::chrono::seconds(15));
  }
  EXPECT_EQ(fixture.handler.live.open, 0U);
  EXPECT_EQ(fixture.server->counts().timeouts, 1U);
}

TEST(HttpLiveStream, goes_on_when_the_client_reads_again) {
  ServerFixture fixture(buffers_of(4096));
  Client client(fixture);
  const std::size_t all = std::size_t{24} << 20;
  open_stuck(client, fixture, all);
  EXPECT_TRUE(fixture.run_until([&] {
    client.read();
    return fixture.handler.live.sent == all;
  }));
  EXPECT_EQ(fixture.handler.live.open, 1U);
}

TEST(HttpLiveStream, draining_ends_it_at_once) {
  ServerFixture fixture;
  Client client(fixture);
  client.send(kLive);
  ASSERT_TRUE(fixture.run_until([&] { return fixture.handler.live.open == 1; }));
  bool drained = false;
  fixture.server->drain([&] { drained = true; });
  EXPECT_EQ(stream_of(client, fixture), "<503>");
  EXPECT_EQ(fixture.handler.live.open, 0U);
  client.end_writing();
  EXPECT_TRUE(fixture.run_until([&] { return drained; }));
}

TEST(HttpLiveStream, draining_waits_for_no_client_that_does_not_read) {
  ServerFixture fixture(buffers_of(4096));
  Client stuck(fixture);
  open_stuck(stuck, fixture, std::size_t{64} << 20);
  fixture.handler.live.text.clear();
  bool drained = false;
  fixture.server->drain([&] { drained = true; });
  EXPECT_TRUE(fixture.run_until([&] { return drained; }));
}

}  // namespace
}  // namespace triggerd::api
