// The store: where a partition's batches become durable, and what a recovery reads back.
//
// Implementations: MemoryStore (tests, simulation), RocksStore (the embedded default); both pass
// tests/conformance. Later a replicated log stands behind the same methods.
//
// Threads: commit() is called by one thread at a time, get/list/read_event by one other at the same
// time, and retain() by a third. scan() comes before all of them; close() after.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/delivery_log.h"
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

// The delivery log of one event at some webhooks: for each, the row with the highest number, behind
// it the last attempt where that row is an end without one, and the stored pending states of the
// event.
struct ListDeliveries {
  model::EventSeq seq;
  std::vector<model::WebhookRef> webhooks;  // in the order of the event's matches
};
// Parked deliveries; model::ReadParked says the rest.
struct ListParked {
  model::ReadParked what;
  std::size_t bytes_max = 0;  // of contents; passed by one event at most
};
// The newest events of an organization with this name, newest first.
struct ListRecentEvents {
  model::OrgId org;
  std::string event_name;
  std::uint32_t count_max = 0;
  std::uint64_t looked_at_max = 0;  // events of whoever, so that a rare name does not read them all
};
// The delivery log of a webhook, newest first.
struct ListLog {
  model::OrgId org;
  model::WebhookRef webhook;
  model::LogFilter filter;
  std::optional<model::LogPosition> position;  // of the page before
  // Deliveries stored as not over, at least as many as there are up to `newest`: when so many were
  // found, the search for them ends. `oldest`: nothing stored as pending lies below.
  model::PendingOfWebhook pending;
  std::uint32_t count_max = 0;
  std::uint32_t looked_at_max = 0;  // rows; at least one step is always made
};
// All attempts of one delivery, newest first, the delivery itself unless there is no trace, and the
// pending row that it shares, where there is one.
struct ListAttempts {
  model::WebhookRef webhook;
  model::EventSeq seq;
};
// The events of an organization, newest first.
struct ListEvents {
  model::OrgId org;
  model::LogFilter filter;
  std::optional<model::LogPosition> position;
  model::EventSeq pending_oldest;  // nothing stored as pending lies below
  std::uint32_t count_max = 0;
  std::uint32_t looked_at_max = 0;
};
// The events of an organization behind a sequence, whole, oldest first; calls of hooks are left
// out.
struct ListEventsAfter {
  model::OrgId org;
  model::EventSeq after;
  std::uint32_t count_max = 0;
  std::size_t bytes_max = 0;        // of contents; passed by the last event at most
  std::uint32_t looked_at_max = 0;  // rows
};
// Deliveries of a webhook that are over in one of these states, oldest first, with their events.
struct ListFinals {
  model::OrgId org;
  model::WebhookRef webhook;
  model::EventSeq after;
  model::WallTime since;
  model::WallTime until;
  std::uint8_t states = 0;  // model::RecoverStates
  std::uint32_t count_max = 0;
  std::uint32_t looked_at_max = 0;
  std::size_t bytes_max = 0;  // of contents; passed by one event at most
};
// The dead letters of an organization or of one of its webhooks, newest first.
struct ListDead {
  model::OrgId org;
  std::optional<model::WebhookRef> webhook;
  model::LogFilter filter;
  std::optional<model::DeadLetterPosition> position;
  std::uint32_t count_max = 0;
  std::uint32_t looked_at_max = 0;
  bool with_events = false;
  std::size_t bytes_max = 0;  // as above
};
using ListQuery = std::variant<ListDeliveries, ListParked, ListRecentEvents, ListLog, ListAttempts,
                               ListEvents, ListEventsAfter, ListFinals, ListDead>;
struct ListPage {
  std::vector<model::AttemptRecord>
      attempts;                              // ListDeliveries: latest of each, absent ones skipped
  std::vector<model::PendingChunk> pending;  // in order of (seq, chunk)
  std::vector<model::EventPtr> events;       // ListRecentEvents, ListEventsAfter
  std::vector<model::LoggedDelivery> deliveries;  // ListLog, ListAttempts
  std::vector<model::LoggedEvent> logged_events;  // ListEvents
  std::optional<model::LogPosition> next;         // ListLog, ListEvents: more may follow
  // ListEventsAfter: the last row looked at, and whether it was the last one of all. Retention has
  // been at the events before `erased_before`: some of them may be gone.
  std::optional<model::EventSeq> looked_at_through;
  bool is_whole = false;
  model::EventSeq erased_before;
  model::ParkedLoaded parked;                 // ListParked
  std::vector<model::StoredDelivery> finals;  // ListFinals
  std::optional<model::EventSeq> finals_to;   // ListFinals: looked at so far; more may follow
  std::vector<model::DeadLetter> dead;        // ListDead
  std::optional<model::DeadLetterPosition> dead_next;  // ListDead: more may follow
};

// What is kept no longer, besides what EraseLog named. An event goes with its id, its summary and
// its attempts. It is never one that a pending delivery refers to, nor one of a sequence that might
// be given out again (Counters::next_event); one with a dead letter goes by `dead_before` alone.
struct RetentionRules {
  model::WallTime events_before;  // events accepted before
  model::WallTime dead_before;    // those with a dead letter, too
  std::uint64_t bytes_max = 0;    // of events and attempts, about; 0: no limit. The oldest go first
};
// One bounded piece of a pass over the events, oldest first.
struct RetentionStep {
  RetentionRules rules;
  model::EventSeq from;          // 0, or what the step before gave
  std::uint32_t events_max = 0;  // looked at
};
struct RetentionProgress {
  // Of the next step; nothing: the pass is over. 0 for what EraseLog named, which comes first.
  std::optional<model::EventSeq> from;
  std::uint64_t events = 0;  // erased, as are the next
  std::uint64_t attempts = 0;
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
  // Organization, ApiKey, EventType, Webhook (by ref), Trigger (by generation), RecoverJob,
  // PendingChunk (by sequence and chunk, from Counters::first_pending on). Event contents are not
  // part of it. `Counters::next_event` given is beyond every stored event. kCorrupt: a row's
  // checksum or layout is wrong.
  virtual base::Status scan(const std::function<void(model::Record)>& record) = 0;

  // Does a piece of a retention pass. Not of the batches: nothing rests on it, and what a crash
  // undoes is done again.
  virtual base::Result<RetentionProgress> retain(const RetentionStep& step) = 0;

  // The whole event; nullptr when it is not there (any more).
  virtual base::Result<model::EventPtr> read_event(model::EventSeq seq) = 0;

  // Flushes and releases; nothing may be called afterwards. Idempotent.
  virtual base::Status close() = 0;
};

}  // namespace triggerd::store
