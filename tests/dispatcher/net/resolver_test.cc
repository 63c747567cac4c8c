#include "dispatcher/resolver.h"

#include <atomic>
#include <map>

#include <gtest/gtest.h>

#include "tests/dispatcher/net/test_name_server.h"

namespace triggerd::dispatcher {
namespace {

using Result = Resolution::Result;

class ResolverTest : public ::testing::Test {
 protected:
  void open(const TestNameServer& server, ResolverOptions options = {}) {
    options.servers = server.address();
    auto made = Resolver::create(loop_, options,
                                 [this](const std::string& host, const Resolution& resolution) {
                                   answers_[host] = resolution;
                                   if (++reported_ >= awaited_) loop_.stop();
                                 });
    ASSERT_TRUE(made.ok());
    resolver_ = std::move(made.value());
  }
  const Resolution& resolve(const std::string& host) {
    EXPECT_TRUE(resolver_->resolve(host));
    run_until(reported_ + 1);
    return answers_[host];
  }
  void run_until(std::size_t count) {
    awaited_ = count;
    loop::Timer guard(loop_, [this] { loop_.stop(); });
    guard.start_after(std::chrono::seconds(20));
    if (reported_ < count) loop_.run();
    ASSERT_GE(reported_, count);
  }

  loop::EventLoop loop_;
  std::unique_ptr<Resolver> resolver_;
  std::map<std::string, Resolution> answers_;
  std::size_t reported_ = 0;
  std::size_t awaited_ = 0;
};

TestNameServer::Script always(const char* address, std::uint32_t ttl = 60) {
  return [address, ttl](const NameQuestion&) {
    return NameAnswer{true, {{.value = address, .ttl = ttl}}};
  };
}

TEST_F(ResolverTest, PutsIpv4First) {
  TestNameServer server([](const NameQuestion&) {
    return NameAnswer{true, {{.value = "2001:db8::1"}, {.value = "192.0.2.1"}}};
  });
  open(server);
  const Resolution& found = resolve("both.test");
  ASSERT_EQ(found.result, Result::kFound);
  ASSERT_EQ(found.addresses.size(), 2U);
  EXPECT_EQ(found.addresses[0].to_string(), "192.0.2.1");
  EXPECT_EQ(found.addresses[1].to_string(), "2001:db8::1");
}

TEST_F(ResolverTest, JoinsLookupsOfOneName) {
  TestNameServer server(always("192.0.2.1"));
  open(server);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(resolver_->resolve("a.test"));
  run_until(1);
  EXPECT_EQ(server.questions(), 2);
  EXPECT_EQ(reported_, 1U);
}

TEST_F(ResolverTest, CachesByTtlWithinItsBounds) {
  TestNameServer server(always("192.0.2.1", 0));
  ResolverOptions options;
  options.ttl_min = std::chrono::hours(1);
  options.ttl_max = std::chrono::hours(1);
  open(server, options);
  resolve("a.test");
  const Resolution* cached = resolver_->find_cached("a.test");
  ASSERT_NE(cached, nullptr);
  EXPECT_EQ(cached->addresses.size(), 1U);
  EXPECT_EQ(resolver_->find_cached("b.test"), nullptr);

  TestNameServer generous(always("192.0.2.1", 100'000));
  options.ttl_min = options.ttl_max = base::Duration::zero();
  open(generous, options);
  resolve("a.test");
  EXPECT_EQ(resolver_->find_cached("a.test"), nullptr) << "ttl_max holds";
}

TEST_F(ResolverTest, CachesFailures) {
  TestNameServer server([](const NameQuestion&) { return NameAnswer{false, {}}; });
  ResolverOptions options;
  options.ttl_negative = std::chrono::hours(1);
  open(server, options);
  EXPECT_EQ(resolve("missing.test").result, Result::kNoAddress);
  ASSERT_NE(resolver_->find_cached("missing.test"), nullptr);
  EXPECT_EQ(resolver_->find_cached("missing.test")->result, Result::kNoAddress);
}

TEST_F(ResolverTest, ForgetsTheLeastUsedNameAtItsLimit) {
  TestNameServer server(always("192.0.2.1"));
  ResolverOptions options;
  options.cached_names_max = 2;
  open(server, options);
  resolve("a.test");
  resolve("b.test");
  EXPECT_NE(resolver_->find_cached("a.test"), nullptr);
  resolve("c.test");
  EXPECT_NE(resolver_->find_cached("a.test"), nullptr);
  EXPECT_EQ(resolver_->find_cached("b.test"), nullptr);
  EXPECT_NE(resolver_->find_cached("c.test"), nullptr);
}

TEST_F(ResolverTest, RefusesLookupsAboveItsLimit) {
  TestNameServer server([](const NameQuestion&) { return std::nullopt; });
  ResolverOptions options;
  options.lookups_max = 1;
  options.timeout = std::chrono::milliseconds(100);
  open(server, options);
  EXPECT_TRUE(resolver_->resolve("a.test"));
  EXPECT_FALSE(resolver_->resolve("b.test"));
  EXPECT_TRUE(resolver_->resolve("a.test"));
  run_until(1);
  EXPECT_EQ(answers_["a.test"].result, Result::kTimeout);
}

TEST_F(ResolverTest, ReadsTheHostsFileFirst) {
  TestNameServer server(always("192.0.2.1"));
  open(server);
  const Resolution& found = resolve("localhost");
  ASSERT_EQ(found.result, Result::kFound);
  EXPECT_EQ(found.addresses[0].to_string(), "127.0.0.1");
  EXPECT_EQ(server.questions(), 0);
}

TEST_F(ResolverTest, CanBeDestroyedWithLookupsUnderWay) {
  TestNameServer server([](const NameQuestion&) { return std::nullopt; });
  open(server);
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(resolver_->resolve("name" + std::to_string(i) + ".test"));
  }
  for (int i = 0; i < 3; ++i) loop_.run_once();
  resolver_.reset();
  for (int i = 0; i < 3; ++i) loop_.run_once();
  EXPECT_EQ(reported_, 0U);
}

}  // namespace
}  // namespace triggerd::dispatcher
