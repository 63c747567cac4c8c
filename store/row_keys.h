// The key under which each row must stand: a row found elsewhere is damage that its checksum
// misses. Private to the store's sources.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "engine/base/status.h"
#include "store/codec.h"
#include "store/keys.h"

namespace triggerd::store {

inline std::string key_of(const model::Organization& row) {
  return organization_key(row.id);
}
inline std::string key_of(const model::ApiKey& row) {
  return api_key_key(row.org, row.id);
}
inline std::string key_of(const model::EventType& row) {
  return event_type_key(row.org, row.name);
}
inline std::string key_of(const WebhookRow& row) {
  return webhook_key(row.webhook.ref);
}
inline std::string key_of(const model::Trigger& row) {
  return trigger_key(row);
}
inline std::string key_of(const model::SigningKey& row) {
  return signing_key_key(row.kid);
}
inline std::string key_of(const model::Event& row) {
  return event_key(row.seq);
}
inline std::string key_of(const model::PendingChunk& row) {
  return pending_key(row.seq, row.chunk);
}
inline std::string key_of(const model::EventSummary& row) {
  return org_event_key(row.org, row.seq);
}
inline std::string key_of(const model::AttemptRecord& row) {
  return attempt_key(row.webhook, row.seq, row.number);
}
inline std::string key_of(const model::RecoverJob& row) {
  return job_key(row.org, row.id);
}

// Where a parked entry of this row is found from.
inline model::ParkedKey parked_key_of(const model::PendingChunk& chunk,
                                      const model::PendingEntry& entry) {
  if (entry.state != model::DeliveryState::kDelayed) {
    return {entry.webhook, model::ParkedKind::kFresh, {}, chunk.seq};
  }
  return {entry.webhook, model::ParkedKind::kDelayed, std::max(entry.due, model::WallTime()),
          chunk.seq};
}

template <class Record>
base::Result<Record> decode_at(std::string_view key, std::string_view row) {
  base::Result<Record> record = decode<Record>(row);
  if (record.ok() && key_of(record.value()) != key) {
    return base::Error{base::ErrorCode::kCorrupt, "stored row stands under the key of another"};
  }
  return record;
}

}  // namespace triggerd::store
