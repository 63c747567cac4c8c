// What a receiver does with a delivery: checks the token against the published keys (RFC 7515,
// 7517, 7518; CONTRACT B4.4). For the receivers of `triggerd demo` and of the benchmarks.
//
// Immutable once made; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <openssl/evp.h>

#include "engine/base/status.h"
#include "engine/base/time.h"

namespace triggerd::app {

// What the token must say. An empty text is not compared.
struct JwsExpectations {
  std::string audience;    // the organization's id
  std::string target_url;  // this receiver's own
  base::WallTime now;
  // How far the clocks may differ; the common receivers allow nothing.
  base::Duration leeway{0};
};

// The claims of a token that was found good.
struct JwsClaims {
  std::string kid;
  std::string audience;
  std::string issuer;
  std::string token_id;  // jti
  std::string subject;   // the event's id
  std::string target_url;
  std::string trigger_name;
  std::string trigger_type;
  std::string webhook_id;
  std::int64_t issued_at = 0;   // Unix seconds
  std::int64_t expires_at = 0;  // Unix seconds
  std::string text;             // all claims as they were signed: JSON, `trigger_content` included
};

class JwsVerifier {
 public:
  // A token carries an event's content of at most 256 KiB, by a third longer in base64url.
  static constexpr std::size_t kTokenBytesMax = std::size_t{1024} * 1024;
  static constexpr std::size_t kKeysMax = 64;

  // `jwks` is the document of `verification-jwks`. Keys that are not ES256 signing keys are
  // skipped, as RFC 7517 asks. kInvalid when it is malformed or no key is left.
  [[nodiscard]] static base::Result<JwsVerifier> create(std::string_view jwks);

  // Algorithm (ES256 alone), kid, signature, then exp, iat, aud and target_url. kInvalid names the
  // first fault. Nothing of the claims is looked at before the signature holds.
  [[nodiscard]] base::Result<JwsClaims> verify(std::string_view token,
                                               const JwsExpectations& expected) const;

 private:
  struct FreeKey {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };
  using Keys = std::unordered_map<std::string, std::unique_ptr<EVP_PKEY, FreeKey>>;

  explicit JwsVerifier(Keys keys) : keys_(std::move(keys)) {}
  [[nodiscard]] base::Result<std::string> kid_of(std::string_view header) const;

  Keys keys_;  // by kid
};

}  // namespace triggerd::app
