#include "dispatcher/retry_after.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "engine/model/limits.h"

namespace triggerd::dispatcher {
namespace {

constexpr base::Duration kNothing{-1};
constexpr std::int64_t kAbsurdSeconds = 366LL * 24 * 60 * 60;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Decimal digits alone, at most nine of them.
std::optional<int> number(std::string_view digits) {
  if (digits.empty() || digits.size() > 9) return std::nullopt;
  if (!std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; })) {
    return std::nullopt;
  }
  int value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

std::optional<unsigned> month_number(std::string_view name) {
  constexpr std::array<std::string_view, 12> names = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto* const found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<unsigned>(found - names.begin()) + 1;
}

struct DateText {
  std::string_view day;
  std::string_view month;
  std::string_view year;
  std::string_view clock;  // "08:49:37"
};

std::optional<std::int64_t> seconds_of(const DateText& date) {
  if (date.clock.size() != 8 || date.clock[2] != ':' || date.clock[5] != ':') return std::nullopt;
  const auto day = number(trimmed(date.day));
  const auto month = month_number(date.month);
  auto year = number(date.year);
  const auto hour = number(date.clock.substr(0, 2));
  const auto minute = number(date.clock.substr(3, 2));
  const auto second = number(date.clock.substr(6, 2));
  if (!day || !month || !year || !hour || !minute || !second) return std::nullopt;
  // RFC 850's two digits: this century, which is right until 2099.
  if (date.year.size() == 2) year = *year + 2000;
  const std::chrono::year_month_day ymd{std::chrono::year(*year), std::chrono::month(*month),
                                        std::chrono::day(static_cast<unsigned>(*day))};
  if (!ymd.ok() || *year < 1970 || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(ymd).time_since_epoch().count();
  return ((days * 24 + *hour) * 60 + *minute) * 60 + *second;
}

std::optional<std::int64_t> parse_http_date(std::string_view text) {
  const std::size_t comma = text.find(',');
  if (comma == std::string_view::npos) {  // asctime: "Sun Nov  6 08:49:37 1994"
    if (text.size() != 24 || text[3] != ' ' || text[7] != ' ' || text[10] != ' ' ||
        text[19] != ' ') {
      return std::nullopt;
    }
    return seconds_of(
        {text.substr(8, 2), text.substr(4, 3), text.substr(20, 4), text.substr(11, 8)});
  }
  if (!text.ends_with(" GMT")) return std::nullopt;
  text = text.substr(comma + 1);
  if (text.size() == 25 && text[0] == ' ' && text[3] == ' ' && text[7] == ' ' && text[12] == ' ') {
    return seconds_of(
        {text.substr(1, 2), text.substr(4, 3), text.substr(8, 4), text.substr(13, 8)});
  }
  if (text.size() == 23 && text[0] == ' ' && text[3] == '-' && text[7] == '-' && text[10] == ' ') {
    return seconds_of(
        {text.substr(1, 2), text.substr(4, 3), text.substr(8, 2), text.substr(11, 8)});
  }
  return std::nullopt;
}

}  // namespace

base::Duration parse_retry_after(std::string_view value, base::WallTime now) {
  value = trimmed(value);
  std::optional<std::int64_t> seconds;
  if (const auto delta = number(value)) {
    seconds = *delta;
  } else if (const auto date = parse_http_date(value)) {
    seconds = *date - base::unix_seconds(now);
  }
  if (!seconds || *seconds < 0 || *seconds > kAbsurdSeconds) return kNothing;
  return std::min<base::Duration>(std::chrono::seconds(*seconds), model::kRetryAfterMax);
}

}  // namespace triggerd::dispatcher
