// What an operator can set: one table of settings, read from a TOML file, TRIGGERD_* variables of
// the environment and flags. Precedence: flags > environment > file > default.
//
// `server.listen` is TRIGGERD_SERVER__LISTEN in the environment; a list is separated by commas
// there.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/api_options.h"
#include "app/backups.h"
#include "app/retention.h"
#include "dispatcher/egress_proxy.h"
#include "engine/base/log.h"
#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/core/door_rates.h"
#include "engine/core/isolation.h"
#include "engine/model/limits.h"
#include "engine/model/network.h"
#include "engine/model/records.h"

namespace triggerd::app {

// An organization that the configuration declares, with its key in a file.
struct BootstrapOrganization {
  model::OrgId id;
  std::string name;
  std::string api_key_file;
};

// A setting as text; a list has several.
using SettingValues = std::vector<std::string>;

// What was said of a setting, and where: "triggerd.toml:3", "TRIGGERD_LOG__LEVEL", "flag".
struct GivenSetting {
  SettingValues values;
  std::string origin;
};

enum class StoreMode : std::uint8_t { kDisk, kMemory };
enum class LogFormat : std::uint8_t { kAuto, kText, kJson };

struct Config {
  std::string listen_address = "127.0.0.1";
  std::uint16_t listen_port = 8080;  // 0: chosen, and printed
  bool allow_public_listen = false;
  std::string public_url;              // `iss` of tokens; http://listen when empty
  std::optional<unsigned> io_threads;  // nothing: one per core; 0: everything on one loop
  std::size_t connections_max = 20'000;
  std::vector<model::Network> trusted_proxies;  // whose X-Forwarded-For is believed
  base::Duration drain_timeout = std::chrono::seconds(30);

  std::string admin_token;
  std::string admin_token_file;
  bool metrics_public = false;  // /metrics without the admin token

  std::string data_path = "triggerd-data";
  StoreMode store_mode = StoreMode::kDisk;

  std::uint32_t in_flight = model::kInFlightDefault;
  std::uint32_t in_flight_per_host = model::kInFlightPerHostDefault;
  std::uint32_t in_flight_per_webhook = model::kInFlightPerWebhookDefault;
  core::IsolationOptions isolation;
  std::size_t pending_max = model::kPendingMax;
  std::size_t resident = model::kResidentDefault;  // of these, in memory, about
  std::vector<base::Duration> retry_schedule;      // empty: the default of CONTRACT A2
  double retry_jitter = model::kRetryJitterDefault;
  base::Duration disable_after = model::kDisableAfterDefault;  // 0: never

  model::TargetPolicy targets;
  std::string ca_file;
  std::optional<dispatcher::EgressProxy> proxy;
  std::vector<std::string> dns_servers;  // empty: the system's

  base::Duration secret_overlap = model::kSecretOverlapDefault;
  base::Duration key_publish_lead = model::kKeyPublishLeadDefault;
  std::string secret_key_file;  // empty: in the data folder
  base::LogLevel log_level = base::LogLevel::kInfo;
  LogFormat log_format = LogFormat::kAuto;

  api::SdkIngestOptions sdk_ingest;
  core::DoorRates rates;
  RetentionOptions retention;
  BackupOptions backup;

  std::vector<BootstrapOrganization> organizations;

  std::map<std::string, GivenSetting, std::less<>> given;  // by path; the rest is as it stands here
};

// Sets one setting by its path ("delivery.retry.schedule"). kInvalid names the setting, what is
// wrong and what it takes; an unknown path suggests the nearest one.
[[nodiscard]] base::Status set_setting(Config& config, std::string_view path,
                                       const SettingValues& values, std::string origin = "flag");

// Applies a TOML document; `source` is named in messages, with line and column.
[[nodiscard]] base::Status apply_toml(Config& config, std::string_view document,
                                      std::string_view source);

// Applies TRIGGERD_* variables ("NAME=value" each). Unknown TRIGGERD_ names are errors.
[[nodiscard]] base::Status apply_environment(Config& config, const char* const* environment);

// File (when `path` is not empty), environment, then the flags, in order.
[[nodiscard]] base::Result<Config> load_config(
    const std::string& path, const char* const* environment,
    const std::vector<std::pair<std::string, SettingValues>>& flags);

// All of what a start looks at before it opens anything: the address, and the files that are named.
[[nodiscard]] base::Status check_config(const Config& config);

}  // namespace triggerd::app
