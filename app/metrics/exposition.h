// A page of metrics in Prometheus' text format (version 0.0.4), family by family. Names, units and
// labels follow its conventions: `promtool check metrics` has nothing to say.
//
// Thread: one; a page is made for one scrape.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>

#include "app/metrics/cells.h"

namespace triggerd::app::metrics {

// Name and value. The values of a label are few and known beforehand: never an id, never a URL.
using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

class Exposition {
 public:
  // Each begins a family; samples that follow belong to it.
  void counter(std::string_view name, std::string_view help);
  void gauge(std::string_view name, std::string_view help);
  void histogram(std::string_view name, std::string_view help);

  // One sample. Requires: a counter or gauge was begun.
  void sample(double value, const Labels& labels = {});
  // A gauge or counter without labels.
  void one_gauge(std::string_view name, std::string_view help, double value);
  void one_counter(std::string_view name, std::string_view help, double value);

  // The sum of some distributions with the same bounds: one a thread. Requires: a histogram was
  // begun, and there is at least one.
  template <std::size_t N>
  void distribution(const std::vector<const Distribution<N>*>& parts, const Labels& labels = {}) {
    std::vector<std::uint64_t> counts(N + 1);
    double sum = 0;
    for (const Distribution<N>* part : parts) {
      for (std::size_t i = 0; i <= N; ++i) counts[i] += part->count_in(i);
      sum += part->sum();
    }
    const auto& bounds = parts.front()->bounds();
    buckets({bounds.begin(), bounds.end()}, counts, sum, labels);
  }

  [[nodiscard]] std::string text() const;

 private:
  void begin(std::string_view name, std::string_view help, prometheus::MetricType type);
  prometheus::ClientMetric& add(const Labels& labels);
  void buckets(const std::vector<double>& bounds, const std::vector<std::uint64_t>& counts,
               double sum, const Labels& labels);

  std::vector<prometheus::MetricFamily> families_;
};

}  // namespace triggerd::app::metrics
