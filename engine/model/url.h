// The one strict, canonical parser of target URLs: what it accepts, every other parser reads alike.
// CONTRACT B3.1 and A8; RELIABILITY 6.2 and 6.3.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/status.h"
#include "engine/model/network.h"

namespace triggerd::model {

struct TargetUrl {
  bool https = true;
  std::string host;                  // lower case; an IPv6 literal without brackets
  std::optional<IpAddress> literal;  // when the host is an address
  std::uint16_t port = 443;          // the scheme's default when not given
  std::string path;                  // "/" when empty

  // Re-serialised: what libcurl is given. The default port is left out.
  [[nodiscard]] std::string to_string() const;
  // scheme://host:port, the identity of a destination: pools, caps and I/O threads go by it.
  [[nodiscard]] std::string origin() const;
};

// Refuses everything that is not canonical: userinfo, query, fragment, backslash, control bytes,
// non-ASCII, numeric or malformed hosts, ports outside the policy, names such as localhost.
// `policy` relaxes http, address literals and local names as CONTRACT A8 says.
// The error message names target_url, the fault and the fix.
[[nodiscard]] base::Result<TargetUrl> parse_target_url(std::string_view text,
                                                       const TargetPolicy& policy);

}  // namespace triggerd::model
