#include "engine/base/time.h"

#include <ctime>

#include <fmt/format.h>

namespace triggerd::base {
namespace {

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;

std::int64_t floor_seconds(std::int64_t nanos) {
  std::int64_t seconds = nanos / kNanosPerSecond;
  if (nanos % kNanosPerSecond < 0) --seconds;
  return seconds;
}

// Reads `count` digits at `position`; -1 when one is missing.
int read_digits(std::string_view text, std::size_t position, std::size_t count) {
  if (position + count > text.size()) return -1;
  int value = 0;
  for (std::size_t i = position; i < position + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

bool in_range(int value, int low, int high) {
  return value >= low && value <= high;
}

Duration clock_nanos(clockid_t clock) {
  timespec spec{};
  clock_gettime(clock, &spec);
  return Duration(static_cast<std::int64_t>(spec.tv_sec) * kNanosPerSecond + spec.tv_nsec);
}

}  // namespace

Now read_clocks() {
  return {MonoTime(clock_nanos(CLOCK_MONOTONIC)), WallTime(clock_nanos(CLOCK_REALTIME))};
}

std::int64_t unix_seconds(WallTime time) {
  return floor_seconds(time.time_since_epoch().count());
}

std::string to_rfc3339(WallTime time) {
  const std::int64_t nanos = time.time_since_epoch().count();
  const std::int64_t seconds = floor_seconds(nanos);
  const std::int64_t fraction = nanos - seconds * kNanosPerSecond;
  const std::chrono::sys_days day = std::chrono::floor<std::chrono::days>(
      std::chrono::sys_seconds(std::chrono::seconds(seconds)));
  const std::chrono::year_month_day date(day);
  const std::int64_t second_of_day =
      seconds - std::chrono::duration_cast<std::chrono::seconds>(day.time_since_epoch()).count();
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60);
  if (fraction != 0) {
    text += fmt::format(".{:09}", fraction);
    text.erase(text.find_last_not_of('0') + 1);
  }
  text += 'Z';
  return text;
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  // 2024-03-03T02:12:00 is 19 characters; an offset of at least one follows.
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' ||
      (text[10] != 'T' && text[10] != 't') || text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  const int year = read_digits(text, 0, 4);
  const int month = read_digits(text, 5, 2);
  const int day = read_digits(text, 8, 2);
  const int hour = read_digits(text, 11, 2);
  const int minute = read_digits(text, 14, 2);
  const int second = read_digits(text, 17, 2);
  if (!in_range(year, 1970, 2261) || !in_range(month, 1, 12) || !in_range(day, 1, 31) ||
      !in_range(hour, 0, 23) || !in_range(minute, 0, 59) || !in_range(second, 0, 59)) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;

  std::size_t position = 19;
  std::int64_t fraction = 0;
  if (text[position] == '.') {
    ++position;
    std::int64_t unit = kNanosPerSecond / 10;
    const std::size_t first = position;
    while (position < text.size() && text[position] >= '0' && text[position] <= '9') {
      if (unit == 0) return std::nullopt;
      fraction += (text[position++] - '0') * unit;
      unit /= 10;
    }
    if (position == first) return std::nullopt;
  }
  if (position >= text.size()) return std::nullopt;

  int offset_minutes = 0;
  const char zone = text[position++];
  if (zone == '+' || zone == '-') {
    const int hours = read_digits(text, position, 2);
    const int minutes = read_digits(text, position + 3, 2);
    if (!in_range(hours, 0, 23) || !in_range(minutes, 0, 59) || text[position + 2] != ':') {
      return std::nullopt;
    }
    offset_minutes = (zone == '+' ? 1 : -1) * (hours * 60 + minutes);
    position += 5;
  } else if (zone != 'Z' && zone != 'z') {
    return std::nullopt;
  }
  if (position != text.size()) return std::nullopt;

  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const std::int64_t seconds =
      days * 86400 + hour * 3600LL + minute * 60LL + second - offset_minutes * 60LL;
  return WallTime(Duration(seconds * kNanosPerSecond + fraction));
}

}  // namespace triggerd::base
