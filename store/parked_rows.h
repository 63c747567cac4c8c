// Lists of parked deliveries, once for every store: what a store must be able to look up, and the
// list made of it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "store/store.h"

namespace triggerd::store {

// Rows of one moment (a snapshot). Borrowed for one list.
class ParkedRows {
 public:
  using OnParked = std::function<bool(const model::ParkedLoaded::Delivery&)>;

  virtual ~ParkedRows() = default;
  // Those of the webhook and kind of `from`, at it and behind it, until `each` returns false.
  virtual base::Status parked_from(const model::ParkedKey& from, const OnParked& each) = 0;
  virtual base::Result<std::optional<model::PendingChunk>> pending_at(model::EventSeq seq,
                                                                      std::uint32_t chunk) = 0;
  // The first sequence at or above this one that has a pending row.
  virtual base::Result<std::optional<model::EventSeq>> pending_from(model::EventSeq first) = 0;
  // The whole event; null when it is not there.
  virtual base::Result<model::EventPtr> event_at(model::EventSeq seq) = 0;
};

// kCorrupt: a delivery is not where its row leads to.
[[nodiscard]] base::Result<ListPage> list_parked(ParkedRows& rows, const ListParked& query);

}  // namespace triggerd::store
