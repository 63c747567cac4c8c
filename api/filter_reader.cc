#include "api/filter_reader.h"

#include <cstddef>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "engine/model/limits.h"

namespace triggerd::api {
namespace {

namespace dom = simdjson::dom;
using base::ErrorCode;
using model::FilterGroup;
using model::FilterPath;
using model::FilterScalar;
using model::FilterTest;

constexpr std::string_view kOr = "$or";
// The answer names the first faults of a filter that is wrong all over.
constexpr std::size_t kFaultsMax = 20;

std::optional<model::NumericOperator> operator_of(std::string_view text) {
  using enum model::NumericOperator;
  if (text == "=") return kEqual;
  if (text == "<") return kLess;
  if (text == "<=") return kLessOrEqual;
  if (text == ">") return kGreater;
  if (text == ">=") return kGreaterOrEqual;
  return std::nullopt;
}

std::string shown(std::string_view text) {
  return std::string(text.substr(0, model::kNameBytesMax));
}

class FilterReader {
 public:
  FilterReader(model::Filter& filter, Faults& faults) : filter_(filter), faults_(faults) {}

  void read(dom::element value) {
    FilterPath path;
    group(value, "filter", path, 0, filter_.root);
    if (fields_ > model::kFilterFieldsMax) {
      refuse("filter",
             fmt::format("has {} fields, at most {} are taken", fields_, model::kFilterFieldsMax));
    }
    if (tests_ > model::kFilterTestsMax) {
      refuse("filter", fmt::format("compares with {} values, at most {} are taken", tests_,
                                   model::kFilterTestsMax));
    }
  }

 private:
  void refuse(const std::string& where, std::string what) {
    if (faults_.size() < kFaultsMax) {
      faults_.push_back({ErrorCode::kInvalid, where + ": " + std::move(what)});
    }
  }

  // The members of an object into `into`; `path` leads to it. As deep as the document is nested:
  // kJsonDepthMax at most.
  void group(dom::element value, const std::string& where, FilterPath& path, std::size_t depth,
             FilterGroup& into) {
    dom::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) {
      return refuse(where, "expected an object of fields");
    }
    if (object.size() == 0) return refuse(where, "is empty; name at least one field");
    for (const dom::key_value_pair member : object) {
      const std::string field = where + "." + shown(member.key);
      if (member.key == kOr) {
        any_of(member.value, field, path, depth, into);
      } else if (member.key.starts_with("$")) {
        refuse(field, "unknown; the only name with a $ is $or");
      } else if (member.key.size() > model::kFilterValueBytesMax) {
        refuse(field, fmt::format("at most {} bytes", model::kFilterValueBytesMax));
      } else {
        path.emplace_back(member.key);
        this->field(member.value, field, path, depth, into);
        path.pop_back();
      }
    }
  }

  void field(dom::element value, const std::string& where, FilterPath& path, std::size_t depth,
             FilterGroup& into) {
    if (path.size() > model::kFilterPathSegmentsMax) {
      return refuse(where,
                    fmt::format("stands deeper than {} names", model::kFilterPathSegmentsMax));
    }
    if (value.is_object()) return group(value, where, path, depth, into);
    dom::array list;
    if (value.get_array().get(list) != simdjson::SUCCESS) {
      return refuse(where, "expected a list of values and tests, or an object of fields");
    }
    if (list.size() == 0) return refuse(where, "is empty; give at least one value or test");
    ++fields_;
    model::FilterField& made = into.fields.emplace_back(model::FilterField{path, {}});
    std::size_t index = 0;
    for (const dom::element element : list) {
      if (tests_ > model::kFilterTestsMax) return;
      test(element, fmt::format("{}[{}]", where, index++), made.tests);
    }
  }

