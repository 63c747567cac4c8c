#include "engine/model/network.h"

#include <algorithm>
#include <cstddef>

namespace triggerd::model {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// A decimal number without sign and leading zeros, at most `max` (below 2^31).
std::optional<unsigned> parse_decimal(std::string_view text, unsigned max) {
  if (text.empty() || text.size() > 9 || (text.size() > 1 && text.front() == '0')) {
    return std::nullopt;
  }
  unsigned value = 0;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  if (value > max) return std::nullopt;
  return value;
}

// Four decimal octets into out[0..3].
bool parse_octets(std::string_view text, std::uint8_t* out) {
  for (int i = 0; i < 4; ++i) {
    const std::size_t dot = text.find('.');
    if ((dot == std::string_view::npos) != (i == 3)) return false;
    const std::optional<unsigned> octet = parse_decimal(text.substr(0, dot), 255);
    if (!octet) return false;
    out[i] = static_cast<std::uint8_t>(*octet);
    if (i < 3) text.remove_prefix(dot + 1);
  }
  return true;
}

std::optional<unsigned> parse_hex_group(std::string_view text) {
  if (text.empty() || text.size() > 4) return std::nullopt;
  unsigned value = 0;
  for (const char c : text) {
    unsigned digit = 0;
    if (is_digit(c)) {
      digit = static_cast<unsigned>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<unsigned>(c - 'a') + 10;
    } else if (c >= 'A' && c <= 'F') {
      digit = static_cast<unsigned>(c - 'A') + 10;
    } else {
      return std::nullopt;
    }
    value = value * 16 + digit;
  }
  return value;
}

// Groups of 16 bits separated by ':', on one side of a "::" or all eight. Writes them to `out`,
// which has 16 bytes, and gives their number of bytes. `Tail`: may end in a dotted quad.
enum class Tail : std::uint8_t { kGroupsOnly, kMayBeDotted };
std::optional<std::size_t> parse_groups(std::string_view text, Tail tail, std::uint8_t* out) {
  std::size_t bytes = 0;
  if (text.empty()) return bytes;
  for (;;) {
    const std::size_t colon = text.find(':');
    const bool last = colon == std::string_view::npos;
    const std::string_view group = text.substr(0, colon);
    if (last && tail == Tail::kMayBeDotted && group.find('.') != std::string_view::npos) {
      if (bytes > 12 || !parse_octets(group, out + bytes)) return std::nullopt;
      return bytes + 4;
    }
    const std::optional<unsigned> value = parse_hex_group(group);
    if (!value || bytes > 14) return std::nullopt;
    out[bytes] = static_cast<std::uint8_t>(*value >> 8);
    out[bytes + 1] = static_cast<std::uint8_t>(*value & 0xffU);
    bytes += 2;
    if (last) return bytes;
    text.remove_prefix(colon + 1);
  }
}

std::optional<IpAddress> parse_v6(std::string_view text) {
  IpAddress address;
  address.v4 = false;
  const std::size_t gap = text.find("::");
  if (gap == std::string_view::npos) {
    const auto bytes = parse_groups(text, Tail::kMayBeDotted, address.bytes.data());
    if (bytes != std::size_t{16}) return std::nullopt;
    return address;
  }
  std::array<std::uint8_t, 16> back{};
  const auto front_bytes =
      parse_groups(text.substr(0, gap), Tail::kGroupsOnly, address.bytes.data());
  const auto back_bytes = parse_groups(text.substr(gap + 2), Tail::kMayBeDotted, back.data());
  // "::" stands for at least one group.
  if (!front_bytes || !back_bytes || *front_bytes + *back_bytes > 14) return std::nullopt;
  std::copy_n(back.begin(), *back_bytes,
              address.bytes.end() - static_cast<std::ptrdiff_t>(*back_bytes));
  return address;
}

unsigned group_at(const IpAddress& address, std::size_t index) {
  return (static_cast<unsigned>(address.bytes[2 * index]) << 8) | address.bytes[2 * index + 1];
}

std::string octets_to_string(const std::uint8_t* octets) {
  std::string out;
  for (int i = 0; i < 4; ++i) {
    if (i > 0) out.push_back('.');
    out += std::to_string(octets[i]);
  }
  return out;
}

void append_hex(std::string& out, unsigned value) {
  constexpr std::string_view digits = "0123456789abcdef";
  bool started = false;
  for (int shift = 12; shift >= 0; shift -= 4) {
    const unsigned digit = (value >> shift) & 0xfU;
    started = started || digit != 0 || shift == 0;
    if (started) out.push_back(digits[digit]);
  }
}

bool is_mapped(const IpAddress& address) {
  return !address.v4 &&
         std::all_of(address.bytes.begin(), address.bytes.begin() + 10,
                     [](std::uint8_t byte) { return byte == 0; }) &&
         address.bytes[10] == 0xff && address.bytes[11] == 0xff;
}

// RFC 5952: lower case, the first longest run of two or more zero groups as "::".
std::string v6_to_string(const IpAddress& address) {
  if (is_mapped(address)) return "::ffff:" + octets_to_string(address.bytes.data() + 12);
  std::size_t run_at = 8;
  std::size_t run_length = 1;
  for (std::size_t i = 0; i < 8; ++i) {
    std::size_t length = 0;
    while (i + length < 8 && group_at(address, i + length) == 0) ++length;
    if (length > run_length) {
      run_at = i;
      run_length = length;
    }
  }
  std::string out;
  for (std::size_t i = 0; i < 8; ++i) {
    if (i == run_at) {
      out += "::";
      i += run_length - 1;
      continue;
    }
    if (!out.empty() && out.back() != ':') out.push_back(':');
    append_hex(out, group_at(address, i));
  }
  return out;
}

// The special-purpose registry of IPv4 (RFC 6890 and its updates) and the cloud host agents. By
// first octet: nearly every address is decided by one jump.
bool is_public_v4(unsigned a, unsigned b, unsigned c, unsigned d) {
  switch (a) {
    case 0:    // this network
    case 10:   // private
    case 127:  // loopback
      return false;
    case 100:  // 100.64/10 shared
      return (b & 0xc0U) != 64;
    case 168:  // 168.63.129.16 Azure host agent
      return b != 63 || c != 129 || d != 16;
    case 169:  // 169.254/16 link-local, metadata
      return b != 254;
    case 172:  // 172.16/12 private
      return (b & 0xf0U) != 16;
    case 192:
      return !((b == 0 && (c == 0 || c == 2)) ||  // IETF, documentation
               (b == 31 && c == 196) ||           // AS112
               (b == 52 && c == 193) ||           // AMT
               (b == 88 && c == 99) ||            // 6to4 relay
               b == 168 ||                        // private
               (b == 175 && c == 48));            // AS112
    case 198:                                     // 198.18/15 benchmarking, documentation
      return (b & 0xfeU) != 18 && !(b == 51 && c == 100);
    case 203:  // documentation
      return b != 0 || c != 113;
    default:  // from 224: multicast, reserved, broadcast
      return a < 224;
  }
}

// Only global unicast, without what IANA's special-purpose registry takes out of it.
bool is_public_v6(const IpAddress& address) {
  const unsigned first = group_at(address, 0);
  const unsigned second = group_at(address, 1);
  const unsigned third = group_at(address, 2);
  if ((first & 0xe000U) != 0x2000) return false;
  if (first == 0x2001 && second < 0x0200) return false;   // 2001::/23: Teredo, ORCHID and others
  if (first == 0x2001 && second == 0x0db8) return false;  // documentation
  if (first == 0x2002) return false;                      // 6to4
  if (first == 0x2620 && second == 0x004f && third == 0x8000) return false;  // AS112
  if (first == 0x3fff && second < 0x1000) return false;  // 3fff::/20 documentation
  return true;
}

bool same_prefix(const IpAddress& left, const IpAddress& right, unsigned bits) {
  const auto whole = static_cast<std::ptrdiff_t>(bits / 8);
  if (!std::equal(left.bytes.begin(), left.bytes.begin() + whole, right.bytes.begin())) {
    return false;
  }
  const unsigned rest = bits % 8;
  if (rest == 0) return true;
  const unsigned difference =
      static_cast<unsigned>(left.bytes[bits / 8]) ^ static_cast<unsigned>(right.bytes[bits / 8]);
  return (difference >> (8 - rest)) == 0;
}

// No bit is set behind the prefix: "10.1.2.3/8" is more likely a slip than a wish.
bool has_no_host_bits(const IpAddress& address, unsigned prefix_bits) {
  IpAddress masked = address;
  for (unsigned bit = prefix_bits; bit < 128; ++bit) {
    masked.bytes[bit / 8] =
        static_cast<std::uint8_t>(masked.bytes[bit / 8] & ~(0x80U >> (bit % 8)));
  }
  return masked == address;
}

bool parse_ports(std::string_view text, Network& network) {
  const std::size_t dash = text.find('-');
  const std::optional<unsigned> first = parse_decimal(text.substr(0, dash), 65535);
  const std::optional<unsigned> last =
      dash == std::string_view::npos ? first : parse_decimal(text.substr(dash + 1), 65535);
  if (!first || !last || *first == 0 || *first > *last) return false;
  network.port_first = static_cast<std::uint16_t>(*first);
  network.port_last = static_cast<std::uint16_t>(*last);
  return true;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.find(':') != std::string_view::npos) return parse_v6(text);
  IpAddress address;
  if (!parse_octets(text, address.bytes.data())) return std::nullopt;
  return address;
}

