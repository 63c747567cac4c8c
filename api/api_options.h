// What the API of each I/O thread is told at its start.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/time.h"
#include "engine/model/limits.h"
#include "engine/model/network.h"

namespace triggerd::api {

// Events from browsers and Node, without a key (CONTRACT A3, B1.3).
struct SdkIngestOptions {
  bool enabled = false;
  // "https://shop.example"; empty: pages of every origin may send.
  std::vector<std::string> allowed_origins;
};

struct ApiOptions {
  std::string version = TRIGGERD_VERSION;
  // How long a request waits for its reply, unless the client says otherwise (CONTRACT B7).
  base::Duration reply_timeout = std::chrono::seconds(30);
  // Requests that wait at the same time; one more is answered 503.
  std::size_t waiting_max = model::kWaitingRequestsMax;
  // Test events that one request may ask for: those of a full rate (core/door_rates.h).
  std::uint32_t test_events_burst = model::kTestEventsRate.burst;
  // Peers whose X-Forwarded-For is believed.
  std::vector<model::Network> trusted_proxies;
  SdkIngestOptions sdk_ingest;
  base::Duration live_comment_interval = model::kLiveCommentInterval;
  bool metrics_public = false;  // shown to everybody
};

}  // namespace triggerd::api
