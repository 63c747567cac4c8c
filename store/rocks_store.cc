#include "store/rocks_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "engine/base/assert.h"
#include "store/codec.h"
#include "store/data_folder.h"
#include "store/keys.h"
#include "store/rocks_options.h"

namespace triggerd::store {
namespace {

using base::ErrorCode;

// Order of the handles; RocksDB wants its "default" column, which stays empty.
enum Column : std::size_t {
  kDefault,
  kRegistry,
  kEvents,
  kEventIds,
  kPending,
  kAttempts,
  kMeta,
  kColumns
};
constexpr std::array<std::string_view, kColumns> kColumnNames = {
    "default",      kRegistryColumn, kEventsColumn, kEventIdsColumn,
    kPendingColumn, kAttemptsColumn, kMetaColumn};

constexpr std::string_view kKeyCheckText = "triggerd";
constexpr std::string_view kKeyCheckPlace = "meta/key_check";

// Where a webhook's secrets stand: a sealed value moved to another webhook does not open.
std::string secrets_place(model::WebhookId id) {
  return "registry/webhook_secrets/" + id.to_string();
}

rocksdb::Slice slice(std::string_view bytes) {
  return {bytes.data(), bytes.size()};
}
std::string_view view(const rocksdb::Slice& bytes) {
  return {bytes.data(), bytes.size()};
}

// The one place where RocksDB's words become ours.
base::Error translate(const rocksdb::Status& status, const std::string& what) {
  ErrorCode code = ErrorCode::kInternal;
  if (status.IsNoSpace() || status.subcode() == rocksdb::Status::kSpaceLimit) {
    code = ErrorCode::kUnavailable;
  } else if (status.IsCorruption()) {
    code = ErrorCode::kCorrupt;
  } else if (status.IsNotFound()) {
    code = ErrorCode::kNotFound;
  }
  return {code, what + ": " + status.ToString()};
}

base::Error newer_format(const std::string& path, std::string_view format) {
  return {ErrorCode::kInvalid, "data folder " + path + " has format " + std::string(format) +
                                   ", this triggerd reads up to " + std::to_string(kStoreFormat) +
                                   "; use a newer triggerd"};
}

// Fails when `text` is no format that this binary reads.
base::Status check_format(const std::string& path, const std::string& text) {
  std::uint32_t format = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), format);
  if (error != std::errc() || end != text.data() + text.size() || format == 0) {
    return base::Error{ErrorCode::kCorrupt, "data folder " + path + " has an unreadable format"};
  }
  if (format > kStoreFormat) return newer_format(path, text);
  return {};
}

// A store with columns this binary does not know is of a newer format; which, says its meta column.
// Opened for reading only: an older binary does not touch a newer store.
base::Error unknown_column(const std::string& path, const std::string& column) {
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  const rocksdb::ColumnFamilyOptions plain;
  const rocksdb::Status status = rocksdb::DB::OpenForReadOnly(
      rocksdb::DBOptions(), path, {{"default", plain}, {std::string(kMetaColumn), plain}}, &handles,
      &opened);
  std::string format;
  if (status.ok()) {
    const std::unique_ptr<rocksdb::DB> database(opened);
    if (!database->Get({}, handles[1], slice(kFormatKey), &format).ok()) format.clear();
    for (rocksdb::ColumnFamilyHandle* handle : handles) {
      if (!database->DestroyColumnFamilyHandle(handle).ok()) format.clear();
    }
  }
  if (!format.empty()) {
    if (base::Status known = check_format(path, format); !known.ok()) return known.error();
  }
  return {ErrorCode::kInvalid, "data folder " + path + " has a column \"" + column +
                                   "\" that this triggerd does not know; use a newer triggerd"};
}

// Columns and values of RocksDB's snapshot are given back.
class Snapshot {
 public:
  explicit Snapshot(rocksdb::DB* database)
      : database_(database), snapshot_(database->GetSnapshot()) {}
  ~Snapshot() { database_->ReleaseSnapshot(snapshot_); }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;
  [[nodiscard]] const rocksdb::Snapshot* get() const { return snapshot_; }

