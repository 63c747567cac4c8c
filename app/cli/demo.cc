// triggerd demo: the whole way of an event on this machine, with figures at the end.

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include "app/cli/commands.h"
#include "app/demo/demo.h"
#include "app/log_sink.h"

namespace triggerd::app {
namespace {

using Seconds = std::chrono::duration<double>;
using Millis = std::chrono::duration<double, std::milli>;

// A bar on a terminal, a line a second elsewhere.
class ProgressBar {
 public:
  explicit ProgressBar(std::uint64_t events)
      : events_(events), on_terminal_(isatty(STDERR_FILENO) != 0) {}

  void show(std::uint64_t accepted, std::uint64_t delivered) {
    const auto now = std::chrono::steady_clock::now();
    if (now - shown_at_ <
        (on_terminal_ ? std::chrono::milliseconds(100) : std::chrono::seconds(1))) {
      return;
    }
    shown_at_ = now;
    print(accepted, delivered);
  }
  void finish(std::uint64_t accepted, std::uint64_t delivered) {
    print(accepted, delivered);
    if (on_terminal_) std::fputs("\n", stderr);
  }

 private:
  void print(std::uint64_t accepted, std::uint64_t delivered) const {
    constexpr std::uint64_t width = 30;
    const std::uint64_t filled = events_ == 0 ? width : accepted * width / events_;
    std::fputs(fmt::format("{}  [{:=<{}}{:<{}}] {}/{} events accepted, {} deliveries verified{}",
                           on_terminal_ ? "\r" : "", "", filled, "", width - filled, accepted,
                           events_, delivered, on_terminal_ ? "" : "\n")
                   .c_str(),
               stderr);
  }

  std::uint64_t events_;
  bool on_terminal_;
  std::chrono::steady_clock::time_point shown_at_;
};

double percentile_ms(const std::vector<base::Duration>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto index = static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1));
  return Millis(sorted[index]).count();
}

void print_report(const DemoReport& report) {
  const DemoFigures& figures = report.figures;
  const double all_seconds = Seconds(report.all).count();
  std::string text =
      fmt::format("\n{} webhooks, {} triggers, embedded store, ES256 on every call\n",
                  report.webhooks, report.triggers);
  const auto row = [&text](const char* name, const std::string& value) {
    text += fmt::format("  {:<22}{:>14}\n", name, value);
  };
  row("events accepted", fmt::format("{}", figures.accepted));
  row("deliveries expected", fmt::format("{}", figures.expected));
  row("deliveries verified", fmt::format("{}", figures.delivered));
  row("not verified", fmt::format("{}", figures.rejected));
  row("lost", fmt::format("{}", figures.lost));
  row("duplicates", fmt::format("{}", figures.duplicates));
  row("events/s accepted", fmt::format("{:.0f}", static_cast<double>(figures.accepted) /
                                                     Seconds(report.publishing).count()));
  row("deliveries/s", fmt::format("{:.0f}", static_cast<double>(figures.delivered) / all_seconds));
  text +=
      fmt::format("  publish to verified call: p50 {:.1f} ms  p90 {:.1f}  p99 {:.1f}  max {:.1f}\n",
                  percentile_ms(figures.latencies, 0.5), percentile_ms(figures.latencies, 0.9),
                  percentile_ms(figures.latencies, 0.99), percentile_ms(figures.latencies, 1));
  std::fputs(text.c_str(), stdout);
}

int demo(const DemoOptions& options) {
  start_logging(base::LogLevel::kWarn, LogFormat::kAuto);
  std::fputs(
      fmt::format("triggerd demo: {} events of 15 types through a real engine and receiver\n",
                  options.events)
          .c_str(),
      stderr);
  ProgressBar bar(options.events);
  const base::Result<DemoReport> report = run_demo(
      options,
      [&bar](std::uint64_t accepted, std::uint64_t delivered) { bar.show(accepted, delivered); });
  stop_logging();
  if (!report.ok()) {
    std::fputs(fmt::format("triggerd demo: {}\n", report.error().message).c_str(), stderr);
    return kExitFailed;
  }
  const DemoFigures& figures = report.value().figures;
  bar.finish(figures.accepted, figures.delivered);
  print_report(report.value());
  return figures.lost == 0 && figures.rejected == 0 ? kExitDone : kExitFailed;
}

}  // namespace

void add_demo(CLI::App& app, Run& run) {
  CLI::App* command =
      app.add_subcommand("demo", "Run an engine, a verifying receiver and a stream of events");
  auto options = std::make_shared<DemoOptions>();
  command->add_option("--events", options->events, "How many events")
      ->check(CLI::Range(1, 10'000'000))
      ->capture_default_str();
  command->add_option("--rate", options->per_second, "Events a second; 0 = as fast as accepted")
      ->capture_default_str();
  command->add_option("--data", options->data_path,
                      "Keep the store here instead of a temporary folder");
  command->callback([options, &run] { run = [options] { return demo(*options); }; });
}

}  // namespace triggerd::app
