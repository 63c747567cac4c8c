#include "api/json_document.h"

#include <cmath>

#include <fmt/format.h>

#include "api/http.h"
#include "engine/model/limits.h"

namespace triggerd::api {

using base::Error;
using base::ErrorCode;

namespace {

static_assert(json::kPadding <= kJsonPadding);

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

}  // namespace

Error wrong_type(std::string_view field, std::string_view expected, dom::element value) {
  return {ErrorCode::kInvalid,
          fmt::format("{}: expected {}, got {}", field, expected, name_of(value.type()))};
}

std::optional<std::int64_t> whole_number(dom::element value) {
  std::int64_t integer = 0;
  if (value.get_int64().get(integer) == simdjson::SUCCESS) return integer;
  // Up to here a double holds every integer, so that none is mistaken for its neighbour.
  constexpr double exact_max = 9007199254740992.0;
  double number = 0;
  if (!value.is_double() || value.get_double().get(number) != simdjson::SUCCESS ||
      std::fabs(number) > exact_max || std::trunc(number) != number) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(number);
}

// --- Document ---------------------------------------------------------------------------------

Document::Document(std::string& body) : document_(body, model::kBodyBytesMax) {
  if (document_.ok()) return;
  const Error& fault = document_.fault();
  const bool is_size = fault.code == ErrorCode::kTooLarge;
  faults_.push_back({fault.code, (is_size ? "body: " : "") + fault.message});
}

std::optional<dom::object> Document::object() {
  if (!ok()) return std::nullopt;
  dom::object object;
  if (root().get_object().get(object) == simdjson::SUCCESS) return object;
  faults_.push_back(wrong_type("body", "an object", root()));
  return std::nullopt;
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
