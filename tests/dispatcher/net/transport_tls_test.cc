// Certificates: which receivers are believed, and what a refusal says.
#include <cstdio>
#include <fstream>
#include <memory>
#include <utility>

#include "dispatcher/ca_store.h"
#include "tests/dispatcher/net/test_certificates.h"
#include "tests/dispatcher/net/test_name_server.h"
#include "tests/dispatcher/net/test_receiver.h"
#include "tests/dispatcher/net/transport_fixture.h"

namespace triggerd::dispatcher {
namespace {

using model::OutcomeClass;

class TransportTls : public TransportTest {
 protected:
  TransportTls() : ca_file_(::testing::TempDir() + "triggerd_net_ca.pem") {
    std::ofstream(ca_file_) << authority_.pem();
  }
  ~TransportTls() override { std::remove(ca_file_.c_str()); }

  void open_trusting() {
    TransportOptions options = loopback_options();
    options.ca_file = ca_file_;
    options.name_servers = names_.address();
    open(options);
  }
  model::Outcome call_tls(const Identity& identity) {
    TestReceiver receiver([](ReceiverConnection& connection) { connection.serve_ok(); },
                          {.identity = &identity});
    return call({.host = "receiver.test", .port = receiver.port(), .https = true});
  }

  Identity authority_ = make_authority();
  std::string ca_file_;
  TestNameServer names_{[](const NameQuestion&) {
    return NameAnswer{true, {{.value = "127.0.0.1"}}};
  }};
};

TEST_F(TransportTls, BelievesACertificateOfThePrivateAuthority) {
  open_trusting();
  const model::Outcome outcome = call_tls(make_leaf(&authority_));
  EXPECT_EQ(outcome.kind, OutcomeClass::kOk) << outcome.detail;
  EXPECT_GT(outcome.timings.tls_us, 0U);
}

TEST_F(TransportTls, BelievesACertificateForAnAddress) {
  open_trusting();
  const Identity identity = make_leaf(&authority_, {.alternative_names = "IP:127.0.0.1"});
  TestReceiver receiver([](ReceiverConnection& connection) { connection.serve_ok(); },
                        {.identity = &identity});
  const model::Outcome outcome = call({.port = receiver.port(), .https = true});
  EXPECT_EQ(outcome.kind, OutcomeClass::kOk) << outcome.detail;
}

TEST_F(TransportTls, RefusesAnAuthorityThatIsNotConfigured) {
  TransportOptions options = loopback_options();
  options.name_servers = names_.address();
  open(options);
  const model::Outcome outcome = call_tls(make_leaf(&authority_));
  EXPECT_EQ(outcome.kind, OutcomeClass::kTls);
  EXPECT_NE(outcome.detail.find("not trusted"), std::string::npos) << outcome.detail;
}

TEST_F(TransportTls, OtherAuthoritiesHoldFromTheNextConnectionOn) {
  open_trusting();
  const Identity other = make_authority();
  EXPECT_EQ(call_tls(make_leaf(&authority_)).kind, OutcomeClass::kOk);
  EXPECT_EQ(call_tls(make_leaf(&other)).kind, OutcomeClass::kTls);
  std::ofstream(ca_file_) << other.pem();
  auto store = load_ca_store(ca_file_);
  ASSERT_TRUE(store.ok());
  transport_->use(std::shared_ptr<X509_STORE>(std::move(store.value())));
  EXPECT_EQ(call_tls(make_leaf(&other)).kind, OutcomeClass::kOk);
  EXPECT_EQ(call_tls(make_leaf(&authority_)).kind, OutcomeClass::kTls);
}

TEST_F(TransportTls, RefusesASelfSignedCertificate) {
  open_trusting();
  const model::Outcome outcome = call_tls(make_leaf(nullptr));
  EXPECT_EQ(outcome.kind, OutcomeClass::kTls);
  EXPECT_NE(outcome.detail.find("self"), std::string::npos) << outcome.detail;
}

TEST_F(TransportTls, RefusesACertificateForAnotherHost) {
  open_trusting();
  const model::Outcome outcome =
      call_tls(make_leaf(&authority_, {.alternative_names = "DNS:other.test"}));
  EXPECT_EQ(outcome.kind, OutcomeClass::kTls);
  EXPECT_EQ(outcome.detail, "the certificate is not for this host");
}

TEST_F(TransportTls, RefusesAnExpiredCertificate) {
  open_trusting();
  const model::Outcome outcome =
      call_tls(make_leaf(&authority_, {.not_before_seconds = -7200, .not_after_seconds = -3600}));
  EXPECT_EQ(outcome.kind, OutcomeClass::kTls);
  EXPECT_NE(outcome.detail.find("expired"), std::string::npos) << outcome.detail;
}

TEST_F(TransportTls, PlainTextOnATlsPortIsATlsFault) {
  open_trusting();
  TestReceiver receiver([](ReceiverConnection& connection) {
    connection.send("HTTP/1.1 400 Bad Request\r\n\r\n");
    connection.wait_for_close();
  });
  const model::Outcome outcome =
      call({.host = "receiver.test", .port = receiver.port(), .https = true});
  EXPECT_EQ(outcome.kind, OutcomeClass::kTls);
}

TEST_F(TransportTls, HangWithinTheHandshakeIsATimeout) {
  open_trusting();
  TestReceiver receiver([](ReceiverConnection& connection) { connection.wait_for_close(); });
  const model::Outcome outcome = call({.host = "receiver.test",
                                       .port = receiver.port(),
                                       .https = true,
                                       .timeout = std::chrono::milliseconds(150)});
  EXPECT_EQ(outcome.kind, OutcomeClass::kTimeout);
}

TEST_F(TransportTls, KeepsConnectionsAndSessions) {
  open_trusting();
  const Identity identity = make_leaf(&authority_);
  TestReceiver receiver(
      [](ReceiverConnection& connection) {
        // Ten calls on the first connection, then a new one.
        for (int i = 0; i < 10 && connection.read_request(); ++i) {
          connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" +
                          std::string(i == 9 ? "Connection: close\r\n\r\n" : "\r\n"));
        }
      },
      {.identity = &identity});
  for (int i = 0; i < 15; ++i) {
    const model::Outcome outcome =
        call({.host = "receiver.test", .port = receiver.port(), .https = true});
    ASSERT_EQ(outcome.kind, OutcomeClass::kOk) << outcome.detail;
  }
  EXPECT_EQ(receiver.connections(), 2);
  EXPECT_EQ(receiver.resumptions(), 1);
}

TEST_F(TransportTls, KeptConnectionClosedWhileIdleIsReplacedSilently) {
  open_trusting();
  const Identity identity = make_leaf(&authority_);
  TestReceiver receiver(
      [](ReceiverConnection& connection) {
        if (connection.number() == 1) return connection.serve_ok();
        if (connection.read_request()) {
          connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        }
      },
      {.identity = &identity});
  for (int i = 0; i < 2; ++i) {
    const model::Outcome outcome =
        call({.host = "receiver.test", .port = receiver.port(), .https = true});
    EXPECT_EQ(outcome.kind, OutcomeClass::kOk) << outcome.detail;
  }
}

}  // namespace
}  // namespace triggerd::dispatcher
