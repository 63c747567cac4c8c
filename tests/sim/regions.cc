#include "tests/sim/regions.h"

#include <utility>
#include <vector>

#include "engine/base/assert.h"

namespace triggerd::sim {
namespace {

using model::FilterField;
using model::FilterGroup;

constexpr std::string_view kSetMark = "regions ";
constexpr std::string_view kSchemaMark = "refuses ";

std::string name_of(std::uint32_t region) {
  return "r" + std::to_string(region);
}

// The number behind the mark.
RegionSet set_behind(std::string_view text, std::string_view mark) {
  const std::size_t at = text.find(mark);
  TRIGGERD_ASSERT(at != std::string_view::npos);
  unsigned set = 0;
  for (const char c : text.substr(at + mark.size())) {
    if (c < '0' || c > '9') break;
    set = set * 10 + static_cast<unsigned>(c - '0');
  }
  return static_cast<RegionSet>(set);
}

FilterField exact_field(RegionSet set) {
  FilterField field{{"region"}, {}};
  for (std::uint32_t region = 0; region < kRegions; ++region) {
    if (has(set, region)) field.tests.emplace_back(model::ExactTest{name_of(region)});
  }
  return field;
}

FilterField numeric_field(RegionSet set) {
  FilterField field{{"number"}, {}};
  for (std::int64_t region = 0; region < kRegions; ++region) {
    if (!has(set, static_cast<std::uint32_t>(region))) continue;
    field.tests.emplace_back(model::NumericTest{{{model::NumericOperator::kGreaterOrEqual, region},
                                                 {model::NumericOperator::kLess, region + 1}}});
  }
  return field;
}

FilterField all_but_field(RegionSet set) {
  FilterField field{{"place", "region"}, {}};
  model::AnythingButTest others;
  for (std::uint32_t region = 0; region < kRegions; ++region) {
    if (!has(set, region)) others.values.emplace_back(name_of(region));
  }
  if (others.values.empty()) {
    field.tests.emplace_back(model::ExistsTest{true});
  } else {
    field.tests.emplace_back(std::move(others));
  }
  return field;
}

// Each region in a group of its own; every other one looks elsewhere.
FilterGroup any_of_group(RegionSet set) {
  std::vector<FilterGroup> groups;
  for (std::uint32_t region = 0; region < kRegions; ++region) {
    if (!has(set, region)) continue;
    const bool odd = region % 2 == 1;
    FilterField field{odd ? model::FilterPath{"region"} : model::FilterPath{"place", "region"}, {}};
    if (odd) {
      field.tests.emplace_back(model::PrefixTest{name_of(region)});
    } else {
      field.tests.emplace_back(model::SuffixTest{std::to_string(region)});
    }
    groups.push_back(FilterGroup{{std::move(field)}, {}});
  }
  if (has(set, kNowhere)) {
    groups.push_back(FilterGroup{{FilterField{{"region"}, {model::ExistsTest{false}}}}, {}});
  }
  return FilterGroup{{}, {std::move(groups)}};
}

}  // namespace

std::string content_of(std::uint32_t region, std::size_t payload_bytes) {
  std::string content = R"({"event_metadata":{},)";
  if (region < kRegions) {
    content += R"("region":")" + name_of(region) + R"(","number":)" + std::to_string(region) +
               R"(,"place":{"region":")" + name_of(region) + R"("},)";
  }
  content += R"("payload":")";
  content.append(payload_bytes, 'x');
  return content + "\"}";
}

std::uint32_t region_of(std::string_view content) {
  constexpr std::string_view mark = R"("region":"r)";
  const std::size_t at = content.find(mark);
  if (at == std::string_view::npos) return kNowhere;
  return static_cast<std::uint32_t>(content.at(at + mark.size()) - '0');
}

model::Filter filter_for(RegionSet set, base::Random& random) {
  TRIGGERD_ASSERT(set != 0 && set <= kEverywhere);
  model::Filter filter;
  const std::uint64_t way = random.below(4);
  filter.text = std::string(kSetMark) + std::to_string(set) + " way " + std::to_string(way);
  if (way == 3) {
    filter.root = any_of_group(set);
    return filter;
  }
  FilterField field = way == 0   ? exact_field(set)
                      : way == 1 ? numeric_field(set)
                                 : all_but_field(set);
  if (has(set, kNowhere)) field.tests.emplace_back(model::ExistsTest{false});
  filter.root.fields.push_back(std::move(field));
  return filter;
}

RegionSet set_of(const model::Filter& filter) {
  return set_behind(filter.text, kSetMark);
}

std::string schema_refusing(RegionSet set) {
  return std::string(kSchemaMark) + std::to_string(set);
}

RegionSet refused_by(std::string_view schema) {
  return set_behind(schema, kSchemaMark);
}

}  // namespace triggerd::sim
