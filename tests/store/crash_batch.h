// What the crashing process commits, and how its survivors are recognised.
#pragma once

#include <cstdint>
#include <string>

#include "store/rocks_store.h"
#include "tests/store/store_samples.h"

namespace triggerd::store::testing {

inline SecretBox crash_secrets() {
  return SecretBox::create(std::array<std::uint8_t, 32>{4, 2}).value();
}

inline RocksStoreOptions crash_options(const std::string& path, const SecretBox& secrets) {
  RocksStoreOptions options;
  options.path = path;
  options.secrets = &secrets;
  // Small, so that tables are written and merged between the kills.
  options.event_buffer_bytes = std::size_t{64} << 10;
  return options;
}

inline model::Event crash_event(std::uint64_t seq) {
  model::Event stored = event(seq);
  for (std::size_t i = 0; i < 8; ++i) {
    base::Uuid uuid = stored.id.value();
    uuid.bytes[i] = static_cast<std::uint8_t>(seq >> (8 * i));
    stored.id = model::EventId(uuid);
  }
  stored.content.append(2048 + seq % 997, static_cast<char>('a' + seq % 26));
  return stored;
}

// Rows in four columns.
inline model::Batch crash_batch(std::uint64_t seq) {
  return batch(put(crash_event(seq)), put(pending(seq, 0)), put(attempt(1, seq, 1)));
}

inline bool crash_batch_is_whole(Store& store, std::uint64_t seq) {
  const model::Event expected = crash_event(seq);
  const auto event = store.read_event(expected.seq);
  const auto row = store.get({expected.org, expected.id});
  const auto page = store.list(ListDeliveries{expected.seq, {model::WebhookRef(1)}});
  return event.ok() && event.value() != nullptr && *event.value() == expected && row.ok() &&
         row.value().has_value() && row.value()->seq == expected.seq && page.ok() &&
         page.value().attempts == std::vector{attempt(1, seq, 1)} &&
         page.value().pending == std::vector{pending(seq, 0)};
}

inline bool crash_batch_is_absent(Store& store, std::uint64_t seq) {
  const model::Event expected = crash_event(seq);
  const auto event = store.read_event(expected.seq);
  const auto row = store.get({expected.org, expected.id});
  const auto page = store.list(ListDeliveries{expected.seq, {model::WebhookRef(1)}});
  return event.ok() && event.value() == nullptr && row.ok() && !row.value().has_value() &&
         page.ok() && page.value().attempts.empty() && page.value().pending.empty();
}

}  // namespace triggerd::store::testing
