// May this address be called? Asked for every address of a name after resolution, for the socket
// address when a connection is opened, and for the peer of a connection that is used again.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/socket.h>

#include "engine/model/network.h"

namespace triggerd::dispatcher {

struct Endpoint {
  model::IpAddress address;
  std::uint16_t port = 0;
};

// The IPv4 or IPv6 address in `address`; nothing for other families or a short length.
[[nodiscard]] std::optional<Endpoint> endpoint_of(const sockaddr* address, std::size_t length);

// Thread: that of its owner.
class AddressGuard {
 public:
  explicit AddressGuard(model::TargetPolicy policy) : policy_(std::move(policy)) {}

  // Another policy from the next question on.
  void use(model::TargetPolicy policy) { policy_ = std::move(policy); }

  [[nodiscard]] bool may_call(const model::IpAddress& address, std::uint16_t port) const;
  // Which addresses of `host` an attempt may try: all of them, or none when any one is forbidden,
  // so that a name cannot mix a public answer with a private one. The loopback names of RFC 6761
  // (localhost) are nobody's to mix: of those, the ones that are allowed.
  [[nodiscard]] std::vector<model::IpAddress> callable(
      std::string_view host, const std::vector<model::IpAddress>& addresses,
      std::uint16_t port) const;

 private:
  model::TargetPolicy policy_;
};

}  // namespace triggerd::dispatcher
