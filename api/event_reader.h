// Events out of JSON text, as publishers send them. CONTRACT A3. For documents and faults see
// json_reader.h.
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
//
// What is wrong with the whole of a list is in the answer. What is wrong with an entry stands in
// its NewEvent::edge_faults, without the index: the entry is there, with what could be read of it
// and without content, so that the engine can name all bad entries of the list at once.
[[nodiscard]] Faults read_events(std::string& body, const EventDefaults& defaults,
                                 std::vector<model::NewEvent>& events);

// What is wrong with entries of a list, with their index.
[[nodiscard]] Faults faults_of_entries(const std::vector<model::NewEvent>& events);

}  // namespace triggerd::api
