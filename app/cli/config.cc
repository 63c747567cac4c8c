// triggerd config check, triggerd config show: what a server would start with.

#include <cstdio>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include "app/cli/commands.h"
#include "app/config.h"

namespace triggerd::app {
namespace {

struct ConfigFlags {
  std::string config_file;
  bool origin = false;
};

// Settings whose value is a secret; their `_file` twins name a file.
bool is_secret(std::string_view path) {
  return path == "admin.token";
}

int invalid(const base::Error& error) {
  std::fputs(fmt::format("triggerd: {}\n", error.message).c_str(), stderr);
  return kExitConfigInvalid;
}

base::Result<Config> load(const ConfigFlags& flags) {
  return load_config(flags.config_file, environ, {});
}

int check(const ConfigFlags& flags) {
  const base::Result<Config> config = load(flags);
  if (!config.ok()) return invalid(config.error());
  if (const base::Status good = check_config(config.value()); !good.ok()) {
    return invalid(good.error());
  }
  std::fputs(fmt::format("{} is good: {} settings, {} organizations\n",
                         flags.config_file.empty() ? "the environment" : flags.config_file,
                         config.value().given.size(), config.value().organizations.size())
                 .c_str(),
             stderr);
  return kExitDone;
}

int show(const ConfigFlags& flags) {
  const base::Result<Config> config = load(flags);
  if (!config.ok()) return invalid(config.error());
  std::string text;
  for (const auto& [path, given] : config.value().given) {
    const std::string value =
        is_secret(path) ? "(secret)" : fmt::format("{}", fmt::join(given.values, ", "));
    text += fmt::format("{} = {}", path, value);
    if (flags.origin) text += fmt::format("  # {}", given.origin);
    text += "\n";
  }
  std::fputs(text.c_str(), stdout);
  return kExitDone;
}

}  // namespace

void add_config(CLI::App& app, Run& run) {
  CLI::App* command = app.add_subcommand("config", "Check or show a configuration");
  command->require_subcommand(1);
  auto flags = std::make_shared<ConfigFlags>();

  CLI::App* checking = command->add_subcommand("check", "Would a server start with it?");
  checking->add_option("--config", flags->config_file, "TOML file with settings");
  checking->footer(
      "The environment counts as it does for `triggerd serve`.\n\n"
      "Examples:\n"
      "  triggerd config check --config triggerd.toml\n"
      "Exit codes: 0 good, 9 not; the message names line, column and setting.");
  checking->callback([flags, &run] { run = [flags] { return check(*flags); }; });

  CLI::App* showing = command->add_subcommand("show", "The settings that are not at their default");
  showing->add_option("--config", flags->config_file, "TOML file with settings");
  showing->add_flag("--origin", flags->origin, "Say where each comes from");
  showing->footer(
      "Secrets are not shown.\n\n"
      "Examples:\n"
      "  triggerd config show --config triggerd.toml --origin");
  showing->callback([flags, &run] { run = [flags] { return show(*flags); }; });
}

}  // namespace triggerd::app
