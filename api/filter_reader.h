// Filters of triggers out of JSON (CONTRACT A4). Strict: what is not understood is refused, for an
// operator that is ignored would let through what its author wanted to keep out.
//
//   filter   {NAME: filter or tests, …, "$or": [filter, …]}    NAME does not begin with "$"
//   tests    [test, …]                                         one of them holds
//   test     string, number, true, false, null                 equal
//            {"prefix": string}  {"suffix": string}
//            {"anything-but": scalar, [scalar, …], {"prefix": string or [string, …]}, or
//                             {"suffix": string or [string, …]}}
//            {"exists": true or false}
//            {"numeric": [OPERATOR, number, OPERATOR, number…]}  "=" "<" "<=" ">" ">=", all hold
//            {"cidr": "10.0.0.0/8"}
//
// Sizes, counts and depths have their limits in model/limits.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "api/problem.h"
#include "engine/model/filter.h"

namespace triggerd::api {

// `value` is the filter in a document, `raw` the same as it was sent. Faults name the path in it:
// "filter.user.plan[0].prefix: …".
[[nodiscard]] Faults read_filter(simdjson::dom::element value, std::string_view raw,
                                 model::Filter& filter);

// One whole valid JSON value without the white space between its tokens.
[[nodiscard]] std::string compact_json(std::string_view raw);

// The scalar that `value` is; nothing for an object or a list.
[[nodiscard]] std::optional<model::FilterScalar> scalar_of(simdjson::dom::element value);

}  // namespace triggerd::api
