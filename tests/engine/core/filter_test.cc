#include "engine/core/filter.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace triggerd::core {
namespace {

using model::Attribute;
using model::Attributes;
using model::FilterGroup;
using model::FilterScalar;
using model::FilterTest;

// --- What a filter says, word for word ----------------------------------------------------------

long double number(const FilterScalar& scalar) {
  if (const auto* integer = std::get_if<std::int64_t>(&scalar)) {
    return static_cast<long double>(*integer);
  }
  return static_cast<long double>(std::get<double>(scalar));
}

bool holds(const model::NumericBound& bound, const FilterScalar& value) {
  using enum model::NumericOperator;
  const long double left = number(value);
  const long double right = number(bound.number);
  return bound.op == kEqual         ? left == right
         : bound.op == kLess        ? left < right
         : bound.op == kLessOrEqual ? left <= right
         : bound.op == kGreater     ? left > right
                                    : left >= right;
}

bool is_none_of(const model::AnythingButTest& test, const FilterScalar& value) {
  for (const FilterScalar& each : test.values) {
    if (each == value) return false;
  }
  if (test.prefixes.empty() && test.suffixes.empty()) return true;
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return false;
  for (const std::string& prefix : test.prefixes) {
    if (text->substr(0, prefix.size()) == prefix) return false;
  }
  for (const std::string& suffix : test.suffixes) {
    if (text->size() >= suffix.size() && text->substr(text->size() - suffix.size()) == suffix) {
      return false;
    }
  }
  return true;
}

bool holds(const FilterTest& test, const FilterScalar& value) {
  const auto* text = std::get_if<std::string>(&value);
  if (const auto* exact = std::get_if<model::ExactTest>(&test)) return exact->value == value;
  if (const auto* prefix = std::get_if<model::PrefixTest>(&test)) {
    return text != nullptr && text->substr(0, prefix->prefix.size()) == prefix->prefix;
  }
  if (const auto* suffix = std::get_if<model::SuffixTest>(&test)) {
    const std::string& end = suffix->suffix;
    return text != nullptr && text->size() >= end.size() &&
           text->substr(text->size() - end.size()) == end;
  }
  if (const auto* but = std::get_if<model::AnythingButTest>(&test)) return is_none_of(*but, value);
  if (const auto* numeric = std::get_if<model::NumericTest>(&test)) {
    return is_number(value) && std::all_of(numeric->bounds.begin(), numeric->bounds.end(),
                                           [&](const auto& bound) { return holds(bound, value); });
  }
  if (const auto* cidr = std::get_if<model::CidrTest>(&test)) {
    const auto address = text == nullptr ? std::nullopt : model::IpAddress::parse(*text);
    return address && cidr->network.contains(*address);
  }
  return std::get<model::ExistsTest>(test).exists;  // there is a value
}

std::uint32_t path_number(const model::FilterPath& path) {
  return static_cast<std::uint32_t>(path.at(0).at(0) - 'a');
}

bool naive(const FilterGroup& group, const Attributes& attributes) {
  for (const model::FilterField& field : group.fields) {
    bool there = false;
    bool good = false;
    for (const Attribute& attribute : attributes) {
      if (attribute.path != path_number(field.path)) continue;
      there = true;
      const auto* value = std::get_if<FilterScalar>(&attribute.value);
      if (value == nullptr) good = true;
      for (const FilterTest& test : field.tests) {
        if (value != nullptr && holds(test, *value)) good = true;
      }
    }
    for (const FilterTest& test : field.tests) {
      const auto* exists = std::get_if<model::ExistsTest>(&test);
      if (!there && exists != nullptr && !exists->exists) good = true;
    }
    if (!good) return false;
  }
  for (const std::vector<FilterGroup>& alternatives : group.any_of) {
    bool good = false;
    for (const FilterGroup& alternative : alternatives) good |= naive(alternative, attributes);
    if (!good) return false;
  }
  return true;
}

// --- Filters and events of a small world, so that they meet -------------------------------------

std::string any_text() {
  static const std::vector<std::string> extra{"10.0.0.1", "10.9.9.9", "192.168.1.1", "2001:db8::1",
                                              std::string(60, 'a')};
  if (*rc::gen::inRange(0, 4) == 0) return *rc::gen::elementOf(extra);
  return *rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab\xc3")));
}

FilterScalar any_number() {
  static const std::vector<double> numbers{0,
                                           -0.0,
                                           1,
                                           1.5,
                                           -2,
                                           1e300,
                                           9007199254740993.0,
                                           9223372036854775807.0,
                                           -9223372036854775808.0};
  if (*rc::gen::arbitrary<bool>()) return model::filter_number(*rc::gen::elementOf(numbers));
  static const std::vector<std::int64_t> integers{0,
                                                  1,
                                                  2,
                                                  9007199254740993,
                                                  std::numeric_limits<std::int64_t>::max(),
                                                  std::numeric_limits<std::int64_t>::min()};
  return *rc::gen::elementOf(integers);
}

FilterScalar any_scalar() {
  switch (*rc::gen::inRange(0, 6)) {
    case 0:
      return std::monostate();
    case 1:
      return *rc::gen::arbitrary<bool>();
    case 2:
      return any_number();
    default:
      return any_text();
  }
}

template <class Each>
auto any_list(int count_min, int count_max, Each each) {
  std::vector<decltype(each())> list;
  const int count = *rc::gen::inRange(count_min, count_max + 1);
  for (int i = 0; i < count; ++i) list.push_back(each());
  return list;
}

FilterTest any_test() {
  switch (*rc::gen::inRange(0, 7)) {
    case 0:
      return model::PrefixTest{any_text()};
    case 1:
      return model::SuffixTest{any_text()};
    case 2:
      return model::AnythingButTest{any_list(0, 3, any_scalar), any_list(0, 2, any_text),
                                    any_list(0, 2, any_text)};
    case 3:
      return model::ExistsTest{*rc::gen::arbitrary<bool>()};
    case 4:
      return model::NumericTest{any_list(1, 2, [] {
        return model::NumericBound{static_cast<model::NumericOperator>(*rc::gen::inRange(1, 6)),
                                   any_number()};
      })};
    case 5: {
      static const std::vector<std::string> networks{"10.0.0.0/8", "192.168.1.0/24",
                                                     "2001:db8::/32", "0.0.0.0/0"};
      return model::CidrTest{*model::Network::parse(*rc::gen::elementOf(networks))};
    }
    default:
      return model::ExactTest{any_scalar()};
  }
}

FilterGroup any_group(int depth) {
  FilterGroup group;
  group.fields = any_list(0, 2, [] {
    return model::FilterField{{std::string(1, static_cast<char>('a' + *rc::gen::inRange(0, 3)))},
                              any_list(1, 3, any_test)};
  });
  if (depth > 0) {
    group.any_of = any_list(
        0, 2, [depth] { return any_list(1, 3, [depth] { return any_group(depth - 1); }); });
  }
  return group;
}

Attributes any_attributes() {
  Attributes attributes;
  for (std::uint32_t path = 0; path < 4; ++path) {
    for (const FilterScalar& scalar : any_list(0, 3, any_scalar)) {
      attributes.push_back({path, scalar});
    }
    if (*rc::gen::inRange(0, 20) == 0) attributes.push_back({path, model::TooManyValues()});
  }
  return attributes;
}

RC_GTEST_PROP(CompiledFilter, AgreesWithWhatTheFilterSays, ()) {
  const model::Filter filter{"", any_group(2)};
  const Attributes attributes = any_attributes();
  const CompiledFilter compiled(filter, path_number);
  EventAttributes event;
  event.look_at(attributes);
  std::uint64_t steps = 0;
  const bool expected = naive(filter.root, attributes);
  RC_CLASSIFY(expected, "matches");
  RC_ASSERT(compiled.matches(event, steps) == expected);
  RC_ASSERT(compiled.first_miss(event).has_value() == !expected);
}

RC_GTEST_PROP(CompiledFilter, OrdersNumbersExactly, ()) {
  const FilterScalar left = any_number();
  const FilterScalar right = any_number();
  RC_ASSERT(number_less(left, right) == (number(left) < number(right)));
}

// --- What it costs ------------------------------------------------------------------------------

TEST(CompiledFilter, TakesStepsInProportionToTheValues) {
  model::FilterField field{{"a"}, {}};
  for (int i = 0; i < 1000; ++i)
    field.tests.emplace_back(model::PrefixTest{"p" + std::to_string(i)});
  const CompiledFilter compiled(model::Filter{"", {{field}, {}}}, path_number);
  Attributes attributes;
  for (int i = 0; i < 1000; ++i) attributes.push_back({0, FilterScalar(std::string("x"))});
  EventAttributes event;
  event.look_at(attributes);
  std::uint64_t steps = 0;
  EXPECT_FALSE(compiled.matches(event, steps));
  EXPECT_EQ(steps, 1001U);  // the field, and each value once, however many prefixes
}

TEST(CompiledFilter, CountsEachRangeThatAValueIsHeldAgainst) {
  model::FilterField field{{"a"}, {}};
  const model::NumericTest none{{{model::NumericOperator::kLess, std::int64_t{0}}}};
  for (int i = 0; i < 9; ++i) field.tests.emplace_back(none);
  const CompiledFilter compiled(model::Filter{"", {{field}, {}}}, path_number);
  const Attributes attributes{{0, FilterScalar(std::int64_t{1})}, {0, FilterScalar(2.5)}};
  EventAttributes event;
  event.look_at(attributes);
  std::uint64_t steps = 0;
  EXPECT_FALSE(compiled.matches(event, steps));
  EXPECT_EQ(steps, 1 + 2 * 10U);
}

TEST(CompiledFilter, NamesTheFirstFieldThatFails) {
  const FilterTest one = model::ExactTest{std::int64_t{1}};
  FilterGroup root{{{{"a"}, {one}}, {{"b"}, {one}}}, {{{{{{"c"}, {one}}}, {}}}}};
  const CompiledFilter compiled(model::Filter{"", root}, path_number);
  EventAttributes event;
  const auto miss = [&](const Attributes& attributes) {
    event.look_at(attributes);
    return compiled.first_miss(event);
  };
  const FilterScalar value = std::int64_t{1};
  EXPECT_EQ(miss({})->path, 0U);
  EXPECT_EQ(miss({{0, value}})->path, 1U);
  EXPECT_EQ(miss({{0, value}, {1, value}})->path, std::nullopt);
  EXPECT_FALSE(miss({{0, value}, {1, value}, {2, value}}));
}

}  // namespace
}  // namespace triggerd::core
