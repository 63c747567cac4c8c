#include "app/config.h"

#include <chrono>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/nearest_word.h"

namespace triggerd::app {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kNoEnvironment[] = {nullptr};

std::string fault_of(const base::Status& status) {
  return status.ok() ? "none" : status.error().message;
}
std::string fault_of(const base::Result<Config>& config) {
  return config.ok() ? "none" : config.error().message;
}

// One setting, values it takes with what becomes of them, and values it refuses.
struct SettingCase {
  const char* path;
  std::vector<SettingValues> good;
  std::vector<SettingValues> bad;
  const char* fix;  // what a refusal names
};

const std::vector<SettingCase>& setting_cases() {
  static const std::vector<SettingCase> cases = {
      {"server.listen",
       {{"127.0.0.1:8080"}, {"[::1]:0"}, {"::1:80"}, {"0.0.0.0:65535"}},
       {{""},
        {"8080"},
        {":8080"},
        {"localhost:8080"},
        {"127.0.0.1"},
        {"127.0.0.1:"},
        {"127.0.0.1:65536"},
        {"127.0.0.1:-1"},
        {"127.0.0.1:80x"},
        {"[]:80"},
        {"[::1]"}},
       ""},
      {"server.allow_public_listen",
       {{"true"}, {"false"}},
       {{"yes"}, {"1"}, {""}, {"True"}},
       "true or false"},
      {"server.trusted_proxies",
       {{"10.0.0.0/8"}, {"10.1.2.3", "[fd00::]/8"}, {}},
       {{"10.0.0.0/33"}, {"proxy.example"}, {"10.0.0.0/8:443"}, {""}},
       "network"},
      {"sdk_ingest.enabled", {{"true"}, {"false"}}, {{"on"}, {""}}, "true or false"},
      {"sdk_ingest.allowed_origins",
       {{"https://shop.example"}, {"http://localhost:3000", "http://[::1]:80"}, {}},
       {{"shop.example"},
        {"https://shop.example/"},
        {"https://Shop.example"},
        {"https://*.shop.example"},
        {"*"},
        {"null"},
        {""},
        {"https://shop.example:"},
        {"https://shop.example:123456"}},
       "https://shop.example"},
      {"sdk_ingest.rate_per_address",
       {{"1"}, {"100000000"}},
       {{"0"}, {"-1"}, {"100000001"}, {"10/s"}},
       "from 1 to 100000000"},
      {"sdk_ingest.burst_per_address",
       {{"1"}, {"1000000"}},
       {{"0"}, {"1000001"}},
       "from 1 to 1000000"},
      {"sdk_ingest.rate_per_organization",
       {{"1"}, {"100000000"}},
       {{"0"}, {"100000001"}},
       "from 1 to 100000000"},
      {"sdk_ingest.burst_per_organization",
       {{"1"}, {"1000000"}},
       {{"0"}, {"1000001"}},
       "from 1 to 1000000"},
      {"rates.test_events_per_minute",
       {{"1"}, {"100000000"}},
       {{"0"}, {"100000001"}},
       "from 1 to 100000000"},
      {"rates.test_events_burst", {{"1"}, {"500"}}, {{"0"}, {"501"}}, "from 1 to 500"},
      {"rates.jwks_per_minute",
       {{"1"}, {"100000000"}},
       {{"0"}, {"100000001"}},
       "from 1 to 100000000"},
      {"rates.jwks_burst", {{"1"}, {"1000000"}}, {{"0"}, {"1000001"}}, "from 1 to 1000000"},
      {"server.public_url", {{"https://events.example"}}, {}, ""},
      {"server.io_threads",
       {{"auto"}, {"0"}, {"64"}},
       {{"65"}, {"-1"}, {"all"}, {""}, {"1.5"}},
       "0 to 64"},
      {"server.max_connections",
       {{"1"}, {"1000000"}},
       {{"0"}, {"1000001"}, {"many"}},
       "1 to 1000000"},
      {"server.drain_timeout",
       {{"0s"}, {"30s"}, {"1h"}},
       {{"1h1ms"}, {"-1s"}, {"30"}, {""}},
       "at most 1h"},
      {"admin.token", {{"0123456789abcdef"}}, {}, ""},
      {"admin.token_file", {{"admin.token"}}, {}, ""},
      {"store.path", {{"data"}}, {}, ""},
      {"store.mode", {{"disk"}, {"memory"}}, {{"ram"}, {""}}, "disk or memory"},
      {"delivery.max_in_flight", {{"1"}, {"100000"}}, {{"0"}, {"100001"}, {"x"}}, "1 to 100000"},
      {"delivery.max_per_host",
       {{"1"}, {"100000"}},
       {{"0"}, {"100001"}, {"4294967297"}},
       "1 to 100000"},
      {"delivery.max_per_webhook", {{"1"}, {"1000"}}, {{"0"}, {"1001"}}, "1 to 1000"},
      {"delivery.start_per_webhook", {{"0"}, {"1000"}}, {{"-1"}, {"1001"}}, "0 to 1000"},
      {"delivery.breaker.failures", {{"0"}, {"10000"}}, {{"10001"}, {"x"}}, "0 to 10000"},
      {"delivery.breaker.open_for", {{"500ms"}, {"1h"}}, {{"61m"}, {"1"}}, "at most 1h"},
      {"delivery.breaker.open_for_max", {{"30s"}, {"1h"}}, {{"61m"}, {"-1s"}}, "at most 1h"},
      {"delivery.retry.share_percent", {{"1"}, {"100"}}, {{"0"}, {"101"}, {"20%"}}, "1 to 100"},
      {"delivery.max_pending", {{"1"}, {"100000000"}}, {{"0"}, {"100000001"}}, "1 to 100000000"},
      {"delivery.max_in_memory", {{"0"}, {"100000000"}}, {{"-1"}, {"100000001"}}, "0 to 100000000"},
      {"delivery.retry.schedule",
       {{"1s"}, {"0s", "5m", "1h30m"}},
       {{}, {"soon"}, {"1s", ""}, {"-1s"}, {"1000000h"}, SettingValues(1000, "1s")},
       ""},
      {"delivery.retry.jitter",
       {{"0"}, {"0.9"}, {"0.25"}},
       {{"-0.1"}, {"0.91"}, {"nan"}, {"inf"}, {"x"}, {""}},
       "0 to 0.9"},
      {"delivery.retry.disable_after", {{"48h"}, {"0s"}}, {{""}, {"5 days"}, {"-1s"}}, "duration"},
      {"targets.allow_http", {{"true"}, {"false"}}, {{"on"}}, "true or false"},
      {"targets.allow_networks",
       {{}, {"127.0.0.0/8"}, {"10.0.0.0/8", "fd00::/8"}},
       {{"localhost"}, {"10.0.0.0/33"}, {"10.0.0.0/8", "x"}},
       "127.0.0.0/8"},
      {"targets.ca_file", {{"ca.pem"}}, {}, ""},
      {"targets.proxy",
       {{"http://proxy.example:3128"}, {"http://[::1]:1"}, {""}},
       {{"proxy.example:3128"}, {"http://proxy.example"}, {"http://u:p@proxy.example:1"}},
       "http://HOST:PORT"},
      {"backup.folder", {{"backups"}}, {}, ""},
      {"backup.keep", {{"1"}, {"1000"}}, {{"0"}, {"1001"}, {"all"}}, "from 1 to 1000"},
      {"retention.age", {{"24h"}, {"87600h"}}, {{"23h59m"}, {"0s"}, {"87601h"}, {"30d"}, {""}}, ""},
      {"retention.dead_letter_age",
       {{"24h"}, {"87600h"}},
       {{"23h59m"}, {"0s"}, {"87601h"}, {""}},
       ""},
      {"retention.max_bytes",
       {{"0"}, {"1125899906842624"}},
       {{"-1"}, {"1125899906842625"}, {"10GB"}},
       "from 0 to"},
      {"retention.interval", {{"100ms"}, {"24h"}}, {{"99ms"}, {"0s"}, {"25h"}, {"hourly"}}, ""},
      {"dns.servers", {{}, {"192.0.2.53"}, {"192.0.2.53", "192.0.2.54"}}, {}, ""},
      {"signing.publish_before_use",
       {{"0s"}, {"168h"}},
       {{"168h1ns"}, {"-1s"}, {"1"}, {""}},
       "at most 168h"},
      {"signing.rotation_overlap",
       {{"0s"}, {"720h"}},
       {{"720h1ns"}, {"-1s"}, {"1"}, {""}},
       "at most 720h"},
      {"security.secret_key_file", {{"secret.key"}}, {}, ""},
      {"log.level",
       {{"debug"}, {"info"}, {"warn"}, {"error"}},
       {{"trace"}, {""}, {"INFO"}},
       "debug, info, warn or error"},
      {"log.format", {{"auto"}, {"text"}, {"json"}}, {{"xml"}, {""}}, "auto, text or json"},
  };
  return cases;
}

TEST(SetSetting, TakesTheGoodAndRefusesTheBadOfEverySetting) {
  for (const SettingCase& setting : setting_cases()) {
    for (const SettingValues& values : setting.good) {
      Config config;
      EXPECT_EQ(fault_of(set_setting(config, setting.path, values)), "none")
          << setting.path << " = " << testing::PrintToString(values);
    }
    for (const SettingValues& values : setting.bad) {
      Config config;
      const base::Status status = set_setting(config, setting.path, values);
      ASSERT_FALSE(status.ok()) << setting.path << " = " << testing::PrintToString(values);
      EXPECT_EQ(status.error().code, base::ErrorCode::kInvalid);
      EXPECT_THAT(status.error().message, AllOf(StartsWith(setting.path), HasSubstr(setting.fix)));
    }
  }
}

TEST(SetSetting, AScalarTakesExactlyOneValue) {
  for (const SettingCase& setting : setting_cases()) {
    const bool is_list = setting.good.size() > 1 && setting.good[1].size() != 1;
    if (is_list || setting.path == std::string("delivery.retry.schedule")) continue;
    if (setting.good[0].size() != 1) continue;
    Config config;
    EXPECT_THAT(fault_of(set_setting(config, setting.path, {})), HasSubstr("one value"));
    EXPECT_THAT(fault_of(set_setting(config, setting.path, {"a", "b"})), HasSubstr("one value"));
  }
}

TEST(SetSetting, ValuesArriveWhereTheyBelong) {
  Config config;
  const std::vector<std::pair<const char*, SettingValues>> set = {
      {"server.listen", {"[::1]:0"}},
      {"server.allow_public_listen", {"true"}},
      {"server.public_url", {"https://events.example"}},
      {"server.io_threads", {"3"}},
      {"server.max_connections", {"17"}},
      {"server.drain_timeout", {"1m30s"}},
      {"server.trusted_proxies", {"10.0.0.0/8"}},
      {"sdk_ingest.enabled", {"true"}},
      {"sdk_ingest.allowed_origins", {"https://shop.example"}},
      {"sdk_ingest.rate_per_address", {"21"}},
      {"sdk_ingest.burst_per_address", {"22"}},
      {"sdk_ingest.rate_per_organization", {"23"}},
      {"sdk_ingest.burst_per_organization", {"24"}},
      {"rates.test_events_per_minute", {"25"}},
      {"rates.test_events_burst", {"26"}},
      {"rates.jwks_per_minute", {"27"}},
      {"rates.jwks_burst", {"28"}},
      {"admin.token", {"secret"}},
      {"admin.token_file", {"a"}},
      {"store.path", {"b"}},
      {"store.mode", {"memory"}},
      {"delivery.max_in_flight", {"11"}},
      {"delivery.max_per_host", {"12"}},
      {"delivery.max_per_webhook", {"13"}},
      {"delivery.start_per_webhook", {"15"}},
      {"delivery.breaker.failures", {"16"}},
      {"delivery.breaker.open_for", {"2s"}},
      {"delivery.breaker.open_for_max", {"40s"}},
      {"delivery.retry.share_percent", {"18"}},
      {"delivery.max_pending", {"14"}},
      {"delivery.max_in_memory", {"15"}},
      {"delivery.retry.schedule", {"5s", "5m"}},
      {"delivery.retry.jitter", {"0.5"}},
      {"delivery.retry.disable_after", {"48h"}},
      {"targets.allow_http", {"true"}},
      {"targets.allow_networks", {"127.0.0.0/8"}},
      {"targets.ca_file", {"c"}},
      {"targets.proxy", {"http://proxy.example:3128"}},
      {"backup.folder", {"e"}},
      {"backup.keep", {"3"}},
      {"retention.age", {"25h"}},
      {"retention.dead_letter_age", {"26h"}},
      {"retention.max_bytes", {"27"}},
      {"retention.interval", {"28s"}},
      {"dns.servers", {"192.0.2.53"}},
      {"signing.publish_before_use", {"2h"}},
      {"signing.rotation_overlap", {"3h"}},
      {"security.secret_key_file", {"d"}},
      {"log.level", {"warn"}},
      {"log.format", {"json"}},
  };
  ASSERT_EQ(set.size(), setting_cases().size());
  for (const auto& [path, values] : set) {
    ASSERT_EQ(fault_of(set_setting(config, path, values)), "none") << path;
  }
  EXPECT_EQ(config.listen_address, "::1");
  EXPECT_EQ(config.listen_port, 0);
  EXPECT_TRUE(config.allow_public_listen);
  EXPECT_EQ(config.public_url, "https://events.example");
  EXPECT_EQ(config.io_threads, 3U);
  EXPECT_EQ(config.connections_max, 17U);
  EXPECT_EQ(config.drain_timeout, std::chrono::seconds(90));
  EXPECT_THAT(config.trusted_proxies, ElementsAre(*model::Network::parse("10.0.0.0/8")));
  EXPECT_TRUE(config.sdk_ingest.enabled);
  EXPECT_THAT(config.sdk_ingest.allowed_origins, ElementsAre("https://shop.example"));
  EXPECT_EQ(config.rates, (core::DoorRates{{25, 26}, {27, 28}, {21, 22}, {23, 24}}));
  EXPECT_EQ(config.retention.age, std::chrono::hours(25));
  EXPECT_EQ(config.retention.dead_letter_age, std::chrono::hours(26));
  EXPECT_EQ(config.retention.bytes_max, 27U);
  EXPECT_EQ(config.retention.interval, std::chrono::seconds(28));
  EXPECT_EQ(config.admin_token, "secret");
  EXPECT_EQ(config.admin_token_file, "a");
  EXPECT_EQ(config.data_path, "b");
  EXPECT_EQ(config.store_mode, StoreMode::kMemory);
  EXPECT_EQ(config.in_flight, 11U);
  EXPECT_EQ(config.in_flight_per_host, 12U);
  EXPECT_EQ(config.in_flight_per_webhook, 13U);
  EXPECT_EQ(config.isolation.in_flight_start, 15U);
  EXPECT_EQ(config.isolation.breaker.failures_to_open, 16U);
  EXPECT_EQ(config.isolation.breaker.open_for, std::chrono::seconds(2));
  EXPECT_EQ(config.isolation.breaker.open_for_max, std::chrono::seconds(40));
  EXPECT_EQ(config.isolation.retry_share_percent, 18U);
  EXPECT_EQ(config.pending_max, 14U);
  EXPECT_EQ(config.resident, 15U);
  EXPECT_THAT(config.retry_schedule, ElementsAre(std::chrono::seconds(5), std::chrono::minutes(5)));
  EXPECT_EQ(config.retry_jitter, 0.5);
  EXPECT_EQ(config.disable_after, std::chrono::hours(48));
  EXPECT_TRUE(config.targets.allow_http);
  EXPECT_EQ(config.targets.allow_networks.size(), 1U);
  EXPECT_EQ(config.ca_file, "c");
  ASSERT_TRUE(config.proxy.has_value());
  EXPECT_EQ(config.proxy->host, "proxy.example");
  EXPECT_EQ(config.proxy->port, 3128);
  EXPECT_EQ(config.backup.folder, "e");
  EXPECT_EQ(config.backup.kept_max, 3U);
  EXPECT_EQ(config.given.size(), set.size());
  EXPECT_EQ(config.given.at("backup.keep").origin, "flag");
  EXPECT_THAT(config.dns_servers, ElementsAre("192.0.2.53"));
  EXPECT_EQ(config.secret_overlap, std::chrono::hours(3));
  EXPECT_EQ(config.key_publish_lead, std::chrono::hours(2));
  EXPECT_EQ(config.secret_key_file, "d");
  EXPECT_EQ(config.log_level, base::LogLevel::kWarn);
  EXPECT_EQ(config.log_format, LogFormat::kJson);
  ASSERT_EQ(fault_of(set_setting(config, "server.io_threads", {"auto"})), "none");
  EXPECT_FALSE(config.io_threads);
}

TEST(SetSetting, ARefusedValueChangesNothing) {
  Config config;
  EXPECT_FALSE(set_setting(config, "delivery.retry.schedule", {"1s", "soon"}).ok());
  EXPECT_TRUE(config.retry_schedule.empty());
  EXPECT_FALSE(set_setting(config, "targets.allow_networks", {"127.0.0.0/8", "x"}).ok());
  EXPECT_TRUE(config.targets.allow_networks.empty());
  EXPECT_FALSE(set_setting(config, "server.listen", {"127.0.0.2:x"}).ok());
  EXPECT_EQ(config.listen_address, "127.0.0.1");
}

TEST(SetSetting, AnUnknownSettingSuggestsTheNearest) {
  Config config;
  const base::Status status = set_setting(config, "server.lisen", {"x"});
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, base::ErrorCode::kInvalid);
  EXPECT_THAT(status.error().message,
              AllOf(HasSubstr("server.lisen"), HasSubstr("did you mean server.listen?")));
  EXPECT_LT(fault_of(set_setting(config, std::string(100'000, 'x'), {"x"})).size(), 300U);
}

// --- TOML -------------------------------------------------------------------------------------

TEST(ApplyToml, ReadsTablesScalarsAndLists) {
  Config config;
  const base::Status status = apply_toml(config, R"(
[server]
listen = "127.0.0.1:9000"
io_threads = 2
allow_public_listen = true
[delivery.retry]
schedule = ["1s", "2s"]
jitter = 0.5
[targets]
allow_networks = []
)",
                                         "t.toml");
  EXPECT_EQ(fault_of(status), "none");
  EXPECT_EQ(config.listen_port, 9000);
  EXPECT_EQ(config.io_threads, 2U);
  EXPECT_TRUE(config.allow_public_listen);
  EXPECT_EQ(config.retry_schedule.size(), 2U);
  EXPECT_EQ(config.retry_jitter, 0.5);
}

TEST(ApplyToml, NamesFileLineAndColumnOfAFault) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"[server]\nlisen = \"x\"", "t.toml:2:9: unknown setting server.lisen; did you mean "},
      {"[sever]\nlisten = \"127.0.0.1:1\"", "did you mean server.listen?"},
      {"\n[log]\n  level = \"loud\"", "t.toml:3:11: log.level: must be "},
      {"[server]\nlisten = ", "t.toml:2:"},
      {"[server]\nlisten = 1979-05-27", "t.toml:2:10: server.listen: takes text"},
      {"[server]\nlisten = [\"a\", \"b\"]", "server.listen: takes one value"},
      {"[dns]\nservers = [[\"a\"]]", "t.toml:2:12: dns.servers: takes a list of plain values"},
      {"server = 1", "unknown setting server"},
  };
  for (const auto& [document, expected] : cases) {
    Config config;
    EXPECT_THAT(fault_of(apply_toml(config, document, "t.toml")), HasSubstr(expected)) << document;
  }
}

