// Triggers, dry runs of their filters, and event types out of JSON. CONTRACT A3, A4, B1. For
// documents and faults see json_reader.h; unknown fields inside `filter` are refused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/problem.h"
#include "engine/model/request.h"

namespace triggerd::api {

struct TriggerText {
  std::string type;
  std::string name;
  std::optional<model::Filter> filter;
};
[[nodiscard]] Faults read_trigger(std::string& body, TriggerText& trigger);

// A trigger, and what to try its filter (the given one, or the one in force) on:
//   "events": [{"event_name"?: string, "content": object}, …]   at most kTrialEventsMax
//   "recent": number                                            at most kTrialRecentMax
struct TrialText {
  TriggerText trigger;
  std::vector<model::TrialEvent> events;
  std::uint32_t recent = 0;
};
[[nodiscard]] Faults read_trial(std::string& body, TrialText& trial);

//   {"description"?: string, "schema"?: object}
struct EventTypeText {
  std::string description;
  std::string schema;  // compact; found good by JsonSchema::compile
};
[[nodiscard]] Faults read_event_type(std::string& body, EventTypeText& event_type);

}  // namespace triggerd::api
