// Internal to the readers of events: a list of them, whatever their format is.
#pragma once

#include <cstddef>
#include <string>

#include <fmt/format.h>

#include "api/json_document.h"
#include "engine/base/assert.h"
#include "engine/json/json_text.h"
#include "engine/model/limits.h"

namespace triggerd::api {

// Calls read(object, where, faults) for each object of a list of 1 to kEventsPerBatchMax; `where`
// stands before the names of its fields in messages. `raw` stands before the list, and before the
// object in each call; read() goes over it.
template <class Read>
[[nodiscard]] Faults read_event_list(dom::array list, json::RawJson& raw, const Read& read) {
  const std::size_t count = list.size();
  if (count == 0 || count > model::kEventsPerBatchMax) {
    return {{base::ErrorCode::kInvalid,
             fmt::format("body: a list of 1 to {} events is expected, got {}",
                         model::kEventsPerBatchMax, count)}};
  }
  Faults faults;
  raw.enter();
  std::size_t index = 0;
  for (const dom::element element : list) {
    TRIGGERD_ASSERT(raw.next());
    const std::string where = fmt::format("[{}]", index++);
    dom::object object;
    if (element.get_object().get(object) == simdjson::SUCCESS) {
      read(object, where + ".", faults);
    } else {
      faults.push_back(wrong_type(where, "an event object", element));
      raw.value();
    }
  }
  return faults;
}

}  // namespace triggerd::api
