// The guard's second and third line: at the socket, and before a request on a kept connection.
// A call gets there only if the check after resolution let it pass.
#include "dispatcher/curl_exchange.h"

#include <atomic>

#include <gtest/gtest.h>

#include "dispatcher/curl_pump.h"
#include "tests/dispatcher/net/test_receiver.h"

namespace triggerd::dispatcher {
namespace {

class CurlExchangeTest : public ::testing::Test {
 protected:
  CurlExchangeTest() {
    set_constant_options(easy_);
    pump_.prepare(easy_);
  }
  ~CurlExchangeTest() override { curl_easy_cleanup(easy_); }

  TransferEnd transfer(const AddressGuard& guard) {
    HttpCall call;
    call.url = {false, "127.0.0.1", model::IpAddress::parse("127.0.0.1"), receiver_.port(), "/"};
    CurlExchange exchange(std::move(call), guard);
    exchange.prepare(easy_, {.address = *model::IpAddress::parse("127.0.0.1"),
                             .timeout = std::chrono::seconds(10),
                             .connect_timeout = std::chrono::seconds(10)});
    pump_.add(easy_);
    loop_.run();
    pump_.remove(easy_);
    return exchange.end_of(easy_, finished_.back().code);
  }

  std::atomic<int> requests_ = 0;
  TestReceiver receiver_{[this](ReceiverConnection& connection) {
    while (connection.read_request()) {
      ++requests_;
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }
  }};
  AddressGuard loose_{{true, {*model::Network::parse("127.0.0.0/8")}}};
  AddressGuard strict_{{}};
  loop::EventLoop loop_;
  std::vector<FinishedTransfer> finished_;
  TickTask tick_{loop_, [this] {
                   const std::size_t before = finished_.size();
                   pump_.run(finished_);
                   if (finished_.size() > before) loop_.stop();
                 }};
  CurlPump pump_{loop_, tick_, 10};
  CURL* easy_ = curl_easy_init();
};

TEST_F(CurlExchangeTest, OpensNoSocketToAForbiddenAddress) {
  const TransferEnd end = transfer(strict_);
  EXPECT_TRUE(end.blocked);
  EXPECT_EQ(classify(end).kind, model::OutcomeClass::kBlocked);
  EXPECT_EQ(receiver_.connections(), 0);
}

TEST_F(CurlExchangeTest, SendsNothingOnAKeptConnectionThatThisCallMayNotUse) {
  EXPECT_EQ(classify(transfer(loose_)).kind, model::OutcomeClass::kOk);
  const TransferEnd end = transfer(strict_);
  EXPECT_TRUE(end.blocked);
  EXPECT_EQ(classify(end).kind, model::OutcomeClass::kBlocked);
  EXPECT_EQ(classify(transfer(loose_)).kind, model::OutcomeClass::kOk);
  EXPECT_EQ(requests_, 2);
}

}  // namespace
}  // namespace triggerd::dispatcher
