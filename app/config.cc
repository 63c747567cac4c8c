#include "app/config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include "api/cors.h"
#include "app/nearest_word.h"
#include "app/secrets.h"
#include "dispatcher/ca_store.h"
#include "engine/model/go_duration.h"

namespace triggerd::app {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

Error invalid(std::string_view path, std::string_view fault) {
  return Error{ErrorCode::kInvalid, fmt::format("{}: {}", path, fault)};
}

// --- Readers of one value ---------------------------------------------------------------------

Status read_text(std::string_view, const std::string& text, std::string& out) {
  out = text;
  return {};
}

Status read_bool(std::string_view path, const std::string& text, bool& out) {
  if (text != "true" && text != "false") return invalid(path, "must be true or false");
  out = text == "true";
  return {};
}

template <class Integer>
Status read_integer(std::string_view path, const std::string& text, Integer low, Integer high,
                    Integer& out) {
  Integer value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < low || value > high) {
    return invalid(path, fmt::format("must be a whole number from {} to {}", low, high));
  }
  out = value;
  return {};
}

Status read_duration(std::string_view path, const std::string& text, base::Duration longest,
                     base::Duration& out) {
  const Result<base::Duration> duration = model::parse_go_duration(text);
  if (!duration.ok() || duration.value() < base::Duration(0) || duration.value() > longest) {
    return invalid(
        path, fmt::format("'{}' must be a duration such as \"10s\" or \"5m\", at most {}", text,
                          model::format_go_duration(longest)));
  }
  out = duration.value();
  return {};
}

Status read_age(std::string_view path, const std::string& text, base::Duration& out) {
  base::Duration age{0};
  Status status = read_duration(path, text, model::kRetentionAgeMax, age);
  if (status.ok() && age < model::kRetentionAgeMin) {
    return invalid(path, fmt::format("must be at least {}: so long an event id is remembered",
                                     model::format_go_duration(model::kRetentionAgeMin)));
  }
  if (status.ok()) out = age;
  return status;
}

Status read_listen(std::string_view path, const std::string& text, Config& config) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) {
    return invalid(path, "must be ADDRESS:PORT, for example 127.0.0.1:8080 or [::1]:8080");
  }
  std::string address = text.substr(0, colon);
  if (address.front() == '[' && address.back() == ']')
    address = address.substr(1, address.size() - 2);
  if (!model::IpAddress::parse(address)) {
    return invalid(path, fmt::format("'{}' is not an IP address", address));
  }
  if (Status status =
          read_integer<std::uint16_t>(path, text.substr(colon + 1), 0, 65535, config.listen_port);
      !status.ok()) {
    return status;
  }
  config.listen_address = std::move(address);
  return {};
}

Status read_level(std::string_view path, const std::string& text, base::LogLevel& out) {
  static constexpr std::array<std::string_view, 4> names = {"debug", "info", "warn", "error"};
  const auto* const found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) return invalid(path, "must be debug, info, warn or error");
  out = static_cast<base::LogLevel>(found - names.begin());
  return {};
}

Status read_schedule(std::string_view path, const SettingValues& values, Config& config) {
  if (values.empty() || values.size() > model::kScheduleEntriesMax) {
    return invalid(path, fmt::format("takes 1 to {} durations", model::kScheduleEntriesMax));
  }
  std::vector<base::Duration> schedule;
  for (const std::string& text : values) {
    base::Duration delay{0};
    if (Status status = read_duration(path, text, model::kScheduleEntryMax, delay); !status.ok()) {
      return status;
    }
    schedule.push_back(delay);
  }
  config.retry_schedule = std::move(schedule);
  return {};
}

Status read_networks(std::string_view path, const SettingValues& values,
                     std::vector<model::Network>& out) {
  std::vector<model::Network> networks;
  for (const std::string& text : values) {
    const std::optional<model::Network> network = model::Network::parse(text);
    if (!network) {
      return invalid(
          path, fmt::format("'{}' must be a network such as 127.0.0.0/8 or [fd00::]/8:443", text));
    }
    networks.push_back(*network);
  }
  out = std::move(networks);
  return {};
}

