// Deliveries: the stored form, written and read back.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "engine/base/assert.h"
#include "engine/core/deliveries.h"
#include "engine/model/limits.h"

namespace triggerd::core {

using base::Now;
using model::DeliveryState;
using model::ErasePending;
using model::kPendingChunkEntries;
using model::PendingChunk;
using model::PendingEntry;
using model::PutPending;

// --- Writing ----------------------------------------------------------------------------------

void Deliveries::write_rows() {
  const auto before = [this](const DirtyRow& left, const DirtyRow& right) {
    if (left.event != right.event) return events_.at(left.event).seq < events_.at(right.event).seq;
    return left.chunk < right.chunk;
  };
  const auto same = [](const DirtyRow& left, const DirtyRow& right) {
    return left.event == right.event && left.chunk == right.chunk;
  };
  std::sort(dirty_.begin(), dirty_.end(), before);
  dirty_.erase(std::unique(dirty_.begin(), dirty_.end(), same), dirty_.end());
  for (const DirtyRow& row : dirty_) write_row(row);
  dirty_.clear();
  counts_.settle();
  for (const std::uint32_t place : finished_) {
    PendingEvent& event = events_.at(place);
    event.is_leaving = false;
    if (event.open > 0) continue;  // given again, or read back, in this very turn
    if (sweep_at_ == place) sweep_at_ = event.after;
    watch_.over(event.seq, kWholeEvent);
    events_.erase(place);
  }
  finished_.clear();
  ask_parked();
}

void Deliveries::write_row(const DirtyRow& row) {
  const PendingEvent& event = events_.at(row.event);
  const auto first = static_cast<std::uint32_t>(row.chunk * kPendingChunkEntries);
  const std::uint32_t last =
      std::min(event.count, first + static_cast<std::uint32_t>(kPendingChunkEntries));
  PendingChunk chunk;
  bool open = false;
  chunk.entries.reserve(last - first);
  for (std::uint32_t i = first; i < last; ++i) {
    const PendingDelivery& delivery = event.deliveries[i];
    TRIGGERD_ASSERT(delivery.known);
    open = open || !model::is_final(delivery.state);
    chunk.entries.push_back(PendingEntry{delivery.webhook, delivery.generation, delivery.state,
                                         delivery.attempts, delivery.attempts_before, delivery.due,
                                         delivery.place == DeliveryPlace::kParked});
  }
  if (!open) {
    outbox_.put(ErasePending{event.seq, row.chunk});
    return;
  }
  chunk.seq = event.seq;
  chunk.chunk = row.chunk;
  chunk.org = event.org;
  chunk.event_id = event.id;
  chunk.event_name = event.name;
  chunk.matches_in_all = event.count;
  chunk.accepted_at = event.accepted_at;
  if (event.ordering_key) chunk.ordering_key = *event.ordering_key;
  outbox_.put(PutPending{std::move(chunk)});
}

// --- Reading back -----------------------------------------------------------------------------

void Deliveries::load(const PendingChunk& chunk) {
  bool is_resident = false;
  for (std::size_t i = 0; i < chunk.entries.size(); ++i) {
    const PendingEntry& entry = chunk.entries[i];
    if (model::is_final(entry.state)) continue;
    counts_.added(chunk.org, entry.webhook, chunk.seq);
    if (entry.parked) {
      parking_.parked(parked_key(entry.webhook, entry.state, entry.due, chunk.seq),
                      chunk.accepted_at);
    } else {
      is_resident = true;
    }
  }
  // Nobody needs the others in memory.
  if (!is_resident) return;
  PendingEvent& event = events_.at(events_.bring_in(chunk));
  for (const PendingEntry& entry : chunk.entries) {
    if (!model::is_final(entry.state) && !entry.parked) ++event.open;
  }
}

void Deliveries::recovered(Now now) {
  now_ = now;
  for (std::uint32_t place = events_.first(); place != kNoEvent; place = events_.after(place)) {
    const PendingEvent& event = events_.at(place);
    for (std::uint32_t match = 0; match < event.count; ++match) {
      const PendingDelivery& pending = event.deliveries[match];
      if (model::is_final(pending.state) || pending.place == DeliveryPlace::kParked) continue;
      enter(DeliveryRef{place, match});
    }
  }
  parking_.want_all();
  request_sweep();
}

void Deliveries::append_durable_state(std::string& out) const {
  for (std::uint32_t place = events_.first(); place != kNoEvent; place = events_.after(place)) {
    const PendingEvent& event = events_.at(place);
    if (event.open == 0) continue;
    out += "event " + std::to_string(event.seq.value()) + " " + event.id.to_string() + " org " +
           event.org.to_string() + " " + event.name + " accepted " +
           base::to_rfc3339(event.accepted_at) + " matches " + std::to_string(event.count);
    if (event.ordering_key) out += " key " + *event.ordering_key;
    out += "\n";
    for (std::uint32_t match = 0; match < event.count; ++match) {
      const PendingDelivery& delivery = event.deliveries[match];
      if (model::is_final(delivery.state) || delivery.place == DeliveryPlace::kParked) continue;
      out += "  delivery " + std::to_string(match) + " webhook " +
             std::to_string(delivery.webhook.value()) + " generation " +
             std::to_string(delivery.generation.value()) + " attempts " +
             std::to_string(delivery.attempts);
      if (delivery.attempts_before > 0) {
        out += " before " + std::to_string(delivery.attempts_before);
      }
      out += delivery.state == DeliveryState::kReady
                 ? " ready\n"
                 : " due " + base::to_rfc3339(delivery.due) + "\n";
    }
  }
  parking_.append_durable_state(out);
}

}  // namespace triggerd::core
