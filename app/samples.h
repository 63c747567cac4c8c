// Realistic contents for the event types, as a publisher would send them: for `triggerd emit`, the
// demo and the benchmarks. Names of people, addresses and hosts are from the documentation ranges.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "engine/base/random.h"
#include "engine/model/records.h"

namespace triggerd::app {

// The 15 event types that SlashID's guide to webhooks starts with.
[[nodiscard]] std::span<const std::string_view> seed_event_names();

// The `content` of one event of this type: a compact JSON object (CONTRACT B5.4 names the fields).
// A name without known fields gets the shared parts of its source.
[[nodiscard]] std::string sample_content(std::string_view event_name, base::Random& random);

}  // namespace triggerd::app
