// EventPostRequest, what SlashID's browser and Node SDKs send, out of JSON text. CONTRACT B1.3,
// with the leniency that the SDKs need. For documents and faults see json_reader.h.
#pragma once

#include <string>

#include "api/problem.h"
#include "engine/base/random.h"
#include "engine/base/time.h"
#include "engine/model/network.h"
#include "engine/model/request.h"

namespace triggerd::api {

struct SdkDefaults {
  base::WallTime now;
  base::Random& random;
  model::IpAddress client;  // :: when it cannot be told
};

// Fills in `org`, which is the client's word, and `event`. Its content has analytics_metadata and
// browser_metadata without their empty values, and then the members of event_data as they came, but
// for event_name. Of those the known ones are checked for their type, unknown ones pass.
[[nodiscard]] Faults read_sdk_event(std::string& body, const SdkDefaults& defaults,
                                    model::OrgId& org, model::NewEvent& event);

}  // namespace triggerd::api
