// Stored rows of an event of 1 KiB with 10 matches, of an attempt, and of 10 pending deliveries.
// The floor is what a row cannot do without: its bytes copied once, and their checksum.
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <xxhash.h>

#include "bench/micro/beside.h"
#include "engine/model/records.h"
#include "store/codec.h"

namespace {

namespace model = triggerd::model;

constexpr std::size_t kContentBytes = 1024;
constexpr std::uint32_t kFanOut = 10;
constexpr const char* kEventName = "AuthenticationSucceeded_v1";

template <class Record>
Record sample();

template <>
model::Event sample() {
  model::Event event;
  event.seq = model::EventSeq(123'456);
  event.name = kEventName;
  event.content = std::string(kContentBytes, 'x');
  for (std::uint32_t i = 1; i <= kFanOut; ++i) {
    event.matches.push_back({model::WebhookRef(i), model::Generation(i)});
  }
  return event;
}

template <>
model::AttemptRecord sample() {
  model::AttemptRecord attempt;
  attempt.webhook = model::WebhookRef(7);
  attempt.seq = model::EventSeq(123'456);
  attempt.outcome.kind = model::OutcomeClass::kOk;
  attempt.outcome.http_status = 200;
  attempt.outcome.timings = {0, 0, 0, 1234, 1300};
  return attempt;
}

template <>
model::PendingChunk sample() {
  model::PendingChunk chunk;
  chunk.seq = model::EventSeq(123'456);
  chunk.event_name = kEventName;
  chunk.matches_in_all = kFanOut;
  for (std::uint32_t i = 1; i <= kFanOut; ++i) {
    model::PendingEntry entry;
    entry.webhook = model::WebhookRef(i);
    entry.generation = model::Generation(i);
    chunk.entries.push_back(entry);
  }
  return chunk;
}

auto floor_of(const std::string& row, std::string& copy) {
  return [&row, &copy] {
    copy.assign(row);
    benchmark::DoNotOptimize(XXH3_64bits(copy.data(), copy.size()));
  };
}

template <class Record>
void encode(benchmark::State& state) {
  const Record record = sample<Record>();
  std::string row;
  std::string copy;
  triggerd::store::encode(record, row);
  state.counters["row_bytes"] = static_cast<double>(row.size());
  triggerd::bench::beside(
      state,
      [&record, &row] {
        triggerd::store::encode(record, row);
        benchmark::DoNotOptimize(row);
      },
      floor_of(row, copy));
}

template <class Record>
void decode(benchmark::State& state) {
  const Record record = sample<Record>();
  std::string row;
  std::string copy;
  triggerd::store::encode(record, row);
  triggerd::bench::beside(
      state,
      [&row] {
        const auto decoded = triggerd::store::decode<Record>(row);
        if (!decoded.ok()) std::abort();
        benchmark::DoNotOptimize(decoded);
      },
      floor_of(row, copy));
}

BENCHMARK_TEMPLATE(encode, model::Event);
BENCHMARK_TEMPLATE(decode, model::Event);
BENCHMARK_TEMPLATE(encode, model::AttemptRecord);
BENCHMARK_TEMPLATE(decode, model::AttemptRecord);
BENCHMARK_TEMPLATE(encode, model::PendingChunk);
BENCHMARK_TEMPLATE(decode, model::PendingChunk);

}  // namespace
