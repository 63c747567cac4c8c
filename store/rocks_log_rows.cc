// RocksStore: the rows behind the lists of the delivery log (store/log_rows).
#include <cstdint>
#include <memory>
#include <utility>

#include "engine/base/assert.h"
#include "store/log_rows.h"
#include "store/rocks_database.h"
#include "store/rocks_snapshot.h"

namespace triggerd::store {
namespace {

using base::Result;
using base::Status;
using model::AttemptRecord;
using model::EventSeq;
using model::WebhookRef;

// Steps back that are cheaper than a new seek.
constexpr int kStepsBackMax = 8;

// Walks one column backwards. Made when it is first needed.
class Backwards {
 public:
  Backwards(rocksdb::DB* rocks, rocksdb::ColumnFamilyHandle* column,
            const rocksdb::Snapshot* snapshot)
      : rocks_(rocks), column_(column), snapshot_(snapshot) {}

  // To the last key below `key`. False: there is none, or status() tells of a failure.
  bool seek_before(std::string_view key) {
    if (at_ == nullptr) {
      rocksdb::ReadOptions read;
      read.snapshot = snapshot_;
      read.total_order_seek = true;
      at_.reset(rocks_->NewIterator(read, column_));
    } else if (key <= last_below_) {
      // Lists go down: the one wanted is usually this one, or just before it.
      int steps = 0;
      for (; at_->Valid() && view(at_->key()) >= key && steps < kStepsBackMax; ++steps) at_->Prev();
      if (!at_->Valid() || view(at_->key()) < key) {
        last_below_ = key;
        return at_->Valid();
      }
    }
    at_->SeekForPrev(slice(key));
    if (at_->Valid() && view(at_->key()) == key) at_->Prev();
    last_below_ = key;
    return at_->Valid();
  }
  bool step_back() {
    last_below_ = at_->key().ToString();
    at_->Prev();
    return at_->Valid();
  }
  [[nodiscard]] std::string_view key() const { return view(at_->key()); }
  [[nodiscard]] std::string_view row() const { return view(at_->value()); }
  [[nodiscard]] Status status() const {
    if (at_->status().ok()) return {};
    return translate(at_->status(), "cannot read the delivery log");
  }

 private:
  rocksdb::DB* rocks_;
  rocksdb::ColumnFamilyHandle* column_;
  const rocksdb::Snapshot* snapshot_;
  std::unique_ptr<rocksdb::Iterator> at_;
  std::string last_below_;  // the position is the last one below it; empty: there is no position
};

class RocksLogRows final : public LogRows {
 public:
  RocksLogRows(rocksdb::DB* rocks,
               const std::array<rocksdb::ColumnFamilyHandle*, kColumns>& columns)
      : rocks_(rocks),
        columns_(columns),
        snapshot_(rocks),
        attempts_(rocks, columns[kAttempts], snapshot_.get()),
        finals_(rocks, columns[kFinals], snapshot_.get()),
        org_events_(rocks, columns[kOrgEvents], snapshot_.get()) {}

  Result<std::optional<AttemptRecord>> attempt_before(WebhookRef webhook,
                                                      EventSeq before) override {
    const std::string beyond = attempt_key(webhook, before, 0);
    if (!attempts_.seek_before(beyond)) return none<AttemptRecord>(attempts_);
    if (attempts_.key().substr(0, kWebhookBytes) !=
        std::string_view(beyond).substr(0, kWebhookBytes)) {
      return std::optional<AttemptRecord>();
    }
    return here(attempts_);
  }

  Status attempts_of(WebhookRef webhook, EventSeq seq, const OnAttempt& each) override {
    const std::string beyond = attempt_key(webhook, EventSeq(seq.value() + 1), 0);
    const std::string delivery = attempt_key(webhook, seq, 0).substr(0, kAttemptPrefixBytes);
    for (bool found = attempts_.seek_before(beyond); found; found = attempts_.step_back()) {
      if (attempts_.key().substr(0, kAttemptPrefixBytes) != delivery) return {};
      Result<std::optional<AttemptRecord>> attempt = here(attempts_);
      if (!attempt.ok()) return attempt.error();
      if (!each(*std::move(attempt.value()))) return {};
    }
    return attempts_.status();
  }

