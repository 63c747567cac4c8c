// POST /actions/sdk and its alias POST /events: events from SlashID's SDKs in browsers and Node,
// without a key, and the preflight of browsers (CONTRACT A3, B1.3). Both paths are not there unless
// the configuration enables them.
//
// 202 {"result":{"event_id":…}} as for any published event; an organization that does not exist is
// 404. The SDKs look at neither status nor body.
#pragma once

#include <string_view>

#include "api/router.h"

namespace triggerd::api {

inline constexpr std::string_view kSdkPath = "/actions/sdk";
inline constexpr std::string_view kSdkAliasPath = "/events";
[[nodiscard]] inline bool is_sdk_path(std::string_view path) {
  return path == kSdkPath || path == kSdkAliasPath;
}

[[nodiscard]] Step preflight_sdk(Call& call);
[[nodiscard]] Step take_sdk_event(Call& call);

[[nodiscard]] HttpResponse show_sdk_event(const model::Reply& reply, const Audience& audience);

}  // namespace triggerd::api
