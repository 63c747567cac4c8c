// Makes ES256 compact JWS (RFC 7515). The contexts and the digest algorithm are kept between
// signatures: about 21 us each instead of 24.
//
// Thread: one; each I/O thread has its own. The private key in it is shared, and safe to share.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <openssl/evp.h>

#include "dispatcher/jws.h"
#include "dispatcher/key_ring.h"
#include "engine/base/time.h"

namespace triggerd::dispatcher {

class Signer {
 public:
  // Requires: not null.
  explicit Signer(std::shared_ptr<const KeyRing> ring);

  // Signs with the keys of another ring from now on. Requires: not null.
  void use(std::shared_ptr<const KeyRing> ring);

  // header.payload.signature over `claims` (JSON text), by the key whose turn it is at `now`. The
  // one allocation is the token's, but for the first signature of each key.
  // Aborts only where nothing could go on: no memory, or no randomness from the system.
  [[nodiscard]] std::string sign(std::string_view claims, base::WallTime now);

 private:
  struct FreeContext {
    void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
    void operator()(EVP_MD* digest) const { EVP_MD_free(digest); }
  };

  void take_turn(base::WallTime now);
  [[nodiscard]] Es256Signature signature_of(std::string_view text);

  std::shared_ptr<const KeyRing> ring_;
  // When the key in key_ and header_ signs: [from_, until_). Empty: none is taken up.
  base::WallTime from_ = base::WallTime::max();
  base::WallTime until_ = base::WallTime::min();
  std::unique_ptr<EVP_MD, FreeContext> sha256_;
  std::unique_ptr<EVP_MD_CTX, FreeContext> hash_;
  std::unique_ptr<EVP_PKEY_CTX, FreeContext> key_;
  std::string header_;  // encoded, with the dot
};

}  // namespace triggerd::dispatcher
