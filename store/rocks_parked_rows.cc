// RocksStore: the rows behind the lists of parked deliveries (store/parked_rows).
#include <cstdint>
#include <memory>
#include <utility>

#include "store/parked_rows.h"
#include "store/rocks_database.h"
#include "store/rocks_snapshot.h"

namespace triggerd::store {
namespace {

using base::Result;
using base::Status;
using model::EventSeq;

// What is read here is read again soon, and lies beside what is read next: the cache is filled.
class RocksParkedRows final : public ParkedRows {
 public:
  RocksParkedRows(rocksdb::DB* rocks,
                  const std::array<rocksdb::ColumnFamilyHandle*, kColumns>& columns)
      : rocks_(rocks), columns_(columns), snapshot_(rocks) {
    read_.snapshot = snapshot_.get();
  }

  // A queue leaves its erased rows below where it begins: bounds keep them out of the way, and
  // those of the webhooks beside it.
  Status parked_from(const model::ParkedKey& from, const OnParked& each) override {
    const std::string lower = parked_key(from);
    const std::string upper = parked_end_key(from.webhook, from.kind);
    const rocksdb::Slice lower_bound(lower);
    const rocksdb::Slice upper_bound(upper);
    rocksdb::ReadOptions read = read_;
    read.iterate_lower_bound = &lower_bound;
    read.iterate_upper_bound = &upper_bound;
    const std::unique_ptr<rocksdb::Iterator> at(rocks_->NewIterator(read, columns_[kParked]));
    for (at->Seek(lower_bound); at->Valid(); at->Next()) {
      const auto delivery = parked_of(view(at->key()), view(at->value()));
      if (!delivery) {
        return base::Error{base::ErrorCode::kCorrupt, "stored parked delivery has another form"};
      }
      if (!each(*delivery)) return {};
    }
    if (!at->status().ok()) return translate(at->status(), "cannot read column parked");
    return {};
  }

  Result<std::optional<model::PendingChunk>> pending_at(EventSeq seq,
                                                        std::uint32_t chunk) override {
    const std::string key = pending_key(seq, chunk);
    rocksdb::PinnableSlice stored;
    const rocksdb::Status got = rocks_->Get(read_, columns_[kPending], key, &stored);
    if (got.IsNotFound()) return std::optional<model::PendingChunk>();
    if (!got.ok()) return translate(got, "cannot read a pending row");
    Result<model::PendingChunk> found = decode_at<model::PendingChunk>(key, view(stored));
    if (!found.ok()) return found.error();
    return std::optional(std::move(found.value()));
  }

  Result<std::optional<EventSeq>> pending_from(EventSeq first) override {
    const std::string lower = pending_key(first, 0);
    const rocksdb::Slice lower_bound(lower);
    rocksdb::ReadOptions read = read_;
    read.iterate_lower_bound = &lower_bound;
    const std::unique_ptr<rocksdb::Iterator> at(rocks_->NewIterator(read, columns_[kPending]));
    at->Seek(lower_bound);
    if (!at->status().ok()) return translate(at->status(), "cannot read column pending");
    if (!at->Valid()) return std::optional<EventSeq>();
    if (at->key().size() < kEventKeyBytes) {
      return base::Error{base::ErrorCode::kCorrupt, "stored pending row has a key of another form"};
    }
    return std::optional(event_seq_of(view(at->key()).substr(0, kEventKeyBytes)));
  }

  Result<model::EventPtr> event_at(EventSeq seq) override {
    const std::string key = event_key(seq);
    rocksdb::PinnableSlice stored;
    const rocksdb::Status got = rocks_->Get(read_, columns_[kEvents], key, &stored);
    if (got.IsNotFound()) return model::EventPtr();
    if (!got.ok()) return translate(got, "cannot read an event");
    Result<model::Event> event = decode_at<model::Event>(key, view(stored));
    if (!event.ok()) return event.error();
    return model::EventPtr(std::make_shared<const model::Event>(std::move(event.value())));
  }

 private:
  rocksdb::DB* rocks_;
  const std::array<rocksdb::ColumnFamilyHandle*, kColumns>& columns_;
  Snapshot snapshot_;
  rocksdb::ReadOptions read_;
};

}  // namespace

Result<ListPage> RocksStore::Database::list_of(const ListParked& query) const {
  RocksParkedRows rows(rocks.get(), columns);
  return list_parked(rows, query);
}

}  // namespace triggerd::store
