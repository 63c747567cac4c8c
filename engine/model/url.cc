#include "engine/model/url.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "engine/model/limits.h"

namespace triggerd::model {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

constexpr std::size_t kHostBytesMax = 253;
constexpr std::size_t kLabelBytesMax = 63;
constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kHttpsPort = 443;
constexpr std::uint16_t kFirstFreePort = 1024;

// Ports from 1024 on behind which something listens that must not be talked to by strangers:
// databases, queues, remote control. The ports below 1024 are refused but for 80 and 443.
constexpr std::array<std::uint16_t, 37> kRefusedPorts{
    1080, 1433, 1434, 1521, 1723, 2049, 2181, 2375, 2376,  2379,  2380, 3128, 3306,
    3389, 4369, 5060, 5061, 5432, 5672, 5900, 5984, 5985,  5986,  6000, 6379, 6666,
    6667, 7000, 7001, 8086, 9042, 9092, 9200, 9300, 10250, 11211, 27017};
static_assert(std::is_sorted(kRefusedPorts.begin(), kRefusedPorts.end()));

// Names of machines nearby (RFC 6761, RFC 6762, RFC 8375, ICANN's .internal), besides localhost.
constexpr std::array<std::string_view, 4> kLocalSuffixes{"local", "internal", "localdomain",
                                                         "home.arpa"};

Error refused(std::string_view why) {
  return Error{ErrorCode::kInvalid, "target_url: " + std::string(why)};
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_lower_letter(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_hex_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

std::string to_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// pchar of RFC 3986 without percent-encodings.
bool is_path_character(char c) {
  constexpr std::string_view marks = "-._~!$&'()*+,;=:@";
  return is_digit(c) || is_lower_letter(c) || (c >= 'A' && c <= 'Z') ||
         marks.find(c) != std::string_view::npos;
}

// Is `name` the suffix itself or a name under it?
bool is_under(std::string_view name, std::string_view suffix) {
  if (!name.ends_with(suffix)) return false;
  return name.size() == suffix.size() || name[name.size() - suffix.size() - 1] == '.';
}

// Would an address parser take the last label for a number (so that "127.1" or "0x7f.1" reach
// somewhere)? WHATWG URL, "ends in a number".
bool ends_in_number(std::string_view host) {
  const std::size_t dot = host.rfind('.');
  const std::string_view label = dot == std::string_view::npos ? host : host.substr(dot + 1);
  if (label.empty()) return false;
  if (std::all_of(label.begin(), label.end(), is_digit)) return true;
  return label.starts_with("0x") && std::all_of(label.begin() + 2, label.end(), is_hex_digit);
}

Status check_bytes(std::string_view text) {
  if (text.empty()) return refused("must not be empty; give an absolute https URL");
  if (text.size() > kUrlBytesMax) {
    return refused("is longer than " + std::to_string(kUrlBytesMax) + " bytes; shorten it");
  }
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7f) {
      return refused("has a space or control character; percent-encode it or take it out");
    }
    if (byte >= 0x80) {
      return refused(
          "has a non-ASCII character; percent-encode it in the path, write the host as xn--");
    }
    if (c == '\\') return refused("has a backslash; write '/'");
  }
  return Status();
}

// Labels of letters, digits and hyphens, in lower case.
Status check_name(std::string_view host) {
  if (host.size() > kHostBytesMax) {
    return refused("has a host of more than 253 bytes; shorten it");
  }
  if (host.back() == '.') return refused("has a host that ends in a dot; take the dot out");
  std::string_view rest = host;
  for (;;) {
    const std::size_t dot = rest.find('.');
    const std::string_view label = rest.substr(0, dot);
    if (label.empty()) return refused("has a host with an empty label; take the double dot out");
    if (label.size() > kLabelBytesMax) {
      return refused("has a host label of more than 63 bytes; shorten it");
    }
    const bool all_allowed = std::all_of(label.begin(), label.end(), [](char c) {
      return is_lower_letter(c) || is_digit(c) || c == '-';
    });
    if (!all_allowed || label.front() == '-' || label.back() == '-') {
      return refused(
          "has a host that is not a DNS name; use letters, digits and inner hyphens, separated by "
          "dots");
    }
    if (dot == std::string_view::npos) return Status();
    rest.remove_prefix(dot + 1);
  }
}

// Is some entry open for this port, whatever its addresses?
bool has_network_on(const TargetPolicy& policy, std::uint16_t port) {
  return std::any_of(policy.allow_networks.begin(), policy.allow_networks.end(),
                     [port](const Network& network) {
                       return port >= network.port_first && port <= network.port_last;
                     });
}

bool is_admitted(const TargetPolicy& policy, const IpAddress& address, std::uint16_t port) {
  return std::any_of(
      policy.allow_networks.begin(), policy.allow_networks.end(),
      [&address, port](const Network& network) { return network.contains(address, port); });
}

bool is_loopback_admitted(const TargetPolicy& policy, std::uint16_t port) {
  IpAddress loopback_v4;
  loopback_v4.bytes = {127, 0, 0, 1};
  IpAddress loopback_v6;
  loopback_v6.v4 = false;
  loopback_v6.bytes[15] = 1;
  return is_admitted(policy, loopback_v4, port) || is_admitted(policy, loopback_v6, port);
}

Status check_port_of_name(std::uint16_t port) {
  const bool free = port == kHttpPort || port == kHttpsPort || port >= kFirstFreePort;
  if (!free || std::binary_search(kRefusedPorts.begin(), kRefusedPorts.end(), port)) {
    return refused("names port " + std::to_string(port) +
                   ", which is not for webhooks; use 443 or an unprivileged port");
  }
  return Status();
}

// Host and port against the policy. What allow_networks admits by address needs no port policy:
// the operator has named the ports there.
Status check_policy(const TargetUrl& url, const TargetPolicy& policy) {
  if (url.literal) {
    if (is_admitted(policy, *url.literal, url.port)) return Status();
    return refused("has an IP address as host; use a public DNS name");
  }
  if (is_under(url.host, "localhost")) {
    if (is_loopback_admitted(policy, url.port)) return Status();
    return refused("names localhost; use a public DNS name");
  }
  const bool is_local =
      std::any_of(kLocalSuffixes.begin(), kLocalSuffixes.end(),
                  [&url](std::string_view suffix) { return is_under(url.host, suffix); });
  if (is_local && !has_network_on(policy, url.port)) {
    return refused("names a host of a local network; use a public DNS name");
  }
  return check_port_of_name(url.port);
}

Result<std::uint16_t> parse_port(std::string_view text) {
  const bool is_number =
      !text.empty() && text.size() <= 5 && std::all_of(text.begin(), text.end(), is_digit);
  unsigned value = 0;
  for (const char c : is_number ? text : std::string_view()) {
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  if (value == 0 || value > 65535 || text.front() == '0') {
    return refused("has a malformed port; write 1 to 65535 without sign and leading zeros");
  }
  return static_cast<std::uint16_t>(value);
}

// "host", "host:port" or "[v6]:port" into host, literal and port.
Status parse_authority(std::string_view authority, TargetUrl& url) {
  if (authority.find('@') != std::string_view::npos) {
    return refused("has a user name; take it out and use custom_headers for credentials");
  }
  std::string_view host = authority;
  std::string_view behind;
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) return refused("has an unclosed '['; close it");
    host = authority.substr(1, close - 1);
    behind = authority.substr(close + 1);
    const std::optional<IpAddress> address = IpAddress::parse(host);
    if (!address || address->v4) {
      return refused("has brackets around what is no IPv6 address (zone ids are not taken)");
    }
    url.literal = address;
    url.host = address->to_string();
  } else {
    const std::size_t colon = authority.find(':');
    host = authority.substr(0, colon);
    if (colon != std::string_view::npos) behind = authority.substr(colon);
    if (host.empty()) return refused("has no host; give an absolute https URL");
    url.host = to_lower(host);
    if (ends_in_number(url.host)) {
      url.literal = IpAddress::parse(url.host);
      if (!url.literal) return refused("has a malformed host; use a public DNS name");
    } else {
      Status name = check_name(url.host);
      if (!name.ok()) return name;
    }
  }
  if (behind.empty()) return Status();
  if (behind.front() != ':') return refused("has characters between host and path; take them out");
  const Result<std::uint16_t> port = parse_port(behind.substr(1));
  if (!port.ok()) return port.error();
  url.port = port.value();
  return Status();
}