// Proxies are told by their address alone.
Status read_proxies(std::string_view path, const SettingValues& values, Config& config) {
  std::vector<model::Network> networks;
  if (Status status = read_networks(path, values, networks); !status.ok()) return status;
  for (std::size_t i = 0; i < networks.size(); ++i) {
    const model::Network any_port{networks[i].address, networks[i].prefix_bits};
    if (networks[i] != any_port) {
      return invalid(
          path, fmt::format("'{}' must be a network without ports, such as 10.0.0.0/8", values[i]));
    }
  }
  config.trusted_proxies = std::move(networks);
  return {};
}

// Empty: none.
Status read_proxy(std::string_view path, const SettingValues& values, Config& config) {
  config.proxy.reset();
  if (values[0].empty()) return {};
  Result<dispatcher::EgressProxy> proxy = dispatcher::parse_egress_proxy(values[0]);
  if (!proxy.ok()) return invalid(path, proxy.error().message);
  config.proxy = std::move(proxy.value());
  return {};
}

Status read_rate(std::string_view path, const std::string& text, model::DoorRate& rate) {
  return read_integer<std::uint32_t>(path, text, 1, model::kDoorPerMinuteMax, rate.per_minute);
}

Status read_burst(std::string_view path, const std::string& text, std::uint32_t most,
                  model::DoorRate& rate) {
  return read_integer<std::uint32_t>(path, text, 1, most, rate.burst);
}

// An origin as browsers write it: scheme, host and port in lower case, no path.
Status read_origins(std::string_view path, const SettingValues& values, Config& config) {
  for (const std::string& text : values) {
    if (!api::is_origin(text) || text == "null") {
      return invalid(path, fmt::format("'{}' must be an origin as browsers send it, such as "
                                       "https://shop.example or http://localhost:3000",
                                       text));
    }
  }
  config.sdk_ingest.allowed_origins = values;
  return {};
}

Status read_io_threads(std::string_view path, const std::string& text, Config& config) {
  if (text == "auto") {
    config.io_threads.reset();
    return {};
  }
  unsigned threads = 0;
  if (Status status = read_integer<unsigned>(path, text, 0, 64, threads); !status.ok()) {
    return invalid(path, "must be \"auto\" or a whole number from 0 to 64");
  }
  config.io_threads = threads;
  return {};
}

Status read_jitter(std::string_view path, const std::string& text, Config& config) {
  double jitter = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), jitter);
  if (error != std::errc() || end != text.data() + text.size() || !(jitter >= 0 && jitter <= 0.9)) {
    return invalid(path, "must be a number from 0 to 0.9");
  }
  config.retry_jitter = jitter;
  return {};
}

// --- The table --------------------------------------------------------------------------------

enum class Arity : std::uint8_t { kOne, kList };

struct Setting {
  std::string_view path;
  Arity arity;
  Status (*set)(std::string_view path, const SettingValues& values, Config& config);
};

constexpr std::uint32_t kInFlightMost = 100'000;
constexpr std::uint64_t kRetentionBytesMost = std::uint64_t{1} << 50;

using Values = SettingValues;
using Path = std::string_view;

