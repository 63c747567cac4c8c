#include "app/log_sink.h"

#include <cstdint>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <unistd.h>

#include "app/log_writer.h"
#include "engine/base/time.h"

namespace triggerd::app {
namespace {

// Both written before threads start and after they ended, read by them.
LogFormat format_in_force = LogFormat::kJson;
std::unique_ptr<LogWriter> writer;

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

std::string format_line(base::LogLevel level, std::string_view component, std::string_view message,
                        std::string_view fields) {
  const std::string time = base::to_rfc3339(base::read_clocks().wall);
  if (format_in_force == LogFormat::kText) {
    return fmt::format("{} {:5} {} {}  {}", time, level_name(level), component, message, fields);
  }
  std::string escaped;
  base::append_json_escaped(escaped, message);
  return fmt::format(R"({{"ts":"{}","level":"{}","component":"{}","msg":"{}"{}{}}})", time,
                     level_name(level), component, escaped, fields.empty() ? "" : ",", fields);
}

std::string dropped_line(std::uint64_t lines) {
  return format_line(base::LogLevel::kWarn, "log", "lines were dropped: nobody reads fast enough",
                     fmt::format("\"lines\":{}", lines));
}

void write_line(base::LogLevel level, std::string_view component, std::string_view message,
                std::string_view fields) {
  writer->write(format_line(level, component, message, fields), level >= base::LogLevel::kWarn
                                                                    ? LogWriter::Urgency::kNow
                                                                    : LogWriter::Urgency::kCanWait);
}

}  // namespace

void start_logging(base::LogLevel level, LogFormat format) {
  format_in_force = format != LogFormat::kAuto   ? format
                    : isatty(STDERR_FILENO) != 0 ? LogFormat::kText
                                                 : LogFormat::kJson;
  writer = std::make_unique<LogWriter>(STDERR_FILENO, dropped_line);
  base::set_log_sink(write_line, level);
}

void stop_logging() {
  base::set_log_sink(nullptr, base::LogLevel::kError);
  writer.reset();
}

}  // namespace triggerd::app
