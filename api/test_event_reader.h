// TestEventsSpecification out of JSON text. CONTRACT B1.2. For documents and faults see
// json_reader.h; a fault names the index.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/problem.h"

namespace triggerd::api {

struct TestEventsSpec {
  std::string event_name;  // one that is built in
  std::uint32_t count = 1;
  bool duplicates = false;
  std::string analytics_correlation_id;  // empty: a new one for each event
};

// A list of at least one; at most `events_max` events in all.
[[nodiscard]] Faults read_test_events(std::string& body, std::uint32_t events_max,
                                      std::vector<TestEventsSpec>& specs);

}  // namespace triggerd::api
