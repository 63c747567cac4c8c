// RocksStore: lists, and the counters.
#include <algorithm>
#include <cstdint>
#include <utility>

#include "store/log_rows.h"
#include "store/rocks_database.h"
#include "store/rocks_snapshot.h"

namespace triggerd::store {

using base::ErrorCode;

base::Result<std::optional<model::Counters>> RocksStore::Database::counters() const {
  std::optional<model::Counters> found;
  std::string stored;
  const rocksdb::Status got = rocks->Get({}, columns[kMeta], slice(kCountersKey), &stored);
  if (got.ok()) {
    const base::Result<model::Counters> decoded = decode<model::Counters>(stored);
    if (!decoded.ok()) return decoded.error();
    found = decoded.value();
  } else if (!got.IsNotFound()) {
    return translate(got, "cannot read the counters");
  }
  const std::unique_ptr<rocksdb::Iterator> last(rocks->NewIterator({}, columns[kEvents]));
  last->SeekToLast();
  if (last->Valid()) {
    if (last->key().size() != kEventKeyBytes) {
      return base::Error{ErrorCode::kCorrupt, "stored event has a key of another form"};
    }
    if (!found) found.emplace();
    const model::EventSeq beyond(event_seq_of(view(last->key())).value() + 1);
    found->next_event = std::max(found->next_event, beyond);
  } else if (!last->status().ok()) {
    return translate(last->status(), "cannot read the last event");
  }
  return found;
}

base::Result<ListPage> RocksStore::Database::list_of(const ListDeliveries& query) const {
  const Snapshot snapshot(rocks.get());
  ListPage page;
  rocksdb::ReadOptions read;
  read.snapshot = snapshot.get();
  const std::unique_ptr<rocksdb::Iterator> at(rocks->NewIterator(read, columns[kAttempts]));
  for (const model::WebhookRef webhook : query.webhooks) {
    const std::string beyond = attempt_key(webhook, query.seq, model::kNoAttempt);
    const std::string_view delivery = std::string_view(beyond).substr(0, kAttemptPrefixBytes);
    for (at->SeekForPrev(beyond); at->Valid(); at->Prev()) {
      const std::string_view key = view(at->key());
      if (key.substr(0, kAttemptPrefixBytes) != delivery) break;
      base::Result<model::AttemptRecord> attempt =
          decode_at<model::AttemptRecord>(key, view(at->value()));
      if (!attempt.ok()) return attempt.error();
      page.attempts.push_back(std::move(attempt.value()));
      if (page.attempts.back().number != model::kNoAttempt) break;
    }
    if (!at->status().ok()) return translate(at->status(), "cannot read column attempts");
  }
  const base::Status read_all = for_each(
      kPending, pending_key(query.seq, 0), pending_key(query.seq, UINT32_MAX) + '\0',
      snapshot.get(), [&page](std::string_view key, std::string_view row) -> base::Result<bool> {
        base::Result<model::PendingChunk> chunk = decode_at<model::PendingChunk>(key, row);
        if (!chunk.ok()) return chunk.error();
        page.pending.push_back(std::move(chunk.value()));
        return true;
      });
  if (!read_all.ok()) return read_all.error();
  return page;
}

base::Result<ListPage> RocksStore::Database::list_of(const ListRecentEvents& query) const {
  ListPage page;
  rocksdb::ReadOptions read;
  read.total_order_seek = true;
  read.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> at(rocks->NewIterator(read, columns[kEvents]));
  std::uint64_t looked_at = 0;
  for (at->SeekToLast();
       at->Valid() && looked_at < query.looked_at_max && page.events.size() < query.count_max;
       at->Prev(), ++looked_at) {
    base::Result<model::Event> event = decode_at<model::Event>(view(at->key()), view(at->value()));
    if (!event.ok()) return event.error();
    if (event.value().org != query.org || event.value().name != query.event_name) continue;
    page.events.push_back(std::make_shared<const model::Event>(std::move(event.value())));
  }
  if (!at->status().ok()) return translate(at->status(), "cannot read column events");
  return page;
}

base::Result<ListPage> RocksStore::Database::list_of(const ListEventsAfter& query) const {
  const Snapshot snapshot(rocks.get());
  rocksdb::ReadOptions read;
  read.snapshot = snapshot.get();
  read.fill_cache = false;
  ListPage page;
  std::size_t bytes = 0;
  std::uint32_t looked_at = 0;
  std::string stored;
  page.is_whole = true;
  const auto each = [&](std::string_view key, std::string_view row) -> base::Result<bool> {
    if (is_full(page, bytes, looked_at, query)) {
      page.is_whole = false;
      return false;
    }
    ++looked_at;
    const base::Result<model::EventSummary> summary = decode_at<model::EventSummary>(key, row);
    if (!summary.ok()) return summary.error();
    const model::EventSeq seq = summary.value().seq;
    page.looked_at_through = seq;
    if (summary.value().trigger_type == model::TriggerType::kEvent) {
      const std::string at = event_key(seq);
      const rocksdb::Status got = rocks->Get(read, columns[kEvents], slice(at), &stored);
      if (!got.ok()) return translate(got, "cannot read a listed event");
      base::Result<model::Event> event = decode_at<model::Event>(at, stored);
      if (!event.ok()) return event.error();
      bytes += event.value().content.size();
      page.events.push_back(std::make_shared<const model::Event>(std::move(event.value())));
    }
    return true;
  };
  const base::Status walked =
      for_each(kOrgEvents, org_event_key(query.org, next_of(query.after)),
               org_event_key(query.org, model::EventSeq(UINT64_MAX)) + '\0', snapshot.get(), each);
  if (!walked.ok()) return walked.error();

  rocksdb::Status got = rocks->Get(read, columns[kMeta], slice(kRetainedFromKey), &stored);
  if (got.IsNotFound()) return page;
  if (!got.ok()) return translate(got, "cannot read how far retention has been");
  if (stored.size() != kEventKeyBytes) {
    return base::Error{ErrorCode::kCorrupt, "stored sequence has another form"};
  }
  page.erased_before = event_seq_of(stored);
  const std::string walked_to = event_key(page.erased_before);
  got = rocks->Get(read, columns[kEvents], slice(walked_to), &stored);
  if (got.IsNotFound()) {
    page.erased_before = next_of(page.erased_before);
  } else if (!got.ok()) {
    return translate(got, "cannot read how far retention has been");
  }
  return page;
}

}  // namespace triggerd::store
