#include "engine/core/door.h"

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace triggerd::core {
namespace {

using base::ErrorCode;
using model::RateKind;

RateLimit limit_of(const model::DoorRate& rate) {
  return RateLimit::of(rate.per_minute, std::chrono::minutes(1), rate.burst);
}

const model::DoorRate& rate_of(const DoorRates& rates, RateKind kind) {
  switch (kind) {
    case RateKind::kTestEvents:
      return rates.test_events;
    case RateKind::kSdkClient:
      return rates.sdk_client;
    case RateKind::kSdkOrganization:
      break;
  }
  return rates.sdk_organization;
}

std::string_view name_of(RateKind kind) {
  switch (kind) {
    case RateKind::kTestEvents:
      return "test events of an organization";
    case RateKind::kSdkClient:
      return "SDK events of a client address";
    case RateKind::kSdkOrganization:
      break;
  }
  return "SDK events of an organization";
}

std::string in_words(RateKind kind, const model::DoorRate& rate) {
  return std::string(name_of(kind)) + ": at most " + std::to_string(rate.per_minute) +
         " a minute, and " + std::to_string(rate.burst) + " at once";
}

}  // namespace

// Bytes folded as two halves of a UUID each; the table mixes them with its seed.
std::uint64_t Door::HashKey::operator()(const Key& key) const {
  const std::uint64_t client = std::hash<base::Uuid>()(base::Uuid{key.client.bytes});
  return mix_bits(client) ^ std::hash<model::OrgId>()(key.org);
}

Door::Door(const DoorRates& rates, std::uint64_t seed, std::size_t keys_max)
    : rates_(rates),
      tables_{Table(limit_of(rates.test_events), keys_max, seed),
              Table(limit_of(rates.sdk_client), keys_max, seed),
              Table(limit_of(rates.sdk_organization), keys_max, seed)} {}

void Door::use(const DoorRates& rates, base::MonoTime now) {
  rates_ = rates;
  for (const RateKind kind :
       {RateKind::kTestEvents, RateKind::kSdkClient, RateKind::kSdkOrganization}) {
    tables_[static_cast<std::size_t>(kind)].use(limit_of(rate_of(rates, kind)), now);
  }
}

std::optional<model::Refusal> Door::claim(const model::RateClaim& claim, base::Now now) {
  const model::DoorRate& rate = rate_of(rates_, claim.kind);
  if (claim.tokens > rate.burst) {
    return model::Refusal{{{ErrorCode::kInvalid, in_words(claim.kind, rate) + "; ask for fewer"}},
                          std::nullopt};
  }
  Table& table = tables_[static_cast<std::size_t>(claim.kind)];
  const std::optional<base::Duration> wait =
      table.take(Key{claim.org, claim.client}, claim.tokens, now.mono);
  if (!wait) return std::nullopt;
  return model::Refusal{
      {{ErrorCode::kRateLimited, in_words(claim.kind, rate) + "; try again later"}}, *wait};
}

}  // namespace triggerd::core
