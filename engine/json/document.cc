#include "engine/json/document.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "engine/base/assert.h"
#include "engine/json/json_text.h"
#include "engine/model/limits.h"

namespace triggerd::json {
namespace {

namespace dom = simdjson::dom;
using base::Error;
using base::ErrorCode;

// simdjson counts one level more than ours; StructureCheck is exact.
constexpr std::size_t kParserDepth = model::kJsonDepthMax + 2;
constexpr std::size_t kParserCapacity = std::size_t{16} * 1024;

dom::parser& parser_of_this_thread() {
  thread_local dom::parser parser;
  if (parser.max_depth() != kParserDepth) {
    TRIGGERD_ASSERT(parser.allocate(kParserCapacity, kParserDepth) == simdjson::SUCCESS);
  }
  return parser;
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

std::string describe_malformed(const std::string& text, simdjson::error_code error) {
  if (const std::optional<JsonFault> fault = find_json_fault(text, model::kJsonDepthMax)) {
    return fmt::format("malformed JSON at byte {}: {}", fault->offset, fault->what);
  }
  return fmt::format("malformed JSON: {}", simdjson::error_message(error));
}

}  // namespace

Document::Document(std::string& text, std::size_t bytes_max) {
  if (text.size() > bytes_max) {
    fault_ = Error{ErrorCode::kTooLarge, fmt::format("at most {} bytes are taken", bytes_max)};
    return;
  }
  text.reserve(text.size() + kPadding);
  const simdjson::simdjson_result<dom::element> parsed =
      parser_of_this_thread().parse(text.data(), text.size(), false);
  if (parsed.error() != simdjson::SUCCESS) {
    fault_ = Error{ErrorCode::kInvalid, describe_malformed(text, parsed.error())};
    return;
  }
  root_ = parsed.value_unsafe();
  StructureCheck check;
  if (!check.walk(root_, 0)) fault_ = Error{ErrorCode::kInvalid, check.fault()};
}

}  // namespace triggerd::json
