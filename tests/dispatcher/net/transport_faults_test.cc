// What receivers do wrong (RELIABILITY 6.4), and what each comes to.
#include "engine/model/limits.h"
#include "tests/dispatcher/net/test_receiver.h"
#include "tests/dispatcher/net/transport_fixture.h"

namespace triggerd::dispatcher {
namespace {

using model::OutcomeClass;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

class TransportFaults : public TransportTest {
 protected:
  // One call to a receiver that reads the request and then does as `script` says.
  model::Outcome after_request(const TestReceiver::Script& script,
                               base::Duration timeout = seconds(10)) {
    TestReceiver receiver([&](ReceiverConnection& connection) {
      if (connection.read_request()) script(connection);
    });
    return call({.port = receiver.port(), .timeout = timeout});
  }
  model::Outcome answered(std::string_view answer, base::Duration timeout = seconds(10)) {
    return after_request([answer](ReceiverConnection& connection) { connection.send(answer); },
                         timeout);
  }
};

TEST_F(TransportFaults, RefusedConnectionIsAConnectFault) {
  std::uint16_t port = 0;
  {
    TestReceiver closed([](ReceiverConnection&) {});
    port = closed.port();
  }
  const model::Outcome outcome = call({.port = port});
  EXPECT_EQ(outcome.kind, OutcomeClass::kConnect);
  EXPECT_EQ(outcome.detail, "connection refused");
}

TEST_F(TransportFaults, HangBeforeTheAnswerIsATimeout) {
  const auto hang = [](ReceiverConnection& connection) { connection.wait_for_close(); };
  const model::Outcome outcome = after_request(hang, milliseconds(150));
  EXPECT_EQ(outcome.kind, OutcomeClass::kTimeout);
  EXPECT_EQ(outcome.http_status, 0);
  EXPECT_GE(outcome.timings.total_us, 150'000U);
}

TEST_F(TransportFaults, HangWithinTheHeadIsATimeout) {
  const auto hang = [](ReceiverConnection& connection) {
    connection.send("HTTP/1.1 200 OK\r\nContent-Le");
    connection.wait_for_close();
  };
  const model::Outcome outcome = after_request(hang, milliseconds(150));
  EXPECT_EQ(outcome.kind, OutcomeClass::kTimeout);
  EXPECT_EQ(outcome.http_status, 0);
}

TEST_F(TransportFaults, HangWithinTheBodyIsATimeoutWithItsStatus) {
  const auto hang = [](ReceiverConnection& connection) {
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
    connection.wait_for_close();
  };
  const model::Outcome outcome = after_request(hang, milliseconds(150));
  EXPECT_EQ(outcome.kind, OutcomeClass::kTimeout);
  EXPECT_EQ(outcome.http_status, 200);
  EXPECT_EQ(outcome.answer, "abc");
}

TEST_F(TransportFaults, DripIsATimeout) {
  const auto drip = [](ReceiverConnection& connection) {
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    while (connection.send("x")) std::this_thread::sleep_for(milliseconds(5));
  };
  EXPECT_EQ(after_request(drip, milliseconds(150)).kind, OutcomeClass::kTimeout);
}

TEST_F(TransportFaults, ResetBeforeTheRequestIsReadIsAConnectFault) {
  TestReceiver receiver([](ReceiverConnection& connection) { connection.reset(); });
  const model::Outcome outcome = call({.port = receiver.port()});
  EXPECT_EQ(outcome.kind, OutcomeClass::kConnect);
  EXPECT_EQ(receiver.connections(), 1) << "a new connection is not tried again";
}

TEST_F(TransportFaults, ResetAfterTheRequestIsAConnectFault) {
  const auto reset = [](ReceiverConnection& connection) { connection.reset(); };
  EXPECT_EQ(after_request(reset).kind, OutcomeClass::kConnect);
}

TEST_F(TransportFaults, CloseWithoutAnAnswerIsAConnectFault) {
  EXPECT_EQ(answered("").kind, OutcomeClass::kConnect);
}

TEST_F(TransportFaults, CloseWithinTheHeadIsAFault) {
  const model::Outcome outcome = answered("HTTP/1.1 200 OK\r\nConte");
  EXPECT_NE(outcome.kind, OutcomeClass::kOk);
}

TEST_F(TransportFaults, ResetWithinTheBodyIsAProtocolFault) {
  const auto reset = [](ReceiverConnection& connection) {
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
    connection.reset();
  };
  const model::Outcome outcome = after_request(reset);
  EXPECT_EQ(outcome.kind, OutcomeClass::kProtocol);
  EXPECT_EQ(outcome.http_status, 200);
}

TEST_F(TransportFaults, CloseWithinTheBodyIsAProtocolFault) {
  const model::Outcome outcome = answered("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
  EXPECT_EQ(outcome.kind, OutcomeClass::kProtocol);
  EXPECT_EQ(outcome.http_status, 200);
}

TEST_F(TransportFaults, BodyUntilTheCloseIsAnAnswer) {
  const model::Outcome outcome = answered("HTTP/1.1 200 OK\r\n\r\nabc");
  EXPECT_EQ(outcome.kind, OutcomeClass::kOk);
  EXPECT_EQ(outcome.answer, "abc");
}

TEST_F(TransportFaults, NotHttpIsAProtocolFault) {
  EXPECT_EQ(answered("SSH-2.0-OpenSSH_9.2\r\n").kind, OutcomeClass::kProtocol);
  EXPECT_EQ(answered("<html>hello</html>").kind, OutcomeClass::kProtocol);
}

TEST_F(TransportFaults, BadChunksAreAProtocolFault) {
  const model::Outcome outcome =
      answered("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n");
  EXPECT_EQ(outcome.kind, OutcomeClass::kProtocol);
}

TEST_F(TransportFaults, NulInAHeaderIsAProtocolFault) {
  const std::string nul(1, '\0');
  const std::string answer = "HTTP/1.1 200 OK\r\nX: a" + nul + "b\r\nContent-Length: 0\r\n\r\n";
  EXPECT_EQ(answered(answer).kind, OutcomeClass::kProtocol);
}

TEST_F(TransportFaults, HeadersOverTheLimitAreAProtocolFault) {
  const auto endless = [](ReceiverConnection& connection) {
    connection.send("HTTP/1.1 200 OK\r\n");
    const std::string line = "X-Long: " + std::string(1000, 'x') + "\r\n";
    for (int i = 0; i < 100'000 && connection.send(line); ++i) {
    }
  };
  EXPECT_EQ(after_request(endless).kind, OutcomeClass::kProtocol);
}

TEST_F(TransportFaults, OneHeaderLineWithoutEndIsAProtocolFault) {
  const auto endless = [](ReceiverConnection& connection) {
    connection.send("HTTP/1.1 200 OK\r\nX-Long: ");
    const std::string more(65'536, 'x');
    for (int i = 0; i < 1000 && connection.send(more); ++i) {
    }
  };
  EXPECT_EQ(after_request(endless).kind, OutcomeClass::kProtocol);
}

TEST_F(TransportFaults, HeadersJustWithinTheLimitAreAnAnswer) {
  std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n";
  const std::string line = "X-Long: " + std::string(990, 'x') + "\r\n";
  while (head.size() + line.size() + 2 <= model::kAnswerHeaderBytesMax) head += line;
  EXPECT_EQ(answered(head + "\r\n").kind, OutcomeClass::kOk);
}

TEST_F(TransportFaults, FloodOfInformationalAnswersIsAProtocolFault) {
  const auto flood = [](ReceiverConnection& connection) {
    for (int i = 0; i < 100'000; ++i) {
      if (!connection.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")) return;
    }
  };
  EXPECT_EQ(after_request(flood).kind, OutcomeClass::kProtocol);
}

TEST_F(TransportFaults, AnInformationalAnswerIsNotTheAnswer) {
  const model::Outcome outcome = answered(
      "HTTP/1.1 103 Early Hints\r\nRetry-After: 5\r\n\r\n"
      "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(outcome.http_status, 503);
  EXPECT_LT(outcome.retry_after, base::Duration::zero());
}

TEST_F(TransportFaults, EndlessBodyIsDecidedByItsStatus) {
  for (const int status : {200, 500}) {
    const auto endless = [status](ReceiverConnection& connection) {
      connection.send("HTTP/1.1 " + std::to_string(status) + " X\r\n\r\n");
      const std::string more(16'384, 'x');
      for (int i = 0; i < 100'000 && connection.send(more); ++i) {
      }
    };
    const model::Outcome outcome = after_request(endless);
    EXPECT_EQ(outcome.kind, status == 200 ? OutcomeClass::kOk : OutcomeClass::kHttpError);
    EXPECT_EQ(outcome.http_status, status);
    EXPECT_EQ(outcome.answer.size(), model::kAnswerBytesKept);
    EXPECT_GT(outcome.answer_bytes, model::kAnswerBytesRead);
    EXPECT_LT(outcome.answer_bytes, model::kAnswerBytesRead + 65'536);
  }
}

TEST_F(TransportFaults, BodyAtTheLimitIsReadWhole) {
  const std::string body(model::kAnswerBytesRead, 'x');
  TestReceiver receiver([&](ReceiverConnection& connection) { connection.serve_ok(body); });
  for (int i = 0; i < 2; ++i) {
    const model::Outcome outcome = call({.port = receiver.port()});
    EXPECT_EQ(outcome.kind, OutcomeClass::kOk);
    EXPECT_EQ(outcome.answer_bytes, model::kAnswerBytesRead);
    EXPECT_EQ(outcome.answer.size(), model::kAnswerBytesKept);
  }
  EXPECT_EQ(receiver.connections(), 1) << "the connection stays usable";
}

TEST_F(TransportFaults, CompressedBodiesAreNotUnpacked) {
  const model::Outcome outcome = answered(
      "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x01");
  EXPECT_EQ(outcome.kind, OutcomeClass::kOk);
  EXPECT_EQ(outcome.answer, "\x1f\x8b\x08\x01");
}

TEST_F(TransportFaults, AnswerBeforeTheBodyIsReadIsAnAnswer) {
  for (const int status : {200, 413}) {
    TestReceiver receiver([status](ReceiverConnection& connection) {
      if (!connection.read_head()) return;
      connection.send("HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: 0\r\n\r\n");
      connection.wait_for_close();
    });
    const model::Outcome outcome =
        call({.port = receiver.port(), .body = std::string(3 << 20, 'x')});
    EXPECT_EQ(outcome.http_status, status) << outcome.detail;
  }
}

TEST_F(TransportFaults, GoneIsAnHttpErrorWithItsStatus) {
  const model::Outcome outcome = answered("HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(outcome.kind, OutcomeClass::kHttpError);
  EXPECT_EQ(outcome.http_status, 410);
}

TEST_F(TransportFaults, RetryAfterCountsWith429And503Only) {
  const auto with = [](int status, const std::string& value) {
    return "HTTP/1.1 " + std::to_string(status) + " X\r\nretry-AFTER: " + value +
           "\r\nContent-Length: 0\r\n\r\n";
  };
  EXPECT_EQ(answered(with(429, "7")).retry_after, seconds(7));
  EXPECT_EQ(answered(with(503, "120")).retry_after, seconds(120));
  EXPECT_EQ(answered(with(503, "200000")).retry_after, model::kRetryAfterMax);
  EXPECT_LT(answered(with(500, "7")).retry_after, base::Duration::zero());
  EXPECT_LT(answered(with(200, "7")).retry_after, base::Duration::zero());
  EXPECT_LT(answered(with(503, "soon")).retry_after, base::Duration::zero());
  EXPECT_GT(answered(with(503, "Thu, 31 Dec 2099 23:59:59 GMT")).retry_after, seconds(-2));
}

// --- Kept connections that died ---------------------------------------------------------------

TEST_F(TransportFaults, KeptConnectionClosedWhileIdleIsReplacedSilently) {
  TestReceiver receiver([](ReceiverConnection& connection) {
    if (connection.read_request()) connection.send(kOk);
    if (connection.number() == 1) connection.serve_ok();
  });
  EXPECT_EQ(call({.port = receiver.port()}).kind, OutcomeClass::kOk);
  EXPECT_EQ(call({.port = receiver.port()}).kind, OutcomeClass::kOk);
  EXPECT_EQ(receiver.connections(), 2);
}

TEST_F(TransportFaults, KeptConnectionResetByTheNextRequestIsReplacedSilently) {
  for (const std::size_t body : {std::size_t{4}, std::size_t{3 << 20}}) {
    TestReceiver receiver([](ReceiverConnection& connection) {
      if (connection.number() == 1) return connection.serve_ok();
      if (!connection.read_request()) return;
      connection.send(kOk);
      connection.read_head();  // the second request arrives, and nothing answers it
      connection.reset();
    });
    EXPECT_EQ(call({.port = receiver.port()}).kind, OutcomeClass::kOk);
    const model::Outcome second = call({.port = receiver.port(), .body = std::string(body, 'x')});
    EXPECT_EQ(second.kind, OutcomeClass::kOk) << second.detail;
    EXPECT_EQ(receiver.connections(), 2);
  }
}

TEST_F(TransportFaults, TheSilentRetryIsMadeOnce) {
  TestReceiver receiver([](ReceiverConnection& connection) {
    if (connection.number() == 0) {
      if (connection.read_request()) connection.send(kOk);
    }
    connection.read_request();
    connection.reset();
  });
  EXPECT_EQ(call({.port = receiver.port()}).kind, OutcomeClass::kOk);
  EXPECT_EQ(call({.port = receiver.port()}).kind, OutcomeClass::kConnect);
  EXPECT_EQ(receiver.connections(), 2);
}

TEST_F(TransportFaults, BadReceiversDoNotHoldUpAGoodOne) {
  TestReceiver hanging([](ReceiverConnection& connection) { connection.wait_for_close(); });
  TestReceiver good([](ReceiverConnection& connection) { connection.serve_ok(); });
  for (int i = 0; i < 100; ++i) start({.port = hanging.port()});
  for (int i = 0; i < 20; ++i) EXPECT_EQ(call({.port = good.port()}).kind, OutcomeClass::kOk);
  EXPECT_EQ(reported_, 20U) << "the hanging calls are still under way";
  EXPECT_EQ(transport_->in_flight(), 100U);
}

}  // namespace
}  // namespace triggerd::dispatcher
