#include "store/rocks_store.h"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "engine/base/assert.h"
#include "store/data_folder.h"
#include "store/rocks_database.h"

namespace triggerd::store {

using base::ErrorCode;

base::Result<std::unique_ptr<RocksStore>> RocksStore::open(const RocksStoreOptions& options) {
  TRIGGERD_ASSERT(options.secrets != nullptr);
  const MissingStore missing =
      options.create_if_missing ? MissingStore::kCreate : MissingStore::kRefuse;
  if (base::Status prepared = prepare_data_folder(options.path, missing); !prepared.ok())
    return prepared.error();
  auto database = std::make_unique<Database>(options);
  if (base::Status opened = database->open(options); !opened.ok()) return opened.error();
  return std::unique_ptr<RocksStore>(new RocksStore(std::move(database)));
}

RocksStore::RocksStore(std::unique_ptr<Database> database) : database_(std::move(database)) {}

RocksStore::~RocksStore() {
  static_cast<void>(close());
}

base::Status RocksStore::commit(const model::Batch& batch) {
  TRIGGERD_ASSERT(database_ != nullptr);
  Database& database = *database_;
  if (database.poisoned) {
    return base::Error{ErrorCode::kUnavailable,
                       "an earlier commit failed; the store must be opened again"};
  }
  if (batch.mutations.empty()) return {};
  rocksdb::WriteBatch writes;
  for (const model::Mutation& mutation : batch.mutations) {
    if (base::Status added = database.add(writes, mutation); !added.ok()) {
      database.poisoned = true;
      return added;
    }
  }
  rocksdb::WriteOptions durable;
  durable.sync = true;
  const rocksdb::Status written = database.rocks->Write(durable, &writes);
  if (!written.ok()) {
    database.poisoned = true;
    return translate(written, "commit failed");
  }
  return {};
}

base::Result<std::optional<EventRow>> RocksStore::get(const EventKey& key) {
  TRIGGERD_ASSERT(database_ != nullptr);
  rocksdb::PinnableSlice stored;
  const rocksdb::Status got = database_->rocks->Get({}, database_->columns[kEventIds],
                                                    event_id_key(key.org, key.id), &stored);
  if (got.IsNotFound()) return std::optional<EventRow>();
  if (!got.ok()) return translate(got, "cannot look up an event id");
  const base::Result<EventRow> found = decode<EventRow>(view(stored));
  if (!found.ok()) return found.error();
  return std::optional<EventRow>(found.value());
}

base::Result<ListPage> RocksStore::list(const ListQuery& query) {
  TRIGGERD_ASSERT(database_ != nullptr);
  return std::visit([this](const auto& what) { return database_->list_of(what); }, query);
}

base::Status RocksStore::scan(const std::function<void(model::Record)>& record) {
  TRIGGERD_ASSERT(database_ != nullptr);
  const Database& database = *database_;
  const base::Result<std::optional<model::Counters>> counters = database.counters();
  if (!counters.ok()) return counters.error();
  if (counters.value()) record(*counters.value());

  const auto hand_over = [&record](auto found) -> base::Status {
    record(std::move(found));
    return {};
  };
  base::Status status =
      database.for_each_registered<model::SigningKey>(kSigningKeyPrefix, hand_over);
  if (!status.ok()) return status;
  status = database.for_each_registered<model::Organization>(kOrganizationPrefix, hand_over);
  if (!status.ok()) return status;
  status = database.for_each_registered<model::ApiKey>(kApiKeyPrefix, hand_over);
  if (!status.ok()) return status;
  status = database.for_each_registered<model::EventType>(kEventTypePrefix, hand_over);
  if (!status.ok()) return status;
  status = database.for_each_registered<WebhookRow>(
      kWebhookPrefix, [&database, &record](WebhookRow stored) -> base::Status {
        base::Result<model::Webhook> webhook = unseal(database.secrets, std::move(stored));
        if (!webhook.ok()) return webhook.error();
        record(std::move(webhook.value()));
        return {};
      });
  if (!status.ok()) return status;

  // Stored by identity, wanted in the order in which they were added.
  std::vector<model::Trigger> triggers;
  status = database.for_each_registered<model::Trigger>(
      kTriggerPrefix, [&triggers](model::Trigger trigger) -> base::Status {
        triggers.push_back(std::move(trigger));
        return {};
      });
  if (!status.ok()) return status;
  std::stable_sort(triggers.begin(), triggers.end(),
                   [](const model::Trigger& left, const model::Trigger& right) {
                     return left.generation < right.generation;
                   });
  for (model::Trigger& trigger : triggers) record(std::move(trigger));
  status = database.for_each_registered<model::RecoverJob>(kJobPrefix, hand_over);
  if (!status.ok()) return status;

  const model::EventSeq first =
      counters.value() ? counters.value()->first_pending : model::EventSeq(0);
  return database.for_each(
      kPending, pending_key(first, 0), "", nullptr,
      [&record](std::string_view key, std::string_view row) -> base::Result<bool> {
        base::Result<model::PendingChunk> chunk = decode_at<model::PendingChunk>(key, row);
        if (!chunk.ok()) return chunk.error();
        record(std::move(chunk.value()));
        return true;
      });
}

base::Result<RetentionProgress> RocksStore::retain(const RetentionStep& step) {
  TRIGGERD_ASSERT(database_ != nullptr);
  return database_->retain(step);
}

base::Result<model::EventPtr> RocksStore::read_event(model::EventSeq seq) {
  TRIGGERD_ASSERT(database_ != nullptr);
  const std::string key = event_key(seq);
  rocksdb::PinnableSlice stored;
  const rocksdb::Status got = database_->rocks->Get({}, database_->columns[kEvents], key, &stored);
  if (got.IsNotFound()) return model::EventPtr();
  if (!got.ok()) return translate(got, "cannot read an event");
  base::Result<model::Event> event = decode_at<model::Event>(key, view(stored));
  if (!event.ok()) return event.error();
  return model::EventPtr(std::make_shared<const model::Event>(std::move(event.value())));
}

base::Status RocksStore::close() {
  if (database_ == nullptr) return {};
  const std::unique_ptr<Database> database = std::move(database_);
  // Of a poisoned store nothing more can be saved, and nothing more was promised.
  if (database->poisoned) return {};
  const rocksdb::Status flushed = database->rocks->FlushWAL(/*sync=*/true);
  if (!flushed.ok()) return translate(flushed, "cannot flush at close");
  return {};
}

}  // namespace triggerd::store
