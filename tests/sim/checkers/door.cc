#include "tests/sim/checkers/door.h"

#include <algorithm>
#include <chrono>
#include <variant>

namespace triggerd::sim {

void Door::handled(const Handled& seen) {
  const auto* publish = std::get_if<model::PublishEvents>(&seen.request);
  if (publish == nullptr || publish->claims.empty()) return;
  open_[seen.id] = Claimed{publish->claims, seen.now.mono};
}

void Door::emitted(const Emitted& seen) {
  for (const model::Effect& effect : seen.output.effects) {
    const auto* sent = std::get_if<model::SendReply>(&effect.what);
    if (sent == nullptr) continue;
    const auto at = open_.find(sent->request);
    if (at == open_.end()) continue;
    const Claimed claimed = std::move(at->second);
    open_.erase(at);
    if (std::holds_alternative<model::PublishReply>(sent->reply)) {
      for (const model::RateClaim& claim : claimed.claims) grant(claim, claimed.at);
      continue;
    }
    const auto* refusal = std::get_if<model::Refusal>(&sent->reply);
    if (refusal == nullptr || refusal->faults.empty() ||
        refusal->faults.front().code != base::ErrorCode::kRateLimited) {
      continue;
    }
    ++refused_;
    if (!refusal->retry_after || *refusal->retry_after <= base::Duration(0)) {
      object("a refusal does not say how long to wait");
    }
  }
}

const model::DoorRate& Door::rate_of(model::RateKind kind) const {
  switch (kind) {
    case model::RateKind::kTestEvents:
      return scene_.options.rates.test_events;
    case model::RateKind::kSdkClient:
      return scene_.options.rates.sdk_client;
    case model::RateKind::kSdkOrganization:
      break;
  }
  return scene_.options.rates.sdk_organization;
}

void Door::grant(const model::RateClaim& claim, base::MonoTime at) {
  std::vector<Grant>& grants = granted_[{claim.kind, claim.org, claim.client.to_string()}];
  // Requests that wait for a read are answered out of order.
  const auto place =
      std::upper_bound(grants.begin(), grants.end(), at,
                       [](base::MonoTime time, const Grant& each) { return time < each.at; });
  grants.insert(place, Grant{at, claim.tokens});
  const model::DoorRate& rate = rate_of(claim.kind);
  const base::Duration interval = base::Duration(std::chrono::minutes(1)) / rate.per_minute;
  const base::MonoTime last = grants.back().at;
  std::int64_t tokens = 0;
  for (auto each = grants.rbegin(); each != grants.rend(); ++each) {
    tokens += each->tokens;
    if (tokens > (last - each->at) / interval + rate.burst) {
      return object(std::to_string(tokens) + " tokens of kind " +
                    std::to_string(static_cast<int>(claim.kind)) + " within " +
                    std::to_string(std::chrono::duration<double>(last - each->at).count()) +
                    " s are more than " + std::to_string(rate.per_minute) + " a minute and " +
                    std::to_string(rate.burst) + " at once");
    }
  }
  // What is long past bounds nothing any more.
  constexpr std::size_t kept = 128;
  if (grants.size() > kept) grants.erase(grants.begin());
}

void Door::restarted(const Restarted&) {
  // After a restart every burst is full.
  open_.clear();
  granted_.clear();
}

}  // namespace triggerd::sim
