#include "app/metrics/process_metrics.h"

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <sys/resource.h>
#include <unistd.h>

namespace triggerd::app::metrics {
namespace {

// Fields of /proc/self/stat behind the name in parentheses (proc(5)): 3 is the first.
constexpr int kFirstField = 3;
constexpr int kUserTicks = 14;
constexpr int kSystemTicks = 15;
constexpr int kStartTicks = 22;
constexpr int kResidentPages = 24;

std::string read_file(const char* path) {
  const std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

double boot_time() {
  std::istringstream lines(read_file("/proc/stat"));
  std::string word;
  while (lines >> word) {
    double seconds = 0;
    if (word == "btime" && lines >> seconds) return seconds;
  }
  return 0;
}

}  // namespace

void append_process(Exposition& page) {
  const std::string stat = read_file("/proc/self/stat");
  std::istringstream fields(stat.substr(std::min(stat.size(), stat.rfind(')') + 1)));
  std::array<double, kResidentPages + 1> numbers{};
  std::string word;
  for (int field = kFirstField; field <= kResidentPages && fields >> word; ++field) {
    numbers[static_cast<std::size_t>(field)] = std::strtod(word.c_str(), nullptr);
  }
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  page.one_counter("process_cpu_seconds_total", "Time on the processors, user and system.",
                   (numbers[kUserTicks] + numbers[kSystemTicks]) / ticks);
  page.one_gauge("process_resident_memory_bytes", "Memory in use.",
                 numbers[kResidentPages] * static_cast<double>(sysconf(_SC_PAGESIZE)));
  page.one_gauge("process_start_time_seconds", "When the process began, Unix time.",
                 boot_time() + numbers[kStartTicks] / ticks);
  std::error_code failure;
  double open = 0;
  for (auto at = std::filesystem::directory_iterator("/proc/self/fd", failure);
       !failure && at != std::filesystem::directory_iterator(); at.increment(failure)) {
    ++open;
  }
  page.one_gauge("process_open_fds", "Open file descriptors.", open);
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    page.one_gauge("process_max_fds", "Most open file descriptors.",
                   static_cast<double>(limit.rlim_cur));
  }
}

}  // namespace triggerd::app::metrics
