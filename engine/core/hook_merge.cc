#include "engine/core/hook_merge.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <set>
#include <string>
#include <unordered_map>

namespace triggerd::core {
namespace {

using model::HookClaim;
using model::HookDecision;
using model::HookReply;
using model::OutcomeClass;

// In byte order.
constexpr std::array<std::string_view, 36> kReservedClaims{"access_token",
                                                           "attributes",
                                                           "aud",
                                                           "authenticated_methods",
                                                           "custom_claims",
                                                           "exp",
                                                           "first_token",
                                                           "gdpr",
                                                           "gdpr_consent",
                                                           "gdpr_consent_level",
                                                           "groups",
                                                           "iat",
                                                           "id",
                                                           "id_token",
                                                           "iss",
                                                           "jti",
                                                           "nbf",
                                                           "oid",
                                                           "oidc_tokens",
                                                           "org_id",
                                                           "parent_oid",
                                                           "parent_org_id",
                                                           "parent_person_id",
                                                           "parent_user_id",
                                                           "person_id",
                                                           "prev_token_id",
                                                           "refresh_token",
                                                           "roles",
                                                           "sid",
                                                           "slashid",
                                                           "slashid.com",
                                                           "slashid.dev",
                                                           "slashid.me",
                                                           "sub",
                                                           "user_id",
                                                           "user_token"};

// The claims of all answers. Views hold as long as the parts do.
class Claims {
 public:
  void add(const HookClaim& claim) {
    if (is_reserved_claim(claim.name)) {
      if (dropped_seen_.insert(claim.name).second) dropped_.push_back(claim.name);
      return;
    }
    const auto [at, is_first] = by_name_.emplace(claim.name, &claim);
    if (is_first) {
      claims_.push_back(claim);
    } else if (at->second->json != claim.json && conflicts_seen_.insert(claim.name).second) {
      conflicts_.push_back(claim.name);
    }
  }

  void move_to(HookReply& reply) {
    reply.claims = std::move(claims_);
    reply.conflicts = std::move(conflicts_);
    reply.dropped = std::move(dropped_);
  }

 private:
  std::unordered_map<std::string_view, const HookClaim*> by_name_;  // never iterated
  std::set<std::string_view> conflicts_seen_;
  std::set<std::string_view> dropped_seen_;
  std::vector<HookClaim> claims_;
  std::vector<std::string> conflicts_;
  std::vector<std::string> dropped_;
};

bool is_failure(OutcomeClass kind) {
  return kind != OutcomeClass::kOk && kind != OutcomeClass::kDenied;
}

// Empty: nobody denies.
std::string denial(const std::vector<HookPart>& parts) {
  for (const HookPart& part : parts) {
    if (part.outcome.kind != OutcomeClass::kDenied) continue;
    if (part.outcome.hook != nullptr && !part.outcome.hook->reason.empty()) {
      return part.outcome.hook->reason;
    }
    return "webhook " + part.webhook->id.to_string() + " denied without a message";
  }
  for (const HookPart& part : parts) {
    if (!is_failure(part.outcome.kind)) continue;
    if (model::on_failure_of(part.webhook->delivery) != model::OnFailure::kClosed) continue;
    return "webhook " + part.webhook->id.to_string() + " failed (" +
           std::string(model::word_of(part.outcome.kind)) + "), and its on_failure is closed";
  }
  return "";
}

}  // namespace

bool is_reserved_claim(std::string_view name) {
  return std::binary_search(kReservedClaims.begin(), kReservedClaims.end(), name);
}

HookReply merge_hook(const std::vector<HookPart>& parts) {
  HookReply reply;
  reply.webhooks.reserve(parts.size());
  for (const HookPart& part : parts) {
    reply.webhooks.push_back(
        {part.webhook->id, part.outcome.kind, part.outcome.http_status, part.duration});
  }
  reply.reason = denial(parts);
  if (!reply.reason.empty()) {
    reply.decision = HookDecision::kDeny;
    return reply;
  }
  Claims claims;
  for (const HookPart& part : parts) {
    if (part.outcome.kind != OutcomeClass::kOk || part.outcome.hook == nullptr) continue;
    for (const HookClaim& claim : part.outcome.hook->claims) claims.add(claim);
  }
  claims.move_to(reply);
  return reply;
}

}  // namespace triggerd::core
