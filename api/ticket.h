// Names something that waits; never reused while the process lives. The zero one names nothing.
#pragma once

#include <cstdint>

namespace triggerd::api {

struct Ticket {
  std::uint32_t slot = 0;
  std::uint64_t serial = 0;
};

}  // namespace triggerd::api
