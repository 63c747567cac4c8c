// The checkers of what webhooks and organizations asked for: filters, delivery settings, keys and
// secrets, rates, event types, hooks. Each is shown a violation, and the same story without it.
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/checkers/accounted.h"
#include "tests/sim/checkers/catalogue.h"
#include "tests/sim/checkers/door.h"
#include "tests/sim/checkers/durability.h"
#include "tests/sim/checkers/hooks.h"
#include "tests/sim/checkers/pace.h"
#include "tests/sim/checkers/replies.h"
#include "tests/sim/checkers/secrets.h"
#include "tests/sim/checkers/settings.h"
#include "tests/sim/checkers/signing_keys.h"
#include "tests/sim/checkers/targets.h"
#include "tests/sim/checkers_fixture.h"
#include "tests/sim/sim_edge.h"

namespace triggerd::sim {
namespace {

using std::chrono::minutes;

model::Filter only(RegionSet set) {
  base::SeededRandom random(1);
  return filter_for(set, random);
}

// --- Regions, and the simulated edge ----------------------------------------------------------

TEST(Regions, AreReadBackFromContentFilterAndSchema) {
  base::SeededRandom random(1);
  for (std::uint32_t region = 0; region <= kNowhere; ++region) {
    EXPECT_EQ(region_of(content_of(region, 10)), region);
  }
  for (RegionSet set = 1; set <= kEverywhere; ++set) {
    EXPECT_EQ(set_of(filter_for(set, random)), set);
    EXPECT_EQ(refused_by(schema_refusing(set)), set);
  }
}

TEST(SimEdge, PreparesByWhatItWasToldAndNothingElse) {
  SimEdge edge;
  model::PublishEvents publish;
  publish.org = kOrg;
  publish.events.resize(1);
  publish.events[0].name = kName;
  publish.events[0].content = content_of(2, 0);
  edge.prepare(publish);
  EXPECT_EQ(publish.rules_version, 0U);
  edge.told(model::FilterPathsChanged{kOrg, 7, {{"region"}, {}, {"number"}}});
  edge.told(model::EventSchemaChanged{kOrg, 8, kName, schema_refusing(1U << 2)});
  edge.prepare(publish);
  EXPECT_EQ(publish.rules_version, 8U);
  const model::Attributes expected = {{0, model::FilterScalar("r2")},
                                      {2, model::FilterScalar(std::int64_t{2})}};
  EXPECT_EQ(publish.events[0].attributes, expected);
  EXPECT_EQ(publish.events[0].edge_faults.size(), 1U);
  edge.restarted();
  edge.prepare(publish);
  EXPECT_EQ(publish.rules_version, 0U);
  EXPECT_TRUE(publish.events[0].attributes.empty() && publish.events[0].edge_faults.empty());
}

// --- Filters ----------------------------------------------------------------------------------

TEST_F(CheckersTest, TargetsObjectsToAnEventThatTheFilterRefuses) {
  trigger_.filter = only(1U << 0 | 1U << kNowhere);
  const std::vector<model::Match> matched = {{kRef, kGeneration}};
  for (std::uint32_t region = 0; region <= kNowhere; ++region) {
    const bool admitted = region == 0 || region == kNowhere;
    for (const bool delivered : {false, true}) {
      Verdict verdict;
      Targets checker({durable_, options_, false, verdict});
      emit(checker,
           {model::PutWebhook{webhook_}, model::PutTrigger{trigger_},
            model::PutEvent{event_of(1, region, delivered ? matched : decltype(matched)())}});
      const std::string objection = verdict.objection().value_or("");
      if (delivered == admitted) {
        EXPECT_EQ(objection, "") << region;
      } else if (delivered) {
        EXPECT_THAT(objection, HasSubstr("whose filter refuses it")) << region;
      } else {
        EXPECT_THAT(objection, HasSubstr("misses webhook 3")) << region;
      }
      EXPECT_EQ(checker.filtered(), admitted ? 0U : 1U);
    }
  }
}

TEST_F(CheckersTest, TargetsKnowsTheFilterThatIsInForce) {
  Targets checker(scene());
  trigger_.filter = only(1U << 0);
  model::Trigger later = trigger_;
  later.filter = only(1U << 1);
  emit(checker, {model::PutWebhook{webhook_}, model::PutTrigger{trigger_},
                 model::PutEvent{event_of(1, 0, {{kRef, kGeneration}})}, model::PutTrigger{later},
                 model::PutEvent{event_of(2, 1, {{kRef, kGeneration}})}});
  EXPECT_EQ(objection(), "");
  emit(checker, {model::PutEvent{event_of(3, 0, {{kRef, kGeneration}})}});
  EXPECT_THAT(objection(), HasSubstr("event 3 goes to webhook 3 whose filter refuses it"));
}

TEST_F(CheckersTest, ARequestThatIsGivenBackHasNoReplyYet) {
  const model::SendReply stale{model::RequestId(1), model::StaleRules{}};
  Replies replies(scene());
  Durability durability(scene());
  Accounted accounted(scene());
  for (Checker* checker : std::initializer_list<Checker*>{&replies, &durability, &accounted}) {
    handle(*checker, 1, model::PublishEvents{kOrg, {}});
    emit(*checker, {}, {stale});
    release(*checker, stale);
  }
  EXPECT_EQ(objection(), "");
  emit(durability, {model::PutEvent{event(1)}}, {published(1, 1)});
  release(durability, published(1, 1));
  EXPECT_THAT(objection(), HasSubstr("reveals batch"));
}

// --- Delivery settings ------------------------------------------------------------------------

TEST_F(CheckersTest, SettingsObjectsToMoreThanMaxInFlight) {
  Settings checker(scene());
  emit(checker, {changed([](auto& webhook) { webhook.delivery.max_in_flight = 2; })},
       {call(1, 1), call(2, 2)});
  EXPECT_EQ(objection(), "");
  finish(checker, call(1, 1), 200);
  emit(checker, {}, {call(3, 3)});
  EXPECT_EQ(objection(), "");
  emit(checker, {}, {call(4, 4)});
  EXPECT_THAT(objection(), HasSubstr("is more than the webhook takes at once"));
}

TEST_F(CheckersTest, SettingsObjectsToCallsFasterThanTheRate) {
  Settings checker(scene());
  emit(checker, {changed([](auto& webhook) {
         webhook.delivery.max_in_flight = 100;
         webhook.delivery.rate = model::DeliveryRate{500, 2};  // one in two seconds
       })});
  emit(checker, {}, {call(1, 1), call(2, 2)});
  pass(seconds(2));
  emit(checker, {}, {call(3, 3)});
  EXPECT_EQ(objection(), "");
  pass(std::chrono::milliseconds(1900));
  emit(checker, {}, {call(4, 4)});
  EXPECT_THAT(objection(), HasSubstr("called faster than its rate"));
}

TEST_F(CheckersTest, SettingsCountsNoCallThatDidNotHappen) {
  Settings checker(scene());
  emit(checker, {changed([](auto& webhook) {
         webhook.delivery.rate = model::DeliveryRate{500, 1};
       })},
       {call(1, 1)});
  model::Outcome busy;
  busy.kind = model::OutcomeClass::kBusy;
  checker.finished({call(1, 1), busy, now_});
  emit(checker, {}, {call(2, 1)});
  EXPECT_EQ(objection(), "");
}

TEST_F(CheckersTest, SettingsObjectsToOvertakingWithinAnOrderingKey) {
  const auto keyed = [this](std::uint8_t number, const char* key) {
    auto made = std::make_shared<model::Event>(*event(number));
    made->ordering_key = key;
    return model::PutEvent{made};
  };
  for (const char* second_key : {"a", "b"}) {
    Verdict verdict;
    Settings checker({durable_, options_, false, verdict});
    emit(checker, {changed([](auto& webhook) {
                     webhook.delivery.max_in_flight = 100;
                     webhook.delivery.ordering = model::Ordering::kKey;
                   }),
                   keyed(1, "a"), keyed(2, second_key)});
    emit(checker, {}, {call(1, 2)});
    EXPECT_EQ(verdict.objection().has_value(), *second_key == 'a');
    if (!verdict.objection()) continue;
    EXPECT_THAT(*verdict.objection(), HasSubstr("overtakes event 1"));
  }
  Settings checker(scene());
  emit(checker, {model::PutWebhook{webhook_}, keyed(1, "a"), keyed(2, "a")}, {call(1, 1)});
  finish(checker, call(1, 1), 200);
  emit(checker, {ended(1, 1, model::DeliveryState::kDelivered)}, {call(2, 2)});
  EXPECT_EQ(objection(), "");
}

TEST_F(CheckersTest, SettingsObjectsToACallWhilePaused) {
  Settings checker(scene());
  emit(checker, {changed([](auto& webhook) { webhook.state = model::WebhookState::kPaused; })});
  emit(checker, {}, {call(1, 1)});
  EXPECT_THAT(objection(), HasSubstr("not active"));
}

TEST_F(CheckersTest, PaceGoesByTheScheduleOfTheWebhook) {
  for (const bool own : {false, true}) {
    Verdict verdict;
    Pace checker({durable_, options_, false, verdict});
    emit(checker, {changed([own](auto& webhook) {
           webhook.delivery.schedule.reset();
           if (own) webhook.delivery.schedule = {seconds(30)};
         })});
    release(checker, call(1, 1));
    finish(checker, call(1, 1), 500);
    emit(checker, {});
    pass(seconds(9));  // enough for the engine's 10 s less 20 %
    emit(checker, {}, {call(2, 1, 2)});
    EXPECT_EQ(verdict.objection().has_value(), own);
  }
}

// It was changed in the turn in which the outcome came: before or after, nobody can tell.
TEST_F(CheckersTest, PaceAllowsEitherScheduleInTheTurnOfAChange) {
  Pace checker(scene());
  emit(checker, {changed([](auto& webhook) { webhook.delivery.schedule = {seconds(30)}; })});
  release(checker, call(1, 1));
  finish(checker, call(1, 1), 500);
  emit(checker, {changed([](auto& webhook) { webhook.delivery.schedule = {seconds(1)}; })});
  pass(seconds(1));
  emit(checker, {}, {call(2, 1, 2)});
  EXPECT_EQ(objection(), "");
}

TEST_F(CheckersTest, AccountedGoesByTheScheduleOfTheWebhook) {
  for (const std::uint16_t number : {std::uint16_t{1}, std::uint16_t{2}}) {
    Verdict verdict;
    Accounted checker({durable_, options_, false, verdict});
    emit(checker, {changed([](auto& webhook) { webhook.delivery.schedule = {seconds(1)}; })});
    emit(checker, {ended(1, number, model::DeliveryState::kDead)});
    EXPECT_EQ(verdict.objection().has_value(), number == 1);
  }
}

// --- Keys and secrets -------------------------------------------------------------------------

class SigningKeysTest : public CheckersTest {
 protected:
  [[nodiscard]] model::PutSigningKey key(const std::string& kid, base::Duration from_now) const {
    model::SigningKey made;
    made.kid = kid;
    made.active_from = now_.wall + from_now;
    return {made};
  }
  // Two keys, the second one in force after the lead.
  void two_keys(Checker& checker) {
    emit(checker, {key("k1", seconds(0))});
    commit(checker);
    emit(checker, {key("k2", options_.key_publish_lead)});
    commit(checker);
  }
};

TEST_F(SigningKeysTest, ARotationAsItShouldBe) {
  SigningKeys checker(scene());
  two_keys(checker);
  pass(2 * options_.key_publish_lead + model::kTokenLifeMax);
  emit(checker, {model::EraseSigningKey{"k1"}});
  EXPECT_EQ(objection(), "");
  EXPECT_EQ(checker.added(), 2U);
  EXPECT_EQ(checker.erased(), 1U);
}

TEST_F(SigningKeysTest, ObjectsToAKeyBeforeItsTime) {
  SigningKeys checker(scene());
  emit(checker, {key("k1", seconds(0))});
  emit(checker, {key("k2", options_.key_publish_lead - seconds(1))});
  EXPECT_THAT(objection(), HasSubstr("before it was published for the lead"));
}

TEST_F(SigningKeysTest, ObjectsToASecondKeyThatWaits) {
  SigningKeys checker(scene());
  two_keys(checker);
  emit(checker, {key("k3", 2 * options_.key_publish_lead)});
  EXPECT_THAT(objection(), HasSubstr("added while another waits"));
}

TEST_F(SigningKeysTest, ObjectsToAKeyThatGoesTooEarlyOrOutOfOrderOrWasTheLast) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"k1", "while tokens of it may be valid"}, {"k2", "before an older one"}};
  for (const auto& [kid, words] : cases) {
    Verdict verdict;
    SigningKeys checker({durable_, options_, false, verdict});
    two_keys(checker);
    pass(2 * options_.key_publish_lead + model::kTokenLifeMax - seconds(1));
    emit(checker, {model::EraseSigningKey{kid}});
    EXPECT_THAT(verdict.objection().value_or(""), HasSubstr(words));
  }
  Verdict verdict;
  SigningKeys checker({durable_, options_, false, verdict});
  emit(checker, {key("k1", seconds(0)), model::EraseSigningKey{"k1"}});
  EXPECT_THAT(verdict.objection().value_or(""), HasSubstr("was the last"));
}

