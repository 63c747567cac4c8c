// RocksStore: the rows that retention erases (store/retention).
//
// A step erases what it found in one write of its own, which is not synced: a crash brings back
// what was erased last, and the next pass erases it again. Rows are erased one by one, never by
// range: where many were, the compaction that many erased rows set off gives back the space.
#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <utility>

#include "engine/base/assert.h"
#include "store/retention.h"
#include "store/rocks_database.h"

namespace triggerd::store {
namespace {

using base::Result;
using base::Status;
using model::EventPtr;
using model::EventSeq;

class RocksRetentionRows final : public RetentionRows {
 public:
  RocksRetentionRows(rocksdb::DB* rocks,
                     const std::array<rocksdb::ColumnFamilyHandle*, kColumns>& columns)
      : rocks_(rocks), columns_(columns) {
    rocksdb::ReadOptions read;
    read.total_order_seek = true;
    read.fill_cache = false;
    for (const Column column : {kEvents, kPending, kAttempts, kOrgEvents, kFinals}) {
      at_[column].reset(rocks->NewIterator(read, columns[column]));
    }
  }

  Result<RetentionBounds> bounds(std::uint64_t bytes_max) override;

  Result<EventPtr> event_from(EventSeq from) override {
    if (!seek(kEvents, event_key(from))) return nothing<EventPtr>(kEvents);
    Result<model::Event> event = decode_at<model::Event>(key(kEvents), row(kEvents));
    if (!event.ok()) return event.error();
    walked_to_ = event.value().seq;
    return EventPtr(std::make_shared<const model::Event>(std::move(event.value())));
  }

  Result<EventPtr> event_of(model::OrgId org, EventSeq from) override {
    const std::string first = org_event_key(org, from);
    const std::size_t shared = kOrgEventKeyBytes - kEventKeyBytes;
    if (!seek(kOrgEvents, first) || key(kOrgEvents).substr(0, shared) != first.substr(0, shared)) {
      return nothing<EventPtr>(kOrgEvents);
    }
    const EventSeq seq = event_seq_of(key(kOrgEvents).substr(shared));
    const std::string stored = event_key(seq);
    if (!seek(kEvents, stored) || key(kEvents) != stored) {
      return base::Error{base::ErrorCode::kCorrupt, "stored event summary has no event"};
    }
    Result<model::Event> event = decode_at<model::Event>(key(kEvents), row(kEvents));
    if (!event.ok()) return event.error();
    return EventPtr(std::make_shared<const model::Event>(std::move(event.value())));
  }

  Result<bool> is_pending(EventSeq seq) override {
    if (!seek(kPending, pending_key(seq, 0))) return nothing<bool>(kPending);
    return key(kPending).substr(0, kEventKeyBytes) == event_key(seq);
  }

  Result<bool> has_dead_letter(EventSeq seq) override {
    const std::string first =
        final_of_event_key(seq, model::DeliveryState::kDead, model::WebhookRef(0));
    if (!seek(kFinals, first)) return nothing<bool>(kFinals);
    const std::size_t shared = kFinalOfEventKeyBytes - sizeof(std::uint32_t);
    return key(kFinals).substr(0, shared) == first.substr(0, shared);
  }

  Result<std::uint64_t> erase(const model::Event& event) override;

  void end_erasure(model::OrgId org) override {
    note(writes_.Delete(columns_[kRegistry], erasure_key(org)));
  }

  // Writes what was erased, and how far the walk came.
  Status finish() {
    if (walked_to_ > retained_from_) {
      note(writes_.Put(columns_[kMeta], slice(kRetainedFromKey), event_key(walked_to_)));
    }
    if (!built_.ok()) return translate(built_, "cannot build a retention step");
    if (writes_.Count() == 0) return {};
    const rocksdb::Status written = rocks_->Write({}, &writes_);
    if (!written.ok()) return translate(written, "retention failed");
    return {};
  }

 private:
  [[nodiscard]] Result<EventSeq> kept_by_size(std::uint64_t bytes_max, EventSeq next_event);
  [[nodiscard]] Result<EventSeq> stored_seq(Column column, std::string_view key);
  // Bytes of the events from there on, of those in files.
  [[nodiscard]] std::uint64_t event_bytes(EventSeq from);
  [[nodiscard]] std::uint64_t file_bytes(Column column) {
    std::uint64_t bytes = 0;
    rocks_->GetIntProperty(columns_[column], rocksdb::DB::Properties::kTotalSstFilesSize, &bytes);
    return bytes;
  }

