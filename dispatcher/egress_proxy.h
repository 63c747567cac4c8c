// The HTTP proxy that every call goes through, where one is configured ([targets] proxy).
//
// Names of receivers are then looked up by the proxy, and it is the proxy's address that is checked
// and connected to: to keep calls away from private networks is up to the proxy. https goes through
// a tunnel (CONNECT), so that the proxy sees neither the request nor the answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/status.h"
#include "engine/model/network.h"

namespace triggerd::dispatcher {

struct EgressProxy {
  std::string host;  // a name, or an address without brackets
  std::uint16_t port = 0;
  std::optional<model::IpAddress> literal{};  // when the host is an address
};

// "http://proxy.example:3128": scheme, host and port, and nothing else. kInvalid says what it
// takes.
[[nodiscard]] base::Result<EgressProxy> parse_egress_proxy(std::string_view text);

}  // namespace triggerd::dispatcher
