#include "api/json_schema.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <rapidjson/document.h>
#include <rapidjson/reader.h>
#include <rapidjson/schema.h>
#include <rapidjson/stringbuffer.h>

#include "engine/base/assert.h"
#include "engine/model/limits.h"

namespace triggerd::api {
namespace {

using base::Error;
using base::ErrorCode;
using base::Status;
using Value = rapidjson::Value;

// Values of one enum, and branches of all combinators of a schema: each is looked at for each
// value of the content that it stands for.
constexpr std::size_t kEnumValuesMax = 256;
constexpr std::size_t kBranchesMax = 64;

std::string_view text_of(const Value& value) {
  return {value.GetString(), value.GetStringLength()};
}

template <std::size_t N>
bool is_one_of(std::string_view name, const std::array<std::string_view, N>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Refuses what the validator would misread, ignore, or take too long for.
class SchemaCheck {
 public:
  Status check(const Value& schema) {
    walk(schema, "", 0);
    if (fault_.empty()) return {};
    return Error{ErrorCode::kInvalid, "schema" + fault_};
  }

 private:
  static constexpr std::array<std::string_view, 14> kAnnotations{
      "title",   "description", "default",  "example", "examples",   "format",   "definitions",
      "$schema", "$id",         "$comment", "id",      "deprecated", "readOnly", "writeOnly"};
  static constexpr std::array<std::string_view, 6> kCounts{
      "minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"};
  static constexpr std::array<std::string_view, 7> kTypes{"null",   "boolean", "object", "array",
                                                          "number", "string",  "integer"};

  void refuse(const std::string& where, std::string_view what) {
    if (fault_.empty()) fault_ = fmt::format("{}: {}", where, what);
  }

  // As deep as kSchemaDepthMax.
  void walk(const Value& schema, const std::string& where, std::size_t depth) {
    if (!schema.IsObject()) return refuse(where, "expected an object");
    if (depth >= model::kSchemaDepthMax) {
      return refuse(where, fmt::format("nested deeper than {} schemas", model::kSchemaDepthMax));
    }
    for (const auto& member : schema.GetObject()) {
      if (!fault_.empty()) return;
      const std::string_view name = text_of(member.name);
      keyword(name, member.value, fmt::format("{}/{}", where, name.substr(0, 64)), depth);
    }
  }

  void keyword(std::string_view name, const Value& value, const std::string& at,
               std::size_t depth) {
    if (is_one_of(name, kAnnotations) || name.starts_with("x-")) return;
    if (is_one_of(name, kCounts)) {
      if (!value.IsUint64()) refuse(at, "expected a whole number, 0 or more");
    } else if (name == "minimum" || name == "maximum") {
      if (!value.IsNumber()) refuse(at, "expected a number");
    } else if (name == "exclusiveMinimum" || name == "exclusiveMaximum") {
      if (!value.IsBool()) {
        refuse(at, "expected true or false, beside minimum or maximum (draft 4)");
      }
    } else if (name == "multipleOf") {
      if (!value.IsNumber() || value.GetDouble() <= 0) refuse(at, "expected a number above 0");
    } else if (name == "type") {
      type(value, at);
    } else if (name == "enum") {
      if (!value.IsArray() || value.Empty() || value.Size() > kEnumValuesMax) {
        refuse(at, fmt::format("expected a list of 1 to {} values", kEnumValuesMax));
      }
    } else if (name == "required") {
      strings(value, at);
    } else if (name == "properties" || name == "dependencies") {
      named(name, value, at, depth);
    } else if (name == "allOf" || name == "anyOf" || name == "oneOf") {
      branch_list(value, at, depth);
    } else if (name == "not") {
      branch(value, at, depth);
    } else if (name == "items") {
      if (value.IsArray()) {
        list(value, at, depth);
      } else {
        walk(value, at, depth + 1);
      }
    } else if (name == "additionalProperties" || name == "additionalItems") {
      if (!value.IsBool()) walk(value, at, depth + 1);
    } else {
      refuse(at, reason_against(name));
    }
  }

  static std::string_view reason_against(std::string_view name) {
    if (name == "$ref") return "references are not followed; write the schema out in its place";
    if (name == "pattern" || name == "patternProperties") {
      return "patterns are not taken; use enum, minLength or maxLength";
    }
    if (name == "uniqueItems") return "is not taken; leave it out";
    if (name == "const") return "is not of draft 4; use enum with one value";
    return "unknown keyword; it is refused because ignoring it would let everything through";
  }

  void type(const Value& value, const std::string& at) {
    const auto known = [](const Value& each) {
      return each.IsString() && is_one_of(text_of(each), kTypes);
    };
    if (known(value)) return;
    const bool good =
        value.IsArray() && !value.Empty() && std::all_of(value.Begin(), value.End(), known);
    if (!good) {
      refuse(at,
             "expected null, boolean, object, array, number, string, integer, or a list of them");
    }
  }

  void strings(const Value& value, const std::string& at) {
    if (!value.IsArray() || !std::all_of(value.Begin(), value.End(),
                                         [](const Value& each) { return each.IsString(); })) {
      refuse(at, "expected a list of strings");
    }
  }

  void named(std::string_view keyword, const Value& value, const std::string& at,
             std::size_t depth) {
    if (!value.IsObject()) return refuse(at, "expected an object");
    for (const auto& member : value.GetObject()) {
      const std::string where = fmt::format("{}/{}", at, text_of(member.name).substr(0, 64));
      if (keyword == "dependencies" && member.value.IsArray()) {
        strings(member.value, where);
      } else if (keyword == "dependencies") {
        branch(member.value, where, depth);
      } else {
        walk(member.value, where, depth + 1);
      }
    }
  }

  void list(const Value& value, const std::string& at, std::size_t depth) {
    for (rapidjson::SizeType i = 0; i < value.Size(); ++i) {
      walk(value[i], fmt::format("{}/{}", at, i), depth + 1);
    }
  }

  void branch(const Value& value, const std::string& at, std::size_t depth) {
    if (++branches_ > kBranchesMax) {
      return refuse(at, fmt::format("more than {} branches of allOf, anyOf, oneOf, not and "
                                    "dependencies in all",
                                    kBranchesMax));
    }
    walk(value, at, depth + 1);
  }

  void branch_list(const Value& value, const std::string& at, std::size_t depth) {
    if (!value.IsArray() || value.Empty()) return refuse(at, "expected a list of schemas");
    for (rapidjson::SizeType i = 0; i < value.Size(); ++i) {
      branch(value[i], fmt::format("{}/{}", at, i), depth);
    }
  }

  std::size_t branches_ = 0;
  std::string fault_;
};

// Feeds the validator; remembers where the first fault was found.
using Validator = rapidjson::SchemaValidator;

std::string pointer_text(const rapidjson::Pointer& pointer) {
  rapidjson::StringBuffer buffer;
  pointer.Stringify(buffer);
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace

struct JsonSchema::Compiled {
  explicit Compiled(const rapidjson::Document& document) : schema(document) {}
  rapidjson::SchemaDocument schema;
};

JsonSchema::JsonSchema(std::unique_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
JsonSchema::~JsonSchema() = default;
JsonSchema::JsonSchema(JsonSchema&& other) noexcept = default;
JsonSchema& JsonSchema::operator=(JsonSchema&& other) noexcept = default;

base::Result<JsonSchema> JsonSchema::compile(std::string_view text) {
  if (text.size() > model::kSchemaBytesMax) {
    return Error{ErrorCode::kInvalid, fmt::format("schema: at most {} bytes without white space",
                                                  model::kSchemaBytesMax)};
  }
  rapidjson::Document document;
  document.Parse<rapidjson::kParseFullPrecisionFlag>(text.data(), text.size());
  if (document.HasParseError()) return Error{ErrorCode::kInvalid, "schema: malformed JSON"};
  if (Status status = SchemaCheck().check(document); !status.ok()) return status.error();
  return JsonSchema(std::make_unique<const Compiled>(document));
}

std::optional<JsonSchema::Fault> JsonSchema::check(std::string_view content,
                                                   std::size_t own_members_at) const {
  // The validator gets the publisher's own members alone, as the object that they came in.
  const std::string own = "{" + std::string(content.substr(own_members_at));
  Validator validator(compiled_->schema);
  rapidjson::Reader reader;
  rapidjson::StringStream stream(own.c_str());
  reader.Parse<rapidjson::kParseFullPrecisionFlag>(stream, validator);
  if (validator.IsValid()) return std::nullopt;
  return Fault{pointer_text(validator.GetInvalidDocumentPointer()),
               validator.GetInvalidSchemaKeyword()};
}

std::string JsonSchema::Fault::text() const {
  return fmt::format("{}: does not satisfy \"{}\" of the event type's schema", pointer, keyword);
}

}  // namespace triggerd::api
