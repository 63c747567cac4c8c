#include "api/openapi_handlers.h"

#include <cstddef>
#include <string>
#include <string_view>

// cmake/embed_file.cmake puts them there.
extern "C" {
extern const char kOpenApiJson[];
extern const char kOpenApiJsonEnd[];
extern const char kOpenApiJsonSha256[];
extern const char kOpenApiYaml[];
extern const char kOpenApiYamlEnd[];
extern const char kOpenApiYamlSha256[];
}

namespace triggerd::api {
namespace {

struct Document {
  std::string_view text;
  std::string_view sha256;
  std::string_view content_type;
};

// Is `tag` (with its quotes) in the list? W/ before a tag does not matter here (RFC 9110, 13.1.2).
bool has_tag(std::string_view list, std::string_view tag) {
  return list == "*" || list.find(tag) != std::string_view::npos;
}

HttpResponse show(const HttpRequest& request, const Document& document) {
  const std::string tag = "\"" + std::string(document.sha256) + "\"";
  HttpResponse response;
  response.fields.push_back({"ETag", tag});
  response.fields.push_back({"Cache-Control", "public, max-age=300"});
  const std::string* const known = request.find_field("If-None-Match");
  if (known != nullptr && has_tag(*known, tag)) {
    response.status = 304;
    return response;
  }
  response.content_type = document.content_type;
  response.body = document.text;
  return response;
}

std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

}  // namespace

Step show_openapi_json(Call& call) {
  return show(call.request,
              {between(kOpenApiJson, kOpenApiJsonEnd), kOpenApiJsonSha256, "application/json"});
}

Step show_openapi_yaml(Call& call) {
  return show(call.request,
              {between(kOpenApiYaml, kOpenApiYamlEnd), kOpenApiYamlSha256, "application/yaml"});
}

}  // namespace triggerd::api