std::string IpAddress::to_string() const {
  return v4 ? octets_to_string(bytes.data()) : v6_to_string(*this);
}

IpAddress IpAddress::unmapped() const {
  if (!is_mapped(*this)) return *this;
  IpAddress inner;
  std::copy_n(bytes.begin() + 12, 4, inner.bytes.begin());
  return inner;
}

IpAddress IpAddress::client_network() const {
  constexpr std::size_t network_bytes = 8;
  IpAddress network = unmapped();
  if (!network.v4) std::fill(network.bytes.begin() + network_bytes, network.bytes.end(), 0);
  return network;
}

std::optional<Network> Network::parse(std::string_view text) {
  Network network;
  std::string_view address_text;
  std::string_view rest;
  if (!text.empty() && text.front() == '[') {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    address_text = text.substr(1, close - 1);
    rest = text.substr(close + 1);
    if (address_text.find(':') == std::string_view::npos) return std::nullopt;
  } else {
    // Without a slash only an IPv4 address may have a port: its one colon cannot be the address's.
    std::size_t end = text.find('/');
    if (end == std::string_view::npos && std::count(text.begin(), text.end(), ':') == 1) {
      end = text.find(':');
    }
    address_text = text.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : text.substr(end);
  }
  const std::optional<IpAddress> address = IpAddress::parse(address_text);
  if (!address) return std::nullopt;
  network.address = *address;
  network.prefix_bits = address->v4 ? 32 : 128;

  if (!rest.empty() && rest.front() == '/') {
    const std::size_t colon = rest.find(':');
    const std::optional<unsigned> bits = parse_decimal(
        rest.substr(1, colon == std::string_view::npos ? colon : colon - 1), network.prefix_bits);
    if (!bits) return std::nullopt;
    network.prefix_bits = *bits;
    rest = colon == std::string_view::npos ? std::string_view() : rest.substr(colon);
  }
  if (!has_no_host_bits(network.address, network.prefix_bits)) return std::nullopt;
  if (rest.empty()) return network;
  if (rest.front() != ':' || !parse_ports(rest.substr(1), network)) return std::nullopt;
  return network;
}

bool Network::contains(const IpAddress& candidate) const {
  const IpAddress inner = candidate.unmapped();
  return inner.v4 == address.v4 && same_prefix(address, inner, prefix_bits);
}

bool Network::contains(const IpAddress& candidate, std::uint16_t port) const {
  return port >= port_first && port <= port_last && contains(candidate);
}

bool is_public(const IpAddress& address) {
  const IpAddress inner = address.unmapped();
  if (!inner.v4) return is_public_v6(inner);
  return is_public_v4(inner.bytes[0], inner.bytes[1], inner.bytes[2], inner.bytes[3]);
}

bool may_call(const TargetPolicy& policy, const IpAddress& address, std::uint16_t port) {
  return is_public(address) ||
         std::any_of(
             policy.allow_networks.begin(), policy.allow_networks.end(),
             [&address, port](const Network& network) { return network.contains(address, port); });
}

}  // namespace triggerd::model
