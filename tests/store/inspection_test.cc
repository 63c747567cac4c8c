// A look at the files of a store: what a check finds, and that it changes nothing.
#include "store/inspection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "store/codec.h"
#include "store/keys.h"
#include "store/rocks_store.h"
#include "tests/store/raw_store.h"
#include "tests/store/scratch_folder.h"
#include "tests/store/store_samples.h"

namespace triggerd::store::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class InspectionTest : public ::testing::Test {
 protected:
  InspectionTest() { fill(); }

  [[nodiscard]] std::string path() const { return folder_.file("store"); }

  // One row of every kind, each with what it speaks of.
  void fill() const {
    RocksStoreOptions options;
    options.path = path();
    options.secrets = &secrets_;
    auto store = RocksStore::open(options);
    ASSERT_TRUE(store.ok());
    model::Event whole = event(4);
    whole.matches = {{model::WebhookRef(3), model::Generation(1)},
                     {model::WebhookRef(5), model::Generation(1)}};
    model::PendingChunk chunk = pending(4, 0);
    chunk.org = whole.org;
    chunk.event_id = whole.id;
    chunk.matches_in_all = 2;
    chunk.entries.resize(2);
    chunk.entries[0] = {
        model::WebhookRef(3), model::Generation(1), model::DeliveryState::kDead, 1, 0, {}};
    chunk.entries[1] = {
        model::WebhookRef(5), model::Generation(1), model::DeliveryState::kReady, 0, 0, {}};
    model::AttemptRecord dead = attempt(3, 4, 1);
    dead.event_id = whole.id;
    dead.state_after = model::DeliveryState::kDead;
    dead.due = {};
    model::Counters counted = counters(9, 0);
    counted.next_generation = model::Generation(5);
    counted.first_pending = model::EventSeq(4);
    model::RecoverJob mending = job(1, 8);
    mending.webhook = model::WebhookRef(3);
    ASSERT_TRUE(store.value()
                    ->commit(batch(put(organization(1)), put(api_key(1, 2)), put(webhook(3)),
                                   put(trigger(3, "a", 1)), put(event_type(1, "mine")),
                                   put(signing_key("kid")), put(counted), put(whole), put(chunk),
                                   model::PutJob{mending}, model::PutAttempt{dead, whole.org}))
                    .ok());
  }

  // The delivery of event 4 to webhook 5, without the row that it is found by.
  void park(model::DeliveryState state, bool parked) const {
    RawStore raw(path());
    const std::string key = pending_key(model::EventSeq(4), 0);
    model::PendingChunk chunk = decode<model::PendingChunk>(raw.get(kPendingColumn, key)).value();
    chunk.entries[1].state = state;
    chunk.entries[1].due = state == model::DeliveryState::kDelayed ? wall(60) : model::WallTime();
    chunk.entries[1].parked = parked;
    std::string row;
    encode(chunk, row);
    raw.put(kPendingColumn, key, row);
  }

  std::vector<std::string> faults(const SecretBox* secrets = nullptr) const {
    std::vector<std::string> found;
    const auto inspection = Inspection::open(path(), secrets);
    if (!inspection.ok()) return {inspection.error().message};
    FileProgress progress;
    const auto report = inspection.value()->check(
        progress, [&found](const Finding& finding) { found.push_back(finding.fault); });
    EXPECT_TRUE(report.ok());
    if (!report.ok()) return found;
    EXPECT_EQ(report.value().findings, found.size());
    return found;
  }

  ScratchFolder folder_;
  SecretBox secrets_ = SecretBox::create(std::array<std::uint8_t, 32>{1, 2, 3}).value();
};

TEST_F(InspectionTest, WhatIsWrittenTogetherIsSound) {
  EXPECT_THAT(faults(&secrets_), IsEmpty());
  EXPECT_THAT(faults(), IsEmpty());
}

TEST_F(InspectionTest, NothingIsChanged) {
  const auto state = [this] {
    std::vector<std::string> files;
    for (const auto& entry : fs::directory_iterator(path())) {
      files.push_back(entry.path().filename().string() + " " +
                      std::to_string(fs::file_size(entry)) + " " +
                      std::to_string(fs::last_write_time(entry).time_since_epoch().count()));
    }
    std::sort(files.begin(), files.end());
    return files;
  };
  const std::vector<std::string> before = state();
  EXPECT_THAT(faults(&secrets_), IsEmpty());
  EXPECT_EQ(state(), before);
}

TEST_F(InspectionTest, CountsRowsDeliveriesAndDeadLetters) {
  const auto inspection = Inspection::open(path(), nullptr);
  ASSERT_TRUE(inspection.ok());
  FileProgress progress;
  const auto stats = inspection.value()->stats(progress);
  ASSERT_TRUE(stats.ok());
  EXPECT_EQ(stats.value().format, 2U);
  EXPECT_EQ(stats.value().pending, 1U);
  EXPECT_EQ(stats.value().dead_letters, 1U);
  EXPECT_EQ(stats.value().oldest_pending, pending(4, 0).accepted_at);
  EXPECT_EQ(stats.value().columns[0].name, kRegistryColumn);
  EXPECT_EQ(stats.value().columns[0].rows, 7U);
  EXPECT_GT(stats.value().file_bytes, 0U);
  EXPECT_GT(progress.bytes_done, 0U);
}

