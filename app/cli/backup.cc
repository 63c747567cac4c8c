// triggerd backup: asks a running server for a backup, and copies it when told to.
// triggerd restore: puts a backup in place as a data folder.

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <thread>

#include <fmt/format.h>
#include <rapidjson/document.h>
#include <CLI/CLI.hpp>

#include "app/backups.h"
#include "app/cli/commands.h"
#include "app/cli/progress.h"
#include "app/http_client.h"
#include "app/restore.h"
#include "app/secrets.h"
#include "store/backup_files.h"

namespace triggerd::app {
namespace {

constexpr std::chrono::milliseconds kAskAgain{200};

struct BackupFlags {
  std::string server = "http://127.0.0.1:8080";
  std::string token_file;
  std::string to;
};
struct RestoreFlags {
  std::string from;
  std::string data;
  bool yes = false;
};

int fail(std::string_view command, int exit_code, const std::string& message) {
  std::fputs(fmt::format("triggerd {}: {}\n", command, message).c_str(), stderr);
  return exit_code;
}

int exit_code_of(const base::Error& error) {
  switch (error.code) {
    case base::ErrorCode::kConflict:
      return kExitConflict;
    case base::ErrorCode::kNotFound:
      return kExitNotFound;
    default:
      return kExitFailed;
  }
}

int exit_code_of(int status) {
  if (status == 401 || status == 403) return kExitNotAllowed;
  if (status == 404) return kExitNotFound;
  return status == 409 ? kExitConflict : kExitFailed;
}

// The message of an error envelope, or the body as it is.
std::string message_of(const HttpAnswer& answer) {
  rapidjson::Document document;
  document.Parse(answer.body.c_str(), answer.body.size());
  std::string message;
  if (!document.HasParseError() && document.IsObject() && document.HasMember("errors") &&
      document["errors"].IsArray() && !document["errors"].Empty()) {
    const rapidjson::Value& first = document["errors"][0];
    if (first.IsObject() && first.HasMember("message") && first["message"].IsString()) {
      message = first["message"].GetString();
    }
  }
  return fmt::format("the server answered {}: {}", answer.status,
                     message.empty() ? answer.body : message);
}

struct Seen {
  std::string name;
  std::string path;
  std::string state;
  std::string error;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::uint64_t bytes_done = 0;
};

std::string text_of(const rapidjson::Value& object, const char* name) {
  const auto at = object.FindMember(name);
  return at != object.MemberEnd() && at->value.IsString() ? at->value.GetString() : "";
}

std::uint64_t number_of(const rapidjson::Value& object, const char* name) {
  const auto at = object.FindMember(name);
  return at != object.MemberEnd() && at->value.IsUint64() ? at->value.GetUint64() : 0;
}

Seen seen_in(const rapidjson::Value& object) {
  if (!object.IsObject()) return {};
  return {text_of(object, "name"),        text_of(object, "path"),    text_of(object, "state"),
          text_of(object, "error"),       number_of(object, "files"), number_of(object, "bytes"),
          number_of(object, "bytes_done")};
}

// The backup of this name in the answer to a list, or (without a name) the one that was begun.
std::optional<Seen> find_in(const HttpAnswer& answer, const std::string& name) {
  rapidjson::Document document;
  document.Parse(answer.body.c_str(), answer.body.size());
  if (document.HasParseError() || !document.IsObject() || !document.HasMember("result")) {
    return std::nullopt;
  }
  const rapidjson::Value& result = document["result"];
  if (!result.IsArray()) return seen_in(result);
  for (const rapidjson::Value& each : result.GetArray()) {
    Seen seen = seen_in(each);
    if (seen.name == name) return seen;
  }
  return std::nullopt;
}

int copy_to(const Seen& backup, const std::string& folder) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  const std::string partial = fmt::format("{}/.{}.partial", folder, backup.name);
  const std::string copy = folder + "/" + backup.name;
  if (!failure) std::filesystem::remove_all(partial, failure);
  if (failure) {
    return fail("backup", kExitFailed, fmt::format("--to {}: {}", folder, failure.message()));
  }
  if (!std::filesystem::exists(backup.path, failure)) {
    return fail("backup", kExitFailed,
                fmt::format("{} is not to be seen from here: --to copies on the machine of the "
                            "server alone",
                            backup.path));
  }
  ProgressBar bar("copying");
  store::FileProgress progress;
  const base::Result<store::BackupSize> copied = with_bar(bar, progress, [&] {
    return store::copy_backup(backup.path, partial, store::CopySums::kYes, progress);
  });
  if (!copied.ok()) {
    bar.drop();
    return fail("backup", kExitFailed, copied.error().message);
  }
  std::filesystem::rename(partial, copy, failure);
  if (failure) return fail("backup", kExitFailed, fmt::format("{}: {}", copy, failure.message()));
  if (const base::Status synced = store::sync_folder(folder); !synced.ok()) {
    return fail("backup", kExitFailed, synced.error().message);
  }
  bar.finish(
      fmt::format("copied {} files, {}", copied.value().files, bytes_text(copied.value().bytes)));
  std::fputs((copy + "\n").c_str(), stdout);
  return kExitDone;
}

int backup(const BackupFlags& flags) {
  const base::Result<std::string> token = read_secret_file(flags.token_file);
  if (!token.ok()) return fail("backup", kExitUsage, token.error().message);
  HttpClient client;
  client.set_header("Authorization", "Bearer " + token.value());
  const std::string url = flags.server + "/admin/backups";
  base::Result<HttpAnswer> answer = client.send("POST", url, "");
  if (!answer.ok()) return fail("backup", kExitUnreachable, answer.error().message);
  if (answer.value().status != 202) {
    return fail("backup", exit_code_of(answer.value().status), message_of(answer.value()));
  }
  std::optional<Seen> seen = find_in(answer.value(), "");
  ProgressBar bar("backup");
  while (seen && seen->state == "running") {
    bar.show(seen->bytes_done, seen->bytes);
    std::this_thread::sleep_for(kAskAgain);
    answer = client.send("GET", url, "");
    if (!answer.ok()) return fail("backup", kExitUnreachable, answer.error().message);
    if (answer.value().status != 200) {
      bar.drop();
      return fail("backup", exit_code_of(answer.value().status), message_of(answer.value()));
    }
    seen = find_in(answer.value(), seen->name);
  }
  if (!seen || seen->state != "complete") {
    bar.drop();
    return fail("backup", kExitFailed,
                seen ? seen->error : "the server does not know of the backup any more");
  }
  bar.finish(fmt::format("backup {} complete: {} files, {}", seen->name, seen->files,
                         bytes_text(seen->bytes)));
  if (!flags.to.empty()) return copy_to(*seen, flags.to);
  std::fputs((seen->path + "\n").c_str(), stdout);
  return kExitDone;
}

int restore(const RestoreFlags& flags) {
  ProgressBar bar("restoring");
  store::FileProgress progress;
  const InPlace in_place = flags.yes ? InPlace::kReplace : InPlace::kRefuse;
  const base::Result<Restored> restored = with_bar(
      bar, progress, [&] { return restore_backup(flags.from, flags.data, in_place, progress); });
  if (!restored.ok()) {
    bar.drop();
    return fail("restore", exit_code_of(restored.error()), restored.error().message);
  }
  bar.finish(fmt::format("restored {} files, {}", restored.value().size.files,
                         bytes_text(restored.value().size.bytes)));
  if (!restored.value().has_key) {
    std::fputs(
        "there is no secret.key in the backup: start with the security.secret_key_file that "
        "it was made with\n",
        stderr);
  }
  if (!restored.value().old_set_aside.empty()) {
    std::fputs(
        fmt::format("the store that was there is {} now\n", restored.value().old_set_aside).c_str(),
        stderr);
  }
  return kExitDone;
}

}  // namespace