TEST(ApplyToml, ReadsBootstrapOrganizations) {
  Config config;
  const base::Status status = apply_toml(config, R"(
[[bootstrap.organization]]
id = "0190a6e0-1111-7000-8000-000000000001"
name = "acme"
api_key_file = "acme.key"
[[bootstrap.organization]]
id = "0190a6e0-1111-7000-8000-000000000002"
)",
                                         "t.toml");
  ASSERT_EQ(fault_of(status), "none");
  ASSERT_EQ(config.organizations.size(), 2U);
  EXPECT_EQ(config.organizations[0].id.to_string(), "0190a6e0-1111-7000-8000-000000000001");
  EXPECT_EQ(config.organizations[0].name, "acme");
  EXPECT_EQ(config.organizations[0].api_key_file, "acme.key");
  EXPECT_EQ(config.organizations[1].name, "0190a6e0-1111-7000-8000-000000000002")
      << "a nameless one is called by its id";
  EXPECT_EQ(config.organizations[1].api_key_file, "");
}

TEST(ApplyToml, RefusesBadBootstrapOrganizations) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"[[bootstrap.organization]]\nname = \"acme\"",
       "t.toml:1:1: bootstrap.organization.id: is missing"},
      {"[[bootstrap.organization]]\nid = \"acme\"",
       "t.toml:2:6: bootstrap.organization.id: must be a UUID"},
      {"[[bootstrap.organization]]\nid = 7", "bootstrap.organization.id: must be text"},
      {"[[bootstrap.organization]]\nkey = \"x\"", "it takes id, name, api_key_file"},
      {"[bootstrap.organization]\nid = \"x\"", "[[bootstrap.organization]]"},
      {"[bootstrap]\norganization = [1]", "[[bootstrap.organization]]"},
      {"[bootstrap]\norganization = \"x\"", "[[bootstrap.organization]]"},
      {"[[bootstrap.organisation]]\nid = \"x\"", "bootstrap.organisation"},
  };
  for (const auto& [document, expected] : cases) {
    Config config;
    EXPECT_THAT(fault_of(apply_toml(config, document, "t.toml")), HasSubstr(expected)) << document;
    EXPECT_TRUE(config.organizations.empty());
  }
}

