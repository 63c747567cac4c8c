// What differs between a configuration that is in force and one that was read again, and which of
// it can take effect while the process runs.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "app/config.h"
#include "engine/model/operations.h"

namespace triggerd::app {

// By path ("log.level"). What is not named needs a restart.
[[nodiscard]] bool can_change_while_running(std::string_view path);

using GivenSettings = std::map<std::string, GivenSetting, std::less<>>;
// A setting that is given in one of them alone has changed, too. In order of their paths.
[[nodiscard]] model::ConfigReloaded changes_between(const GivenSettings& in_force,
                                                    const GivenSettings& read);

[[nodiscard]] bool same_organizations(const std::vector<BootstrapOrganization>& left,
                                      const std::vector<BootstrapOrganization>& right);

}  // namespace triggerd::app