TEST_F(SigningKeysTest, ObjectsToAKeyThatIsUsedOrShownBeforeItIsStored) {
  model::SigningKeyView view;
  view.kid = "k1";
  const std::vector<model::EffectKind> ways = {
      model::SigningKeysChanged{{key("k1", seconds(0)).key}},
      model::SendReply{model::RequestId(1), model::SigningKeyReply{view}},
      model::SendReply{model::RequestId(1), model::SigningKeysReply{{view}}},
      model::SendReply{model::RequestId(1), model::JwksReply{{{"k1", "", ""}}}}};
  for (const model::EffectKind& way : ways) {
    Verdict verdict;
    SigningKeys checker({durable_, options_, false, verdict});
    emit(checker, {key("k1", seconds(0))});
    release(checker, way);
    EXPECT_THAT(verdict.objection().value_or(""), HasSubstr("and not stored"));
  }
  SigningKeys checker(scene());
  emit(checker, {key("k1", seconds(0))});
  commit(checker);
  for (const model::EffectKind& way : ways) release(checker, way);
  EXPECT_EQ(objection(), "");
}

class SecretsTest : public CheckersTest {
 protected:
  [[nodiscard]] static model::SigningSecret secret(std::uint8_t number) {
    model::SigningSecret made;
    made.hmac_key[0] = number;
    return made;
  }
  [[nodiscard]] model::SigningSecret previous(std::uint8_t number) const {
    model::SigningSecret made = secret(number);
    made.expires_at = now_.wall + options_.secret_overlap;
    return made;
  }
  model::PutWebhook with(std::vector<model::SigningSecret> secrets) {
    return changed([&secrets](auto& webhook) {
      webhook.delivery.format = model::DeliveryFormat::kJson;
      webhook.secrets = std::move(secrets);
    });
  }
};

