#include "tests/dispatcher/net/transport_fixture.h"

#include <utility>

namespace triggerd::dispatcher {

TransportOptions loopback_options() {
  TransportOptions options;
  options.policy.allow_http = true;
  options.policy.allow_networks = {*model::Network::parse("127.0.0.0/8")};
  return options;
}

TransportTest::~TransportTest() {
  EXPECT_EQ(outcomes_.size(), reported_) << "exactly one outcome for each call";
}

void TransportTest::open(const TransportOptions& options) {
  auto made =
      CurlTransport::create(loop_, options, [this](model::AttemptId id, model::Outcome outcome) {
        outcomes_[id] = std::move(outcome);
        if (++reported_ >= awaited_) loop_.stop();
      });
  ASSERT_TRUE(made.ok()) << made.error().message;
  transport_ = std::move(made.value());
}

model::AttemptId TransportTest::start(const CallOptions& options) {
  if (!transport_) open(loopback_options());
  HttpCall call;
  call.id = model::AttemptId(++last_id_);
  call.url.https = options.https;
  call.url.host = options.host;
  call.url.literal = model::IpAddress::parse(options.host);
  call.url.port = options.port;
  call.url.path = options.path;
  call.headers = {"Content-Type: application/jwt", "X-Empty:", "User-Agent: triggerd/test"};
  call.body = options.body;
  call.timeout = options.timeout;
  const model::AttemptId id = call.id;
  transport_->start(std::move(call));
  return id;
}

void TransportTest::run_until(std::size_t count) {
  awaited_ = count;
  if (reported_ >= count) return;
  bool late = false;
  loop::Timer guard(loop_, [this, &late] {
    late = true;
    loop_.stop();
  });
  guard.start_after(std::chrono::seconds(20));
  loop_.run();
  ASSERT_FALSE(late) << reported_ << " of " << count << " outcomes";
}

model::Outcome TransportTest::call(const CallOptions& options) {
  const model::AttemptId id = start(options);
  run_until(reported_ + 1);
  return outcomes_[id];
}

const model::Outcome& TransportTest::outcome(model::AttemptId id) const {
  const auto found = outcomes_.find(id);
  EXPECT_NE(found, outcomes_.end());
  return found->second;
}

}  // namespace triggerd::dispatcher
