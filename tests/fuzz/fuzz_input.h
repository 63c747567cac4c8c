// The bytes of one fuzz case. Every target defines LLVMFuzzerTestOneInput, returns 0, keeps no
// state from case to case, and fails with TRIGGERD_ASSERT.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

// libFuzzer's name for it, and replay_main.cc's.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size);  // NOLINT

namespace triggerd::fuzz {

// Takes choices from the front; what is left is the text under test. Borrows.
class Input {
 public:
  Input(const std::uint8_t* bytes, std::size_t size)
      : rest_(reinterpret_cast<const char*>(bytes), size) {}

  // 0 when nothing is left.
  std::uint8_t take_byte() {
    if (rest_.empty()) return 0;
    const auto byte = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return byte;
  }
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

}  // namespace triggerd::fuzz
