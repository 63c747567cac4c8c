#include "dispatcher/address_guard.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

namespace triggerd::dispatcher {
namespace {

using model::IpAddress;

IpAddress address(const char* text) {
  return *IpAddress::parse(text);
}

TEST(AddressGuard, ReadsSocketAddressesOfBothFamilies) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(8080);
  inet_pton(AF_INET, "192.0.2.7", &v4.sin_addr);
  const auto four = endpoint_of(reinterpret_cast<sockaddr*>(&v4), sizeof v4);
  ASSERT_TRUE(four);
  EXPECT_EQ(four->address, address("192.0.2.7"));
  EXPECT_EQ(four->port, 8080);

  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(443);
  inet_pton(AF_INET6, "2001:db8::7", &v6.sin6_addr);
  const auto six = endpoint_of(reinterpret_cast<sockaddr*>(&v6), sizeof v6);
  ASSERT_TRUE(six);
  EXPECT_EQ(six->address, address("2001:db8::7"));
  EXPECT_EQ(six->port, 443);

  EXPECT_FALSE(endpoint_of(reinterpret_cast<sockaddr*>(&v6), sizeof v4)) << "too short";
  v4.sin_family = AF_UNIX;
  EXPECT_FALSE(endpoint_of(reinterpret_cast<sockaddr*>(&v4), sizeof v4));
}

TEST(AddressGuard, OneForbiddenAddressForbidsTheName) {
  const AddressGuard guard({});
  const auto fine = guard.callable("a.test", {address("93.184.216.34")}, 443);
  EXPECT_EQ(fine.size(), 1U);
  EXPECT_TRUE(
      guard.callable("a.test", {address("93.184.216.34"), address("10.0.0.1")}, 443).empty());
  EXPECT_TRUE(guard.callable("a.test", {address("::1"), address("93.184.216.34")}, 443).empty());
  EXPECT_TRUE(guard.callable("a.test", {}, 443).empty());
}

TEST(AddressGuard, AdmitsNetworksByPort) {
  const AddressGuard guard({true, {*model::Network::parse("127.0.0.0/8:18000-18999")}});
  EXPECT_TRUE(guard.may_call(address("127.0.0.1"), 18080));
  EXPECT_FALSE(guard.may_call(address("127.0.0.1"), 22));
  EXPECT_FALSE(guard.may_call(address("::1"), 18080));
}

TEST(AddressGuard, OfLocalhostTheAllowedAddressesCount) {
  const AddressGuard guard({true, {*model::Network::parse("127.0.0.0/8")}});
  const auto allowed = guard.callable("localhost", {address("127.0.0.1"), address("::1")}, 80);
  EXPECT_EQ(allowed, std::vector<IpAddress>{address("127.0.0.1")});
  EXPECT_TRUE(guard.callable("notlocalhost", {address("127.0.0.1"), address("::1")}, 80).empty());
  EXPECT_TRUE(AddressGuard({}).callable("localhost", {address("127.0.0.1")}, 80).empty());
}

}  // namespace
}  // namespace triggerd::dispatcher
