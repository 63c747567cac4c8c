#include "dispatcher/key_ring.h"

#include <algorithm>
#include <array>
#include <utility>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include "dispatcher/base64url.h"
#include "engine/base/assert.h"

namespace triggerd::dispatcher {
namespace {

constexpr std::size_t kCoordinateBytes = 32;
// An unencrypted P-256 key takes 138 bytes; anything near this is something else.
constexpr std::size_t kPkcs8BytesMax = 1024;

base::Error not_a_key(const char* fault) {
  return {base::ErrorCode::kInvalid, std::string("the signing key ") + fault +
                                         "; give an unencrypted PKCS#8 DER of an EC P-256 key"};
}

bool is_p256(const EVP_PKEY* key) {
  std::array<char, 32> group{};
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
         EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) == 1 &&
         std::string_view(group.data()) == SN_X9_62_prime256v1;
}

// Empty when the library fails.
std::string coordinate(const EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &number) != 1) return {};
  std::array<unsigned char, kCoordinateBytes> bytes{};
  const int written = BN_bn2binpad(number, bytes.data(), static_cast<int>(bytes.size()));
  BN_free(number);
  if (written != static_cast<int>(bytes.size())) return {};
  return base64url({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

// RFC 7638: the required members alone, in order, without white space.
std::string thumbprint(const std::string& x, const std::string& y) {
  const std::string members = R"({"crv":"P-256","kty":"EC","x":")" + x + R"(","y":")" + y + R"("})";
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(members.data()), members.size(), digest.data());
  return base64url({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

}  // namespace

base::Result<PrivateKey> PrivateKey::generate() {
  KeyHandle key(EVP_EC_gen(SN_X9_62_prime256v1));
  if (!key) return base::Error{base::ErrorCode::kInternal, "OpenSSL could not make a signing key"};
  return wrap(std::move(key));
}

base::Result<PrivateKey> PrivateKey::from_pkcs8(std::string_view der) {
  if (der.empty() || der.size() > kPkcs8BytesMax) return not_a_key("has an impossible length");
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const unsigned char* const end = at + der.size();
  PKCS8_PRIV_KEY_INFO* info =
      d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(der.size()));  // NOLINT: OpenSSL's
  if (info == nullptr || at != end) {
    PKCS8_PRIV_KEY_INFO_free(info);
    return not_a_key("is not PKCS#8");
  }
  KeyHandle key(EVP_PKCS82PKEY(info));
  PKCS8_PRIV_KEY_INFO_free(info);
  if (!key || !is_p256(key.get())) return not_a_key("is not on the curve P-256");
  // Both halves must belong together: a damaged private part would sign what nobody can verify.
  EVP_PKEY_CTX* check = EVP_PKEY_CTX_new(key.get(), nullptr);
  const bool sound = check != nullptr && EVP_PKEY_check(check) == 1;
  EVP_PKEY_CTX_free(check);
  if (!sound) return not_a_key("is damaged");
  return wrap(std::move(key));
}

base::Result<PrivateKey> PrivateKey::wrap(KeyHandle key) {
  PrivateKey wrapped(std::move(key));
  wrapped.public_x_ = coordinate(wrapped.key_.get(), OSSL_PKEY_PARAM_EC_PUB_X);
  wrapped.public_y_ = coordinate(wrapped.key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y);
  if (wrapped.public_x_.empty() || wrapped.public_y_.empty()) {
    return not_a_key("has no public point");
  }
  wrapped.kid_ = thumbprint(wrapped.public_x_, wrapped.public_y_);
  return wrapped;
}

std::string PrivateKey::to_pkcs8() const {
  PKCS8_PRIV_KEY_INFO* info = EVP_PKEY2PKCS8(key_.get());
  TRIGGERD_ASSERT(info != nullptr);
  const int length = i2d_PKCS8_PRIV_KEY_INFO(info, nullptr);
  TRIGGERD_ASSERT(length > 0);
  std::string der(static_cast<std::size_t>(length), '\0');
  auto* at = reinterpret_cast<unsigned char*>(der.data());
  TRIGGERD_ASSERT(i2d_PKCS8_PRIV_KEY_INFO(info, &at) == length);
  PKCS8_PRIV_KEY_INFO_free(info);
  return der;
}

KeyHandle PrivateKey::share() const {
  TRIGGERD_ASSERT(EVP_PKEY_up_ref(key_.get()) == 1);
  return KeyHandle(key_.get());
}

base::Result<KeyRing> KeyRing::create(std::vector<RingKey> keys) {
  if (keys.empty()) {
    return base::Error{base::ErrorCode::kInvalid, "there is no signing key; make one"};
  }
  for (const RingKey& key : keys) {
    const auto same = [&key](const RingKey& other) { return other.key.kid() == key.key.kid(); };
    if (std::count_if(keys.begin(), keys.end(), same) > 1) {
      return base::Error{base::ErrorCode::kInvalid,
                         "signing key " + key.key.kid() + " is there twice; keep one"};
    }
  }
  std::stable_sort(keys.begin(), keys.end(), [](const RingKey& left, const RingKey& right) {
    return left.active_from < right.active_from;
  });
  return KeyRing(std::move(keys));
}

KeyRing::Turn KeyRing::at(base::WallTime now) const {
  const auto next = std::upper_bound(
      keys_.begin() + 1, keys_.end(), now,
      [](base::WallTime time, const RingKey& key) { return time < key.active_from; });
  const auto own = next - 1;
  return {own->key, own == keys_.begin() ? base::WallTime::min() : own->active_from,
          next == keys_.end() ? base::WallTime::max() : next->active_from};
}

}  // namespace triggerd::dispatcher
