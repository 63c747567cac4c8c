// Which client a request comes from, also through reverse proxies.
#pragma once

#include <vector>

#include "api/http.h"
#include "engine/model/network.h"

namespace triggerd::api {

// The peer; when it is a trusted proxy, the address that X-Forwarded-For names last, and so on from
// right to left while the one named is a trusted proxy too. An entry that is not a plain address
// ends the way: what stands left of it is hearsay. Mapped IPv4 addresses are given as IPv4. A peer
// that cannot be told gives ::.
[[nodiscard]] model::IpAddress client_address(const HttpRequest& request,
                                              const std::vector<model::Network>& trusted_proxies);

}  // namespace triggerd::api