TEST_F(SecretsTest, ARotationAsItShouldBe) {
  Secrets checker(scene());
  emit(checker, {with({secret(1)})}, {call(1, 1)});
  emit(checker, {with({secret(2), previous(1)})});
  emit(checker, {with({secret(2), previous(1)})});
  pass(seconds(5));
  emit(checker, {with({secret(3), previous(2)})});
  EXPECT_EQ(objection(), "");
  EXPECT_EQ(checker.rotated(), 2U);
}

TEST_F(SecretsTest, ObjectsToWhatIsNoRotation) {
  const std::vector<std::pair<std::vector<model::SigningSecret>, const char*>> cases = {
      {{secret(2)}, "does not keep its secret for the overlap"},
      {{secret(2), secret(1)}, "does not keep its secret for the overlap"},
      {{secret(2), previous(9)}, "does not keep its secret for the overlap"},
      {{secret(2), previous(1), previous(1)}, "too many"},
      {{previous(1)}, "a current secret that ends"},
      {{}, "has no secret"}};
  for (const auto& [after, words] : cases) {
    Verdict verdict;
    Secrets checker({durable_, options_, false, verdict});
    emit(checker, {with({secret(1)})});
    EXPECT_FALSE(verdict.objection());
    emit(checker, {with(after)});
    EXPECT_THAT(verdict.objection().value_or(""), HasSubstr(words));
  }
}

