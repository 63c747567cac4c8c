// All figures of the process, and the page that /metrics shows.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/metrics/engine_metrics.h"
#include "app/metrics/http_metrics.h"

namespace triggerd::app::metrics {

// Thread: engine() is for the engine's, http(i) for that of loop i, text() for any. Outlives them.
class Metrics {
 public:
  explicit Metrics(unsigned loops);

  [[nodiscard]] EngineMetrics& engine() { return engine_; }
  [[nodiscard]] HttpMetrics& http(unsigned loop) { return *http_[loop]; }

  [[nodiscard]] std::string text() const;

 private:
  EngineMetrics engine_;
  std::vector<std::unique_ptr<HttpMetrics>> http_;
};

}  // namespace triggerd::app::metrics