// Is the segment "." or "..", also when written with %2e?
bool is_dot_segment(std::string_view segment) {
  std::size_t dots = 0;
  while (!segment.empty()) {
    if (segment.front() == '.') {
      segment.remove_prefix(1);
    } else if (segment.starts_with("%2e") || segment.starts_with("%2E")) {
      segment.remove_prefix(3);
    } else {
      return false;
    }
    ++dots;
  }
  return dots == 1 || dots == 2;
}

// `path` is empty or begins with '/'.
Status check_path(std::string_view path) {
  for (std::size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    if (c == '?') return refused("has a query; take it out, send values in custom_headers");
    if (c == '#') return refused("has a fragment; take it out");
    if (c == '%') {
      if (i + 2 >= path.size() || !is_hex_digit(path[i + 1]) || !is_hex_digit(path[i + 2])) {
        return refused("has a '%' without two hexadecimal digits behind it; write it as %25");
      }
    } else if (c != '/' && !is_path_character(c)) {
      return refused("has a character that a path may not have; percent-encode it");
    }
  }
  std::string_view rest = path;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::size_t slash = rest.find('/');
    if (is_dot_segment(rest.substr(0, slash))) {
      return refused("has a path segment '.' or '..'; write the path without it");
    }
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash);
  }
  return Status();
}

