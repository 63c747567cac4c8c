// Dry runs of filters: which events would one let through, and which field holds back the others?
#pragma once

#include <vector>

#include "engine/model/request.h"

namespace triggerd::app {

// The given events first, then the stored ones, each in its order. An event of another name than
// the trigger's does not match for that reason ("event_name"). No filter lets everything through.
[[nodiscard]] model::TriggerTestReply try_filter(const model::TestTrigger& asked,
                                                 const std::vector<model::EventPtr>& stored);

}  // namespace triggerd::app