constexpr Setting kSettings[] = {
    {"server.listen", Arity::kOne,
     [](Path p, const Values& v, Config& c) { return read_listen(p, v[0], c); }},
    {"server.allow_public_listen", Arity::kOne,
     [](Path p, const Values& v, Config& c) { return read_bool(p, v[0], c.allow_public_listen); }},
    {"server.public_url", Arity::kOne,
     [](Path p, const Values& v, Config& c) { return read_text(p, v[0], c.public_url); }},
    {"server.io_threads", Arity::kOne,
     [](Path p, const Values& v, Config& c) { return read_io_threads(p, v[0], c); }},
    {"server.max_connections", Arity::kOne,
     [](Path p, const Values& v, Config& c) {
       return read_integer<std::size_t>(p, v[0], 1, 1'000'000, c.connections_max);
     }},
    {"server.trusted_proxies", Arity::kList, read_proxies},
    {"server.drain_timeout", Arity::kOne,
     [](Path p, const Values& v, Config& c) {
       return read_duration(p, v[0], std::chrono::hours(1), c.drain_timeout);
     }},
    {"admin.token", Arity::kOne,
     [](Path p, const Values& v, Config& c) { return read_text(p, v[0], c.admin_token); }},
    {"admin.token_file", Arity::kOne,
     [](Path p, const Values& v, Config& c) { return read_text(p, v[0], c.admin_token_file); }},
    {"store.path", Arity::kOne,
     [](Path p, const Values& v, Config& c) { return read_text(p, v[0], c.data_path); }},
    {"store.mode", Arity::kOne,
     [](Path p, const Values& v, Config& c) -> Status {
       if (v[0] != "disk" && v[0] != "memory") return invalid(p, "must be disk or memory");
       c.store_mode = v[0] == "disk" ? StoreMode::kDisk : StoreMode::kMemory;
       return {};
     }},
    {"delivery.max_in_flight", Arity::kOne,
     [](Path p, const Values& v, Config& c) {
       return read_integer<std::uint32_t>(p, v[0], 1, kInFlightMost, c.in_flight);
     }},
    {"delivery.max_per_host", Arity::kOne,
     [](Path p, const Values& v, Config& c) {
       return read_integer<std::uint32_t>(p, v[0], 1, kInFlightMost, c.in_flight_per_host);
     }},
    {"delivery.max_per_webhook", Arity::kOne,
     [](Path p, const Values& v, Config& c) {
       return read_integer<std::uint32_t>(p, v[0], 1, 1000, c.in_flight_per_webhook);
     }},
    {"delivery.start_per_webhook", Arity::kOne,
     [](Path p, const Values& v, Config& c) {
       return read_integer<std::uint32_t>(p, v[0], 0, model::kMaxInFlightMax,
                                          c.isolation.in_flight_start);
     }},
    {"delivery.breaker.failures", Arity::kOne,
     [](Path p, const Values& v, Config& c) {
       return read_integer<std::uint32_t>(p, v[0], 0, core::kBreakerFailuresMax,
                                          c.isolation.breaker.failures_to_open);
     }},
    {"delivery.breaker.open_for", Arity::kOne,
     [](Path p, const Values& v, Config& c) {
       return read_duration(p, v[0], core::kBreakerOpenForMost, c.isolation.breaker.open_for);
     }},
    {"delivery.breaker.open_for_max", Arity::kOne,
     [](Path p, const Values& v, Config& c) {
       return read_duration(p, v[0], core::kBreakerOpenForMost, c.isolation.breaker.open_for_max);
     }},
    {"delivery.max_pending", Arity::kOne,
     [](Path p, const Values& v, Config& c) {
       return read_integer<std::size_t>(p, v[0], 1, 100'000'000, c.pending_max);
     }},
    {"delivery.max_in_memory", Arity::kOne,
     [](Path p, const Values& v, Config& c) {
       return read_integer<std::size_t>(p, v[0], 0, 100'000'000, c.resident);
     }},
    {"delivery.retry.schedule", Arity::kList, read_schedule},
    {"delivery.retry.jitter", Arity::kOne,
     [](Path p, const Values& v, Config& c) { return read_jitter(p, v[0], c); }},
    {"delivery.retry.share_percent", Arity::kOne,
     [](Path p, const Values& v, Config& c) {
       return read_integer<std::uint32_t>(p, v[0], 1, 100, c.isolation.retry_share_percent);
     }},
    {"delivery.retry.disable_after", Arity::kOne,
     [](Path p, const Values& v, Config& c) {
       return read_duration(p, v[0], model::kDisableAfterMax, c.disable_after);
     }},
    {"targets.allow_http", Arity::kOne,
     [](Path p, const Values& v, Config& c) { return read_bool(p, v[0], c.targets.allow_http); }},
    {"targets.allow_networks", Arity::kList,
     [](Path p, const Values& v, Config& c) {
       return read_networks(p, v, c.targets.allow_networks);
     }},
    {"targets.ca_file", Arity::kOne,
     [](Path p, const Values& v, Config& c) { return read_text(p, v[0], c.ca_file); }},
    {"targets.proxy", Arity::kOne, read_proxy},
    {"admin.metrics_public", Arity::kOne,
     [](Path p, const Values& v, Config& c) { return read_bool(p, v[0], c.metrics_public); }},
    {"sdk_ingest.enabled", Arity::kOne,
     [](Path p, const Values& v, Config& c) { return read_bool(p, v[0], c.sdk_ingest.enabled); }},
    {"sdk_ingest.allowed_origins", Arity::kList, read_origins},
    {"sdk_ingest.rate_per_address", Arity::kOne,
     [](Path p, const Values& v, Config& c) { return read_rate(p, v[0], c.rates.sdk_client); }},
    {"sdk_ingest.burst_per_address", Arity::kOne,
     [](Path p, const Values& v, Config& c) {
       return read_burst(p, v[0], model::kDoorBurstMax, c.rates.sdk_client);
     }},
    {"sdk_ingest.rate_per_organization", Arity::kOne,
     [](Path p, const Values& v, Config& c) {
       return read_rate(p, v[0], c.rates.sdk_organization);
     }},
    {"sdk_ingest.burst_per_organization", Arity::kOne,
     [](Path p, const Values& v, Config& c) {
       return read_burst(p, v[0], model::kDoorBurstMax, c.rates.sdk_organization);
     }},
    {"rates.test_events_per_minute", Arity::kOne,
     [](Path p, const Values& v, Config& c) { return read_rate(p, v[0], c.rates.test_events); }},
    {"rates.test_events_burst", Arity::kOne,
     [](Path p, const Values& v, Config& c) {
       return read_burst(p, v[0], model::kTestEventsPerRequestMax, c.rates.test_events);
     }},
    {"rates.jwks_per_minute", Arity::kOne,
     [](Path p, const Values& v, Config& c) { return read_rate(p, v[0], c.rates.jwks); }},
    {"rates.jwks_burst", Arity::kOne,
     [](Path p, const Values& v, Config& c) {
       return read_burst(p, v[0], model::kDoorBurstMax, c.rates.jwks);
     }},
    {"retention.age", Arity::kOne,
     [](Path p, const Values& v, Config& c) { return read_age(p, v[0], c.retention.age); }},
    {"retention.dead_letter_age", Arity::kOne,
     [](Path p, const Values& v, Config& c) {
       return read_age(p, v[0], c.retention.dead_letter_age);
     }},
    {"retention.max_bytes", Arity::kOne,
     [](Path p, const Values& v, Config& c) {
       return read_integer<std::uint64_t>(p, v[0], 0, kRetentionBytesMost, c.retention.bytes_max);
     }},
    {"retention.interval", Arity::kOne,
     [](Path p, const Values& v, Config& c) -> Status {
       base::Duration interval{0};
       Status status = read_duration(p, v[0], std::chrono::hours(24), interval);
       if (status.ok() && interval < std::chrono::milliseconds(100)) {
         return invalid(p, "must be at least 100ms");
       }
       if (status.ok()) c.retention.interval = interval;
       return status;
     }},
    {"backup.folder", Arity::kOne,
     [](Path p, const Values& v, Config& c) { return read_text(p, v[0], c.backup.folder); }},
    {"backup.keep", Arity::kOne,
     [](Path p, const Values& v, Config& c) {
       return read_integer<std::uint32_t>(p, v[0], 1, model::kBackupsKeptMax, c.backup.kept_max);
     }},
    {"dns.servers", Arity::kList,
     [](Path, const Values& v, Config& c) -> Status {
       c.dns_servers = v;
       return {};
     }},
    {"signing.publish_before_use", Arity::kOne,
     [](Path p, const Values& v, Config& c) {
       return read_duration(p, v[0], model::kKeyPublishLeadMax, c.key_publish_lead);
     }},
    {"signing.rotation_overlap", Arity::kOne,
     [](Path p, const Values& v, Config& c) {
       return read_duration(p, v[0], model::kSecretOverlapMax, c.secret_overlap);
     }},
    {"security.secret_key_file", Arity::kOne,
     [](Path p, const Values& v, Config& c) { return read_text(p, v[0], c.secret_key_file); }},
    {"log.level", Arity::kOne,
     [](Path p, const Values& v, Config& c) { return read_level(p, v[0], c.log_level); }},
    {"log.format", Arity::kOne,
     [](Path p, const Values& v, Config& c) -> Status {
       if (v[0] != "auto" && v[0] != "text" && v[0] != "json") {
         return invalid(p, "must be auto, text or json");
       }
       c.log_format = v[0] == "auto"   ? LogFormat::kAuto
                      : v[0] == "text" ? LogFormat::kText
                                       : LogFormat::kJson;
       return {};
     }},
};

