// What one ES256 signature costs at least: SHA-256 of a token's text and the bare signature, with
// kept contexts. sign_yardstick SECONDS prints {"cpu_us":…}: CPU per signature.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <fmt/format.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include "bench/load/wire.h"

int main(int argc, char** argv) {
  constexpr std::size_t text_bytes = 1900;  // header and claims of a delivery of 1 KiB, base64
  const double seconds = argc > 1 ? std::strtod(argv[1], nullptr) : 1;
  EVP_PKEY* const key = EVP_EC_gen("P-256");
  EVP_PKEY_CTX* const signing = EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr);
  EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  EVP_MD_CTX* const hashing = EVP_MD_CTX_new();
  EVP_PKEY_sign_init(signing);

  const std::string text(text_bytes, 'x');
  std::array<unsigned char, 32> digest{};
  std::array<unsigned char, 72> signature{};
  std::uint64_t count = 0;
  const std::int64_t end = triggerd::load::now_ns() + static_cast<std::int64_t>(seconds * 1e9);
  const double before = triggerd::load::cpu_us();
  while (triggerd::load::now_ns() < end) {
    std::size_t length = signature.size();
    if (EVP_DigestInit_ex(hashing, sha256, nullptr) != 1 ||
        EVP_DigestUpdate(hashing, text.data(), text.size()) != 1 ||
        EVP_DigestFinal_ex(hashing, digest.data(), nullptr) != 1 ||
        EVP_PKEY_sign(signing, signature.data(), &length, digest.data(), digest.size()) != 1) {
      std::fputs("sign_yardstick: OpenSSL does not sign\n", stderr);
      return 1;
    }
    ++count;
  }
  const double used = triggerd::load::cpu_us() - before;
  fmt::print("{{\"cpu_us\":{:.2f},\"count\":{}}}\n", used / static_cast<double>(count), count);

  EVP_MD_CTX_free(hashing);
  EVP_MD_free(sha256);
  EVP_PKEY_CTX_free(signing);
  EVP_PKEY_free(key);
  return 0;
}
