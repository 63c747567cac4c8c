// Internal to the JSON readers: a body checked as a whole (engine/json/document), and typed values
// out of it, each fault in the words of the API.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "api/problem.h"
#include "engine/base/status.h"
#include "engine/json/document.h"

namespace triggerd::api {

namespace dom = simdjson::dom;

// "[field]: expected an object, got a list"
[[nodiscard]] base::Error wrong_type(std::string_view field, std::string_view expected,
                                     dom::element value);

// A number without a fraction, however it is written: 8, 8.0 and 8e0 are one number (RFC 8259, 6),
// and an integer to JSON Schema. Nothing for all else, and beyond 2^53 with a point or an exponent.
[[nodiscard]] std::optional<std::int64_t> whole_number(dom::element value);

// The body as a document, or the faults that it has. Views into it hold until the thread parses the
// next one.
class Document {
 public:
  // `body` gets kJsonPadding spare bytes behind its end if it has none, and outlives this.
  explicit Document(std::string& body);

  // Empty: the document is good.
  [[nodiscard]] Faults take_faults() { return std::move(faults_); }
  [[nodiscard]] bool ok() const { return faults_.empty(); }
  // Requires: ok().
  [[nodiscard]] dom::element root() const { return document_.root(); }
  // The document's object; nothing, and a fault, when it is something else.
  std::optional<dom::object> object();

 private:
  json::Document document_;
  Faults faults_;
};

// Takes typed values out of fields, and keeps the faults. Both arguments outlive this.
class FieldReader {
 public:
  // `where` stands before the field's name in every message.
  FieldReader(std::string_view where, Faults& faults) : where_(where), faults_(faults) {}

  std::optional<std::string_view> text(std::string_view field, dom::element value);
  std::optional<bool> boolean(std::string_view field, dom::element value);
  std::optional<dom::object> object(std::string_view field, dom::element value);
  std::optional<dom::array> list(std::string_view field, dom::element value,
                                 std::string_view expected);

  void refuse(std::string_view field, std::string_view what,
              base::ErrorCode code = base::ErrorCode::kInvalid);
  void refuse_type(std::string_view field, std::string_view expected, dom::element value);
  void refuse_missing(std::string_view field);

 private:
  std::string_view where_;
  Faults& faults_;
};

}  // namespace triggerd::api
