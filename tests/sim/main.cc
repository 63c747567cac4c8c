// triggerd_sim: runs simulated worlds. One seed is one world; a failure names the seed and the
// command that replays it.
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "tests/sim/tally.h"
#include "tests/sim/trace.h"
#include "tests/sim/world.h"

namespace triggerd::sim {
namespace {

constexpr std::size_t kTraceLines = 60;
constexpr std::uint32_t kRequestsDefault = 500;

struct Options {
  std::uint64_t first = 1;
  std::uint64_t seeds = 1;
  std::uint32_t requests = kRequestsDefault;
  bool verbose = false;
  bool require_all = false;
  bool keep_going = false;  // after a failure
};

struct Replay {
  std::uint64_t seed = 0;
  std::uint32_t requests = 0;
  const Trace* trace = nullptr;
};
Replay replay_now;  // of the world that runs, for the signal handler

void print_replay() {
  std::fprintf(stderr, "last steps:\n");
  if (replay_now.trace != nullptr) replay_now.trace->print(stderr);
  std::fprintf(stderr, "replay with: triggerd_sim --seed %llu --steps %u\n",
               static_cast<unsigned long long>(replay_now.seed), replay_now.requests);
}

// An assertion aborts; the seed must be told all the same.
void on_abort(int) {
  print_replay();
  std::_Exit(2);
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  if (text.empty() || text.size() > 19) return std::nullopt;
  std::uint64_t number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return number;
}

// A number, or a commit: any hexadecimal name, mixed into 63 bits (FNV-1a), so that the seed can
// also be given as a number.
std::optional<std::uint64_t> parse_seed(std::string_view text) {
  if (const auto number = parse_number(text)) return number;
  if (text.size() < 7 || text.size() > 64) return std::nullopt;
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) {
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (!hex) return std::nullopt;
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  }
  return hash >> 1;
}

int usage(const char* problem, std::string_view argument) {
  std::fprintf(stderr, "triggerd_sim: %s '%.*s'\n", problem, static_cast<int>(argument.size()),
               argument.data());
  std::fputs(
      "usage: triggerd_sim [--seed N | --seed COMMIT | --first N] [--seeds COUNT] [--steps "
      "REQUESTS] [--verbose] [--require-all] [--keep-going]\n",
      stderr);
  return 64;
}

void print_report(const Tally& tally, std::uint64_t worlds) {
  std::printf(
      "%llu worlds, %.1f virtual days, %llu events, %llu calls, %llu commits, %llu steps\n",
      static_cast<unsigned long long>(worlds), tally.virtual_days,
      static_cast<unsigned long long>(tally.events), static_cast<unsigned long long>(tally.calls),
      static_cast<unsigned long long>(tally.commits), static_cast<unsigned long long>(tally.steps));
  for (std::size_t i = 0; i < kSometimesCount; ++i) {
    std::printf("%10llu  %s\n",
                static_cast<unsigned long long>(tally.count(static_cast<Sometimes>(i))),
                kSometimesNames[i]);
  }
}

int run(const Options& options) {
  Tally tally;
  std::uint64_t failures = 0;
  for (std::uint64_t seed = options.first; seed < options.first + options.seeds; ++seed) {
    Trace trace(kTraceLines, options.verbose ? Trace::Mode::kPrintAll : Trace::Mode::kRing);
    replay_now = {seed, options.requests, &trace};
    World world(seed, options.requests, tally, trace);
    const std::optional<std::string> objection = world.run();
    if (objection) {
      std::fprintf(stderr, "seed %llu FAILED\n  %s\n  world: %s\n",
                   static_cast<unsigned long long>(seed), objection->c_str(),
                   describe(world.plan()).c_str());
      ++failures;
      if (!options.keep_going) {
        print_replay();
        return 1;
      }
    }
    replay_now.trace = nullptr;
  }
  print_report(tally, options.seeds);
  int status = failures == 0 ? 0 : 1;
  if (!options.require_all) return status;
  for (std::size_t i = 0; i < kSometimesCount; ++i) {
    if (tally.count(static_cast<Sometimes>(i)) > 0) continue;
    std::fprintf(stderr, "never happened over these seeds: %s\n", kSometimesNames[i]);
    status = 1;
  }
  return status;
}

int parse_and_run(int count, char** arguments) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string_view name = arguments[i];
    if (name == "--verbose") {
      options.verbose = true;
      continue;
    }
    if (name == "--require-all") {
      options.require_all = true;
      continue;
    }
    if (name == "--keep-going") {
      options.keep_going = true;
      continue;
    }
    if (name != "--seed" && name != "--first" && name != "--seeds" && name != "--steps") {
      return usage("unknown argument", name);
    }
    if (++i == count) return usage("a value is missing after", name);
    const auto value = name == "--seed" ? parse_seed(arguments[i]) : parse_number(arguments[i]);
    if (!value) return usage("not a number, nor (for --seed) a commit:", arguments[i]);
    if (name == "--seeds") {
      options.seeds = *value;
    } else if (name == "--steps") {
      options.requests = static_cast<std::uint32_t>(*value);
    } else {
      options.first = *value;
    }
  }
  return run(options);
}

}  // namespace
}  // namespace triggerd::sim

int main(int count, char** arguments) {
  std::signal(SIGABRT, triggerd::sim::on_abort);
  return triggerd::sim::parse_and_run(count, arguments);
}
