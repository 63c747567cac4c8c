// Chance from the system's generator, drawn in blocks. Good enough for ids and keys.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/base/random.h"

namespace triggerd::app {

// One per thread.
class SystemRandom final : public base::Random {
 public:
  std::uint64_t next() override;

 private:
  std::array<std::uint64_t, 64> block_{};
  std::size_t used_ = 64;
};

}  // namespace triggerd::app
