#include "api/operations_handlers.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/answers.h"
#include "api/json_output.h"

namespace triggerd::api {
namespace {

std::string_view word_of(model::BackupState state) {
  switch (state) {
    case model::BackupState::kRunning:
      return "running";
    case model::BackupState::kComplete:
      return "complete";
    case model::BackupState::kFailed:
      break;
  }
  return "failed";
}

void backup_object(Json& json, const model::Backup& backup) {
  json.begin_object();
  json.text_member("name", backup.name);
  json.text_member("path", backup.path);
  json.text_member("state", word_of(backup.state));
  json.time_member("created_at", backup.created_at);
  json.number_member("files", static_cast<std::int64_t>(backup.files));
  json.number_member("bytes", static_cast<std::int64_t>(backup.bytes));
  if (backup.state == model::BackupState::kRunning) {
    json.number_member("bytes_done", static_cast<std::int64_t>(backup.bytes_done));
  }
  if (backup.state == model::BackupState::kFailed) json.text_member("error", backup.error);
  json.end_object();
}

void settings_member(Json& json, std::string_view name, const std::vector<std::string>& settings) {
  json.key(name);
  write_list(json, settings, [](Json& out, const std::string& path) { out.text(path); });
}

}  // namespace

Step start_backup(Call& /*call*/) {
  return Ask{model::StartBackup{}, {}};
}

Step list_backups(Call& /*call*/) {
  return Ask{model::ListBackups{}, {}};
}

Step reload_config(Call& /*call*/) {
  return Ask{model::ReloadConfig{}, {}};
}

HttpResponse show_started_backup(const model::Reply& reply, const Audience& /*audience*/) {
  const model::Backup& backup = reply_as<model::BackupReply>(reply).backup;
  return json_answer(202, in_envelope([&](Json& json) { backup_object(json, backup); }));
}

HttpResponse show_backups(const model::Reply& reply, const Audience& /*audience*/) {
  const std::vector<model::Backup>& backups = reply_as<model::BackupsReply>(reply).backups;
  return json_answer(200,
                     in_envelope([&](Json& json) { write_list(json, backups, backup_object); }));
}

HttpResponse show_reloaded_config(const model::Reply& reply, const Audience& /*audience*/) {
  const auto& reloaded = reply_as<model::ConfigReloaded>(reply);
  return json_answer(200, in_envelope([&](Json& json) {
                       json.begin_object();
                       settings_member(json, "changed", reloaded.changed);
                       settings_member(json, "needs_restart", reloaded.needs_restart);
                       json.end_object();
                     }));
}

}  // namespace triggerd::api
