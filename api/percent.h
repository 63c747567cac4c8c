// Percent-encoding and the parameters of a query. RFC 3986, section 2.1; for '+' the URL standard's
// application/x-www-form-urlencoded, which is what clients send.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/status.h"

namespace triggerd::api {

enum class Plus : std::uint8_t { kIsPlus, kIsSpace };

// Nothing when a '%' is not followed by two hexadecimal digits.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text, Plus plus);

// The value of a parameter that may be there once, and then is not empty; the error names it.
[[nodiscard]] base::Result<std::optional<std::string>> optional_parameter(std::string_view query,
                                                                          std::string_view name);
// Of one that must be there.
[[nodiscard]] base::Result<std::string> required_parameter(std::string_view query,
                                                           std::string_view name);

}  // namespace triggerd::api
