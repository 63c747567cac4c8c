// Filters of triggers and schemas of event names, through the whole engine: who is told what, when,
// and what a publish comes to.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/random.h"
#include "engine/core/engine.h"
#include "engine/core/trigger_filters.h"
#include "engine/model/limits.h"
#include "tests/scenarios/replay_store.h"

namespace triggerd::core {
namespace {

base::Uuid uuid(std::uint8_t number) {
  base::Uuid id;
  id.bytes[15] = number;
  return id;
}
const model::OrgId kOrg{uuid(1)};
const std::string kName = "PersonCreated_v1";

// {NAME: [value]}
model::Filter filter(const std::string& name, const std::string& value) {
  model::FilterField field{{name}, {model::ExactTest{value}}};
  return {"{\"" + name + "\":[\"" + value + "\"]}", {{field}, {}}};
}

class TriggerFiltersTest : public ::testing::Test {
 protected:
  TriggerFiltersTest() {
    ask(model::CreateOrganization{kOrg, "acme"});
    webhook_ = create_webhook("https://a.example/");
  }

  model::Reply ask(model::Request request) {
    engine_->handle(std::move(request), model::RequestId(++requests_), now_);
    output_ = engine_->take_output();
    if (!output_.batch.mutations.empty()) store_.apply(output_.batch);
    for (const model::Effect& effect : output_.effects) {
      if (const auto* paths = std::get_if<model::FilterPathsChanged>(&effect.what)) {
        paths_ = *paths;
      }
    }
    for (const model::Effect& effect : output_.effects) {
      const auto* reply = std::get_if<model::SendReply>(&effect.what);
      if (reply != nullptr && reply->request.value() == requests_) {
        rests_on_ = effect.rests_on;
        return reply->reply;
      }
    }
    ADD_FAILURE() << "no reply";
    return model::Done{};
  }
  model::WebhookId create_webhook(const std::string& url) {
    model::WebhookDraft draft;
    draft.name = "w";
    draft.target_url = url;
    return std::get<model::WebhookReply>(ask(model::CreateWebhook{kOrg, draft})).webhook->id;
  }
  void add_trigger(const model::WebhookId& webhook, std::optional<model::Filter> wanted) {
    const model::Reply reply =
        ask(model::AddTrigger{kOrg, webhook, "event", kName, std::move(wanted)});
    EXPECT_TRUE(std::holds_alternative<model::TriggerAdded>(reply));
  }
  model::PublishEvents publish(model::Attributes attributes, std::uint64_t version) {
    model::NewEvent event;
    event.id = model::EventId(uuid(++events_));
    event.name = kName;
    event.content = R"({"event_metadata":{}})";
    event.own_members_at = 20;
    event.attributes = std::move(attributes);
    model::PublishEvents request{kOrg, {}};
    request.events.push_back(std::move(event));
    request.rules_version = version;
    return request;
  }
  std::uint32_t webhooks_of(model::Attributes attributes) {
    const model::Reply reply = ask(publish(std::move(attributes), paths_.rules_version));
    const auto* published = std::get_if<model::PublishReply>(&reply);
    if (published == nullptr) {
      ADD_FAILURE() << "not published: " << reply.index();
      return 0;
    }
    return published->events.at(0).webhooks;
  }
  static model::Attributes one(std::uint32_t path, const std::string& value) {
    return {{path, model::FilterScalar(value)}};
  }

