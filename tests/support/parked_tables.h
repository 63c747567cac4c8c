// What a store answers to model::ReadParked, from plain tables: for the stores of tests, which
// share no code with those that they stand for.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "engine/base/assert.h"
#include "engine/model/limits.h"
#include "engine/model/output.h"

namespace triggerd::support {

using ParkedTable = std::map<model::ParkedKey, std::uint32_t>;
using PendingKey = std::pair<model::EventSeq, std::uint32_t>;
using PendingTable = std::map<PendingKey, model::PendingChunk>;

// The row that holds a delivery.
inline PendingKey row_of(model::EventSeq seq, std::uint32_t match) {
  return {seq, match / static_cast<std::uint32_t>(model::kPendingChunkEntries)};
}

// Asserts that every parked delivery is one entry that says so, and the other way round.
inline void check_parked(const ParkedTable& parked, const PendingTable& pending) {
  for (const auto& [key, match] : parked) {
    const model::PendingChunk& chunk = pending.at(row_of(key.seq, match));
    const model::PendingEntry& entry = chunk.entries.at(match % model::kPendingChunkEntries);
    const bool is_delayed = entry.state == model::DeliveryState::kDelayed;
    TRIGGERD_ASSERT(entry.parked && entry.webhook == key.webhook);
    TRIGGERD_ASSERT(is_delayed == (key.kind == model::ParkedKind::kDelayed));
    TRIGGERD_ASSERT(!is_delayed || std::max(entry.due, model::WallTime()) == key.due);
  }
  std::size_t marked = 0;
  for (const auto& [key, chunk] : pending) {
    for (const model::PendingEntry& entry : chunk.entries) marked += entry.parked ? 1U : 0U;
  }
  TRIGGERD_ASSERT(marked == parked.size());
}

// `events` is a map from sequences to events.
template <class Events>
model::ParkedLoaded read_parked(const model::ReadParked& what, std::size_t bytes_max,
                                const ParkedTable& parked, const PendingTable& pending,
                                const Events& events) {
  model::ParkedLoaded loaded;
  std::set<PendingKey> rows;
  std::set<model::EventSeq> seqs;
  for (const model::ReadParked::Lane& asked : what.lanes) {
    model::ParkedLoaded::Lane& lane = loaded.lanes.emplace_back();
    for (auto at = parked.lower_bound(asked.from); at != parked.end(); ++at) {
      const auto& [key, match] = *at;
      if (key.webhook != asked.from.webhook || key.kind != asked.from.kind) break;
      const bool is_early = key.kind == model::ParkedKind::kDelayed && key.due > asked.until;
      if (is_early || lane.deliveries.size() >= asked.count_max) {
        lane.next = key;
        break;
      }
      lane.deliveries.push_back({key, match});
      rows.insert(row_of(key.seq, match));
      seqs.insert(key.seq);
    }
  }
  for (const PendingKey& row : rows) loaded.chunks.push_back(pending.at(row));
  std::size_t bytes = 0;
  for (const model::EventSeq seq : seqs) {
    if (bytes >= bytes_max) break;
    const auto event = events.find(seq);
    if (event == events.end()) continue;
    loaded.events.push_back(event->second);
    bytes += event->second->content.size();
  }
  const auto first = pending.lower_bound({what.first_pending, 0});
  if (first != pending.end()) loaded.first_pending = first->first.first;
  return loaded;
}

}  // namespace triggerd::support
