// What one I/O thread counts: requests by route and status, connections.
//
// Thread: that of its loop, but for what const methods read, which any may at any time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "api/connection_limits.h"
#include "api/live_streams.h"
#include "api/request_observer.h"
#include "app/metrics/cells.h"
#include "app/metrics/exposition.h"

namespace triggerd::app::metrics {

class HttpMetrics final : public api::RequestObserver {
 public:
  HttpMetrics();

  void answered(const api::AnsweredRequest& request) override;
  // All requests so far. Any thread.
  [[nodiscard]] std::uint64_t answered() const { return answered_.value(); }
  // Once in a while.
  void observe(const api::ServerCounts& counts);
  void observe(const api::LiveCounts& counts);

  // The sum over the threads.
  static void append_to(Exposition& page, const std::vector<const HttpMetrics*>& threads);

 private:
  static constexpr std::array<int, 20> kStatuses{200, 201, 202, 204, 400, 401, 403, 404, 405, 406,
                                                 408, 409, 413, 415, 429, 431, 500, 501, 503, 0};

  struct OfRoute {
    std::array<Count, kStatuses.size()> by_status;  // the last one: any other
    Seconds seconds{kSecondsBounds};
  };

  static void append_requests(Exposition& page, const std::vector<const HttpMetrics*>& threads);
  static void append_rejected(Exposition& page, const std::vector<const HttpMetrics*>& threads);
  static void append_connections(Exposition& page, const std::vector<const HttpMetrics*>& threads);

  std::vector<OfRoute> routes_;  // as all_routes(); one more for what has no route
  Count answered_;
  Level open_;
  Level accepted_;
  Level refused_;
  Level bad_;
  Level timeouts_;
  Level live_clients_;
  Level live_dropped_;
};

}  // namespace triggerd::app::metrics
