// The subcommands of `triggerd`, and the exit codes they share.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace triggerd::app {

// Exit codes that scripts may rely on.
inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitNotFound = 3;
inline constexpr int kExitNotAllowed = 4;
inline constexpr int kExitConflict = 5;
inline constexpr int kExitUnreachable = 6;
inline constexpr int kExitConfigInvalid = 9;
inline constexpr int kExitInterrupted = 130;  // by SIGINT

// Adds a subcommand; when it is parsed, `run` is set to what executes it.
using Run = std::function<int()>;
void add_serve(CLI::App& app, Run& run);
void add_demo(CLI::App& app, Run& run);
void add_emit(CLI::App& app, Run& run);
void add_listen(CLI::App& app, Run& run);
void add_backup(CLI::App& app, Run& run);
void add_restore(CLI::App& app, Run& run);
void add_store(CLI::App& app, Run& run);
void add_config(CLI::App& app, Run& run);
void add_version(CLI::App& app, Run& run);

}  // namespace triggerd::app
