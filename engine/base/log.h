// Log lines as data: a message and fields, written once, where the thing is decided.
// The program installs one sink; without one, lines go nowhere (tests stay quiet).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace triggerd::base {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarn, kError };

// Builds one line and hands it to the sink when destroyed. Use as a temporary:
//   LogLine(LogLevel::kInfo, "dispatcher", "attempt").field("status", 200);
// Fields are kept as the inside of a JSON object; text is escaped here. Never log payloads or
// secrets.
class LogLine {
 public:
  LogLine(LogLevel level, std::string_view component, std::string_view message);
  ~LogLine();
  LogLine(const LogLine&) = delete;
  LogLine& operator=(const LogLine&) = delete;

  LogLine& field(std::string_view name, std::string_view value);
  LogLine& field(std::string_view name, const char* value);
  LogLine& field(std::string_view name, std::int64_t value);
  LogLine& field(std::string_view name, std::uint64_t value);
  LogLine& field(std::string_view name, int value);
  LogLine& field(std::string_view name, double value);

 private:
  LogLevel level_;
  bool wanted_;
  std::string_view component_;
  std::string_view message_;
  std::string fields_;
};

// `fields` is `"name":value` pairs joined by commas, ready to stand inside a JSON object.
using LogSink = void (*)(LogLevel level, std::string_view component, std::string_view message,
                         std::string_view fields);

// Called once at start, before threads; nullptr removes it. The sink is called from any thread.
void set_log_sink(LogSink sink, LogLevel at_least);

// Another level from now on; any thread. Without a sink it changes nothing.
void set_log_level(LogLevel at_least);

// Appends `text` as the inside of a JSON string: quotes, backslashes, control bytes escaped, and
// bytes that are not UTF-8 replaced by U+FFFD.
void append_json_escaped(std::string& out, std::string_view text);

}  // namespace triggerd::base