TEST_F(SecretsTest, ObjectsToACallThatCanNotBeSigned) {
  Secrets checker(scene());
  with({});
  emit(checker, {}, {call(1, 1)});
  EXPECT_THAT(objection(), HasSubstr("to be called with a signature and has no secret"));
}

// --- Rates at the door ------------------------------------------------------------------------

class DoorTest : public CheckersTest {
 protected:
  DoorTest() { options_.rates.test_events = {6, 3}; }  // one in ten seconds

  void ask(Checker& checker, std::uint64_t id, std::uint32_t tokens) {
    model::PublishEvents publish{kOrg, {}};
    publish.claims = {{model::RateKind::kTestEvents, kOrg, {}, tokens}};
    handle(checker, id, publish);
  }
};

TEST_F(DoorTest, ObjectsToMoreThanTheRate) {
  for (const int wait : {9, 10}) {
    Verdict verdict;
    Door checker({durable_, options_, false, verdict});
    ask(checker, 1, 3);
    emit(checker, {}, {published(1, 1)});
    pass(seconds(wait));
    ask(checker, 2, 1);
    EXPECT_FALSE(verdict.objection()) << "not granted yet";
    emit(checker, {}, {published(2, 2)});
    EXPECT_EQ(verdict.objection().has_value(), wait == 9);
    pass(minutes(10));
  }
}

