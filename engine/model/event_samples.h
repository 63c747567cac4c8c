// Realistic contents for the event types, as a publisher would send them: for POST /test-events,
// `triggerd emit`, the demo and the benchmarks. People, addresses, hosts and telephone numbers are
// from the ranges reserved for documentation.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "engine/base/random.h"
#include "engine/base/time.h"

namespace triggerd::model {

struct EventSample {
  std::string content;  // a compact JSON object
  // What `content` says and a TestEvent shows too (CONTRACT B1.2); empty where the type has none.
  std::string person_id;
  std::string authn_method;  // the successful or the failed one
  std::string failure_reason;
  std::string window_location;
};

// The `content` of one event of this type; CONTRACT B5.4 names the fields that are known, the
// others are ours. A name that is not built in gets the shared parts alone. An empty
// `analytics_correlation_id` is minted; it is a caller's text, of any content.
[[nodiscard]] EventSample sample_event(std::string_view event_name,
                                       std::string_view analytics_correlation_id,
                                       base::WallTime now, base::Random& random);

// The 15 event types that SlashID's guide to webhooks starts with.
[[nodiscard]] std::span<const std::string_view> seed_event_names();

}  // namespace triggerd::model