// --- Environment ------------------------------------------------------------------------------

TEST(ApplyEnvironment, ReadsVariablesAndSplitsLists) {
  const char* const environment[] = {"PATH=/bin",
                                     "TRIGGERD_SERVER__IO_THREADS=4",
                                     "TRIGGERD_DELIVERY__RETRY__SCHEDULE=1s, 2s ,,3s",
                                     "TRIGGERD_SERVER__PUBLIC_URL=https://a.example/?x=1,2",
                                     "TRIGGERD_TEST_SWITCH=1",
                                     "TRIGGERD_DNS__SERVERS=",
                                     nullptr};
  Config config;
  ASSERT_EQ(fault_of(apply_environment(config, environment)), "none");
  EXPECT_EQ(config.io_threads, 4U);
  EXPECT_THAT(config.retry_schedule, ElementsAre(std::chrono::seconds(1), std::chrono::seconds(2),
                                                 std::chrono::seconds(3)));
  EXPECT_EQ(config.public_url, "https://a.example/?x=1,2");
  EXPECT_TRUE(config.dns_servers.empty());
}

TEST(ApplyEnvironment, NamesTheVariableOfAFault) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"TRIGGERD_SERVER__IO_THREADS=many", "server.io_threads: must be"},
      {"TRIGGERD_SERVER__LISEN=x", "did you mean server.listen?"},
      {"TRIGGERD_LOG__LEVEL=", "log.level: must be"},
  };
  for (const auto& [variable, expected] : cases) {
    const char* const environment[] = {variable, nullptr};
    Config config;
    const std::string text(variable);
    EXPECT_THAT(fault_of(apply_environment(config, environment)),
                AllOf(StartsWith(text.substr(0, text.find('='))), HasSubstr(expected)));
  }
}

