#include "app/bootstrap.h"

#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace triggerd::app {
namespace {

using testing::HasSubstr;

const model::OrgId kFirst = *model::OrgId::parse("0190a6e0-1111-7000-8000-000000000001");
const model::OrgId kSecond = *model::OrgId::parse("0190a6e0-1111-7000-8000-000000000002");

std::string key_file(const std::string& name, const std::string& text) {
  std::string path = testing::TempDir() + "triggerd_bootstrap_" + name;
  std::ofstream(path) << text;
  return path;
}

model::Reply refusal(base::ErrorCode code, const char* message) {
  return model::Refusal{{{code, message}}, std::nullopt};
}

class BootstrapTest : public testing::Test {
 protected:
  void run(const std::vector<BootstrapOrganization>& organizations) {
    base::Result<Bootstrap> bootstrap = Bootstrap::create(organizations, digester_);
    ASSERT_TRUE(bootstrap.ok()) << bootstrap.error().message;
    bootstrap_.emplace(std::move(bootstrap.value()));
    bootstrap_->run(
        [this](model::RequestId id, model::Request request) {
          EXPECT_EQ(thread_of(id), kOwnThread);
          requests_.push_back(std::move(request));
        },
        [this](const base::Status& status) { ends_.push_back(status); });
  }
  // The request under way; it is answered next.
  template <class Request>
  const Request* asked() const {
    return requests_.empty() ? nullptr : std::get_if<Request>(&requests_.back());
  }
  void answer(model::Reply reply) { bootstrap_->replied(std::move(reply)); }

