// All figures of the process, and the page that /metrics shows.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "app/metrics/engine_metrics.h"
#include "app/metrics/http_metrics.h"
#include "app/metrics/operations_metrics.h"

namespace triggerd::app::metrics {

// Thread: engine() and operations() are for the engine's, http(i) for that of loop i, text() for
// any. Outlives them.
class Metrics {
 public:
  explicit Metrics(unsigned loops);

  [[nodiscard]] EngineMetrics& engine() { return engine_; }
  [[nodiscard]] const EngineMetrics& engine() const { return engine_; }
  [[nodiscard]] OperationsMetrics& operations() { return operations_; }
  // HTTP requests answered so far, by all loops.
  [[nodiscard]] std::uint64_t requests_answered() const;
  [[nodiscard]] HttpMetrics& http(unsigned loop) { return *http_[loop]; }

  [[nodiscard]] std::string text() const;

 private:
  EngineMetrics engine_;
  OperationsMetrics operations_;
  std::vector<std::unique_ptr<HttpMetrics>> http_;
};

}  // namespace triggerd::app::metrics
