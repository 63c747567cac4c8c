// The keys that sign deliveries: EC P-256, for ES256 (RFC 7518 section 3.4). Their rotation is
// core/signing_keys.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <openssl/evp.h>

#include "engine/base/status.h"
#include "engine/base/time.h"

namespace triggerd::dispatcher {

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using KeyHandle = std::unique_ptr<EVP_PKEY, FreeKey>;

// One private key, in memory only. Const use is safe from any thread.
class PrivateKey {
 public:
  // A new key from the system's randomness. Fails only as the library fails (kInternal).
  [[nodiscard]] static base::Result<PrivateKey> generate();
  // From PKCS#8 DER, unencrypted: sealing is the caller's. kInvalid when the bytes are not exactly
  // one EC P-256 private key.
  [[nodiscard]] static base::Result<PrivateKey> from_pkcs8(std::string_view der);

  // PKCS#8 DER. Secret: seal it, then wipe it (OPENSSL_cleanse).
  [[nodiscard]] std::string to_pkcs8() const;

  // The JWK thumbprint of RFC 7638 (SHA-256, base64url, 43 characters): the same key has the same
  // kid everywhere.
  [[nodiscard]] const std::string& kid() const { return kid_; }
  // Coordinates, base64url of 32 bytes each.
  [[nodiscard]] const std::string& public_x() const { return public_x_; }
  [[nodiscard]] const std::string& public_y() const { return public_y_; }
  // A reference of its own to the key, for a signer.
  [[nodiscard]] KeyHandle share() const;

 private:
  explicit PrivateKey(KeyHandle key) : key_(std::move(key)) {}
  [[nodiscard]] static base::Result<PrivateKey> wrap(KeyHandle key);

  KeyHandle key_;
  std::string kid_;
  std::string public_x_;
  std::string public_y_;
};

// A key and when its turn begins.
struct RingKey {
  PrivateKey key;
  base::WallTime active_from;
};

// The keys that sign now or later, or signed lately. Immutable: a rotation builds a new ring. Any
// thread may read it.
class KeyRing {
 public:
  // The key whose turn it is, and the times between which it is: [from, until).
  struct Turn {
    const PrivateKey& key;
    base::WallTime from;
    base::WallTime until;
  };

  // kInvalid when `keys` is empty or holds a kid twice.
  [[nodiscard]] static base::Result<KeyRing> create(std::vector<RingKey> keys);

  // The latest key whose time has come; the first one before any has.
  [[nodiscard]] Turn at(base::WallTime now) const;

  // In order of active_from.
  [[nodiscard]] const std::vector<RingKey>& keys() const { return keys_; }

 private:
  explicit KeyRing(std::vector<RingKey> keys) : keys_(std::move(keys)) {}

  std::vector<RingKey> keys_;
};

}  // namespace triggerd::dispatcher
