#include <cstdio>
#include <string>
#include <vector>

#include <curl/curl.h>
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "app/cli/commands.h"
#include "app/nearest_word.h"

namespace triggerd::app {
namespace {

int run_command_line(int argc, char** argv) {
  CLI::App app("triggerd: an event-dispatch engine with webhook fan-out");
  app.require_subcommand(1);
  app.set_version_flag("--version", TRIGGERD_VERSION);
  Run run;
  add_serve(app, run);
  add_demo(app, run);
  add_emit(app, run);
  add_listen(app, run);
  add_backup(app, run);
  add_restore(app, run);
  add_store(app, run);
  add_config(app, run);
  add_version(app, run);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    app.exit(error);
    if (argc > 1 && argv[1][0] != '-' && app.get_subcommands().empty()) {
      const std::vector<std::string_view> commands = {
          "serve", "demo", "emit", "listen", "backup", "restore", "store", "config", "version"};
      std::fputs(
          fmt::format("did you mean: triggerd {}?\n", nearest_word(argv[1], commands)).c_str(),
          stderr);
    }
    return kExitUsage;
  }
  return run();
}

}  // namespace
}  // namespace triggerd::app

int main(int argc, char** argv) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  return triggerd::app::run_command_line(argc, argv);
}
