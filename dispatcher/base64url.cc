#include "dispatcher/base64url.h"

#include <algorithm>

#include <openssl/evp.h>

#include "engine/base/assert.h"

namespace triggerd::dispatcher {
namespace {

constexpr std::size_t kBytesMax = std::size_t{1} << 30;

char to_url_alphabet(char character) {
  const char plus = character == '+' ? '-' : character;
  return plus == '/' ? '_' : plus;
}

void translate(char* text, std::size_t length) {
  // Blocks of a fixed size, so that compilers use vector instructions at -O2 too.
  constexpr std::size_t block = 32;
  std::size_t at = 0;
  for (; at + block <= length; at += block) {
    for (std::size_t i = 0; i < block; ++i) text[at + i] = to_url_alphabet(text[at + i]);
  }
  for (; at < length; ++at) text[at] = to_url_alphabet(text[at]);
}

bool is_base64url(char character) {
  return (character >= 'A' && character <= 'Z') || (character >= 'a' && character <= 'z') ||
         (character >= '0' && character <= '9') || character == '-' || character == '_';
}

}  // namespace

void append_base64url(std::string& out, std::string_view bytes) {
  TRIGGERD_ASSERT(bytes.size() < kBytesMax);
  const std::size_t start = out.size();
  // EVP writes the padding, which is cut off again, and a NUL, which falls on the string's own.
  out.resize(start + (bytes.size() + 2) / 3 * 4);
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data() + start),
                  reinterpret_cast<const unsigned char*>(bytes.data()),
                  static_cast<int>(bytes.size()));
  out.resize(start + base64url_length(bytes.size()));
  translate(out.data() + start, out.size() - start);
}

std::string base64url(std::string_view bytes) {
  std::string out;
  append_base64url(out, bytes);
  return out;
}

std::optional<std::string> decode_base64url(std::string_view text) {
  if (text.size() >= kBytesMax || text.size() % 4 == 1) return std::nullopt;
  if (!std::all_of(text.begin(), text.end(), is_base64url)) return std::nullopt;
  std::string padded(text);
  std::replace(padded.begin(), padded.end(), '-', '+');
  std::replace(padded.begin(), padded.end(), '_', '/');
  padded.append((4 - text.size() % 4) % 4, '=');
  std::string bytes(padded.size() / 4 * 3, '\0');
  const int decoded = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                      reinterpret_cast<const unsigned char*>(padded.data()),
                                      static_cast<int>(padded.size()));
  if (decoded < 0) return std::nullopt;
  bytes.resize(text.size() / 4 * 3 + (text.size() % 4 == 0 ? 0 : text.size() % 4 - 1));
  // EVP ignores the unused low bits of the last character; a second form of the same bytes must
  // not pass.
  if (text.size() % 4 != 0 && base64url(bytes) != text) return std::nullopt;
  return bytes;
}

}  // namespace triggerd::dispatcher
