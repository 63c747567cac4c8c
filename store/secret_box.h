// Seals secrets for the disk: AES-256-GCM under the installation's key. What is sealed is bound to
// where it stands (associated data: the column and the record's id), so that it cannot be moved to
// another record.
//
//   +---------+-----------+------------+------------------+----------+
//   | version | key id    | nonce      | ciphertext       | tag      |
//   | 1 byte  | 4 bytes   | 12 bytes   | as the plaintext | 16 bytes |
//   +---------+-----------+------------+------------------+----------+
//
// key id: the first bytes of SHA-256 of the key, to tell the wrong key from tampering. Nonces are
// random (NIST SP 800-38D 8.2.2): one key seals at most 2^32 times, which registrations never
// reach.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/status.h"

namespace triggerd::store {

// A value; wipes its key when destroyed. Const functions may be called from any thread.
class SecretBox {
 public:
  static constexpr std::size_t kKeyBytes = 32;
  static constexpr std::size_t kOverheadBytes = 1 + 4 + 12 + 16;

  // kInvalid: the key has not 32 bytes.
  static base::Result<SecretBox> create(std::span<const std::uint8_t> key);

  ~SecretBox();
  SecretBox(const SecretBox&) = default;
  SecretBox& operator=(const SecretBox&) = default;

  // kOverheadBytes longer than the plaintext. kInternal: the system has no random bytes.
  [[nodiscard]] base::Result<std::string> seal(std::string_view plaintext,
                                               std::string_view associated_data) const;

  // kInvalid: sealed under another key. kCorrupt: changed, cut, or sealed for another place.
  [[nodiscard]] base::Result<std::string> open(std::string_view sealed,
                                               std::string_view associated_data) const;

  // Another key for another purpose, by HKDF-SHA-256 (RFC 5869): the same for the same purpose.
  [[nodiscard]] std::array<std::uint8_t, kKeyBytes> derive_key(std::string_view purpose) const;

  // Eight hexadecimal digits, for messages.
  [[nodiscard]] std::string key_id() const;

 private:
  SecretBox() = default;

  std::array<std::uint8_t, kKeyBytes> key_{};
  std::array<std::uint8_t, 4> key_id_{};
};

// The box of the key in this file: 32 bytes, mode 0600 or stricter. An absent file is created with
// a random key and made durable, with its folder entry, before this returns. kInvalid: others may
// read the file (the message names the chmod that fixes it), or it does not hold exactly 32 bytes.
// kUnavailable: no space. kInternal: the system refused. Blocks on the disk.
[[nodiscard]] base::Result<SecretBox> load_or_create_key(const std::string& path);

}  // namespace triggerd::store