 private:
  rocksdb::DB* database_;
  const rocksdb::Snapshot* snapshot_;
};

bool has_open_entry(const model::PendingChunk& chunk, model::WebhookRef webhook) {
  return std::any_of(chunk.entries.begin(), chunk.entries.end(),
                     [webhook](const model::PendingEntry& entry) {
                       return entry.webhook == webhook && !model::is_final(entry.state);
                     });
}

// The key under which a row must stand: a row found elsewhere is damage that its checksum misses.
std::string key_of(const model::Organization& row) {
  return organization_key(row.id);
}
std::string key_of(const model::ApiKey& row) {
  return api_key_key(row.org, row.id);
}
std::string key_of(const model::EventType& row) {
  return event_type_key(row.org, row.name);
}
std::string key_of(const WebhookRow& row) {
  return webhook_key(row.webhook.ref);
}
std::string key_of(const model::Trigger& row) {
  return trigger_key(row);
}
std::string key_of(const model::SigningKey& row) {
  return signing_key_key(row.kid);
}
std::string key_of(const model::Event& row) {
  return event_key(row.seq);
}
std::string key_of(const model::PendingChunk& row) {
  return pending_key(row.seq, row.chunk);
}
std::string key_of(const model::AttemptRecord& row) {
  return attempt_key(row.webhook, row.seq, row.number);
}

template <class Record>
base::Result<Record> decode_at(std::string_view key, std::string_view row) {
  base::Result<Record> record = decode<Record>(row);
  if (record.ok() && key_of(record.value()) != key) {
    return base::Error{ErrorCode::kCorrupt, "stored row stands under the key of another"};
  }
  return record;
}

}  // namespace

// --- The open database ------------------------------------------------------------------------

struct RocksStore::Database {
  explicit Database(const RocksStoreOptions& options)
      : path(options.path), secrets(*options.secrets) {}
  ~Database() {
    // Handles go before the database; both only release memory here, close() reported errors.
    for (rocksdb::ColumnFamilyHandle* handle : columns) {
      if (handle != nullptr) static_cast<void>(rocks->DestroyColumnFamilyHandle(handle));
    }
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  base::Status open(const RocksStoreOptions& options);
  base::Status check_or_found();
  base::Status check_key();
  [[nodiscard]] base::Result<bool> is_blank() const;

  base::Status add(rocksdb::WriteBatch& batch, const model::Mutation& mutation);
  template <class Record>
  rocksdb::Status put(rocksdb::WriteBatch& batch, Column column, std::string_view key,
                      const Record& record) {
    encode(record, scratch);
    return batch.Put(columns[column], slice(key), scratch);
  }
  rocksdb::Status erase(rocksdb::WriteBatch& batch, Column column, std::string_view key) const {
    return batch.Delete(columns[column], slice(key));
  }
  base::Result<WebhookRow> seal(const model::Webhook& webhook) const;
  base::Result<model::Webhook> unseal(WebhookRow stored) const;

  [[nodiscard]] base::Result<std::optional<model::Counters>> counters() const;
  // Calls `each(key, row)` for the rows of a column from `first` on, before `last` (empty: to the
  // end), until it returns false or an error.
  template <class Each>
  base::Status for_each(Column column, const std::string& first, const std::string& last,
                        const rocksdb::Snapshot* snapshot, Each each) const;
  // Calls `each(Record)` for all rows of one kind in the registry.
  template <class Record, class Each>
  base::Status for_each_registered(char prefix, Each each) const;
  base::Result<ListPage> list_of(const ListDeliveries& query) const;
  base::Result<ListPage> list_of(const ListPending& query) const;
  base::Result<ListPage> list_of(const ListRecentEvents& query) const;

  std::string path;
  SecretBox secrets;
  std::unique_ptr<rocksdb::DB> rocks;
  std::array<rocksdb::ColumnFamilyHandle*, kColumns> columns{};
  // Of the commit thread.
  std::string scratch;  // kept, so that encoding seldom allocates
  bool poisoned = false;
};

base::Status RocksStore::Database::open(const RocksStoreOptions& options) {
  const rocksdb::DBOptions database = database_options(options);
  std::vector<std::string> present;
  if (holds_store(path)) {
    const rocksdb::Status listed = rocksdb::DB::ListColumnFamilies(database, path, &present);
    if (!listed.ok()) return translate(listed, "cannot read data folder " + path);
  }
  for (const std::string& name : present) {
    if (std::find(kColumnNames.begin(), kColumnNames.end(), name) == kColumnNames.end()) {
      return unknown_column(path, name);
    }
  }
  const std::shared_ptr<rocksdb::Cache> cache = rocksdb::NewLRUCache(options.block_cache_bytes);
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const std::string_view name : kColumnNames) {
    descriptors.emplace_back(std::string(name), column_options(name, options, cache));
  }
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(database, path, descriptors, &handles, &opened);
  if (!status.ok()) {
    if (status.IsIOError() && status.ToString().find("/LOCK") != std::string::npos) {
      return base::Error{ErrorCode::kConflict, "data folder " + path +
                                                   " is in use by another process; stop it first, "
                                                   "or give each its own folder"};
    }
    return translate(status, "cannot open data folder " + path);
  }
  rocks.reset(opened);
  TRIGGERD_ASSERT(handles.size() == kColumns);
  std::copy(handles.begin(), handles.end(), columns.begin());
  if (base::Status known = check_or_found(); !known.ok()) return known;
  return check_key();
}

