#include "engine/core/hook_merge.h"

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/base/random.h"

namespace triggerd::core {
namespace {

using model::HookClaim;
using model::HookDecision;
using model::HookReply;
using model::OutcomeClass;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class HookMergeTest : public testing::Test {
 protected:
  HookPart part(OutcomeClass kind, std::vector<HookClaim> claims = {}, std::string reason = "") {
    auto webhook = std::make_shared<model::Webhook>();
    webhook->id = model::WebhookId(random_.uuid_v4());
    webhook->delivery.on_failure = on_failure_;
    HookPart made;
    made.webhook = webhook;
    made.outcome.kind = kind;
    made.outcome.http_status = kind == OutcomeClass::kOk ? 200 : 0;
    made.duration = std::chrono::milliseconds(14);
    if (kind == OutcomeClass::kOk || kind == OutcomeClass::kDenied) {
      made.outcome.hook = std::make_shared<model::HookAnswer>(
          model::HookAnswer{std::move(claims), std::move(reason)});
    }
    return made;
  }
  HookPart ok(std::vector<HookClaim> claims) { return part(OutcomeClass::kOk, std::move(claims)); }

  std::optional<model::OnFailure> on_failure_;
  base::SeededRandom random_{1};
};

TEST_F(HookMergeTest, NobodyToAskContinuesWithNothing) {
  const HookReply reply = merge_hook({});
  EXPECT_EQ(reply.decision, HookDecision::kContinue);
  EXPECT_THAT(reply.claims, IsEmpty());
  EXPECT_THAT(reply.webhooks, IsEmpty());
}

TEST_F(HookMergeTest, TheFirstRegisteredWinsAndEachConflictIsListedOnce) {
  const HookReply reply = merge_hook({ok({{"a", "1"}, {"b", "2"}}), ok({{"b", "3"}, {"c", "4"}}),
                                      ok({{"b", "5"}, {"a", "1"}, {"c", "6"}})});
  EXPECT_THAT(reply.claims,
              ElementsAre(HookClaim{"a", "1"}, HookClaim{"b", "2"}, HookClaim{"c", "4"}));
  EXPECT_THAT(reply.conflicts, ElementsAre("b", "c")) << "a was given alike";
}

TEST_F(HookMergeTest, ValuesAreComparedAndKeptByteForByte) {
  const HookReply reply = merge_hook({ok({{"n", "1.0"}}), ok({{"n", "1.00"}})});
  EXPECT_THAT(reply.claims, ElementsAre(HookClaim{"n", "1.0"}));
  EXPECT_THAT(reply.conflicts, ElementsAre("n"));
}

TEST_F(HookMergeTest, ReservedClaimsAreDroppedAndListedOnce) {
  const HookReply reply =
      merge_hook({ok({{"sub", "1"}, {"x", "2"}}), ok({{"slashid.me", "3"}, {"sub", "4"}})});
  EXPECT_THAT(reply.claims, ElementsAre(HookClaim{"x", "2"}));
  EXPECT_THAT(reply.dropped, ElementsAre("sub", "slashid.me"));
  EXPECT_THAT(reply.conflicts, IsEmpty());
}

TEST(ReservedClaims, AreThe36NamesOfTheMintingApi) {
  for (const char* name : {"aud",
                           "exp",
                           "jti",
                           "iat",
                           "iss",
                           "nbf",
                           "sub",
                           "prev_token_id",
                           "oid",
                           "org_id",
                           "user_id",
                           "person_id",
                           "first_token",
                           "authenticated_methods",
                           "oidc_tokens",
                           "user_token",
                           "groups",
                           "roles",
                           "access_token",
                           "refresh_token",
                           "id",
                           "id_token",
                           "gdpr",
                           "gdpr_consent",
                           "gdpr_consent_level",
                           "parent_user_id",
                           "parent_person_id",
                           "parent_org_id",
                           "parent_oid",
                           "attributes",
                           "custom_claims",
                           "slashid",
                           "slashid.dev",
                           "slashid.com",
                           "slashid.me",
                           "sid"}) {
    EXPECT_TRUE(is_reserved_claim(name)) << name;
  }
  for (const char* name : {"", "Sub", "subs", "department", "slashid.org", "zz"}) {
    EXPECT_FALSE(is_reserved_claim(name)) << name;
  }
}

TEST_F(HookMergeTest, AVetoDeniesWithItsReasonAndWithoutClaims) {
  const HookReply reply =
      merge_hook({ok({{"a", "1"}, {"sub", "1"}}), part(OutcomeClass::kDenied, {}, "from Mars"),
                  part(OutcomeClass::kDenied, {}, "second")});
  EXPECT_EQ(reply.decision, HookDecision::kDeny);
  EXPECT_EQ(reply.reason, "from Mars");
  EXPECT_THAT(reply.claims, IsEmpty());
  EXPECT_THAT(reply.dropped, IsEmpty());
  EXPECT_EQ(reply.webhooks.size(), 3U);
}

TEST_F(HookMergeTest, AVetoWithoutAReasonNamesItsWebhook) {
  const HookPart veto = part(OutcomeClass::kDenied);
  const HookReply reply = merge_hook({veto});
  EXPECT_EQ(reply.reason, "webhook " + veto.webhook->id.to_string() + " denied without a message");
}

TEST_F(HookMergeTest, EveryFailureIsIgnoredWhenOpenAndDeniesWhenClosed) {
  for (const OutcomeClass kind :
       {OutcomeClass::kHttpError, OutcomeClass::kTimeout, OutcomeClass::kConnect,
        OutcomeClass::kDns, OutcomeClass::kTls, OutcomeClass::kBlocked, OutcomeClass::kProtocol,
        OutcomeClass::kCancelled, OutcomeClass::kBusy, OutcomeClass::kBadAnswer,
        OutcomeClass::kBreakerOpen, OutcomeClass::kDisabled}) {
    on_failure_.reset();
    EXPECT_EQ(merge_hook({part(kind)}).decision, HookDecision::kContinue);
    on_failure_ = model::OnFailure::kOpen;
    EXPECT_EQ(merge_hook({part(kind)}).decision, HookDecision::kContinue);
    on_failure_ = model::OnFailure::kClosed;
    const HookReply reply = merge_hook({part(kind)});
    EXPECT_EQ(reply.decision, HookDecision::kDeny);
    EXPECT_THAT(reply.reason, HasSubstr(std::string(model::word_of(kind))));
    EXPECT_EQ(merge_hook({ok({{"a", "1"}})}).decision, HookDecision::kContinue);
  }
}

TEST_F(HookMergeTest, AVetoSpeaksBeforeAFailure) {
  on_failure_ = model::OnFailure::kClosed;
  const HookReply reply =
      merge_hook({part(OutcomeClass::kTimeout), part(OutcomeClass::kDenied, {}, "from Mars")});
  EXPECT_EQ(reply.reason, "from Mars");
}

}  // namespace
}  // namespace triggerd::core
