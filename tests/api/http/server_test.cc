#include "api/server.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "api/connection.h"
#include "tests/api/http/http_client.h"

namespace triggerd::api {
namespace {

using std::chrono::seconds;

const std::string kGet = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kLater = "GET /later HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kBig = "GET /big HTTP/1.1\r\nHost: a\r\n\r\n";

std::string post(const std::string& fields, const std::string& body = "") {
  return "POST /x HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" + body;
}

// --- Answers ----------------------------------------------------------------------------------

TEST(HttpServer, GivesTheRequestToTheHandler) {
  ServerFixture fixture;
  Client client(fixture);
  client.send("PUT /a/b?c=d HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nxyz");
  const auto responses = client.wait_for(1);
  ASSERT_EQ(responses.size(), 1U);
  EXPECT_EQ(responses[0].body, "PUT /a/b?c=d xyz");
  EXPECT_EQ(responses[0].fields.at("cache-control"), "no-store");
  EXPECT_EQ(responses[0].fields.at("x-content-type-options"), "nosniff");
  EXPECT_EQ(responses[0].fields.count("date"), 1U);
  EXPECT_EQ(responses[0].fields.count("server"), 0U);
  EXPECT_EQ(fixture.handler.last_peer, "127.0.0.1");
}

TEST(HttpServer, HeadHasNoBody) {
  ServerFixture fixture;
  Client client(fixture);
  client.to_head = true;
  client.send("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto responses = client.wait_for(1);
  ASSERT_EQ(responses.size(), 1U);
  EXPECT_EQ(responses[0].fields.at("content-length"), "8");
  client.to_head = false;
  client.send(kGet);
  EXPECT_EQ(client.wait_for(1).at(0).body, "GET /x ");
}

TEST(HttpServer, Http10KeepAliveIsSaid) {
  ServerFixture fixture;
  Client client(fixture);
  client.send("GET /x HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\nGET /x HTTP/1.0\r\n\r\n");
  const auto responses = client.wait_for(2);
  ASSERT_EQ(responses.size(), 2U);
  EXPECT_EQ(responses[0].fields.at("connection"), "keep-alive");
  EXPECT_EQ(responses[1].fields.at("connection"), "close");
  EXPECT_TRUE(client.wait_closed());
}

TEST(HttpServer, ARequestInAThousandSegmentsIsOneRequest) {
  ServerFixture fixture;
  Client client(fixture);
  const std::string request = post("Content-Length: 1000\r\n", std::string(1000, 'a'));
  for (const char c : request) client.send(std::string_view(&c, 1));
  const auto responses = client.wait_for(1);
  ASSERT_EQ(responses.size(), 1U);
  EXPECT_EQ(responses[0].status, 200);
}

TEST(HttpServer, AnswersGoOutInTheOrderOfTheRequests) {
  ServerFixture fixture;
  Client client(fixture);
  client.send(kLater + kGet + kLater);
  ASSERT_TRUE(fixture.run_until([&] { return fixture.handler.later.size() == 2; }));
  fixture.handler.later[1](text_response(200, "third"));
  fixture.loop.run_once();
  client.read();
  EXPECT_EQ(client.received, "");
  fixture.handler.later[0](text_response(200, "first"));
  const auto responses = client.wait_for(3);
  ASSERT_EQ(responses.size(), 3U);
  EXPECT_EQ(responses[0].body, "first");
  EXPECT_EQ(responses[1].body, "GET /x ");
  EXPECT_EQ(responses[2].body, "third");
}

TEST(HttpServer, AnAnswerMayCloseTheConnection) {
  ServerFixture fixture;
  fixture.handler.custom = text_response(500, "bye");
  fixture.handler.custom.close = true;
  Client client(fixture);
  client.send("GET /custom HTTP/1.1\r\nHost: a\r\n\r\n" + kGet);
  const auto responses = client.wait_for(1);
  ASSERT_EQ(responses.size(), 1U);
  EXPECT_EQ(responses[0].fields.at("connection"), "close");
  EXPECT_TRUE(client.wait_closed());
  EXPECT_EQ(client.received, "");
}

TEST(HttpServer, AnswersAfterTheClientHasGoneAreDropped) {
  ServerFixture fixture;
  {
    Client client(fixture);
    client.send(kLater + kLater);
    ASSERT_TRUE(fixture.run_until([&] { return fixture.handler.later.size() == 2; }));
    client.reset();
  }
  ASSERT_TRUE(fixture.run_until([&] { return fixture.server->counts().connections_open == 0; }));
  fixture.handler.later[0](text_response(200, "late"));
  fixture.server.reset();
  fixture.handler.later[1](text_response(200, "later still"));
}

TEST(HttpServer, TheHandlerLearnsWhichRequestsNobodyWaitsForAnyMore) {
  ServerFixture fixture;
  EchoHandler& handler = fixture.handler;
  using Tickets = std::vector<std::uint64_t>;
  {
    Client client(fixture);
    client.send(kLater + kGet + kLater + kLater);
    ASSERT_TRUE(fixture.run_until([&] { return handler.later.size() == 3; }));
    handler.later[1](text_response(200, "in time, if not read"));
    EXPECT_EQ(handler.gone, Tickets{});
    client.reset();
  }
  EXPECT_TRUE(fixture.run_until([&] { return handler.gone.size() == 2; }));
  EXPECT_EQ(handler.gone, (Tickets{1, 3}));
  // Who only ends its side may still read.
  Client client(fixture);
  client.send(kLater);
  client.end_writing();
  ASSERT_TRUE(fixture.run_until([&] { return handler.later.size() == 4; }));
  for (int i = 0; i < 5; ++i) fixture.loop.run_once();
  EXPECT_EQ(handler.gone.size(), 2U);
  fixture.server->close_now();
  EXPECT_EQ(handler.gone, (Tickets{1, 3, 4}));
}

TEST(HttpServer, APeerThatLeavesInTheMiddleOfAnAnswerHarmsNobody) {
  ServerFixture fixture;
  for (int i = 0; i < 20; ++i) {
    Client client(fixture);
    client.send(kBig + kBig);
    fixture.loop.run_once();
    client.reset();
  }
  EXPECT_TRUE(fixture.run_until([&] { return fixture.server->counts().connections_open == 0; }));
  Client client(fixture);
  client.send(kGet);
  EXPECT_EQ(client.wait_for(1).size(), 1U);
}

TEST(HttpServer, AHalfClosedClientStillGetsItsAnswers) {
  ServerFixture fixture;
  Client client(fixture);
  client.send(kLater + kGet);
  client.end_writing();
  ASSERT_TRUE(fixture.run_until([&] { return fixture.handler.later.size() == 1; }));
  for (int i = 0; i < 5; ++i) fixture.loop.run_once();
  fixture.handler.later[0](text_response(200, "still"));
  EXPECT_EQ(client.wait_for(2).size(), 2U);
  EXPECT_TRUE(client.wait_closed());
}

// --- 100-continue -----------------------------------------------------------------------------

TEST(HttpServer, ContinueIsSentWhenTheBodyIsWanted) {
  ServerFixture fixture;
  Client client(fixture);
  client.send(post("Expect: 100-continue\r\nContent-Length: 3\r\n"));
  ASSERT_TRUE(fixture.run_until([&] {
    client.read();
    return client.received == "HTTP/1.1 100 Continue\r\n\r\n";
  }));
  client.received.clear();
  client.send("abc" + kGet);
  EXPECT_EQ(client.wait_for(2).size(), 2U);
}

TEST(HttpServer, ContinueWaitsForTheAnswersBeforeIt) {
  ServerFixture fixture;
  Client client(fixture);
  client.send(kLater + post("Expect: 100-continue\r\nContent-Length: 3\r\n"));
  ASSERT_TRUE(fixture.run_until([&] { return fixture.handler.targets.size() == 2; }));
  client.read();
  EXPECT_EQ(client.received, "");
  fixture.handler.later[0](text_response(200, "first"));
  ASSERT_TRUE(fixture.run_until([&] {
    client.read();
    return client.received.find(" 100 ") != std::string::npos;
  }));
  client.send("abc");
  const auto responses = client.wait_for(2);
  ASSERT_EQ(responses.size(), 3U);
  EXPECT_EQ(responses[0].body, "first");
  EXPECT_EQ(responses[1].status, 100);
  EXPECT_EQ(responses[2].status, 200);
}

TEST(HttpServer, NoContinueForABodyThatIsTooLarge) {
  ServerFixture fixture;
  Client client(fixture);
  client.send(post("Expect: 100-continue\r\nContent-Length: 1025\r\n"));
  const auto responses = client.wait_for(1);
  ASSERT_EQ(responses.size(), 1U);
  EXPECT_EQ(responses[0].status, 413);
  EXPECT_TRUE(client.wait_closed());
}

// A page of another origin sees no answer without them.
TEST(HttpServer, ARefusedBodyIsAnsweredWithTheFieldsOfItsRequest) {
  for (const char* chunk : {"401\r\n", "x\r\n"}) {
    ServerFixture fixture;
    fixture.handler.refusal_fields = {{"Vary", "Origin"}};
    Client client(fixture);
    client.send(post("Transfer-Encoding: chunked\r\n", chunk + std::string(1025, 'a')));
    const auto responses = client.wait_for(1);
    ASSERT_EQ(responses.size(), 1U);
    EXPECT_EQ(responses[0].status, *chunk == 'x' ? 400 : 413);
    EXPECT_EQ(responses[0].fields.at("vary"), "Origin");
    EXPECT_TRUE(client.wait_closed());
  }
}

TEST(HttpServer, ARequestHasNothingOfTheFieldsOfTheOneBeforeIt) {
  ServerFixture fixture;
  fixture.handler.refusal_fields = {{"Vary", "Origin"}};
  Client client(fixture);
  client.send(post("Content-Length: 1\r\n", "a") + "nonsense\r\n\r\n");
  const auto responses = client.wait_for(2);
  ASSERT_EQ(responses.size(), 2U);
  EXPECT_EQ(responses[1].status, 400);
  EXPECT_FALSE(responses[1].fields.contains("vary"));
}

// --- Limits -----------------------------------------------------------------------------------

TEST(HttpServerLimits, SixtyFourUnansweredThenNoMoreIsRead) {
  ServerFixture fixture;
  Client client(fixture);
  std::string requests;
  for (int i = 0; i < 70; ++i) requests += kLater;
  client.send(requests);
  auto& later = fixture.handler.later;
  ASSERT_TRUE(fixture.run_until([&] { return later.size() == 64; }));
  for (int i = 0; i < 20; ++i) fixture.loop.run_once();
  EXPECT_EQ(later.size(), 64U);
  later[0](text_response(200, "0"));
  EXPECT_EQ(later.size(), 65U);
  for (std::size_t i = 1; i < 70; ++i) later[i](text_response(200, std::to_string(i)));
  const auto responses = client.wait_for(70);
  ASSERT_EQ(responses.size(), 70U);
  for (std::size_t i = 0; i < 70; ++i) EXPECT_EQ(responses[i].body, std::to_string(i));
  client.send(kGet);
  EXPECT_EQ(client.wait_for(1).size(), 1U);
}

TEST(HttpServerLimits, AThousandPipelinedRequestsAreAllAnswered) {
  ServerFixture fixture;
  Client client(fixture);
  std::string requests;
  for (int i = 0; i < 1000; ++i) requests += kGet;
  client.send(requests);
  EXPECT_EQ(client.wait_for(1000).size(), 1000U);
}

TEST(HttpServerLimits, RequestsPerConnection) {
  ServerOptions options;
  options.limits.requests_per_connection = 3;
  ServerFixture fixture(options);
  Client client(fixture);
  client.send(kGet + kGet);
  EXPECT_EQ(client.wait_for(2).back().fields.count("connection"), 0U);
  client.send(kGet + kGet);
  EXPECT_EQ(client.wait_for(1).back().fields.at("connection"), "close");
  EXPECT_TRUE(client.wait_closed());
  EXPECT_EQ(client.received, "");
}

TEST(HttpServerLimits, ConnectionsPerAddress) {
  ServerOptions options;
  options.limits.connections_per_address = 2;
  ServerFixture fixture(options);
  auto first = std::make_unique<Client>(fixture);
  Client second(fixture);
  Client third(fixture);
  const auto responses = third.wait_for(1);
  ASSERT_EQ(responses.size(), 1U);
  EXPECT_EQ(responses[0].status, 503);
  EXPECT_EQ(responses[0].fields.at("retry-after"), "1");
  EXPECT_TRUE(third.wait_closed());
  first.reset();
  ASSERT_TRUE(fixture.run_until([&] { return fixture.server->counts().connections_open == 1; }));
  Client fourth(fixture);
  fourth.send(kGet);
  EXPECT_EQ(fourth.wait_for(1).at(0).status, 200);
  EXPECT_EQ(fixture.server->counts().connections_refused, 1U);
}

TEST(HttpServerLimits, ConnectionsInAll) {
  ServerOptions options;
  options.limits.connections = 1;
  ServerFixture fixture(options);
  Client first(fixture);
  first.send(kGet);
  EXPECT_EQ(first.wait_for(1).at(0).status, 200);
  Client second(fixture);
  EXPECT_EQ(second.wait_for(1).at(0).status, 503);
}

TEST(HttpServerLimits, OfAnOverlongBodyLittleIsTaken) {
  ServerFixture fixture;
  Client client(fixture);
  client.send(post("Content-Length: 1025\r\n"));
  EXPECT_EQ(client.wait_for(1).at(0).status, 413);
  // The server goes on reading a little, so that the answer survives, and then leaves the rest.
  client.send(std::string(200'000, 'a'));
  for (int i = 0; i < 50; ++i) fixture.loop.run_once();
  fixture.advance(seconds(3));
  EXPECT_TRUE(client.wait_closed());
  EXPECT_EQ(fixture.server->counts().connections_open, 0U);
}

// Answers to a client that reads nothing stop at buffered_bytes plus one; requests wait.
TEST(HttpServerLimits, AClientThatDoesNotReadGetsNoMoreAnswersAndIsCutOff) {
  ServerFixture fixture;
  Client client(fixture);
  for (int i = 0; i < 60; ++i) client.send(kBig);
  for (int i = 0; i < 200; ++i) fixture.loop.run_once();
  EXPECT_LT(fixture.handler.targets.size(), 60U);
  fixture.advance(seconds(1));
  fixture.advance(seconds(29));
  EXPECT_EQ(fixture.server->counts().connections_open, 1U);
  fixture.advance(seconds(2));
  EXPECT_EQ(fixture.server->counts().connections_open, 0U);
  EXPECT_EQ(fixture.server->counts().timeouts, 1U);
}

TEST(HttpServerLimits, AClientThatReadsLateGetsEverything) {
  ServerFixture fixture;
  Client client(fixture);
  std::string requests;
  for (int i = 0; i < 40; ++i) requests += kBig;
  client.send(requests);
  for (int i = 0; i < 50; ++i) fixture.loop.run_once();
  EXPECT_LT(fixture.handler.targets.size(), 40U);
  EXPECT_EQ(client.wait_for(40).size(), 40U);
}

// --- Time -------------------------------------------------------------------------------------

TEST(HttpServerTime, ASlowHeadGets408) {
  ServerFixture fixture;
  Client client(fixture);
  client.send("GET / HT");
  ASSERT_TRUE(fixture.run_until([&] { return fixture.server->counts().connections_open == 1; }));
  for (int i = 0; i < 10; ++i) fixture.loop.run_once();
  fixture.advance(seconds(9));
  client.send("T");  // progress does not help: the head has ten seconds in all
  for (int i = 0; i < 10; ++i) fixture.loop.run_once();
  fixture.advance(seconds(2));
  const auto responses = client.wait_for(1);
  ASSERT_EQ(responses.size(), 1U);
  EXPECT_EQ(responses[0].status, 408);
  EXPECT_EQ(responses[0].fields.at("connection"), "close");
  EXPECT_TRUE(client.wait_closed());
}

TEST(HttpServerTime, ASlowBodyGets408AndAQuickOneMoreTime) {
  ServerOptions options;
  options.limits.body_bytes_per_second_min = 10;
  ServerFixture fixture(options);
  Client slow(fixture);
  Client quick(fixture);
  slow.send(post("Content-Length: 1000\r\n", std::string(9, 'a')));
  quick.send(post("Content-Length: 1000\r\n", std::string(900, 'a')));
  ASSERT_TRUE(fixture.run_until([&] { return fixture.handler.targets.size() == 2; }));
  fixture.advance(seconds(31));
  EXPECT_EQ(slow.wait_for(1).at(0).status, 408);
  quick.send(std::string(100, 'a'));
  EXPECT_EQ(quick.wait_for(1).at(0).status, 200);
}

TEST(HttpServerTime, AnIdleConnectionIsClosedSilently) {
  ServerFixture fixture;
  Client fresh(fixture);
  Client used(fixture);
  used.send(kGet);
  EXPECT_EQ(used.wait_for(1).size(), 1U);
  ASSERT_TRUE(fixture.run_until([&] { return fixture.server->counts().connections_open == 2; }));
  fixture.advance(seconds(59));
  EXPECT_EQ(fixture.server->counts().connections_open, 2U);
  fixture.advance(seconds(2));
  EXPECT_TRUE(fresh.wait_closed());
  EXPECT_TRUE(used.wait_closed());
  EXPECT_EQ(fresh.received + used.received, "");
}

TEST(HttpServerTime, AHandlerMayTakeItsTime) {
  ServerFixture fixture;
  Client client(fixture);
  client.send(kLater);
  ASSERT_TRUE(fixture.run_until([&] { return fixture.handler.later.size() == 1; }));
  fixture.advance(seconds(300));
  fixture.handler.later[0](text_response(200, "at last"));
  EXPECT_EQ(client.wait_for(1).at(0).status, 200);
}

TEST(HttpServerTime, The408OfAPipelinedRequestComesInItsTurn) {
  ServerFixture fixture;
  Client client(fixture);
  client.send(kLater + "GET /");
  ASSERT_TRUE(fixture.run_until([&] { return fixture.handler.later.size() == 1; }));
  fixture.advance(seconds(11));
  for (int i = 0; i < 5; ++i) fixture.loop.run_once();
  client.read();
  EXPECT_EQ(client.received, "");
  fixture.handler.later[0](text_response(200, "first"));
  const auto responses = client.wait_for(2);
  ASSERT_EQ(responses.size(), 2U);
  EXPECT_EQ(responses[1].status, 408);
}

TEST(HttpServerTime, AClientThatStaysAfterTheLastAnswerIsCutOff) {
  ServerFixture fixture;
  Client client(fixture);
  client.send("GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(client.wait_for(1).size(), 1U);
  EXPECT_EQ(fixture.server->counts().connections_open, 1U);
  fixture.advance(seconds(3));
  EXPECT_EQ(fixture.server->counts().connections_open, 0U);
}

// --- Drain and close --------------------------------------------------------------------------

TEST(HttpServerDrain, IdleConnectionsCloseAndWhatIsUnderWayIsAnswered) {
  ServerFixture fixture;
  Client idle(fixture);
  idle.send(kGet);
  EXPECT_EQ(idle.wait_for(1).size(), 1U);
  Client waiting(fixture);
  waiting.send(kLater + kLater);
  Client sending(fixture);
  sending.send("GET /x HT");
  ASSERT_TRUE(fixture.run_until([&] {
    return fixture.handler.later.size() == 2 && fixture.server->counts().connections_open == 3;
  }));
  for (int i = 0; i < 10; ++i) fixture.loop.run_once();
  bool drained = false;
  fixture.server->drain([&drained] { drained = true; });
  EXPECT_TRUE(idle.wait_closed());
  EXPECT_FALSE(drained);

  waiting.send(kGet);  // too late
  sending.send("TP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(sending.wait_for(1).at(0).fields.at("connection"), "close");
  EXPECT_TRUE(sending.wait_closed());

  fixture.handler.later[0](text_response(200, "first"));
  fixture.handler.later[1](text_response(200, "second"));
  const auto responses = waiting.wait_for(2);
  ASSERT_EQ(responses.size(), 2U);
  EXPECT_EQ(responses[0].fields.count("connection"), 0U);
  EXPECT_EQ(responses[1].fields.at("connection"), "close");
  EXPECT_TRUE(waiting.wait_closed());
  EXPECT_FALSE(drained);
  sending.reset();
  waiting.reset();
  EXPECT_TRUE(fixture.run_until([&] { return drained; }));
}

TEST(HttpServerDrain, WithoutConnectionsItIsDoneAtOnceAndMayDestroyTheServer) {
  ServerFixture fixture;
  fixture.server->drain([&fixture] { fixture.server.reset(); });
  EXPECT_TRUE(fixture.run_until([&] { return fixture.server == nullptr; }));
}

TEST(HttpServer, CloseNowDropsEverything) {
  ServerFixture fixture;
  Client client(fixture);
  client.send(kLater);
  ASSERT_TRUE(fixture.run_until([&] { return fixture.handler.later.size() == 1; }));
  fixture.server->close_now();
  EXPECT_EQ(fixture.server->counts().connections_open, 0U);
  EXPECT_TRUE(client.wait_closed());
  EXPECT_EQ(client.received, "");
}

// --- Listening --------------------------------------------------------------------------------

TEST(HttpServerListen, RefusesWhatIsNoAddressAndAPortInUse) {
  ServerFixture fixture;
  ServerOptions options;
  options.address = "localhost";
  EXPECT_EQ(Server::listen(fixture.loop, options, fixture.handler).error().code,
            base::ErrorCode::kInvalid);
  options.address = "127.0.0.1";
  options.port = fixture.server->port();
  EXPECT_EQ(Server::listen(fixture.loop, options, fixture.handler).error().code,
            base::ErrorCode::kConflict);
}

TEST(HttpServerListen, SeveralServersShareAPortWhenAsked) {
  ServerOptions options;
  options.reuse_port = true;
  ServerFixture fixture(options);
  options.port = fixture.server->port();
  const auto second = Server::listen(fixture.loop, options, fixture.handler);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second.value()->port(), fixture.server->port());
}

TEST(HttpServerListen, ListensOnIpv6) {
  ServerFixture fixture;
  ServerOptions options;
  options.address = "::1";
  const auto listening = Server::listen(fixture.loop, options, fixture.handler);
  // A machine without IPv6 may refuse, but not for the form of the address.
  if (listening.ok()) {
    EXPECT_NE(listening.value()->port(), 0);
  } else {
    EXPECT_EQ(listening.error().code, base::ErrorCode::kUnavailable);
  }
}

TEST(HttpConnection, IsSmall) {
  // With libuv's handle (248) and the allocations' overhead: under 2 KB when idle.
  EXPECT_LE(sizeof(Connection), 1280U);
}

}  // namespace
}  // namespace triggerd::api