const Setting* find_setting(std::string_view path) {
  for (const Setting& setting : kSettings) {
    if (setting.path == path) return &setting;
  }
  return nullptr;
}

// --- Suggestions ------------------------------------------------------------------------------

Error unknown_setting(std::string_view path) {
  std::vector<std::string_view> paths;
  for (const Setting& setting : kSettings) paths.push_back(setting.path);
  const std::string_view shown = path.substr(0, 100);
  return Error{ErrorCode::kInvalid, fmt::format("unknown setting {}; did you mean {}?", shown,
                                                nearest_word(shown, paths))};
}

// --- TOML -------------------------------------------------------------------------------------

Error at(std::string_view source, const toml::source_region& region, const Error& error) {
  return Error{error.code, fmt::format("{}:{}:{}: {}", source, region.begin.line,
                                       region.begin.column, error.message)};
}

// A scalar as the text that the settings read.
std::optional<std::string> scalar_text(const toml::node& node) {
  if (const auto text = node.value_exact<std::string>()) return *text;
  if (const auto number = node.value_exact<std::int64_t>()) return std::to_string(*number);
  if (const auto number = node.value_exact<double>()) return fmt::format("{}", *number);
  if (const auto truth = node.value_exact<bool>()) return *truth ? "true" : "false";
  return std::nullopt;
}

