#include "app/port_reservation.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

namespace triggerd::app {

base::Result<PortReservation> PortReservation::make(const std::string& address) {
  sockaddr_storage storage{};
  auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
  const bool is_v4 = uv_ip4_addr(address.c_str(), 0, v4) == 0;
  const bool known = is_v4 || uv_ip6_addr(address.c_str(), 0, v6) == 0;
  const int descriptor = known ? socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
  const int on = 1;
  auto* any = reinterpret_cast<sockaddr*>(&storage);
  socklen_t length = is_v4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  if (descriptor < 0 || setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0 ||
      bind(descriptor, any, length) != 0 || getsockname(descriptor, any, &length) != 0) {
    const std::string reason = std::strerror(errno);
    if (descriptor >= 0) close(descriptor);
    return base::Error{base::ErrorCode::kUnavailable,
                       "server.listen: no port can be had on " + address + ": " + reason};
  }
  return PortReservation(descriptor, ntohs(is_v4 ? v4->sin_port : v6->sin6_port));
}

PortReservation::PortReservation(PortReservation&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), port_(other.port_) {}

PortReservation::~PortReservation() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace triggerd::app
