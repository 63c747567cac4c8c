#include "api/json_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "engine/model/limits.h"

namespace triggerd::api {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::string_view kMetadata = R"({"event_metadata":{"x":1},)";

// "" when the members satisfy the schema, else "POINTER KEYWORD".
std::string fault_of(const std::string& schema, const std::string& members) {
  const base::Result<JsonSchema> compiled = JsonSchema::compile(schema);
  if (!compiled.ok()) return compiled.error().message;
  const std::string content = std::string(kMetadata) + members + "}";
  const auto fault = compiled.value().check(content, kMetadata.size());
  return fault ? fault->pointer + " " + fault->keyword : "";
}

std::string refusal(const std::string& schema) {
  const base::Result<JsonSchema> compiled = JsonSchema::compile(schema);
  return compiled.ok() ? "" : compiled.error().message;
}

TEST(JsonSchema, NamesTheValueAndTheKeyword) {
  const std::string person =
      R"({"type":"object","required":["id"],"additionalProperties":false,"properties":{)"
      R"("id":{"type":"string","minLength":2},"tags":{"type":"array","items":{"type":"integer"},)"
      R"("maxItems":2},"age":{"type":"number","minimum":0,"exclusiveMinimum":true}}})";
  EXPECT_EQ(fault_of(person, R"("id":"ab","tags":[1,2],"age":0.5)"), "");
  EXPECT_EQ(fault_of(person, R"("tags":[])"), " required");
  EXPECT_EQ(fault_of(person, R"("id":7)"), "/id type");
  EXPECT_EQ(fault_of(person, R"("id":"a")"), "/id minLength");
  EXPECT_EQ(fault_of(person, R"("id":"ab","tags":[1,"x"])"), "/tags/1 type");
  EXPECT_EQ(fault_of(person, R"("id":"ab","tags":[1,2,3])"), "/tags maxItems");
  EXPECT_EQ(fault_of(person, R"("id":"ab","age":0)"), "/age minimum");
  EXPECT_THAT(fault_of(person, R"("id":"ab","other":0)"), HasSubstr("additionalProperties"));
}

TEST(JsonSchema, TakesCombinators) {
  const std::string either =
      R"({"anyOf":[{"required":["a"]},{"required":["b"]}],)"
      R"("not":{"required":["c"]},"properties":{"a":{"enum":[1,"x",null]}}})";
  EXPECT_EQ(fault_of(either, R"("b":1)"), "");
  EXPECT_EQ(fault_of(either, R"("a":null)"), "");
  EXPECT_EQ(fault_of(either, R"("d":1)"), " anyOf");
  EXPECT_EQ(fault_of(either, R"("b":1,"c":1)"), " not");
  EXPECT_EQ(fault_of(either, R"("a":2)"), "/a enum");
}

TEST(JsonSchema, DoesNotLookAtEventMetadata) {
  EXPECT_EQ(fault_of(R"({"properties":{"event_metadata":{"type":"string"}}})", R"("a":1)"), "");
  EXPECT_EQ(fault_of(R"({"maxProperties":1})", R"("a":1)"), "");
}

TEST(JsonSchema, RefusesWhatItWouldIgnoreMisreadOrTakeLongFor) {
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"[]", "schema: expected an object"},
      {R"({"pattern":"a"})", "schema/pattern: patterns"},
      {R"({"properties":{"a":{"patternProperties":{}}}})", "schema/properties/a/patternProperties"},
      {R"({"$ref":"#"})", "schema/$ref: references"},
      {R"({"items":{"$ref":"http://x/y"}})", "schema/items/$ref"},
      {R"({"uniqueItems":true})", "schema/uniqueItems"},
      {R"({"const":1})", "schema/const"},
      {R"({"minimun":1})", "schema/minimun: unknown"},
      {R"({"type":"strnig"})", "schema/type"},
      {R"({"type":[]})", "schema/type"},
      {R"({"minimum":"1"})", "schema/minimum"},
      {R"({"exclusiveMinimum":1})", "schema/exclusiveMinimum"},
      {R"({"multipleOf":0})", "schema/multipleOf"},
      {R"({"minLength":-1})", "schema/minLength"},
      {R"({"maxItems":1.5})", "schema/maxItems"},
      {R"({"enum":[]})", "schema/enum"},
      {R"({"required":"a"})", "schema/required"},
      {R"({"required":[1]})", "schema/required"},
      {R"({"properties":[]})", "schema/properties"},
      {R"({"properties":{"a":1}})", "schema/properties/a"},
      {R"({"allOf":{}})", "schema/allOf"},
      {R"({"anyOf":[1]})", "schema/anyOf/0"},
      {R"({"dependencies":{"a":[1]}})", "schema/dependencies/a"}};
  for (const auto& [schema, message] : wrong) {
    EXPECT_THAT(refusal(schema), StartsWith(message)) << schema;
  }
  EXPECT_EQ(refusal(R"({"title":"t","format":"uuid","definitions":{},"x-own":[],"$schema":"s"})"),
            "");
}

std::string nested(std::size_t schemas) {
  std::string text;
  for (std::size_t i = 1; i < schemas; ++i) text += R"({"items":)";
  text += "{}";
  return text + std::string(schemas - 1, '}');
}

TEST(JsonSchema, HasLimits) {
  EXPECT_EQ(refusal(nested(model::kSchemaDepthMax)), "");
  EXPECT_THAT(refusal(nested(model::kSchemaDepthMax + 1)), HasSubstr("nested deeper"));
  const std::string largest =
      R"({"title":")" + std::string(model::kSchemaBytesMax - 12, 't') + R"("})";
  ASSERT_EQ(largest.size(), model::kSchemaBytesMax);
  EXPECT_EQ(refusal(largest), "");
  EXPECT_THAT(refusal(largest + " "), HasSubstr("at most"));
  const auto branches = [](std::size_t count) {
    std::string text = R"({"anyOf":[{})";
    for (std::size_t i = 1; i < count; ++i) text += ",{}";
    return text + "]}";
  };
  EXPECT_EQ(refusal(branches(64)), "");
  EXPECT_THAT(refusal(branches(65)), HasSubstr("more than 64 branches"));
}

}  // namespace
}  // namespace triggerd::api