TEST_F(InspectionTest, AStoreThatIsOpenIsInUse) {
  RocksStoreOptions options;
  options.path = path();
  options.secrets = &secrets_;
  const auto store = RocksStore::open(options);
  ASSERT_TRUE(store.ok());
  const auto inspection = Inspection::open(path(), nullptr);
  ASSERT_FALSE(inspection.ok());
  EXPECT_EQ(inspection.error().code, base::ErrorCode::kConflict);
}

TEST_F(InspectionTest, ANewerFormatIsRefused) {
  RawStore(path()).put(kMetaColumn, std::string(kFormatKey), "3");
  const auto inspection = Inspection::open(path(), nullptr);
  ASSERT_FALSE(inspection.ok());
  EXPECT_EQ(inspection.error().code, base::ErrorCode::kInvalid);
  EXPECT_THAT(inspection.error().message, HasSubstr("newer"));
}

TEST_F(InspectionTest, AFolderWithoutAStoreIsNotFound) {
  const auto inspection = Inspection::open(folder_.file("nothing"), nullptr);
  ASSERT_FALSE(inspection.ok());
  EXPECT_EQ(inspection.error().code, base::ErrorCode::kNotFound);
  EXPECT_FALSE(fs::exists(folder_.file("nothing")));
}

TEST_F(InspectionTest, ARowThatItsChecksumDoesNotFitIsFound) {
  {
    RawStore raw(path());
    std::string row = raw.get(kEventsColumn, event_key(model::EventSeq(4)));
    row[row.size() / 2] ^= 1;
    raw.put(kEventsColumn, event_key(model::EventSeq(4)), row);
  }
  // The event, and all that speaks of it.
  EXPECT_EQ(faults().size(), 6U);
}

TEST_F(InspectionTest, AnEventThatIsMissingIsMissedByAllThatSpeakOfIt) {
  RawStore(path()).erase(kEventsColumn, event_key(model::EventSeq(4)));
  EXPECT_THAT(faults(),
              ElementsAre(HasSubstr("id of event 4"), HasSubstr("deliveries of event 4"),
                          HasSubstr("attempt at event 4"), HasSubstr("summary of event 4"),
                          HasSubstr("dead letter of event 4")));
}

TEST_F(InspectionTest, AnIdAndASummaryThatAreMissingAreFound) {
  const model::Event whole = event(4);
  RawStore(path()).erase(kOrgEventsColumn, org_event_key(whole.org, whole.seq));
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("no summary")));
  // An id may go before its event when the event is kept for a delivery; else it may not.
  RawStore(path()).erase(kEventIdsColumn, event_id_key(whole.org, whole.id));
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("no summary")));
}

TEST_F(InspectionTest, ADeadLetterWithoutItsCounterpartOrItsAttemptIsFound) {
  RawStore(path()).erase(
      kFinalsColumn,
      final_of_event_key(model::EventSeq(4), model::DeliveryState::kDead, model::WebhookRef(3)));
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("counterpart")));
  RawStore(path()).erase(kAttemptsColumn, attempt_key(model::WebhookRef(3), model::EventSeq(4), 1));
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("counterpart"), HasSubstr("without an attempt")));
}

TEST_F(InspectionTest, ADeadLetterIsOneOfItsWebhookAndOfItsOrganization) {
  const auto org = id_of<model::OrgId>(1);
  const model::EventSeq seq(4);
  const model::WebhookRef webhook(3);
  RawStore(path()).erase(kFinalsColumn, dead_of_org_key(org, seq, webhook));
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("of a webhook, but of no organization")));
  RawStore(path()).put(kFinalsColumn, dead_of_org_key(id_of<model::OrgId>(2), seq, webhook), "");
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("another organization's"),
                                    HasSubstr("of a webhook, but of no organization")));
  RawStore(path()).erase(kFinalsColumn, dead_of_org_key(id_of<model::OrgId>(2), seq, webhook));
  RawStore(path()).put(kFinalsColumn, dead_of_org_key(org, seq, model::WebhookRef(5)), "");
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("of an organization, but of no webhook"),
                                    HasSubstr("of a webhook, but of no organization")));
}

TEST_F(InspectionTest, ADeliveryThatIsGivenAgainLeavesNothingBehind) {
  {
    RocksStoreOptions options;
    options.path = path();
    options.secrets = &secrets_;
    auto store = RocksStore::open(options);
    ASSERT_TRUE(store.ok());
    const auto org = id_of<model::OrgId>(1);
    const model::ReopenDelivery again{model::WebhookRef(3), model::EventSeq(4), org};
    ASSERT_TRUE(store.value()->commit(batch(model::Mutation(again))).ok());
  }
  EXPECT_THAT(faults(&secrets_), IsEmpty());
}

