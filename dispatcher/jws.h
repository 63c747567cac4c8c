// The compact serialisation of RFC 7515 for ES256 (RFC 7518 section 3.4): the header, and the two
// forms of a signature. Pure; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace triggerd::dispatcher {

// R and S, 32 bytes each, big-endian, padded on the left.
inline constexpr std::size_t kEs256SignatureBytes = 64;
using Es256Signature = std::array<std::uint8_t, kEs256SignatureBytes>;

// base64url of {"alg":"ES256","kid":"KID"}; no `typ`, as receivers know it. Made once per key.
[[nodiscard]] std::string encoded_header(std::string_view kid);

// From OpenSSL's form: SEQUENCE { INTEGER r, INTEGER s } in DER. Nothing when it is not that.
//
//   30 len  02 len_r r…  02 len_s s…      r, s: 1 to 33 bytes, a leading 00 where the top bit is 1
[[nodiscard]] std::optional<Es256Signature> signature_from_der(std::span<const std::uint8_t> der);
// The way back, for verifying. Requires: nothing; any 64 bytes have a form.
[[nodiscard]] std::string signature_to_der(const Es256Signature& signature);

}  // namespace triggerd::dispatcher
