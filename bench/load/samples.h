// Latencies of one phase, and their quantiles by sorting: exact, no buckets.
//
// Thread: one. Grows by 8 bytes a sample; the phase bounds it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace triggerd::load {

class Samples {
 public:
  Samples() = default;
  explicit Samples(std::vector<std::int64_t> nanoseconds) : nanoseconds_(std::move(nanoseconds)) {
    std::sort(nanoseconds_.begin(), nanoseconds_.end());
  }

  [[nodiscard]] std::size_t size() const { return nanoseconds_.size(); }
  // In microseconds; 0 without samples. Requires: share in [0, 1].
  [[nodiscard]] double quantile_us(double share) const {
    if (nanoseconds_.empty()) return 0;
    const auto last = static_cast<double>(nanoseconds_.size() - 1);
    return static_cast<double>(nanoseconds_[static_cast<std::size_t>(share * last)]) / 1000;
  }
  // {"p50_us":…,"p99_us":…,"p999_us":…,"max_us":…}
  [[nodiscard]] std::string to_json() const {
    return fmt::format(R"({{"p50_us":{:.1f},"p99_us":{:.1f},"p999_us":{:.1f},"max_us":{:.1f}}})",
                       quantile_us(0.5), quantile_us(0.99), quantile_us(0.999), quantile_us(1));
  }

 private:
  std::vector<std::int64_t> nanoseconds_;
};

}  // namespace triggerd::load
