// Stored rows: the records of engine/model/records.h as bytes, and back.
//
// Every row is framed alike:
//
//   +---------+---------+----------------------------+---------------------+
//   | version | kind    | body: the fields in order  | XXH3 64 of all that |
//   | 1 byte  | 1 byte  |                            | precedes, 8 bytes   |
//   +---------+---------+----------------------------+---------------------+
//
// Fields, little-endian:
//   number   LEB128 of an unsigned integer, in the shortest form
//   signed   LEB128 of the zigzag of a signed integer
//   time     8 bytes, nanoseconds since 1970 (signed)
//   uuid     16 bytes in network order
//   byte     1 byte: an enumerator, or 0 or 1 for a flag
//   text     number (its length), then its bytes
//   list     number (its length), then its elements
//   T?       flag, and the T if it is 1
//   real     8 bytes, IEEE 754 double
//   choice   1 byte, which of the kinds in the order drawn (from 0), then its fields
//
// Bodies are drawn above their fields() in codec.cc. decode() accepts only what encode() can make:
// whatever is cut, changed, longer, or holds an unknown enumerator is kCorrupt.
//
// Change rule: a field is never moved, retyped or dropped within a version. A new field means
// kRowVersion + 1 for that binary, decode() goes on reading the older versions, and samples of the
// older ones stay in tests/data/store_format_*. A bit that was always 0 may come to mean something:
// the rows stay what they were, and a new store format (store/rocks_store) keeps older binaries
// away.
//
// Pure functions; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/records.h"
#include "store/store.h"

namespace triggerd::store {

inline constexpr std::uint8_t kRowVersion = 1;
inline constexpr std::size_t kRowFrameBytes = 1 + 1 + 8;

// Limits of the format, wider than those of model/limits.h: rows outlive a lowered limit.
inline constexpr std::size_t kRowTextBytesMax = std::size_t{64} * 1024;
inline constexpr std::size_t kRowContentBytesMax = std::size_t{64} * 1024 * 1024;
inline constexpr std::size_t kRowListMax = std::size_t{16} * 1024;
inline constexpr std::size_t kRowMatchesMax = std::size_t{1024} * 1024;
inline constexpr std::size_t kRowFilterDepthMax = 32;

// A webhook as it is stored: `webhook.custom_headers` and `webhook.secrets` are not part of the
// row; they are secret, and stand sealed (store/secret_box) in `sealed`. Empty: there are none.
struct WebhookRow {
  model::Webhook webhook;
  std::string sealed;
  bool operator==(const WebhookRow&) const = default;
};
// What is sealed.
struct WebhookSecrets {
  std::vector<model::Header> headers;
  std::vector<model::SigningSecret> signing;
  bool operator==(const WebhookSecrets&) const = default;
};

// Replaces `out` by the row. Requires: every text and list within the limits above.
// Defined for Organization, ApiKey, EventType, Trigger, Event, EventSummary, PendingChunk,
// AttemptRecord, SigningKey, Counters, RecoverJob (all of model), EventRow, WebhookRow and
// WebhookSecrets.
template <class Record>
void encode(const Record& record, std::string& out);

// kCorrupt: `row` is not what encode() makes of a Record; the message names the kind and the fault.
template <class Record>
[[nodiscard]] base::Result<Record> decode(std::string_view row);

}  // namespace triggerd::store
