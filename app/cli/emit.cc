// triggerd emit: publishes one event, or several, of a type: a realistic sample, or given content.

#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
#include <rapidjson/pointer.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <CLI/CLI.hpp>

#include "app/cli/commands.h"
#include "app/http_client.h"
#include "app/nearest_word.h"
#include "app/secrets.h"
#include "app/system_random.h"
#include "engine/model/event_samples.h"
#include "engine/model/event_types.h"

namespace triggerd::app {
namespace {

constexpr int kCountMax = 1'000'000;
constexpr int kEventsPerRequest = 100;

struct EmitFlags {
  std::string name;
  std::vector<std::string> sets;
  std::vector<std::string> removes;
  std::string data;
  int count = 1;
  bool is_test = false;
  std::string server = "http://127.0.0.1:8080";
  std::string org;
  std::string api_key_file;
};

int fail(int exit_code, const std::string& message) {
  std::fputs(fmt::format("triggerd emit: {}\n", message).c_str(), stderr);
  return exit_code;
}

// "a.b=1" as a JSON pointer "/a/b"; '~' and '/' of a key are escaped as RFC 6901 wants.
std::string pointer_of(std::string_view dotted) {
  std::string pointer = "/";
  for (const char character : dotted) {
    if (character == '.') {
      pointer += '/';
    } else if (character == '~') {
      pointer += "~0";
    } else if (character == '/') {
      pointer += "~1";
    } else {
      pointer += character;
    }
  }
  return pointer;
}

// The value as JSON when it is JSON, as a string otherwise.
void set_value(rapidjson::Document& content, const std::string& path, const std::string& text) {
  rapidjson::Document value(&content.GetAllocator());
  value.Parse<rapidjson::kParseFullPrecisionFlag>(text.c_str(), text.size());
  if (value.HasParseError()) {
    value.SetString(text.c_str(), static_cast<rapidjson::SizeType>(text.size()),
                    content.GetAllocator());
  }
  rapidjson::Pointer(pointer_of(path).c_str()).Set(content, value, content.GetAllocator());
}

base::Result<std::string> read_data(const std::string& data) {
  if (data.empty() || data[0] != '@') return data;
  std::ostringstream text;
  if (data == "@-") {
    text << std::cin.rdbuf();
    return text.str();
  }
  std::ifstream file(data.substr(1), std::ios::binary);
  if (!file) {
    return base::Error{base::ErrorCode::kInvalid,
                       fmt::format("--data: {} can not be read", data.substr(1))};
  }
  text << file.rdbuf();
  return text.str();
}

// Content that is given and not changed goes out byte for byte.
base::Result<std::string> make_content(const EmitFlags& flags, base::Random& random) {
  base::Result<std::string> given = read_data(flags.data);
  if (!given.ok()) return given;
  std::string text =
      flags.data.empty()
          ? model::sample_event(flags.name, "", base::read_clocks().wall, random).content
          : given.value();
  if (flags.sets.empty() && flags.removes.empty()) return text;
  rapidjson::Document content;
  content.Parse<rapidjson::kParseNumbersAsStringsFlag>(text.c_str(), text.size());
  if (content.HasParseError() || !content.IsObject()) {
    return base::Error{base::ErrorCode::kInvalid, "--data: must be a JSON object"};
  }
  content.Parse<rapidjson::kParseFullPrecisionFlag>(text.c_str(), text.size());
  for (const std::string& assignment : flags.sets) {
    const std::size_t equals = assignment.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return base::Error{
          base::ErrorCode::kInvalid,
          fmt::format("--set {}: must be KEY=VALUE, for example handle.value=a@mail.example",
                      assignment)};
    }
    set_value(content, assignment.substr(0, equals), assignment.substr(equals + 1));
  }
  for (const std::string& path : flags.removes) {
    rapidjson::Pointer(pointer_of(path).c_str()).Erase(content);
  }
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  content.Accept(writer);
  return std::string(buffer.GetString(), buffer.GetSize());
}

std::optional<std::string> misspelt(const std::string& name) {
  std::vector<std::string_view> names;
  for (const model::BuiltInEventType& type : model::built_in_event_types()) {
    if (type.name == name) return std::nullopt;
    names.push_back(type.name);
  }
  return std::string(nearest_word(name, names));
}

int exit_code_of(int status) {
  if (status == 401 || status == 403) return kExitNotAllowed;
  if (status == 404) return kExitNotFound;
  if (status == 409) return kExitConflict;
  return status >= 200 && status < 300 ? kExitDone : kExitFailed;
}

base::Result<std::string> api_key(const EmitFlags& flags) {
  if (!flags.api_key_file.empty()) return read_secret_file(flags.api_key_file);
  return base::Error{base::ErrorCode::kInvalid,
                     "no API key: name a file with --api-key-file or TRIGGERD_API_KEY_FILE"};
}

int emit(const EmitFlags& flags) {
  const base::Result<std::string> key = api_key(flags);
  if (!key.ok()) return fail(kExitUsage, key.error().message);
  SystemRandom random;
  HttpClient client;
  client.set_header("SlashID-OrgID", flags.org);
  client.set_header("SlashID-API-Key", key.value());
  client.set_header("Content-Type", "application/json");
  for (int sent = 0; sent < flags.count;) {
    std::string body = "[";
    for (int i = 0; i < kEventsPerRequest && sent < flags.count; ++i, ++sent) {
      const base::Result<std::string> content = make_content(flags, random);
      if (!content.ok()) return fail(kExitUsage, content.error().message);
      body +=
          fmt::format(R"({}{{"event_name":"{}",{}"content":{}}})", i == 0 ? "" : ",", flags.name,
                      flags.is_test ? R"("is_test_event":true,)" : "", content.value());
    }
    body += "]";
    const base::Result<HttpAnswer> answer =
        client.send("POST", flags.server + "/organizations/events", body);
    if (!answer.ok()) return fail(kExitUnreachable, answer.error().message);
    if (answer.value().status != 202) {
      std::string message = answer.value().body;
      if (const std::optional<std::string> near = misspelt(flags.name)) {
        message += fmt::format("\ndid you mean {}?", *near);
      }
      return fail(exit_code_of(answer.value().status),
                  fmt::format("the server answered {}: {}", answer.value().status, message));
    }
    std::fputs((answer.value().body + "\n").c_str(), stdout);
  }
  return kExitDone;
}

}  // namespace