std::string bracketed(const TargetUrl& url) {
  if (url.literal && !url.literal->v4) return "[" + url.host + "]";
  return url.host;
}

}  // namespace

std::string TargetUrl::to_string() const {
  std::string out = https ? "https://" : "http://";
  out += bracketed(*this);
  if (port != (https ? kHttpsPort : kHttpPort)) out += ":" + std::to_string(port);
  return out + path;
}

std::string TargetUrl::origin() const {
  return (https ? "https://" : "http://") + bracketed(*this) + ":" + std::to_string(port);
}

Result<TargetUrl> parse_target_url(std::string_view text, const TargetPolicy& policy) {
  if (Status bytes = check_bytes(text); !bytes.ok()) return bytes.error();
  TargetUrl url;
  const std::size_t mark = text.find("://");
  const std::string scheme = to_lower(text.substr(0, mark));
  const bool is_http = scheme == "http";
  if (mark == std::string_view::npos || (scheme != "https" && !is_http)) {
    return refused("is not an absolute https URL; begin it with https://");
  }
  if (is_http && !policy.allow_http) return refused("has the scheme http; use https");
  url.https = !is_http;
  url.port = is_http ? kHttpPort : kHttpsPort;

  const std::string_view rest = text.substr(mark + 3);
  const std::size_t authority_end = std::min(rest.find_first_of("/?#"), rest.size());
  if (Status authority = parse_authority(rest.substr(0, authority_end), url); !authority.ok()) {
    return authority.error();
  }
  const std::string_view path = rest.substr(authority_end);
  if (Status canonical = check_path(path); !canonical.ok()) return canonical.error();
  if (Status allowed = check_policy(url, policy); !allowed.ok()) return allowed.error();
  url.path = path.empty() ? "/" : std::string(path);
  return url;
}

}  // namespace triggerd::model