TEST_F(DoorTest, CountsNothingThatWasRefusedAndHasARefusalSayHowLong) {
  Door checker(scene());
  ask(checker, 1, 3);
  model::Refusal refusal{{{base::ErrorCode::kRateLimited, "too many"}}, seconds(1)};
  emit(checker, {}, {model::SendReply{model::RequestId(1), refusal}});
  ask(checker, 2, 3);
  emit(checker, {}, {published(2, 1)});
  EXPECT_EQ(objection(), "");
  EXPECT_EQ(checker.refused(), 1U);
  ask(checker, 3, 1);
  refusal.retry_after.reset();
  emit(checker, {}, {model::SendReply{model::RequestId(3), refusal}});
  EXPECT_THAT(objection(), HasSubstr("how long to wait"));
}

TEST_F(DoorTest, ARequestThatIsGivenBackClaimsWhenItIsAskedAgain) {
  Door checker(scene());
  ask(checker, 1, 3);
  emit(checker, {}, {published(1, 1)});
  ask(checker, 2, 1);
  pass(seconds(10));
  model::PublishEvents publish{kOrg, {}};
  publish.claims = {{model::RateKind::kTestEvents, kOrg, {}, 1}};
  checker.handled_again({model::RequestId(2), publish, now_});
  emit(checker, {}, {published(2, 2)});
  EXPECT_EQ(objection(), "");
}

// --- Event types ------------------------------------------------------------------------------

class CatalogueTest : public CheckersTest {
 protected:
  [[nodiscard]] static model::EventType type(const std::string& name, std::string schema = "") {
    model::EventType made;
    made.org = kOrg;
    made.name = name;
    made.schema = std::move(schema);
    return made;
  }
  [[nodiscard]] model::PutEvent named(const std::string& name, std::uint32_t region) const {
    auto made = std::make_shared<model::Event>(*event_of(1, region, {}));
    made->name = name;
    return {made};
  }
};

TEST_F(CatalogueTest, ObjectsToAnEventOfANameThatIsNotThere) {
  Catalogue checker(scene());
  emit(checker, {named(kName, 0), model::PutEventType{type("Own_v1")}, named("Own_v1", 0)});
  EXPECT_EQ(objection(), "");
  emit(checker, {model::EraseEventType{kOrg, "Own_v1"}, named("Own_v1", 0)});
  EXPECT_THAT(objection(), HasSubstr("a name that nobody added"));
}

TEST_F(CatalogueTest, ObjectsToAnEventThatTheSchemaRefuses) {
  Catalogue checker(scene());
  emit(checker, {model::PutEventType{type(kName, schema_refusing(1U << 1))}, named(kName, 0)});
  auto sample = std::make_shared<model::Event>(*named(kName, 1).event);
  sample->is_test = true;
  emit(checker, {model::PutEvent{sample}});
  EXPECT_EQ(objection(), "");
  emit(checker, {named(kName, 1)});
  EXPECT_THAT(objection(), HasSubstr("the schema of its name refuses it"));
}

