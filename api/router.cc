#include "api/router.h"

#include <cstddef>
#include <optional>
#include <utility>

#include "api/percent.h"
#include "api/problem.h"
#include "engine/base/assert.h"

namespace triggerd::api {
namespace {

// The first segment of `path`, which is shortened to what follows its slash; nothing at the end.
std::optional<std::string_view> take_segment(std::string_view& path) {
  if (path.empty() || path.front() != '/') return std::nullopt;
  path.remove_prefix(1);
  const std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

bool matches(std::string_view pattern, std::string_view path, PathParameters& parameters) {
  std::size_t found = 0;
  while (true) {
    const std::optional<std::string_view> wanted = take_segment(pattern);
    const std::optional<std::string_view> given = take_segment(path);
    if (!wanted || !given) return !wanted && !given && path.empty();
    if (!wanted->empty() && wanted->front() == '{') {
      if (given->empty()) return false;
      TRIGGERD_ASSERT(found < parameters.size());
      // What cannot be decoded names nothing: the handler will not find it.
      parameters[found++] = percent_decode(*given, Plus::kIsPlus).value_or("");
    } else if (*wanted != *given) {
      return false;
    }
  }
}

HttpResponse method_not_allowed(std::span<const Route> routes, std::string_view path) {
  std::string allowed;
  for (const Route& route : routes) {
    if (route.path != path) continue;
    if (!allowed.empty()) allowed += ", ";
    allowed += word_of(route.method);
    if (route.method == Method::kGet) allowed += ", HEAD";  // served where GET is
  }
  HttpResponse response = problem(405, "this method is not allowed here, only " + allowed);
  response.fields.push_back({"Allow", allowed});
  return response;
}

}  // namespace

std::variant<Matched, HttpResponse> find_route(std::span<const Route> routes, Method method,
                                               std::string_view path) {
  if (method == Method::kHead) method = Method::kGet;
  Matched matched;
  for (const Route& candidate : routes) {
    if (!matches(candidate.path, path, matched.parameters)) continue;
    for (const Route& route : routes) {
      if (route.path == candidate.path && route.method == method) {
        matched.route = &route;
        return matched;
      }
    }
    return method_not_allowed(routes, candidate.path);
  }
  return unknown_route();
}

}  // namespace triggerd::api