  void any_of(dom::element value, const std::string& where, FilterPath& path, std::size_t depth,
              FilterGroup& into) {
    dom::array list;
    if (value.get_array().get(list) != simdjson::SUCCESS) {
      return refuse(where, "expected a list of objects");
    }
    if (list.size() == 0) return refuse(where, "is empty; give at least one object");
    if (depth >= model::kFilterDepthMax) {
      return refuse(where, fmt::format("nested deeper than {}", model::kFilterDepthMax));
    }
    std::vector<FilterGroup> groups;
    std::size_t index = 0;
    for (const dom::element element : list) {
      if (++tests_ > model::kFilterTestsMax) return;
      group(element, fmt::format("{}[{}]", where, index++), path, depth + 1, groups.emplace_back());
    }
    into.any_of.push_back(std::move(groups));
  }

  void test(dom::element value, const std::string& where, std::vector<FilterTest>& tests) {
    if (std::optional<FilterScalar> scalar = checked_scalar(value, where)) {
      tests.emplace_back(model::ExactTest{std::move(*scalar)});
      return;
    }
    dom::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS || object.size() != 1) {
      return refuse(where,
                    "expected a string, number, boolean, null, or an object of one operator");
    }
    const dom::key_value_pair test = *object.begin();
    const std::string at = where + "." + shown(test.key);
    ++tests_;
    if (test.key == "prefix") {
      if (auto text = affix(test.value, at))
        tests.emplace_back(model::PrefixTest{std::move(*text)});
    } else if (test.key == "suffix") {
      if (auto text = affix(test.value, at))
        tests.emplace_back(model::SuffixTest{std::move(*text)});
    } else if (test.key == "anything-but") {
      tests.emplace_back(anything_but(test.value, at));
    } else if (test.key == "exists") {
      bool exists = true;
      if (test.value.get_bool().get(exists) != simdjson::SUCCESS) {
        return refuse(at, "expected true or false");
      }
      tests.emplace_back(model::ExistsTest{exists});
    } else if (test.key == "numeric") {
      tests.emplace_back(numeric(test.value, at));
    } else if (test.key == "cidr") {
      cidr(test.value, at, tests);
    } else {
      refuse(at, "unknown operator; use prefix, suffix, anything-but, exists, numeric or cidr");
    }
  }

  std::optional<FilterScalar> checked_scalar(dom::element value, const std::string& where) {
    std::optional<FilterScalar> scalar = scalar_of(value);
    if (!scalar) return scalar;
    ++tests_;
    const auto* text = std::get_if<std::string>(&*scalar);
    if (text != nullptr && text->size() > model::kFilterValueBytesMax) {
      refuse(where, fmt::format("at most {} bytes", model::kFilterValueBytesMax));
    }
    return scalar;
  }

  // A prefix or a suffix.
  std::optional<std::string> affix(dom::element value, const std::string& where) {
    std::string_view text;
    if (value.get_string().get(text) != simdjson::SUCCESS) {
      refuse(where, "expected a string");
      return std::nullopt;
    }
    if (text.empty() || text.size() > model::kFilterValueBytesMax) {
      refuse(where, fmt::format("must have 1 to {} bytes; for any value use {{\"exists\": true}}",
                                model::kFilterValueBytesMax));
      return std::nullopt;
    }
    return std::string(text);
  }

  model::AnythingButTest anything_but(dom::element value, const std::string& where) {
    model::AnythingButTest test;
    dom::object object;
    dom::array list;
    if (std::optional<FilterScalar> scalar = checked_scalar(value, where)) {
      test.values.push_back(std::move(*scalar));
    } else if (value.get_array().get(list) == simdjson::SUCCESS) {
      if (list.size() == 0) refuse(where, "is empty; give at least one value");
      std::size_t index = 0;
      for (const dom::element element : list) {
        const std::string at = fmt::format("{}[{}]", where, index++);
        std::optional<FilterScalar> each = checked_scalar(element, at);
        if (!each) refuse(at, "expected a string, number, boolean or null");
        if (each) test.values.push_back(std::move(*each));
      }
    } else if (value.get_object().get(object) == simdjson::SUCCESS && object.size() == 1) {
      const dom::key_value_pair member = *object.begin();
      const std::string at = where + "." + shown(member.key);
      if (member.key == "prefix") {
        affixes(member.value, at, test.prefixes);
      } else if (member.key == "suffix") {
        affixes(member.value, at, test.suffixes);
      } else {
        refuse(at, "unknown; use prefix or suffix");
      }
    } else {
      refuse(where, "expected a value, a list of values, or an object with prefix or suffix");
    }
    return test;
  }