base::Result<bool> RocksStore::Database::is_blank() const {
  for (const rocksdb::ColumnFamilyHandle* column : columns) {
    const std::unique_ptr<rocksdb::Iterator> at(
        rocks->NewIterator({}, const_cast<rocksdb::ColumnFamilyHandle*>(column)));
    at->SeekToFirst();
    if (at->Valid()) return false;
    if (!at->status().ok()) return translate(at->status(), "cannot read data folder " + path);
  }
  return true;
}

// Checks the format of a store, or founds a new one: format and key check in one commit.
base::Status RocksStore::Database::check_or_found() {
  std::string format;
  const rocksdb::Status got = rocks->Get({}, columns[kMeta], slice(kFormatKey), &format);
  if (got.ok()) return check_format(path, format);
  if (!got.IsNotFound()) return translate(got, "cannot read the format of data folder " + path);
  const base::Result<bool> blank = is_blank();
  if (!blank.ok()) return blank.error();
  if (!blank.value()) {
    return base::Error{ErrorCode::kCorrupt, "data folder " + path + " has lost its format"};
  }
  const base::Result<std::string> check = secrets.seal(kKeyCheckText, kKeyCheckPlace);
  if (!check.ok()) return check.error();
  rocksdb::WriteBatch founding;
  rocksdb::Status status =
      founding.Put(columns[kMeta], slice(kFormatKey), std::to_string(kStoreFormat));
  if (status.ok()) status = founding.Put(columns[kMeta], slice(kKeyCheckKey), check.value());
  rocksdb::WriteOptions durable;
  durable.sync = true;
  if (status.ok()) status = rocks->Write(durable, &founding);
  if (!status.ok()) return translate(status, "cannot found a store in data folder " + path);
  return {};
}

// Refuses to start with the wrong key, rather than at the first webhook.
base::Status RocksStore::Database::check_key() {
  std::string sealed;
  const rocksdb::Status got = rocks->Get({}, columns[kMeta], slice(kKeyCheckKey), &sealed);
  if (!got.ok()) return translate(got, "cannot read the key check of data folder " + path);
  const base::Result<std::string> opened = secrets.open(sealed, kKeyCheckPlace);
  if (!opened.ok()) {
    return base::Error{opened.error().code, "data folder " + path + ": " + opened.error().message};
  }
  return {};
}