void add_backup(CLI::App& app, Run& run) {
  CLI::App* command = app.add_subcommand("backup", "Ask a running server for a backup");
  auto flags = std::make_shared<BackupFlags>();
  command->add_option("-s,--server", flags->server, "Base URL")
      ->envname("TRIGGERD_SERVER_URL")
      ->capture_default_str();
  command->add_option("--token-file", flags->token_file, "File with the admin token")
      ->envname("TRIGGERD_ADMIN_TOKEN_FILE")
      ->required();
  command->add_option("--to", flags->to,
                      "Copy it to this folder as well (on the machine of the server)");
  command->footer(
      "Prints the folder of the backup. The server makes it in [backup] folder.\n\n"
      "Examples:\n"
      "  triggerd backup --token-file data/admin.token\n"
      "  triggerd backup --token-file data/admin.token --to /mnt/usb\n"
      "Exit codes: 0 done, 1 failed, 4 not allowed, 5 not configured or one is being made,\n"
      "6 server not reachable.");
  command->callback([flags, &run] { run = [flags] { return backup(*flags); }; });
}

void add_restore(CLI::App& app, Run& run) {
  CLI::App* command = app.add_subcommand("restore", "Put a backup in place as a data folder");
  auto flags = std::make_shared<RestoreFlags>();
  command->add_option("--from", flags->from, "Folder of the backup")->required();
  command->add_option("--data", flags->data, "Data folder to make")->required();
  command->add_flag("--yes", flags->yes,
                    "Replace the store and secret.key of a data folder that is there");
  command->footer(
      "Every file is checked against SHA256SUMS. A folder that is in use is never touched; what\n"
      "--yes replaces is set aside, not removed.\n\n"
      "Examples:\n"
      "  triggerd restore --from backups/20261126T090000.000Z --data data\n"
      "  triggerd restore --from backups/20261126T090000.000Z --data data --yes\n"
      "Exit codes: 0 done, 1 failed or damaged, 5 not empty or in use.");
  command->callback([flags, &run] { run = [flags] { return restore(*flags); }; });
}

}  // namespace triggerd::app
