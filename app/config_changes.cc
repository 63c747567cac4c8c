#include "app/config_changes.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace triggerd::app {
namespace {

constexpr std::array<std::string_view, 11> kLive = {
    "admin.metrics_public",
    "log.level",
    "sdk_ingest.allowed_origins",
    "sdk_ingest.enabled",
    "server.drain_timeout",
    "server.trusted_proxies",
    "targets.allow_http",
    "targets.allow_networks",
    "targets.ca_file",
    // Whole sections, up to the dot.
    "rates.",
    "retention.",
};
constexpr std::array<std::string_view, 2> kLiveRates = {"sdk_ingest.rate_", "sdk_ingest.burst_"};

}  // namespace

bool can_change_while_running(std::string_view path) {
  const auto names = [path](std::string_view live) {
    return live.back() == '.' ? path.starts_with(live) : path == live;
  };
  const auto begins = [path](std::string_view beginning) { return path.starts_with(beginning); };
  return std::any_of(kLive.begin(), kLive.end(), names) ||
         std::any_of(kLiveRates.begin(), kLiveRates.end(), begins);
}

model::ConfigReloaded changes_between(const GivenSettings& in_force, const GivenSettings& read) {
  model::ConfigReloaded changes;
  const auto note = [&changes](const std::string& path) {
    (can_change_while_running(path) ? changes.changed : changes.needs_restart).push_back(path);
  };
  auto before = in_force.begin();
  auto now = read.begin();
  while (before != in_force.end() || now != read.end()) {
    if (now == read.end() || (before != in_force.end() && before->first < now->first)) {
      note(before->first);
      ++before;
    } else if (before == in_force.end() || now->first < before->first) {
      note(now->first);
      ++now;
    } else {
      if (before->second.values != now->second.values) note(now->first);
      ++before;
      ++now;
    }
  }
  return changes;
}

bool same_organizations(const std::vector<BootstrapOrganization>& left,
                        const std::vector<BootstrapOrganization>& right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](const BootstrapOrganization& one, const BootstrapOrganization& other) {
                      return one.id == other.id && one.name == other.name &&
                             one.api_key_file == other.api_key_file;
                    });
}

}  // namespace triggerd::app
