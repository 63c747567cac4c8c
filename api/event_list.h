// Internal to the readers of events: a list of them, whatever their format is.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "api/json_document.h"
#include "engine/base/assert.h"
#include "engine/json/json_text.h"
#include "engine/model/limits.h"
#include "engine/model/request.h"

namespace triggerd::api {

// Adds an event for each entry of a list of 1 to kEventsPerBatchMax: read(object, faults) makes it.
// One with faults keeps them, and what else could be read of it (event_reader.h, read_events).
// `raw` stands before the list, and before the object in each call; read() goes over it.
template <class Read>
[[nodiscard]] Faults read_event_list(dom::array list, json::RawJson& raw,
                                     std::vector<model::NewEvent>& events, const Read& read) {
  const std::size_t count = list.size();
  if (count == 0 || count > model::kEventsPerBatchMax) {
    return {{base::ErrorCode::kInvalid,
             fmt::format("body: a list of 1 to {} events is expected, got {}",
                         model::kEventsPerBatchMax, count)}};
  }
  events.reserve(events.size() + count);
  raw.enter();
  for (const dom::element element : list) {
    TRIGGERD_ASSERT(raw.next());
    Faults faults;
    model::NewEvent event;
    dom::object object;
    if (element.get_object().get(object) == simdjson::SUCCESS) {
      event = read(object, faults);
    } else {
      faults.push_back(wrong_type("", "an event object", element));
      raw.value();
    }
    event.edge_faults = std::move(faults);
    events.push_back(std::move(event));
  }
  return {};
}

}  // namespace triggerd::api
