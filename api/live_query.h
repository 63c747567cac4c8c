// What a client asks of the live stream: GET /organizations/stream.
#pragma once

#include <optional>
#include <variant>

#include "api/http.h"
#include "api/name_patterns.h"
#include "api/problem.h"
#include "engine/model/records.h"

namespace triggerd::api {

struct LiveQuery {
  bool events = true;
  bool deliveries = true;
  NamePatterns names;
  std::optional<model::EventSeq> after;  // the last position that the client has seen
};

// Query: topics, on, last_event_id; the header Last-Event-ID goes before the last of them.
[[nodiscard]] std::variant<LiveQuery, Faults> read_live_query(const HttpRequest& head);

}  // namespace triggerd::api
