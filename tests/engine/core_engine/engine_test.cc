#include "engine/core/engine.h"

#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "engine/base/random.h"
#include "engine/core/deliveries.h"
#include "engine/core/publisher.h"
#include "engine/model/limits.h"

namespace triggerd::core {
namespace {

using model::StartAttempt;

base::Now start_of_time() {
  return {base::MonoTime(std::chrono::hours(1)), *base::parse_rfc3339("2024-03-03T00:00:00Z")};
}

base::Uuid uuid(std::uint64_t number) {
  base::Uuid id;
  for (std::size_t i = 0; i < 8; ++i) {
    id.bytes[8 + i] = static_cast<std::uint8_t>(number >> (56 - 8 * i));
  }
  return id;
}

const model::OrgId kOrg{uuid(1)};

template <class What>
std::vector<What> mutations_of(const model::Output& output) {
  std::vector<What> found;
  for (const auto& mutation : output.batch.mutations) {
    if (const auto* what = std::get_if<What>(&mutation)) found.push_back(*what);
  }
  return found;
}

template <class What>
std::vector<What> effects_of(const model::Output& output) {
  std::vector<What> found;
  for (const auto& effect : output.effects) {
    if (const auto* what = std::get_if<What>(&effect.what)) found.push_back(*what);
  }
  return found;
}

template <class What>
std::vector<What> reads_of(const model::Output& output) {
  std::vector<What> found;
  for (const model::Read& read : output.reads) {
    if (const auto* what = std::get_if<What>(&read.what)) found.push_back(*what);
  }
  return found;
}

model::Reply reply_of(const model::Output& output) {
  const auto replies = effects_of<model::SendReply>(output);
  EXPECT_EQ(replies.size(), 1U);
  return replies.at(0).reply;
}

model::Webhook stored_webhook(std::uint32_t ref, model::WebhookState state,
                              model::DisabledReason reason = model::DisabledReason::kNone) {
  model::Webhook webhook;
  webhook.id = model::WebhookId(uuid(1000 + ref));
  webhook.org = kOrg;
  webhook.ref = model::WebhookRef(ref);
  webhook.name = "w";
  webhook.target_url = "https://h" + std::to_string(ref) + ".example/";
  webhook.state = state;
  webhook.disabled_reason = reason;
  return webhook;
}

model::NewEvent event(std::uint64_t id) {
  model::NewEvent made;
  made.id = model::EventId(uuid(id));
  made.id_from_client = true;
  made.name = "PersonCreated_v1";
  made.content = R"({"event_metadata":{}})";
  made.own_members_at = 20;
  return made;
}

class EngineTest : public ::testing::Test {
 protected:
  // An engine with webhooks 1 … count of one organization, all with the trigger.
  void recover_with(const std::vector<model::Webhook>& webhooks) {
    engine_ = std::make_unique<Engine>(options_, random_);
    const auto beyond = static_cast<std::uint32_t>(webhooks.size()) + 1;
    engine_->load(model::Counters{model::WebhookRef(beyond), model::Generation(beyond),
                                  model::EventSeq(1), model::EventSeq(1)});
    engine_->load(model::Organization{kOrg, "acme", now_.wall});
    for (const model::Webhook& webhook : webhooks) engine_->load(webhook);
    for (const model::Webhook& webhook : webhooks) {
      engine_->load(model::Trigger{kOrg, webhook.ref, model::TriggerType::kEvent,
                                   "PersonCreated_v1", model::Generation(webhook.ref.value())});
    }
    engine_->recovered(now_);
  }
  void recover_with_active(std::uint32_t count) {
    std::vector<model::Webhook> webhooks;
    for (std::uint32_t ref = 1; ref <= count; ++ref) {
      webhooks.push_back(stored_webhook(ref, model::WebhookState::kActive));
    }
    recover_with(webhooks);
  }
  // Ids minted by the edge: no store is asked.
  model::Output publish(std::uint64_t first, std::uint64_t count = 1) {
    model::PublishEvents asked{kOrg, {}};
    for (std::uint64_t i = 0; i < count; ++i) {
      asked.events.push_back(event(first + i));
      asked.events.back().id_from_client = false;
    }
    engine_->handle(std::move(asked), model::RequestId(first), now_);
    return engine_->take_output();
  }
  model::Output tick() {
    engine_->tick(now_);
    return engine_->take_output();
  }

