#include "dispatcher/jwt_claims.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/dispatcher/sign/sign_fixtures.h"

namespace triggerd::dispatcher {
namespace {

std::string claims_of(const AttemptParts& parts) {
  std::string out = "what was there before";
  write_claims(out, parts.make(), "https://events.example",
               *base::Uuid::parse("0190a6e0-4444-4000-8000-000000000004"),
               base::unix_seconds(kNow));
  return out;
}

TEST(JwtClaims, OfAnEventAreTheGoldenOnesByteForByte) {
  EXPECT_EQ(claims_of(AttemptParts()), read_data("jwt_claims/event.json"));
}

TEST(JwtClaims, OfASyncHookAreTheGoldenOnesByteForByte) {
  AttemptParts parts;
  parts.attempt.trigger_type = model::TriggerType::kSyncHook;
  parts.event.name = "token_minted";
  parts.event.content = R"({"sub":"person"})";
  EXPECT_EQ(claims_of(parts), read_data("jwt_claims/sync_hook.json"));
}

}  // namespace
}  // namespace triggerd::dispatcher
