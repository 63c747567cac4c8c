// API keys as text and as what is stored of them.
//
// Text: "trg_" + 43 base64url characters (256 random bits) + 6 hexadecimal characters of their
// SHA-256, so that a mistyped key is told from a revoked one without a look-up. Stored:
// HMAC-SHA-256 of the text under the installation's pepper.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "api/backend.h"
#include "engine/base/random.h"
#include "engine/model/records.h"

namespace triggerd::app {

// Digests and mints. Immutable; any thread.
class ApiKeyDigester {
 public:
  explicit ApiKeyDigester(std::string pepper);
  [[nodiscard]] model::KeyDigest digest(std::string_view key_text) const;

 private:
  std::string pepper_;
};

// A new key from the system's generator.
[[nodiscard]] std::string new_key_text();

// The keys in force, as one I/O thread knows them.
class ApiKeyTable {
 public:
  void add(const model::ApiKey& key);
  void remove(const model::KeyDigest& digest);
  void clear();
  [[nodiscard]] std::optional<api::Principal> find(const model::KeyDigest& digest) const;

 private:
  struct DigestHash {
    // A digest is uniform already.
    std::size_t operator()(const model::KeyDigest& digest) const noexcept;
  };
  std::unordered_map<model::KeyDigest, api::Principal, DigestHash> principals_;
};

}  // namespace triggerd::app
