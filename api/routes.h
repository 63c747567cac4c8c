// The whole API as one table.
#pragma once

#include <span>

#include "api/router.h"

namespace triggerd::api {

[[nodiscard]] std::span<const Route> all_routes();

}  // namespace triggerd::api
