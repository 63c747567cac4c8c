// Every case of exchange_cases.cc over a socket, against one server.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/api/http/exchange_cases.h"
#include "tests/api/http/http_client.h"

namespace triggerd::api {
namespace {

using After = ExchangeCase::After;

void run_case(ServerFixture& fixture, const ExchangeCase& c) {
  Client client(fixture);
  client.send(c.bytes);
  std::vector<int> statuses;
  const auto wait_for = [&](std::size_t count) {
    for (const ParsedResponse& response : client.wait_for(count)) {
      statuses.push_back(response.status);
      if (response.status < 400) continue;
      if (response.fields.at("content-type") != "application/json") continue;
      EXPECT_EQ(response.body.rfind("{\"errors\":[{\"httpcode\":", 0), 0U) << response.body;
    }
  };
  wait_for(c.statuses.size());
  switch (c.after) {
    case After::kAlive:
      client.send("GET /alive HTTP/1.1\r\nHost: a\r\n\r\n");
      wait_for(1);
      ASSERT_FALSE(statuses.empty());
      EXPECT_EQ(statuses.back(), 200);
      EXPECT_EQ(fixture.handler.targets.back(), "/alive");
      statuses.pop_back();
      EXPECT_FALSE(client.closed());
      break;
    case After::kWaiting:
      client.end_writing();
      [[fallthrough]];
    case After::kClosed:
      EXPECT_TRUE(client.wait_closed());
      for (const ParsedResponse& more : take_responses(client.received)) {
        statuses.push_back(more.status);
      }
      break;
  }
  EXPECT_EQ(statuses, c.statuses);
  EXPECT_EQ(client.received, "");
  const auto& targets = fixture.handler.targets;
  EXPECT_EQ(std::count(targets.begin(), targets.end(), "/smuggled"), 0);
}

TEST(HttpServer, CasesComeOutAsListed) {
  ServerFixture fixture;
  for (const ExchangeCase& c : exchange_cases()) {
    SCOPED_TRACE(c.name);
    fixture.handler.targets.clear();
    run_case(fixture, c);
  }
  EXPECT_TRUE(fixture.run_until([&] {
    fixture.advance(std::chrono::minutes(2));
    return fixture.server->counts().connections_open == 0;
  }));
}

}  // namespace
}  // namespace triggerd::api
