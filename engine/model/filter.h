// Filters of triggers as data (CONTRACT A4): patterns on the content of an event, in the manner of
// EventBridge. api/filter_reader makes one of a client's JSON, core/filter compiles it.
//
// A filter matches an event when every field of its root does, and of every any_of one group.
//   - A field matches when one of its tests holds for one of the values found at its path. A path
//     leads through lists: every element is looked at. A list of scalars has each as a value.
//   - Values are scalars; an object or an empty list at the end of a path is as if not there.
//   - Paths begin at the content as it is delivered: the publisher's own members and
//     event_metadata.
//   - Numbers are compared as numbers: 1, 1.0 and 10e-1 are the same.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "engine/model/network.h"

namespace triggerd::model {

// A scalar of JSON; monostate is null. A number that is whole and fits into 64 bits is always the
// integer, never the double (filter_number).
using FilterScalar = std::variant<std::monostate, bool, std::int64_t, double, std::string>;

// The one form of a number that FilterScalar allows. Requires: it is finite.
[[nodiscard]] inline FilterScalar filter_number(double number) {
  // 2^63 is a double, and the first that does not fit.
  constexpr double beyond = 9223372036854775808.0;
  if (number >= -beyond && number < beyond) {
    const auto whole = static_cast<std::int64_t>(number);
    if (static_cast<double>(whole) == number) return whole;
  }
  return number;
}

struct ExactTest {
  FilterScalar value;
  bool operator==(const ExactTest&) const = default;
};
struct PrefixTest {
  std::string prefix;
  bool operator==(const PrefixTest&) const = default;
};
struct SuffixTest {
  std::string suffix;
  bool operator==(const SuffixTest&) const = default;
};
// There is a value that is none of these, and neither begins nor ends so. Prefixes and suffixes
// stand alone: then the value must be a string.
struct AnythingButTest {
  std::vector<FilterScalar> values;
  std::vector<std::string> prefixes;
  std::vector<std::string> suffixes;
  bool operator==(const AnythingButTest&) const = default;
};
struct ExistsTest {
  bool exists = true;
  bool operator==(const ExistsTest&) const = default;
};
enum class NumericOperator : std::uint8_t {
  kEqual = 1,
  kLess = 2,
  kLessOrEqual = 3,
  kGreater = 4,
  kGreaterOrEqual = 5,
};
struct NumericBound {
  NumericOperator op = NumericOperator::kEqual;
  FilterScalar number;  // an integer or a double
  bool operator==(const NumericBound&) const = default;
};
// All bounds hold.
struct NumericTest {
  std::vector<NumericBound> bounds;
  bool operator==(const NumericTest&) const = default;
};
// The value is the text of an address in this network; no ports.
struct CidrTest {
  Network network;
  bool operator==(const CidrTest&) const = default;
};
using FilterTest = std::variant<ExactTest, PrefixTest, SuffixTest, AnythingButTest, ExistsTest,
                                NumericTest, CidrTest>;

// Names of members from the content's root.
using FilterPath = std::vector<std::string>;

struct FilterField {
  FilterPath path;
  std::vector<FilterTest> tests;  // alternatives, at least one
  bool operator==(const FilterField&) const = default;
};

struct FilterGroup {
  std::vector<FilterField> fields;  // all must match
  // Of each list one group must match ("$or"). Nested at most kFilterDepthMax deep.
  std::vector<std::vector<FilterGroup>> any_of;
  friend bool operator==(const FilterGroup& left, const FilterGroup& right) {
    return left.fields == right.fields && left.any_of == right.any_of;
  }
};

struct Filter {
  std::string text;  // the client's JSON without white space: what is shown
  FilterGroup root;
  bool operator==(const Filter&) const = default;
};

// --- What the edge takes out of an event for the filters of its organization --------------------

// More than kFilterValuesPerPathMax values stand at a path: whatever is asked of it holds, for a
// delivery too many is better than one lost.
struct TooManyValues {
  bool operator==(const TooManyValues&) const = default;
};
// One value at one path; `path` is the index in the paths of the organization.
struct Attribute {
  std::uint32_t path = 0;
  std::variant<FilterScalar, TooManyValues> value;
  bool operator==(const Attribute&) const = default;
};
// In order of path.
using Attributes = std::vector<Attribute>;

}  // namespace triggerd::model
