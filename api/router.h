// Finds the route of a request. A route is a row of the table in routes.cc: what it is reached by,
// what it asks, which function makes a question for the engine of it, and which one shows the
// answer.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "api/api_options.h"
#include "api/auth.h"
#include "api/backend.h"
#include "api/http.h"
#include "engine/base/random.h"
#include "engine/base/time.h"

namespace triggerd::api {

// The values of {…} in a path, in order, percent-decoded.
using PathParameters = std::array<std::string, 2>;

// A request that passed the door. Lives for the call.
struct Call {
  HttpRequest& request;
  const PathParameters& parameters;
  Caller caller;
  Backend& backend;
  base::Random& random;
  base::Now now;
  const ApiOptions& options;
};

// What the cursor in the answer of a list is tied to (log_cursor).
struct ListAsked {
  std::uint32_t limit = 0;
  std::uint64_t query_digest = 0;
  bool as_lines = false;    // NDJSON, with what is left out of a list
  std::string next_path{};  // of the page behind, but for its cursor; with as_lines
};

// A question for the engine.
struct Ask {
  model::Request request;
  std::string api_key;   // text of the key that is being made
  std::string answer{};  // body that was written before the engine was asked
  ListAsked list{};
};
// What a request comes to: an answer at once, or a question.
using Step = std::variant<HttpResponse, Ask>;

// What is needed to show a reply, besides the reply.
struct Audience {
  std::uint8_t scopes = 0;
  std::string api_key;
  std::string answer{};
  ListAsked list{};
};

// Makes a step of a call. May take the body.
using Prepare = Step (*)(Call& call);
// Shows the reply to what was asked; refusals are shown elsewhere. The kind of the reply follows
// from the kind of the request: another one is our mistake.
using Present = HttpResponse (*)(const model::Reply& reply, const Audience& audience);

enum class Body : std::uint8_t {
  kNone,
  kJson,
  kEvents,  // any format of events (event_format.h)
  kSdk,     // JSON, at most kSdkBodyBytesMax, called text/plain by some browsers
};
// Whether the consistency headers are looked at (CONTRACT B7).
enum class Waits : std::uint8_t { kDefault, kAsAsked };

struct Route {
  Method method;
  std::string_view path;  // segments in braces match any one that is not empty
  Access access;
  Body body;
  Waits waits;
  Prepare prepare;
  Present present;  // null when `prepare` always answers at once
};

struct Matched {
  const Route* route = nullptr;
  PathParameters parameters;
};

// The route, or the answer: 404 for a path that no route has, 405 with Allow for one that has other
// methods. The first row whose path matches decides, so literal segments stand above parameters.
// HEAD is served where GET is.
[[nodiscard]] std::variant<Matched, HttpResponse> find_route(std::span<const Route> routes,
                                                             Method method, std::string_view path);

}  // namespace triggerd::api
