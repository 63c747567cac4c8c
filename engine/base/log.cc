#include "engine/base/log.h"

#include <atomic>

#include <fmt/format.h>

namespace triggerd::base {
namespace {

std::atomic<LogSink> installed_sink{nullptr};
std::atomic<LogLevel> installed_level{LogLevel::kInfo};

// Length of the valid UTF-8 sequence at `position` (RFC 3629), or 0.
std::size_t utf8_sequence(std::string_view text, std::size_t position) {
  const auto byte = [&](std::size_t offset) {
    return position + offset < text.size() ? static_cast<unsigned char>(text[position + offset])
                                           : 0U;
  };
  const auto continues = [&](std::size_t offset) { return (byte(offset) & 0xc0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    if (!continues(1) || !continues(2)) return 0;
    if (first == 0xe0 && byte(1) < 0xa0) return 0;
    if (first == 0xed && byte(1) > 0x9f) return 0;
    return 3;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    if (first == 0xf0 && byte(1) < 0x90) return 0;
    if (first == 0xf4 && byte(1) > 0x8f) return 0;
    return 4;
  }
  return 0;
}

}  // namespace

void append_json_escaped(std::string& out, std::string_view text) {
  for (std::size_t position = 0; position < text.size();) {
    const auto character = static_cast<unsigned char>(text[position]);
    if (character == '"' || character == '\\') {
      out += '\\';
      out += static_cast<char>(character);
      ++position;
    } else if (character < 0x20 || character == 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", character);
      ++position;
    } else if (const std::size_t length = utf8_sequence(text, position); length > 0) {
      out.append(text.substr(position, length));
      position += length;
    } else {
      out += "\\ufffd";
      ++position;
    }
  }
}

void set_log_sink(LogSink sink, LogLevel at_least) {
  installed_level = at_least;
  installed_sink = sink;
}

void set_log_level(LogLevel at_least) {
  installed_level = at_least;
}

LogLine::LogLine(LogLevel level, std::string_view component, std::string_view message)
    : level_(level),
      wanted_(installed_sink.load() != nullptr && level >= installed_level.load()),
      component_(component),
      message_(message) {}

LogLine::~LogLine() {
  if (!wanted_) return;
  if (const LogSink sink = installed_sink.load()) sink(level_, component_, message_, fields_);
}

LogLine& LogLine::field(std::string_view name, std::string_view value) {
  if (!wanted_) return *this;
  if (!fields_.empty()) fields_ += ',';
  fmt::format_to(std::back_inserter(fields_), "\"{}\":\"", name);
  append_json_escaped(fields_, value);
  fields_ += '"';
  return *this;
}

LogLine& LogLine::field(std::string_view name, const char* value) {
  return field(name, std::string_view(value));
}

LogLine& LogLine::field(std::string_view name, std::int64_t value) {
  if (!wanted_) return *this;
  fmt::format_to(std::back_inserter(fields_), "{}\"{}\":{}", fields_.empty() ? "" : ",", name,
                 value);
  return *this;
}

LogLine& LogLine::field(std::string_view name, std::uint64_t value) {
  if (!wanted_) return *this;
  fmt::format_to(std::back_inserter(fields_), "{}\"{}\":{}", fields_.empty() ? "" : ",", name,
                 value);
  return *this;
}

LogLine& LogLine::field(std::string_view name, int value) {
  return field(name, static_cast<std::int64_t>(value));
}

LogLine& LogLine::field(std::string_view name, double value) {
  if (!wanted_) return *this;
  fmt::format_to(std::back_inserter(fields_), "{}\"{}\":{:.6g}", fields_.empty() ? "" : ",", name,
                 value);
  return *this;
}

}  // namespace triggerd::base
