#include "dispatcher/egress_proxy.h"

#include <string>

#include <gtest/gtest.h>

namespace triggerd::dispatcher {
namespace {

TEST(EgressProxy, HasAHostAndAPort) {
  auto proxy = parse_egress_proxy("http://proxy.example:3128");
  ASSERT_TRUE(proxy.ok());
  EXPECT_EQ(proxy.value().host, "proxy.example");
  EXPECT_EQ(proxy.value().port, 3128);
  EXPECT_FALSE(proxy.value().literal.has_value());
  proxy = parse_egress_proxy("http://127.0.0.1:1/");
  ASSERT_TRUE(proxy.ok());
  EXPECT_EQ(proxy.value().literal, model::IpAddress::parse("127.0.0.1"));
  proxy = parse_egress_proxy("http://[fd00::1]:65535");
  ASSERT_TRUE(proxy.ok());
  EXPECT_EQ(proxy.value().host, "fd00::1");
  EXPECT_EQ(proxy.value().literal, model::IpAddress::parse("fd00::1"));
}

TEST(EgressProxy, NothingElseIsTaken) {
  for (const std::string text :
       {"", "proxy.example:3128", "https://proxy.example:3128", "http://proxy.example",
        "http://proxy.example:", "http://proxy.example:0", "http://proxy.example:65536",
        "http://proxy.example:80x", "http://:80", "http://user@proxy.example:80",
        "http://proxy.example:80/path", "http://proxy.example:80?q", "http://fd00::1:80",
        "http://[127.0.0.1]:80", "http://[proxy]:80", "http://pro xy:80"}) {
    const auto proxy = parse_egress_proxy(text);
    ASSERT_FALSE(proxy.ok()) << text;
    EXPECT_EQ(proxy.error().code, base::ErrorCode::kInvalid);
  }
}

}  // namespace
}  // namespace triggerd::dispatcher
