// Answers as JSON text: one of the two places that know the wire's field names (the other is
// json_reader). Keys are in alphabetical order, lists are never null, text that is not UTF-8 is
// repaired with U+FFFD. CONTRACT B1.2, B2, A3, A6, A7.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/request.h"

namespace triggerd::api {

struct ErrorEntry {
  int status = 500;
  std::string message;
};
// {"errors":[{"httpcode":…,"message":"…"},…]}
[[nodiscard]] std::string write_errors(const std::vector<ErrorEntry>& entries);

// Values of custom headers are secrets of the receiver: whoever may not manage sees "***".
enum class HeaderValues : std::uint8_t { kClear, kMasked };

// All that follow stand in the envelope {"result":…}.
[[nodiscard]] std::string write_webhook(const model::Webhook& webhook, HeaderValues values);
[[nodiscard]] std::string write_webhooks(const std::vector<model::WebhookPtr>& webhooks,
                                         HeaderValues values);
// Objects of trigger_name and trigger_type, and of filter where one is set.
[[nodiscard]] std::string write_triggers(const std::vector<model::Trigger>& triggers);
// {"built_in":…,"description"?:…,"name":…,"schema"?:…}
[[nodiscard]] std::string write_event_type(const model::EventTypeView& event_type);
[[nodiscard]] std::string write_event_types(const std::vector<model::EventTypeView>& event_types);
// {"event_id"?:…,"event_name":…,"failed_field"?:…,"matches":…}
[[nodiscard]] std::string write_trial(const std::vector<model::TrialResult>& results);
// With the first attempts of a reply that waited for them.
[[nodiscard]] std::string write_published(const model::PublishReply& reply);
// A line of a stream, with its LF: {"line":N,"result":{…}} or {"errors":[…],"line":N}
[[nodiscard]] std::string write_published_line(const model::PublishedEvent& event,
                                               std::uint64_t line);
[[nodiscard]] std::string write_line_errors(const std::vector<ErrorEntry>& entries,
                                            std::uint64_t line);
// Flat, with the members of its event type (CONTRACT B1.2).
struct TestEvent {
  model::EventId id;
  std::string name;
  base::WallTime timestamp;
  model::OrgId org;
  std::string person_id;
  std::string authn_method;
  std::string failure_reason;
  std::string window_location;
};
[[nodiscard]] std::string write_test_events(const std::vector<TestEvent>& events);
[[nodiscard]] std::string write_sdk_event(const model::EventId& id);
// `content` is the publisher's own object, byte for byte.
[[nodiscard]] std::string write_event(const model::Event& event,
                                      const std::vector<model::DeliveryView>& deliveries);
// Claims as the webhooks wrote them, byte for byte.
// Of the live stream: an event as it is delivered, with what stands beside its content; how many
// outcomes were left out; a message for people.
[[nodiscard]] std::string write_live_event(const model::Event& event);
[[nodiscard]] std::string write_live_dropped(std::uint64_t deliveries);
[[nodiscard]] std::string write_live_message(std::string_view message);
[[nodiscard]] std::string write_hook(const model::HookReply& reply);
[[nodiscard]] std::string write_organization(const model::Organization& organization);
[[nodiscard]] std::string write_organizations(
    const std::vector<model::Organization>& organizations);
// `text` is the key itself, shown when it is made and never again; empty leaves it out.
[[nodiscard]] std::string write_api_key(const model::ApiKey& key, std::string_view text);
[[nodiscard]] std::string write_api_keys(const std::vector<model::ApiKey>& keys);

// {"created_at":…,"previous_expires_at":…,"public_key":"whpk_…"}; previous_expires_at only while a
// previous secret is valid. Rotated: also "secret":"whsec_…", both as Standard Webhooks writes
// them.
[[nodiscard]] std::string write_rotated_secret(const model::SecretRotated& rotated);
[[nodiscard]] std::string write_secret(const model::SecretReply& secret);
// {"active_from":…,"created_at":…,"kid":…,"leaves_at":…,"state":"waiting"|"active"|"retiring"};
// leaves_at only where a later key is known.
[[nodiscard]] std::string write_signing_key(const model::SigningKeyView& key);
[[nodiscard]] std::string write_signing_keys(const std::vector<model::SigningKeyView>& keys);

// Bare: {"keys":[…]}, ES256 verification keys (RFC 7517).
[[nodiscard]] std::string write_jwks(const std::vector<model::VerificationKey>& keys);
// Bare: {"name":"triggerd","version":"…"}
[[nodiscard]] std::string write_version(std::string_view version);

}  // namespace triggerd::api
