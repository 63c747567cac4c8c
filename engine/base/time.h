// Time as a value. The core never reads a clock: `Now` comes in as an argument.
// Monotonic time orders and delays; wall time stands only in records, claims and answers.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace triggerd::base {

using Duration = std::chrono::nanoseconds;

struct MonoClockTag {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
};
struct WallClockTag {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
};

// Since an arbitrary point; never goes back; means nothing after a restart.
using MonoTime = std::chrono::time_point<MonoClockTag, Duration>;
// Since 1970-01-01T00:00:00Z, without leap seconds.
using WallTime = std::chrono::time_point<WallClockTag, Duration>;

struct Now {
  MonoTime mono;
  WallTime wall;
};

// Reads both clocks. For the edges and the loop; never called by the core.
[[nodiscard]] Now read_clocks();

// Whole Unix seconds, floored.
[[nodiscard]] std::int64_t unix_seconds(WallTime time);

// RFC 3339 in UTC with "Z"; up to nine fraction digits, trailing zeros trimmed, no fraction when 0.
[[nodiscard]] std::string to_rfc3339(WallTime time);

// RFC 3339 with offset or Z, years 1970 to 2261, at most nine fraction digits. Leap second 60 is
// refused.
[[nodiscard]] std::optional<WallTime> parse_rfc3339(std::string_view text);

}  // namespace triggerd::base
