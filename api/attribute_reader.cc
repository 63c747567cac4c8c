#include "api/attribute_reader.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "api/filter_reader.h"
#include "engine/base/assert.h"
#include "engine/json/document.h"
#include "engine/model/limits.h"

namespace triggerd::api {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kParserCapacity = std::size_t{16} * 1024;

dom::parser& parser_of_this_thread() {
  thread_local dom::parser parser;
  // The content stands one level deeper in the event than it did in the request.
  constexpr std::size_t depth = model::kJsonDepthMax + 2;
  if (parser.max_depth() != depth) {
    TRIGGERD_ASSERT(parser.allocate(kParserCapacity, depth) == simdjson::SUCCESS);
  }
  return parser;
}

bool name_less(const std::pair<std::string, std::uint32_t>& child, std::string_view name) {
  return child.first < name;
}

}  // namespace

AttributeReader::AttributeReader(const std::vector<model::FilterPath>& paths)
    : nodes_(1), paths_(paths.size()) {
  for (std::uint32_t number = 0; number < paths.size(); ++number) {
    if (paths[number].empty()) continue;
    std::uint32_t node = 0;
    for (const std::string& name : paths[number]) node = child_of(node, name);
    nodes_[node].path = number;
  }
}

std::uint32_t AttributeReader::child_of(std::uint32_t node, const std::string& name) {
  auto& children = nodes_[node].children;
  const auto at =
      std::lower_bound(children.begin(), children.end(), std::string_view(name), name_less);
  if (at != children.end() && at->first == name) return at->second;
  const auto made = static_cast<std::uint32_t>(nodes_.size());
  children.emplace(at, name, made);
  nodes_.emplace_back();
  return made;
}

model::Attributes AttributeReader::read(std::string& content) const {
  model::Attributes attributes;
  content.reserve(content.size() + json::kPadding);
  const auto parsed = parser_of_this_thread().parse(content.data(), content.size(), false);
  // What cannot be read has no values; nothing of the kind comes here.
  if (parsed.error() != simdjson::SUCCESS) return attributes;
  std::vector<std::size_t> counts(paths_);
  walk(parsed.value_unsafe(), nodes_.front(), counts, attributes);
  std::stable_sort(attributes.begin(), attributes.end(),
                   [](const model::Attribute& left, const model::Attribute& right) {
                     return left.path < right.path;
                   });
  return attributes;
}

void AttributeReader::walk(dom::element value, const Node& node, std::vector<std::size_t>& counts,
                           model::Attributes& attributes) const {
  if (value.type() == dom::element_type::OBJECT) {
    if (node.children.empty()) return;
    // Copied out: a range over the result itself would be one of a result that is gone.
    const dom::object object = value.get_object().value_unsafe();
    for (const dom::key_value_pair member : object) {
      const auto child =
          std::lower_bound(node.children.begin(), node.children.end(), member.key, name_less);
      if (child == node.children.end() || child->first != member.key) continue;
      walk(member.value, nodes_[child->second], counts, attributes);
    }
    return;
  }
  if (value.type() == dom::element_type::ARRAY) {
    const dom::array array = value.get_array().value_unsafe();
    for (const dom::element element : array) {
      walk(element, node, counts, attributes);
    }
    return;
  }
  if (node.path == kNoPath) return;
  const std::size_t count = ++counts[node.path];
  if (count <= model::kFilterValuesPerPathMax) {
    attributes.push_back({node.path, *scalar_of(value)});
  } else if (count == model::kFilterValuesPerPathMax + 1) {
    attributes.push_back({node.path, model::TooManyValues()});
  }
}

}  // namespace triggerd::api
