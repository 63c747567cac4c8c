// The demo: an engine with its embedded store, a receiver that verifies, and a stream of events
// between them, all in one process and over real HTTP.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "app/demo/tally.h"
#include "engine/base/status.h"

namespace triggerd::app {

struct DemoOptions {
  std::uint64_t events = 5000;
  std::uint64_t per_second = 0;  // 0: as fast as they are accepted
  std::string data_path;         // empty: a temporary folder, removed at the end
};

struct DemoReport {
  DemoFigures figures;
  base::Duration publishing{0};  // from the first event sent to the last one accepted
  base::Duration all{0};         // … to the last delivery
  std::size_t webhooks = 0;
  std::size_t triggers = 0;
};

// Called some ten times a second while it runs.
using DemoProgress = std::function<void(std::uint64_t accepted, std::uint64_t delivered)>;

// Blocking. An error says what did not start; lost deliveries are not an error but a figure.
[[nodiscard]] base::Result<DemoReport> run_demo(const DemoOptions& options,
                                                const DemoProgress& progress);

}  // namespace triggerd::app
