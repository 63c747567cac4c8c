#include "app/signing_keys.h"

#include <string>
#include <utility>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "engine/base/assert.h"

namespace triggerd::app {
namespace {

// Bound to the key's own id, so that a sealed key can not be put in another's place.
std::string place_of(const std::string& kid) {
  return "signing_key/" + kid;
}

}  // namespace

base::Result<model::SigningKey> new_signing_key(const store::SecretBox& secrets) {
  const base::Result<dispatcher::PrivateKey> key = dispatcher::PrivateKey::generate();
  if (!key.ok()) return key.error();
  model::SigningKey record;
  record.kid = key.value().kid();
  record.public_x = key.value().public_x();
  record.public_y = key.value().public_y();
  std::string der = key.value().to_pkcs8();
  base::Result<std::string> sealed = secrets.seal(der, place_of(record.kid));
  OPENSSL_cleanse(der.data(), der.size());
  if (!sealed.ok()) return sealed.error();
  record.sealed_private_key = std::move(sealed.value());
  return record;
}

model::SigningSecret new_signing_secret() {
  model::SigningSecret secret;
  for (auto* key : {&secret.hmac_key, &secret.ed25519_seed}) {
    TRIGGERD_ASSERT(RAND_priv_bytes(key->data(), static_cast<int>(key->size())) == 1);
  }
  EVP_PKEY* const key = EVP_PKEY_new_raw_private_key(
      EVP_PKEY_ED25519, nullptr, secret.ed25519_seed.data(), secret.ed25519_seed.size());
  std::size_t length = secret.ed25519_public.size();
  TRIGGERD_ASSERT(key != nullptr &&
                  EVP_PKEY_get_raw_public_key(key, secret.ed25519_public.data(), &length) == 1);
  EVP_PKEY_free(key);
  return secret;
}

base::Result<std::shared_ptr<const dispatcher::KeyRing>> open_key_ring(
    const store::SecretBox& secrets, const std::vector<model::SigningKey>& keys) {
  std::vector<dispatcher::RingKey> opened;
  for (const model::SigningKey& record : keys) {
    base::Result<std::string> der = secrets.open(record.sealed_private_key, place_of(record.kid));
    if (!der.ok()) return der.error();
    base::Result<dispatcher::PrivateKey> key = dispatcher::PrivateKey::from_pkcs8(der.value());
    OPENSSL_cleanse(der.value().data(), der.value().size());
    if (!key.ok()) return key.error();
    opened.push_back({std::move(key.value()), record.active_from});
  }
  base::Result<dispatcher::KeyRing> ring = dispatcher::KeyRing::create(std::move(opened));
  if (!ring.ok()) return ring.error();
  return std::make_shared<const dispatcher::KeyRing>(std::move(ring.value()));
}

}  // namespace triggerd::app
