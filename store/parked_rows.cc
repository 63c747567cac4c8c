#include "store/parked_rows.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "engine/model/limits.h"

namespace triggerd::store {
namespace {

using base::Result;
using base::Status;
using model::EventPtr;
using model::EventSeq;
using model::ParkedLoaded;
using model::PendingChunk;

std::uint32_t chunk_of(const ParkedLoaded::Delivery& delivery) {
  return delivery.match / static_cast<std::uint32_t>(model::kPendingChunkEntries);
}

Result<ParkedLoaded::Lane> read_lane(ParkedRows& rows, const model::ReadParked::Lane& asked) {
  ParkedLoaded::Lane lane;
  const bool is_timed = asked.from.kind == model::ParkedKind::kDelayed;
  const Status read = rows.parked_from(asked.from, [&](const ParkedLoaded::Delivery& delivery) {
    if (lane.deliveries.size() >= asked.count_max || (is_timed && delivery.key.due > asked.until)) {
      lane.next = delivery.key;
      return false;
    }
    lane.deliveries.push_back(delivery);
    return true;
  });
  if (!read.ok()) return read.error();
  return lane;
}

// Of all lanes, in the order of their pending rows.
std::vector<ParkedLoaded::Delivery> deliveries_of(const ParkedLoaded& loaded) {
  std::vector<ParkedLoaded::Delivery> all;
  for (const ParkedLoaded::Lane& lane : loaded.lanes) {
    all.insert(all.end(), lane.deliveries.begin(), lane.deliveries.end());
  }
  std::sort(all.begin(), all.end(),
            [](const ParkedLoaded::Delivery& left, const ParkedLoaded::Delivery& right) {
              return std::pair(left.key.seq, left.match) < std::pair(right.key.seq, right.match);
            });
  return all;
}

bool holds(const PendingChunk& chunk, const ParkedLoaded::Delivery& delivery) {
  const std::size_t at = delivery.match % model::kPendingChunkEntries;
  return at < chunk.entries.size() && chunk.entries[at].webhook == delivery.key.webhook &&
         chunk.entries[at].parked;
}

Status read_chunks(ParkedRows& rows, const std::vector<ParkedLoaded::Delivery>& deliveries,
                   std::vector<PendingChunk>& chunks) {
  for (const ParkedLoaded::Delivery& delivery : deliveries) {
    const EventSeq seq = delivery.key.seq;
    const std::uint32_t chunk = chunk_of(delivery);
    if (chunks.empty() || chunks.back().seq != seq || chunks.back().chunk != chunk) {
      Result<std::optional<PendingChunk>> found = rows.pending_at(seq, chunk);
      if (!found.ok()) return found.error();
      if (found.value()) chunks.push_back(*std::move(found.value()));
    }
    if (chunks.empty() || chunks.back().seq != seq || chunks.back().chunk != chunk ||
        !holds(chunks.back(), delivery)) {
      return base::Error{base::ErrorCode::kCorrupt, "parked delivery of event " +
                                                        std::to_string(seq.value()) +
                                                        " is not where its row leads to"};
    }
  }
  return {};
}

// One that cannot be read is left out: whoever needs it asks for it alone, and hears why.
void read_events(ParkedRows& rows, const std::vector<ParkedLoaded::Delivery>& deliveries,
                 std::size_t bytes_max, std::vector<EventPtr>& events) {
  std::size_t bytes = 0;
  std::optional<EventSeq> last;
  for (const ParkedLoaded::Delivery& delivery : deliveries) {
    if (bytes >= bytes_max) return;
    if (last == delivery.key.seq) continue;
    last = delivery.key.seq;
    Result<EventPtr> event = rows.event_at(delivery.key.seq);
    if (!event.ok() || event.value() == nullptr) continue;
    bytes += event.value()->content.size();
    events.push_back(std::move(event.value()));
  }
}

}  // namespace

Result<ListPage> list_parked(ParkedRows& rows, const ListParked& query) {
  ListPage page;
  ParkedLoaded& loaded = page.parked;
  for (const model::ReadParked::Lane& asked : query.what.lanes) {
    Result<ParkedLoaded::Lane> lane = read_lane(rows, asked);
    if (!lane.ok()) return lane.error();
    loaded.lanes.push_back(std::move(lane.value()));
  }
  const std::vector<ParkedLoaded::Delivery> deliveries = deliveries_of(loaded);
  if (Status read = read_chunks(rows, deliveries, loaded.chunks); !read.ok()) return read.error();
  read_events(rows, deliveries, query.bytes_max, loaded.events);
  const Result<std::optional<EventSeq>> first = rows.pending_from(query.what.first_pending);
  if (!first.ok()) return first.error();
  loaded.first_pending = first.value();
  return page;
}

}  // namespace triggerd::store
