#include "store/secret_box.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "tests/store/scratch_folder.h"

namespace triggerd::store::testing {
namespace {

SecretBox box_of(std::uint8_t first) {
  return SecretBox::create(std::array<std::uint8_t, 32>{first}).value();
}
const std::string kPlace = "registry/webhook_secrets/1";

TEST(SecretBox, OpensWhatItSealed) {
  const SecretBox box = box_of(1);
  for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 4096U}) {
    const std::string plain(size, 'p');
    const base::Result<std::string> sealed = box.seal(plain, kPlace);
    ASSERT_TRUE(sealed.ok());
    EXPECT_EQ(sealed.value().size(), size + SecretBox::kOverheadBytes);
    const base::Result<std::string> opened = box.open(sealed.value(), kPlace);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    EXPECT_EQ(opened.value(), plain);
  }
}

TEST(SecretBox, SealsTheSameTextDifferentlyEachTime) {
  const SecretBox box = box_of(1);
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(box.seal("secret", kPlace).value());
  EXPECT_EQ(seen.size(), 1000U);
  EXPECT_EQ(seen.begin()->find("secret"), std::string::npos);
}

TEST(SecretBox, EveryFlippedBitIsNoticed) {
  const SecretBox box = box_of(1);
  const std::string sealed = box.seal("secret", kPlace).value();
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    std::string flipped = sealed;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    const base::Result<std::string> opened = box.open(flipped, kPlace);
    ASSERT_FALSE(opened.ok()) << bit;
    // Bytes 1 to 4 name the key: changed, they name another one.
    const bool names_key = bit / 8 >= 1 && bit / 8 <= 4;
    EXPECT_EQ(opened.error().code,
              names_key ? base::ErrorCode::kInvalid : base::ErrorCode::kCorrupt)
        << bit;
  }
}

TEST(SecretBox, EveryCutIsCorrupt) {
  const SecretBox box = box_of(1);
  const std::string sealed = box.seal("secret", kPlace).value();
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    const base::Result<std::string> opened = box.open(sealed.substr(0, size), kPlace);
    ASSERT_FALSE(opened.ok()) << size;
    EXPECT_EQ(opened.error().code, base::ErrorCode::kCorrupt);
  }
  EXPECT_FALSE(box.open(sealed + "x", kPlace).ok());
}

TEST(SecretBox, DoesNotOpenInAnotherPlace) {
  const SecretBox box = box_of(1);
  const std::string sealed = box.seal("secret", kPlace).value();
  const base::Result<std::string> opened = box.open(sealed, "registry/webhook_secrets/2");
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, base::ErrorCode::kCorrupt);
  EXPECT_FALSE(box.open(sealed, "").ok());
}

TEST(SecretBox, AnotherKeyIsNamed) {
  const SecretBox right = box_of(1);
  const SecretBox wrong = box_of(2);
  const base::Result<std::string> opened = wrong.open(right.seal("secret", kPlace).value(), kPlace);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, base::ErrorCode::kInvalid);
  EXPECT_NE(opened.error().message.find(right.key_id()), std::string::npos);
  EXPECT_NE(opened.error().message.find(wrong.key_id()), std::string::npos);
}

// Reference: sha256sum of the bytes 00 01 … 1f.
TEST(SecretBox, KeyIdIsTheStartOfTheKeysSha256) {
  std::array<std::uint8_t, 32> key{};
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i);
  EXPECT_EQ(SecretBox::create(key).value().key_id(), "630dcd29");
}

TEST(SecretBox, KeyOfAnotherLengthIsRefused) {
  for (const std::size_t size : {0U, 16U, 31U, 33U, 64U}) {
    const base::Result<SecretBox> box = SecretBox::create(std::vector<std::uint8_t>(size));
    ASSERT_FALSE(box.ok()) << size;
    EXPECT_EQ(box.error().code, base::ErrorCode::kInvalid);
  }
}

TEST(KeyFile, IsCreatedOnceForItsOwnerAlone) {
  const ScratchFolder folder;
  const std::string path = folder.file("secret.key");
  const base::Result<SecretBox> created = load_or_create_key(path);
  ASSERT_TRUE(created.ok()) << created.error().message;
  struct stat about {};
  ASSERT_EQ(::stat(path.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07777, 0600U);
  EXPECT_EQ(about.st_size, 32);
  const base::Result<SecretBox> loaded = load_or_create_key(path);
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ(loaded.value().key_id(), created.value().key_id());
  const base::Result<SecretBox> other = load_or_create_key(folder.file("other.key"));
  ASSERT_TRUE(other.ok());
  EXPECT_NE(other.value().key_id(), created.value().key_id());
}

TEST(KeyFile, ReadableByOthersIsRefusedWithTheFix) {
  const ScratchFolder folder;
  const std::string path = folder.file("secret.key");
  ASSERT_TRUE(load_or_create_key(path).ok());
  for (const unsigned mode : {0640U, 0604U, 0620U, 0666U}) {
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    const base::Result<SecretBox> refused = load_or_create_key(path);
    ASSERT_FALSE(refused.ok()) << mode;
    EXPECT_EQ(refused.error().code, base::ErrorCode::kInvalid);
    EXPECT_NE(refused.error().message.find("chmod 600 " + path), std::string::npos);
  }
  ASSERT_EQ(::chmod(path.c_str(), 0400), 0);
  EXPECT_TRUE(load_or_create_key(path).ok());
}

TEST(KeyFile, OfAnotherLengthIsRefused) {
  const ScratchFolder folder;
  for (const std::size_t size : {0U, 31U, 33U, 5000U}) {
    const std::string path = folder.file("key-" + std::to_string(size));
    std::ofstream(path) << std::string(size, 'k');
    ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
    const base::Result<SecretBox> refused = load_or_create_key(path);
    ASSERT_FALSE(refused.ok()) << size;
    EXPECT_EQ(refused.error().code, base::ErrorCode::kInvalid);
    EXPECT_EQ(std::filesystem::file_size(path), size) << "left as it was";
  }
}

TEST(KeyFile, WhatIsNoFileIsRefused) {
  const ScratchFolder folder;
  EXPECT_FALSE(load_or_create_key(folder.path().string()).ok());
  EXPECT_FALSE(load_or_create_key(folder.file("missing/secret.key")).ok());
}

}  // namespace
}  // namespace triggerd::store::testing
