#include "api/json_document.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "api/http.h"
#include "api/json_text.h"
#include "engine/base/assert.h"
#include "engine/model/limits.h"

namespace triggerd::api {

using base::Error;
using base::ErrorCode;

namespace {

static_assert(simdjson::SIMDJSON_PADDING <= kJsonPadding);

constexpr std::size_t kParserDepth = model::kJsonDepthMax + 2;
constexpr std::size_t kParserCapacity = std::size_t{16} * 1024;

std::string_view name_of(dom::element_type type) {
  switch (type) {
    case dom::element_type::ARRAY:
      return "a list";
    case dom::element_type::OBJECT:
      return "an object";
    case dom::element_type::STRING:
      return "a string";
    case dom::element_type::BOOL:
      return "a boolean";
    case dom::element_type::NULL_VALUE:
      return "null";
    default:
      return "a number";
  }
}

// Depth and names of a document that simdjson found well-formed (it accepts a name twice).
class StructureCheck {
 public:
  // Depth counts objects and lists, the outermost is 1.
  bool walk(dom::element value, std::size_t depth) {
    if (value.type() == dom::element_type::OBJECT) {
      const dom::object object = value.get_object().value_unsafe();
      if (depth >= model::kJsonDepthMax) return too_deep();
      if (!check_names(object)) return false;
      for (const dom::key_value_pair member : object) {
        if (!walk(member.value, depth + 1)) return false;
      }
    } else if (value.type() == dom::element_type::ARRAY) {
      const dom::array list = value.get_array().value_unsafe();
      if (depth >= model::kJsonDepthMax) return too_deep();
      for (const dom::element element : list) {
        if (!walk(element, depth + 1)) return false;
      }
    }
    return true;
  }
  [[nodiscard]] const std::string& fault() const { return fault_; }

 private:
  bool too_deep() {
    fault_ = fmt::format("JSON: nested deeper than {} levels", model::kJsonDepthMax);
    return false;
  }

  // Few names are compared with each other, many are sorted first: no input costs a square.
  bool check_names(dom::object object) {
    constexpr std::size_t few_names = 8;
    names_.clear();
    for (const dom::key_value_pair member : object) {
      if (names_.size() < few_names &&
          std::find(names_.begin(), names_.end(), member.key) != names_.end()) {
        return twice(member.key);
      }
      names_.push_back(member.key);
    }
    if (names_.size() <= few_names) return true;
    std::sort(names_.begin(), names_.end());
    const auto pair = std::adjacent_find(names_.begin(), names_.end());
    return pair == names_.end() || twice(*pair);
  }
  bool twice(std::string_view name) {
    fault_ = fmt::format("JSON: the name \"{}\" stands twice in one object",
                         name.substr(0, model::kNameBytesMax));
    return false;
  }

  std::vector<std::string_view> names_;
  std::string fault_;
};

std::string describe_malformed(const std::string& body, simdjson::error_code error) {
  if (const std::optional<JsonFault> fault = find_json_fault(body, model::kJsonDepthMax)) {
    return fmt::format("malformed JSON at byte {}: {}", fault->offset, fault->what);
  }
  return fmt::format("malformed JSON: {}", simdjson::error_message(error));
}
dom::parser& parser_of_this_thread() {
  thread_local dom::parser parser;
  // simdjson counts one level more than the contract; StructureCheck is exact.
  if (parser.max_depth() != kParserDepth) {
    TRIGGERD_ASSERT(parser.allocate(kParserCapacity, kParserDepth) == simdjson::SUCCESS);
  }
  return parser;
}

}  // namespace

Error wrong_type(std::string_view field, std::string_view expected, dom::element value) {
  return {ErrorCode::kInvalid,
          fmt::format("{}: expected {}, got {}", field, expected, name_of(value.type()))};
}

// --- Document ---------------------------------------------------------------------------------

Document::Document(std::string& body) {
  if (body.size() > model::kBodyBytesMax) {
    refuse(ErrorCode::kTooLarge,
           fmt::format("body: at most {} bytes are taken", model::kBodyBytesMax));
    return;
  }
  body.reserve(body.size() + kJsonPadding);
  const simdjson::simdjson_result<dom::element> parsed =
      parser_of_this_thread().parse(body.data(), body.size(), false);
  if (parsed.error() != simdjson::SUCCESS) {
    refuse(ErrorCode::kInvalid, describe_malformed(body, parsed.error()));
    return;
  }
  root_ = parsed.value_unsafe();
  StructureCheck check;
  if (!check.walk(root_, 0)) refuse(ErrorCode::kInvalid, check.fault());
}

std::optional<dom::object> Document::object() {
  if (!ok()) return std::nullopt;
  dom::object object;
  if (root_.get_object().get(object) == simdjson::SUCCESS) return object;
  faults_.push_back(wrong_type("body", "an object", root_));
  return std::nullopt;
}

void Document::refuse(ErrorCode code, std::string message) {
  faults_.push_back({code, std::move(message)});
}

// --- FieldReader ------------------------------------------------------------------------------

std::optional<std::string_view> FieldReader::text(std::string_view field, dom::element value) {
  std::string_view text;
  if (value.get_string().get(text) == simdjson::SUCCESS) return text;
  refuse_type(field, "a string", value);
  return std::nullopt;
}

std::optional<bool> FieldReader::boolean(std::string_view field, dom::element value) {
  bool boolean = false;
  if (value.get_bool().get(boolean) == simdjson::SUCCESS) return boolean;
  refuse_type(field, "true or false", value);
  return std::nullopt;
}

std::optional<dom::object> FieldReader::object(std::string_view field, dom::element value) {
  dom::object object;
  if (value.get_object().get(object) == simdjson::SUCCESS) return object;
  refuse_type(field, "an object", value);
  return std::nullopt;
}

std::optional<dom::array> FieldReader::list(std::string_view field, dom::element value,
                                            std::string_view expected) {
  dom::array list;
  if (value.get_array().get(list) == simdjson::SUCCESS) return list;
  refuse_type(field, expected, value);
  return std::nullopt;
}

void FieldReader::refuse(std::string_view field, std::string_view what, ErrorCode code) {
  faults_.push_back({code, fmt::format("{}{}: {}", where_, field, what)});
}

void FieldReader::refuse_type(std::string_view field, std::string_view expected,
                              dom::element value) {
  faults_.push_back(wrong_type(fmt::format("{}{}", where_, field), expected, value));
}

void FieldReader::refuse_missing(std::string_view field) {
  faults_.push_back(
      {ErrorCode::kInvalid, fmt::format("{}{}: required, but missing", where_, field)});
}

}  // namespace triggerd::api
