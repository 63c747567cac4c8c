// triggerd serve: runs the engine until it is told to stop.

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include "app/cli/commands.h"
#include "app/log_sink.h"
#include "app/server.h"
#include "app/signals.h"

namespace triggerd::app {
namespace {

struct ServeFlags {
  std::string config_file;
  std::string listen;
  std::string data;
  std::string io_threads;
  std::string store;
  std::string public_url;
  std::string log_level;
  std::string log_format;
  bool allow_http = false;
  std::vector<std::string> allow_networks;
};

std::vector<std::pair<std::string, SettingValues>> settings_of(const ServeFlags& flags) {
  std::vector<std::pair<std::string, SettingValues>> settings;
  const auto add = [&settings](const char* path, const std::string& value) {
    if (!value.empty()) settings.emplace_back(path, SettingValues{value});
  };
  add("server.listen", flags.listen);
  add("store.path", flags.data);
  add("store.mode", flags.store);
  add("server.io_threads", flags.io_threads);
  add("server.public_url", flags.public_url);
  add("log.level", flags.log_level);
  add("log.format", flags.log_format);
  if (flags.allow_http) add("targets.allow_http", "true");
  if (!flags.allow_networks.empty()) {
    settings.emplace_back("targets.allow_networks", flags.allow_networks);
  }
  return settings;
}

void print_started(const ServerStarted& started, const Config& config) {
  std::string text =
      fmt::format("triggerd {}\n  API        http://{}\n", TRIGGERD_VERSION, started.address);
  if (config.store_mode == StoreMode::kMemory) {
    text += "  Storage    in memory: everything is lost on exit; keep it with --data DIR\n";
    text += fmt::format("  Admin      token {}\n", started.admin_token);
  } else {
    text +=
        fmt::format("  Storage    {} ({} deliveries pending)\n", config.data_path, started.pending);
    if (!started.admin_token_written_to.empty()) {
      text += fmt::format("  Admin      token written to {}\n", started.admin_token_written_to);
    }
  }
  if (config.targets.allow_http) text += "  Targets    plain http is allowed\n";
  text += fmt::format("  Threads    {} I/O\n", started.io_loops);
  std::fputs(text.c_str(), stderr);
  // The one line of data: what a script waits for.
  std::fputs(fmt::format("listening on {}\n", started.address).c_str(), stdout);
  std::fflush(stdout);
}

int serve(const ServeFlags& flags) {
  base::Result<Config> config = load_config(flags.config_file, environ, settings_of(flags));
  if (!config.ok()) {
    std::fputs(fmt::format("triggerd: {}\n", config.error().message).c_str(), stderr);
    return kExitConfigInvalid;
  }
  start_logging(config.value().log_level, config.value().log_format);
  int exit_code = kExitDone;
  const auto failed = [&exit_code](const base::Error& error) {
    if (exit_code != kExitDone) return;  // a start that failed also ends with its error
    std::fputs(fmt::format("triggerd: {}\n", error.message).c_str(), stderr);
    exit_code = error.code == base::ErrorCode::kInvalid ? kExitConfigInvalid : kExitFailed;
  };
  {
    loop::EventLoop event_loop;
    base::Result<std::unique_ptr<Server>> server = Server::create(event_loop, config.value());
    if (server.ok()) {
      server.value()->use_config_source(
          [&flags] { return load_config(flags.config_file, environ, settings_of(flags)); });
      const Signals signals(
          event_loop,
          [&server](int count) {
            if (count > 1) std::_Exit(kExitFailed);  // what is durable stays so
            std::fputs("triggerd: draining; once more to end at once\n", stderr);
            server.value()->request_stop();
          },
          // What came of it is in the log.
          [&server] { server.value()->reload_config(); });
      server.value()->start(
          [&config, &failed](const base::Result<ServerStarted>& started) {
            if (started.ok()) {
              print_started(started.value(), config.value());
            } else {
              failed(started.error());
            }
          },
          [&event_loop, &failed](const base::Status& status) {
            if (!status.ok()) failed(status.error());
            event_loop.stop();
          });
      event_loop.run();
    } else {
      failed(server.error());
    }
  }
  stop_logging();
  return exit_code;
}

}  // namespace

void add_serve(CLI::App& app, Run& run) {
  CLI::App* command = app.add_subcommand("serve", "Run the engine");
  auto flags = std::make_shared<ServeFlags>();
  command->add_option("--config", flags->config_file, "TOML file with settings");
  command->add_option("--listen", flags->listen, "ADDRESS:PORT, port 0 chooses one");
  command->add_option("--data", flags->data, "Data folder");
  command->add_option("--store", flags->store, "disk or memory");
  command->add_option("--io-threads", flags->io_threads, "auto, or a number; 0 = one loop for all");
  command->add_option("--public-url", flags->public_url, "The `iss` of tokens");
  command->add_flag("--allow-http", flags->allow_http, "Targets may be plain http");
  command->add_option("--allow-network", flags->allow_networks,
                      "Targets may lie in this network (repeatable), e.g. 127.0.0.0/8");
  command->add_option("--log-level", flags->log_level, "debug, info, warn or error");
  command->add_option("--log-format", flags->log_format, "auto, text or json");
  command->footer(
      "Every setting is also TRIGGERD_SECTION__KEY in the environment, for example\n"
      "TRIGGERD_SERVER__LISTEN. Flags win over the environment, which wins over the file.\n\n"
      "Examples:\n"
      "  triggerd serve\n"
      "  triggerd serve --config triggerd.toml --data data\n"
      "  triggerd serve --store memory --allow-http --allow-network 127.0.0.0/8");
  command->callback([flags, &run] { run = [flags] { return serve(*flags); }; });
}

}  // namespace triggerd::app