// The one that is pending, and where it is found from: fresh, and delayed.
TEST_F(InspectionTest, AParkedDeliveryIsFoundFromItsWebhook) {
  const model::ParkedKey key{
      model::WebhookRef(5), model::ParkedKind::kFresh, {}, model::EventSeq(4)};
  park(model::DeliveryState::kReady, true);
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("parked at webhook 5, but not found there")));
  RawStore(path()).put(kParkedColumn, parked_key(key), parked_row(1));
  EXPECT_THAT(faults(), IsEmpty());
  RawStore(path()).put(kParkedColumn, parked_key(key), parked_row(0));
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("event 4, which is not pending")));
  RawStore(path()).put(kParkedColumn, parked_key(key), parked_row(1));
  park(model::DeliveryState::kReady, false);
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("not parked by its pending row")));
  park(model::DeliveryState::kDelayed, true);
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("but not found there"),
                                    HasSubstr("parked elsewhere by its pending row")));
  {
    RawStore raw(path());
    raw.erase(kParkedColumn, parked_key(key));
    raw.put(kParkedColumn,
            parked_key({key.webhook, model::ParkedKind::kDelayed, wall(60), key.seq}),
            parked_row(1));
  }
  EXPECT_THAT(faults(), IsEmpty());
}

TEST_F(InspectionTest, AParkedDeliveryOfNothingPendingIsFound) {
  {
    RawStore raw(path());
    raw.put(kParkedColumn,
            parked_key({model::WebhookRef(5), model::ParkedKind::kFresh, {}, model::EventSeq(5)}),
            parked_row(64));
    raw.put(kParkedColumn, "?", "");
  }
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("event 5, which is not pending"),
                                    HasSubstr("parked delivery has another form")));
}

TEST_F(InspectionTest, AStoreOfFormat1IsLookedAtAsItIs) {
  {
    RawStore raw(path());
    raw.drop(kParkedColumn);
    raw.put(kMetaColumn, std::string(kFormatKey), "1");
  }
  EXPECT_THAT(faults(&secrets_), IsEmpty());
  {
    const auto inspection = Inspection::open(path(), nullptr);
    ASSERT_TRUE(inspection.ok());
    FileProgress progress;
    const auto stats = inspection.value()->stats(progress);
    ASSERT_TRUE(stats.ok());
    EXPECT_EQ(stats.value().format, 1U);
    EXPECT_EQ(stats.value().pending, 1U);
  }
  RawStore(path()).put(kMetaColumn, std::string(kFormatKey), "2");
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("lost a column")));
}

TEST_F(InspectionTest, AJobStaysBehindItsWebhookButNotBehindItsOrganization) {
  const std::string key = job_key(id_of<model::OrgId>(1), id_of<model::JobId>(8));
  {
    RawStore raw(path());
    const std::string row = raw.get(kRegistryColumn, key);
    raw.put(kRegistryColumn, job_key(id_of<model::OrgId>(1), id_of<model::JobId>(9)), row);
  }
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("key of another")));
  {
    RocksStoreOptions options;
    options.path = path();
    options.secrets = &secrets_;
    auto store = RocksStore::open(options);
    ASSERT_TRUE(store.ok());
    model::RecoverJob of_another = job(1, 9);
    of_another.webhook = model::WebhookRef(3);
    of_another.webhook_id = id_of<model::WebhookId>(7);
    model::RecoverJob of_none = job(1, 10);
    of_none.webhook = model::WebhookRef(5);
    model::RecoverJob nobodys = job(2, 11);
    nobodys.webhook = model::WebhookRef(3);
    ASSERT_TRUE(store.value()
                    ->commit(batch(model::PutJob{of_another}, model::PutJob{of_none},
                                   model::PutJob{nobodys}))
                    .ok());
  }
  EXPECT_THAT(faults(),
              ElementsAre(HasSubstr("otherwise than its webhook"), HasSubstr("not given out yet"),
                          HasSubstr("organization"), HasSubstr("otherwise than its webhook")));
}

TEST_F(InspectionTest, ATriggerOfNoWebhookAndAWebhookOfNoOrganizationAreFound) {
  RawStore(path()).erase(kRegistryColumn, webhook_key(model::WebhookRef(3)));
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("trigger of a webhook")));
  RawStore(path()).erase(kRegistryColumn, organization_key(id_of<model::OrgId>(1)));
  EXPECT_EQ(faults().size(), 4U);  // the key, the event type, the job, the trigger
}

TEST_F(InspectionTest, WhatTheKeyDoesNotOpenIsFound) {
  const SecretBox other = SecretBox::create(std::array<std::uint8_t, 32>{9}).value();
  EXPECT_EQ(faults(&other).size(), 2U);  // the webhook, and the check of the key
}

TEST_F(InspectionTest, RowsOfNoKindAreFound) {
  {
    RawStore raw(path());
    raw.put(kRegistryColumn, "?", "");
    raw.put(kMetaColumn, "?", "");
    raw.put(kFinalsColumn, "?", "");
    raw.put("default", "?", "");
  }
  EXPECT_EQ(faults().size(), 4U);
}

}  // namespace
}  // namespace triggerd::store::testing
