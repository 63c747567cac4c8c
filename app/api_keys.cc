#include "app/api_keys.h"

#include <array>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include "engine/base/assert.h"

namespace triggerd::app {

ApiKeyDigester::ApiKeyDigester(std::string pepper) : pepper_(std::move(pepper)) {}

model::KeyDigest ApiKeyDigester::digest(std::string_view key_text) const {
  model::KeyDigest digest{};
  unsigned length = 0;
  TRIGGERD_ASSERT(HMAC(EVP_sha256(), pepper_.data(), static_cast<int>(pepper_.size()),
                       reinterpret_cast<const unsigned char*>(key_text.data()), key_text.size(),
                       digest.data(), &length) != nullptr);
  TRIGGERD_ASSERT(length == digest.size());
  return digest;
}

std::string new_key_text() {
  std::array<unsigned char, 32> bits{};
  TRIGGERD_ASSERT(RAND_bytes(bits.data(), static_cast<int>(bits.size())) == 1);
  std::array<unsigned char, 48> encoded{};
  EVP_EncodeBlock(encoded.data(), bits.data(), static_cast<int>(bits.size()));
  std::string text;
  for (const unsigned char character : encoded) {
    if (character == 0 || character == '=') break;
    text += character == '+' ? '-' : character == '/' ? '_' : static_cast<char>(character);
  }
  std::array<unsigned char, SHA256_DIGEST_LENGTH> sum{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), sum.data());
  return fmt::format("trg_{}{:02x}{:02x}{:02x}", text, sum[0], sum[1], sum[2]);
}

std::size_t ApiKeyTable::DigestHash::operator()(const model::KeyDigest& digest) const noexcept {
  std::size_t hash = 0;
  std::memcpy(&hash, digest.data(), sizeof(hash));
  return hash;
}

void ApiKeyTable::add(const model::ApiKey& key) {
  principals_[key.digest] = api::Principal{key.org, key.id, key.scopes};
}

void ApiKeyTable::remove(const model::KeyDigest& digest) {
  principals_.erase(digest);
}

void ApiKeyTable::clear() {
  principals_.clear();
}

std::optional<api::Principal> ApiKeyTable::find(const model::KeyDigest& digest) const {
  const auto found = principals_.find(digest);
  if (found == principals_.end()) return std::nullopt;
  return found->second;
}

}  // namespace triggerd::app
