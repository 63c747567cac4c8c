// What clients say of mending, out of JSON text.
#pragma once

#include <string>

#include "api/problem.h"
#include "engine/model/request.h"

namespace triggerd::api {

// {"since":…,"until"?:…,"states"?:["dead"],"rate"?:N}; members that are not known are faults, for a
// job that does something else than was meant cannot be taken back.
[[nodiscard]] Faults read_recovery(std::string& body, model::StartRecovery& request);

// {"event_name":…}
[[nodiscard]] Faults read_webhook_test(std::string& body, std::string& event_name);

}  // namespace triggerd::api
