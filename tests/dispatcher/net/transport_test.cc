// What a call looks like on the wire, reuse of connections, limits of the transport, cancelling.
#include <condition_variable>
#include <cstdlib>
#include <mutex>

#include "dispatcher/curl_transport.h"
#include "engine/model/limits.h"
#include "tests/dispatcher/net/test_receiver.h"
#include "tests/dispatcher/net/transport_fixture.h"

namespace triggerd::dispatcher {
namespace {

using model::OutcomeClass;

// Lets threads go on when `count` of them have come.
class Meeting {
 public:
  explicit Meeting(int count) : missing_(count) {}
  void wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    if (--missing_ <= 0) all_here_.notify_all();
    all_here_.wait_for(lock, std::chrono::seconds(10), [this] { return missing_ <= 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable all_here_;
  int missing_;
};

TEST_F(TransportTest, SendsTheCallAsGivenAndNothingElse) {
  std::mutex mutex;
  ReceivedRequest seen;
  TestReceiver receiver([&](ReceiverConnection& connection) {
    auto request = connection.read_request();
    {
      const std::lock_guard<std::mutex> lock(mutex);
      seen = *request;
    }
    connection.send("HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nhello");
    connection.wait_for_close();
  });
  const model::Outcome outcome = call({.port = receiver.port(), .path = "/a/../b%20c"});
  EXPECT_EQ(outcome.kind, OutcomeClass::kOk);
  EXPECT_EQ(outcome.http_status, 201);
  EXPECT_EQ(outcome.answer, "hello");
  EXPECT_EQ(outcome.answer_bytes, 5U);
  EXPECT_EQ(outcome.detail, "");
  EXPECT_LT(outcome.retry_after, base::Duration::zero());
  EXPECT_GT(outcome.timings.total_us, 0U);
  EXPECT_GT(outcome.started_at, base::WallTime{});
  const std::lock_guard<std::mutex> lock(mutex);
  EXPECT_EQ(seen.head,
            "POST /a/../b%20c HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(receiver.port()) +
                "\r\nContent-Type: application/jwt\r\nX-Empty:\r\n"
                "User-Agent: triggerd/test\r\nContent-Length: 4\r\n\r\n");
  EXPECT_EQ(seen.body, "body");
}

TEST_F(TransportTest, SendsEmptyAndLargeBodiesWhole) {
  std::mutex mutex;
  std::vector<std::size_t> sizes;
  TestReceiver receiver([&](ReceiverConnection& connection) {
    while (auto request = connection.read_request()) {
      {
        const std::lock_guard<std::mutex> lock(mutex);
        sizes.push_back(request->body.size());
      }
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }
  });
  EXPECT_EQ(call({.port = receiver.port(), .body = ""}).kind, OutcomeClass::kOk);
  EXPECT_EQ(call({.port = receiver.port(), .body = std::string(2 << 20, 'x')}).kind,
            OutcomeClass::kOk);
  const std::lock_guard<std::mutex> lock(mutex);
  EXPECT_EQ(sizes, (std::vector<std::size_t>{0, 2 << 20}));
}

TEST_F(TransportTest, UsesOneConnectionForSequentialCalls) {
  TestReceiver receiver([](ReceiverConnection& connection) { connection.serve_ok(); });
  for (int i = 0; i < 100; ++i) {
    const model::Outcome outcome = call({.port = receiver.port()});
    ASSERT_EQ(outcome.kind, OutcomeClass::kOk) << outcome.detail;
    if (i > 0) {
      EXPECT_EQ(outcome.timings.connect_us, 0U);
    }
  }
  EXPECT_EQ(receiver.connections(), 1);
}

TEST_F(TransportTest, RunsManyCallsAtOnce) {
  Meeting meeting(200);
  TestReceiver receiver([&](ReceiverConnection& connection) {
    if (!connection.read_request()) return;
    meeting.wait();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    connection.wait_for_close();
  });
  for (int i = 0; i < 200; ++i)
    start({.port = receiver.port(), .timeout = std::chrono::seconds(15)});
  run_until(200);
  for (const auto& [id, outcome] : outcomes_) EXPECT_EQ(outcome.kind, OutcomeClass::kOk);
  EXPECT_EQ(receiver.connections(), 200);
  EXPECT_EQ(transport_->in_flight(), 0U);
}

TEST_F(TransportTest, KeepsNoMoreConnectionsThanItMay) {
  Meeting meeting(8);
  TestReceiver receiver([&](ReceiverConnection& connection) {
    if (connection.read_request()) meeting.wait();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    connection.serve_ok();
  });
  TransportOptions options = loopback_options();
  options.multis = 1;
  options.in_flight_max = 8;
  options.descriptors_max = 10;
  open(options);
  for (int i = 0; i < 8; ++i) start({.port = receiver.port()});
  run_until(8);
  for (const auto& [id, outcome] : outcomes_) EXPECT_EQ(outcome.kind, OutcomeClass::kOk);
  EXPECT_TRUE(receiver.wait_until_open(2));
}

TEST_F(TransportTest, IsBusyAboveTheLimitOfCallsUnderWay) {
  TestReceiver receiver([](ReceiverConnection& connection) { connection.serve_ok(); });
  TransportOptions options = loopback_options();
  options.in_flight_max = 3;
  open(options);
  for (int i = 0; i < 4; ++i) start({.port = receiver.port()});
  EXPECT_EQ(reported_, 0U) << "never from within start";
  run_until(4);
  for (std::uint64_t id = 1; id <= 3; ++id) {
    EXPECT_EQ(outcome(model::AttemptId(id)).kind, OutcomeClass::kOk);
  }
  EXPECT_EQ(outcome(model::AttemptId(4)).kind, OutcomeClass::kBusy);
  EXPECT_EQ(call({.port = receiver.port()}).kind, OutcomeClass::kOk);
}

TEST_F(TransportTest, TakesItsLimitFromTheSystemByDefault) {
  open(loopback_options());
  EXPECT_GT(transport_->in_flight_max(), 0U);
  EXPECT_LE(transport_->in_flight_max(), model::kInFlightDefault);
}

TEST_F(TransportTest, CancelsACallOnTheWireBeforeItAndAfterIt) {
  TestReceiver receiver([](ReceiverConnection& connection) {
    connection.read_request();
    connection.wait_for_close();
  });
  TestReceiver prompt([](ReceiverConnection& connection) { connection.serve_ok(); });
  const model::AttemptId not_begun = start({.port = receiver.port()});
  transport_->cancel(not_begun);
  EXPECT_EQ(reported_, 0U) << "never from within cancel";
  run_until(1);
  EXPECT_EQ(outcome(not_begun).kind, OutcomeClass::kCancelled);

  const model::AttemptId hanging = start({.port = receiver.port()});
  const model::AttemptId other = start({.port = prompt.port()});
  run_until(2);
  EXPECT_EQ(outcome(other).kind, OutcomeClass::kOk);
  transport_->cancel(hanging);
  run_until(3);
  EXPECT_EQ(outcome(hanging).kind, OutcomeClass::kCancelled);

  transport_->cancel(other);
  transport_->cancel(model::AttemptId(999));
  EXPECT_EQ(call({.port = prompt.port()}).kind, OutcomeClass::kOk);
  EXPECT_EQ(transport_->in_flight(), 0U);
}

TEST_F(TransportTest, CanBeDestroyedWithCallsUnderWay) {
  TestReceiver receiver([](ReceiverConnection& connection) {
    connection.read_request();
    connection.wait_for_close();
  });
  TestReceiver prompt([](ReceiverConnection& connection) { connection.serve_ok(); });
  for (int i = 0; i < 5; ++i) start({.port = receiver.port()});
  start({.port = prompt.port()});
  run_until(1);
  start({.port = prompt.port()});  // deferred, never begun
  start({.host = "name.test", .port = 80});
  transport_.reset();
  for (int i = 0; i < 3; ++i) loop_.run_once();
  EXPECT_EQ(reported_, 1U);
}

TEST_F(TransportTest, LetsTheOutcomeStartAndCancelCalls) {
  TestReceiver receiver([](ReceiverConnection& connection) { connection.serve_ok(); });
  TestReceiver hanging([](ReceiverConnection& connection) { connection.wait_for_close(); });
  int left = 20;
  std::uint64_t next_id = 1000;
  int cancelled = 0;
  CurlTransport* transport = nullptr;
  const auto start_one = [&](std::uint16_t port) {
    HttpCall call;
    call.id = model::AttemptId(++next_id);
    call.url = {false, "127.0.0.1", model::IpAddress::parse("127.0.0.1"), port, "/"};
    call.timeout = std::chrono::seconds(10);
    transport->start(std::move(call));
    return model::AttemptId(next_id);
  };
  auto made = CurlTransport::create(loop_, loopback_options(),
                                    [&](model::AttemptId, const model::Outcome& outcome) {
                                      if (outcome.kind == OutcomeClass::kCancelled) {
                                        if (++cancelled == 20) loop_.stop();
                                        return;
                                      }
                                      if (left-- > 0) {
                                        transport->cancel(start_one(hanging.port()));
                                        start_one(receiver.port());
                                      }
                                    });
  transport = made.value().get();
  start_one(receiver.port());
  loop_.run();
  EXPECT_EQ(cancelled, 20);
}

TEST_F(TransportTest, IgnoresTheProxyOfTheEnvironment) {
  TestReceiver receiver([](ReceiverConnection& connection) { connection.serve_ok(); });
  const char* const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                               "ALL_PROXY"};
  for (const char* name : names) setenv(name, "http://127.0.0.1:1", 1);
  EXPECT_EQ(call({.port = receiver.port()}).kind, OutcomeClass::kOk);
  for (const char* name : names) unsetenv(name);
}

TEST_F(TransportTest, DoesNotFollowRedirects) {
  TestReceiver target([](ReceiverConnection& connection) { connection.serve_ok(); });
  const std::string location = "http://127.0.0.1:" + std::to_string(target.port()) + "/";
  TestReceiver receiver([&](ReceiverConnection& connection) {
    while (connection.read_request()) {
      connection.send("HTTP/1.1 307 Moved\r\nLocation: " + location +
                      "\r\nContent-Length: 0\r\n\r\n");
    }
  });
  const model::Outcome outcome = call({.port = receiver.port()});
  EXPECT_EQ(outcome.kind, OutcomeClass::kHttpError);
  EXPECT_EQ(outcome.http_status, 307);
  EXPECT_EQ(target.connections(), 0);
}

TEST(CurlTransportOptions, RefusesACaFileThatCannotBeRead) {
  loop::EventLoop loop;
  TransportOptions options;
  options.ca_file = "/nowhere/ca.pem";
  const auto made = CurlTransport::create(loop, options, nullptr);
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code, base::ErrorCode::kInvalid);
  EXPECT_NE(made.error().message.find("ca_file"), std::string::npos);
}

TEST(CurlTransportOptions, RefusesNameServersThatAreNoAddresses) {
  loop::EventLoop loop;
  TransportOptions options;
  options.name_servers = "not an address";
  const auto made = CurlTransport::create(loop, options, nullptr);
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code, base::ErrorCode::kInvalid);
}

}  // namespace
}  // namespace triggerd::dispatcher
