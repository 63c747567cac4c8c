// Requests out of JSON text: with event_reader and cloud_event_reader the place that knows the
// wire's field names (on the way out it is json_writer). CONTRACT A1, A9, B1.2.
//
// A document is validated as a whole before anything of it is believed: grammar, UTF-8, nesting of
// at most kJsonDepthMax, no name twice in one object, numbers that fit into a double or 64 bits.
// Fields that are not known are ignored; values are checked for their type here and for their
// meaning by the core.
//
// Every function returns the faults found, none when the request was filled in. `body` gets
// kJsonPadding spare bytes behind its end if it has none. Any thread; one parser for each.
#pragma once

#include <cstdint>
#include <string>

#include "api/problem.h"
#include "engine/model/request.h"

namespace triggerd::api {

// Absent fields stay absent, for POST too: the core knows which ones are required. Answers only
// faults of the document as a whole; those of its fields go to the core in `draft.faults`.
[[nodiscard]] Faults read_webhook(std::string& body, model::WebhookDraft& draft);

[[nodiscard]] Faults read_organization(std::string& body, model::CreateOrganization& request);

struct ApiKeyDraft {
  std::string name = "api-key";  // when the client gives none; the core wants one
  std::uint8_t scopes = model::kScopesAll;
};
[[nodiscard]] Faults read_api_key(std::string& body, ApiKeyDraft& draft);

// The content of a sync hook: the whole body, a JSON object of at most kEventContentBytesMax. Taken
// byte for byte, without the blanks around it.
[[nodiscard]] Faults read_hook_content(std::string& body, std::string& content);

}  // namespace triggerd::api
