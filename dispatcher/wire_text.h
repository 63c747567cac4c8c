// Numbers and ids as they stand in bodies and headers. Pure; any thread.
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <string>

#include "engine/base/ids.h"

namespace triggerd::dispatcher {

inline void append_number(std::string& out, std::int64_t number) {
  std::array<char, 20> digits{};
  const std::to_chars_result end =
      std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out.append(digits.data(), end.ptr);
}

inline void append_uuid(std::string& out, const base::Uuid& uuid) {
  std::array<char, 36> text{};
  uuid.write_to(text.data());
  out.append(text.data(), text.size());
}

}  // namespace triggerd::dispatcher
