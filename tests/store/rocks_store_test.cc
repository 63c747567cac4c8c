// What RocksStore promises beyond the conformance suite: refusals, damage, secrets at rest.
#include "store/rocks_store.h"

#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "store/keys.h"
#include "tests/store/raw_store.h"
#include "tests/store/scratch_folder.h"
#include "tests/store/store_samples.h"

namespace triggerd::store::testing {
namespace {

namespace fs = std::filesystem;

// Nothing when it succeeded.
template <class Outcome>
std::optional<base::ErrorCode> code_of(const Outcome& outcome) {
  if (outcome.ok()) return std::nullopt;
  return outcome.error().code;
}

class RocksStoreTest : public ::testing::Test {
 protected:
  [[nodiscard]] RocksStoreOptions options() const {
    RocksStoreOptions options;
    options.path = path();
    options.secrets = &secrets_;
    return options;
  }
  [[nodiscard]] std::string path() const { return folder_.file("store"); }
  std::unique_ptr<RocksStore> open() const {
    base::Result<std::unique_ptr<RocksStore>> opened = RocksStore::open(options());
    if (!opened.ok()) {
      ADD_FAILURE() << opened.error().message;
      return nullptr;
    }
    return std::move(opened.value());
  }
  static base::Error error_of(const RocksStoreOptions& options) {
    const base::Result<std::unique_ptr<RocksStore>> opened = RocksStore::open(options);
    if (!opened.ok()) return opened.error();
    ADD_FAILURE() << "the store was opened";
    return {};
  }
  // One row of every kind.
  void fill() const {
    const auto store = open();
    ASSERT_TRUE(
        store
            ->commit(batch(put(organization(1)), put(api_key(1, 2)), put(webhook(3)),
                           put(trigger(3, "a", 1)), put(signing_key("kid")), put(counters(5, 0)),
                           put(event(4)), put(pending(4, 0)), put(attempt(3, 4, 1))))
            .ok());
  }
  // What of this webhook is parked.
  static ListParked parked_at(std::uint32_t webhook) {
    ListParked query;
    query.what.lanes.push_back(
        {{model::WebhookRef(webhook), model::ParkedKind::kFresh, {}, {}}, {}, 10});
    return query;
  }
  static base::Status scan(Store& store) {
    return store.scan([](const model::Record&) {});
  }
  static unsigned mode_of(const std::string& path) {
    struct stat about {};
    EXPECT_EQ(::stat(path.c_str(), &about), 0);
    return about.st_mode & 07777;
  }
  // The newest write-ahead log.
  [[nodiscard]] fs::path wal() const {
    std::vector<fs::path> logs;
    for (const fs::directory_entry& entry : fs::directory_iterator(path())) {
      if (entry.path().extension() == ".log") logs.push_back(entry.path());
    }
    EXPECT_FALSE(logs.empty());
    return *std::max_element(logs.begin(), logs.end());
  }