  Status pending_between(EventSeq first, EventSeq before, const OnPending& each) override {
    const std::string lower = pending_key(first, 0);
    const std::string upper = pending_key(before, 0);
    const rocksdb::Slice lower_bound(lower);
    const rocksdb::Slice upper_bound(upper);
    rocksdb::ReadOptions read;
    read.snapshot = snapshot_.get();
    read.total_order_seek = true;
    read.iterate_lower_bound = &lower_bound;
    read.iterate_upper_bound = &upper_bound;
    const std::unique_ptr<rocksdb::Iterator> at(rocks_->NewIterator(read, columns_[kPending]));
    for (at->SeekToLast(); at->Valid(); at->Prev()) {
      const Result<model::PendingChunk> chunk =
          decode_at<model::PendingChunk>(view(at->key()), view(at->value()));
      if (!chunk.ok()) return chunk.error();
      if (!each(chunk.value())) return {};
    }
    if (!at->status().ok()) return translate(at->status(), "cannot read column pending");
    return {};
  }

  Result<std::optional<EventSeq>> final_before(WebhookRef webhook, model::DeliveryState state,
                                               EventSeq before) override {
    const std::string beyond = final_of_webhook_key(webhook, state, before);
    if (!finals_.seek_before(beyond)) return none<EventSeq>(finals_);
    const std::string_view key = finals_.key();
    const std::size_t shared = kFinalOfWebhookKeyBytes - kEventKeyBytes;
    if (key.size() != kFinalOfWebhookKeyBytes ||
        key.substr(0, shared) != std::string_view(beyond).substr(0, shared)) {
      return std::optional<EventSeq>();
    }
    return std::optional<EventSeq>(event_seq_of(key.substr(shared)));
  }

  Result<std::optional<EventSeq>> final_after(WebhookRef webhook, model::DeliveryState state,
                                              EventSeq after) override {
    const std::string first = final_of_webhook_key(webhook, state, EventSeq(after.value() + 1));
    if (upwards_ == nullptr) {
      rocksdb::ReadOptions read;
      read.snapshot = snapshot_.get();
      read.total_order_seek = true;
      upwards_.reset(rocks_->NewIterator(read, columns_[kFinals]));
    }
    upwards_->Seek(slice(first));
    if (!upwards_->Valid()) {
      if (upwards_->status().ok()) return std::optional<EventSeq>();
      return translate(upwards_->status(), "cannot read the delivery log");
    }
    const std::string_view key = view(upwards_->key());
    const std::size_t shared = kFinalOfWebhookKeyBytes - kEventKeyBytes;
    if (key.size() != kFinalOfWebhookKeyBytes ||
        key.substr(0, shared) != std::string_view(first).substr(0, shared)) {
      return std::optional<EventSeq>();
    }
    return std::optional<EventSeq>(event_seq_of(key.substr(shared)));
  }

  Result<std::optional<model::DeadLetterPosition>> dead_before(
      model::OrgId org, const model::DeadLetterPosition& before) override {
    const std::string beyond = dead_of_org_key(org, before.seq, before.webhook);
    if (!finals_.seek_before(beyond)) return none<model::DeadLetterPosition>(finals_);
    const std::string_view key = finals_.key();
    const std::size_t shared = kDeadOfOrgKeyBytes - kEventKeyBytes - sizeof(std::uint32_t);
    if (key.size() != kDeadOfOrgKeyBytes ||
        key.substr(0, shared) != std::string_view(beyond).substr(0, shared)) {
      return std::optional<model::DeadLetterPosition>();
    }
    return std::optional(
        model::DeadLetterPosition{event_seq_of(key.substr(shared, kEventKeyBytes)),
                                  webhook_ref_of(key.substr(shared + kEventKeyBytes))});
  }