base::Result<WebhookRow> RocksStore::Database::seal(const model::Webhook& webhook) const {
  WebhookRow stored{webhook, ""};
  if (webhook.custom_headers.empty() && webhook.secrets.empty()) return stored;
  const WebhookSecrets kept{std::exchange(stored.webhook.custom_headers, {}),
                            std::exchange(stored.webhook.secrets, {})};
  std::string plain;
  encode(kept, plain);
  base::Result<std::string> sealed = secrets.seal(plain, secrets_place(webhook.id));
  if (!sealed.ok()) return sealed.error();
  stored.sealed = std::move(sealed.value());
  return stored;
}

base::Result<model::Webhook> RocksStore::Database::unseal(WebhookRow stored) const {
  if (stored.sealed.empty()) return std::move(stored.webhook);
  const std::string place = secrets_place(stored.webhook.id);
  const base::Result<std::string> plain = secrets.open(stored.sealed, place);
  if (!plain.ok()) return base::Error{plain.error().code, place + ": " + plain.error().message};
  base::Result<WebhookSecrets> kept = decode<WebhookSecrets>(plain.value());
  if (!kept.ok()) return kept.error();
  stored.webhook.custom_headers = std::move(kept.value().headers);
  stored.webhook.secrets = std::move(kept.value().signing);
  return std::move(stored.webhook);
}

namespace {

// One alternative per mutation, for std::visit.
template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

}  // namespace

base::Status RocksStore::Database::add(rocksdb::WriteBatch& batch,
                                       const model::Mutation& mutation) {
  base::Status sealing;
  const rocksdb::Status status = std::visit(
      Overloaded{[&](const model::PutOrganization& change) {
                   return put(batch, kRegistry, organization_key(change.organization.id),
                              change.organization);
                 },
                 [&](const model::EraseOrganization& change) {
                   return erase(batch, kRegistry, organization_key(change.org));
                 },
                 [&](const model::PutApiKey& change) {
                   return put(batch, kRegistry, api_key_key(change.key.org, change.key.id),
                              change.key);
                 },
                 [&](const model::EraseApiKey& change) {
                   return erase(batch, kRegistry, api_key_key(change.org, change.id));
                 },
                 [&](const model::PutWebhook& change) {
                   TRIGGERD_ASSERT(change.webhook != nullptr);
                   const base::Result<WebhookRow> stored = seal(*change.webhook);
                   if (!stored.ok()) {
                     sealing = stored.error();
                     return rocksdb::Status::OK();
                   }
                   return put(batch, kRegistry, webhook_key(change.webhook->ref), stored.value());
                 },
                 [&](const model::EraseWebhook& change) {
                   return erase(batch, kRegistry, webhook_key(change.ref));
                 },
                 [&](const model::PutTrigger& change) {
                   return put(batch, kRegistry, trigger_key(change.trigger), change.trigger);
                 },
                 [&](const model::EraseTrigger& change) {
                   return erase(batch, kRegistry, trigger_key(change.trigger));
                 },
                 [&](const model::PutEventType& change) {
                   return put(batch, kRegistry, event_type_key(change.type.org, change.type.name),
                              change.type);
                 },
                 [&](const model::EraseEventType& change) {
                   return erase(batch, kRegistry, event_type_key(change.org, change.name));
                 },
                 [&](const model::PutEvent& change) {
                   TRIGGERD_ASSERT(change.event != nullptr);
                   const model::Event& event = *change.event;
                   rocksdb::Status first = put(batch, kEvents, event_key(event.seq), event);
                   if (!first.ok()) return first;
                   const EventRow found{event.seq, event.accepted_at,
                                        static_cast<std::uint32_t>(event.matches.size())};
                   return put(batch, kEventIds, event_id_key(event.org, event.id), found);
                 },
                 [&](const model::PutPending& change) {
                   return put(batch, kPending, pending_key(change.chunk.seq, change.chunk.chunk),
                              change.chunk);
                 },
                 [&](const model::ErasePending& change) {
                   return erase(batch, kPending, pending_key(change.seq, change.chunk));
                 },
                 [&](const model::PutAttempt& change) {
                   return put(batch, kAttempts, key_of(change.attempt), change.attempt);
                 },
                 [&](const model::PutSigningKey& change) {
                   return put(batch, kRegistry, signing_key_key(change.key.kid), change.key);
                 },
                 [&](const model::EraseSigningKey& change) {
                   return erase(batch, kRegistry, signing_key_key(change.kid));
                 },
                 [&](const model::PutCounters& change) {
                   return put(batch, kMeta, kCountersKey, change.counters);
                 }},
      mutation);
  if (!sealing.ok()) return sealing;
  if (!status.ok()) return translate(status, "cannot build a commit");
  return {};
}

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

