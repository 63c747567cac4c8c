// The core alone: no disk, no sockets. Counters are per delivery.
//
//   fan_out/N       one event for N webhooks: accept, match, put in lanes, start
//   cycle/N         the same, and every attempt ends with 200
//   pending_memory  a million deliveries that wait, fan-out 10, content of 1 KiB: bytes of each,
//                   with its share of the content and without
//   recovery        an engine rebuilt from the rows of as many deliveries
//   retry_policy    one decision about a 503
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <malloc.h>

#include "bench/micro/beside.h"
#include "engine/base/random.h"
#include "engine/core/engine.h"
#include "engine/core/retry_policy.h"

namespace {

using triggerd::base::Now;
using triggerd::core::Engine;
using triggerd::core::EngineOptions;
namespace model = triggerd::model;

constexpr std::size_t kContentBytes = 1024;
constexpr const char* kEventName = "AuthenticationSucceeded_v1";
constexpr std::int64_t kFanOut = 10;
constexpr std::uint64_t kPending = 1'000'000;

template <class Id>
Id id_of(std::uint64_t number) {
  triggerd::base::Uuid uuid;
  std::memcpy(uuid.bytes.data() + 8, &number, sizeof(number));
  return Id(uuid);
}

Now at(std::uint64_t milliseconds) {
  const auto since = std::chrono::milliseconds(milliseconds);
  return {triggerd::base::MonoTime(since),
          triggerd::base::WallTime(std::chrono::seconds(1'700'000'000) + since)};
}

std::string target_url(std::int64_t webhook) {
  return fmt::format("https://receiver{}.example/hook", webhook);
}

std::vector<model::Record> registry_records(std::int64_t webhooks) {
  std::vector<model::Record> records;
  model::Organization organization;
  organization.id = id_of<model::OrgId>(1);
  records.emplace_back(organization);
  for (std::int64_t i = 1; i <= webhooks; ++i) {
    model::Webhook webhook;
    webhook.id = id_of<model::WebhookId>(static_cast<std::uint64_t>(i));
    webhook.org = organization.id;
    webhook.ref = model::WebhookRef(static_cast<std::uint32_t>(i));
    webhook.name = "receiver";
    webhook.target_url = target_url(i);
    records.emplace_back(webhook);
  }
  for (std::int64_t i = 1; i <= webhooks; ++i) {
    const auto number = static_cast<std::uint32_t>(i);
    records.emplace_back(model::Trigger{organization.id, model::WebhookRef(number),
                                        model::TriggerType::kEvent, kEventName,
                                        model::Generation(number)});
  }
  return records;
}

// An engine with one organization whose webhooks all want the same event.
class World {
 public:
  World(EngineOptions options, std::int64_t webhooks) : engine_(std::move(options), random_) {
    // By requests: after a recovery every event id of a client would be looked up in the store.
    ask(model::CreateOrganization{id_of<model::OrgId>(1), "bench"});
    for (std::int64_t i = 1; i <= webhooks; ++i) {
      model::WebhookDraft draft;
      draft.name = "receiver";
      draft.target_url = target_url(i);
      const model::Reply made = ask(model::CreateWebhook{id_of<model::OrgId>(1), draft});
      const model::WebhookId webhook = std::get<model::WebhookReply>(made).webhook->id;
      ask(model::AddTrigger{id_of<model::OrgId>(1), webhook, "event", kEventName});
    }
  }

  [[nodiscard]] static model::NewEvent new_event(std::uint64_t number) {
    model::NewEvent event;
    event.id = id_of<model::EventId>(number);
    event.id_from_client = true;
    event.name = kEventName;
    event.content = R"({"event_metadata":{},"text":")" + std::string(kContentBytes, 'x') + R"("})";
    event.own_members_at = 21;
    return event;
  }

  void publish(model::NewEvent event) {
    model::PublishEvents request;
    request.org = id_of<model::OrgId>(1);
    request.events.push_back(std::move(event));
    ++time_;
    engine_.handle(std::move(request), model::RequestId(++request_), at(time_));
  }

  model::Reply ask(model::Request request) {
    engine_.handle(std::move(request), model::RequestId(++request_), at(time_));
    model::Output output = engine_.take_output();
    return std::get<model::SendReply>(output.effects.front().what).reply;
  }

  // Takes what came of the inputs; the attempts that started.
  void drain() {
    started_.clear();
    const model::Output output = engine_.take_output();
    for (const model::Effect& effect : output.effects) {
      if (const auto* start = std::get_if<model::StartAttempt>(&effect.what)) {
        started_.push_back(start->id);
      }
    }
  }

  void finish_started() {
    for (const model::AttemptId id : started_) {
      model::Outcome outcome;
      outcome.kind = model::OutcomeClass::kOk;
      outcome.http_status = 200;
      engine_.finish(id, outcome, at(time_));
    }
  }

  [[nodiscard]] std::size_t started() const { return started_.size(); }
  [[nodiscard]] Engine& engine() { return engine_; }

 private:
  triggerd::base::SeededRandom random_{1};
  Engine engine_;
  std::uint64_t time_ = 0;
  std::uint64_t request_ = 0;
  std::vector<model::AttemptId> started_;
};

void count_deliveries(benchmark::State& state, double nanoseconds, std::int64_t fan_out) {
  state.counters["ns_per_delivery"] =
      nanoseconds / static_cast<double>(state.iterations() * fan_out);
}

void fan_out(benchmark::State& state) {
  World world(EngineOptions(), state.range(0));
  double spent = 0;
  std::uint64_t number = 0;
  for (auto iteration : state) {
    model::NewEvent event = World::new_event(++number);
    const double begin = triggerd::bench::thread_cpu_ns();
    world.publish(std::move(event));
    world.drain();
    const double used = triggerd::bench::thread_cpu_ns() - begin;
    spent += used;
    state.SetIterationTime(used / 1e9);
    if (world.started() != static_cast<std::size_t>(state.range(0))) {
      state.SkipWithError("not every delivery started");
      break;
    }
    world.finish_started();
    world.drain();
  }
  count_deliveries(state, spent, state.range(0));
}
BENCHMARK(fan_out)->Arg(kFanOut)->Arg(1000)->UseManualTime();

void cycle(benchmark::State& state) {
  World world(EngineOptions(), state.range(0));
  std::uint64_t number = 0;
  const double begin = triggerd::bench::thread_cpu_ns();
  for (auto iteration : state) {
    world.publish(World::new_event(++number));
    world.drain();
    world.finish_started();
    world.drain();
  }
  count_deliveries(state, triggerd::bench::thread_cpu_ns() - begin, state.range(0));
  if (world.engine().stats().pending != 0) state.SkipWithError("deliveries were left over");
}
BENCHMARK(cycle)->Arg(kFanOut)->Arg(1000);

double allocated_bytes() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

// Bytes a delivery when kPending of them wait behind one in flight.
double bytes_per_pending(std::size_t payload_cache_bytes) {
  EngineOptions options;
  options.in_flight = 1;
  options.payload_cache_bytes = payload_cache_bytes;
  World world(options, kFanOut);
  const double before = allocated_bytes();
  for (std::uint64_t i = 1; i <= kPending / kFanOut; ++i) {
    world.publish(World::new_event(i));
    world.drain();
  }
  const std::uint64_t pending = world.engine().stats().pending;
  return (allocated_bytes() - before) / static_cast<double>(pending);
}

void pending_memory(benchmark::State& state) {
  double with_content = 0;
  double without = 0;
  for (auto iteration : state) {
    with_content = bytes_per_pending(std::size_t{1} << 30);
    without = bytes_per_pending(0);
  }
  state.counters["bytes"] = without;
  state.counters["with_content"] = with_content;
}
BENCHMARK(pending_memory)->Iterations(1)->Unit(benchmark::kMillisecond);

void recovery(benchmark::State& state) {
  const std::int64_t events = state.range(0) / kFanOut;
  std::vector<model::Record> records = registry_records(kFanOut);
  for (std::int64_t i = 1; i <= events; ++i) {
    model::PendingChunk chunk;
    chunk.seq = model::EventSeq(static_cast<std::uint64_t>(i));
    chunk.org = id_of<model::OrgId>(1);
    chunk.event_id = id_of<model::EventId>(static_cast<std::uint64_t>(i));
    chunk.event_name = kEventName;
    chunk.matches_in_all = kFanOut;
    for (std::uint32_t match = 1; match <= kFanOut; ++match) {
      model::PendingEntry entry;
      entry.webhook = model::WebhookRef(match);
      entry.generation = model::Generation(match);
      chunk.entries.push_back(entry);
    }
    records.emplace_back(std::move(chunk));
  }
  double spent = 0;
  for (auto iteration : state) {
    std::vector<model::Record> copy = records;
    triggerd::base::SeededRandom random(1);
    Engine engine(EngineOptions(), random);
    const double begin = triggerd::bench::thread_cpu_ns();
    for (model::Record& record : copy) engine.load(std::move(record));
    engine.recovered(at(0));
    const double used = triggerd::bench::thread_cpu_ns() - begin;
    spent += used;
    state.SetIterationTime(used / 1e9);
    if (engine.stats().pending != static_cast<std::uint64_t>(state.range(0))) {
      state.SkipWithError("deliveries were lost");
      break;
    }
  }
  count_deliveries(state, spent, state.range(0));
}
BENCHMARK(recovery)->Arg(10'000)->Arg(1'000'000)->UseManualTime()->Unit(benchmark::kMillisecond);

void retry_policy(benchmark::State& state) {
  triggerd::base::SeededRandom random(1);
  triggerd::core::RetryOptions options;
  options.schedule = triggerd::core::default_retry_schedule();
  model::Outcome outcome;
  outcome.kind = model::OutcomeClass::kHttpError;
  outcome.http_status = 503;
  std::uint32_t attempt = 0;
  for (auto iteration : state) {
    attempt = attempt % 9 + 1;
    benchmark::DoNotOptimize(
        triggerd::core::decide_retry(attempt, outcome, options.schedule, options.jitter, random));
  }
}
BENCHMARK(retry_policy);

}  // namespace