  Result<model::EventPtr> event_at(EventSeq seq) override {
    const std::string key = event_key(seq);
    rocksdb::ReadOptions read;
    read.snapshot = snapshot_.get();
    rocksdb::PinnableSlice stored;
    const rocksdb::Status got = rocks_->Get(read, columns_[kEvents], key, &stored);
    if (got.IsNotFound()) return model::EventPtr();
    if (!got.ok()) return translate(got, "cannot read an event");
    Result<model::Event> event = decode_at<model::Event>(key, view(stored));
    if (!event.ok()) return event.error();
    return model::EventPtr(std::make_shared<const model::Event>(std::move(event.value())));
  }

  Result<model::DeliveryCounts> finals_of(EventSeq seq) override {
    model::DeliveryCounts counts;
    const std::string beyond =
        final_of_event_key(EventSeq(seq.value() + 1), model::DeliveryState(0), WebhookRef(0));
    const std::string event = final_of_event_key(seq, model::DeliveryState(0), WebhookRef(0))
                                  .substr(0, kFinalOfEventPrefixBytes);
    for (bool found = finals_.seek_before(beyond); found; found = finals_.step_back()) {
      const std::string_view key = finals_.key();
      if (key.substr(0, kFinalOfEventPrefixBytes) != event) return counts;
      const auto state = static_cast<model::DeliveryState>(key[kFinalOfEventPrefixBytes]);
      ++(state == model::DeliveryState::kDead ? counts.dead : counts.cancelled);
    }
    if (Status status = finals_.status(); !status.ok()) return status.error();
    return counts;
  }

  Result<std::optional<model::EventSummary>> event_before(model::OrgId org,
                                                          EventSeq before) override {
    const std::string beyond = org_event_key(org, before);
    if (!org_events_.seek_before(beyond)) return none<model::EventSummary>(org_events_);
    const std::size_t shared = kOrgEventKeyBytes - kEventKeyBytes;
    if (org_events_.key().substr(0, shared) != std::string_view(beyond).substr(0, shared)) {
      return std::optional<model::EventSummary>();
    }
    Result<model::EventSummary> event =
        decode_at<model::EventSummary>(org_events_.key(), org_events_.row());
    if (!event.ok()) return event.error();
    return std::optional<model::EventSummary>(std::move(event.value()));
  }

 private:
  static constexpr std::size_t kWebhookBytes = 4;
  static constexpr std::size_t kFinalOfEventPrefixBytes = 1 + kEventKeyBytes;

  template <class Row>
  static Result<std::optional<Row>> none(const Backwards& column) {
    if (Status status = column.status(); !status.ok()) return status.error();
    return std::optional<Row>();
  }
  static Result<std::optional<AttemptRecord>> here(const Backwards& column) {
    Result<AttemptRecord> attempt = decode_at<AttemptRecord>(column.key(), column.row());
    if (!attempt.ok()) return attempt.error();
    return std::optional<AttemptRecord>(std::move(attempt.value()));
  }

  rocksdb::DB* rocks_;
  const std::array<rocksdb::ColumnFamilyHandle*, kColumns>& columns_;
  Snapshot snapshot_;
  Backwards attempts_;
  Backwards finals_;
  Backwards org_events_;
  std::unique_ptr<rocksdb::Iterator> upwards_;  // finals, from old to new
};

}  // namespace

Result<ListPage> RocksStore::Database::list_of(const ListLog& query) const {
  RocksLogRows rows(rocks.get(), columns);
  return list_log(rows, query);
}

Result<ListPage> RocksStore::Database::list_of(const ListAttempts& query) const {
  RocksLogRows rows(rocks.get(), columns);
  return list_attempts(rows, query);
}

Result<ListPage> RocksStore::Database::list_of(const ListEvents& query) const {
  RocksLogRows rows(rocks.get(), columns);
  return list_events(rows, query);
}

Result<ListPage> RocksStore::Database::list_of(const ListFinals& query) const {
  RocksLogRows rows(rocks.get(), columns);
  return list_finals(rows, query);
}

Result<ListPage> RocksStore::Database::list_of(const ListDead& query) const {
  RocksLogRows rows(rocks.get(), columns);
  return list_dead(rows, query);
}

}  // namespace triggerd::store
