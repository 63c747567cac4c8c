// Durations as Go writes them: the text of `timeout` and of schedules (CONTRACT B3.2). The grammar
// and the printed form are those of Go's time.ParseDuration and Duration.String.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/status.h"
#include "engine/base/time.h"

namespace triggerd::model {

// Optional sign, then one or more of decimal[fraction]unit; units ns us µs μs ms s m h; "0" alone
// needs no unit. Fractions of a nanosecond are cut off. kInvalid, with the reason and an example of
// the right form, for everything else and for what does not fit into 64-bit nanoseconds. The
// message does not name the field: the caller does.
[[nodiscard]] base::Result<base::Duration> parse_go_duration(std::string_view text);

// Canonical: "0s", "500ms", "1.5s", "1m0s", "1h0m0s". parse_go_duration gives the same value back.
[[nodiscard]] std::string format_go_duration(base::Duration duration);

}  // namespace triggerd::model