  bool seek(Column column, std::string_view key) {
    at_[column]->Seek(slice(key));
    return at_[column]->Valid();
  }
  [[nodiscard]] std::string_view key(Column column) const { return view(at_[column]->key()); }
  [[nodiscard]] std::string_view row(Column column) const { return view(at_[column]->value()); }
  template <class Value>
  Result<Value> nothing(Column column) const {
    if (at_[column]->status().ok()) return Value{};
    return translate(at_[column]->status(), "retention cannot read");
  }
  void note(const rocksdb::Status& status) {
    if (built_.ok()) built_ = status;
  }

  rocksdb::DB* rocks_;
  const std::array<rocksdb::ColumnFamilyHandle*, kColumns>& columns_;
  std::array<std::unique_ptr<rocksdb::Iterator>, kColumns> at_;
  rocksdb::WriteBatch writes_;
  rocksdb::Status built_;
  EventSeq retained_from_;
  EventSeq walked_to_;
};

Result<EventSeq> RocksRetentionRows::stored_seq(Column column, std::string_view key) {
  std::string stored;
  const rocksdb::Status got = rocks_->Get({}, columns_[column], slice(key), &stored);
  if (got.IsNotFound()) return EventSeq(0);
  if (!got.ok()) return translate(got, "retention cannot read");
  if (stored.size() != kEventKeyBytes) {
    return base::Error{base::ErrorCode::kCorrupt, "stored sequence has another form"};
  }
  return event_seq_of(stored);
}

Result<RetentionBounds> RocksRetentionRows::bounds(std::uint64_t bytes_max) {
  RetentionBounds bounds;
  std::string stored;
  const rocksdb::Status got = rocks_->Get({}, columns_[kMeta], slice(kCountersKey), &stored);
  if (got.ok()) {
    const Result<model::Counters> counters = decode<model::Counters>(stored);
    if (!counters.ok()) return counters.error();
    bounds.next_event = counters.value().next_event;
  } else if (!got.IsNotFound()) {
    return translate(got, "retention cannot read the counters");
  }
  const Result<EventSeq> retained_from = stored_seq(kMeta, kRetainedFromKey);
  if (!retained_from.ok()) return retained_from.error();
  retained_from_ = retained_from.value();

  const std::string first(1, kErasurePrefix);
  const std::unique_ptr<rocksdb::Iterator> at(rocks_->NewIterator({}, columns_[kRegistry]));
  for (at->Seek(first); at->Valid() && view(at->key()).front() == kErasurePrefix; at->Next()) {
    base::Uuid org;
    const std::string_view key = view(at->key()).substr(1);
    if (key.size() != org.bytes.size() || at->value().size() != kEventKeyBytes) {
      return base::Error{base::ErrorCode::kCorrupt, "stored erasure has another form"};
    }
    std::copy(key.begin(), key.end(), org.bytes.begin());
    bounds.erasures.emplace_back(model::OrgId(org), event_seq_of(view(at->value())));
  }
  if (!at->status().ok()) return translate(at->status(), "retention cannot read the registry");
  if (bytes_max == 0) return bounds;
  const Result<EventSeq> kept = kept_by_size(bytes_max, bounds.next_event);
  if (!kept.ok()) return kept.error();
  bounds.kept_by_size = kept.value();
  return bounds;
}

std::uint64_t RocksRetentionRows::event_bytes(EventSeq from) {
  const std::string first = event_key(from);
  const std::string last(kEventKeyBytes + 1, '\xff');
  const rocksdb::Range range{first, last};
  rocksdb::SizeApproximationOptions options;
  // How much of a write buffer a range takes is a guess by the shape of its skip list, which is
  // drawn at random: off by half at times.
  options.include_memtables = false;
  options.files_size_error_margin = 0.1;
  std::uint64_t bytes = 0;
  if (!rocks_->GetApproximateSizes(options, columns_[kEvents], &range, 1, &bytes).ok()) return 0;
  return bytes;
}

// What was erased lies in the files until they are compacted, and the files of the attempts are
// sorted by webhook: so the events that are not erased are measured, and the attempts are taken to
// be to them as all files are.
Result<EventSeq> RocksRetentionRows::kept_by_size(std::uint64_t bytes_max, EventSeq next_event) {
  const auto events = static_cast<double>(file_bytes(kEvents));
  const auto others = static_cast<double>(file_bytes(kAttempts) + file_bytes(kEventIds) +
                                          file_bytes(kOrgEvents) + file_bytes(kFinals));
  const double share = events > 0 ? 1 + others / events : 1;
  const auto is_too_much = [this, share, bytes_max](EventSeq from) {
    return static_cast<double>(event_bytes(from)) * share > static_cast<double>(bytes_max);
  };
  EventSeq low = retained_from_;
  if (!is_too_much(low)) return EventSeq(0);
  EventSeq high = std::max(next_event, low);
  while (low < high) {
    const EventSeq middle(low.value() + (high.value() - low.value()) / 2);
    if (is_too_much(middle)) {
      low = EventSeq(middle.value() + 1);
    } else {
      high = middle;
    }
  }
  return low;
}

Result<std::uint64_t> RocksRetentionRows::erase(const model::Event& event) {
  std::uint64_t attempts = 0;
  for (const model::Match& match : event.matches) {
    const std::string first = attempt_key(match.webhook, event.seq, 0);
    const std::string_view delivery = std::string_view(first).substr(0, kAttemptPrefixBytes);
    for (bool found = seek(kAttempts, first);
         found && key(kAttempts).substr(0, kAttemptPrefixBytes) == delivery;
         at_[kAttempts]->Next(), found = at_[kAttempts]->Valid()) {
      note(writes_.Delete(columns_[kAttempts], slice(key(kAttempts))));
      ++attempts;
    }
    if (!at_[kAttempts]->status().ok()) return nothing<std::uint64_t>(kAttempts);
  }
  const std::string first_final =
      final_of_event_key(event.seq, model::DeliveryState(0), model::WebhookRef(0));
  const std::size_t shared = 1 + kEventKeyBytes;
  for (bool found = seek(kFinals, first_final);
       found && key(kFinals).substr(0, shared) == first_final.substr(0, shared);
       at_[kFinals]->Next(), found = at_[kFinals]->Valid()) {
    // The same key of the webhook's: webhook, state, sequence.
    const std::string_view of_event = key(kFinals);
    std::string of_webhook(1, kFinalOfWebhookPrefix);
    of_webhook.append(of_event.substr(shared + 1)).append(of_event.substr(shared, 1));
    of_webhook.append(of_event.substr(1, kEventKeyBytes));
    note(writes_.Delete(columns_[kFinals], of_webhook));
    note(writes_.Delete(columns_[kFinals], slice(of_event)));
    if (of_event[shared] == static_cast<char>(model::DeliveryState::kDead)) {
      const model::WebhookRef webhook = webhook_ref_of(of_event.substr(shared + 1));
      note(writes_.Delete(columns_[kFinals], dead_of_org_key(event.org, event.seq, webhook)));
    }
  }
  if (!at_[kFinals]->status().ok()) return nothing<std::uint64_t>(kFinals);

  // The id may stand for a later event by now.
  const std::string id = event_id_key(event.org, event.id);
  std::string stored;
  const rocksdb::Status got = rocks_->Get({}, columns_[kEventIds], id, &stored);
  if (got.ok()) {
    const Result<EventRow> found = decode<EventRow>(stored);
    if (!found.ok()) return found.error();
    if (found.value().seq == event.seq) note(writes_.Delete(columns_[kEventIds], id));
  } else if (!got.IsNotFound()) {
    return translate(got, "retention cannot read an event id");
  }
  note(writes_.Delete(columns_[kOrgEvents], org_event_key(event.org, event.seq)));
  note(writes_.Delete(columns_[kEvents], event_key(event.seq)));
  return attempts;
}

}  // namespace

Result<RetentionProgress> RocksStore::Database::retain(const RetentionStep& step) {
  RocksRetentionRows rows(rocks.get(), columns);
  Result<RetentionProgress> progress = retain_step(rows, step);
  if (!progress.ok()) return progress;
  if (Status written = rows.finish(); !written.ok()) return written.error();
  return progress;
}

}  // namespace triggerd::store
