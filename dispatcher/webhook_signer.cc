#include "dispatcher/webhook_signer.h"

#include <utility>

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "engine/base/assert.h"

namespace triggerd::dispatcher {
namespace {

// A buffer that grew for one big event is given back behind it.
constexpr std::size_t kTextCapacityKept = std::size_t{64} * 1024;
constexpr std::size_t kHmacBytes = 32;
constexpr std::size_t kEd25519Bytes = 64;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

bool is_valid(const model::SigningSecret& secret, base::WallTime now) {
  return secret.expires_at == base::WallTime{} || now < secret.expires_at;
}

template <std::size_t N>
void append_base64(std::string& out, const std::array<unsigned char, N>& bytes) {
  std::array<unsigned char, (N + 2) / 3 * 4 + 1> text{};
  const int length = EVP_EncodeBlock(text.data(), bytes.data(), static_cast<int>(N));
  out.append(reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(length));
}

}  // namespace

WebhookSigner::WebhookSigner() : ed25519_(EVP_MD_CTX_new()) {
  EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  hmac_.reset(EVP_MAC_CTX_new(algorithm));  // holds its own reference
  EVP_MAC_free(algorithm);
  TRIGGERD_ASSERT(hmac_ != nullptr && ed25519_ != nullptr);
  std::string digest = "SHA256";
  const std::array<OSSL_PARAM, 2> parameters{
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_end()};
  TRIGGERD_ASSERT(EVP_MAC_CTX_set_params(hmac_.get(), parameters.data()) == 1);
}

std::string WebhookSigner::sign(const model::Webhook& webhook, const SignedMessage& message,
                                base::WallTime now) {
  const std::uint8_t wanted = model::signatures_of(webhook.delivery);
  std::string value;
  if (wanted == 0) return value;
  for (const model::SigningSecret& secret : webhook.secrets) {
    if (!is_valid(secret, now)) continue;
    if ((wanted & model::kSignatureHmac) != 0) append_hmac(value, secret, message);
    if ((wanted & model::kSignatureEd25519) != 0) append_ed25519(value, secret, message);
  }
  return value;
}

void WebhookSigner::append_hmac(std::string& out, const model::SigningSecret& secret,
                                const SignedMessage& message) {
  EVP_MAC_CTX* const context = hmac_.get();
  TRIGGERD_ASSERT(EVP_MAC_init(context, secret.hmac_key.data(), secret.hmac_key.size(), nullptr) ==
                  1);
  for (const std::string_view part : {message.id, std::string_view("."), message.timestamp,
                                      std::string_view("."), message.body}) {
    TRIGGERD_ASSERT(EVP_MAC_update(context, bytes_of(part), part.size()) == 1);
  }
  std::array<unsigned char, kHmacBytes> code{};
  std::size_t length = 0;
  TRIGGERD_ASSERT(EVP_MAC_final(context, code.data(), &length, code.size()) == 1 &&
                  length == code.size());
  out += out.empty() ? "v1," : " v1,";
  append_base64(out, code);
}

void WebhookSigner::append_ed25519(std::string& out, const model::SigningSecret& secret,
                                   const SignedMessage& message) {
  text_.clear();
  text_.append(message.id).append(".").append(message.timestamp).append(".").append(message.body);
  EVP_PKEY* const key = key_of(secret.ed25519_seed);
  std::array<unsigned char, kEd25519Bytes> signature{};
  std::size_t length = signature.size();
  TRIGGERD_ASSERT(EVP_MD_CTX_reset(ed25519_.get()) == 1);
  TRIGGERD_ASSERT(EVP_DigestSignInit(ed25519_.get(), nullptr, nullptr, nullptr, key) == 1);
  TRIGGERD_ASSERT(EVP_DigestSign(ed25519_.get(), signature.data(), &length, bytes_of(text_),
                                 text_.size()) == 1 &&
                  length == signature.size());
  if (text_.capacity() > kTextCapacityKept) std::string().swap(text_);
  out += out.empty() ? "v1a," : " v1a,";
  append_base64(out, signature);
}

EVP_PKEY* WebhookSigner::key_of(const Seed& seed) {
  const auto found = keys_.find(seed);
  if (found != keys_.end()) return found->second.get();
  if (keys_.size() >= kKeysKept) keys_.clear();
  KeyHandle made(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()));
  TRIGGERD_ASSERT(made != nullptr);
  return keys_.emplace(seed, std::move(made)).first->second.get();
}

}  // namespace triggerd::dispatcher
