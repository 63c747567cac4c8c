// Workload: what the requests hold.
#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "engine/model/event_types.h"
#include "tests/sim/regions.h"
#include "tests/sim/workload.h"

namespace triggerd::sim {
namespace {

constexpr std::size_t kNames = 6;         // built-in event names in use
constexpr std::size_t kRemembered = 200;  // events that may be repeated

}  // namespace

model::NewEvent Workload::new_event(const KnownOrg& org, base::Now now) {
  if (!published_.empty() && draw_chance(random_, plan_.repeat_share)) {
    const auto& [owner, event] = published_[random_.below(published_.size())];
    if (owner == org.id) return event;
  }
  model::NewEvent event;
  event.id = model::EventId(random_.uuid_v7(now.wall));
  event.id_from_client = draw_chance(random_, 0.3);
  event.name = draw_name(org);
  event.timestamp = now.wall;
  if (draw_chance(random_, 0.5)) event.ordering_key = "key " + std::to_string(random_.below(4));
  event.content = content_of(static_cast<std::uint32_t>(random_.below(kRegions + 1)),
                             random_.below(plan_.payload_bytes_max));
  event.own_members_at = static_cast<std::uint32_t>(event.content.find(',') + 1);
  if (event.id_from_client) {
    published_.emplace_back(org.id, event);
    if (published_.size() > kRemembered) published_.pop_front();
  }
  return event;
}

model::WebhookDraft Workload::new_draft() {
  model::WebhookDraft draft;
  const std::string number = std::to_string(++urls_);
  draft.name = "webhook " + number;
  draft.target_url =
      "https://h" + std::to_string(random_.below(plan_.hosts)) + ".example.com/w" + number;
  if (draw_chance(random_, 0.3)) draft.timeout = "3s";
  if (draw_chance(random_, 0.5)) draft.delivery = draw_settings();
  if (draw_chance(random_, 0.2)) {
    if (!draft.delivery) draft.delivery.emplace();
    draft.delivery->on_failure.emplace("closed");
  }
  return draft;
}

// Some of the settings, some of them back to their default.
model::DeliveryDraft Workload::draw_settings() {
  model::DeliveryDraft draft;
  const auto draw = [this](auto& into, auto value) {
    if (!draw_chance(random_, 0.5)) return;
    into.emplace(std::nullopt);
    if (!draw_chance(random_, 0.2)) into->emplace(std::move(value));
  };
  draw(draft.ordering, std::string(draw_chance(random_, 0.8) ? "key" : "none"));
  draw(draft.max_in_flight, static_cast<std::int64_t>(1 + random_.below(8)));
  if (draw_chance(random_, 0.5)) {
    static const std::array<std::vector<std::string>, 5> schedules{
        {{}, {"500ms"}, {"200ms", "2s"}, {"5s", "1m", "10m"}, {"1s", "1s", "1s", "1s", "1h"}}};
    draw(draft.schedule, schedules.at(random_.below(schedules.size())));
    draw(draft.format, std::string(draw_chance(random_, 0.5) ? "json" : "jwt"));
    draw(draft.signatures, std::vector<std::string>{"hmac"});
  }
  draw(draft.rate, model::RateDraft{0.2 + random_.unit() * 20,
                                    static_cast<std::int64_t>(1 + random_.below(5))});
  return draft;
}

// Different ones each time: the first bytes tell them apart.
model::SigningSecret Workload::draw_secret() {
  model::SigningSecret secret;
  const base::Uuid noise = random_.uuid_v4();
  std::copy(noise.bytes.begin(), noise.bytes.end(), secret.hmac_key.begin());
  std::copy(noise.bytes.begin(), noise.bytes.end(), secret.ed25519_public.begin());
  return secret;
}

std::optional<model::Filter> Workload::draw_filter() {
  if (draw_chance(random_, 0.5)) return std::nullopt;
  return filter_for(static_cast<RegionSet>(1 + random_.below(kEverywhere)), random_);
}

std::string Workload::draw_name(const KnownOrg& org) {
  if (!org.event_types.empty() && draw_chance(random_, 0.1)) {
    return org.event_types[random_.below(org.event_types.size())];
  }
  return std::string(model::built_in_event_types()[random_.below(kNames) * 3].name);
}

}  // namespace triggerd::sim