Status read_organization(const toml::table& table, std::string_view source, Config& config) {
  BootstrapOrganization organization;
  bool has_id = false;
  for (const auto& [key, node] : table) {
    const std::optional<std::string> text = node.value_exact<std::string>();
    const std::string path = fmt::format("bootstrap.organization.{}", key.str());
    if (!text) return at(source, node.source(), invalid(path, "must be text"));
    if (key == "id") {
      const std::optional<model::OrgId> id = model::OrgId::parse(*text);
      if (!id) return at(source, node.source(), invalid(path, "must be a UUID"));
      organization.id = *id;
      has_id = true;
    } else if (key == "name") {
      organization.name = *text;
    } else if (key == "api_key_file") {
      organization.api_key_file = *text;
    } else {
      return at(source, node.source(), invalid(path, "unknown; it takes id, name, api_key_file"));
    }
  }
  if (!has_id) {
    return at(source, table.source(), invalid("bootstrap.organization.id", "is missing"));
  }
  if (organization.name.empty()) organization.name = organization.id.to_string();
  config.organizations.push_back(std::move(organization));
  return {};
}

Status read_organizations(const toml::node& node, std::string_view source, Config& config) {
  const toml::array* list = node.as_array();
  if (list == nullptr || !list->is_homogeneous(toml::node_type::table)) {
    return at(source, node.source(),
              invalid("bootstrap.organization", "must be tables: [[bootstrap.organization]]"));
  }
  for (const toml::node& entry : *list) {
    if (Status status = read_organization(*entry.as_table(), source, config); !status.ok()) {
      return status;
    }
  }
  return {};
}

Status read_node(Config& config, const std::string& path, const toml::node& node,
                 std::string_view source);

Status read_table(Config& config, const std::string& prefix, const toml::table& table,
                  std::string_view source) {
  for (const auto& [key, node] : table) {
    const std::string path =
        prefix.empty() ? std::string(key.str()) : prefix + "." + std::string(key.str());
    if (Status status = read_node(config, path, node, source); !status.ok()) return status;
  }
  return {};
}

Status read_node(Config& config, const std::string& path, const toml::node& node,
                 std::string_view source) {
  if (path == "bootstrap.organization") return read_organizations(node, source, config);
  if (const toml::table* table = node.as_table()) return read_table(config, path, *table, source);
  SettingValues values;
  if (const toml::array* list = node.as_array()) {
    for (const toml::node& entry : *list) {
      const std::optional<std::string> text = scalar_text(entry);
      if (!text) return at(source, entry.source(), invalid(path, "takes a list of plain values"));
      values.push_back(*text);
    }
  } else if (const std::optional<std::string> text = scalar_text(node)) {
    values.push_back(*text);
  } else {
    return at(source, node.source(), invalid(path, "takes text, a number, or true or false"));
  }
  std::string origin = fmt::format("{}:{}", source, node.source().begin.line);
  if (Status status = set_setting(config, path, values, std::move(origin)); !status.ok()) {
    return at(source, node.source(), status.error());
  }
  return {};
}

// "SERVER__IO_THREADS" → "server.io_threads".
std::string environment_path(std::string_view name) {
  std::string path;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '_' && i + 1 < name.size() && name[i + 1] == '_') {
      path += '.';
      ++i;
    } else {
      path += static_cast<char>(name[i] >= 'A' && name[i] <= 'Z' ? name[i] - 'A' + 'a' : name[i]);
    }
  }
  return path;
}

