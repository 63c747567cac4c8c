// The trigger index at 1 M triggers: 1000 organizations with 100 webhooks of 10 triggers each, 1.6
// webhooks a key. The floor is what one would write first: an unordered_map from (organization,
// type, name) as text to a vector of matches.
//
//   hot    1000 keys in turn: everything is in the caches
//   cold   all keys in random order
//   bytes  memory a trigger: ours as the registry counts it, the floor's as malloc does
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <malloc.h>

#include "bench/micro/beside.h"
#include "engine/core/registry.h"

namespace {

using triggerd::core::Registry;
using triggerd::model::Match;
using triggerd::model::OrgId;
using triggerd::model::TriggerType;

constexpr std::uint32_t kOrgs = 1000;
constexpr std::uint32_t kWebhooksPerOrg = 100;
constexpr std::uint32_t kTriggersPerWebhook = 10;
constexpr std::uint32_t kNames = 625;
constexpr double kTriggers = double{kOrgs} * kWebhooksPerOrg * kTriggersPerWebhook;
constexpr std::size_t kHotKeys = 1000;

template <class Id>
Id id_of(std::uint64_t number) {
  triggerd::base::Uuid uuid;
  std::memcpy(uuid.bytes.data() + 8, &number, sizeof(number));
  return Id(uuid);
}

struct Key {
  OrgId org;
  std::string_view name;
};

using Floor = std::unordered_map<std::string, std::vector<Match>>;

void floor_key(const Key& key, std::string& out) {
  out.assign(reinterpret_cast<const char*>(key.org.value().bytes.data()), 16);
  out += 'e';
  out += key.name;
}

struct World {
  std::vector<std::string> names;
  Registry registry{0x5eed};
  Floor floor;
  double floor_bytes = 0;
  std::vector<Key> keys;  // in random order

  World() {
    for (std::uint32_t i = 0; i < kNames; ++i) names.push_back(fmt::format("SomeEvent{}_v1", i));
    const struct mallinfo2 before = mallinfo2();
    fill_floor();
    const struct mallinfo2 after = mallinfo2();
    floor_bytes = static_cast<double>(after.uordblks + after.hblkhd) -
                  static_cast<double>(before.uordblks + before.hblkhd);
    for (std::uint32_t org = 0; org < kOrgs; ++org) fill_registry(org);
    for (std::uint32_t org = 0; org < kOrgs; ++org) {
      for (const std::string& name : names) keys.push_back({id_of<OrgId>(org), name});
    }
    std::shuffle(keys.begin(), keys.end(), std::mt19937_64(1));
  }

  [[nodiscard]] const std::string& name_of(std::uint32_t webhook, std::uint32_t trigger) const {
    return names[(webhook * kTriggersPerWebhook + trigger) % kNames];
  }

  void fill_floor() {
    std::string key;
    std::uint32_t generation = 0;
    for (std::uint32_t org = 0; org < kOrgs; ++org) {
      for (std::uint32_t webhook = 0; webhook < kWebhooksPerOrg; ++webhook) {
        for (std::uint32_t trigger = 0; trigger < kTriggersPerWebhook; ++trigger) {
          floor_key({id_of<OrgId>(org), name_of(webhook, trigger)}, key);
          floor[key].push_back({triggerd::model::WebhookRef(1 + org * kWebhooksPerOrg + webhook),
                                triggerd::model::Generation(++generation)});
        }
      }
    }
  }

  void fill_registry(std::uint32_t org) {
    triggerd::model::Organization organization;
    organization.id = id_of<OrgId>(org);
    registry.add_organization(organization);
    for (std::uint32_t i = 0; i < kWebhooksPerOrg; ++i) {
      auto webhook = std::make_shared<triggerd::model::Webhook>();
      webhook->ref = registry.next_webhook();
      webhook->id = id_of<triggerd::model::WebhookId>(webhook->ref.value());
      webhook->org = organization.id;
      webhook->target_url = fmt::format("https://receiver{}.example/hook", webhook->ref.value());
      registry.add_webhook(webhook);
      for (std::uint32_t trigger = 0; trigger < kTriggersPerWebhook; ++trigger) {
        registry.add_trigger({organization.id, webhook->ref, TriggerType::kEvent,
                              name_of(i, trigger), registry.next_generation()});
      }
    }
  }
};

World& world() {
  static World made;
  return made;
}

void look_up(benchmark::State& state, std::size_t keys) {
  World& index = world();
  std::size_t at = 0;
  std::size_t floor_at = 0;
  std::string text;
  triggerd::bench::beside(
      state,
      [&] {
        const Key& key = index.keys[at];
        at = at + 1 == keys ? 0 : at + 1;
        const auto matches = index.registry.match(key.org, TriggerType::kEvent, key.name);
        // The first match is read: whoever asks does so too.
        benchmark::DoNotOptimize(matches.front().webhook.value());
      },
      [&] {
        const Key& key = index.keys[floor_at];
        floor_at = floor_at + 1 == keys ? 0 : floor_at + 1;
        floor_key(key, text);
        benchmark::DoNotOptimize(index.floor.find(text)->second.front().webhook.value());
      });
}

void hot(benchmark::State& state) {
  look_up(state, kHotKeys);
}
BENCHMARK(hot);

void cold(benchmark::State& state) {
  look_up(state, world().keys.size());
}
BENCHMARK(cold);

void bytes(benchmark::State& state) {
  const World& index = world();
  for (auto iteration : state) benchmark::DoNotOptimize(index.registry.index_bytes());
  state.counters["per_trigger"] = static_cast<double>(index.registry.index_bytes()) / kTriggers;
  state.counters["floor"] = index.floor_bytes / kTriggers;
}
BENCHMARK(bytes)->Iterations(1);

}  // namespace
