#include "api/client_address.h"

#include <gtest/gtest.h>

namespace triggerd::api {
namespace {

HttpRequest from(std::string peer, std::vector<HttpField> fields) {
  HttpRequest request;
  request.peer = std::move(peer);
  request.fields = std::move(fields);
  return request;
}

std::vector<model::Network> proxies() {
  return {*model::Network::parse("10.0.0.0/8"), *model::Network::parse("[fd00::]/8")};
}

struct Case {
  const char* what;
  const char* peer;
  std::vector<HttpField> fields;
  const char* client;
};

TEST(ClientAddress, IsFoundThroughTrustedProxiesOnly) {
  const Case cases[] = {
      {"no proxy", "192.0.2.7", {}, "192.0.2.7"},
      {"a stranger's claim", "192.0.2.7", {{"X-Forwarded-For", "198.51.100.1"}}, "192.0.2.7"},
      {"one proxy", "10.1.1.1", {{"X-Forwarded-For", "198.51.100.1"}}, "198.51.100.1"},
      {"a name in other case", "10.1.1.1", {{"x-forwarded-for", "198.51.100.1"}}, "198.51.100.1"},
      {"the client's own claim is left of it",
       "10.1.1.1",
       {{"X-Forwarded-For", "203.0.113.9, 198.51.100.1"}},
       "198.51.100.1"},
      {"two proxies", "10.1.1.1", {{"X-Forwarded-For", "198.51.100.1,10.2.2.2"}}, "198.51.100.1"},
      {"proxies alone", "10.1.1.1", {{"X-Forwarded-For", "10.3.3.3, 10.2.2.2"}}, "10.3.3.3"},
      {"two fields are one list",
       "10.1.1.1",
       {{"X-Forwarded-For", "203.0.113.9, 198.51.100.1"}, {"X-Forwarded-For", "10.2.2.2"}},
       "198.51.100.1"},
      {"a proxy that says nothing", "10.1.1.1", {}, "10.1.1.1"},
      {"an entry with a port", "10.1.1.1", {{"X-Forwarded-For", "198.51.100.1:80"}}, "10.1.1.1"},
      {"an empty entry", "10.1.1.1", {{"X-Forwarded-For", "198.51.100.1,"}}, "10.1.1.1"},
      {"an empty field", "10.1.1.1", {{"X-Forwarded-For", ""}}, "10.1.1.1"},
      {"no address", "10.1.1.1", {{"X-Forwarded-For", "198.51.100.1, unknown"}}, "10.1.1.1"},
      {"v6", "fd00::1", {{"X-Forwarded-For", "2001:db8::5"}}, "2001:db8::5"},
      {"a mapped peer", "::ffff:10.1.1.1", {{"X-Forwarded-For", "2001:db8::5"}}, "2001:db8::5"},
      {"a mapped client", "10.1.1.1", {{"X-Forwarded-For", "::ffff:192.0.2.7"}}, "192.0.2.7"},
      {"a peer that cannot be told", "?", {{"X-Forwarded-For", "192.0.2.7"}}, "::"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_EQ(client_address(from(c.peer, c.fields), proxies()).to_string(), c.client);
  }
  EXPECT_EQ(client_address(from("10.1.1.1", {{"X-Forwarded-For", "192.0.2.7"}}), {}).to_string(),
            "10.1.1.1")
      << "nobody is trusted by default";
}

}  // namespace
}  // namespace triggerd::api
