#include "tests/sim/world_plan.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>
#include <vector>

namespace triggerd::sim {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

std::vector<base::Duration> draw_schedule(base::Random& random) {
  switch (random.below(4)) {
    case 0:  // Standard Webhooks: days
      return {seconds(5), minutes(5), minutes(30), hours(2), hours(5),
              hours(10),  hours(14),  hours(20),   hours(24)};
    case 1:
      return {seconds(1), seconds(5), seconds(30)};
    case 2:
      return {milliseconds(200)};
    default:
      return {seconds(5), minutes(5), minutes(30), hours(2)};
  }
}

std::uint32_t draw_count(base::Random& random, std::uint32_t low, std::uint32_t high) {
  return low + static_cast<std::uint32_t>(random.below(high - low + 1));
}

core::IsolationOptions draw_isolation(base::Random& random) {
  core::IsolationOptions options;
  options.in_flight_start = draw_chance(random, 0.1) ? 0 : draw_count(random, 1, 16);
  options.retry_share_percent = draw_chance(random, 0.7) ? 20 : draw_count(random, 1, 100);
  options.breaker.failures_to_open = draw_chance(random, 0.1) ? 0 : draw_count(random, 1, 10);
  options.breaker.open_for = draw_between(random, milliseconds(100), seconds(5));
  options.breaker.open_for_max = draw_between(random, milliseconds(100), minutes(1));
  if (draw_chance(random, 0.3)) options.breaker.jitter = 0;
  return options;
}

core::EngineOptions draw_engine(base::Random& random) {
  core::EngineOptions options;
  options.retry_schedule = draw_schedule(random);
  options.retry_jitter = draw_chance(random, 0.2) ? 0.0 : 0.2;
  options.in_flight_per_webhook = draw_count(random, 1, 12);
  options.in_flight_per_host = draw_count(random, 2, 24);
  // Few slots for all, now and then: only then those that could start must wait for their turn.
  options.in_flight =
      draw_chance(random, 0.2) ? draw_count(random, 1, 4) : draw_count(random, 4, 64);
  options.webhooks_per_org_max = 16;
  options.triggers_per_webhook_max = 8;
  options.isolation = draw_isolation(random);
  // Small limits now and then: overload, cold payloads and forgotten ids come only by them.
  options.pending_per_org_max = draw_chance(random, 0.3) ? draw_count(random, 20, 400) : 100'000;
  options.pending_max = draw_chance(random, 0.2) ? draw_count(random, 50, 800) : 200'000;
  options.payload_cache_bytes =
      draw_chance(random, 0.4) ? draw_count(random, 0, 32 * 1024) : 16 * 1024 * 1024;
  options.resident = draw_chance(random, 0.4) ? draw_count(random, 0, 200) : 100'000;
  // Short enough for troubles of hours to end in it.
  options.disable_after = draw_chance(random, 0.5) ? base::Duration(hours(2)) : hours(120);
  options.dedup_ids = draw_chance(random, 0.4) ? draw_count(random, 4, 64) : 4096;
  options.publish_waits_max = draw_chance(random, 0.3) ? draw_count(random, 0, 4) : 1000;
  options.watched_deliveries_max = draw_chance(random, 0.3) ? draw_count(random, 1, 20) : 10'000;
  options.dedup_window = draw_chance(random, 0.3) ? base::Duration(minutes(30)) : hours(24);
  options.secret_overlap = draw_chance(random, 0.5) ? base::Duration(minutes(5)) : hours(24);
  options.key_publish_lead = draw_chance(random, 0.5) ? base::Duration(minutes(1)) : hours(1);
  options.rates.test_events = {draw_count(random, 1, 60), draw_count(random, 2, 12)};
  options.rates.sdk_client = {draw_count(random, 1, 60), draw_count(random, 1, 6)};
  options.rates.sdk_organization = {draw_count(random, 6, 600), draw_count(random, 2, 20)};
  return options;
}

}  // namespace

base::Duration draw_pause(base::Random& random, base::Duration mean) {
  const double factor = std::min(10.0, -std::log(1.0 - random.unit()));
  return base::Duration(static_cast<std::int64_t>(static_cast<double>(mean.count()) * factor));
}

base::Duration draw_between(base::Random& random, base::Duration low, base::Duration high) {
  const auto span = static_cast<std::uint64_t>((high - low).count()) + 1;
  return low + base::Duration(static_cast<std::int64_t>(random.below(span)));
}

bool draw_chance(base::Random& random, double probability) {
  return random.unit() < probability;
}

WorldPlan draw_plan(base::Random& random) {
  WorldPlan plan;
  plan.fault_free = random.below(10) == 0;
  plan.engine = draw_engine(random);
  plan.organizations_max = draw_count(random, 1, 4);
  plan.webhooks_max = draw_count(random, 2, 14);
  plan.hosts = draw_chance(random, 0.3) ? draw_count(random, 5, 20) : draw_count(random, 1, 4);
  plan.batch_max = draw_chance(random, 0.2) ? 40 : 6;
  plan.pause_mean = draw_between(random, milliseconds(200), minutes(2));
  plan.payload_bytes_max = draw_chance(random, 0.2) ? 4096 : 128;
  plan.repeat_share = random.unit() * 0.2;
  plan.commit_max = draw_between(random, milliseconds(1), milliseconds(30));
  plan.slow_commit_share = draw_chance(random, 0.3) ? 0.1 : 0.01;
  plan.fault_pause_mean = draw_between(random, seconds(20), minutes(20));
  plan.crash_share = draw_chance(random, 0.2) ? 0.0 : 0.6;
  plan.receiver_trouble = draw_chance(random, 0.2) ? 0.0 : random.unit() * 0.7;
  plan.trouble_mean = draw_between(random, seconds(10), hours(3));
  return plan;
}

std::string describe(const WorldPlan& plan) {
  const core::EngineOptions& engine = plan.engine;
  const auto text = [](const char* name, auto number) {
    return std::string(name) + std::to_string(number);
  };
  return std::string(plan.fault_free ? "fault-free" : "faults") +
         text(", retries ", engine.retry_schedule.size()) +
         text(", in flight per webhook ", engine.in_flight_per_webhook) +
         text(", per host ", engine.in_flight_per_host) + text(", in all ", engine.in_flight) +
         text(", at first ", engine.isolation.in_flight_start) +
         text(", breaker ", engine.isolation.breaker.failures_to_open) +
         text(", retry share ", engine.isolation.retry_share_percent) +
         text(", pending per organization ", engine.pending_per_org_max) +
         text(", in all ", engine.pending_max) +
         text(", payload cache ", engine.payload_cache_bytes) +
         text(", resident ", engine.resident) + text(", ids ", engine.dedup_ids) +
         text(", hosts ", plan.hosts) + text(", webhooks ", plan.webhooks_max) +
         text(", batch ", plan.batch_max) + text(", trouble ", plan.receiver_trouble);
}

}  // namespace triggerd::sim
