#include "app/system_random.h"

#include <openssl/rand.h>

#include "engine/base/assert.h"

namespace triggerd::app {

std::uint64_t SystemRandom::next() {
  if (used_ == block_.size()) {
    TRIGGERD_ASSERT(RAND_bytes(reinterpret_cast<unsigned char*>(block_.data()),
                               static_cast<int>(sizeof(block_))) == 1);
    used_ = 0;
  }
  const std::uint64_t value = block_[used_];
  block_[used_++] = 0;
  return value;
}

}  // namespace triggerd::app
