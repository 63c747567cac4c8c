// First pages of the delivery log over a RocksDB of many attempts.
//
//   delivery_log_bench [--attempts N] [--folder PATH] [--rounds R]
//
// Fills a store with N attempts (default 200 000; the full form is --attempts 10000000): 1000
// webhooks of 20 organizations, each event for 10 of them; one delivery in 1000 is dead, one in
// 1000 cancelled after a retry, and the newest 2000 events are pending at the first of their
// webhooks. Then asks for the first page of each list and filter R times (default 200), each time
// of another webhook or organization, and prints p50 and p99 in milliseconds beside a yardstick:
// one point lookup of a random event id in the same store, so that a busy machine shows. A folder
// that is given is kept, and filled only when it is empty.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "bench/micro/beside.h"
#include "engine/model/limits.h"
#include "store/rocks_store.h"

namespace {

using namespace triggerd;
using Clock = std::chrono::steady_clock;
using model::DeliveryState;
using model::EventSeq;
using model::WebhookRef;

constexpr std::uint32_t kWebhooks = 1000;
constexpr std::uint32_t kOrgs = 20;
constexpr std::uint32_t kFanOut = 10;
constexpr std::uint64_t kPendingEvents = 2000;
constexpr std::uint64_t kBatchEvents = 500;

template <class Id>
Id id_of(std::uint64_t number) {
  base::Uuid uuid;
  std::memcpy(uuid.bytes.data() + 8, &number, sizeof(number));
  return Id(uuid);
}
model::OrgId org_of(std::uint32_t webhook) {
  return id_of<model::OrgId>(webhook % kOrgs + 1);
}
model::WallTime time_of(std::uint64_t seq) {
  return model::WallTime(std::chrono::seconds(1'700'000'000) + std::chrono::milliseconds(seq * 7));
}
// Webhooks of one organization; which ones moves with the event.
std::uint32_t webhook_of(std::uint64_t seq, std::uint32_t match) {
  const std::uint64_t org = seq % kOrgs;
  const std::uint64_t place = (seq / kOrgs * kFanOut + match) % (kWebhooks / kOrgs);
  return static_cast<std::uint32_t>(place * kOrgs + org);
}

model::AttemptRecord attempt_of(const model::Event& event, std::uint32_t webhook,
                                std::uint16_t number, DeliveryState state) {
  model::AttemptRecord made;
  made.webhook = WebhookRef(webhook);
  made.seq = event.seq;
  made.event_id = event.id;
  made.event_name = event.name;
  made.accepted_at = event.accepted_at;
  made.number = number;
  made.state_after = state;
  made.outcome.kind = state == DeliveryState::kDelivered ? model::OutcomeClass::kOk
                                                         : model::OutcomeClass::kHttpError;
  made.outcome.http_status = state == DeliveryState::kDelivered ? 200 : 503;
  made.outcome.timings = {30, 0, 0, 0, 9000, 9100};
  made.outcome.started_at = event.accepted_at;
  made.outcome.answer = "{\"received\":true}";
  made.outcome.answer_bytes = 17;
  return made;
}

// The event, its attempts, and its pending row if it still has one.
std::uint64_t add_event(model::Batch& batch, std::uint64_t seq, bool is_pending) {
  auto event = std::make_shared<model::Event>();
  event->seq = EventSeq(seq);
  event->id = id_of<model::EventId>(seq);
  event->org = org_of(webhook_of(seq, 0));
  event->name = seq % 50 == 0 ? "PersonDeleted_v1" : "PersonCreated_v1";
  event->accepted_at = time_of(seq);
  event->timestamp = event->accepted_at;
  event->content = fmt::format(R"({{"event_metadata":{{}},"person_id":"p-{}"}})", seq);
  std::uint64_t attempts = 0;
  model::PendingChunk chunk;
  chunk.seq = event->seq;
  chunk.org = event->org;
  chunk.event_id = event->id;
  chunk.event_name = event->name;
  chunk.matches_in_all = kFanOut;
  chunk.accepted_at = event->accepted_at;
  std::vector<model::AttemptRecord> records;
  for (std::uint32_t match = 0; match < kFanOut; ++match) {
    const std::uint32_t webhook = webhook_of(seq, match);
    event->matches.push_back({WebhookRef(webhook), model::Generation(1)});
    const bool waits = is_pending && match == 0;
    DeliveryState state = waits ? DeliveryState::kReady : DeliveryState::kDelivered;
    const std::uint64_t draw = (seq * kFanOut + match) * 0x9e3779b97f4a7c15ULL >> 40;
    if (!waits && draw % 1000 == 0) state = DeliveryState::kDead;
    if (!waits && draw % 1000 == 1) state = DeliveryState::kCancelled;
    chunk.entries.push_back({WebhookRef(webhook), model::Generation(1), state, 0, 0, {}});
    if (waits) continue;
    std::uint16_t number = 1;
    if (state != DeliveryState::kDelivered) {
      records.push_back(attempt_of(*event, webhook, number++, DeliveryState::kDelayed));
    }
    records.push_back(attempt_of(*event, webhook, number, state));
  }
  batch.mutations.emplace_back(model::PutEvent{event});
  // As the engine does: the row is there until the last delivery is over.
  batch.mutations.emplace_back(model::PutPending{chunk});
  attempts += records.size();
  for (model::AttemptRecord& record : records) {
    batch.mutations.emplace_back(model::PutAttempt{std::move(record)});
  }
  if (!is_pending) batch.mutations.emplace_back(model::ErasePending{event->seq, 0});
  return attempts;
}

bool fill(store::Store& store, std::uint64_t attempts_wanted) {
  const Clock::time_point begin = Clock::now();
  const std::uint64_t events = attempts_wanted / kFanOut;
  std::uint64_t attempts = 0;
  for (std::uint64_t seq = 1; seq <= events;) {
    model::Batch batch;
    for (std::uint64_t i = 0; i < kBatchEvents && seq <= events; ++i, ++seq) {
      attempts += add_event(batch, seq, seq + kPendingEvents > events);
    }
    model::Counters counters;
    counters.next_event = EventSeq(seq);
    batch.mutations.emplace_back(model::PutCounters{counters});
    if (!store.commit(batch).ok()) return false;
  }
  std::printf("filled: %llu events, %llu attempts in %.1f s\n",
              static_cast<unsigned long long>(events), static_cast<unsigned long long>(attempts),
              std::chrono::duration<double>(Clock::now() - begin).count());
  return true;
}

double percentile(std::vector<double>& sorted, double part) {
  return sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1))];
}

