// base64url without padding (RFC 4648 section 5, RFC 7515 section 2). Pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace triggerd::dispatcher {

// Characters that `bytes` bytes take.
[[nodiscard]] constexpr std::size_t base64url_length(std::size_t bytes) {
  return bytes / 3 * 4 + (bytes % 3 == 0 ? 0 : bytes % 3 + 1);
}

// Appends the encoding of `bytes` to `out`; no other allocation than the growth of `out`.
// Requires: fewer than 2^30 bytes.
void append_base64url(std::string& out, std::string_view bytes);
[[nodiscard]] std::string base64url(std::string_view bytes);

// Strict: nothing for padding, white space, foreign characters, an impossible length, or unused
// bits that are not zero. Each sequence of bytes has one accepted form.
[[nodiscard]] std::optional<std::string> decode_base64url(std::string_view text);

}  // namespace triggerd::dispatcher
