#include "dispatcher/signer.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "dispatcher/base64url.h"
#include "engine/base/assert.h"

namespace triggerd::dispatcher {
namespace {

constexpr std::size_t kDigestBytes = 32;
constexpr std::size_t kDerBytesMax = 72;

}  // namespace

Signer::Signer(std::shared_ptr<const KeyRing> ring)
    : sha256_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), hash_(EVP_MD_CTX_new()) {
  TRIGGERD_ASSERT(sha256_ != nullptr && hash_ != nullptr);
  use(std::move(ring));
}

void Signer::use(std::shared_ptr<const KeyRing> ring) {
  TRIGGERD_ASSERT(ring != nullptr);
  ring_ = std::move(ring);
  from_ = base::WallTime::max();
  until_ = base::WallTime::min();
}

void Signer::take_turn(base::WallTime now) {
  const KeyRing::Turn turn = ring_->at(now);
  const KeyHandle key = turn.key.share();
  key_.reset(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));  // holds its own reference
  TRIGGERD_ASSERT(key_ != nullptr && EVP_PKEY_sign_init(key_.get()) == 1);
  TRIGGERD_ASSERT(EVP_PKEY_CTX_set_signature_md(key_.get(), sha256_.get()) == 1);
  header_ = encoded_header(turn.key.kid()) + '.';
  from_ = turn.from;
  until_ = turn.until;
}

std::string Signer::sign(std::string_view claims, base::WallTime now) {
  if (now < from_ || now >= until_) take_turn(now);
  std::string token;
  // Room for the padding too, which is written and cut off on the way.
  token.reserve(header_.size() + base64url_length(claims.size()) + 3 +
                base64url_length(kEs256SignatureBytes) + 3);
  token = header_;
  append_base64url(token, claims);
  const Es256Signature signature = signature_of(token);
  token += '.';
  append_base64url(token, {reinterpret_cast<const char*>(signature.data()), signature.size()});
  return token;
}

Es256Signature Signer::signature_of(std::string_view text) {
  std::array<std::uint8_t, kDigestBytes> digest{};
  TRIGGERD_ASSERT(EVP_DigestInit_ex(hash_.get(), sha256_.get(), nullptr) == 1);
  TRIGGERD_ASSERT(EVP_DigestUpdate(hash_.get(), text.data(), text.size()) == 1);
  TRIGGERD_ASSERT(EVP_DigestFinal_ex(hash_.get(), digest.data(), nullptr) == 1);
  std::array<std::uint8_t, kDerBytesMax> der{};
  std::size_t length = der.size();
  TRIGGERD_ASSERT(EVP_PKEY_sign(key_.get(), der.data(), &length, digest.data(), digest.size()) ==
                  1);
  const std::optional<Es256Signature> signature = signature_from_der(std::span(der).first(length));
  TRIGGERD_ASSERT(signature.has_value());
  return *signature;
}

}  // namespace triggerd::dispatcher
