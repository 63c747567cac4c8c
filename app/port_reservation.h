// A TCP port chosen by the system and held until the listeners of all I/O loops are open on it, so
// that the address is known before the first token names it.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/status.h"

namespace triggerd::app {

// Bound with SO_REUSEPORT and never listening: whoever connects meanwhile is refused.
class PortReservation {
 public:
  // `address` is an IPv4 or IPv6 literal. kUnavailable: it can not be bound.
  [[nodiscard]] static base::Result<PortReservation> make(const std::string& address);
  ~PortReservation();
  PortReservation(PortReservation&& other) noexcept;
  PortReservation& operator=(PortReservation&&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  PortReservation(int descriptor, std::uint16_t port) : descriptor_(descriptor), port_(port) {}

  int descriptor_;
  std::uint16_t port_;
};

}  // namespace triggerd::app
