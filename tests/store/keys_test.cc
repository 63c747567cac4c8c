#include "store/keys.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cstdint>
#include <string>

#include "tests/store/store_samples.h"

namespace triggerd::store::testing {
namespace {

RC_GTEST_PROP(Keys, EventsSortBySequence, (std::uint64_t left, std::uint64_t right)) {
  RC_ASSERT((event_key(model::EventSeq(left)) < event_key(model::EventSeq(right))) ==
            (left < right));
  RC_ASSERT(event_seq_of(event_key(model::EventSeq(left))) == model::EventSeq(left));
}

RC_GTEST_PROP(Keys, PendingSortsBySequenceThenChunk,
              (std::uint64_t left, std::uint64_t right, std::uint32_t one, std::uint32_t other)) {
  const std::string left_key = pending_key(model::EventSeq(left), one);
  const std::string right_key = pending_key(model::EventSeq(right), other);
  RC_ASSERT((left_key < right_key) == (std::pair(left, one) < std::pair(right, other)));
}

RC_GTEST_PROP(Keys, AttemptsSortByWebhookThenSequenceThenNumber,
              (std::uint32_t webhook, std::uint64_t seq, std::uint16_t one, std::uint16_t other)) {
  const model::WebhookRef ref(webhook);
  const std::string one_key = attempt_key(ref, model::EventSeq(seq), one);
  RC_ASSERT((one_key < attempt_key(ref, model::EventSeq(seq), other)) == (one < other));
  RC_ASSERT(one_key.substr(0, kAttemptPrefixBytes) ==
            attempt_key(ref, model::EventSeq(seq), other).substr(0, kAttemptPrefixBytes));
}

TEST(Keys, AreAsDrawn) {
  EXPECT_EQ(event_key(model::EventSeq(0x0102030405060708)), "\x01\x02\x03\x04\x05\x06\x07\x08");
  EXPECT_EQ(webhook_key(model::WebhookRef(0x01020304)), "w\x01\x02\x03\x04");
  EXPECT_EQ(attempt_key(model::WebhookRef(0x01020304), model::EventSeq(0x05060708090a0b0c), 0x0d0e),
            "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e");
  EXPECT_EQ(final_of_webhook_key(model::WebhookRef(0x01020304), model::DeliveryState::kDead,
                                 model::EventSeq(0x05060708090a0b0c)),
            "w\x01\x02\x03\x04\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c");
  EXPECT_EQ(final_of_event_key(model::EventSeq(0x0102030405060708),
                               model::DeliveryState::kCancelled, model::WebhookRef(0x090a0b0c)),
            "s\x01\x02\x03\x04\x05\x06\x07\x08\x05\x09\x0a\x0b\x0c");
  EXPECT_EQ(org_event_key(id_of<model::OrgId>(1), model::EventSeq(1)).size(), kOrgEventKeyBytes);
  EXPECT_EQ(erasure_key(id_of<model::OrgId>(1)).size(), 17U);
  EXPECT_EQ(signing_key_key("kid"), "skid");
  EXPECT_EQ(organization_key(id_of<model::OrgId>(1)).size(), 17U);
  EXPECT_EQ(api_key_key(id_of<model::OrgId>(1), id_of<model::ApiKeyId>(2)).size(), 33U);
  EXPECT_EQ(event_id_key(id_of<model::OrgId>(1), id_of<model::EventId>(2)).size(), 32U);
}

TEST(Keys, TriggerIsKeyedByItsIdentityAlone) {
  EXPECT_EQ(trigger_key(trigger(1, "a", 1)), trigger_key(trigger(1, "a", 2)));
  EXPECT_NE(trigger_key(trigger(1, "a", 1)), trigger_key(trigger(2, "a", 1)));
  EXPECT_NE(trigger_key(trigger(1, "a", 1)), trigger_key(trigger(1, "b", 1)));
  model::Trigger hook = trigger(1, "a", 1);
  hook.type = model::TriggerType::kSyncHook;
  EXPECT_NE(trigger_key(trigger(1, "a", 1)), trigger_key(hook));
}

}  // namespace
}  // namespace triggerd::store::testing
