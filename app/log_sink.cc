#include "app/log_sink.h"

#include <memory>
#include <string>

#include <fmt/format.h>
#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "engine/base/time.h"

namespace triggerd::app {
namespace {

constexpr std::size_t kQueuedLinesMax = 8192;

// Written before threads start, read by them.
LogFormat format_in_force = LogFormat::kJson;

spdlog::logger* logger() {
  return spdlog::default_logger_raw();
}

std::string_view level_name(base::LogLevel level) {
  switch (level) {
    case base::LogLevel::kDebug:
      return "debug";
    case base::LogLevel::kInfo:
      return "info";
    case base::LogLevel::kWarn:
      return "warn";
    case base::LogLevel::kError:
      return "error";
  }
  return "error";
}

void write_line(base::LogLevel level, std::string_view component, std::string_view message,
                std::string_view fields) {
  const std::string time = base::to_rfc3339(base::read_clocks().wall);
  if (format_in_force == LogFormat::kText) {
    logger()->info(
        fmt::format("{} {:5} {} {}  {}", time, level_name(level), component, message, fields));
    return;
  }
  std::string escaped;
  base::append_json_escaped(escaped, message);
  logger()->info(fmt::format(R"({{"ts":"{}","level":"{}","component":"{}","msg":"{}"{}{}}})", time,
                             level_name(level), component, escaped, fields.empty() ? "" : ",",
                             fields));
}

}  // namespace

void start_logging(base::LogLevel level, LogFormat format) {
  format_in_force = format != LogFormat::kAuto   ? format
                    : isatty(STDERR_FILENO) != 0 ? LogFormat::kText
                                                 : LogFormat::kJson;
  spdlog::init_thread_pool(kQueuedLinesMax, 1);
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  auto asynchronous =
      std::make_shared<spdlog::async_logger>("triggerd", std::move(sink), spdlog::thread_pool(),
                                             spdlog::async_overflow_policy::overrun_oldest);
  asynchronous->set_pattern("%v");
  asynchronous->set_level(spdlog::level::trace);
  asynchronous->flush_on(spdlog::level::err);
  spdlog::set_default_logger(std::move(asynchronous));
  base::set_log_sink(write_line, level);
}

void stop_logging() {
  base::set_log_sink(nullptr, base::LogLevel::kError);
  spdlog::shutdown();
}

}  // namespace triggerd::app
