// What the simulated events are about, so simple that everybody sees what a filter should say: an
// event is of one of four regions, or of none, and a filter lets a set of them through. The set
// stands in the filter's text, and that is what checkers read; the filter itself asks for it in one
// of several ways, which is what the engine compiles.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/random.h"
#include "engine/model/filter.h"

namespace triggerd::sim {

inline constexpr std::uint32_t kRegions = 4;
inline constexpr std::uint32_t kNowhere = kRegions;  // an event without a region
// Bits of regions, and of kNowhere.
using RegionSet = std::uint8_t;
inline constexpr RegionSet kEverywhere = (1U << (kRegions + 1)) - 1;

[[nodiscard]] inline bool has(RegionSet set, std::uint32_t region) {
  return (set >> region & 1U) != 0;
}

// A whole content, with what metadata an engine needs.
[[nodiscard]] std::string content_of(std::uint32_t region, std::size_t payload_bytes);
[[nodiscard]] std::uint32_t region_of(std::string_view content);

// One of the ways to ask for this set. Requires: it is not empty.
[[nodiscard]] model::Filter filter_for(RegionSet set, base::Random& random);
[[nodiscard]] RegionSet set_of(const model::Filter& filter);

// A "schema" that refuses these regions, for SimEdge.
[[nodiscard]] std::string schema_refusing(RegionSet set);
[[nodiscard]] RegionSet refused_by(std::string_view schema);

}  // namespace triggerd::sim
