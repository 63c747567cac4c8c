#include "engine/core/registry.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace triggerd::core {
namespace {

using model::Generation;
using model::Match;
using model::OrgId;
using model::Trigger;
using model::TriggerType;
using model::Webhook;
using model::WebhookId;
using model::WebhookRef;

base::Uuid uuid(std::uint32_t number) {
  base::Uuid id;
  for (std::size_t i = 0; i < 4; ++i) {
    id.bytes[12 + i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
  }
  return id;
}

OrgId org(std::uint32_t number) {
  return OrgId(uuid(number));
}

model::Organization organization(std::uint32_t number) {
  return {org(number), "org " + std::to_string(number), model::WallTime(base::Duration(number))};
}

model::WebhookPtr webhook(std::uint32_t ref, std::uint32_t of, const std::string& url) {
  auto made = std::make_shared<Webhook>();
  made->id = WebhookId(uuid(1000 + ref));
  made->org = org(of);
  made->ref = WebhookRef(ref);
  made->target_url = url;
  return made;
}

Trigger trigger(std::uint32_t of, std::uint32_t ref, const std::string& name,
                std::uint32_t generation) {
  return {org(of), WebhookRef(ref), TriggerType::kEvent, name, Generation(generation)};
}

std::vector<Match> matches(const Registry& registry, std::uint32_t of, const std::string& name) {
  const auto found = registry.match(org(of), TriggerType::kEvent, name);
  return {found.begin(), found.end()};
}

TEST(Registry, MatchesAcrossWebhooksInOrderOfRegistration) {
  Registry registry(1);
  registry.add_organization(organization(1));
  registry.add_webhook(webhook(1, 1, "https://a.example/"));
  registry.add_webhook(webhook(2, 1, "https://b.example/"));
  registry.add_trigger(trigger(1, 2, "A_v1", 1));
  registry.add_trigger(trigger(1, 1, "A_v1", 2));
  EXPECT_EQ(matches(registry, 1, "A_v1"),
            (std::vector<Match>{{WebhookRef(2), Generation(1)}, {WebhookRef(1), Generation(2)}}));
  EXPECT_TRUE(matches(registry, 1, "B_v1").empty());
  EXPECT_TRUE(matches(registry, 2, "A_v1").empty());
}

TEST(Registry, ForgetsAWebhookWithItsTriggersAndFreesItsUrl) {
  Registry registry(1);
  registry.add_organization(organization(1));
  registry.add_webhook(webhook(1, 1, "https://a.example/"));
  registry.add_trigger(trigger(1, 1, "A_v1", 1));
  registry.erase_webhook(WebhookRef(1));
  EXPECT_TRUE(matches(registry, 1, "A_v1").empty());
  EXPECT_EQ(registry.webhook(WebhookRef(1)), nullptr);
  EXPECT_EQ(registry.find(org(1), WebhookId(uuid(1001))), nullptr);
  EXPECT_EQ(registry.trigger_count(), 0U);
  EXPECT_FALSE(registry.in_force(WebhookRef(1), Generation(1)));
  registry.add_webhook(webhook(2, 1, "https://a.example/"));
  EXPECT_EQ(registry.next_webhook(), WebhookRef(3));
}

TEST(Registry, FollowsAUrlThatChanges) {
  Registry registry(1);
  registry.add_organization(organization(1));
  registry.add_webhook(webhook(1, 1, "https://a.example/"));
  registry.replace_webhook(webhook(1, 1, "https://a.example/"));
  registry.replace_webhook(webhook(1, 1, "https://b.example/"));
  const auto& by_url = registry.organization(org(1))->by_url;
  EXPECT_FALSE(by_url.contains("https://a.example/"));
  EXPECT_TRUE(by_url.contains("https://b.example/"));
}

TEST(Registry, TellsATriggerFromALaterOneOfTheSameName) {
  Registry registry(1);
  registry.add_organization(organization(1));
  registry.add_webhook(webhook(1, 1, "https://a.example/"));
  registry.add_trigger(trigger(1, 1, "A_v1", 1));
  registry.remove_trigger(WebhookRef(1), Generation(1));
  registry.add_trigger(trigger(1, 1, "A_v1", 2));
  EXPECT_FALSE(registry.in_force(WebhookRef(1), Generation(1)));
  EXPECT_TRUE(registry.in_force(WebhookRef(1), Generation(2)));
  EXPECT_EQ(registry.find_trigger(WebhookRef(1), TriggerType::kEvent, "A_v1"), Generation(2));
  EXPECT_EQ(registry.find_trigger(WebhookRef(1), TriggerType::kSyncHook, "A_v1"), std::nullopt);
}

TEST(Registry, ShowsNobodyTheWebhookOfAnother) {
  Registry registry(1);
  registry.add_organization(organization(1));
  registry.add_organization(organization(2));
  registry.add_webhook(webhook(1, 1, "https://a.example/"));
  EXPECT_NE(registry.find(org(1), WebhookId(uuid(1001))), nullptr);
  EXPECT_EQ(registry.find(org(2), WebhookId(uuid(1001))), nullptr);
}

TEST(Registry, ListsOrganizationsByAgeWhateverTheOrderTheyCameIn) {
  Registry registry(1);
  registry.add_organization(organization(2));
  registry.add_organization(organization(1));
  registry.add_organization(organization(3));
  registry.erase_organization(org(2));
  registry.add_organization(organization(2));
  ASSERT_EQ(registry.organizations().size(), 3U);
  EXPECT_EQ(registry.organizations()[0].id, org(1));
  EXPECT_EQ(registry.organizations()[2].id, org(3));
}

TEST(Registry, NeverRunsItsCountersBack) {
  Registry registry(1);
  registry.raise_counters(WebhookRef(7), Generation(9));
  registry.raise_counters(WebhookRef(3), Generation(12));
  EXPECT_EQ(registry.next_webhook(), WebhookRef(7));
  EXPECT_EQ(registry.next_generation(), Generation(12));
}

RC_GTEST_PROP(RegistryProperty, IndexAgreesWithTheTriggersOfTheWebhooks, ()) {
  Registry registry(*rc::gen::arbitrary<std::uint64_t>());
  std::map<std::uint32_t, std::pair<std::uint32_t, std::map<std::string, std::uint32_t>>> expected;
  for (std::uint32_t i = 1; i <= 3; ++i) registry.add_organization(organization(i));
  const int steps = *rc::gen::inRange(1, 300);
  for (int step = 0; step < steps; ++step) {
    const int what = *rc::gen::inRange(0, 100);
    if (expected.empty() || what < 10) {
      const std::uint32_t ref = registry.next_webhook().value();
      const auto of = *rc::gen::inRange<std::uint32_t>(1, 4);
      registry.add_webhook(webhook(ref, of, "https://h" + std::to_string(ref) + ".example/"));
      expected[ref].first = of;
      continue;
    }
    auto chosen = expected.begin();
    std::advance(chosen, *rc::gen::inRange<std::size_t>(0, expected.size()));
    auto& [of, triggers] = chosen->second;
    const std::string name = "N" + std::to_string(*rc::gen::inRange(0, 6));
    if (what < 15) {
      registry.erase_webhook(WebhookRef(chosen->first));
      expected.erase(chosen);
    } else if (triggers.contains(name)) {
      registry.remove_trigger(WebhookRef(chosen->first), Generation(triggers[name]));
      triggers.erase(name);
    } else {
      triggers[name] = registry.next_generation().value();
      registry.add_trigger(trigger(of, chosen->first, name, triggers[name]));
    }
  }
  for (std::uint32_t of = 1; of <= 3; ++of) {
    for (int i = 0; i < 6; ++i) {
      const std::string name = "N" + std::to_string(i);
      std::map<std::uint32_t, std::uint32_t> by_generation;
      for (const auto& [ref, entry] : expected) {
        const auto at = entry.second.find(name);
        if (entry.first == of && at != entry.second.end()) by_generation[at->second] = ref;
      }
      std::vector<Match> wanted;
      for (const auto& [generation, ref] : by_generation) {
        wanted.push_back({WebhookRef(ref), Generation(generation)});
      }
      RC_ASSERT(matches(registry, of, name) == wanted);
    }
  }
}

}  // namespace
}  // namespace triggerd::core
