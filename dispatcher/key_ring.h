// The keys that sign deliveries: EC P-256, for ES256 (RFC 7518 section 3.4), and the JWKS document
// (RFC 7517) by which receivers check them.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <openssl/evp.h>

#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/model/records.h"

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
  // The public parts as they are stored; `sealed_private_key` is left for the caller to fill.
  [[nodiscard]] model::SigningKey record(base::WallTime created_at) const;

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

// A set of keys, all of them published, one of them signing. Immutable: a rotation builds a new
// ring. Any thread may read it.
//
// Rotation, for whoever decides: publish the new key at least an hour before it signs (receivers
// cache the document), keep the old one an hour plus the longest token life (1200 s) after its
// last signature.
class KeyRing {
 public:
  // kInvalid when `keys` is empty, holds a kid twice, or does not hold `active_kid`.
  [[nodiscard]] static base::Result<KeyRing> create(std::vector<PrivateKey> keys,
                                                    std::string_view active_kid);

  // The key that signs.
  [[nodiscard]] const PrivateKey& active() const { return keys_[active_]; }
  // {"keys":[…]} with the public parts of every key, in the order given. Compact JSON.
  [[nodiscard]] const std::string& jwks() const { return jwks_; }

 private:
  KeyRing(std::vector<PrivateKey> keys, std::size_t active);

  std::vector<PrivateKey> keys_;
  std::size_t active_;
  std::string jwks_;
};

}  // namespace triggerd::dispatcher
