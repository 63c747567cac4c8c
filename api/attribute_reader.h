// Takes out of an event's content what filters look at: the values at some paths (model/filter.h).
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <simdjson.h>

#include "engine/model/filter.h"

namespace triggerd::api {

// Any thread; one parser for each.
class AttributeReader {
 public:
  // An empty path is not in use; the others are known by their index.
  explicit AttributeReader(const std::vector<model::FilterPath>& paths);

  // `content` is a whole JSON object that has been found valid; it gets spare bytes behind its end
  // if it has none. Of more than kFilterValuesPerPathMax values at one path the rest is
  // TooManyValues. In the order of the paths, then of the document.
  [[nodiscard]] model::Attributes read(std::string& content) const;

 private:
  static constexpr std::uint32_t kNoPath = UINT32_MAX;
  struct Node {
    std::uint32_t path = kNoPath;                                 // that ends here
    std::vector<std::pair<std::string, std::uint32_t>> children;  // by name, in its order
  };
  // As deep as the document is nested.
  void walk(simdjson::dom::element value, const Node& node, std::vector<std::size_t>& counts,
            model::Attributes& attributes) const;
  std::uint32_t child_of(std::uint32_t node, const std::string& name);

  std::vector<Node> nodes_;  // the first is the content itself
  std::size_t paths_ = 0;
};

}  // namespace triggerd::api
