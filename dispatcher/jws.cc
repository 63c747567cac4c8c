#include "dispatcher/jws.h"

#include <algorithm>

#include "dispatcher/base64url.h"
#include "engine/base/log.h"

namespace triggerd::dispatcher {
namespace {

constexpr std::size_t kHalf = kEs256SignatureBytes / 2;
constexpr std::uint8_t kSequence = 0x30;
constexpr std::uint8_t kInteger = 0x02;

// Reads one INTEGER at the front of `der` into the 32 bytes at `out`; moves `der` behind it.
bool take_integer(std::span<const std::uint8_t>& der, std::uint8_t* out) {
  if (der.size() < 3 || der[0] != kInteger) return false;
  const std::size_t length = der[1];
  if (length == 0 || length > der.size() - 2) return false;
  std::span<const std::uint8_t> digits = der.subspan(2, length);
  der = der.subspan(2 + length);
  if (digits[0] >= 0x80) return false;  // negative
  while (digits.size() > 1 && digits[0] == 0) digits = digits.subspan(1);
  if (digits.size() > kHalf) return false;
  std::copy(digits.begin(), digits.end(), out + (kHalf - digits.size()));
  return true;
}

void append_integer(std::string& out, const std::uint8_t* half) {
  const std::uint8_t* const end = half + kHalf;
  const std::uint8_t* first = std::find_if(half, end - 1, [](std::uint8_t b) { return b != 0; });
  const bool sign_byte = *first >= 0x80;
  out += static_cast<char>(kInteger);
  out += static_cast<char>((end - first) + (sign_byte ? 1 : 0));
  if (sign_byte) out += '\0';
  out.append(reinterpret_cast<const char*>(first), static_cast<std::size_t>(end - first));
}

}  // namespace

std::string encoded_header(std::string_view kid) {
  std::string header = R"({"alg":"ES256","kid":")";
  base::append_json_escaped(header, kid);
  header += R"("})";
  return base64url(header);
}

std::optional<Es256Signature> signature_from_der(std::span<const std::uint8_t> der) {
  // At most 72 bytes, so every length is one byte.
  if (der.size() < 2 || der[0] != kSequence || der[1] != der.size() - 2) return std::nullopt;
  der = der.subspan(2);
  Es256Signature signature{};
  if (!take_integer(der, signature.data())) return std::nullopt;
  if (!take_integer(der, signature.data() + kHalf)) return std::nullopt;
  if (!der.empty()) return std::nullopt;
  return signature;
}

std::string signature_to_der(const Es256Signature& signature) {
  std::string integers;
  append_integer(integers, signature.data());
  append_integer(integers, signature.data() + kHalf);
  std::string der;
  der += static_cast<char>(kSequence);
  der += static_cast<char>(integers.size());
  return der + integers;
}

}  // namespace triggerd::dispatcher
