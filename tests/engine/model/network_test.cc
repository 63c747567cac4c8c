#include "engine/model/network.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "tests/engine/test_tables.h"

namespace triggerd::model {
namespace {

IpAddress v4(std::uint32_t value) {
  IpAddress address;
  for (int i = 0; i < 4; ++i) {
    address.bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
  }
  return address;
}

IpAddress address_of(std::string_view text) {
  const auto address = IpAddress::parse(text);
  EXPECT_TRUE(address.has_value()) << text;
  return address.value_or(IpAddress());
}

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

// The special ranges of IPv4 again, in another form than the classifier's: sorted, inclusive.
constexpr std::array<Range, 18> kSpecialRanges{{{0x00000000, 0x00ffffff},
                                                {0x0a000000, 0x0affffff},
                                                {0x64400000, 0x647fffff},
                                                {0x7f000000, 0x7fffffff},
                                                {0xa83f8110, 0xa83f8110},
                                                {0xa9fe0000, 0xa9feffff},
                                                {0xac100000, 0xac1fffff},
                                                {0xc0000000, 0xc00000ff},
                                                {0xc0000200, 0xc00002ff},
                                                {0xc01fc400, 0xc01fc4ff},
                                                {0xc034c100, 0xc034c1ff},
                                                {0xc0586300, 0xc05863ff},
                                                {0xc0a80000, 0xc0a8ffff},
                                                {0xc0af3000, 0xc0af30ff},
                                                {0xc6120000, 0xc613ffff},
                                                {0xc6336400, 0xc63364ff},
                                                {0xcb007100, 0xcb0071ff},
                                                {0xe0000000, 0xffffffff}}};

bool is_public_by_ranges(std::uint32_t value) {
  for (const Range& range : kSpecialRanges) {
    if (value >= range.first && value <= range.last) return false;
  }
  return true;
}

TEST(IpAddress, ReadsWhatTheSystemReadsAndNothingElse) {
  for (const std::string_view text :
       {"1.2.3.4", "255.255.255.255", "0.0.0.0", "::", "::1", "1::", "1:2:3:4:5:6:7:8", "1::8",
        "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "::ffff:1.2.3.4", "1:2:3:4:5:6:1.2.3.4", "ABCD::ef01",
        "64:ff9b::1.2.3.4", "0001::0008",
        // and what neither may read
        "", ".", ":", ":::", "1", "1.2.3", "1.2.3.", ".1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.-4",
        "1.2.3.04", "01.2.3.4", "1.2.3.4 ", " 1.2.3.4", "1.2.3.0x4", "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1:2:3:4::5:6:7:8",
        "1::2::3", "12345::", "g::", ":1", "1:", ":1::", "1:::2", "::1.2.3", "::1.2.3.4.5",
        "1.2.3.4::", "1:2:3:4:5:6:7:1.2.3.4", "::1%lo", "[::1]", "::01.2.3.4",
        "1:2:3:4:5:1.2.3.4"}) {
    const std::string text_z(text);
    std::array<std::uint8_t, 16> expected{};
    const bool is_v6 = text.find(':') != std::string_view::npos;
    const bool valid = inet_pton(is_v6 ? AF_INET6 : AF_INET, text_z.c_str(), expected.data()) == 1;
    const auto address = IpAddress::parse(text);
    ASSERT_EQ(address.has_value(), valid) << text;
    if (valid) {
      EXPECT_EQ(address->v4, !is_v6) << text;
      EXPECT_EQ(address->bytes, expected) << text;
    }
  }
}

TEST(IpAddress, PrintsTheCanonicalForm) {
  const std::vector<std::array<std::string_view, 2>> cases{
      {"0:0:0:0:0:0:0:0", "::"},
      {"0:0:0:0:0:0:0:1", "::1"},
      {"2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      {"1:0:0:2:0:0:0:3", "1:0:0:2::3"},
      {"fe80:0:0:0:0:0:0:0", "fe80::"},
      {"0:0:3:4:5:6:7:8", "::3:4:5:6:7:8"},
      {"1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"},
      {"00ab:0::", "ab::"},
      {"::ffff:7f00:1", "::ffff:127.0.0.1"},
      {"10.0.0.255", "10.0.0.255"}};
  for (const auto& [given, canonical] : cases) {
    EXPECT_EQ(address_of(given).to_string(), canonical);
  }
}

RC_GTEST_PROP(IpAddress, ComesBackFromItsText, ()) {
  IpAddress address;
  address.v4 = *rc::gen::arbitrary<bool>();
  const std::size_t bytes = address.v4 ? 4 : 16;
  // Many zeros, so that runs of them are met.
  for (std::size_t i = 0; i < bytes; ++i) {
    address.bytes[i] = *rc::gen::weightedOneOf<std::uint8_t>(
        {{3, rc::gen::just<std::uint8_t>(0)}, {1, rc::gen::arbitrary<std::uint8_t>()}});
  }
  const std::string text = address.to_string();
  RC_ASSERT(IpAddress::parse(text) == address);
  if (!address.v4) {
    std::array<std::uint8_t, 16> read{};
    RC_ASSERT(inet_pton(AF_INET6, text.c_str(), read.data()) == 1);
    RC_ASSERT(read == address.bytes);
  }
}

TEST(IsPublic, KnowsEveryRangeOfTheTable) {
  for (const test::TableLine& line : test::read_table("tests/data/ip_addresses.txt")) {
    std::string_view rest = line.text;
    const std::string text = test::take_word(rest);
    EXPECT_EQ(is_public(address_of(text)), rest == "public") << text;
  }
}

TEST(IsPublic, AgreesWithTheRangesAroundEveryBoundary) {
  for (const Range& range : kSpecialRanges) {
    for (std::uint32_t offset = 0; offset < 600; ++offset) {
      for (const std::uint32_t value : {range.first - 300 + offset, range.last - 300 + offset}) {
        ASSERT_EQ(is_public(v4(value)), is_public_by_ranges(value)) << v4(value).to_string();
      }
    }
  }
}

TEST(IsPublic, AgreesWithTheRangesInEveryNetworkOfSixteenBits) {
  for (std::uint32_t network = 0; network < 0x10000; ++network) {
    for (const std::uint32_t host : {0x0000U, 0x0001U, 0x7fffU, 0xffffU}) {
      const std::uint32_t value = (network << 16) | host;
      ASSERT_EQ(is_public(v4(value)), is_public_by_ranges(value)) << v4(value).to_string();
    }
  }
}

TEST(IsPublic, AgreesWithTheRangesInEveryNetworkOf24BitsWhereRangesAreSmall) {
  for (const std::uint32_t first : {100U, 168U, 169U, 172U, 192U, 198U, 203U}) {
    for (std::uint32_t network = 0; network < 0x10000; ++network) {
      for (const std::uint32_t host : {0U, 16U, 255U}) {
        const std::uint32_t value = (first << 24) | (network << 8) | host;
        ASSERT_EQ(is_public(v4(value)), is_public_by_ranges(value)) << v4(value).to_string();
      }
    }
  }
}

RC_GTEST_PROP(IsPublic, AgreesWithTheRangesAnywhere, (std::uint32_t value)) {
  RC_ASSERT(is_public(v4(value)) == is_public_by_ranges(value));
}

RC_GTEST_PROP(IsPublic, JudgesAMappedAddressAsTheOneInIt, (std::uint32_t value)) {
  const IpAddress mapped = address_of("::ffff:" + v4(value).to_string());
  RC_ASSERT(is_public(mapped) == is_public(v4(value)));
  RC_ASSERT(mapped.unmapped() == v4(value));
}

TEST(ClientNetwork, IsTheAddressOfV4AndTheFirst64BitsOfV6) {
  EXPECT_EQ(address_of("192.0.2.7").client_network(), address_of("192.0.2.7"));
  EXPECT_EQ(address_of("::ffff:192.0.2.7").client_network(), address_of("192.0.2.7"));
  EXPECT_EQ(address_of("2001:db8:1:2:3:4:5:6").client_network(), address_of("2001:db8:1:2::"));
  EXPECT_EQ(address_of("2001:db8:1:2:ffff::").client_network(), address_of("2001:db8:1:2::"));
  EXPECT_EQ(address_of("2001:db8:1:3::1").client_network(), address_of("2001:db8:1:3::"));
}

// Every range but the single addresses begins and ends with a /24.
TEST(IsPublic, AgreesWithTheRangesAtBothEndsOfEverySlash24) {
  std::size_t next = 0;
  for (std::uint64_t value = 0; value <= 0xffffffff; value += (value & 0xff) == 0 ? 255 : 1) {
    while (next < kSpecialRanges.size() && value > kSpecialRanges[next].last) ++next;
    const bool special = next < kSpecialRanges.size() && value >= kSpecialRanges[next].first;
    if (is_public(v4(static_cast<std::uint32_t>(value))) == special) {
      FAIL() << v4(static_cast<std::uint32_t>(value)).to_string();
    }
  }
}

TEST(Network, ReadsPrefixesAndPorts) {
  const auto dev = Network::parse("127.0.0.0/8:18000-18999");
  ASSERT_TRUE(dev.has_value());
  EXPECT_EQ(dev->prefix_bits, 8U);
  EXPECT_EQ(dev->port_first, 18000);
  EXPECT_EQ(dev->port_last, 18999);
  const auto one_port = Network::parse("10.1.2.3/32:8080");
  ASSERT_TRUE(one_port.has_value());
  EXPECT_EQ(one_port->port_first, 8080);
  EXPECT_EQ(one_port->port_last, 8080);
  const auto v6 = Network::parse("[fd00::]/8:443");
  ASSERT_TRUE(v6.has_value());
  EXPECT_FALSE(v6->address.v4);
  EXPECT_EQ(v6->prefix_bits, 8U);
  EXPECT_EQ(v6->port_first, 443);
  EXPECT_EQ(Network::parse("fd00::/8:443"), v6);
  const auto any_port = Network::parse("10.0.0.0/8");
  ASSERT_TRUE(any_port.has_value());
  EXPECT_EQ(any_port->port_first, 0);
  EXPECT_EQ(any_port->port_last, 65535);
}

TEST(Network, TakesAnAddressWithoutAPrefixAsThatAddressAlone) {
  EXPECT_EQ(Network::parse("127.0.0.1"), Network::parse("127.0.0.1/32"));
  EXPECT_EQ(Network::parse("::1"), Network::parse("::1/128"));
  EXPECT_EQ(Network::parse("[::1]"), Network::parse("::1/128"));
  EXPECT_EQ(Network::parse("127.0.0.1:80"), Network::parse("127.0.0.1/32:80"));
  EXPECT_EQ(Network::parse("[::1]:80"), Network::parse("[::1]/128:80"));
  EXPECT_EQ(Network::parse("1:2:3:4:5:6:1.2.3.4"), Network::parse("1:2:3:4:5:6:102:304/128"));
}

TEST(Network, RefusesWhatIsNone) {
  for (const std::string_view text : {"",
                                      "/8",
                                      "10.0.0.0/",
                                      "10.0.0.0/33",
                                      "10.0.0.0/-1",
                                      "10.0.0.0/08",
                                      "10.0.0.0/8:",
                                      "10.0.0.0/8:0",
                                      "10.0.0.0/8:65536",
                                      "10.0.0.0/8:90-80",
                                      "10.0.0.0/8:80-",
                                      "10.0.0.0/8:-80",
                                      "10.0.0.0/8:80-90-100",
                                      "10.0.0.0/8/8",
                                      "10.0.0.0 /8",
                                      "10.0.0.0/8 ",
                                      "10.1.2.3/8",
                                      "::1/129",
                                      "fd00::1/8",
                                      "[::1",
                                      "::1]",
                                      "[10.0.0.0]/8",
                                      "[::1]x",
                                      "localhost",
                                      "10.0.0.0/255.0.0.0"}) {
    EXPECT_FALSE(Network::parse(text).has_value()) << text;
  }
}

TEST(Network, ContainsExactlyItsAddressesAndPorts) {
  const Network network = *Network::parse("172.16.0.0/12:8000-8001");
  EXPECT_TRUE(network.contains(address_of("172.16.0.0")));
  EXPECT_TRUE(network.contains(address_of("172.31.255.255")));
  EXPECT_FALSE(network.contains(address_of("172.15.255.255")));
  EXPECT_FALSE(network.contains(address_of("172.32.0.0")));
  EXPECT_TRUE(network.contains(address_of("::ffff:172.16.0.1")));
  EXPECT_FALSE(network.contains(address_of("ac10::1")));
  EXPECT_TRUE(network.contains(address_of("172.16.0.1"), 8000));
  EXPECT_TRUE(network.contains(address_of("172.16.0.1"), 8001));
  EXPECT_FALSE(network.contains(address_of("172.16.0.1"), 7999));
  EXPECT_FALSE(network.contains(address_of("172.16.0.1"), 8002));
  EXPECT_TRUE(Network::parse("0.0.0.0/0")->contains(address_of("255.255.255.255")));
  EXPECT_FALSE(Network::parse("0.0.0.0/0")->contains(address_of("::1")));
  EXPECT_TRUE(Network::parse("::/0")->contains(address_of("::1")));
  EXPECT_FALSE(Network::parse("::1/128")->contains(address_of("::2")));
}

RC_GTEST_PROP(Network, ContainsWhatSharesItsPrefix, (std::uint32_t base, std::uint32_t other)) {
  const auto bits = *rc::gen::inRange(0U, 33U);
  const std::uint32_t mask = bits == 0 ? 0 : 0xffffffffU << (32 - bits);
  const auto network = Network::parse(v4(base & mask).to_string() + "/" + std::to_string(bits));
  RC_ASSERT(network.has_value());
  RC_ASSERT(network->contains(v4(base)));
  RC_ASSERT(network->contains(v4(other)) == ((base & mask) == (other & mask)));
}

TEST(MayCall, AsksForAPublicAddressOrAnAdmittedOne) {
  TargetPolicy policy;
  policy.allow_networks.push_back(*Network::parse("127.0.0.0/8:18000-18999"));
  EXPECT_TRUE(may_call(policy, address_of("93.184.216.34"), 443));
  EXPECT_TRUE(may_call(policy, address_of("127.0.0.1"), 18080));
  EXPECT_TRUE(may_call(policy, address_of("::ffff:127.0.0.1"), 18080));
  EXPECT_FALSE(may_call(policy, address_of("127.0.0.1"), 22));
  EXPECT_FALSE(may_call(policy, address_of("::1"), 18080));
  EXPECT_FALSE(may_call(policy, address_of("169.254.169.254"), 80));
  EXPECT_FALSE(may_call(TargetPolicy(), address_of("127.0.0.1"), 18080));
}

}  // namespace
}  // namespace triggerd::model