  ScratchFolder folder_;
  SecretBox secrets_ = SecretBox::create(std::array<std::uint8_t, 32>{1, 2, 3}).value();
};

// --- Opening ----------------------------------------------------------------------------------

TEST_F(RocksStoreTest, NewFolderIsForItsOwnerAlone) {
  open();
  EXPECT_EQ(mode_of(path()), 0700U);
}

TEST_F(RocksStoreTest, EmptyFolderAndOlderStoreAreClosedToOthers) {
  fs::create_directory(path());
  ASSERT_EQ(::chmod(path().c_str(), 0755), 0);
  open();
  EXPECT_EQ(mode_of(path()), 0700U);
  ASSERT_EQ(::chmod(path().c_str(), 0755), 0);
  open();
  EXPECT_EQ(mode_of(path()), 0700U);
}

TEST_F(RocksStoreTest, FolderOfSomebodyElseIsLeftAlone) {
  fs::create_directory(path());
  std::ofstream(path() + "/letter.txt") << "dear";
  ASSERT_EQ(::chmod(path().c_str(), 0755), 0);
  const base::Error error = error_of(options());
  EXPECT_EQ(error.code, base::ErrorCode::kInvalid);
  EXPECT_NE(error.message.find("chmod 700 " + path()), std::string::npos);
  EXPECT_EQ(mode_of(path()), 0755U);
  EXPECT_EQ(std::distance(fs::directory_iterator(path()), fs::directory_iterator()), 1);
}

TEST_F(RocksStoreTest, MissingStoreIsNotCreatedUnlessAsked) {
  RocksStoreOptions present = options();
  present.create_if_missing = false;
  EXPECT_EQ(error_of(present).code, base::ErrorCode::kNotFound);
  EXPECT_FALSE(fs::exists(path()));
  fs::create_directory(path());
  EXPECT_EQ(error_of(present).code, base::ErrorCode::kNotFound);
  EXPECT_TRUE(fs::is_empty(path()));
  open();
  EXPECT_TRUE(RocksStore::open(present).ok());
}

TEST_F(RocksStoreTest, FileInsteadOfAFolderIsRefused) {
  std::ofstream(path()) << "file";
  EXPECT_EQ(error_of(options()).code, base::ErrorCode::kInvalid);
}

TEST_F(RocksStoreTest, SecondOpenIsRefusedWhileTheFirstLasts) {
  auto first = open();
  const base::Error error = error_of(options());
  EXPECT_EQ(error.code, base::ErrorCode::kConflict);
  EXPECT_NE(error.message.find("in use"), std::string::npos);
  EXPECT_TRUE(first->commit(batch(put(organization(1)))).ok()) << "the first is not disturbed";
  ASSERT_TRUE(first->close().ok());
  open();
}

TEST_F(RocksStoreTest, NewerFormatIsRefusedAndNamed) {
  fill();
  RawStore(path()).put(kMetaColumn, std::string(kFormatKey), "3");
  const base::Error error = error_of(options());
  EXPECT_EQ(error.code, base::ErrorCode::kInvalid);
  EXPECT_EQ(error.message, "data folder " + path() +
                               " has format 3, this triggerd reads up to 2; use a newer triggerd");
}

TEST_F(RocksStoreTest, NewerFormatWithUnknownColumnsIsRefusedAndNamed) {
  fill();
  RawStore(path(), "ledger").put(kMetaColumn, std::string(kFormatKey), "4");
  EXPECT_NE(error_of(options()).message.find("has format 4, this triggerd reads up to 2"),
            std::string::npos);
}

TEST_F(RocksStoreTest, AStoreOfFormat1BecomesOneOfThis) {
  fill();
  {
    RawStore raw(path());
    raw.drop(kParkedColumn);
    raw.put(kMetaColumn, std::string(kFormatKey), "1");
  }
  const SecretBox other = SecretBox::create(std::array<std::uint8_t, 32>{9}).value();
  RocksStoreOptions wrong = options();
  wrong.secrets = &other;
  EXPECT_EQ(error_of(wrong).code, base::ErrorCode::kInvalid);
  EXPECT_EQ(RawStore(path()).get(kMetaColumn, std::string(kFormatKey)), "1");
  for (int start = 0; start < 2; ++start) {
    const auto store = open();
    EXPECT_TRUE(scan(*store).ok());
    EXPECT_NE(store->read_event(model::EventSeq(4)).value(), nullptr);
    const auto page = store->list(ListDeliveries{model::EventSeq(4), {model::WebhookRef(3)}});
    ASSERT_TRUE(page.ok());
    EXPECT_EQ(page.value().pending, std::vector<model::PendingChunk>{pending(4, 0)});
    EXPECT_TRUE(store->list(parked_at(3)).value().parked.lanes.at(0).deliveries.empty());
  }
  EXPECT_EQ(RawStore(path()).get(kMetaColumn, std::string(kFormatKey)), "2");
}

TEST_F(RocksStoreTest, UnknownColumnOfTheSameFormatIsRefused) {
  fill();
  { const RawStore raw(path(), "ledger"); }
  const base::Error error = error_of(options());
  EXPECT_EQ(error.code, base::ErrorCode::kInvalid);
  EXPECT_NE(error.message.find("\"ledger\""), std::string::npos);
}

TEST_F(RocksStoreTest, UnreadableOrLostFormatIsCorrupt) {
  fill();
  for (const std::string format : {"", "0", "-1", "1x", " 1", "99999999999"}) {
    RawStore(path()).put(kMetaColumn, std::string(kFormatKey), format);
    EXPECT_EQ(error_of(options()).code, base::ErrorCode::kCorrupt) << format;
  }
  RawStore(path()).erase(kMetaColumn, std::string(kFormatKey));
  EXPECT_EQ(error_of(options()).code, base::ErrorCode::kCorrupt);
}

TEST_F(RocksStoreTest, AnotherKeyIsRefusedAtOpen) {
  open();
  const SecretBox other = SecretBox::create(std::array<std::uint8_t, 32>{9}).value();
  RocksStoreOptions wrong = options();
  wrong.secrets = &other;
  const base::Error error = error_of(wrong);
  EXPECT_EQ(error.code, base::ErrorCode::kInvalid);
  EXPECT_NE(error.message.find(secrets_.key_id()), std::string::npos);
  EXPECT_NE(error.message.find(other.key_id()), std::string::npos);
}

// RocksDB aborts the process when a line of that file cannot be written: on a full disk, say.
TEST_F(RocksStoreTest, RocksDbWritesNoLogFileOfItsOwn) {
  fill();
  for (const fs::directory_entry& entry : fs::directory_iterator(path())) {
    EXPECT_NE(entry.path().filename().string().substr(0, 3), "LOG") << entry.path();
  }
}

// --- Damaged rows -----------------------------------------------------------------------------

struct StoredRow {
  std::string name;
  std::string_view column;
  std::string key;
};

TEST_F(RocksStoreTest, EveryDamagedRowOfARecoveryIsCorrupt) {
  fill();
  const std::vector<StoredRow> rows = {
      {"organization", kRegistryColumn, organization_key(id_of<model::OrgId>(1))},
      {"API key", kRegistryColumn, api_key_key(id_of<model::OrgId>(1), id_of<model::ApiKeyId>(2))},
      {"webhook", kRegistryColumn, webhook_key(model::WebhookRef(3))},
      {"trigger", kRegistryColumn, trigger_key(trigger(3, "a", 1))},
      {"signing key", kRegistryColumn, signing_key_key("kid")},
      {"counters", kMetaColumn, std::string(kCountersKey)},
      {"pending", kPendingColumn, pending_key(model::EventSeq(4), 0)}};
  ASSERT_TRUE(scan(*open()).ok());
  for (const StoredRow& damaged : rows) {
    const std::string row = RawStore(path()).get(damaged.column, damaged.key);
    std::string changed = row;
    changed[changed.size() / 2] = static_cast<char>(changed[changed.size() / 2] ^ 1);
    RawStore(path()).put(damaged.column, damaged.key, changed);
    const base::Status status = scan(*open());
    ASSERT_FALSE(status.ok()) << damaged.name;
    EXPECT_EQ(status.error().code, base::ErrorCode::kCorrupt);
    EXPECT_NE(status.error().message.find(damaged.name), std::string::npos)
        << status.error().message;
    RawStore(path()).put(damaged.column, damaged.key, row);
  }
  EXPECT_TRUE(scan(*open()).ok());
}

TEST_F(RocksStoreTest, DamagedRowsOfReadsAreCorrupt) {
  fill();
  {
    RawStore raw(path());
    raw.put(kEventsColumn, event_key(model::EventSeq(4)), "x");
    raw.put(kEventIdsColumn, event_id_key(event(4).org, event(4).id), "x");
    raw.put(kAttemptsColumn, attempt_key(model::WebhookRef(3), model::EventSeq(4), 2), "x");
    raw.put(kPendingColumn, pending_key(model::EventSeq(7), 0), "x");
    const auto fresh = model::ParkedKind::kFresh;
    raw.put(kParkedColumn, parked_key({model::WebhookRef(1), fresh, {}, model::EventSeq(7)}),
            parked_row(0));
    raw.put(kParkedColumn, parked_key({model::WebhookRef(2), fresh, {}, model::EventSeq(4)}), "x");
  }
  const auto store = open();
  EXPECT_EQ(code_of(store->read_event(model::EventSeq(4))), base::ErrorCode::kCorrupt);
  EXPECT_EQ(code_of(store->get({event(4).org, event(4).id})), base::ErrorCode::kCorrupt);
  EXPECT_EQ(code_of(store->list(ListDeliveries{model::EventSeq(4), {model::WebhookRef(3)}})),
            base::ErrorCode::kCorrupt);
  EXPECT_EQ(code_of(store->list(ListDeliveries{model::EventSeq(7), {}})),
            base::ErrorCode::kCorrupt);
  EXPECT_EQ(code_of(store->list(parked_at(1))), base::ErrorCode::kCorrupt);
  EXPECT_EQ(code_of(store->list(parked_at(2))), base::ErrorCode::kCorrupt);
  EXPECT_TRUE(store->list(parked_at(3)).ok());
}

TEST_F(RocksStoreTest, RowUnderTheKeyOfAnotherIsCorrupt) {
  fill();
  {
    RawStore raw(path());
    raw.put(kRegistryColumn, webhook_key(model::WebhookRef(8)),
            raw.get(kRegistryColumn, webhook_key(model::WebhookRef(3))));
    raw.put(kEventsColumn, event_key(model::EventSeq(5)),
            raw.get(kEventsColumn, event_key(model::EventSeq(4))));
  }
  const auto store = open();
  EXPECT_EQ(code_of(scan(*store)), base::ErrorCode::kCorrupt);
  EXPECT_EQ(code_of(store->read_event(model::EventSeq(5))), base::ErrorCode::kCorrupt);
}

// --- Secrets at rest --------------------------------------------------------------------------

TEST_F(RocksStoreTest, SecretsOfWebhooksAreNowhereInTheFolder) {
  fill();
  open();  // recovery moved the rows from the log to a table
  std::size_t files = 0;
  bool has_found_url = false;
  for (const fs::directory_entry& entry : fs::directory_iterator(path())) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)),
                            std::istreambuf_iterator<char>());
    ++files;
    has_found_url |= bytes.find("receiver.example") != std::string::npos;
    EXPECT_EQ(bytes.find("secret-value-3"), std::string::npos) << entry.path();
    EXPECT_EQ(bytes.find("X-Token"), std::string::npos) << entry.path();
    EXPECT_EQ(bytes.find("signing-secret-"), std::string::npos) << entry.path();
  }
  EXPECT_GT(files, 3U);
  EXPECT_TRUE(has_found_url) << "the search would find what is not sealed";
}

