#include "api/cors.h"

#include <algorithm>
#include <cstddef>

#include "api/answers.h"
#include "api/problem.h"

namespace triggerd::api {
namespace {

constexpr std::size_t kOriginBytesMax = 512;
constexpr std::size_t kAskedHeadersBytesMax = 1024;

bool is_lower_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool all(std::string_view text, bool (*is_one)(char)) {
  return std::all_of(text.begin(), text.end(), is_one);
}

// token of RFC 9110, 5.6.2, and the separators of a list.
bool is_header_list_byte(char c) {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~, ";
  return is_lower_alnum(c) || (c >= 'A' && c <= 'Z') || others.find(c) != std::string_view::npos;
}

// Nothing when there is none, or what there is is not one origin.
const std::string* origin_of(const HttpRequest& head) {
  const std::string* const origin = head.find_field("Origin");
  return origin != nullptr && is_origin(*origin) && head.count_fields("Origin") == 1 ? origin
                                                                                     : nullptr;
}

bool is_allowed(const std::string& origin, const std::vector<std::string>& allowed) {
  return allowed.empty() || std::find(allowed.begin(), allowed.end(), origin) != allowed.end();
}

}  // namespace

bool is_origin(std::string_view text) {
  if (text == "null") return true;
  if (text.size() > kOriginBytesMax) return false;
  const std::size_t mark = text.find("://");
  if (mark == std::string_view::npos || mark == 0) return false;
  const std::string_view scheme = text.substr(0, mark);
  const auto in_scheme = [](char c) {
    return is_lower_alnum(c) || c == '+' || c == '-' || c == '.';
  };
  if (!all(scheme, in_scheme) || is_digit(scheme.front())) return false;
  std::string_view host = text.substr(mark + 3);
  std::string_view after;
  if (!host.empty() && host.front() == '[') {
    const std::size_t close = host.find(']');
    if (close == std::string_view::npos) return false;
    const auto in_literal = [](char c) {
      return is_digit(c) || (c >= 'a' && c <= 'f') || c == ':' || c == '.';
    };
    if (close == 1 || !all(host.substr(1, close - 1), in_literal)) return false;
    after = host.substr(close + 1);
  } else {
    const auto in_host = [](char c) {
      return is_lower_alnum(c) || c == '-' || c == '.' || c == '_';
    };
    const std::size_t colon = std::min(host.find(':'), host.size());
    if (colon == 0 || !all(host.substr(0, colon), in_host)) return false;
    after = host.substr(colon);
  }
  if (after.empty()) return true;
  const std::string_view port = after.substr(1);
  return after.front() == ':' && !port.empty() && port.size() <= 5 && all(port, is_digit);
}

std::optional<HttpResponse> refuse_origin(const HttpRequest& head,
                                          const std::vector<std::string>& allowed) {
  if (head.count_fields("Origin") == 0) return std::nullopt;
  const std::string* const origin = origin_of(head);
  if (origin == nullptr) {
    return problem(400, "Origin: must be one origin, such as https://shop.example");
  }
  if (is_allowed(*origin, allowed)) return std::nullopt;
  return problem(403, "Origin: pages of this origin may not send events here");
}

HttpResponse answer_preflight(const HttpRequest& head) {
  HttpResponse response = no_content();
  response.fields.push_back({"Access-Control-Allow-Methods", "POST, OPTIONS"});
  const std::string* const asked = head.find_field("Access-Control-Request-Headers");
  const bool plain = asked != nullptr && !asked->empty() &&
                     asked->size() <= kAskedHeadersBytesMax && all(*asked, is_header_list_byte) &&
                     head.count_fields("Access-Control-Request-Headers") == 1;
  response.fields.push_back({"Access-Control-Allow-Headers", plain ? *asked : "Content-Type"});
  response.fields.push_back({"Access-Control-Max-Age", "600"});
  return response;
}

std::vector<HttpField> origin_fields(const HttpRequest& head,
                                     const std::vector<std::string>& allowed) {
  std::vector<HttpField> fields;
  const std::string* const origin = origin_of(head);
  if (origin != nullptr && is_allowed(*origin, allowed)) {
    fields.push_back({"Access-Control-Allow-Origin", *origin});
    fields.push_back({"Access-Control-Allow-Credentials", "true"});
  }
  fields.push_back({"Vary", "Origin"});
  return fields;
}

}  // namespace triggerd::api