  ApiKeyDigester digester_{"pepper"};
  std::optional<Bootstrap> bootstrap_;
  std::vector<model::Request> requests_;
  std::vector<base::Status> ends_;
};

TEST_F(BootstrapTest, NothingDeclaredIsDoneAtOnce) {
  run({});
  ASSERT_EQ(ends_.size(), 1U);
  EXPECT_TRUE(ends_[0].ok());
  EXPECT_TRUE(requests_.empty());
}

TEST_F(BootstrapTest, AsksOneAfterTheOtherForOrganizationKeysAndKey) {
  run({{kFirst, "first", key_file("a", "a-key-of-sixteen-and-more\r\nrest\n")},
       {kSecond, "second", ""}});
  ASSERT_NE(asked<model::CreateOrganization>(), nullptr);
  EXPECT_EQ(asked<model::CreateOrganization>()->id, kFirst);
  EXPECT_EQ(asked<model::CreateOrganization>()->name, "first");
  EXPECT_EQ(requests_.size(), 1U) << "one request is under way at a time";
  answer(model::OrganizationReply{});
  ASSERT_NE(asked<model::ListApiKeys>(), nullptr);
  EXPECT_EQ(asked<model::ListApiKeys>()->org, kFirst);
  answer(model::ApiKeysReply{});
  const auto* key = asked<model::CreateApiKey>();
  ASSERT_NE(key, nullptr);
  EXPECT_EQ(key->org, kFirst);
  EXPECT_EQ(key->digest, digester_.digest("a-key-of-sixteen-and-more"));
  EXPECT_EQ(key->scopes, model::kScopesAll);
  answer(model::ApiKeyReply{});
  ASSERT_NE(asked<model::CreateOrganization>(), nullptr);
  EXPECT_EQ(asked<model::CreateOrganization>()->id, kSecond);
  answer(model::OrganizationReply{});
  EXPECT_TRUE(ends_.empty());
  answer(model::ApiKeysReply{});
  ASSERT_EQ(ends_.size(), 1U);
  EXPECT_TRUE(ends_[0].ok());
  EXPECT_EQ(requests_.size(), 5U);
}

TEST_F(BootstrapTest, WhatIsThereAlreadyIsFine) {
  run({{kFirst, "first", key_file("b", "a-key-of-sixteen-and-more")}});
  answer(refusal(base::ErrorCode::kConflict, "exists"));
  answer(model::ApiKeysReply{});
  answer(refusal(base::ErrorCode::kConflict, "exists"));
  ASSERT_EQ(ends_.size(), 1U);
  EXPECT_TRUE(ends_[0].ok());
}

TEST_F(BootstrapTest, ARefusalEndsItAndIsTold) {
  run({{kFirst, "first", ""}, {kSecond, "second", ""}});
  answer(refusal(base::ErrorCode::kInvalid, "name: too long"));
  ASSERT_EQ(ends_.size(), 1U);
  ASSERT_FALSE(ends_[0].ok());
  EXPECT_EQ(ends_[0].error().code, base::ErrorCode::kInvalid);
  EXPECT_THAT(ends_[0].error().message, HasSubstr("name: too long"));
  EXPECT_EQ(requests_.size(), 1U);
}

TEST_F(BootstrapTest, AConflictOfAQuestionIsARefusal) {
  run({{kFirst, "first", ""}});
  answer(model::OrganizationReply{});
  answer(refusal(base::ErrorCode::kConflict, "odd"));
  ASSERT_EQ(ends_.size(), 1U);
  EXPECT_FALSE(ends_[0].ok());
}

TEST_F(BootstrapTest, TheSameKeyHasTheSameIdAfterARestart) {
  const std::vector<BootstrapOrganization> declared = {
      {kFirst, "first", key_file("c", "a-key-of-sixteen-and-more")}};
  std::vector<model::ApiKeyId> ids;
  for (int start = 0; start < 2; ++start) {
    run(declared);
    answer(model::OrganizationReply{});
    answer(model::ApiKeysReply{});
    ASSERT_NE(asked<model::CreateApiKey>(), nullptr);
    ids.push_back(asked<model::CreateApiKey>()->id);
  }
  EXPECT_EQ(ids[0], ids[1]);
}

TEST_F(BootstrapTest, DropsItsOwnOldKeysAloneBeforeTheNewOne) {
  const std::string file = key_file("d", "a-key-of-sixteen-and-more");
  run({{kFirst, "first", file}});
  answer(model::OrganizationReply{});
  answer(model::ApiKeysReply{});
  ASSERT_NE(asked<model::CreateApiKey>(), nullptr);
  model::ApiKey current;
  current.id = asked<model::CreateApiKey>()->id;
  current.org = kFirst;
  current.name = asked<model::CreateApiKey>()->name;
  model::ApiKey old = current;
  old.id = *model::ApiKeyId::parse("0190a6e0-2222-7000-8000-000000000001");
  model::ApiKey by_hand = old;
  by_hand.id = *model::ApiKeyId::parse("0190a6e0-2222-7000-8000-000000000002");
  by_hand.name = "ci";

  requests_.clear();
  ends_.clear();
  run({{kFirst, "first", file}});
  answer(refusal(base::ErrorCode::kConflict, "exists"));
  answer(model::ApiKeysReply{{by_hand, current, old}});
  const auto* dropped = asked<model::DeleteApiKey>();
  ASSERT_NE(dropped, nullptr);
  EXPECT_EQ(dropped->id, old.id);
  EXPECT_EQ(dropped->org, kFirst);
  answer(model::Done{});
  EXPECT_NE(asked<model::CreateApiKey>(), nullptr);
  answer(refusal(base::ErrorCode::kConflict, "exists"));
  ASSERT_EQ(ends_.size(), 1U);
  EXPECT_TRUE(ends_[0].ok());
  EXPECT_EQ(requests_.size(), 4U);
}

TEST_F(BootstrapTest, AKeyFileThatIsMissingOrShortIsNamed) {
  for (const std::string& path : {testing::TempDir() + "nowhere.key", key_file("e", "short")}) {
    const base::Result<Bootstrap> bootstrap =
        Bootstrap::create({{kFirst, "first", path}}, digester_);
    ASSERT_FALSE(bootstrap.ok());
    EXPECT_EQ(bootstrap.error().code, base::ErrorCode::kInvalid);
    EXPECT_THAT(bootstrap.error().message, HasSubstr(path));
  }
}

}  // namespace
}  // namespace triggerd::app