  base::Now now_{base::MonoTime(std::chrono::hours(1)),
                 *base::parse_rfc3339("2024-03-03T00:00:00Z")};
  base::SeededRandom random_{1};
  std::unique_ptr<Engine> engine_ = std::make_unique<Engine>(EngineOptions{}, random_);
  testing::ReplayStore store_;
  std::uint64_t requests_ = 0;
  std::uint8_t events_ = 100;
  model::WebhookId webhook_;
  model::Output output_;
  model::BatchSeq rests_on_;
  model::FilterPathsChanged paths_;
};

TEST_F(TriggerFiltersTest, EdgesAreToldBeforeTheReplyAndWithTheSameBatch) {
  add_trigger(webhook_, filter("plan", "pro"));
  ASSERT_EQ(output_.effects.size(), 2U);
  const auto& told = std::get<model::FilterPathsChanged>(output_.effects[0].what);
  EXPECT_EQ(told.org, kOrg);
  EXPECT_EQ(told.paths, (std::vector<model::FilterPath>{{"plan"}}));
  EXPECT_NE(told.rules_version, 0U);
  EXPECT_EQ(output_.effects[0].rests_on, output_.batch.seq);
  EXPECT_TRUE(std::holds_alternative<model::SendReply>(output_.effects[1].what));
}

TEST_F(TriggerFiltersTest, OnlyMatchingEventsGoToTheWebhook) {
  add_trigger(webhook_, filter("plan", "pro"));
  add_trigger(create_webhook("https://b.example/"), std::nullopt);
  EXPECT_EQ(webhooks_of(one(0, "pro")), 2U);
  EXPECT_EQ(webhooks_of(one(0, "free")), 1U);
  EXPECT_EQ(webhooks_of({}), 1U);
}

TEST_F(TriggerFiltersTest, APublishPreparedUnderOtherRulesComesBackBehindTheChange) {
  add_trigger(webhook_, filter("plan", "pro"));
  const model::Reply reply = ask(publish({}, 0));
  const auto* stale = std::get_if<model::StaleRules>(&reply);
  ASSERT_NE(stale, nullptr);
  EXPECT_EQ(stale->request.events.at(0).content, R"({"event_metadata":{}})");
  EXPECT_TRUE(output_.batch.mutations.empty());
  EXPECT_EQ(rests_on_.value(), output_.batch.seq.value() - 1) << "the batch of the trigger";
  // The same events, prepared anew.
  model::PublishEvents again = stale->request;
  again.rules_version = paths_.rules_version;
  again.events.at(0).attributes = one(0, "pro");
  EXPECT_TRUE(std::holds_alternative<model::PublishReply>(ask(again)));
}

TEST_F(TriggerFiltersTest, AnotherFilterReplacesTheOldOneAndKeepsWhatIsPending) {
  add_trigger(webhook_, filter("plan", "pro"));
  EXPECT_EQ(webhooks_of(one(0, "pro")), 1U);
  add_trigger(webhook_, filter("color", "red"));
  EXPECT_EQ(engine_->stats().pending, 1U);
  EXPECT_EQ(engine_->stats().triggers, 1U);
  ASSERT_EQ(paths_.paths.size(), 2U);
  EXPECT_EQ(paths_.paths[1], model::FilterPath{"color"});
  EXPECT_TRUE(paths_.paths[0].empty()) << "not in use any more";
  EXPECT_EQ(webhooks_of(one(1, "red")), 1U);
  add_trigger(webhook_, std::nullopt);
  EXPECT_TRUE(paths_.paths.empty());
  paths_.rules_version = 0;  // an organization without rules
  EXPECT_EQ(webhooks_of({}), 1U);
  EXPECT_EQ(engine_->stats().pending, 3U);
}

TEST_F(TriggerFiltersTest, TheSameFilterAgainChangesNothing) {
  add_trigger(webhook_, filter("plan", "pro"));
  add_trigger(webhook_, filter("plan", "pro"));
  EXPECT_TRUE(output_.batch.mutations.empty());
  EXPECT_EQ(output_.effects.size(), 1U);
}

TEST_F(TriggerFiltersTest, ASyncHookTakesNoFilter) {
  const model::Reply reply =
      ask(model::AddTrigger{kOrg, webhook_, "sync_hook", "token_minted", filter("a", "b")});
  EXPECT_EQ(std::get<model::Refusal>(reply).faults.at(0).code, base::ErrorCode::kInvalid);
  EXPECT_EQ(engine_->stats().triggers, 0U);
}

TEST_F(TriggerFiltersTest, RefusesMorePathsThanAnOrganizationMayHave) {
  model::Filter wide = filter("a", "b");
  for (std::size_t i = 1; i < model::kFilterPathsPerOrgMax; ++i) {
    wide.root.fields.push_back({{"p" + std::to_string(i)}, {model::ExistsTest{}}});
  }
  add_trigger(webhook_, wide);
  const model::WebhookId other = create_webhook("https://b.example/");
  const model::Reply reply =
      ask(model::AddTrigger{kOrg, other, "event", kName, filter("one-more", "b")});
  EXPECT_TRUE(std::holds_alternative<model::Refusal>(reply));
  add_trigger(other, filter("p1", "b"));
  add_trigger(webhook_, filter("one-more", "b"));  // in the place of the wide one
}

TEST_F(TriggerFiltersTest, RecoveryKeepsFiltersAndSchemasAndTellsTheEdges) {
  add_trigger(webhook_, filter("plan", "pro"));
  add_trigger(webhook_, filter("color", "red"));
  ask(model::DefineEventType{kOrg, kName, "a person", R"({"type":"object"})"});
  ask(model::DefineEventType{kOrg, "OrderPlaced_v1", "", ""});
  Engine recovered(EngineOptions{}, random_);
  store_.load_into(recovered);
  recovered.recovered(now_);
  EXPECT_EQ(recovered.durable_state(), engine_->durable_state());
  EXPECT_NE(engine_->durable_state().find("filter {\"color\":[\"red\"]}"), std::string::npos);
  const model::Output output = recovered.take_output();
  std::vector<model::FilterPathsChanged> paths;
  std::vector<model::EventSchemaChanged> schemas;
  for (const model::Effect& effect : output.effects) {
    EXPECT_EQ(effect.rests_on, model::BatchSeq(0));
    if (const auto* told = std::get_if<model::FilterPathsChanged>(&effect.what)) {
      paths.push_back(*told);
    } else if (const auto* schema = std::get_if<model::EventSchemaChanged>(&effect.what)) {
      schemas.push_back(*schema);
    }
  }
  ASSERT_EQ(paths.size(), 1U);
  EXPECT_EQ(paths[0].paths, (std::vector<model::FilterPath>{{"color"}}));
  ASSERT_EQ(schemas.size(), 1U);
  EXPECT_EQ(schemas[0].event_name, kName);
  EXPECT_GT(schemas[0].rules_version, paths[0].rules_version);
}

TEST_F(TriggerFiltersTest, DeletingTheWebhookOrTheOrganizationEndsTheRules) {
  add_trigger(webhook_, filter("plan", "pro"));
  ask(model::DeleteWebhook{kOrg, webhook_});
  EXPECT_TRUE(paths_.paths.empty());
  ask(model::DefineEventType{kOrg, kName, "", R"({"type":"object"})"});
  ask(model::DeleteOrganization{kOrg});
  std::size_t ended = 0;
  for (const model::Effect& effect : output_.effects) {
    const auto* schema = std::get_if<model::EventSchemaChanged>(&effect.what);
    if (schema != nullptr && schema->schema.empty()) ++ended;
  }
  EXPECT_EQ(ended, 1U);
  ask(model::CreateOrganization{kOrg, "acme"});
  EXPECT_EQ(engine_->durable_state().find("event type"), std::string::npos);
}

TEST_F(TriggerFiltersTest, AnEventTypeWithATriggerStays) {
  ask(model::DefineEventType{kOrg, "OrderPlaced_v1", "", ""});
  ask(model::AddTrigger{kOrg, webhook_, "event", "OrderPlaced_v1", {}});
  const model::Reply used = ask(model::RemoveEventType{kOrg, "OrderPlaced_v1"});
  EXPECT_EQ(std::get<model::Refusal>(used).faults.at(0).code, base::ErrorCode::kConflict);
  ask(model::RemoveTrigger{kOrg, webhook_, "event", "OrderPlaced_v1"});
  EXPECT_TRUE(
      std::holds_alternative<model::Done>(ask(model::RemoveEventType{kOrg, "OrderPlaced_v1"})));
  const model::Reply gone = ask(model::RemoveEventType{kOrg, "OrderPlaced_v1"});
  EXPECT_EQ(std::get<model::Refusal>(gone).faults.at(0).code, base::ErrorCode::kNotFound);
}

}  // namespace
}  // namespace triggerd::core
