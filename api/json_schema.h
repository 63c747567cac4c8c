// JSON Schemas of event contents (CONTRACT A3): what of draft 4 can be checked in one pass over the
// content, without a pattern that could take long.
//
// Taken: type, enum, properties, required, additionalProperties, items, additionalItems, minItems,
// maxItems, minLength, maxLength, minimum, maximum, exclusiveMinimum, exclusiveMaximum (true or
// false), multipleOf, minProperties, maxProperties, dependencies, allOf, anyOf, oneOf, not, and
// annotations (title, description, default, examples, format, definitions, $schema, $id, …), which
// check nothing. Everything else is refused, not ignored: who writes `pattern` expects it to hold.
// $ref is refused too, remote or not; so nothing is ever fetched, and no schema contains itself.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/status.h"

namespace triggerd::api {

class JsonSchema {
 public:
  // `text` is one whole valid JSON value. kInvalid names the place in the schema as a JSON pointer.
  [[nodiscard]] static base::Result<JsonSchema> compile(std::string_view text);
  ~JsonSchema();
  JsonSchema(JsonSchema&& other) noexcept;
  JsonSchema& operator=(JsonSchema&& other) noexcept;

  struct Fault {
    std::string pointer;  // to the value that is wrong; empty: the content itself
    std::string keyword;  // of the schema, that it does not satisfy
    // "/a/b: does not satisfy \"type\" of the event type's schema"
    [[nodiscard]] std::string text() const;
  };
  // The first fault of a content (Event::content, own_members_at); event_metadata is not looked at.
  [[nodiscard]] std::optional<Fault> check(std::string_view content,
                                           std::size_t own_members_at) const;

 private:
  struct Compiled;
  explicit JsonSchema(std::unique_ptr<const Compiled> compiled);
  std::unique_ptr<const Compiled> compiled_;
};

}  // namespace triggerd::api
