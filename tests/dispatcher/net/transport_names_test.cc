// Names, the addresses behind them, and what the guard refuses. 127.0.0.2 plays the public
// internet; 127.0.0.1 and everything else is what must not be reached.
#include <atomic>
#include <utility>

#include "tests/dispatcher/net/test_name_server.h"
#include "tests/dispatcher/net/test_receiver.h"
#include "tests/dispatcher/net/transport_fixture.h"

namespace triggerd::dispatcher {
namespace {

using model::OutcomeClass;
using std::chrono::milliseconds;

class TransportNames : public TransportTest {
 protected:
  void open_with(TestNameServer& server) {
    TransportOptions options;
    options.policy.allow_http = true;
    options.policy.allow_networks = {*model::Network::parse("127.0.0.2/32")};
    options.name_servers = server.address();
    options.lookup_timeout = milliseconds(400);
    open(options);
  }

  // Counts connections at both addresses, on one port.
  const std::pair<int, int> listeners_ = listen_on_one_port("127.0.0.2", "127.0.0.1");
  TestReceiver allowed_{[](ReceiverConnection& connection) { connection.serve_ok(); },
                        {.listener = listeners_.first}};
  TestReceiver forbidden_{[](ReceiverConnection& connection) { connection.serve_ok(); },
                          {.listener = listeners_.second}};
};

NameAnswer with(std::vector<NameRecord> records) {
  return {true, std::move(records)};
}

TEST_F(TransportNames, CallsTheAddressAndKeepsTheName) {
  std::string host;
  TestReceiver receiver(
      [&](ReceiverConnection& connection) {
        while (auto request = connection.read_request()) {
          host = request->head;
          connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        }
      },
      {.address = "127.0.0.2"});
  TestNameServer server([](const NameQuestion&) { return with({{.value = "127.0.0.2"}}); });
  open_with(server);
  const model::Outcome outcome = call({.host = "hooks.test", .port = receiver.port()});
  EXPECT_EQ(outcome.kind, OutcomeClass::kOk) << outcome.detail;
  EXPECT_GT(outcome.timings.dns_us, 0U);
  EXPECT_EQ(call({.host = "hooks.test", .port = receiver.port()}).timings.dns_us, 0U);
  EXPECT_EQ(receiver.connections(), 1);
  EXPECT_EQ(server.questions(), 2) << "A and AAAA once";
  transport_.reset();
  EXPECT_NE(host.find("Host: hooks.test:"), std::string::npos);
}

TEST_F(TransportNames, RefusesForbiddenLiterals) {
  TestNameServer server([](const NameQuestion&) { return with({}); });
  open_with(server);
  for (const char* host : {"127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1"}) {
    const model::Outcome outcome = call({.host = host, .port = forbidden_.port()});
    EXPECT_EQ(outcome.kind, OutcomeClass::kBlocked) << host;
    EXPECT_EQ(outcome.detail.find(host), std::string::npos) << "names no address";
  }
  EXPECT_EQ(forbidden_.connections(), 0);
}

TEST_F(TransportNames, RefusesANameWhenAnyAddressIsForbidden) {
  const std::map<std::string, std::vector<NameRecord>> zone = {
      {"private.test", {{.value = "127.0.0.1"}}},
      {"mixed1.test", {{.value = "127.0.0.2"}, {.value = "127.0.0.1"}}},
      {"mixed2.test", {{.value = "127.0.0.1"}, {.value = "127.0.0.2"}}},
      {"mixed6.test", {{.value = "127.0.0.2"}, {.value = "::1"}}},
      {"mapped.test", {{.value = "127.0.0.2"}, {.value = "::ffff:10.0.0.1"}}},
      {"alias.test", {{.value = "inside.test"}, {.name = "inside.test", .value = "127.0.0.1"}}},
  };
  TestNameServer server([&](const NameQuestion& question) { return with(zone.at(question.name)); });
  open_with(server);
  std::string detail;
  for (const auto& [name, records] : zone) {
    const model::Outcome outcome = call({.host = name, .port = allowed_.port()});
    EXPECT_EQ(outcome.kind, OutcomeClass::kBlocked) << name;
    if (detail.empty()) detail = outcome.detail;
    EXPECT_EQ(outcome.detail, detail) << "one text for all";
  }
  EXPECT_EQ(allowed_.connections(), 0);
  EXPECT_EQ(forbidden_.connections(), 0);
}

TEST_F(TransportNames, FollowsAnAliasToAnAllowedAddress) {
  TestNameServer server([](const NameQuestion&) {
    return with({{.value = "real.test"}, {.name = "real.test", .value = "127.0.0.2"}});
  });
  open_with(server);
  EXPECT_EQ(call({.host = "alias.test", .port = allowed_.port()}).kind, OutcomeClass::kOk);
}

TEST_F(TransportNames, RebindingNeverReachesTheForbiddenAddress) {
  std::atomic<bool> rebound = false;
  TestNameServer server([&](const NameQuestion&) {
    return with({{.value = rebound ? "127.0.0.1" : "127.0.0.2", .ttl = 0}});
  });
  open_with(server);
  EXPECT_EQ(call({.host = "rebind.test", .port = allowed_.port()}).kind, OutcomeClass::kOk);
  rebound = true;
  // The checked address is pinned while it is cached; a transport without that memory blocks.
  EXPECT_EQ(call({.host = "rebind.test", .port = allowed_.port()}).kind, OutcomeClass::kOk);
  open_with(server);
  EXPECT_EQ(call({.host = "rebind.test", .port = allowed_.port()}).kind, OutcomeClass::kBlocked);
  EXPECT_EQ(forbidden_.connections(), 0);
}

TEST_F(TransportNames, TriesTheNextAddressWhenOneDoesNotConnect) {
  std::uint16_t port = 0;
  TransportOptions options = loopback_options();
  TestNameServer server([](const NameQuestion&) {
    return with({{.value = "127.0.0.3"}, {.value = "127.0.0.4"}, {.value = "127.0.0.2"}});
  });
  options.name_servers = server.address();
  open(options);
  port = allowed_.port();
  const model::Outcome outcome = call({.host = "several.test", .port = port});
  EXPECT_EQ(outcome.kind, OutcomeClass::kOk) << outcome.detail;
  EXPECT_EQ(allowed_.connections(), 1);
}

TEST_F(TransportNames, UnknownNamesAreADnsFault) {
  TestNameServer server([](const NameQuestion& question) -> std::optional<NameAnswer> {
    return NameAnswer{question.name != "missing.test", {}};
  });
  open_with(server);
  EXPECT_EQ(call({.host = "missing.test", .port = 80}).kind, OutcomeClass::kDns);
  EXPECT_EQ(call({.host = "empty.test", .port = 80}).kind, OutcomeClass::kDns);
}

TEST_F(TransportNames, ADeadNameServerDelaysNobodyElse) {
  TestNameServer server([](const NameQuestion& question) -> std::optional<NameAnswer> {
    if (question.name.starts_with("dead")) return std::nullopt;
    return with({{.value = "127.0.0.2"}});
  });
  TransportOptions options = loopback_options();
  options.name_servers = server.address();
  options.lookup_timeout = std::chrono::seconds(8);
  open(options);
  for (int i = 0; i < 50; ++i) start({.host = "dead" + std::to_string(i) + ".test", .port = 80});
  EXPECT_EQ(call({.host = "alive.test", .port = allowed_.port()}).kind, OutcomeClass::kOk);
  EXPECT_EQ(reported_, 1U) << "the dead names are still looked up";
}

TEST_F(TransportNames, LookupsEndByTheirOwnTimeoutOrTheCalls) {
  TestNameServer server([](const NameQuestion&) { return std::nullopt; });
  open_with(server);
  start({.host = "dead.test", .port = 80});
  start({.host = "dead.test", .port = 80, .timeout = milliseconds(50)});
  run_until(2);
  for (const auto& [id, outcome] : outcomes_) EXPECT_EQ(outcome.kind, OutcomeClass::kDns);
  EXPECT_GE(outcome(model::AttemptId(1)).timings.total_us, 200'000U);
  EXPECT_GE(outcome(model::AttemptId(2)).timings.total_us, 50'000U);
}

TEST_F(TransportNames, CancelsACallThatWaitsForItsName) {
  TestNameServer server([](const NameQuestion&) { return std::nullopt; });
  open_with(server);
  const model::AttemptId waiting = start({.host = "dead.test", .port = 80});
  start({.host = "127.0.0.2", .port = allowed_.port()});
  run_until(1);
  transport_->cancel(waiting);
  run_until(2);
  EXPECT_EQ(outcome(waiting).kind, OutcomeClass::kCancelled);
  EXPECT_EQ(transport_->in_flight(), 0U);
}

TEST_F(TransportNames, IsBusyAboveTheLimitOfLookups) {
  TestNameServer server([](const NameQuestion&) { return std::nullopt; });
  TransportOptions options = loopback_options();
  options.name_servers = server.address();
  options.lookup_timeout = milliseconds(200);
  options.lookups_max = 2;
  open(options);
  start({.host = "a.test", .port = 80});
  start({.host = "b.test", .port = 80});
  start({.host = "c.test", .port = 80});
  start({.host = "a.test", .port = 80});
  run_until(4);
  EXPECT_EQ(outcome(model::AttemptId(3)).kind, OutcomeClass::kBusy);
  EXPECT_EQ(outcome(model::AttemptId(4)).kind, OutcomeClass::kDns) << "joined the first";
}

TEST_F(TransportNames, LocalhostResolvesAndLiesWithinItsNetwork) {
  open(loopback_options());
  const model::Outcome outcome = call({.host = "localhost", .port = forbidden_.port()});
  EXPECT_EQ(outcome.kind, OutcomeClass::kOk) << outcome.detail;
}

}  // namespace
}  // namespace triggerd::dispatcher
