// IP addresses and networks, as values. The text forms are RFC 4291 and RFC 4632; an IPv4 address
// is four decimal octets without leading zeros, nothing else.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace triggerd::model {

struct IpAddress {
  bool v4 = true;
  std::array<std::uint8_t, 16> bytes{};  // v4: the first four

  // IPv6 without brackets and without a zone id.
  [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;
  // An IPv4-mapped address (::ffff:a.b.c.d) as the IPv4 address in it; others as they are.
  [[nodiscard]] IpAddress unmapped() const;
  // What one client can be told by: an IPv4 address whole, of an IPv6 address the /64 that its
  // network was given (it may choose the rest for each connection).
  [[nodiscard]] IpAddress client_network() const;
  bool operator==(const IpAddress&) const = default;
};

// An address range, optionally narrowed to ports ("127.0.0.0/8", "127.0.0.0/8:18000-18999",
// "10.1.2.3/32:8080", "[fd00::]/8:443").
struct Network {
  IpAddress address;
  unsigned prefix_bits = 32;
  std::uint16_t port_first = 0;
  std::uint16_t port_last = 65535;

  [[nodiscard]] static std::optional<Network> parse(std::string_view text);
  [[nodiscard]] bool contains(const IpAddress& candidate) const;
  [[nodiscard]] bool contains(const IpAddress& candidate, std::uint16_t port) const;
  bool operator==(const Network&) const = default;
};

// Which targets may be called beyond the default (https to public names). CONTRACT A8.
struct TargetPolicy {
  bool allow_http = false;
  std::vector<Network> allow_networks;
};

// Is this address public: outside the special-purpose registries of IANA for IPv4 and IPv6
// (RFC 6890 and its updates), the cloud metadata addresses included? Mapped addresses are judged
// as the IPv4 address in them.
[[nodiscard]] bool is_public(const IpAddress& address);

// May this address be called on this port: public, or admitted by allow_networks?
[[nodiscard]] bool may_call(const TargetPolicy& policy, const IpAddress& address,
                            std::uint16_t port);

}  // namespace triggerd::model
