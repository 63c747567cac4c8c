// What the webhooks of one hook call said, made one answer (CONTRACT A5, B6.4, B6.5). Pure.
#pragma once

#include <string_view>
#include <vector>

#include "engine/model/records.h"
#include "engine/model/request.h"

namespace triggerd::core {

// One of the 36 names that a hook may not set as claims of a token (CONTRACT B6.4).
[[nodiscard]] bool is_reserved_claim(std::string_view name);

// What one webhook came to. Its outcome's `hook` has the claims, or the reason of a veto.
struct HookPart {
  model::WebhookPtr webhook;
  model::Outcome outcome;
  base::Duration duration{0};
};

// `parts` in order of registration: of several webhooks that set a claim, the first one's value
// stands. The same bytes from two of them are no conflict. A veto denies, and so does whatever is
// neither an answer nor a veto from a webhook whose on_failure is closed; the reason is that of the
// first veto, else it names the first such webhook. A denial has no claims.
[[nodiscard]] model::HookReply merge_hook(const std::vector<HookPart>& parts);

}  // namespace triggerd::core
