// The document that is served: it has the routes of the router and no other, and is cacheable.
#include <algorithm>
#include <cctype>
#include <set>

#include <simdjson.h>

#include "api/routes.h"
#include "tests/api/routes/api_fixture.h"

namespace triggerd::api {
namespace {

std::string_view name_of(Method method) {
  switch (method) {
    case Method::kGet:
      return "get";
    case Method::kPost:
      return "post";
    case Method::kPut:
      return "put";
    case Method::kPatch:
      return "patch";
    case Method::kDelete:
      return "delete";
    case Method::kOptions:
      return "options";
    default:
      return "another";
  }
}

class OpenApiTest : public ApiTest {
 protected:
  // "get /livez", for each operation.
  std::set<std::string> described() {
    const HttpResponse answer = answer_to(Method::kGet, "/openapi.json", {});
    std::set<std::string> found;
    simdjson::dom::parser parser;
    simdjson::dom::object paths;
    EXPECT_EQ(parser.parse(answer.body)["paths"].get(paths), simdjson::SUCCESS);
    for (const simdjson::dom::key_value_pair path : paths) {
      for (const simdjson::dom::key_value_pair member : path.value.get_object()) {
        if (member.key == "parameters") continue;
        found.insert(std::string(member.key) + " " + std::string(path.key));
      }
    }
    return found;
  }
};

TEST_F(OpenApiTest, the_document_has_the_routes_of_the_router_and_no_other) {
  std::set<std::string> routed;
  for (const Route& route : all_routes()) {
    routed.insert(std::string(name_of(route.method)) + " " + std::string(route.path));
  }
  EXPECT_EQ(described(), routed);
}

TEST_F(OpenApiTest, it_is_served_as_json_and_as_yaml_with_an_entity_tag) {
  for (const char* path : {"/openapi.json", "/openapi.yaml"}) {
    const HttpResponse answer = answer_to(Method::kGet, path, {});
    EXPECT_EQ(answer.status, 200);
    EXPECT_NE(answer.body.find("3.1.0"), std::string::npos);
    EXPECT_EQ(field_of(answer, "Cache-Control"), "public, max-age=300");
    const std::string tag = field_of(answer, "ETag");
    ASSERT_EQ(tag.size(), 66U);
    for (const std::string& known : {tag, "W/" + tag, "\"a\", " + tag, std::string("*")}) {
      const HttpResponse again = answer_to(Method::kGet, path, {{"If-None-Match", known}});
      EXPECT_EQ(again.status, 304) << known;
      EXPECT_EQ(again.body, "");
      EXPECT_EQ(field_of(again, "ETag"), tag);
    }
    EXPECT_EQ(answer_to(Method::kGet, path, {{"If-None-Match", "\"a\""}}).status, 200);
  }
  EXPECT_EQ(answer_to(Method::kGet, "/openapi.json", {}).content_type, "application/json");
  EXPECT_EQ(answer_to(Method::kGet, "/openapi.yaml", {}).content_type, "application/yaml");
}

}  // namespace
}  // namespace triggerd::api
