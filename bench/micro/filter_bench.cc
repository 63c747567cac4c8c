// What filters cost, per event and filter; beside it XXH3 over the content once, which any look at
// the content costs at least.
//
//   match     CompiledFilter::matches, attributes taken out before; /N filters of one kind per
//   event extract   AttributeReader over a content of 1 KiB, two paths
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <xxhash.h>

#include "api/attribute_reader.h"
#include "api/trigger_reader.h"
#include "bench/micro/beside.h"
#include "engine/core/filter.h"

namespace {

namespace model = triggerd::model;
using triggerd::core::CompiledFilter;

const std::vector<model::FilterPath> kPaths{{"address"}, {"amount"}, {"user", "plan"}};

std::string content() {
  std::string text = R"({"event_metadata":{"event_name":"PersonCreated_v1"})";
  for (int i = 0; text.size() < 900; ++i) {
    fmt::format_to(std::back_inserter(text), R"(,"attribute_{}":"value {} of this event")", i, i);
  }
  return text + R"(,"user":{"plan":"team-42"},"amount":41.5,"address":"10.1.2.3"})";
}

CompiledFilter compiled(const std::string& filter) {
  std::string body = R"({"trigger_type":"event","trigger_name":"E_v1","filter":)" + filter + "}";
  triggerd::api::TriggerText trigger;
  if (!triggerd::api::read_trigger(body, trigger).empty()) std::abort();
  return {*trigger.filter, [](const model::FilterPath& path) {
            std::uint32_t number = 0;
            while (kPaths.at(number) != path) ++number;
            return number;
          }};
}

void match(benchmark::State& state, const std::string& filter) {
  std::string text = content();
  const model::Attributes attributes = triggerd::api::AttributeReader(kPaths).read(text);
  const auto count = static_cast<std::size_t>(state.range(0));
  const std::vector<CompiledFilter> filters(count, compiled(filter));
  triggerd::core::EventAttributes event;
  triggerd::bench::beside(
      state,
      [&] {
        event.look_at(attributes);
        std::uint64_t steps = 0;
        int matches = 0;
        for (const CompiledFilter& each : filters) matches += each.matches(event, steps) ? 1 : 0;
        benchmark::DoNotOptimize(matches);
      },
      [&] { benchmark::DoNotOptimize(XXH3_64bits(text.data(), text.size())); });
  state.counters["per_filter"] =
      benchmark::Counter(static_cast<double>(count), benchmark::Counter::kIsIterationInvariantRate |
                                                         benchmark::Counter::kInvert);
}
BENCHMARK_CAPTURE(match, exact, R"({"user":{"plan":["pro","team-41","team-42"]}})")
    ->Arg(1)
    ->Arg(10)
    ->Arg(100);
BENCHMARK_CAPTURE(match, prefix, R"({"user":{"plan":[{"prefix":"pro-"},{"prefix":"team-"}]}})")
    ->Arg(1)
    ->Arg(10)
    ->Arg(100);
BENCHMARK_CAPTURE(match, anything_but, R"({"user":{"plan":[{"anything-but":["free","trial"]}]}})")
    ->Arg(1)
    ->Arg(10)
    ->Arg(100);
BENCHMARK_CAPTURE(match, numeric, R"({"amount":[{"numeric":[">",0,"<=",100]}]})")
    ->Arg(1)
    ->Arg(10)
    ->Arg(100);
BENCHMARK_CAPTURE(match, cidr, R"({"address":[{"cidr":"10.0.0.0/8"}]})")->Arg(1)->Arg(10)->Arg(100);
BENCHMARK_CAPTURE(match, any_of, R"({"$or":[{"amount":[7]},{"user":{"plan":["team-42"]}}]})")
    ->Arg(1)
    ->Arg(10)
    ->Arg(100);

void extract(benchmark::State& state) {
  std::string text = content();
  const triggerd::api::AttributeReader reader(kPaths);
  triggerd::bench::beside(
      state, [&] { benchmark::DoNotOptimize(reader.read(text)); },
      [&] { benchmark::DoNotOptimize(XXH3_64bits(text.data(), text.size())); });
}
BENCHMARK(extract);

}  // namespace
