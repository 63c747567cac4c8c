// Filters of triggers, compiled (model/filter.h says what they mean).
//
// What a filter costs, per value at a path it looks at: a binary search over the exact values, the
// prefixes and the suffixes of the field, and one comparison for each numeric range and network.
// There is no backtracking: no value is looked at again, however the filter is nested. Matching
// allocates nothing.
//
// Thread: one; immutable once compiled.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/filter.h"

namespace triggerd::core {

// The attributes of one event, found by path. Kept and filled again, so that it allocates rarely.
class EventAttributes {
 public:
  // Borrows `attributes`, which are in order of path.
  void look_at(const model::Attributes& attributes);
  [[nodiscard]] std::span<const model::Attribute> at(std::uint32_t path) const {
    if (path >= ends_.size()) return {};
    const std::uint32_t first = path == 0 ? 0 : ends_[path - 1];
    return std::span(attributes_).subspan(first, ends_[path] - first);
  }

 private:
  std::span<const model::Attribute> attributes_;
  std::vector<std::uint32_t> ends_;  // by path: behind its last attribute
};

// Strings, asked whether one of them is the text, begins it, or ends it.
class StringSet {
 public:
  explicit StringSet(std::vector<std::string> strings);
  [[nodiscard]] bool has(std::string_view text) const;

 private:
  std::vector<std::string> strings_;  // sorted
  std::size_t longest_ = 0;
};
class AffixSet {
 public:
  enum class End : std::uint8_t { kPrefix, kSuffix };
  AffixSet(std::vector<std::string> affixes, End end);
  [[nodiscard]] bool has_one_of(std::string_view text) const;
  [[nodiscard]] bool empty() const { return affixes_.empty(); }

 private:
  // Sorted, suffixes from their end; none begins (ends) with another, so that at most the last one
  // that is not behind the text can begin (end) it.
  std::vector<std::string> affixes_;
  End end_;
};

class CompiledFilter {
 public:
  // `number_of` gives the number by which attributes know a path.
  using PathNumber = std::function<std::uint32_t(const model::FilterPath&)>;
  CompiledFilter(const model::Filter& filter, const PathNumber& number_of);

  // Adds to `steps` for every field and every value that was looked at.
  [[nodiscard]] bool matches(const EventAttributes& event, std::uint64_t& steps) const;

  // Why it does not match.
  struct Miss {
    std::optional<std::uint32_t> path;  // the field; nothing: no group of an any_of matched
  };
  // The first field, in the order of the filter, that does not match; nothing when it matches.
  [[nodiscard]] std::optional<Miss> first_miss(const EventAttributes& event) const;

 private:
  class Scalars {
   public:
    explicit Scalars(const std::vector<model::FilterScalar>& scalars);
    [[nodiscard]] bool has(const model::FilterScalar& scalar) const;

   private:
    static StringSet strings_of(const std::vector<model::FilterScalar>& scalars);
    bool null_ = false;
    bool true_ = false;
    bool false_ = false;
    std::vector<std::int64_t> integers_;  // sorted, like the next
    std::vector<double> doubles_;
    StringSet strings_;
  };
  struct AnythingBut {
    Scalars values;
    AffixSet prefixes;
    AffixSet suffixes;
    [[nodiscard]] bool admits(const model::FilterScalar& scalar) const;
  };
  class Field {
   public:
    Field(const model::FilterField& field, std::uint32_t path);
    [[nodiscard]] bool matches(const EventAttributes& event, std::uint64_t& steps) const;
    [[nodiscard]] std::uint32_t path() const { return path_; }

   private:
    [[nodiscard]] bool admits(const model::FilterScalar& scalar) const;
    [[nodiscard]] bool admits_text(std::string_view text) const;

    std::uint32_t path_;
    std::uint64_t cost_ = 1;  // comparisons that one value may need
    bool if_present_ = false;
    bool if_absent_ = false;
    Scalars exact_;
    AffixSet prefixes_;
    AffixSet suffixes_;
    std::vector<AnythingBut> anything_but_;
    std::vector<model::NumericTest> ranges_;
    std::vector<model::Network> networks_;
  };
  struct Group {
    std::vector<Field> fields;
    std::vector<std::vector<Group>> any_of;
    [[nodiscard]] bool matches(const EventAttributes& event, std::uint64_t& steps) const;
  };
  static Group compile(const model::FilterGroup& group, const PathNumber& number_of);

  Group root_;
};

// Is `left` less than `right`, both numbers, exactly? Integers are not rounded to doubles.
[[nodiscard]] bool number_less(const model::FilterScalar& left, const model::FilterScalar& right);
[[nodiscard]] bool is_number(const model::FilterScalar& scalar);

}  // namespace triggerd::core
