// The store: where a partition's batches become durable, and what a recovery reads back.
//
// Implementations: MemoryStore (tests, simulation), RocksStore (the embedded default); both pass
// tests/conformance. Later a replicated log stands behind the same six methods.
//
// Threads: commit() is called by one thread at a time, and get/list/read_event by one other at the
// same time. scan() comes before either; close() after both.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/output.h"

namespace triggerd::store {

// Is there an event with this id, and which one? (dedup misses, GET of one event)
struct EventKey {
  model::OrgId org;
  model::EventId id;
};
struct EventRow {
  model::EventSeq seq;
  model::WallTime accepted_at;
  std::uint32_t matches = 0;
  bool operator==(const EventRow&) const = default;
};

// The delivery log of one event at some webhooks: for each, the row with the highest number, and
// the stored pending states of the event. Also the pages of parked deliveries (ListPending).
struct ListDeliveries {
  model::EventSeq seq;
  std::vector<model::WebhookRef> webhooks;  // in the order of the event's matches
};
struct ListPending {
  model::WebhookRef webhook;  // only chunks with an entry of it that is not final
  model::EventSeq after;      // chunks with a higher sequence
  std::uint32_t count_max = 100;
};
// The newest events of an organization with this name, newest first.
struct ListRecentEvents {
  model::OrgId org;
  std::string event_name;
  std::uint32_t count_max = 0;
  std::uint64_t looked_at_max = 0;  // events of whoever, so that a rare name does not read them all
};
using ListQuery = std::variant<ListDeliveries, ListPending, ListRecentEvents>;
struct ListPage {
  std::vector<model::AttemptRecord>
      attempts;                              // ListDeliveries: latest of each, absent ones skipped
  std::vector<model::PendingChunk> pending;  // in order of (seq, chunk)
  std::vector<model::EventPtr> events;       // ListRecentEvents
};

class Store {
 public:
  virtual ~Store() = default;

  // Applies the batch whole and returns once it is on stable storage. After a failure its state is
  // unknown, it is never retried in place, and every later commit fails too: the owner drops its
  // state and recovers from a reopened store. kUnavailable: disk full; kInternal: I/O error.
  virtual base::Status commit(const model::Batch& batch) = 0;

  // Nothing when there is no such event.
  virtual base::Result<std::optional<EventRow>> get(const EventKey& key) = 0;

  virtual base::Result<ListPage> list(const ListQuery& query) = 0;

  // Everything a recovery needs, in this order: Counters (once, if ever put), SigningKey,
  // Organization, ApiKey, EventType, Webhook (by ref), Trigger (by generation), PendingChunk (by
  // sequence and chunk, from Counters::first_pending on). Event contents are not part of it.
  // `Counters::next_event` given is beyond every stored event. kCorrupt: a row's checksum or layout
  // is wrong.
  virtual base::Status scan(const std::function<void(model::Record)>& record) = 0;

  // The whole event; nullptr when it is not there (any more).
  virtual base::Result<model::EventPtr> read_event(model::EventSeq seq) = 0;

  // Flushes and releases; nothing may be called afterwards. Idempotent.
  virtual base::Status close() = 0;
};

}  // namespace triggerd::store
