// How one webhook wants to be called: the `delivery` object of CONTRACT A2, as stored and as sent.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/time.h"

namespace triggerd::model {

enum class DeliveryFormat : std::uint8_t {
  kJwt = 1,                // compact JWS
  kJson = 2,               // the trigger content, raw
  kCloudEvents = 3,        // structured
  kCloudEventsBinary = 4,  // content as body, attributes in ce-* headers
};

// Signatures in the header `webhook-signature`; bits.
enum Signature : std::uint8_t { kSignatureHmac = 1, kSignatureEd25519 = 2 };
inline constexpr std::uint8_t kSignaturesAll = kSignatureHmac | kSignatureEd25519;

enum class Ordering : std::uint8_t {
  kNone = 1,
  kKey = 2,  // events of one ordering key arrive one at a time, in order of acceptance
};

// Of a sync hook that fails or times out.
enum class OnFailure : std::uint8_t {
  kOpen = 1,    // ignored
  kClosed = 2,  // denies
};

// A token bucket. In thousandths, so that one call in ten seconds can be said and nothing is lost.
struct DeliveryRate {
  std::uint32_t per_second_thousandths = 0;  // at least 1
  std::uint32_t burst = 1;                   // at least 1
  bool operator==(const DeliveryRate&) const = default;
};

// What the client set, valid; what is absent takes the default, which may change with a release.
// The functions below say what holds.
struct DeliverySettings {
  std::optional<std::vector<base::Duration>> schedule;  // empty: one attempt, no retries
  std::optional<DeliveryRate> rate;
  std::optional<std::uint32_t> max_in_flight;
  std::optional<DeliveryFormat> format;
  std::optional<std::uint8_t> signatures;  // bits of Signature; 0: explicitly none
  std::optional<Ordering> ordering;
  std::optional<OnFailure> on_failure;
  bool operator==(const DeliverySettings&) const = default;
};

[[nodiscard]] inline DeliveryFormat format_of(const DeliverySettings& settings) {
  return settings.format.value_or(DeliveryFormat::kJwt);
}
[[nodiscard]] inline std::uint8_t signatures_of(const DeliverySettings& settings) {
  const bool jwt = format_of(settings) == DeliveryFormat::kJwt;
  return settings.signatures.value_or(static_cast<std::uint8_t>(jwt ? 0 : kSignatureHmac));
}
[[nodiscard]] inline Ordering ordering_of(const DeliverySettings& settings) {
  return settings.ordering.value_or(Ordering::kNone);
}
[[nodiscard]] inline OnFailure on_failure_of(const DeliverySettings& settings) {
  return settings.on_failure.value_or(OnFailure::kOpen);
}

// Keys of `webhook-signature`, of one webhook. Sealed at rest together with the custom headers.
struct SigningSecret {
  std::array<std::uint8_t, 32> hmac_key{};
  std::array<std::uint8_t, 32> ed25519_seed{};
  std::array<std::uint8_t, 32> ed25519_public{};
  base::WallTime created_at;
  base::WallTime expires_at;  // of a secret that was rotated; the epoch: it does not expire
  bool operator==(const SigningSecret&) const = default;
};

// --- As sent ----------------------------------------------------------------------------------

// Absent: keeps its value. null: back to the default.
template <class T>
using Sent = std::optional<std::optional<T>>;

struct RateDraft {
  std::optional<double> per_second;
  std::optional<std::int64_t> burst;
};

// The `delivery` object of a POST or PATCH, right in its types, not yet in its values.
struct DeliveryDraft {
  bool reset = false;  // `"delivery":null`: every field back to its default
  Sent<std::string> format;
  Sent<std::vector<std::string>> signatures;
  Sent<std::vector<std::string>> schedule;  // Go durations
  Sent<std::int64_t> max_in_flight;
  Sent<RateDraft> rate;
  Sent<std::string> ordering;
  Sent<std::string> on_failure;
  Sent<std::string> state;
};

}  // namespace triggerd::model
