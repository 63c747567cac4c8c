#include "store/keys.h"

#include <cstddef>
#include <cstdint>

#include "engine/base/assert.h"

namespace triggerd::store {
namespace {

template <class Integer>
void append_big_endian(std::string& key, Integer value) {
  for (std::size_t shift = sizeof(Integer) * 8; shift > 0; shift -= 8) {
    key.push_back(static_cast<char>(static_cast<std::uint8_t>(value >> (shift - 8))));
  }
}

template <class Integer>
Integer take_big_endian(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(Integer); ++i) {
    value = (value << 8) | static_cast<std::uint8_t>(bytes[i]);
  }
  bytes.remove_prefix(sizeof(Integer));
  return static_cast<Integer>(value);
}

void append_uuid(std::string& key, const base::Uuid& uuid) {
  for (const std::uint8_t byte : uuid.bytes) key.push_back(static_cast<char>(byte));
}

}  // namespace

std::string organization_key(model::OrgId org) {
  std::string key(1, kOrganizationPrefix);
  append_uuid(key, org.value());
  return key;
}

std::string api_key_key(model::OrgId org, model::ApiKeyId id) {
  std::string key(1, kApiKeyPrefix);
  append_uuid(key, org.value());
  append_uuid(key, id.value());
  return key;
}

std::string webhook_key(model::WebhookRef webhook) {
  std::string key(1, kWebhookPrefix);
  append_big_endian(key, webhook.value());
  return key;
}

std::string event_type_key(model::OrgId org, std::string_view name) {
  std::string key(1, kEventTypePrefix);
  append_uuid(key, org.value());
  key += name;
  return key;
}

std::string trigger_key(const model::Trigger& trigger) {
  std::string key(1, kTriggerPrefix);
  append_uuid(key, trigger.org.value());
  append_big_endian(key, trigger.webhook.value());
  append_big_endian(key, static_cast<std::uint8_t>(trigger.type));
  key += trigger.name;
  return key;
}

std::string signing_key_key(std::string_view kid) {
  std::string key(1, kSigningKeyPrefix);
  key += kid;
  return key;
}

std::string event_key(model::EventSeq seq) {
  std::string key;
  append_big_endian(key, seq.value());
  return key;
}

std::string event_id_key(model::OrgId org, model::EventId id) {
  std::string key;
  key.reserve(32);
  append_uuid(key, org.value());
  append_uuid(key, id.value());
  return key;
}

std::string pending_key(model::EventSeq seq, std::uint32_t chunk) {
  std::string key;
  append_big_endian(key, seq.value());
  append_big_endian(key, chunk);
  return key;
}

std::string attempt_key(model::WebhookRef webhook, model::EventSeq seq, std::uint16_t number) {
  std::string key;
  append_big_endian(key, webhook.value());
  append_big_endian(key, seq.value());
  append_big_endian(key, number);
  return key;
}

std::string parked_key(const model::ParkedKey& parked) {
  const std::int64_t due = parked.due.time_since_epoch().count();
  TRIGGERD_ASSERT(parked.kind == model::ParkedKind::kDelayed ? due >= 0 : due == 0);
  std::string key;
  key.reserve(kParkedKeyBytes);
  append_big_endian(key, parked.webhook.value());
  append_big_endian(key, static_cast<std::uint8_t>(parked.kind));
  append_big_endian(key, static_cast<std::uint64_t>(due));
  append_big_endian(key, parked.seq.value());
  return key;
}

std::string parked_end_key(model::WebhookRef webhook, model::ParkedKind kind) {
  std::string key;
  append_big_endian(key, webhook.value());
  append_big_endian(key, static_cast<std::uint8_t>(static_cast<unsigned>(kind) + 1U));
  return key;
}

std::string parked_row(std::uint32_t match) {
  std::string row;
  append_big_endian(row, match);
  return row;
}

std::string org_event_key(model::OrgId org, model::EventSeq seq) {
  std::string key;
  key.reserve(kOrgEventKeyBytes);
  append_uuid(key, org.value());
  append_big_endian(key, seq.value());
  return key;
}

std::string final_of_webhook_key(model::WebhookRef webhook, model::DeliveryState state,
                                 model::EventSeq seq) {
  std::string key(1, kFinalOfWebhookPrefix);
  append_big_endian(key, webhook.value());
  append_big_endian(key, static_cast<std::uint8_t>(state));
  append_big_endian(key, seq.value());
  return key;
}

std::string final_of_event_key(model::EventSeq seq, model::DeliveryState state,
                               model::WebhookRef webhook) {
  std::string key(1, kFinalOfEventPrefix);
  append_big_endian(key, seq.value());
  append_big_endian(key, static_cast<std::uint8_t>(state));
  append_big_endian(key, webhook.value());
  return key;
}

std::string dead_of_org_key(model::OrgId org, model::EventSeq seq, model::WebhookRef webhook) {
  std::string key(1, kDeadOfOrgPrefix);
  append_uuid(key, org.value());
  append_big_endian(key, seq.value());
  append_big_endian(key, webhook.value());
  return key;
}

std::string job_key(model::OrgId org, model::JobId id) {
  std::string key(1, kJobPrefix);
  append_uuid(key, org.value());
  append_uuid(key, id.value());
  return key;
}

std::string erasure_key(model::OrgId org) {
  std::string key(1, kErasurePrefix);
  append_uuid(key, org.value());
  return key;
}

model::EventSeq event_seq_of(std::string_view key) {
  TRIGGERD_ASSERT(key.size() == kEventKeyBytes);
  return model::EventSeq(take_big_endian<std::uint64_t>(key));
}

model::WebhookRef webhook_ref_of(std::string_view key) {
  TRIGGERD_ASSERT(key.size() == sizeof(std::uint32_t));
  return model::WebhookRef(take_big_endian<std::uint32_t>(key));
}

std::optional<model::ParkedLoaded::Delivery> parked_of(std::string_view key, std::string_view row) {
  if (key.size() != kParkedKeyBytes || row.size() != sizeof(std::uint32_t)) return std::nullopt;
  model::ParkedLoaded::Delivery found;
  found.key.webhook = model::WebhookRef(take_big_endian<std::uint32_t>(key));
  found.key.kind = static_cast<model::ParkedKind>(take_big_endian<std::uint8_t>(key));
  const auto due = take_big_endian<std::uint64_t>(key);
  const bool is_fresh = found.key.kind == model::ParkedKind::kFresh;
  if (!is_fresh && found.key.kind != model::ParkedKind::kDelayed) return std::nullopt;
  if (due > static_cast<std::uint64_t>(INT64_MAX) || (is_fresh && due != 0)) return std::nullopt;
  found.key.due = model::WallTime(base::Duration(static_cast<std::int64_t>(due)));
  found.key.seq = model::EventSeq(take_big_endian<std::uint64_t>(key));
  found.match = take_big_endian<std::uint32_t>(row);
  return found;
}

}  // namespace triggerd::store
