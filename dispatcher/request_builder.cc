#include "dispatcher/request_builder.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "dispatcher/cloud_event.h"
#include "dispatcher/jwt_claims.h"
#include "dispatcher/wire_text.h"
#include "engine/base/log.h"
#include "engine/model/limits.h"

namespace triggerd::dispatcher {
namespace {

// A buffer that grew for one big event is given back behind it.
constexpr std::size_t kClaimsCapacityKept = std::size_t{64} * 1024;
// Lines of a request besides the custom headers: one allocation in all but the widest case.
constexpr std::size_t kLinesReserved = 6;

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
    : public_url_(issuer), signer_(std::move(ring)), random_(random) {
  base::append_json_escaped(issuer_, issuer);
  while (!public_url_.empty() && public_url_.back() == '/') public_url_.pop_back();
}

HttpCall RequestBuilder::build(const model::StartAttempt& attempt, model::TargetUrl url,
                               base::WallTime now) {
  const model::Event& event = *attempt.event;
  const model::Webhook& webhook = *attempt.webhook;

  HttpCall call;
  call.id = attempt.id;
  call.url = std::move(url);
  call.timeout = attempt.timeout;
  // The whole answer of a hook is looked at before the beginning of it is kept.
  if (attempt.trigger_type == model::TriggerType::kSyncHook) {
    call.answer_bytes_kept = model::kAnswerBytesRead;
  }

  std::vector<std::string>& lines = call.headers;
  lines.reserve(kLinesReserved + webhook.custom_headers.size());
  write_body(call, attempt, now);
  lines.emplace_back("User-Agent: triggerd/" TRIGGERD_VERSION);
  if (is_traceparent(event.traceparent)) {
    lines.push_back(traceparent_of_attempt(event.traceparent, random_));
  }
  constexpr std::string_view id_name = "webhook-id: ";
  constexpr std::string_view timestamp_name = "webhook-timestamp: ";
  std::string id(id_name);
  append_uuid(id, event.id.value());
  std::string timestamp(timestamp_name);
  append_number(timestamp, base::unix_seconds(now));
  const SignedMessage message{std::string_view(id).substr(id_name.size()),
                              std::string_view(timestamp).substr(timestamp_name.size()), call.body};
  std::string signature = webhook_signer_.sign(webhook, message, now);
  lines.push_back(std::move(id));
  lines.push_back(std::move(timestamp));
  if (!signature.empty()) lines.push_back("webhook-signature: " + signature);
  append_custom_headers(lines, webhook.custom_headers);
  return call;
}

void RequestBuilder::write_body(HttpCall& call, const model::StartAttempt& attempt,
                                base::WallTime now) {
  const model::Event& event = *attempt.event;
  switch (model::format_of(attempt.webhook->delivery)) {
    case model::DeliveryFormat::kJwt:
      call.headers.emplace_back("Content-Type: application/jwt");
      call.body = token(attempt, now);
      break;
    case model::DeliveryFormat::kJson:
      call.headers.emplace_back("Content-Type: application/json");
      call.body = event.content;
      break;
    case model::DeliveryFormat::kCloudEvents:
      call.headers.emplace_back("Content-Type: application/cloudevents+json");
      call.body = structured_cloud_event(event, public_url_);
      break;
    case model::DeliveryFormat::kCloudEventsBinary:
      call.headers.emplace_back("Content-Type: application/json");
      append_cloud_event_headers(call.headers, event, public_url_);
      call.body = event.content;
      break;
  }
}

std::string RequestBuilder::token(const model::StartAttempt& attempt, base::WallTime now) {
  write_claims(claims_, attempt, issuer_, random_.uuid_v4(), base::unix_seconds(now));
  std::string token = signer_.sign(claims_, now);
  if (claims_.capacity() > kClaimsCapacityKept) std::string().swap(claims_);
  return token;
}

}  // namespace triggerd::dispatcher
