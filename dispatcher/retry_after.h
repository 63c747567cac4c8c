// Retry-After (RFC 9110, 10.2.3): how long a receiver asks us to stay away.
#pragma once

#include <string_view>

#include "engine/base/time.h"

namespace triggerd::dispatcher {

// `value` is delta-seconds or an HTTP-date in any of the three forms of RFC 9110, 5.6.7. The result
// is at most kRetryAfterMax. Negative: nothing to obey: not of that form, a date already past, or
// more than a year ahead, which nobody means.
[[nodiscard]] base::Duration parse_retry_after(std::string_view value, base::WallTime now);

}  // namespace triggerd::dispatcher
