// Events out of JSON text, as publishers send them. CONTRACT A3. For documents and faults see
// json_reader.h; a fault in a list names the index.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/problem.h"
#include "engine/base/random.h"
#include "engine/base/time.h"
#include "engine/model/request.h"

namespace triggerd::api {

// What the publisher may leave out.
struct EventDefaults {
  model::OrgId org;
  base::WallTime now;
  base::Random& random;
  std::string_view traceparent;  // of the request, for each of its events
};

// One object.
[[nodiscard]] Faults read_event(std::string& body, const EventDefaults& defaults,
                                std::vector<model::NewEvent>& events);

// One object or a list of 1 to kEventsPerBatchMax. Content is taken byte for byte; Event::content
// says how it is laid out.
[[nodiscard]] Faults read_events(std::string& body, const EventDefaults& defaults,
                                 std::vector<model::NewEvent>& events);

}  // namespace triggerd::api
