#include "dispatcher/address_guard.h"

#include <cstddef>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace triggerd::dispatcher {

std::optional<Endpoint> endpoint_of(const sockaddr* address, std::size_t length) {
  Endpoint endpoint;
  if (length >= sizeof(sockaddr_in) && address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    std::memcpy(endpoint.address.bytes.data(), &v4.sin_addr, 4);
    endpoint.port = ntohs(v4.sin_port);
    return endpoint;
  }
  if (length >= sizeof(sockaddr_in6) && address->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, address, sizeof v6);
    endpoint.address.v4 = false;
    std::memcpy(endpoint.address.bytes.data(), &v6.sin6_addr, 16);
    endpoint.port = ntohs(v6.sin6_port);
    return endpoint;
  }
  return std::nullopt;
}

bool AddressGuard::may_call(const model::IpAddress& address, std::uint16_t port) const {
  return model::may_call(policy_, address, port);
}

std::vector<model::IpAddress> AddressGuard::callable(std::string_view host,
                                                     const std::vector<model::IpAddress>& addresses,
                                                     std::uint16_t port) const {
  const bool loopback_name = host == "localhost" || host.ends_with(".localhost");
  std::vector<model::IpAddress> allowed;
  for (const model::IpAddress& address : addresses) {
    if (may_call(address, port)) {
      allowed.push_back(address);
    } else if (!loopback_name) {
      return {};
    }
  }
  return allowed;
}

}  // namespace triggerd::dispatcher
