#include "app/config_reader.h"

#include <semaphore>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/app/pump.h"

namespace triggerd::app {
namespace {

using model::RequestId;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Each reading waits until the test lets it go on.
class ConfigReaderTest : public testing::Test {
 protected:
  void TearDown() override { may_read_.release(8); }

  void let_read_until(std::size_t readings) {
    may_read_.release();
    ASSERT_TRUE(pump_until(loop_, [this, readings] { return reads_.size() == readings; }));
  }

  loop::EventLoop loop_;
  Config config_;
  std::counting_semaphore<16> may_read_{0};
  std::vector<ConfigReader::Read> reads_;
  ConfigReader reader_{loop_,
                       [this] {
                         may_read_.acquire();
                         return base::Result<Config>(config_);
                       },
                       [this](const ConfigReader::Read& read) { reads_.push_back(read); }};
};

TEST_F(ConfigReaderTest, WhatIsAskedForDuringAReadingIsAnsweredByOneMore) {
  ASSERT_TRUE(reader_.ask(RequestId(1)).ok());
  reader_.ask();
  reader_.ask();
  ASSERT_TRUE(reader_.ask(RequestId(2)).ok());
  ASSERT_TRUE(reader_.ask(RequestId(3)).ok());
  pump(loop_);
  EXPECT_THAT(reads_, IsEmpty());
  let_read_until(1);
  EXPECT_THAT(reads_[0].asked_by, ElementsAre(RequestId(1)));
  let_read_until(2);
  EXPECT_THAT(reads_[1].asked_by, ElementsAre(RequestId(2), RequestId(3)));
  ASSERT_TRUE(reads_[1].good.ok());
  EXPECT_NE(reads_[1].good.value().authorities, nullptr);
  may_read_.release();
  pump(loop_);
  EXPECT_THAT(reads_, SizeIs(2)) << "nobody asked for a third one";
}

TEST_F(ConfigReaderTest, AsManyWaitAsMayAndNoMore) {
  ASSERT_TRUE(reader_.ask(RequestId(0)).ok());
  for (std::uint64_t i = 1; i <= 64; ++i) ASSERT_TRUE(reader_.ask(RequestId(i)).ok()) << i;
  const base::Status refused = reader_.ask(RequestId(65));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, base::ErrorCode::kOverloaded);
  let_read_until(1);
  EXPECT_TRUE(reader_.ask(RequestId(66)).ok());
  let_read_until(2);
  EXPECT_THAT(reads_[1].asked_by, SizeIs(64));
  let_read_until(3);
}

TEST_F(ConfigReaderTest, WhatAStartWouldRefuseIsNotGood) {
  config_.ca_file = "nowhere.pem";
  reader_.ask();
  let_read_until(1);
  ASSERT_FALSE(reads_[0].good.ok());
  EXPECT_THAT(reads_[0].good.error().message, HasSubstr("targets.ca_file"));
}

}  // namespace
}  // namespace triggerd::app