template <class Ask>
void measure(const char* name, int rounds, Ask ask) {
  std::vector<double> times;
  std::vector<double> cpu_times;
  std::size_t lines = 0;
  std::mt19937_64 random(1);
  for (int round = 0; round < rounds; ++round) {
    const std::uint64_t draw = random();
    const Clock::time_point begin = Clock::now();
    const double cpu_begin = bench::thread_cpu_ns();
    lines += ask(draw);
    cpu_times.push_back((bench::thread_cpu_ns() - cpu_begin) / 1e6);
    times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
  }
  std::sort(times.begin(), times.end());
  std::sort(cpu_times.begin(), cpu_times.end());
  std::printf("%-34s p50 %7.3f ms  p99 %7.3f ms   cpu p50 %7.3f ms  p99 %7.3f ms   lines %.1f\n",
              name, percentile(times, 0.5), percentile(times, 0.99), percentile(cpu_times, 0.5),
              percentile(cpu_times, 0.99), static_cast<double>(lines) / rounds);
  std::fflush(stdout);
}

std::uint64_t number_after(int argc, char** argv, std::string_view flag, std::uint64_t otherwise) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (argv[i] == flag) return std::strtoull(argv[i + 1], nullptr, 10);
  }
  return otherwise;
}

void run(store::Store& store, std::uint64_t events, int rounds) {
  const std::uint64_t first_pending = events - std::min(events, kPendingEvents) + 1;
  const auto log_page = [&](std::uint64_t draw, model::LogFilter filter) {
    const auto webhook = static_cast<std::uint32_t>(draw % kWebhooks);
    model::PendingOfWebhook pending;
    pending.oldest = EventSeq(first_pending);
    for (std::uint64_t seq = first_pending; seq <= events; ++seq) {
      if (webhook_of(seq, 0) != webhook) continue;
      ++pending.count;
      pending.newest = EventSeq(seq);
    }
    const store::ListLog query{
        org_of(webhook), WebhookRef(webhook),    std::move(filter),         std::nullopt,
        pending,         model::kLogPageDefault, model::kLogRowsLookedAtMax};
    const auto page = store.list(query);
    return page.ok() ? page.value().deliveries.size() : std::size_t{0};
  };
  const auto events_page = [&](std::uint64_t draw, model::LogFilter filter) {
    const store::ListEvents query{org_of(static_cast<std::uint32_t>(draw)),
                                  std::move(filter),
                                  std::nullopt,
                                  EventSeq(first_pending),
                                  model::kLogPageDefault,
                                  model::kLogRowsLookedAtMax};
    const auto page = store.list(query);
    return page.ok() ? page.value().logged_events.size() : std::size_t{0};
  };
  const model::WallTime middle = time_of(events / 2);
  const auto with = [](model::DeliveryStatus status) {
    return model::LogFilter{status, "", {}, {}};
  };
  using model::DeliveryStatus;
  measure("yardstick: look up an event id", rounds, [&](std::uint64_t draw) {
    const std::uint64_t seq = draw % events + 1;
    const auto row = store.get({org_of(webhook_of(seq, 0)), id_of<model::EventId>(seq)});
    return std::size_t{row.ok() && row.value() ? 1U : 0U};
  });
  measure("deliveries", rounds, [&](auto draw) { return log_page(draw, {}); });
  measure("deliveries, pending", rounds,
          [&](auto draw) { return log_page(draw, with(DeliveryStatus::kPending)); });
  measure("deliveries, delivered", rounds,
          [&](auto draw) { return log_page(draw, with(DeliveryStatus::kDelivered)); });
  measure("deliveries, dead", rounds,
          [&](auto draw) { return log_page(draw, with(DeliveryStatus::kDead)); });
  measure("deliveries, cancelled", rounds,
          [&](auto draw) { return log_page(draw, with(DeliveryStatus::kCancelled)); });
  measure("deliveries, a rare name", rounds, [&](auto draw) {
    return log_page(draw, {{}, "PersonDeleted_v1", {}, {}});
  });
  measure("deliveries, a name never used", rounds, [&](auto draw) {
    return log_page(draw, {{}, "NoSuchEvent_v1", {}, {}});
  });
  measure("deliveries, until the middle", rounds, [&](auto draw) {
    return log_page(draw, {{}, "", {}, middle});
  });
  measure("events", rounds, [&](auto draw) { return events_page(draw, {}); });
  measure("events, until the middle", rounds, [&](auto draw) {
    return events_page(draw, {{}, "", {}, middle});
  });
  measure("events, dead", rounds,
          [&](auto draw) { return events_page(draw, with(DeliveryStatus::kDead)); });
  measure("attempts of a delivery", rounds, [&](std::uint64_t draw) {
    const std::uint64_t seq = draw % events + 1;
    const auto page =
        store.list(store::ListAttempts{WebhookRef(webhook_of(seq, 1)), EventSeq(seq)});
    return page.ok() ? page.value().attempts.size() : std::size_t{0};
  });
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t attempts = number_after(argc, argv, "--attempts", 200'000);
  const int rounds = static_cast<int>(number_after(argc, argv, "--rounds", 200));
  std::string folder;
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::string_view(argv[i]) == "--folder") folder = argv[i + 1];
  }
  const bool is_kept = !folder.empty();
  if (!is_kept) {
    folder = (std::filesystem::temp_directory_path() / "triggerd-delivery-log-bench").string();
    std::filesystem::remove_all(folder);
  }
  const auto secrets = store::SecretBox::create(std::array<std::uint8_t, 32>{1, 2, 3});
  store::RocksStoreOptions options;
  options.path = folder;
  options.secrets = &secrets.value();
  auto opened = store::RocksStore::open(options);
  if (!opened.ok()) {
    std::fprintf(stderr, "%s\n", opened.error().message.c_str());
    return 1;
  }
  store::Store& store = *opened.value();
  const auto first = store.read_event(EventSeq(1));
  if ((!first.ok() || first.value() == nullptr) && !fill(store, attempts)) return 1;
  run(store, attempts / kFanOut, rounds);
  static_cast<void>(store.close());
  if (!is_kept) std::filesystem::remove_all(folder);
  return 0;
}
