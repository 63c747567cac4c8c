// Signatures of Standard Webhooks 1.0, over `id.timestamp.body`:
//
//   v1,BASE64     HMAC-SHA-256 under the webhook's hmac_key
//   v1a,BASE64    Ed25519 under its ed25519_seed
//
// While a rotated secret is valid, both secrets sign, the new one first; receivers accept any.
//
// Thread: one; each I/O thread has its own. The context of the HMAC and the keys of Ed25519 are
// kept between signatures: making a key of its seed costs as much as half a signature.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <openssl/evp.h>

#include "dispatcher/key_ring.h"
#include "engine/base/time.h"
#include "engine/model/records.h"

namespace triggerd::dispatcher {

// What is signed besides the body.
struct SignedMessage {
  std::string_view id;  // without a dot
  std::string_view timestamp;
  std::string_view body;
};

class WebhookSigner {
 public:
  // Ed25519 keys kept; past it all are forgotten, and made again as they are needed.
  static constexpr std::size_t kKeysKept = 1024;

  WebhookSigner();

  // The value of `webhook-signature`: a signature of each kind that the webhook's settings ask for
  // by each of its secrets that is valid at `now`, with a space between them. Empty when it has no
  // secret, or wants no signature. Aborts only where nothing could go on.
  [[nodiscard]] std::string sign(const model::Webhook& webhook, const SignedMessage& message,
                                 base::WallTime now);

 private:
  using Seed = std::array<std::uint8_t, 32>;
  struct Free {
    void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };

  void append_hmac(std::string& out, const model::SigningSecret& secret,
                   const SignedMessage& message);
  void append_ed25519(std::string& out, const model::SigningSecret& secret,
                      const SignedMessage& message);
  [[nodiscard]] EVP_PKEY* key_of(const Seed& seed);

  std::unique_ptr<EVP_MAC_CTX, Free> hmac_;
  std::unique_ptr<EVP_MD_CTX, Free> ed25519_;
  std::map<Seed, KeyHandle> keys_;
  std::string text_;  // kept for its capacity
};

}  // namespace triggerd::dispatcher
