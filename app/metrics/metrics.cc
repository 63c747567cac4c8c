#include "app/metrics/metrics.h"

#include "app/metrics/process_metrics.h"

namespace triggerd::app::metrics {

Metrics::Metrics(unsigned loops) {
  for (unsigned i = 0; i < loops; ++i) http_.push_back(std::make_unique<HttpMetrics>());
}

std::uint64_t Metrics::requests_answered() const {
  std::uint64_t answered = 0;
  for (const std::unique_ptr<HttpMetrics>& http : http_) answered += http->answered();
  return answered;
}

std::string Metrics::text() const {
  Exposition page;
  page.gauge("triggerd_build_info", "What was built, as labels; the value is 1.");
  page.sample(1, {{"version", TRIGGERD_VERSION}, {"compiler", __VERSION__}});
  engine_.append_to(page);
  operations_.append_to(page);
  std::vector<const HttpMetrics*> threads;
  threads.reserve(http_.size());
  for (const std::unique_ptr<HttpMetrics>& http : http_) threads.push_back(http.get());
  HttpMetrics::append_to(page, threads);
  append_process(page);
  return page.text();
}

}  // namespace triggerd::app::metrics
