#include "app/metrics/exposition.h"

#include <limits>

#include <prometheus/text_serializer.h>

#include "engine/base/assert.h"

namespace triggerd::app::metrics {

using prometheus::ClientMetric;
using prometheus::MetricType;

void Exposition::begin(std::string_view name, std::string_view help, MetricType type) {
  prometheus::MetricFamily& family = families_.emplace_back();
  family.name = name;
  family.help = help;
  family.type = type;
}

void Exposition::counter(std::string_view name, std::string_view help) {
  begin(name, help, MetricType::Counter);
}

void Exposition::gauge(std::string_view name, std::string_view help) {
  begin(name, help, MetricType::Gauge);
}

void Exposition::histogram(std::string_view name, std::string_view help) {
  begin(name, help, MetricType::Histogram);
}

ClientMetric& Exposition::add(const Labels& labels) {
  ClientMetric& metric = families_.back().metric.emplace_back();
  for (const auto& [name, value] : labels) {
    metric.label.push_back({std::string(name), std::string(value)});
  }
  return metric;
}

void Exposition::sample(double value, const Labels& labels) {
  ClientMetric& metric = add(labels);
  if (families_.back().type == MetricType::Counter) {
    metric.counter.value = value;
  } else {
    TRIGGERD_ASSERT(families_.back().type == MetricType::Gauge);
    metric.gauge.value = value;
  }
}

void Exposition::one_gauge(std::string_view name, std::string_view help, double value) {
  gauge(name, help);
  sample(value);
}

void Exposition::one_counter(std::string_view name, std::string_view help, double value) {
  counter(name, help);
  sample(value);
}

void Exposition::buckets(const std::vector<double>& bounds,
                         const std::vector<std::uint64_t>& counts, double sum,
                         const Labels& labels) {
  TRIGGERD_ASSERT(families_.back().type == MetricType::Histogram);
  ClientMetric::Histogram& histogram = add(labels).histogram;
  std::uint64_t so_far = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    so_far += counts[i];
    histogram.bucket.push_back(
        {so_far, i < bounds.size() ? bounds[i] : std::numeric_limits<double>::infinity()});
  }
  histogram.sample_count = so_far;
  histogram.sample_sum = sum;
}

std::string Exposition::text() const {
  return prometheus::TextSerializer().Serialize(families_);
}

}  // namespace triggerd::app::metrics
