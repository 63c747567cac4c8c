#include "engine/model/go_duration.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

namespace triggerd::model {
namespace {

using base::Duration;
using base::Error;
using base::ErrorCode;
using base::Result;

// The magnitude of the smallest duration; the largest is one less.
constexpr std::uint64_t kMagnitudeMax = std::uint64_t{1} << 63;

struct Unit {
  std::string_view name;
  std::uint64_t nanoseconds;
};
constexpr std::array<Unit, 8> kUnits{{{"ns", 1},
                                      {"us", 1'000},
                                      {"\u00b5s", 1'000},  // micro sign
                                      {"\u03bcs", 1'000},  // Greek mu
                                      {"ms", 1'000'000},
                                      {"s", 1'000'000'000},
                                      {"m", 60'000'000'000},
                                      {"h", 3'600'000'000'000}}};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::uint64_t digit_value(char c) {
  return static_cast<std::uint64_t>(c - '0');
}

Error invalid(std::string_view why) {
  return Error{ErrorCode::kInvalid,
               std::string(why) + "; write a duration such as \"10s\", \"500ms\" or \"1m30s\""};
}

Error too_long() {
  return invalid("does not fit into 64-bit nanoseconds (about 292 years)");
}

// Takes the digits at the front of `rest`; nothing when they pass kMagnitudeMax.
std::optional<std::uint64_t> take_integer(std::string_view& rest) {
  std::uint64_t value = 0;
  while (!rest.empty() && is_digit(rest.front())) {
    if (value > kMagnitudeMax / 10) return std::nullopt;
    value = value * 10 + digit_value(rest.front());
    if (value > kMagnitudeMax) return std::nullopt;
    rest.remove_prefix(1);
  }
  return value;
}

struct Fraction {
  std::uint64_t digits = 0;
  double scale = 1;  // ten to the number of digits taken
};

// Takes the digits at the front of `rest`. Those that no longer fit are skipped, as Go does: they
// are far below a nanosecond.
Fraction take_fraction(std::string_view& rest) {
  Fraction fraction;
  bool full = false;
  while (!rest.empty() && is_digit(rest.front())) {
    const std::uint64_t digit = digit_value(rest.front());
    rest.remove_prefix(1);
    if (full || fraction.digits > (kMagnitudeMax - 1) / 10) {
      full = true;
      continue;
    }
    const std::uint64_t longer = fraction.digits * 10 + digit;
    if (longer > kMagnitudeMax) {
      full = true;
      continue;
    }
    fraction.digits = longer;
    fraction.scale *= 10;
  }
  return fraction;
}

// Takes one "decimal[fraction]unit" and gives its nanoseconds, at most kMagnitudeMax.
Result<std::uint64_t> take_term(std::string_view& rest) {
  if (rest.front() != '.' && !is_digit(rest.front())) return invalid("is not a Go duration");
  const bool has_integer = is_digit(rest.front());
  const std::optional<std::uint64_t> integer = take_integer(rest);
  if (!integer) return too_long();

  Fraction fraction;
  bool has_fraction = false;
  if (!rest.empty() && rest.front() == '.') {
    rest.remove_prefix(1);
    has_fraction = !rest.empty() && is_digit(rest.front());
    fraction = take_fraction(rest);
  }
  if (!has_integer && !has_fraction) return invalid("has a point without digits");

  const auto unit_end =
      std::find_if(rest.begin(), rest.end(), [](char c) { return c == '.' || is_digit(c); });
  const std::string_view name = rest.substr(0, static_cast<std::size_t>(unit_end - rest.begin()));
  if (name.empty()) return invalid("has a number without a unit");
  const auto* const unit =
      std::find_if(kUnits.begin(), kUnits.end(), [name](const Unit& u) { return u.name == name; });
  if (unit == kUnits.end()) return invalid("has a unit other than ns, us, ms, s, m, h");
  rest.remove_prefix(name.size());

  if (*integer > kMagnitudeMax / unit->nanoseconds) return too_long();
  std::uint64_t nanoseconds = *integer * unit->nanoseconds;
  if (fraction.digits > 0) {
    // In doubles and in this order, so that every text means the same here as in Go.
    nanoseconds +=
        static_cast<std::uint64_t>(static_cast<double>(fraction.digits) *
                                   (static_cast<double>(unit->nanoseconds) / fraction.scale));
    if (nanoseconds > kMagnitudeMax) return too_long();
  }
  return nanoseconds;
}

// Appends `value` / 10^digits, without trailing zeros and without the point when nothing is left.
void append_decimal(std::string& out, std::uint64_t value, unsigned digits) {
  std::string fraction;
  bool significant = false;
  for (unsigned i = 0; i < digits; ++i) {
    const std::uint64_t digit = value % 10;
    value /= 10;
    significant = significant || digit != 0;
    if (significant) fraction.push_back(static_cast<char>('0' + digit));
  }
  out += std::to_string(value);
  if (significant) {
    out.push_back('.');
    out.append(fraction.rbegin(), fraction.rend());
  }
}

}  // namespace

Result<Duration> parse_go_duration(std::string_view text) {
  std::string_view rest = text;
  bool negative = false;
  if (!rest.empty() && (rest.front() == '-' || rest.front() == '+')) {
    negative = rest.front() == '-';
    rest.remove_prefix(1);
  }
  if (rest == "0") return Duration(0);
  if (rest.empty()) return invalid("is empty");

  std::uint64_t magnitude = 0;
  while (!rest.empty()) {
    const Result<std::uint64_t> term = take_term(rest);
    if (!term.ok()) return term.error();
    if (term.value() > kMagnitudeMax - magnitude) return too_long();
    magnitude += term.value();
  }
  if (negative) {
    // The smallest value has no positive counterpart.
    if (magnitude == kMagnitudeMax) return Duration(std::numeric_limits<std::int64_t>::min());
    return Duration(-static_cast<std::int64_t>(magnitude));
  }
  if (magnitude == kMagnitudeMax) return too_long();
  return Duration(static_cast<std::int64_t>(magnitude));
}

std::string format_go_duration(Duration duration) {
  constexpr std::uint64_t second = 1'000'000'000;
  const std::int64_t count = duration.count();
  auto rest = static_cast<std::uint64_t>(count);
  std::string out;
  if (count < 0) {
    rest = 0 - rest;
    out.push_back('-');
  }
  if (rest == 0) return "0s";
  if (rest < 1'000) return out + std::to_string(rest) + "ns";
  if (rest < 1'000'000) {
    append_decimal(out, rest, 3);
    return out + "\u00b5s";
  }
  if (rest < second) {
    append_decimal(out, rest, 6);
    return out + "ms";
  }
  const std::uint64_t minutes = rest / (60 * second);
  if (minutes >= 60) out += std::to_string(minutes / 60) + "h";
  if (minutes > 0) out += std::to_string(minutes % 60) + "m";
  append_decimal(out, rest % (60 * second), 9);
  return out + "s";
}

}  // namespace triggerd::model
