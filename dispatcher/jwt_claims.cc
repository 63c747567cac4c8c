#include "dispatcher/jwt_claims.h"

#include <chrono>

#include "dispatcher/wire_text.h"
#include "engine/base/log.h"
#include "engine/model/limits.h"

namespace triggerd::dispatcher {

static_assert(std::chrono::seconds(kEventTokenSeconds) == model::kTokenLifeMax &&
                  kSyncHookTokenSeconds <= kEventTokenSeconds,
              "a key stays published as long as its tokens live");

void write_claims(std::string& out, const model::StartAttempt& attempt, std::string_view issuer,
                  const base::Uuid& token_id, std::int64_t issued_at) {
  const model::Event& event = *attempt.event;
  const model::Webhook& webhook = *attempt.webhook;
  const bool hook = attempt.trigger_type == model::TriggerType::kSyncHook;

  out.clear();
  out.reserve(512 + event.content.size() + webhook.target_url.size());
  append_uuid(out.append(R"({"aud":")"), webhook.org.value());
  append_number(out.append(R"(","exp":)"),
                issued_at + (hook ? kSyncHookTokenSeconds : kEventTokenSeconds));
  append_number(out.append(R"(,"iat":)"), issued_at);
  out.append(R"(,"iss":")").append(issuer);
  append_uuid(out.append(R"(","jti":")"), token_id);
  append_uuid(out.append(R"(","sub":")"), event.id.value());
  base::append_json_escaped(out.append(R"(","target_url":")"), webhook.target_url);
  out.append(R"(","trigger_content":)").append(event.content);
  base::append_json_escaped(out.append(R"(,"trigger_name":")"), event.name);
  out.append(R"(","trigger_type":")").append(hook ? "sync_hook" : "event");
  append_uuid(out.append(R"(","webhook_id":")"), webhook.id.value());
  out.append(R"("})");
}

}  // namespace triggerd::dispatcher
