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

namespace triggerd::dispatcher {

class Signer {
 public:
  // Signs with the active key of `ring`; the ring need not outlive the signer.
  explicit Signer(const KeyRing& ring);

  // Signs with the active key of another ring from now on.
  void use(const KeyRing& ring);

  // header.payload.signature over `claims` (JSON text). The one allocation is the token's.
  // Aborts only where nothing could go on: no memory, or no randomness from the system.
  [[nodiscard]] std::string sign(std::string_view claims);

 private:
  struct FreeContext {
    void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
    void operator()(EVP_MD* digest) const { EVP_MD_free(digest); }
  };

  [[nodiscard]] Es256Signature signature_of(std::string_view text);

  std::unique_ptr<EVP_MD, FreeContext> sha256_;
  std::unique_ptr<EVP_MD_CTX, FreeContext> hash_;
  std::unique_ptr<EVP_PKEY_CTX, FreeContext> key_;
  std::string header_;  // encoded, with the dot
};

}  // namespace triggerd::dispatcher