// --- All together -----------------------------------------------------------------------------

TEST(LoadConfig, FlagsBeatTheEnvironmentWhichBeatsTheFile) {
  const std::string path = testing::TempDir() + "triggerd_config_test.toml";
  std::ofstream(path) << "[delivery]\nmax_in_flight = 1\nmax_per_host = 1\nmax_per_webhook = 1\n";
  const char* const environment[] = {"TRIGGERD_DELIVERY__MAX_PER_HOST=2",
                                     "TRIGGERD_DELIVERY__MAX_PER_WEBHOOK=2", nullptr};
  const base::Result<Config> config =
      load_config(path, environment, {{"delivery.max_per_webhook", {"3"}}});
  ASSERT_EQ(fault_of(config), "none");
  EXPECT_EQ(config.value().in_flight, 1U);
  EXPECT_EQ(config.value().in_flight_per_host, 2U);
  EXPECT_EQ(config.value().in_flight_per_webhook, 3U);
  EXPECT_EQ(config.value().listen_port, 8080) << "a default";
}

TEST(LoadConfig, NeedsNoFileButReadsTheOneThatIsNamed) {
  EXPECT_EQ(fault_of(load_config("", kNoEnvironment, {})), "none");
  EXPECT_THAT(fault_of(load_config("nowhere/t.toml", kNoEnvironment, {})),
              HasSubstr("nowhere/t.toml"));
  EXPECT_THAT(fault_of(load_config("", kNoEnvironment, {{"log.levle", {"x"}}})),
              HasSubstr("did you mean log.level?"));
}

TEST(NearestWord, HasTheFewestEdits) {
  EXPECT_EQ(nearest_word("lisen", {"listen", "level", "mode"}), "listen");
  EXPECT_EQ(nearest_word("mdoe", {"listen", "level", "mode"}), "mode");
  EXPECT_EQ(nearest_word("", {"listen", "a"}), "a");
  EXPECT_EQ(nearest_word("same", {"some", "same"}), "same");
  EXPECT_EQ(nearest_word("x", {"b", "a"}), "b") << "the first of equals";
}

}  // namespace
}  // namespace triggerd::app