template <class Each>
base::Status RocksStore::Database::for_each(Column column, const std::string& first,
                                            const std::string& last,
                                            const rocksdb::Snapshot* snapshot, Each each) const {
  rocksdb::ReadOptions read;
  read.snapshot = snapshot;
  read.total_order_seek = true;
  read.fill_cache = false;
  // Bounds keep the iterator from walking over tombstones outside of what is asked for.
  const rocksdb::Slice lower(first);
  const rocksdb::Slice upper(last);
  read.iterate_lower_bound = &lower;
  if (!last.empty()) read.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> at(rocks->NewIterator(read, columns[column]));
  for (at->Seek(lower); at->Valid(); at->Next()) {
    const base::Result<bool> go_on = each(view(at->key()), view(at->value()));
    if (!go_on.ok()) return go_on.error();
    if (!go_on.value()) return {};
  }
  if (!at->status().ok()) {
    return translate(at->status(), "cannot read column " + std::string(kColumnNames[column]));
  }
  return {};
}

template <class Record, class Each>
base::Status RocksStore::Database::for_each_registered(char prefix, Each each) const {
  const std::string first(1, prefix);
  const std::string last(1, static_cast<char>(prefix + 1));
  return for_each(kRegistry, first, last, nullptr,
                  [&each](std::string_view key, std::string_view stored) -> base::Result<bool> {
                    base::Result<Record> record = decode_at<Record>(key, stored);
                    if (!record.ok()) return record.error();
                    if (base::Status taken = each(std::move(record.value())); !taken.ok()) {
                      return taken.error();
                    }
                    return true;
                  });
}

base::Result<ListPage> RocksStore::Database::list_of(const ListDeliveries& query) const {
  const Snapshot snapshot(rocks.get());
  ListPage page;
  rocksdb::ReadOptions read;
  read.snapshot = snapshot.get();
  const std::unique_ptr<rocksdb::Iterator> at(rocks->NewIterator(read, columns[kAttempts]));
  for (const model::WebhookRef webhook : query.webhooks) {
    const std::string beyond = attempt_key(webhook, query.seq, model::kNoAttempt);
    at->SeekForPrev(beyond);
    if (!at->Valid()) {
      if (!at->status().ok()) return translate(at->status(), "cannot read column attempts");
      continue;
    }
    const std::string_view key = view(at->key());
    const std::string_view delivery = std::string_view(beyond).substr(0, kAttemptPrefixBytes);
    if (key.substr(0, kAttemptPrefixBytes) != delivery) continue;
    base::Result<model::AttemptRecord> attempt =
        decode_at<model::AttemptRecord>(key, view(at->value()));
    if (!attempt.ok()) return attempt.error();
    page.attempts.push_back(std::move(attempt.value()));
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

base::Result<ListPage> RocksStore::Database::list_of(const ListPending& query) const {
  ListPage page;
  if (query.count_max == 0) return page;
  const std::string first = pending_key(query.after, UINT32_MAX) + '\0';
  const base::Status read =
      for_each(kPending, first, "", nullptr,
               [&page, &query](std::string_view key, std::string_view row) -> base::Result<bool> {
                 base::Result<model::PendingChunk> chunk = decode_at<model::PendingChunk>(key, row);
                 if (!chunk.ok()) return chunk.error();
                 if (has_open_entry(chunk.value(), query.webhook)) {
                   page.pending.push_back(std::move(chunk.value()));
                 }
                 return page.pending.size() < query.count_max;
               });
  if (!read.ok()) return read.error();
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

// --- The six methods --------------------------------------------------------------------------

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
        base::Result<model::Webhook> webhook = database.unseal(std::move(stored));
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
