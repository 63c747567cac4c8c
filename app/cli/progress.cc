#include "app/cli/progress.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

namespace triggerd::app {
namespace {

constexpr std::chrono::milliseconds kRedraw{100};
constexpr std::uint64_t kWidth = 30;

}  // namespace

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 5> units{"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < units.size(); ++unit) value /= 1024;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, units[unit]);
}

ProgressBar::ProgressBar(std::string what)
    : what_(std::move(what)),
      on_terminal_(isatty(STDERR_FILENO) != 0 && std::getenv("TRIGGERD_NO_PROGRESS") == nullptr),
      since_(std::chrono::steady_clock::now()) {}

void ProgressBar::show(std::uint64_t done, std::uint64_t all) {
  const auto now = std::chrono::steady_clock::now();
  if (!on_terminal_ || now - shown_at_ < kRedraw) return;
  shown_at_ = now;
  const std::uint64_t filled = all == 0 ? 0 : std::min(kWidth, done * kWidth / all);
  const double seconds = std::chrono::duration<double>(now - since_).count();
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  std::string rest;
  if (rate > 0 && all > done) {
    rest = fmt::format("  {}/s  ETA {:.0f} s", bytes_text(static_cast<std::uint64_t>(rate)),
                       static_cast<double>(all - done) / rate);
  }
  std::fputs(fmt::format("\r{}  [{:=<{}}{:<{}}] {}/{}{}\x1b[K", what_, "", filled, "",
                         kWidth - filled, bytes_text(done), bytes_text(all), rest)
                 .c_str(),
             stderr);
}

void ProgressBar::finish(const std::string& line) {
  drop();
  std::fputs((line + "\n").c_str(), stderr);
}

void ProgressBar::drop() {
  if (on_terminal_) std::fputs("\r\x1b[K", stderr);
}

}  // namespace triggerd::app