  void affixes(dom::element value, const std::string& where, std::vector<std::string>& into) {
    dom::array list;
    if (value.get_array().get(list) != simdjson::SUCCESS) {
      ++tests_;
      if (auto text = affix(value, where)) into.push_back(std::move(*text));
      return;
    }
    if (list.size() == 0) refuse(where, "is empty; give at least one string");
    std::size_t index = 0;
    for (const dom::element element : list) {
      ++tests_;
      if (auto text = affix(element, fmt::format("{}[{}]", where, index++))) {
        into.push_back(std::move(*text));
      }
    }
  }

  model::NumericTest numeric(dom::element value, const std::string& where) {
    constexpr std::string_view form = R"(expected pairs such as [">", 0, "<=", 5])";
    model::NumericTest test;
    dom::array list;
    if (value.get_array().get(list) != simdjson::SUCCESS || list.size() == 0 ||
        list.size() % 2 != 0 || list.size() > 4) {
      refuse(where, std::string(form) + ", one or two of them");
      return test;
    }
    for (std::size_t i = 0; i < list.size(); i += 2) {
      std::string_view text;
      const bool is_text = list.at(i).get_string().get(text) == simdjson::SUCCESS;
      const std::optional<model::NumericOperator> op = operator_of(text);
      if (!is_text || !op) {
        refuse(fmt::format("{}[{}]", where, i), R"(expected one of "=", "<", "<=", ">", ">=")");
        continue;
      }
      const dom::element number = list.at(i + 1).value_unsafe();
      if (!number.is_number()) {
        refuse(fmt::format("{}[{}]", where, i + 1), "expected a number");
        continue;
      }
      test.bounds.push_back({*op, *scalar_of(number)});
    }
    return test;
  }

  void cidr(dom::element value, const std::string& where, std::vector<FilterTest>& tests) {
    std::string_view text;
    std::optional<model::Network> network;
    if (value.get_string().get(text) == simdjson::SUCCESS && text.size() <= model::kNameBytesMax) {
      network = model::Network::parse(text);
    }
    if (!network || network->port_first != 0 || network->port_last != 65535 ||
        text.find('/') == std::string_view::npos) {
      return refuse(where, "expected a network, such as 10.0.0.0/8 or 2001:db8::/32");
    }
    tests.emplace_back(model::CidrTest{*network});
  }

  model::Filter& filter_;
  Faults& faults_;
  std::size_t fields_ = 0;
  std::size_t tests_ = 0;
};

}  // namespace

std::optional<FilterScalar> scalar_of(dom::element value) {
  switch (value.type()) {
    case dom::element_type::STRING:
      return std::string(value.get_string().value_unsafe());
    case dom::element_type::BOOL:
      return value.get_bool().value_unsafe();
    case dom::element_type::NULL_VALUE:
      return FilterScalar();
    case dom::element_type::INT64:
      return value.get_int64().value_unsafe();
    case dom::element_type::UINT64:
      return model::filter_number(static_cast<double>(value.get_uint64().value_unsafe()));
    case dom::element_type::DOUBLE:
      return model::filter_number(value.get_double().value_unsafe());
    default:
      return std::nullopt;
  }
}

std::string compact_json(std::string_view raw) {
  std::string compact(raw.size(), '\0');
  std::size_t size = 0;
  if (simdjson::minify(raw.data(), raw.size(), compact.data(), size) != simdjson::SUCCESS) {
    return std::string(raw);
  }
  compact.resize(size);
  return compact;
}

Faults read_filter(dom::element value, std::string_view raw, model::Filter& filter) {
  Faults faults;
  filter = {};
  filter.text = compact_json(raw);
  if (filter.text.size() > model::kFilterBytesMax) {
    return {{ErrorCode::kInvalid,
             fmt::format("filter: has {} bytes without white space, at most {} are taken",
                         filter.text.size(), model::kFilterBytesMax)}};
  }
  FilterReader(filter, faults).read(value);
  return faults;
}

}  // namespace triggerd::api