// --- The write-ahead log after a crash ----------------------------------------------------------

// Copies the folder as a crash would leave it: the store is open, its last commit only in the log.
class RocksStoreLogTest : public RocksStoreTest {
 protected:
  void SetUp() override {
    const auto store = open();
    ASSERT_TRUE(store->commit(batch(put(event(1)), put(pending(1, 0)))).ok());
    ASSERT_TRUE(store->commit(batch(put(event(2)), put(pending(2, 0)))).ok());
    bytes_before_last_ = fs::file_size(wal());
    ASSERT_TRUE(store->commit(batch(put(event(3)), put(pending(3, 0)))).ok());
    bytes_ = fs::file_size(wal());
    fs::copy(path(), crashed_, fs::copy_options::recursive);
  }
  // A fresh copy of the crash.
  void crash() const {
    fs::remove_all(path());
    fs::copy(crashed_, path(), fs::copy_options::recursive);
  }

  std::string crashed_ = folder_.file("crashed");
  std::uintmax_t bytes_before_last_ = 0;
  std::uintmax_t bytes_ = 0;
};

TEST_F(RocksStoreLogTest, CutLastCommitIsDroppedWhole) {
  ASSERT_LT(bytes_before_last_, bytes_);
  const std::uintmax_t step = std::max<std::uintmax_t>(1, (bytes_ - bytes_before_last_) / 12);
  for (std::uintmax_t size = bytes_before_last_; size < bytes_; size += step) {
    crash();
    fs::resize_file(wal(), size);
    const auto store = open();
    EXPECT_NE(store->read_event(model::EventSeq(1)).value(), nullptr);
    EXPECT_NE(store->read_event(model::EventSeq(2)).value(), nullptr);
    EXPECT_EQ(store->read_event(model::EventSeq(3)).value(), nullptr) << size;
    EXPECT_EQ(store->get({event(3).org, event(3).id}).value(), std::nullopt);
    EXPECT_TRUE(store->list(ListDeliveries{model::EventSeq(3), {}}).value().pending.empty());
    EXPECT_TRUE(store->commit(batch(put(event(3)))).ok()) << "and it goes on from there";
  }
}