TEST_F(CatalogueTest, ObjectsToANameThatGoesWhileItHasTriggers) {
  Catalogue checker(scene());
  trigger_.name = "Own_v1";
  emit(checker, {model::PutEventType{type("Own_v1")}, model::PutTrigger{trigger_},
                 model::EraseTrigger{trigger_}, model::EraseEventType{kOrg, "Own_v1"}});
  EXPECT_EQ(objection(), "");
  emit(checker, {model::PutEventType{type("Own_v1")}, model::PutTrigger{trigger_},
                 model::EraseEventType{kOrg, "Own_v1"}});
  EXPECT_THAT(objection(), HasSubstr("goes and has triggers"));
}

// --- Synchronous hooks ------------------------------------------------------------------------

class HooksTest : public CheckersTest {
 protected:
  void ask(Hooks& checker) {
    model::CallHook hook;
    hook.org = kOrg;
    hook.id = id_of<model::EventId>(1);
    handle(checker, 1, hook);
  }
  [[nodiscard]] model::StartAttempt hook_call() const {
    model::StartAttempt start = call(1, 1);
    start.id = model::hook_attempt_id(1);
    start.trigger_type = model::TriggerType::kSyncHook;
    start.timeout = seconds(2);
    return start;
  }
  [[nodiscard]] model::SendReply reply(model::OutcomeClass outcome) const {
    model::HookReply said;
    said.webhooks.push_back({webhook_->id, outcome, 200, seconds(0)});
    return {model::RequestId(1), said};
  }
  // Effects of hooks rest on nothing.
  void let_out(Hooks& checker, std::vector<model::EffectKind> effects) {
    model::Output output;
    for (model::EffectKind& effect : effects) {
      output.effects.push_back({model::BatchSeq(0), std::move(effect)});
    }
    checker.emitted({output, now_});
  }
  void end_call(Hooks& checker) {
    pass(seconds(1));
    finish(checker, hook_call(), 200);
    pass(std::chrono::milliseconds(1));
  }
};

TEST_F(HooksTest, ACallAsItShouldBe) {
  Hooks checker(scene());
  ask(checker);
  let_out(checker, {hook_call()});
  end_call(checker);
  let_out(checker, {reply(model::OutcomeClass::kOk)});
  EXPECT_EQ(objection(), "");
}

TEST_F(HooksTest, ObjectsToASecondAnswer) {
  Hooks checker(scene());
  ask(checker);
  let_out(checker, {hook_call()});
  end_call(checker);
  let_out(checker, {reply(model::OutcomeClass::kOk)});
  let_out(checker, {reply(model::OutcomeClass::kOk)});
  EXPECT_THAT(objection(), HasSubstr("answered twice"));
}

TEST_F(HooksTest, ObjectsToAnAnswerToNobody) {
  Hooks checker(scene());
  ask(checker);
  checker.abandoned(model::RequestId(1));
  let_out(checker, {reply(model::OutcomeClass::kOk)});
  EXPECT_THAT(objection(), HasSubstr("to nobody"));
}

TEST_F(HooksTest, ObjectsToNoAnswerByTheDeadline) {
  Hooks checker(scene());
  ask(checker);
  let_out(checker, {hook_call()});
  pass(seconds(2));
  let_out(checker, {});
  EXPECT_EQ(objection(), "");
  pass(std::chrono::milliseconds(4));
  let_out(checker, {});
  EXPECT_THAT(objection(), HasSubstr("not answered by its deadline"));
}

TEST_F(HooksTest, ObjectsToAnOutcomeThatWasNotTheOneThatCame) {
  Hooks checker(scene());
  ask(checker);
  let_out(checker, {hook_call()});
  end_call(checker);
  let_out(checker, {reply(model::OutcomeClass::kTimeout)});
  EXPECT_THAT(objection(), HasSubstr("told wrongly"));
}

TEST_F(HooksTest, ObjectsToAnAnswerThatWaitsForACommit) {
  Hooks checker(scene());
  ask(checker);
  let_out(checker, {hook_call()});
  end_call(checker);
  emit(checker, {}, {reply(model::OutcomeClass::kOk)});
  EXPECT_THAT(objection(), HasSubstr("waits for a commit"));
}

}  // namespace
}  // namespace triggerd::sim