void add_emit(CLI::App& app, Run& run) {
  CLI::App* command =
      app.add_subcommand("emit", "Publish an event: a realistic sample, or your own");
  auto flags = std::make_shared<EmitFlags>();
  command->add_option("NAME", flags->name, "Event type, e.g. AuthenticationSucceeded_v1")
      ->required();
  command->add_option("--set", flags->sets,
                      "KEY=VALUE in the content; dots reach inside (repeatable)");
  command->add_option("--remove", flags->removes, "Key to leave out of the content (repeatable)");
  command->add_option("--data", flags->data, "The content: JSON, @FILE, or @- for standard input");
  command->add_option("--count", flags->count, "How many events")->check(CLI::Range(1, kCountMax));
  command->add_flag("--test", flags->is_test, "Mark as a test event");
  command->add_option("-s,--server", flags->server, "Base URL")->envname("TRIGGERD_SERVER_URL");
  command->add_option("--org", flags->org, "Organization ID")->envname("TRIGGERD_ORG")->required();
  command->add_option("--api-key-file", flags->api_key_file, "File with the API key")
      ->envname("TRIGGERD_API_KEY_FILE");
  command->footer(
      "Examples:\n"
      "  triggerd emit PersonCreated_v1 --org $ORG --api-key-file key\n"
      "  triggerd emit AuthenticationSucceeded_v1 --set handle.value=ada@mail.example …\n"
      "  triggerd emit PersonCreated_v1 --data @person.json --count 100 …");
  command->callback([flags, &run] { run = [flags] { return emit(*flags); }; });
}

}  // namespace triggerd::app
