#include "app/api_keys.h"

#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/sha.h>

#include <fmt/format.h>

namespace triggerd::app {
namespace {

model::ApiKey key_of(std::uint8_t first_byte, std::uint8_t scopes) {
  model::ApiKey key;
  key.digest[0] = first_byte;
  key.digest[31] = 1;
  key.scopes = scopes;
  return key;
}

TEST(NewKeyText, IsPrefixRandomAndChecksum) {
  const std::string text = new_key_text();
  EXPECT_THAT(text, testing::MatchesRegex("trg_[A-Za-z0-9_-]*"));
  ASSERT_EQ(text.size(), 4U + 43U + 6U);
  const std::string random = text.substr(4, 43);
  unsigned char sum[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(random.data()), random.size(), sum);
  EXPECT_EQ(text.substr(47), fmt::format("{:02x}{:02x}{:02x}", sum[0], sum[1], sum[2]));
}

TEST(NewKeyText, IsNeverTheSame) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(seen.insert(new_key_text()).second);
}

TEST(ApiKeyDigester, DependsOnTextAndPepper) {
  const ApiKeyDigester one(std::string(32, 'a'));
  const ApiKeyDigester other(std::string(32, 'b'));
  EXPECT_EQ(one.digest("key"), ApiKeyDigester(std::string(32, 'a')).digest("key"));
  EXPECT_NE(one.digest("key"), one.digest("keys"));
  EXPECT_NE(one.digest("key"), other.digest("key"));
  EXPECT_NE(one.digest(""), other.digest(""));
}

// RFC 4231, test case 2.
TEST(ApiKeyDigester, IsHmacSha256) {
  const model::KeyDigest digest = ApiKeyDigester("Jefe").digest("what do ya want for nothing?");
  EXPECT_EQ(fmt::format("{:02x}{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2], digest[31]),
            "5bdcc143");
}

TEST(ApiKeyTable, FindsWhatWasAddedUntilItIsRemoved) {
  ApiKeyTable table;
  table.add(key_of(1, model::kScopePublish));
  table.add(key_of(2, model::kScopeRead));
  ASSERT_TRUE(table.find(key_of(1, 0).digest));
  EXPECT_EQ(table.find(key_of(1, 0).digest)->scopes, model::kScopePublish);
  table.add(key_of(1, model::kScopesAll));
  EXPECT_EQ(table.find(key_of(1, 0).digest)->scopes, model::kScopesAll) << "the newest holds";
  table.remove(key_of(1, 0).digest);
  EXPECT_FALSE(table.find(key_of(1, 0).digest));
  EXPECT_TRUE(table.find(key_of(2, 0).digest));
  table.remove(key_of(9, 0).digest);  // nothing happens
  table.clear();
  EXPECT_FALSE(table.find(key_of(2, 0).digest));
}

}  // namespace
}  // namespace triggerd::app
