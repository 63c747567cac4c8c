#include "app/config_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace triggerd::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

GivenSettings given(const std::vector<std::pair<std::string, std::string>>& settings) {
  GivenSettings made;
  for (const auto& [path, value] : settings) made[path] = {{value}, "somewhere"};
  return made;
}

TEST(ConfigChanges, WhatIsAddedRemovedOrChangedIsNamedOnce) {
  const GivenSettings before = given({{"backup.keep", "7"},
                                      {"log.level", "info"},
                                      {"rates.jwks_burst", "1"},
                                      {"store.mode", "disk"}});
  const GivenSettings now = given({{"log.level", "warn"},
                                   {"retention.age", "48h"},
                                   {"server.listen", "127.0.0.1:1"},
                                   {"store.mode", "disk"}});
  const model::ConfigReloaded changes = changes_between(before, now);
  EXPECT_THAT(changes.changed, ElementsAre("log.level", "rates.jwks_burst", "retention.age"));
  EXPECT_THAT(changes.needs_restart, ElementsAre("backup.keep", "server.listen"));
}

TEST(ConfigChanges, TheSameFromElsewhereIsNoChange) {
  GivenSettings now = given({{"log.level", "info"}});
  now["log.level"].origin = "elsewhere";
  const model::ConfigReloaded changes = changes_between(given({{"log.level", "info"}}), now);
  EXPECT_THAT(changes.changed, IsEmpty());
  EXPECT_THAT(changes.needs_restart, IsEmpty());
}

TEST(ConfigChanges, OnlyWhatIsKnownToBeSafeChangesWhileItRuns) {
  for (const char* path :
       {"log.level", "rates.test_events_burst", "retention.interval", "sdk_ingest.rate_per_address",
        "sdk_ingest.burst_per_organization", "targets.allow_networks", "server.drain_timeout"}) {
    EXPECT_TRUE(can_change_while_running(path)) << path;
  }
  for (const char* path : {"log.format", "server.listen", "server.max_connections", "admin.token",
                           "store.path", "backup.folder", "targets.proxy", "delivery.max_in_flight",
                           "log.level.x", "retention", "rates"}) {
    EXPECT_FALSE(can_change_while_running(path)) << path;
  }
}

TEST(ConfigChanges, OrganizationsAreTheSameByAllOfTheirMembers) {
  const BootstrapOrganization one{model::OrgId(), "a", "key"};
  BootstrapOrganization other = one;
  EXPECT_TRUE(same_organizations({one}, {other}));
  other.api_key_file = "another";
  EXPECT_FALSE(same_organizations({one}, {other}));
  EXPECT_FALSE(same_organizations({one}, {}));
}

}  // namespace
}  // namespace triggerd::app