TEST_F(RocksStoreLogTest, WholeLogKeepsEverything) {
  crash();
  EXPECT_NE(open()->read_event(model::EventSeq(3)).value(), nullptr);
}

TEST_F(RocksStoreLogTest, DamageBeforeTheEndRefusesUnlessTheOperatorAcceptsTheLoss) {
  crash();
  {
    std::fstream log(wal(), std::ios::in | std::ios::out | std::ios::binary);
    log.seekg(static_cast<std::streamoff>(bytes_before_last_ - 20));
    const auto byte = static_cast<char>(log.get() ^ 1);
    log.seekp(static_cast<std::streamoff>(bytes_before_last_ - 20));
    log.put(byte);
  }
  const base::Error error = error_of(options());
  EXPECT_EQ(error.code, base::ErrorCode::kCorrupt);
  EXPECT_NE(error.message.find(path()), std::string::npos);
  RocksStoreOptions lossy = options();
  lossy.wal_recovery = WalRecovery::kUpToDamage;
  const base::Result<std::unique_ptr<RocksStore>> opened = RocksStore::open(lossy);
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  EXPECT_NE(opened.value()->read_event(model::EventSeq(1)).value(), nullptr);
  EXPECT_EQ(opened.value()->read_event(model::EventSeq(2)).value(), nullptr);
}

TEST_F(RocksStoreLogTest, MissingTableRefuses) {
  crash();
  { const auto moved_to_tables = open(); }
  for (const fs::directory_entry& entry : fs::directory_iterator(path())) {
    if (entry.path().extension() == ".sst") {
      fs::remove(entry.path());
      break;
    }
  }
  EXPECT_EQ(error_of(options()).code, base::ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace triggerd::store::testing
