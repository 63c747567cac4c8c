// triggerd store check, triggerd store stats: a look at the store of a data folder, or of a backup,
// that nobody has open.

#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

#include <fmt/format.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <CLI/CLI.hpp>

#include "app/cli/commands.h"
#include "app/cli/progress.h"
#include "store/backup_files.h"
#include "store/inspection.h"
#include "store/secret_box.h"

namespace triggerd::app {
namespace {

struct StoreFlags {
  std::string data;
  std::string key_file;
  std::string output = "table";
};

int fail(std::string_view command, const base::Error& error) {
  std::fputs(fmt::format("triggerd store {}: {}\n", command, error.message).c_str(), stderr);
  switch (error.code) {
    case base::ErrorCode::kConflict:
    case base::ErrorCode::kInvalid:
      return kExitConflict;
    case base::ErrorCode::kNotFound:
      return kExitNotFound;
    default:
      return kExitFailed;
  }
}

// What lies in the data folder, or in a backup; a key that is not there is never made.
base::Result<std::optional<store::SecretBox>> find_secrets(const StoreFlags& flags) {
  std::string path = flags.key_file;
  std::error_code failure;
  if (path.empty()) path = fmt::format("{}/{}", flags.data, store::kBackupKey);
  if (!std::filesystem::exists(path, failure)) {
    if (flags.key_file.empty()) return std::optional<store::SecretBox>();
    return base::Error{base::ErrorCode::kNotFound, path + ": there is no such file"};
  }
  base::Result<store::SecretBox> box = store::load_or_create_key(path);
  if (!box.ok()) return box.error();
  return std::optional<store::SecretBox>(std::move(box.value()));
}

std::string store_path(const StoreFlags& flags) {
  return fmt::format("{}/{}", flags.data, store::kBackupStore);
}

std::uint64_t bytes_of(const StoreFlags& flags) {
  const base::Result<store::BackupSize> size = store::size_of_backup(store_path(flags));
  return size.ok() ? size.value().bytes : 0;
}

int check(const StoreFlags& flags) {
  const auto secrets = find_secrets(flags);
  if (!secrets.ok()) return fail("check", secrets.error());
  const store::SecretBox* box = secrets.value() ? &*secrets.value() : nullptr;
  const auto inspection = store::Inspection::open(store_path(flags), box);
  if (!inspection.ok()) return fail("check", inspection.error());
  ProgressBar bar("checking");
  store::FileProgress progress;
  progress.bytes_all = bytes_of(flags);
  const auto report = with_bar(bar, progress, [&] {
    return inspection.value()->check(progress, [](const store::Finding& finding) {
      std::fputs(fmt::format("{} {}: {}\n", finding.column, finding.key.empty() ? "-" : finding.key,
                             finding.fault)
                     .c_str(),
                 stdout);
    });
  });
  if (!report.ok()) {
    bar.drop();
    return fail("check", report.error());
  }
  bar.finish(fmt::format(
      "{} rows checked, {} findings{}", report.value().rows, report.value().findings,
      report.value().secrets_opened ? ""
                                    : "; what is sealed was not opened: there is no key file"));
  return report.value().findings == 0 ? kExitDone : kExitFailed;
}

using JsonWriter = rapidjson::Writer<rapidjson::StringBuffer>;

void number(JsonWriter& json, const char* name, std::uint64_t value) {
  json.Key(name);
  json.Uint64(value);
}

std::string json_of(const store::StoreStats& stats) {
  rapidjson::StringBuffer buffer;
  JsonWriter json(buffer);
  json.StartObject();
  number(json, "format", stats.format);
  number(json, "pending", stats.pending);
  json.Key("oldest_pending");
  if (stats.oldest_pending) {
    json.String(base::to_rfc3339(*stats.oldest_pending).c_str());
  } else {
    json.Null();
  }
  number(json, "dead_letters", stats.dead_letters);
  number(json, "files", stats.files);
  number(json, "file_bytes", stats.file_bytes);
  json.Key("columns");
  json.StartArray();
  for (const store::StoreStats::Column& column : stats.columns) {
    json.StartObject();
    json.Key("name");
    json.String(column.name.data(), static_cast<rapidjson::SizeType>(column.name.size()));
    number(json, "rows", column.rows);
    number(json, "bytes", column.bytes);
    number(json, "file_bytes", column.file_bytes);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

std::string table_of(const store::StoreStats& stats) {
  std::string text =
      fmt::format("{:<12}{:>14}{:>14}{:>14}\n", "COLUMN", "ROWS", "BYTES", "IN FILES");
  for (const store::StoreStats::Column& column : stats.columns) {
    text += fmt::format("{:<12}{:>14}{:>14}{:>14}\n", column.name, column.rows,
                        bytes_text(column.bytes), bytes_text(column.file_bytes));
  }
  text += fmt::format("\nformat          {}\nfiles           {}, {}\npending         {}\n",
                      stats.format, stats.files, bytes_text(stats.file_bytes), stats.pending);
  text += fmt::format("oldest pending  {}\ndead letters    {}\n",
                      stats.oldest_pending ? base::to_rfc3339(*stats.oldest_pending) : "-",
                      stats.dead_letters);
  return text;
}

int stats(const StoreFlags& flags) {
  const auto inspection = store::Inspection::open(store_path(flags), nullptr);
  if (!inspection.ok()) return fail("stats", inspection.error());
  ProgressBar bar("reading");
  store::FileProgress progress;
  progress.bytes_all = bytes_of(flags);
  const auto found = with_bar(bar, progress, [&] { return inspection.value()->stats(progress); });
  bar.drop();
  if (!found.ok()) return fail("stats", found.error());
  std::fputs((flags.output == "json" ? json_of(found.value()) : table_of(found.value())).c_str(),
             stdout);
  return kExitDone;
}

}  // namespace

void add_store(CLI::App& app, Run& run) {
  CLI::App* command = app.add_subcommand("store", "Look at the store of a stopped server");
  command->require_subcommand(1);
  auto flags = std::make_shared<StoreFlags>();

  CLI::App* checking = command->add_subcommand("check", "Check every row, and what rows refer to");
  checking->add_option("--data", flags->data, "Data folder, or a backup")->required();
  checking->add_option("--secret-key-file", flags->key_file,
                       "Key that opens what is sealed, when it is not in that folder");
  checking->footer(
      "Changes nothing. A line on standard output for each finding: column, key, fault.\n\n"
      "Examples:\n"
      "  triggerd store check --data data\n"
      "  triggerd store check --data backups/20261126T090000.000Z\n"
      "Exit codes: 0 sound, 1 findings, 3 no store, 5 in use or of a newer triggerd.");
  checking->callback([flags, &run] { run = [flags] { return check(*flags); }; });

  CLI::App* counting = command->add_subcommand("stats", "Rows and bytes of each column");
  counting->add_option("--data", flags->data, "Data folder, or a backup")->required();
  counting->add_option("-o,--output", flags->output, "table or json")
      ->check(CLI::IsMember({"table", "json"}));
  counting->footer(
      "Examples:\n"
      "  triggerd store stats --data data\n"
      "  triggerd store stats --data data -o json\n"
      "Exit codes: 0 done, 1 damaged, 3 no store, 5 in use or of a newer triggerd.");
  counting->callback([flags, &run] { run = [flags] { return stats(*flags); }; });
}

}  // namespace triggerd::app
