// What the tests of signing share: keys, an attempt, and a verifier that knows nothing of ours.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rapidjson/document.h>

#include "dispatcher/key_ring.h"
#include "engine/model/output.h"
#include "tests/support/key_rings.h"

namespace triggerd::dispatcher {

using support::jwks_of;
using support::KeyRingPtr;
using support::last_key;
using support::new_ring;
using support::ring_of;

// The three parts of a token, as they stand in it.
struct TokenParts {
  std::string header;
  std::string payload;
  std::string signature;
};
TokenParts split_token(const std::string& token);

// The payload's JSON text.
std::string claims_text(const std::string& token);
rapidjson::Document parse_json(const std::string& text);

// Checks the signature with OpenSSL alone, by the key of the token's kid in the document.
bool verifies(const std::string& token, const std::string& jwks);

// An attempt of a small event, for https://hooks.example/in.
struct AttemptParts {
  model::Webhook webhook;
  model::Event event;
  model::StartAttempt attempt;

  AttemptParts();
  model::StartAttempt make() const;
};

inline constexpr std::string_view kOrg = "0190a6e0-1111-7000-8000-000000000001";
inline constexpr std::string_view kEvent = "0190a6e0-2222-4000-8000-000000000002";
inline constexpr std::string_view kWebhook = "0190a6e0-3333-7000-8000-000000000003";

// 2024-03-03T02:12:00.999999999Z: a second that must be floored.
inline constexpr model::WallTime kNow{std::chrono::seconds(1709431920) +
                                      std::chrono::nanoseconds(999'999'999)};

std::string read_data(const std::string& name);

}  // namespace triggerd::dispatcher
