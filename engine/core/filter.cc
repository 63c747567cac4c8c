#include "engine/core/filter.h"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <utility>
#include <variant>

namespace triggerd::core {
namespace {

using model::Attribute;
using model::FilterScalar;
using model::NumericBound;
using model::NumericOperator;

// The longest text of an address, with an IPv4 address inside ("::ffff:…").
constexpr std::size_t kAddressBytesMax = 45;

// The tests of one kind in a field, each as `part` makes it.
template <class Kind, class Part>
auto parts_of(const std::vector<model::FilterTest>& tests, Part part) {
  std::vector<std::decay_t<decltype(part(std::declval<const Kind&>()))>> parts;
  for (const model::FilterTest& test : tests) {
    if (const auto* kind = std::get_if<Kind>(&test)) parts.push_back(part(*kind));
  }
  return parts;
}

bool holds(const NumericBound& bound, const FilterScalar& number) {
  switch (bound.op) {
    case NumericOperator::kEqual:
      return number == bound.number;
    case NumericOperator::kLess:
      return number_less(number, bound.number);
    case NumericOperator::kLessOrEqual:
      return !number_less(bound.number, number);
    case NumericOperator::kGreater:
      return number_less(bound.number, number);
    case NumericOperator::kGreaterOrEqual:
      return !number_less(number, bound.number);
  }
  return false;
}

// From the end to the beginning.
bool less_from_end(std::string_view left, std::string_view right) {
  return std::lexicographical_compare(
      left.rbegin(), left.rend(), right.rbegin(), right.rend(), [](char one, char other) {
        return static_cast<unsigned char>(one) < static_cast<unsigned char>(other);
      });
}

}  // namespace

bool is_number(const FilterScalar& scalar) {
  return std::holds_alternative<std::int64_t>(scalar) || std::holds_alternative<double>(scalar);
}

bool number_less(const FilterScalar& left, const FilterScalar& right) {
  const auto* left_integer = std::get_if<std::int64_t>(&left);
  const auto* right_integer = std::get_if<std::int64_t>(&right);
  if (left_integer != nullptr && right_integer != nullptr) return *left_integer < *right_integer;
  if (left_integer == nullptr && right_integer == nullptr) {
    return std::get<double>(left) < std::get<double>(right);
  }
  // A double that stands for no integer: either beyond all of them, or between two.
  const double real = left_integer == nullptr ? std::get<double>(left) : std::get<double>(right);
  const std::int64_t integer = left_integer == nullptr ? *right_integer : *left_integer;
  constexpr double beyond = 9223372036854775808.0;
  bool real_is_less = real < 0;
  if (real >= -beyond && real < beyond) {
    real_is_less = static_cast<std::int64_t>(std::floor(real)) < integer;
  }
  return left_integer == nullptr ? real_is_less : !real_is_less;
}

// --- What an event has ------------------------------------------------------------------------

void EventAttributes::look_at(const model::Attributes& attributes) {
  attributes_ = attributes;
  ends_.clear();
  for (std::uint32_t i = 0; i < attributes.size(); ++i) {
    ends_.resize(attributes[i].path + 1U, ends_.empty() ? 0 : ends_.back());
    ends_.back() = i + 1;
  }
}

// --- Sets of strings --------------------------------------------------------------------------

StringSet::StringSet(std::vector<std::string> strings) : strings_(std::move(strings)) {
  std::sort(strings_.begin(), strings_.end());
  for (const std::string& each : strings_) longest_ = std::max(longest_, each.size());
}

bool StringSet::has(std::string_view text) const {
  if (strings_.empty() || text.size() > longest_) return false;
  return std::binary_search(strings_.begin(), strings_.end(), text);
}

AffixSet::AffixSet(std::vector<std::string> affixes, End end)
    : affixes_(std::move(affixes)), end_(end) {
  if (end_ == End::kPrefix) {
    std::sort(affixes_.begin(), affixes_.end());
  } else {
    std::sort(affixes_.begin(), affixes_.end(), less_from_end);
  }
  const auto says_it_already = [this](const std::string& shorter, const std::string& longer) {
    return end_ == End::kPrefix ? longer.starts_with(shorter) : longer.ends_with(shorter);
  };
  affixes_.erase(std::unique(affixes_.begin(), affixes_.end(), says_it_already), affixes_.end());
}

bool AffixSet::has_one_of(std::string_view text) const {
  if (affixes_.empty()) return false;
  if (end_ == End::kPrefix) {
    const auto behind = std::upper_bound(affixes_.begin(), affixes_.end(), text);
    return behind != affixes_.begin() && text.starts_with(*(behind - 1));
  }
  const auto behind = std::upper_bound(affixes_.begin(), affixes_.end(), text, less_from_end);
  return behind != affixes_.begin() && text.ends_with(*(behind - 1));
}

CompiledFilter::Scalars::Scalars(const std::vector<FilterScalar>& scalars)
    : strings_(strings_of(scalars)) {
  for (const FilterScalar& scalar : scalars) {
    if (const auto* boolean = std::get_if<bool>(&scalar)) {
      (*boolean ? true_ : false_) = true;
    } else if (const auto* integer = std::get_if<std::int64_t>(&scalar)) {
      integers_.push_back(*integer);
    } else if (const auto* real = std::get_if<double>(&scalar)) {
      doubles_.push_back(*real);
    } else if (std::holds_alternative<std::monostate>(scalar)) {
      null_ = true;
    }
  }
  std::sort(integers_.begin(), integers_.end());
  std::sort(doubles_.begin(), doubles_.end());
}

StringSet CompiledFilter::Scalars::strings_of(const std::vector<FilterScalar>& scalars) {
  std::vector<std::string> strings;
  for (const FilterScalar& scalar : scalars) {
    if (const auto* text = std::get_if<std::string>(&scalar)) strings.push_back(*text);
  }
  return StringSet(std::move(strings));
}

bool CompiledFilter::Scalars::has(const FilterScalar& scalar) const {
  if (const auto* text = std::get_if<std::string>(&scalar)) return strings_.has(*text);
  if (const auto* integer = std::get_if<std::int64_t>(&scalar)) {
    return std::binary_search(integers_.begin(), integers_.end(), *integer);
  }
  if (const auto* real = std::get_if<double>(&scalar)) {
    return std::binary_search(doubles_.begin(), doubles_.end(), *real);
  }
  if (const auto* boolean = std::get_if<bool>(&scalar)) return *boolean ? true_ : false_;
  return null_;
}

// --- Fields -----------------------------------------------------------------------------------

CompiledFilter::Field::Field(const model::FilterField& field, std::uint32_t path)
    : path_(path),
      exact_(parts_of<model::ExactTest>(field.tests, [](const auto& test) { return test.value; })),
      prefixes_(
          parts_of<model::PrefixTest>(field.tests, [](const auto& test) { return test.prefix; }),
          AffixSet::End::kPrefix),
      suffixes_(
          parts_of<model::SuffixTest>(field.tests, [](const auto& test) { return test.suffix; }),
          AffixSet::End::kSuffix),
      anything_but_(parts_of<model::AnythingButTest>(
          field.tests,
          [](const auto& test) {
            return AnythingBut{Scalars(test.values),
                               AffixSet(test.prefixes, AffixSet::End::kPrefix),
                               AffixSet(test.suffixes, AffixSet::End::kSuffix)};
          })),
      ranges_(parts_of<model::NumericTest>(field.tests, [](const auto& test) { return test; })),
      networks_(
          parts_of<model::CidrTest>(field.tests, [](const auto& test) { return test.network; })) {
  for (const model::FilterTest& test : field.tests) {
    if (const auto* exists = std::get_if<model::ExistsTest>(&test)) {
      (exists->exists ? if_present_ : if_absent_) = true;
    }
  }
  cost_ += anything_but_.size() + ranges_.size() + networks_.size();
}

bool CompiledFilter::Field::matches(const EventAttributes& event, std::uint64_t& steps) const {
  const std::span<const Attribute> found = event.at(path_);
  ++steps;
  if (found.empty()) return if_absent_;
  if (if_present_) return true;
  for (const Attribute& attribute : found) {
    const auto* scalar = std::get_if<FilterScalar>(&attribute.value);
    if (scalar == nullptr) return true;  // TooManyValues
    steps += cost_;
    if (admits(*scalar)) return true;
  }
  return false;
}

bool CompiledFilter::Field::admits(const FilterScalar& scalar) const {
  if (exact_.has(scalar)) return true;
  if (const auto* text = std::get_if<std::string>(&scalar)) {
    if (admits_text(*text)) return true;
  } else if (is_number(scalar)) {
    const auto within = [&scalar](const model::NumericTest& range) {
      return std::all_of(range.bounds.begin(), range.bounds.end(),
                         [&scalar](const NumericBound& bound) { return holds(bound, scalar); });
    };
    if (std::any_of(ranges_.begin(), ranges_.end(), within)) return true;
  }
  return std::any_of(anything_but_.begin(), anything_but_.end(),
                     [&scalar](const AnythingBut& but) { return but.admits(scalar); });
}

bool CompiledFilter::Field::admits_text(std::string_view text) const {
  if (prefixes_.has_one_of(text) || suffixes_.has_one_of(text)) return true;
  if (networks_.empty() || text.size() > kAddressBytesMax) return false;
  const std::optional<model::IpAddress> address = model::IpAddress::parse(text);
  return address &&
         std::any_of(networks_.begin(), networks_.end(), [&address](const model::Network& network) {
           return network.contains(*address);
         });
}

bool CompiledFilter::AnythingBut::admits(const FilterScalar& scalar) const {
  if (values.has(scalar)) return false;
  if (prefixes.empty() && suffixes.empty()) return true;
  const auto* text = std::get_if<std::string>(&scalar);
  return text != nullptr && !prefixes.has_one_of(*text) && !suffixes.has_one_of(*text);
}

// --- The whole --------------------------------------------------------------------------------

CompiledFilter::CompiledFilter(const model::Filter& filter, const PathNumber& number_of)
    : root_(compile(filter.root, number_of)) {}

// As deep as groups are nested: kFilterDepthMax.
CompiledFilter::Group CompiledFilter::compile(const model::FilterGroup& group,
                                              const PathNumber& number_of) {
  Group compiled;
  compiled.fields.reserve(group.fields.size());
  for (const model::FilterField& field : group.fields) {
    compiled.fields.emplace_back(field, number_of(field.path));
  }
  for (const std::vector<model::FilterGroup>& alternatives : group.any_of) {
    std::vector<Group>& list = compiled.any_of.emplace_back();
    for (const model::FilterGroup& alternative : alternatives) {
      list.push_back(compile(alternative, number_of));
    }
  }
  return compiled;
}

bool CompiledFilter::Group::matches(const EventAttributes& event, std::uint64_t& steps) const {
  const auto field_matches = [&](const Field& field) { return field.matches(event, steps); };
  if (!std::all_of(fields.begin(), fields.end(), field_matches)) return false;
  const auto group_matches = [&](const Group& group) { return group.matches(event, steps); };
  return std::all_of(any_of.begin(), any_of.end(), [&](const std::vector<Group>& alternatives) {
    return std::any_of(alternatives.begin(), alternatives.end(), group_matches);
  });
}

bool CompiledFilter::matches(const EventAttributes& event, std::uint64_t& steps) const {
  return root_.matches(event, steps);
}

std::optional<CompiledFilter::Miss> CompiledFilter::first_miss(const EventAttributes& event) const {
  std::uint64_t steps = 0;
  for (const Field& field : root_.fields) {
    if (!field.matches(event, steps)) return Miss{field.path()};
  }
  if (root_.matches(event, steps)) return std::nullopt;
  return Miss{};
}

}  // namespace triggerd::core
