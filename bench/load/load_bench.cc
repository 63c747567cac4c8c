// Generator and sink in one process, so that one clock tells publish, answer and arrival.
// Driven by bench/load/run over standard input; every answer is one line of JSON.
//
//   load_bench SINKS                      → {"ports":[…]}
//   target PORT ORG API_KEY               → {}
//   saturate SECONDS CONNECTIONS EVENTS   → report   (EVENTS: outstanding at most)
//   pace RATE SECONDS CONNECTIONS         → report
//
// Ends with its input.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bench/load/publisher.h"
#include "bench/load/sink.h"

namespace {

void answer(const std::string& json) {
  std::fputs((json + "\n").c_str(), stdout);
  std::fflush(stdout);
}

std::string report_of(const triggerd::load::PhaseReport& report, double cpu_us) {
  return fmt::format(R"({{"phase":{},"own_cpu_us":{:.0f}}})", report.to_json(), cpu_us);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: load_bench SINKS   (then commands on standard input)\n", stderr);
    return 2;
  }
  const std::size_t sinks = std::strtoul(argv[1], nullptr, 10);
  triggerd::load::Sink sink(sinks, 0);
  std::optional<triggerd::load::Publisher> publisher;
  answer(fmt::format(R"({{"ports":[{}]}})", fmt::join(sink.ports(), ",")));

  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string command;
    words >> command;
    const double cpu_before = triggerd::load::cpu_us();
    if (command == "target") {
      triggerd::load::Target target;
      words >> target.port >> target.org >> target.api_key;
      target.fan_out = sinks;
      publisher.emplace(target, sink);
      answer("{}");
    } else if (command == "saturate" && publisher) {
      double seconds = 0;
      std::size_t connections = 0;
      std::uint64_t outstanding = 0;
      words >> seconds >> connections >> outstanding;
      const auto report = publisher->saturate(seconds, connections, outstanding);
      answer(report_of(report, triggerd::load::cpu_us() - cpu_before));
    } else if (command == "pace" && publisher) {
      double rate = 0;
      double seconds = 0;
      std::size_t connections = 0;
      words >> rate >> seconds >> connections;
      const auto report = publisher->pace(rate, seconds, connections);
      answer(report_of(report, triggerd::load::cpu_us() - cpu_before));
    } else {
      std::fputs(fmt::format("load_bench: unknown command: {}\n", line).c_str(), stderr);
      return 2;
    }
  }
  return 0;
}