  EngineOptions options_;
  base::SeededRandom random_{1};
  base::Now now_ = start_of_time();
  std::unique_ptr<Engine> engine_;
};

TEST_F(EngineTest, GivesNothingWhenNothingHappened) {
  engine_ = std::make_unique<Engine>(options_, random_);
  const model::Output output = tick();
  EXPECT_TRUE(output.batch.mutations.empty());
  EXPECT_TRUE(output.effects.empty());
  EXPECT_TRUE(output.reads.empty());
  EXPECT_EQ(engine_->next_deadline(), std::nullopt);
}

TEST_F(EngineTest, DoesNotUseUpTheNumberOfAnEmptyBatch) {
  recover_with_active(1);
  EXPECT_EQ(tick().batch.seq, model::BatchSeq(1));
  EXPECT_EQ(publish(100).batch.seq, model::BatchSeq(1));
  EXPECT_EQ(publish(101).batch.seq, model::BatchSeq(2));
}

TEST_F(EngineTest, AnswersWhatOnlyLooksWhenWhatItShowsIsDurable) {
  recover_with_active(1);
  engine_->handle(model::ListWebhooks{kOrg}, model::RequestId(1), now_);
  EXPECT_EQ(engine_->take_output().effects.at(0).rests_on, model::BatchSeq(0));
  engine_->handle(model::DeleteWebhook{kOrg, model::WebhookId(uuid(1001))}, model::RequestId(2),
                  now_);
  static_cast<void>(engine_->take_output());
  engine_->handle(model::GetWebhook{kOrg, model::WebhookId(uuid(1001))}, model::RequestId(3), now_);
  EXPECT_EQ(engine_->take_output().effects.at(0).rests_on, model::BatchSeq(1));
}

TEST_F(EngineTest, KeepsDeliveriesOfAPausedWebhook) {
  recover_with({stored_webhook(1, model::WebhookState::kPaused)});
  const model::Output output = publish(100);
  EXPECT_EQ(std::get<model::PublishReply>(reply_of(output)).events.at(0).webhooks, 1U);
  EXPECT_TRUE(effects_of<StartAttempt>(output).empty());
  EXPECT_EQ(engine_->stats().pending, 1U);
  EXPECT_EQ(engine_->next_deadline(), std::nullopt);
}

// --- Parked deliveries: the limits of one read, and of a line. What is parked, and when it comes
// back, is in scenarios/parked*.txt.

TEST_F(EngineTest, OneReadOfParkedDeliveriesHasSoManyWebhooks) {
  options_.resident = 0;
  constexpr auto webhooks = static_cast<std::uint32_t>(model::kParkedLanesPerRead + 6);
  std::vector<model::Webhook> paused;
  for (std::uint32_t ref = 1; ref <= webhooks; ++ref) {
    paused.push_back(stored_webhook(ref, model::WebhookState::kPaused));
  }
  recover_with(paused);
  static_cast<void>(publish(100, 40));  // beyond the room for wide events
  ASSERT_GT(engine_->stats().parked, webhooks);
  // What waits for them is given up, and what is parked read back for it.
  for (std::uint32_t ref = 1; ref <= webhooks; ++ref) {
    engine_->handle(model::DeleteWebhook{kOrg, model::WebhookId(uuid(1000 + ref))},
                    model::RequestId(ref), now_);
  }
  const std::vector<model::ReadParked> reads = reads_of<model::ReadParked>(engine_->take_output());
  ASSERT_EQ(reads.size(), 1U) << "one at a time";
  EXPECT_LE(reads[0].lanes.size(), model::kParkedLanesPerRead);
  std::uint32_t deliveries = 0;
  for (const model::ReadParked::Lane& lane : reads[0].lanes) {
    EXPECT_LE(lane.count_max, model::kParkedPerLaneRead);
    deliveries += lane.count_max;
  }
  EXPECT_LE(deliveries, model::kParkedPerRead);
}

TEST_F(EngineTest, AStuckKeyHoldsABoundedPartOfItsWebhookInMemory) {
  options_.resident = 0;
  std::vector<model::Webhook> webhooks{stored_webhook(1, model::WebhookState::kActive)};
  webhooks[0].delivery.ordering = model::Ordering::kKey;
  recover_with(webhooks);
  constexpr std::uint64_t events = model::kResidentInLineMin + 10;
  std::size_t starts = 0;
  for (std::uint64_t i = 0; i < events; ++i) {
    model::PublishEvents asked{kOrg, {event(100 + i)}};
    asked.events[0].id_from_client = false;
    asked.events[0].ordering_key = "stuck";
    engine_->handle(std::move(asked), model::RequestId(1 + i), now_);
    starts += effects_of<StartAttempt>(engine_->take_output()).size();
  }
  EXPECT_EQ(starts, 1U);
  EXPECT_EQ(engine_->stats().pending, events);
  EXPECT_EQ(engine_->stats().parked, events - 1 - model::kResidentInLineMin);
}

// CONTRACT A9. The refusals at smaller limits are in scenarios/overload.txt.
TEST_F(EngineTest, AnOrganizationHasTenThousandWebhooksAndNotOneMore) {
  recover_with_active(9'999);
  const auto refused = [this](std::uint64_t number) {
    model::CreateWebhook asked{kOrg, {}};
    asked.draft.name = "w";
    asked.draft.target_url = "https://new" + std::to_string(number) + ".example/";
    engine_->handle(std::move(asked), model::RequestId(number), now_);
    return std::holds_alternative<model::Refusal>(reply_of(engine_->take_output()));
  };
  EXPECT_FALSE(refused(1));
  EXPECT_TRUE(refused(2));
}

TEST_F(EngineTest, AWebhookHas256TriggersAndNotOneMore) {
  recover_with_active(1);
  for (std::uint32_t i = 1; i < 255; ++i) {
    engine_->load(model::Trigger{kOrg, model::WebhookRef(1), model::TriggerType::kEvent,
                                 "Own" + std::to_string(i) + "_v1", model::Generation(1 + i)});
  }
  const auto refused = [this](const char* name) {
    engine_->handle(model::AddTrigger{kOrg, model::WebhookId(uuid(1001)), "event", name},
                    model::RequestId(1), now_);
    return std::holds_alternative<model::Refusal>(reply_of(engine_->take_output()));
  };
  EXPECT_FALSE(refused("PersonDeleted_v1")) << "the 256th";
  EXPECT_TRUE(refused("TokenMinted_v1"));
  EXPECT_FALSE(refused("PersonDeleted_v1")) << "is there already";
}

// What CONTRACT A2, A3 and B2 say of who sets nothing; the schedule, the two timeouts and the rates
// have tests where they are used.
TEST_F(EngineTest, DefaultsAreThoseOfTheContract) {
  const EngineOptions defaults;
  EXPECT_EQ(defaults.retry_jitter, 0.2);
  EXPECT_EQ(defaults.disable_after, std::chrono::hours(120));
  EXPECT_EQ(defaults.in_flight_per_webhook, 64U);
  EXPECT_EQ(defaults.dedup_window, std::chrono::hours(24));
  EXPECT_EQ(defaults.secret_overlap, std::chrono::hours(24));
}

// For a process whose store has failed.
TEST_F(EngineTest, HooksGoOnByThemselves) {
  recover_with_active(1);
  const model::WebhookId webhook(uuid(1001));
  engine_->handle(model::AddTrigger{kOrg, webhook, "sync_hook", "token_minted"},
                  model::RequestId(1), now_);
  const auto started = effects_of<StartAttempt>(publish(100));
  ASSERT_EQ(started.size(), 1U);
  model::Outcome failure;
  failure.http_status = 500;
  failure.kind = model::OutcomeClass::kHttpError;
  engine_->finish(started[0].id, failure, now_);
  model::CallHook call;
  call.org = kOrg;
  call.name = "token_minted";
  call.id = model::EventId(uuid(200));
  call.content = "{}";
  engine_->handle(call, model::RequestId(2), now_);
  static_cast<void>(engine_->take_output());
  EXPECT_EQ(engine_->next_hook_deadline(), now_.mono + model::kSyncHookTimeoutDefault);

  now_.mono += std::chrono::minutes(1);  // the retry is due, and the hook
  engine_->tick_hooks(now_);
  const model::Output output = engine_->take_output();
  EXPECT_TRUE(effects_of<StartAttempt>(output).empty());
  EXPECT_TRUE(std::holds_alternative<model::HookReply>(reply_of(output)));
  EXPECT_EQ(engine_->next_hook_deadline(), std::nullopt);
  EXPECT_EQ(effects_of<StartAttempt>(tick()).size(), 1U);
}

TEST_F(EngineTest, DoesNotMatchADisabledWebhook) {
  recover_with({stored_webhook(1, model::WebhookState::kDisabled, model::DisabledReason::kByHand)});
  const model::Output output = publish(100);
  EXPECT_EQ(std::get<model::PublishReply>(reply_of(output)).events.at(0).webhooks, 0U);
  EXPECT_EQ(mutations_of<model::PutEvent>(output).size(), 1U);
  EXPECT_TRUE(mutations_of<model::PutPending>(output).empty());
  EXPECT_EQ(engine_->stats().pending, 0U);
}

model::PendingChunk stored_chunk(const std::vector<model::PendingEntry>& entries) {
  model::PendingChunk chunk;
  chunk.seq = model::EventSeq(5);
  chunk.org = kOrg;
  chunk.event_id = model::EventId(uuid(500));
  chunk.event_name = "PersonCreated_v1";
  chunk.matches_in_all = static_cast<std::uint32_t>(entries.size());
  chunk.entries = entries;
  return chunk;
}

TEST_F(EngineTest, EndsTheBacklogOfWebhooksFoundDisabledOrGoneAtRecovery) {
  engine_ = std::make_unique<Engine>(options_, random_);
  engine_->load(model::Organization{kOrg, "acme", now_.wall});
  using model::DisabledReason;
  const auto disabled = model::WebhookState::kDisabled;
  engine_->load(stored_webhook(1, disabled, DisabledReason::kByHand));
  engine_->load(stored_webhook(2, disabled, DisabledReason::kGone));
  engine_->load(stored_webhook(3, disabled, DisabledReason::kFailing));
  for (std::uint32_t ref = 1; ref <= 3; ++ref) {
    engine_->load(model::Trigger{kOrg, model::WebhookRef(ref), model::TriggerType::kEvent,
                                 "PersonCreated_v1", model::Generation(ref)});
  }
  std::vector<model::PendingEntry> entries;
  for (std::uint32_t ref = 1; ref <= 4; ++ref) {
    entries.push_back(
        {model::WebhookRef(ref), model::Generation(ref), model::DeliveryState::kReady, 0, 0, {}});
  }
  entries[2].state = model::DeliveryState::kDelayed;
  entries[2].due = now_.wall + std::chrono::hours(1);
  engine_->load(stored_chunk(entries));
  engine_->recovered(now_);
  const model::Output output = tick();
  std::map<std::uint32_t, model::DeliveryState> states;
  for (const auto& put : mutations_of<model::PutAttempt>(output)) {
    EXPECT_EQ(put.attempt.number, model::kNoAttempt);
    states[put.attempt.webhook.value()] = put.attempt.state_after;
  }
  using model::DeliveryState;
  EXPECT_EQ(states, (std::map<std::uint32_t, DeliveryState>{{1, DeliveryState::kCancelled},
                                                            {2, DeliveryState::kDead},
                                                            {3, DeliveryState::kDead},
                                                            {4, DeliveryState::kCancelled}}));
  EXPECT_EQ(mutations_of<model::ErasePending>(output).size(), 1U);
  EXPECT_TRUE(effects_of<StartAttempt>(output).empty());
  EXPECT_EQ(engine_->stats().pending, 0U);
  EXPECT_EQ(engine_->next_deadline(), std::nullopt);
}

TEST_F(EngineTest, ClampsStoredDueTimesThatAClockMadeAbsurd) {
  for (const auto& [due, wait] : std::map<base::Duration, base::Duration>{
           {std::chrono::hours(-500), base::Duration(0)},
           {std::chrono::hours(2), std::chrono::hours(2)},
           {std::chrono::hours(5000), std::chrono::hours(72)}}) {
    engine_ = std::make_unique<Engine>(options_, random_);
    engine_->load(model::Organization{kOrg, "acme", now_.wall});
    engine_->load(stored_webhook(1, model::WebhookState::kActive));
    engine_->load(model::Trigger{kOrg, model::WebhookRef(1), model::TriggerType::kEvent,
                                 "PersonCreated_v1", model::Generation(1)});
    engine_->load(stored_chunk({{model::WebhookRef(1), model::Generation(1),
                                 model::DeliveryState::kDelayed, 1, 0, now_.wall + due}}));
    engine_->recovered(now_);
    if (wait > base::Duration(0)) static_cast<void>(tick());  // the pass over the delayed ones
    EXPECT_EQ(engine_->next_deadline(), now_.mono + wait);
  }
}

TEST_F(EngineTest, StartsABoundedNumberInOneCallAndSaysThatMoreIsLeft) {
  options_.in_flight = 10'000;
  const auto webhooks = static_cast<std::uint32_t>(model::kStartsPerTurn) + 10;
  recover_with_active(webhooks);
  EXPECT_EQ(effects_of<StartAttempt>(publish(100)).size(), model::kStartsPerTurn);
  ASSERT_TRUE(engine_->next_deadline().has_value());
  EXPECT_LE(*engine_->next_deadline(), now_.mono);
  EXPECT_EQ(effects_of<StartAttempt>(tick()).size(), 10U);
  EXPECT_EQ(engine_->next_deadline(), std::nullopt);
}

TEST_F(EngineTest, CancelsABacklogPieceByPiece) {
  recover_with({stored_webhook(1, model::WebhookState::kPaused)});
  const std::size_t backlog = model::kSweptPerTurn + 500;
  for (std::size_t i = 0; i < backlog; i += 500) static_cast<void>(publish(1000 + i, 500));
  ASSERT_EQ(engine_->stats().pending, backlog / 500 * 500 + (backlog % 500 == 0 ? 0 : 500));
  engine_->handle(model::DeleteWebhook{kOrg, model::WebhookId(uuid(1001))}, model::RequestId(1),
                  now_);
  EXPECT_EQ(mutations_of<model::PutAttempt>(engine_->take_output()).size(), model::kSweptPerTurn);
  EXPECT_LE(*engine_->next_deadline(), now_.mono);
  static_cast<void>(tick());
  EXPECT_EQ(engine_->stats().pending, 0U);
  EXPECT_EQ(engine_->next_deadline(), std::nullopt);
}

TEST_F(EngineTest, WritesItsCountersFromTimeToTimeSoThatRecoveryScansLittle) {
  recover_with({});
  std::vector<model::PutCounters> counters;
  for (std::uint64_t i = 0; i < model::kEventsPerCounters * 2; i += 512) {
    for (const auto& put : mutations_of<model::PutCounters>(publish(1000 + i, 512))) {
      counters.push_back(put);
    }
  }
  ASSERT_EQ(counters.size(), 2U);
  EXPECT_EQ(counters.back().counters.next_event,
            model::EventSeq(model::kEventsPerCounters * 2 + 1));
  EXPECT_EQ(counters.back().counters.first_pending, counters.back().counters.next_event);
}

// Lists trust that it is never below what the store holds as pending.
TEST_F(EngineTest, CountsPendingOfAWebhookDownOnlyWhenTheRowsSaySo) {
  recover_with_active(2);
  const auto started = effects_of<model::StartAttempt>(publish(1));
  ASSERT_EQ(started.size(), 2U);
  EXPECT_EQ(engine_->pending_of(model::WebhookRef(1)).count, 1U);
  EXPECT_EQ(engine_->pending_of(model::WebhookRef(1)).newest, model::EventSeq(1));
  EXPECT_EQ(engine_->pending_of(model::WebhookRef(9)).count, 0U);
  model::Outcome outcome;
  outcome.kind = model::OutcomeClass::kOk;
  outcome.http_status = 200;
  for (const auto& start : started) engine_->finish(start.id, outcome, now_);
  EXPECT_EQ(engine_->pending_of(model::WebhookRef(1)).count, 1U);
  const auto attempts = mutations_of<model::PutAttempt>(engine_->take_output());
  EXPECT_EQ(engine_->pending_of(model::WebhookRef(1)).count, 0U);
  EXPECT_EQ(engine_->pending_of(model::WebhookRef(1)).newest, model::EventSeq(1));
  ASSERT_EQ(attempts.size(), 2U);
  EXPECT_EQ(attempts[0].attempt.event_name, "PersonCreated_v1");
  EXPECT_EQ(attempts[0].attempt.accepted_at, now_.wall);
}

// The events of the organization are erased later: what is stored must still say which sequences
// were given out.
TEST_F(EngineTest, DeletedOrganizationLeavesWhatIsToBeErasedAndTheCounters) {
  recover_with({});
  static_cast<void>(publish(1, 3));
  engine_->handle(model::DeleteOrganization{kOrg}, model::RequestId(77), now_);
  const model::Output output = engine_->take_output();
  const auto erased = mutations_of<model::EraseLog>(output);
  ASSERT_EQ(erased.size(), 1U);
  EXPECT_EQ(erased[0].org, kOrg);
  EXPECT_EQ(erased[0].before, model::EventSeq(4));
  const auto counters = mutations_of<model::PutCounters>(output);
  ASSERT_EQ(counters.size(), 1U);
  EXPECT_EQ(counters[0].counters.next_event, model::EventSeq(4));
  engine_->handle(model::DeleteOrganization{kOrg}, model::RequestId(78), now_);
  EXPECT_TRUE(engine_->take_output().batch.mutations.empty());
}

TEST_F(EngineTest, DropsTheReplyOfACancelledRequestAndKeepsWhatItDid) {
  recover_with_active(1);
  engine_->handle(model::DeleteWebhook{kOrg, model::WebhookId(uuid(1001))}, model::RequestId(7),
                  now_);
  engine_->cancel(model::RequestId(7));
  const model::Output output = engine_->take_output();
  EXPECT_TRUE(effects_of<model::SendReply>(output).empty());
  EXPECT_EQ(mutations_of<model::EraseWebhook>(output).size(), 1U);
}

TEST_F(EngineTest, IgnoresLateAndUnknownAnswers) {
  recover_with_active(1);
  engine_->finish(model::AttemptId(99), model::Outcome{}, now_);
  engine_->loaded(model::ReadId(99), model::EventLoaded{}, now_);
  engine_->loaded(model::ReadId(98), model::ParkedLoaded{}, now_);
  engine_->cancel(model::RequestId(97));
  EXPECT_TRUE(engine_->take_output().batch.mutations.empty());
}

using EngineDeathTest = EngineTest;

TEST_F(EngineDeathTest, AGetEventForTheCoreIsOurMistake) {
  recover_with_active(1);
  EXPECT_DEATH(engine_->handle(model::GetEvent{}, model::RequestId(1), now_), "kIsForReader");
}

// --- Limits that are too far away to be reached through the engine ----------------------------

class PublisherTest : public ::testing::Test {
 protected:
  PublisherTest() {
    registry_.add_organization({kOrg, "acme", now_.wall});
    for (std::uint32_t ref = 1; ref <= 3; ++ref) {
      registry_.add_webhook(
          std::make_shared<model::Webhook>(stored_webhook(ref, model::WebhookState::kActive)));
      registry_.add_trigger({kOrg, model::WebhookRef(ref), model::TriggerType::kEvent,
                             "PersonCreated_v1", model::Generation(ref)});
    }
  }
  model::Reply publish(std::uint64_t first, std::uint64_t count) {
    model::PublishEvents asked{kOrg, {}};
    for (std::uint64_t i = 0; i < count; ++i) asked.events.push_back(event(first + i));
    publisher_.handle(std::move(asked), model::RequestId(first), now_);
    deliveries_.write_rows();
    output_ = outbox_.take();
    const auto replies = effects_of<model::SendReply>(output_);
    return replies.empty() ? model::Reply(model::Done{}) : replies.at(0).reply;
  }
  static base::ErrorCode refusal(const model::Reply& reply) {
    return std::get<model::Refusal>(reply).faults.at(0).code;
  }

  base::Now now_ = start_of_time();
  base::SeededRandom random_{1};
  Outbox outbox_;
  Registry registry_{1};
  EventCatalogue catalogue_;
  TriggerFilters filters_;
  Door door_{DoorRates{}, 1};
  PublishWaits waits_{{}, outbox_};
  Deliveries deliveries_{
      DeliveryOptions{{default_retry_schedule(), 0}, {1, 1, 1}, {}, 1'000'000, 100, {}, 1},
      registry_, outbox_, waits_, random_};
  Publisher publisher_{PublishLimits{100, 100, 6, 2},
                       DedupOptions{std::chrono::hours(24), 100, 1},
                       registry_,
                       deliveries_,
                       catalogue_,
                       filters_,
                       door_,
                       waits_,
                       outbox_};
  model::Output output_;
};

TEST_F(PublisherTest, RefusesMoreMatchesThanOneRequestMayHave) {
  EXPECT_EQ(refusal(publish(100, 3)), base::ErrorCode::kOverloaded);
  EXPECT_TRUE(output_.batch.mutations.empty());
  EXPECT_EQ(std::get<model::PublishReply>(publish(200, 2)).events.size(), 2U);
}

TEST_F(PublisherTest, LetsABoundedNumberOfRequestsWaitForTheStore) {
  publisher_.recovered();
  EXPECT_TRUE(std::holds_alternative<model::Done>(publish(100, 1)));
  EXPECT_TRUE(std::holds_alternative<model::Done>(publish(200, 1)));
  const model::ReadId read = output_.reads.at(0).id;
  EXPECT_EQ(refusal(publish(300, 1)), base::ErrorCode::kOverloaded);
  EXPECT_TRUE(output_.reads.empty());
  EXPECT_TRUE(publisher_.loaded(read, model::EventIdLoaded{}, now_));
  EXPECT_EQ(effects_of<model::SendReply>(outbox_.take()).size(), 1U);
  EXPECT_TRUE(std::holds_alternative<model::Done>(publish(300, 1)));
}

TEST_F(PublisherTest, RefusesMoreEventsThanABatchMayHave) {
  EXPECT_EQ(refusal(publish(100, model::kEventsPerBatchMax + 1)), base::ErrorCode::kInvalid);
}

}  // namespace
}  // namespace triggerd::core
