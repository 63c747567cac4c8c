#include "app/metrics/metrics.h"

#include <array>
#include <chrono>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/routes.h"

namespace triggerd::app::metrics {
namespace {

using model::DeliveryState;
using model::OutcomeClass;
using testing::HasSubstr;
using testing::Not;

model::Mutation accepted(const std::string& name, std::size_t webhooks, std::size_t bytes = 100) {
  auto event = std::make_shared<model::Event>();
  event->name = name;
  event->content.assign(bytes, 'x');
  event->matches.resize(webhooks);
  return model::PutEvent{event};
}

model::Mutation attempt(OutcomeClass kind, std::uint16_t status, DeliveryState after,
                        std::uint16_t number = 1) {
  model::AttemptRecord record;
  record.number = number;
  record.state_after = after;
  record.outcome.kind = kind;
  record.outcome.http_status = status;
  record.outcome.timings.connect_us = 2'000;
  record.outcome.timings.first_byte_us = 20'000;
  record.outcome.timings.total_us = 60'000;
  return model::PutAttempt{record};
}

const api::Route* route_of(api::Method method, std::string_view path) {
  for (const api::Route& route : api::all_routes()) {
    if (route.method == method && route.path == path) return &route;
  }
  return nullptr;
}

constexpr std::array<double, 2> kBounds{1, 10};

TEST(Distribution, CountsAValueUnderTheFirstBoundThatIsNotBelowIt) {
  Distribution<2> distribution(kBounds);
  for (const double value : {0.5, 1.0, 1.5, 10.0, 11.0}) distribution.observe(value);
  EXPECT_EQ(distribution.count_in(0), 2U);
  EXPECT_EQ(distribution.count_in(1), 2U);
  EXPECT_EQ(distribution.count_in(2), 1U);
  EXPECT_DOUBLE_EQ(distribution.sum(), 24);
}

TEST(Exposition, SumsTheThreadsAndCountsBucketsCumulatively) {
  Distribution<2> one(kBounds);
  Distribution<2> other(kBounds);
  one.observe(0.5);
  other.observe(0.5);
  other.observe(99);
  Exposition page;
  page.histogram("x_seconds", "How long.");
  page.distribution<2>({&one, &other}, {{"phase", "dns"}});
  const std::string text = page.text();
  EXPECT_THAT(text, HasSubstr("# TYPE x_seconds histogram"));
  EXPECT_THAT(text, HasSubstr("x_seconds_count{phase=\"dns\"} 3"));
  EXPECT_THAT(text, HasSubstr("x_seconds_sum{phase=\"dns\"} 100"));
  EXPECT_THAT(text, HasSubstr("x_seconds_bucket{phase=\"dns\",le=\"1\"} 2"));
  EXPECT_THAT(text, HasSubstr("x_seconds_bucket{phase=\"dns\",le=\"10\"} 2"));
  EXPECT_THAT(text, HasSubstr("x_seconds_bucket{phase=\"dns\",le=\"+Inf\"} 3"));
}

class MetricsTest : public testing::Test {
 protected:
  Metrics metrics_{2};
};

TEST_F(MetricsTest, EventsAreCountedByNameAndNamesThatWereAddedTogether) {
  metrics_.engine().recorded(accepted("PersonCreated_v1", 3));
  metrics_.engine().recorded(accepted("PersonCreated_v1", 0));
  metrics_.engine().recorded(accepted("Mine_v1", 1));
  metrics_.engine().recorded(accepted("Yours_v1", 1));
  const std::string text = metrics_.text();
  EXPECT_THAT(text,
              HasSubstr("triggerd_events_accepted_total{event_type=\"PersonCreated_v1\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("triggerd_events_accepted_total{event_type=\"other\"} 2\n"));
  EXPECT_THAT(text, Not(HasSubstr("Mine_v1")));
  EXPECT_THAT(text, HasSubstr("triggerd_fanout_deliveries_bucket{le=\"0\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("triggerd_fanout_deliveries_sum 5\n"));
  EXPECT_THAT(text, HasSubstr("triggerd_event_payload_bytes_count 4\n"));
}

TEST_F(MetricsTest, ACallOfAHookIsNotAnEvent) {
  auto event = std::make_shared<model::Event>();
  event->name = "token_minted";
  event->trigger_type = model::TriggerType::kSyncHook;
  metrics_.engine().recorded(model::PutEvent{event});
  EXPECT_THAT(metrics_.text(), HasSubstr("triggerd_event_payload_bytes_count 0\n"));
}

TEST_F(MetricsTest, AttemptsAreCountedByOutcomeAndDeliveriesByTheirEnd) {
  EngineMetrics& engine = metrics_.engine();
  engine.recorded(attempt(OutcomeClass::kHttpError, 503, DeliveryState::kDelayed));
  engine.recorded(attempt(OutcomeClass::kOk, 200, DeliveryState::kDelivered, 2));
  engine.recorded(attempt(OutcomeClass::kTimeout, 0, DeliveryState::kDead, 2));
  // Without a call: an end, but no attempt.
  engine.recorded(
      attempt(OutcomeClass::kCancelled, 0, DeliveryState::kCancelled, model::kNoAttempt));
  const std::string text = metrics_.text();
  const std::string attempts = "triggerd_delivery_attempts_total";
  EXPECT_THAT(text, HasSubstr(attempts + "{outcome=\"http_error\",status_class=\"5xx\"} 1\n"));
  EXPECT_THAT(text, HasSubstr(attempts + "{outcome=\"ok\",status_class=\"2xx\"} 1\n"));
  EXPECT_THAT(text, HasSubstr(attempts + "{outcome=\"timeout\",status_class=\"none\"} 1\n"));
  EXPECT_THAT(text, Not(HasSubstr(attempts + "{outcome=\"cancelled\"")));
  EXPECT_THAT(text, HasSubstr("triggerd_deliveries_total{outcome=\"delivered\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("triggerd_deliveries_total{outcome=\"dead\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("triggerd_deliveries_total{outcome=\"cancelled\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("triggerd_delivery_attempt_duration_seconds_count 3\n"));
  const std::string phases = "triggerd_delivery_phase_duration_seconds_sum";
  EXPECT_THAT(text, HasSubstr(phases + "{phase=\"connect\"} 0.006\n"));
  EXPECT_THAT(text, HasSubstr(phases + "{phase=\"wait\"} 0.05"));
  EXPECT_THAT(text, HasSubstr(phases + "{phase=\"transfer\"} 0.12\n"));
}

TEST_F(MetricsTest, LatencyRunsFromAcceptanceToTheSuccessAndTellsFirstAttemptsFromRetries) {
  const base::WallTime accepted_at(std::chrono::seconds(1000));
  const auto success = [accepted_at](std::uint16_t number, base::Duration waited) {
    model::Mutation made = attempt(OutcomeClass::kOk, 200, DeliveryState::kDelivered, number);
    auto& record = std::get<model::PutAttempt>(made).attempt;
    record.accepted_at = accepted_at;
    record.outcome.started_at = accepted_at + waited;
    return made;
  };
  EngineMetrics& engine = metrics_.engine();
  engine.recorded(success(1, std::chrono::milliseconds(40)));
  engine.recorded(success(3, std::chrono::seconds(50)));
  engine.recorded(attempt(OutcomeClass::kHttpError, 503, DeliveryState::kDelayed));
  model::Mutation of_hook = success(1, base::Duration(0));
  std::get<model::PutAttempt>(of_hook).attempt.trigger_type = model::TriggerType::kSyncHook;
  engine.recorded(of_hook);
  const std::string text = metrics_.text();
  const std::string name = "triggerd_delivery_latency_seconds";
  EXPECT_THAT(text, HasSubstr(name + "_count{attempt=\"first\"} 1\n"));
  EXPECT_THAT(text, HasSubstr(name + "_sum{attempt=\"first\"} 0.1\n"));
  EXPECT_THAT(text, HasSubstr(name + "_count{attempt=\"retry\"} 1\n"));
  EXPECT_THAT(text, HasSubstr(name + "_bucket{attempt=\"retry\",le=\"60\"} 1\n"));
  EXPECT_THAT(text, HasSubstr(name + "_bucket{attempt=\"retry\",le=\"30\"} 0\n"));
}

TEST_F(MetricsTest, BackupsReloadsAndTheSizesOfTheStoreAreShown) {
  OperationsMetrics& operations = metrics_.operations();
  const base::WallTime now(std::chrono::seconds(1'700'000'000));
  operations.config_read(true, now);
  operations.config_read(false, now + std::chrono::seconds(9));
  model::Backup backup;
  operations.backup_ended(backup, now);
  backup.state = model::BackupState::kFailed;
  operations.backup_ended(backup, now + std::chrono::seconds(9));
  store::StoreSizes sizes;
  sizes.columns = {{"events", 123}, {"strange", 9}};
  sizes.log_bytes = 77;
  operations.observe(sizes);
  const std::string text = metrics_.text();
  EXPECT_THAT(text, HasSubstr("triggerd_config_last_reload_successful 0\n"));
  EXPECT_THAT(text, HasSubstr("triggerd_config_last_reload_timestamp_seconds 1700000000\n"));
  EXPECT_THAT(text, HasSubstr("triggerd_backups_total{result=\"complete\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("triggerd_backups_total{result=\"failed\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("triggerd_backup_last_success_timestamp_seconds 1700000000\n"));
  EXPECT_THAT(text, HasSubstr("triggerd_store_size_bytes{column=\"events\"} 123\n"));
  EXPECT_THAT(text, HasSubstr("triggerd_store_wal_bytes 77\n"));
  EXPECT_THAT(text, Not(HasSubstr("strange")));
}

TEST_F(MetricsTest, DuplicatesAndDecisionsOfHooksAreReadOffTheReplies) {
  model::PublishReply published;
  published.events.resize(3);
  published.events[1].duplicate = true;
  metrics_.engine().replied(published);
  model::HookReply hook;
  hook.decision = model::HookDecision::kDeny;
  hook.webhooks.push_back({{}, OutcomeClass::kDenied, 403, {}});
  metrics_.engine().replied(hook);
  const std::string text = metrics_.text();
  EXPECT_THAT(text, HasSubstr("triggerd_events_deduplicated_total 1\n"));
  EXPECT_THAT(text, HasSubstr("triggerd_hook_calls_total{decision=\"deny\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("triggerd_hook_calls_total{decision=\"continue\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("triggerd_hook_attempts_total{outcome=\"denied\"} 1\n"));
}

TEST_F(MetricsTest, RequestsOfAllLoopsAreSummedByRouteAndStatus) {
  const api::Route* publish = route_of(api::Method::kPost, "/organizations/events");
  ASSERT_NE(publish, nullptr);
  metrics_.http(0).answered({publish, 202, std::chrono::milliseconds(3)});
  metrics_.http(1).answered({publish, 202, std::chrono::milliseconds(30)});
  metrics_.http(1).answered({publish, 413, {}});
  metrics_.http(0).answered({nullptr, 404, {}});
  metrics_.http(0).answered({publish, 599, {}});
  const std::string text = metrics_.text();
  const std::string of_publish = "{route=\"/organizations/events\",method=\"POST\"";
  EXPECT_THAT(text, HasSubstr("triggerd_http_requests_total" + of_publish + ",code=\"202\"} 2\n"));
  EXPECT_THAT(text,
              HasSubstr("triggerd_http_requests_total" + of_publish + ",code=\"other\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("triggerd_http_requests_total{route=\"none\",method=\"other\","
                              "code=\"404\"} 1\n"));
  EXPECT_THAT(text,
              HasSubstr("triggerd_http_request_duration_seconds_count" + of_publish + "} 4\n"));
  EXPECT_THAT(text, HasSubstr("triggerd_events_rejected_total{reason=\"too_large\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("triggerd_events_rejected_total{reason=\"invalid\"} 0\n"));
}

TEST_F(MetricsTest, TheEngineAndTheProcessShowWhereTheyStand) {
  core::EngineStats stats;
  stats.webhooks = 7;
  stats.webhooks_paused = 2;
  stats.webhooks_disabled = 1;
  stats.pending = 12;
  const base::Now now{base::MonoTime(std::chrono::seconds(5)),
                      base::WallTime(std::chrono::seconds(100))};
  stats.oldest_pending = now.wall - std::chrono::seconds(30);
  stats.publishes_waiting = 3;
  stats.breakers = {4, 1, 9, 8, 7};
  metrics_.engine().observe(stats, now);
  EXPECT_DOUBLE_EQ(metrics_.engine().seconds_since_turn(now.mono + std::chrono::seconds(2)), 2);
  metrics_.engine().committed(std::chrono::milliseconds(2), 40);
  const std::string text = metrics_.text();
  EXPECT_THAT(text, HasSubstr("triggerd_webhooks{state=\"active\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("triggerd_webhooks{state=\"paused\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("triggerd_webhooks{state=\"disabled\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("triggerd_delivery_oldest_pending_seconds 30\n"));
  EXPECT_THAT(text, HasSubstr("triggerd_publishes_waiting 3\n"));
  EXPECT_THAT(text, HasSubstr("triggerd_breaker_open{state=\"open\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("triggerd_breaker_open{state=\"half_open\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("triggerd_breaker_transitions_total{to=\"open\"} 9\n"));
  EXPECT_THAT(text, HasSubstr("triggerd_breaker_transitions_total{to=\"closed\"} 7\n"));
  EXPECT_THAT(text, HasSubstr("triggerd_deliveries_pending 12\n"));
  EXPECT_THAT(text, HasSubstr("triggerd_store_mutations_total 40\n"));
  EXPECT_THAT(text, HasSubstr("triggerd_store_write_duration_seconds_count 1\n"));
  EXPECT_THAT(text, HasSubstr("triggerd_build_info{version=\"" TRIGGERD_VERSION "\""));
  EXPECT_THAT(text, HasSubstr("\nprocess_resident_memory_bytes "));
  EXPECT_THAT(text, Not(HasSubstr("process_resident_memory_bytes 0\n")));
  EXPECT_THAT(text, HasSubstr("\nprocess_open_fds "));
}

}  // namespace
}  // namespace triggerd::app::metrics
