#include "store/keys.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cstdint>
#include <string>
#include <tuple>
#include <utility>

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

model::ParkedKey any_parked() {
  model::ParkedKey key;
  key.webhook = model::WebhookRef(*rc::gen::arbitrary<std::uint32_t>());
  if (*rc::gen::arbitrary<bool>()) {
    key.kind = model::ParkedKind::kDelayed;
    key.due = model::WallTime(base::Duration(*rc::gen::nonNegative<std::int64_t>() |
                                             (*rc::gen::arbitrary<bool>() ? INT64_C(1) << 40 : 0)));
  }
  key.seq = model::EventSeq(*rc::gen::arbitrary<std::uint64_t>());
  return key;
}

RC_GTEST_PROP(Keys, ParkedSortsAsItsKeyDoes, (bool same_webhook, bool same_due)) {
  const model::ParkedKey left = any_parked();
  model::ParkedKey right = any_parked();
  if (same_webhook) right.webhook = left.webhook;
  if (same_webhook && same_due) std::tie(right.kind, right.due) = std::pair(left.kind, left.due);
  RC_ASSERT((parked_key(left) <=> parked_key(right)) == (left <=> right));
  RC_ASSERT(parked_key(left) < parked_end_key(left.webhook, left.kind));
  if (left.webhook == right.webhook && left.kind < right.kind) {
    RC_ASSERT(parked_key(right) >= parked_end_key(left.webhook, left.kind));
  }
}

RC_GTEST_PROP(Keys, ParkedRowsAreReadBack, (std::uint32_t match)) {
  const model::ParkedKey key = any_parked();
  const auto read = parked_of(parked_key(key), parked_row(match));
  RC_ASSERT(read.has_value());
  RC_ASSERT(read->key == key);
  RC_ASSERT(read->match == match);
}

TEST(Keys, ParkedRowsOfAnotherFormAreNone) {
  const model::ParkedKey fresh{
      model::WebhookRef(1), model::ParkedKind::kFresh, {}, model::EventSeq(2)};
  const std::string key = parked_key(fresh);
  const std::string row = parked_row(7);
  EXPECT_TRUE(parked_of(key, row));
  EXPECT_FALSE(parked_of(key + "x", row));
  EXPECT_FALSE(parked_of(key, row + "x"));
  EXPECT_FALSE(parked_of(key, ""));
  EXPECT_FALSE(parked_of("", row));
  std::string changed = key;
  changed[4] = 2;  // a kind that there is not
  EXPECT_FALSE(parked_of(changed, row));
  changed[4] = 1;
  EXPECT_TRUE(parked_of(changed, row));
  changed[5] = '\x80';  // before 1970
  EXPECT_FALSE(parked_of(changed, row));
  changed = key;
  changed[12] = 1;  // a fresh one that waits
  EXPECT_FALSE(parked_of(changed, row));
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
  EXPECT_EQ(parked_key({model::WebhookRef(0x01020304), model::ParkedKind::kDelayed,
                        model::WallTime(base::Duration(0x0102030405060708)),
                        model::EventSeq(0x05060708090a0b0c)}),
            "\x01\x02\x03\x04\x01\x01\x02\x03\x04\x05\x06\x07\x08\x05\x06\x07\x08\x09\x0a\x0b\x0c");
  EXPECT_EQ(parked_end_key(model::WebhookRef(0x01020304), model::ParkedKind::kFresh),
            "\x01\x02\x03\x04\x01");
  EXPECT_EQ(parked_row(0x01020304), "\x01\x02\x03\x04");
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
