#include "dispatcher/request_builder.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/log.h"

namespace triggerd::dispatcher {
namespace {

// A buffer that grew for one big event is given back behind it.
constexpr std::size_t kClaimsCapacityKept = std::size_t{64} * 1024;

void append_number(std::string& out, std::int64_t number) {
  std::array<char, 20> digits{};
  const std::to_chars_result end =
      std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out.append(digits.data(), end.ptr);
}

void append_uuid(std::string& out, const base::Uuid& uuid) {
  std::array<char, 36> text{};
  uuid.write_to(text.data());
  out.append(text.data(), text.size());
}

bool is_lower_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char character) {
    return (character >= '0' && character <= '9') || (character >= 'a' && character <= 'f');
  });
}

// 00-TRACE(32)-SPAN(16)-FLAGS(2), W3C Trace Context level 1.
bool is_traceparent(std::string_view text) {
  return text.size() == 55 && text.substr(0, 3) == "00-" && is_lower_hex(text.substr(3, 32)) &&
         text[35] == '-' && is_lower_hex(text.substr(36, 16)) && text[52] == '-' &&
         is_lower_hex(text.substr(53, 2));
}

// The same trace and flags, this attempt's own span.
std::string traceparent_of_attempt(std::string_view event_traceparent, base::Random& random) {
  std::uint64_t span = random.next();
  while (span == 0) span = random.next();  // zero is not a span id
  std::string line = "traceparent: ";
  line.append(event_traceparent.substr(0, 36));
  constexpr std::string_view digits = "0123456789abcdef";
  for (int shift = 60; shift >= 0; shift -= 4) line += digits[(span >> shift) & 0xf];
  line.append(event_traceparent.substr(52));
  return line;
}

bool breaks_lines(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char character) {
    const auto byte = static_cast<unsigned char>(character);
    return (byte < 0x20 && byte != '\t') || byte == 0x7f;
  });
}

void append_custom_headers(std::vector<std::string>& lines,
                           const std::vector<model::Header>& headers) {
  for (const model::Header& header : headers) {
    if (header.name.empty() || breaks_lines(header.name)) continue;
    for (const std::string& value : header.values) {
      if (!breaks_lines(value)) lines.push_back(header.name + ": " + value);
    }
  }
}

}  // namespace

RequestBuilder::RequestBuilder(std::string_view issuer, std::shared_ptr<const KeyRing> ring,
                               base::Random& random)
    : signer_(std::move(ring)), random_(random) {
  base::append_json_escaped(issuer_, issuer);
}

HttpCall RequestBuilder::build(const model::StartAttempt& attempt, model::TargetUrl url,
                               base::WallTime now) {
  const model::Event& event = *attempt.event;
  // Of a hook it is the call's: all its webhooks are told of the same subject.
  const base::Uuid subject = event.id.value();
  const std::int64_t issued_at = base::unix_seconds(now);

  HttpCall call;
  call.id = attempt.id;
  call.url = std::move(url);
  call.timeout = attempt.timeout;
  // The whole answer of a hook is looked at before the beginning of it is kept.
  if (attempt.trigger_type == model::TriggerType::kSyncHook) {
    call.answer_bytes_kept = model::kAnswerBytesRead;
  }
  write_claims(attempt, subject, issued_at);
  call.body = signer_.sign(claims_, now);
  if (claims_.capacity() > kClaimsCapacityKept) std::string().swap(claims_);

  std::vector<std::string>& lines = call.headers;
  lines.reserve(5 + attempt.webhook->custom_headers.size());
  lines.emplace_back("Content-Type: application/jwt");
  lines.emplace_back("User-Agent: triggerd/" TRIGGERD_VERSION);
  if (is_traceparent(event.traceparent)) {
    lines.push_back(traceparent_of_attempt(event.traceparent, random_));
  }
  append_uuid(lines.emplace_back("webhook-id: "), subject);
  append_number(lines.emplace_back("webhook-timestamp: "), issued_at);
  append_custom_headers(lines, attempt.webhook->custom_headers);
  return call;
}

// The eleven claims in sorted order, as receivers have seen them.
void RequestBuilder::write_claims(const model::StartAttempt& attempt, const base::Uuid& subject,
                                  std::int64_t issued_at) {
  const model::Event& event = *attempt.event;
  const model::Webhook& webhook = *attempt.webhook;
  const bool hook = attempt.trigger_type == model::TriggerType::kSyncHook;

  std::string& out = claims_;
  out.clear();
  out.reserve(512 + event.content.size() + webhook.target_url.size());
  append_uuid(out.append(R"({"aud":")"), webhook.org.value());
  append_number(out.append(R"(","exp":)"),
                issued_at + (hook ? kSyncHookTokenSeconds : kEventTokenSeconds));
  append_number(out.append(R"(,"iat":)"), issued_at);
  out.append(R"(,"iss":")").append(issuer_);
  append_uuid(out.append(R"(","jti":")"), random_.uuid_v4());
  append_uuid(out.append(R"(","sub":")"), subject);
  base::append_json_escaped(out.append(R"(","target_url":")"), webhook.target_url);
  out.append(R"(","trigger_content":)").append(event.content);
  base::append_json_escaped(out.append(R"(,"trigger_name":")"), event.name);
  out.append(R"(","trigger_type":")").append(hook ? "sync_hook" : "event");
  append_uuid(out.append(R"(","webhook_id":")"), webhook.id.value());
  out.append(R"("})");
}

}  // namespace triggerd::dispatcher
