#include "app/delivery_log.h"

#include <memory>
#include <string>
#include <variant>

#include <gtest/gtest.h>

#include "engine/base/random.h"
#include "store/memory_store.h"

namespace triggerd::app {
namespace {

template <class Id>
Id id_of(std::uint8_t number) {
  base::Uuid uuid;
  uuid.bytes[15] = number;
  return Id(uuid);
}
const model::OrgId kOrg = id_of<model::OrgId>(1);
const model::OrgId kOther = id_of<model::OrgId>(2);
const model::WebhookId kWebhook = id_of<model::WebhookId>(3);

model::Event event_of(std::uint64_t seq) {
  model::Event event;
  event.seq = model::EventSeq(seq);
  event.id = id_of<model::EventId>(static_cast<std::uint8_t>(seq));
  event.org = kOrg;
  event.name = "PersonCreated_v1";
  event.content = "{}";
  event.matches = {{model::WebhookRef(1), model::Generation(1)}};
  return event;
}

class DeliveryLogTest : public ::testing::Test {
 protected:
  DeliveryLogTest() {
    engine_.load(model::Counters{model::WebhookRef(2), model::Generation(2), model::EventSeq(1),
                                 model::EventSeq(1)});
    engine_.load(model::Organization{kOrg, "acme", {}});
    engine_.load(model::Organization{kOther, "other", {}});
    model::Webhook webhook;
    webhook.id = kWebhook;
    webhook.org = kOrg;
    webhook.ref = model::WebhookRef(1);
    webhook.target_url = "https://receiver.example/";
    webhook.state = model::WebhookState::kPaused;
    engine_.load(webhook);
    for (std::uint64_t seq = 5; seq <= 6; ++seq) add_pending(seq);
    engine_.recovered({});
    static_cast<void>(engine_.take_output());
  }

  void add_pending(std::uint64_t seq) {
    const model::Event event = event_of(seq);
    model::PendingChunk chunk;
    chunk.seq = event.seq;
    chunk.org = kOrg;
    chunk.event_id = event.id;
    chunk.event_name = event.name;
    chunk.matches_in_all = 1;
    model::PendingEntry entry;
    entry.webhook = model::WebhookRef(1);
    entry.generation = model::Generation(1);
    chunk.entries = {entry};
    engine_.load(chunk);
    model::Batch batch;
    batch.mutations.emplace_back(model::PutEvent{std::make_shared<const model::Event>(event)});
    batch.mutations.emplace_back(model::PutPending{chunk});
    ASSERT_TRUE(store_.commit(batch).ok());
  }
  model::Reply ask(model::Request request) {
    const base::Result<LogRead> read = prepare_log_read(std::move(request), engine_, {});
    if (!read.ok()) return model::Refusal{{read.error()}, {}};
    return run_log_read(store_, read.value());
  }
  static std::string fault_of(const model::Reply& reply) {
    const auto* refusal = std::get_if<model::Refusal>(&reply);
    if (refusal == nullptr) return "none";
    EXPECT_EQ(refusal->faults.at(0).code, base::ErrorCode::kNotFound);
    return refusal->faults.at(0).message;
  }

  base::SeededRandom random_{1};
  core::Engine engine_{{}, random_};
  store::MemoryStore store_;
};

TEST_F(DeliveryLogTest, ListsWhatTheStoreHoldsForTheWebhook) {
  const model::Reply reply = ask(model::ListLoggedDeliveries{kOrg, kWebhook});
  const auto& page = std::get<model::LoggedDeliveriesReply>(reply);
  EXPECT_EQ(page.webhook, kWebhook);
  ASSERT_EQ(page.deliveries.size(), 2U);
  EXPECT_EQ(page.deliveries[0].seq, model::EventSeq(6));
  EXPECT_FALSE(page.next);
  model::ListLoggedDeliveries one{kOrg, kWebhook};
  one.limit = 1;
  const model::Reply first = ask(one);
  ASSERT_TRUE(std::get<model::LoggedDeliveriesReply>(first).next);
  one.position = std::get<model::LoggedDeliveriesReply>(first).next;
  EXPECT_EQ(std::get<model::LoggedDeliveriesReply>(ask(one)).deliveries.at(0).seq,
            model::EventSeq(5));
}

TEST_F(DeliveryLogTest, AWebhookOfAnotherOrganizationIsNotThere) {
  const std::string fault = "could not find webhook " + kWebhook.to_string();
  EXPECT_EQ(fault_of(ask(model::ListLoggedDeliveries{kOther, kWebhook})), fault);
  EXPECT_EQ(fault_of(ask(model::GetDelivery{kOther, kWebhook, event_of(5).id})), fault);
  const model::Reply none = ask(model::ListLoggedEvents{kOther});
  EXPECT_TRUE(std::get<model::LoggedEventsReply>(none).events.empty());
}

TEST_F(DeliveryLogTest, ADeliveryIsFoundByItsEventOrNotThere) {
  const model::Reply reply = ask(model::GetDelivery{kOrg, kWebhook, event_of(5).id});
  EXPECT_EQ(std::get<model::DeliveryReply>(reply).delivery.seq, model::EventSeq(5));
  EXPECT_EQ(fault_of(ask(model::GetDelivery{kOrg, kWebhook, event_of(9).id})), "event not found");
  model::Event unmatched = event_of(7);
  unmatched.matches.clear();
  model::Batch batch;
  batch.mutations.emplace_back(model::PutEvent{std::make_shared<const model::Event>(unmatched)});
  ASSERT_TRUE(store_.commit(batch).ok());
  EXPECT_EQ(fault_of(ask(model::GetDelivery{kOrg, kWebhook, unmatched.id})),
            "event " + unmatched.id.to_string() + " is not for this webhook");
}

TEST_F(DeliveryLogTest, WhatIsConcludedAndNotDurableYetIsStillLookedFor) {
  const base::Result<LogRead> read = prepare_log_read(model::ListLoggedDeliveries{kOrg, kWebhook},
                                                      engine_, {3, model::EventSeq(2)});
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read.value().pending.count, 5U);
  EXPECT_EQ(read.value().pending.newest, model::EventSeq(6));
  EXPECT_EQ(read.value().pending.oldest, model::EventSeq(2));
}

}  // namespace
}  // namespace triggerd::app
