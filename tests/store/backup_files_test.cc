// The files of a backup: sealed, verified, copied; and what damage comes to. A checkpoint of an
// open store stands in it.
#include "store/backup_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "store/rocks_store.h"
#include "tests/store/scratch_folder.h"
#include "tests/store/store_samples.h"

namespace triggerd::store::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class BackupFilesTest : public ::testing::Test {
 protected:
  BackupFilesTest() : backup_(folder_.file("backup")) {
    fs::create_directories(backup_ + "/store");
    write("store/CURRENT", "MANIFEST-1\n");
    write("store/000012.sst", std::string(3'000'000, 'x'));  // more than a piece
    write("secret.key", "key");
    seal();
  }

  void write(const std::string& file, const std::string& content) const {
    std::ofstream(backup_ + "/" + file, std::ios::binary) << content;
  }
  [[nodiscard]] std::string sums() const {
    std::ifstream file(backup_ + "/SHA256SUMS");
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void seal() const {
    fs::remove(backup_ + "/SHA256SUMS");
    FileProgress progress;
    const auto sealed = seal_backup(backup_, progress);
    ASSERT_TRUE(sealed.ok());
    EXPECT_EQ(sealed.value().files, 3U);
    EXPECT_EQ(sealed.value().bytes, 3'000'014U);
    EXPECT_EQ(progress.bytes_done, progress.bytes_all);
  }
  // Empty when it is good.
  [[nodiscard]] std::string fault() const {
    FileProgress progress;
    const auto verified = verify_backup(backup_, progress);
    return verified.ok() ? "" : verified.error().message;
  }

  ScratchFolder folder_;
  std::string backup_;
};

TEST_F(BackupFilesTest, TheSumsAreLinesOfCoreutilsInOrder) {
  EXPECT_THAT(sums(), HasSubstr("2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683"
                                "  secret.key\n"));
  EXPECT_LT(sums().find("000012.sst"), sums().find("CURRENT"));
  EXPECT_EQ(fault(), "");
}

TEST_F(BackupFilesTest, EveryKindOfDamageIsNamed) {
  write("secret.key", "kez");
  EXPECT_THAT(fault(), HasSubstr("secret.key is damaged"));
  write("secret.key", "key");
  write("more", "");
  EXPECT_THAT(fault(), HasSubstr("more is not in SHA256SUMS"));
  fs::remove(backup_ + "/more");
  fs::remove(backup_ + "/store/CURRENT");
  EXPECT_THAT(fault(), HasSubstr("store/CURRENT is missing"));
  fs::create_symlink("/etc/hostname", backup_ + "/store/CURRENT");
  EXPECT_THAT(fault(), HasSubstr("store/CURRENT is not a file"));
}

TEST_F(BackupFilesTest, SumsThatAreNoneOrLeadElsewhereAreRefused) {
  const std::string digest(64, '0');
  for (const std::string& line : std::vector<std::string>{
           digest + "  /etc/passwd\n", digest + "  ../up\n", digest + "  a//b\n", digest + "  \n",
           digest + " one-space\n", "short  a\n", digest + "  cut", digest + "  store/./a\n"}) {
    write("SHA256SUMS", line);
    EXPECT_THAT(fault(), HasSubstr("SHA256SUMS has a line 1")) << line;
  }
  fs::remove(backup_ + "/SHA256SUMS");
  EXPECT_THAT(fault(), HasSubstr("is not a backup"));
}

TEST_F(BackupFilesTest, ACopyIsTheSameAndForItsOwnerAlone) {
  const std::string copy = folder_.file("copy");
  FileProgress progress;
  ASSERT_TRUE(copy_backup(backup_, copy, CopySums::kYes, progress).ok());
  EXPECT_TRUE(verify_backup(copy, progress).ok());
  struct stat about {};
  ASSERT_EQ(::stat(copy.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07777, 0700U);
  EXPECT_FALSE(copy_backup(backup_, copy, CopySums::kYes, progress).ok()) << "there already";
  const std::string plain = folder_.file("plain");
  ASSERT_TRUE(copy_backup(backup_, plain, CopySums::kNo, progress).ok());
  EXPECT_FALSE(fs::exists(plain + "/SHA256SUMS"));
}

TEST_F(BackupFilesTest, DamageIsFoundWhileItIsCopied) {
  write("store/CURRENT", "MANIFEST-2\n");
  FileProgress progress;
  const auto copied = copy_backup(backup_, folder_.file("copy"), CopySums::kYes, progress);
  ASSERT_FALSE(copied.ok());
  EXPECT_EQ(copied.error().code, base::ErrorCode::kCorrupt);
}

TEST_F(BackupFilesTest, WhatIsCancelledEndsSoon) {
  FileProgress progress;
  progress.cancelled = true;
  EXPECT_FALSE(verify_backup(backup_, progress).ok());
  EXPECT_EQ(progress.bytes_done, 0U);
}

TEST(Checkpoint, HoldsWhatWasCommittedBeforeAndOpensAsAStore) {
  const ScratchFolder folder;
  const SecretBox secrets = SecretBox::create(std::array<std::uint8_t, 32>{1}).value();
  RocksStoreOptions options;
  options.path = folder.file("store");
  options.secrets = &secrets;
  const auto store = RocksStore::open(options);
  ASSERT_TRUE(store.ok());
  ASSERT_TRUE(store.value()->commit(batch(put(organization(1)), put(event(4)))).ok());
  const std::string checkpoint = folder.file("checkpoint");
  ASSERT_TRUE(store.value()->checkpoint(checkpoint).ok());
  EXPECT_FALSE(store.value()->checkpoint(checkpoint).ok()) << "there already";
  ASSERT_TRUE(store.value()->commit(batch(put(event(5)))).ok());
  EXPECT_EQ(store.value()->sizes().columns.size(), 9U);
  EXPECT_GT(store.value()->sizes().log_bytes, 0U);

  options.path = checkpoint;
  options.create_if_missing = false;
  const auto copy = RocksStore::open(options);
  ASSERT_TRUE(copy.ok()) << copy.error().message;
  EXPECT_NE(copy.value()->read_event(model::EventSeq(4)).value(), nullptr);
  EXPECT_EQ(copy.value()->read_event(model::EventSeq(5)).value(), nullptr);
  // Each goes its own way: what they share is never written again.
  ASSERT_TRUE(copy.value()->commit(batch(put(event(6)))).ok());
  EXPECT_EQ(store.value()->read_event(model::EventSeq(6)).value(), nullptr);
}

}  // namespace
}  // namespace triggerd::store::testing