SettingValues split_list(const std::string& text) {
  SettingValues values;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) {
    const std::size_t first = part.find_first_not_of(" \t");
    if (first == std::string::npos) continue;
    values.push_back(part.substr(first, part.find_last_not_of(" \t") - first + 1));
  }
  return values;
}

}  // namespace

Status set_setting(Config& config, std::string_view path, const SettingValues& values,
                   std::string origin) {
  const Setting* found = find_setting(path);
  if (found == nullptr) return unknown_setting(path);
  if (found->arity == Arity::kOne && values.size() != 1) return invalid(path, "takes one value");
  Status status = found->set(path, values, config);
  if (status.ok()) config.given[std::string(path)] = {values, std::move(origin)};
  return status;
}

Status apply_toml(Config& config, std::string_view document, std::string_view source) {
  const toml::parse_result parsed = toml::parse(document, source);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    return Error{ErrorCode::kInvalid,
                 fmt::format("{}:{}:{}: {}", source, error.source().begin.line,
                             error.source().begin.column, error.description())};
  }
  return read_table(config, "", parsed.table(), source);
}

Status apply_environment(Config& config, const char* const* environment) {
  constexpr std::string_view prefix = "TRIGGERD_";
  for (; *environment != nullptr; ++environment) {
    const std::string_view variable = *environment;
    const std::size_t equals = variable.find('=');
    if (!variable.starts_with(prefix) || equals == std::string_view::npos) continue;
    const std::string_view name = variable.substr(0, equals);
    // Variables without a section are not settings (test switches and the like).
    if (name.find("__") == std::string_view::npos) continue;
    const std::string path = environment_path(name.substr(prefix.size()));
    const std::string text(variable.substr(equals + 1));
    const Setting* setting = find_setting(path);
    const bool is_list = setting != nullptr && setting->arity == Arity::kList;
    const SettingValues values = is_list ? split_list(text) : SettingValues{text};
    if (Status status = set_setting(config, path, values, std::string(name)); !status.ok()) {
      return Error{status.error().code, fmt::format("{}: {}", name, status.error().message)};
    }
  }
  return {};
}

Result<Config> load_config(const std::string& path, const char* const* environment,
                           const std::vector<std::pair<std::string, SettingValues>>& flags) {
  Config config;
  if (!path.empty()) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
      return Error{ErrorCode::kInvalid, fmt::format("config file {} can not be read", path)};
    }
    std::ostringstream document;
    document << file.rdbuf();
    const std::string text = document.str();
    if (Status status = apply_toml(config, text, path); !status.ok()) return status.error();
  }
  if (Status status = apply_environment(config, environment); !status.ok()) return status.error();
  for (const auto& [setting, values] : flags) {
    if (Status status = set_setting(config, setting, values); !status.ok()) return status.error();
  }
  return config;
}

namespace {

// By their spelling: neither need exist.
bool lies_within(const std::string& path, const std::string& folder) {
  if (path.empty()) return false;
  std::error_code failure;
  const std::string inner = std::filesystem::absolute(path, failure).lexically_normal().string();
  const std::string outer = std::filesystem::absolute(folder, failure).lexically_normal().string();
  return inner == outer || inner.starts_with(outer + "/");
}

}  // namespace

Status check_config(const Config& config) {
  const std::optional<model::IpAddress> address = model::IpAddress::parse(config.listen_address);
  const bool loopback =
      address && (address->v4 ? address->bytes[0] == 127 : config.listen_address == "::1");
  if (!config.allow_public_listen && !loopback) {
    return Error{
        ErrorCode::kInvalid,
        fmt::format("server.listen: {} is not a loopback address; put a TLS proxy in front and set "
                    "server.allow_public_listen = true",
                    config.listen_address)};
  }
  if (lies_within(config.backup.folder, config.data_path + "/store")) {
    return invalid("backup.folder", "lies within the store itself; give a folder beside it");
  }
  if (!config.ca_file.empty()) {
    const auto store = dispatcher::load_ca_store(config.ca_file);
    if (!store.ok()) return store.error();
  }
  for (const BootstrapOrganization& organization : config.organizations) {
    if (organization.api_key_file.empty()) continue;
    if (const auto key = read_secret_file(organization.api_key_file); !key.ok()) return key.error();
  }
  return {};
}

}  // namespace triggerd::app
