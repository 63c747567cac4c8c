// The content of an event, as it is stored and delivered. CONTRACT B4.2, B5.3.
#pragma once

#include <string_view>

#include "engine/model/event_types.h"
#include "engine/model/request.h"

namespace triggerd::model {

// What stands between the braces of `raw`, one whole JSON object; empty when it has no member.
[[nodiscard]] std::string_view members_of(std::string_view raw);

// Builds Event::content out of the other fields of `event`, which are set: event_metadata first,
// then the publisher's own members as they came.
void build_content(NewEvent& event, OrgId org, const VersionedName& name,
                   std::string_view own_members);

}  // namespace triggerd::model
