// triggerd listen: an organization's events, as they are accepted, here: printed, and forwarded to
// a local URL.
//
// Data goes to standard output, everything else to standard error. Where it is, it keeps in a
// cursor file after each event that was forwarded: what comes while it does not run comes later.

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <fmt/format.h>
#include <rapidjson/document.h>
#include <CLI/CLI.hpp>

#include "api/name_patterns.h"
#include "app/cli/commands.h"
#include "app/cursor_file.h"
#include "app/http_client.h"
#include "app/http_stream.h"
#include "app/nearest_word.h"
#include "app/secrets.h"
#include "app/sse_reader.h"
#include "engine/json/document.h"
#include "engine/json/json_text.h"
#include "engine/model/limits.h"

namespace triggerd::app {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLook(250);  // for a signal, while nothing comes
constexpr milliseconds kBackoffFirst(500);
constexpr milliseconds kBackoffMax(15'000);
constexpr milliseconds kForwardBackoffMax(5'000);
// An event, and what stands beside its content.
constexpr std::size_t kMessageBytesMax = model::kEventContentBytesMax + (std::size_t{64} << 10);
constexpr std::size_t kErrorBytesMax = std::size_t{64} << 10;
constexpr std::size_t kErrorBytesShown = 500;

struct ListenFlags {
  std::string server = "http://127.0.0.1:8080";
  std::string org;
  std::string api_key_file;
  std::string forward_to;
  std::string on;
  bool print_json = false;
  bool no_cursor = false;
  std::string cursor_file;
};

volatile std::sig_atomic_t interrupted = 0;

void hint(const std::string& message) {
  std::fputs((message + "\n").c_str(), stderr);
}

int fail(int exit_code, const std::string& message) {
  hint("triggerd listen: " + message);
  return exit_code;
}

std::string clock_text() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::time_t seconds = std::chrono::duration_cast<std::chrono::seconds>(now).count();
  std::tm local{};
  localtime_r(&seconds, &local);
  return fmt::format("{:02}:{:02}:{:02}.{:03}", local.tm_hour, local.tm_min, local.tm_sec,
                     std::chrono::duration_cast<milliseconds>(now).count() % 1000);
}

// What a message of an event says.
struct Received {
  std::string event_id;
  std::string event_name;
  std::string content;  // byte for byte
};

std::optional<Received> read_event(const std::string& data) {
  std::string text = data;
  const json::Document document(text, kMessageBytesMax);
  simdjson::dom::object members;
  if (!document.ok() || document.root().get(members) != simdjson::SUCCESS) return std::nullopt;
  Received received;
  json::RawJson raw(data);
  raw.enter();
  for (const auto [name, value] : members) {
    static_cast<void>(raw.next());
    raw.skip_name();
    const std::string_view bytes = raw.value();
    std::string_view word;
    if (name == "content") {
      received.content = bytes;
    } else if (value.get(word) == simdjson::SUCCESS && name == "event_id") {
      received.event_id = word;
    } else if (value.get(word) == simdjson::SUCCESS && name == "event_name") {
      received.event_name = word;
    }
  }
  if (received.event_id.empty() || received.content.empty()) return std::nullopt;
  return received;
}

// The message in an error envelope or in data of ours; else the text, cut.
std::string message_in(const std::string& text) {
  rapidjson::Document document;
  document.Parse(text.c_str(), text.size());
  if (!document.HasParseError() && document.IsObject()) {
    const rapidjson::Value* holder = &document;
    if (document.HasMember("errors") && document["errors"].IsArray() &&
        !document["errors"].Empty()) {
      holder = &document["errors"][0];
    }
    if (holder->IsObject() && holder->HasMember("message") && (*holder)["message"].IsString()) {
      return (*holder)["message"].GetString();
    }
  }
  return text.substr(0, kErrorBytesShown);
}

class Listener {
 public:
  Listener(ListenFlags flags, std::string key);

  int run();

 private:
  enum class End { kAgain, kOver };

  [[nodiscard]] std::vector<std::string> fields() const;
  [[nodiscard]] std::string url() const;
  void hint_names();
  // One connection, to its end.
  End follow();
  [[nodiscard]] std::optional<int> refused(int status, const std::string& body);
  // False: stopped in the middle.
  bool take(const SseMessage& message);
  bool take_event(const SseMessage& message);
  bool forward(const Received& received);
  void keep_position(const std::string& id);
  void print(const std::string& line) const;
  void sleep(milliseconds most) const;

  ListenFlags flags_;
  std::string key_;
  std::optional<CursorFile> cursor_;
  std::string position_;  // empty: from now on
  HttpClient local_;
  int exit_code_ = kExitDone;
  milliseconds backoff_ = kBackoffFirst;
  bool was_ready_ = false;
};

Listener::Listener(ListenFlags flags, std::string key)
    : flags_(std::move(flags)), key_(std::move(key)) {
  local_.set_header("Content-Type", "application/json");
  local_.set_header("User-Agent", "triggerd/" TRIGGERD_VERSION);
  local_.set_give_up([] { return interrupted != 0; });
}

int Listener::run() {
  if (!flags_.no_cursor) {
    std::string path = flags_.cursor_file;
    if (path.empty()) {
      path = default_cursor_path(flags_.org,
                                 flags_.server + "|" + flags_.forward_to + "|" + flags_.on);
    }
    if (path.empty()) {
      return fail(kExitUsage, "no place for a cursor: name one with --cursor-file, or --no-cursor");
    }
    cursor_.emplace(std::move(path));
    const base::Result<std::optional<std::string>> loaded = cursor_->load();
    if (!loaded.ok()) return fail(kExitUsage, loaded.error().message);
    if (loaded.value()) {
      position_ = *loaded.value();
      hint(fmt::format("Going on where it left off ({})", cursor_->path()));
    }
  }
  hint_names();
  while (interrupted == 0) {
    if (follow() == End::kOver) return exit_code_;
    sleep(backoff_);
    backoff_ = std::min(backoff_ * 2, kBackoffMax);
  }
  return kExitInterrupted;
}

std::vector<std::string> Listener::fields() const {
  std::vector<std::string> fields = {"SlashID-OrgID: " + flags_.org, "SlashID-API-Key: " + key_,
                                     "Accept: text/event-stream"};
  if (!position_.empty()) fields.push_back("Last-Event-ID: " + position_);
  return fields;
}

std::string Listener::url() const {
  std::string url = flags_.server + "/organizations/stream?topics=events";
  if (flags_.on.empty()) return url;
  char* const escaped =
      curl_easy_escape(nullptr, flags_.on.data(), static_cast<int>(flags_.on.size()));
  url += std::string("&on=") + escaped;
  curl_free(escaped);
  return url;
}

// Names that no event type has are no error: one may be added later.
void Listener::hint_names() {
  if (flags_.on.empty()) return;
  HttpClient client;
  client.set_header("SlashID-OrgID", flags_.org);
  client.set_header("SlashID-API-Key", key_);
  client.set_give_up([] { return interrupted != 0; });
  const base::Result<HttpAnswer> answer =
      client.send("GET", flags_.server + "/organizations/event-types", "");
  if (!answer.ok() || answer.value().status != 200) return;
  rapidjson::Document document;
  document.Parse(answer.value().body.c_str(), answer.value().body.size());
  if (document.HasParseError() || !document.IsObject() || !document.HasMember("result")) return;
  std::vector<std::string_view> names;
  for (const rapidjson::Value& type : document["result"].GetArray()) {
    names.emplace_back(type["name"].GetString(), type["name"].GetStringLength());
  }
  if (names.empty()) return;
  for (std::string_view rest = flags_.on; !rest.empty();) {
    const std::string_view pattern = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(pattern.size() + 1, rest.size()));
    const base::Result<api::NamePatterns> parsed = api::NamePatterns::parse(pattern);
    if (!parsed.ok()) continue;  // the server says so
    const bool any = std::any_of(names.begin(), names.end(), [&parsed](std::string_view name) {
      return parsed.value().matches(name);
    });
    if (any) continue;
    std::string typed(pattern);
    std::erase(typed, '*');
    hint(fmt::format("No event type is called {}; did you mean {}?", pattern,
                     nearest_word(typed, names)));
  }
}

Listener::End Listener::follow() {
  HttpStream stream(url(), fields());
  SseReader reader(kMessageBytesMax);
  std::string refusal;
  bool going = true;
  while (going && interrupted == 0) {
    going = stream.wait(kLook);
    const std::string bytes = stream.take();
    if (bytes.empty()) continue;
    if (stream.status() != 200) {
      refusal = (refusal + bytes).substr(0, kErrorBytesMax);
      continue;
    }
    backoff_ = kBackoffFirst;
    std::string_view rest = bytes;
    while (reader.feed(rest)) {
      if (!take(reader.message())) break;
    }
    if (reader.too_long()) {
      exit_code_ = fail(kExitFailed, "the server sent a message that is too long");
      return End::kOver;
    }
  }
  if (interrupted != 0) return End::kAgain;
  if (stream.status() == 200) {
    hint("Connection ended" + (stream.error().empty() ? "" : ": " + stream.error()) +
         "; connecting again");
    return End::kAgain;
  }
  if (const std::optional<int> code = refused(stream.status(), refusal)) {
    exit_code_ = *code;
    return End::kOver;
  }
  if (stream.status() == 0 && !was_ready_) {
    exit_code_ = fail(kExitUnreachable, fmt::format("{}: {}", flags_.server, stream.error()));
    return End::kOver;
  }
  hint(fmt::format("{}; trying again in {:.1f} s",
                   stream.status() == 0 ? stream.error() : message_in(refusal),
                   std::chrono::duration<double>(backoff_).count()));
  return End::kAgain;
}

// The exit code for an answer that will not be another one soon.
std::optional<int> Listener::refused(int status, const std::string& body) {
  if (status == 0 || status == 429 || status >= 500) return std::nullopt;
  int code = kExitFailed;
  if (status == 400) code = kExitUsage;
  if (status == 401 || status == 403) code = kExitNotAllowed;
  if (status == 404) code = kExitNotFound;
  return fail(code, fmt::format("the server answered {}: {}", status, message_in(body)));
}

bool Listener::take(const SseMessage& message) {
  if (interrupted != 0) return false;
  if (!std::exchange(was_ready_, true)) hint("Ready. (^C to quit)");
  if (message.event == "event") return take_event(message);
  if (message.event == "reset" || message.event == "end") {
    hint((message.event == "reset" ? "Events may be missing: " : "The server ended the stream: ") +
         message_in(message.data));
  }
  keep_position(message.id);
  return true;
}

bool Listener::take_event(const SseMessage& message) {
  const std::optional<Received> received = read_event(message.data);
  if (!received) {
    hint("A message that is no event was skipped");
    return true;
  }
  print(fmt::format("{} --> {}  {}", clock_text(), received->event_name, received->event_id));
  if (flags_.print_json) {
    // A line end in JSON is whitespace.
    std::string line = message.data;
    std::replace(line.begin(), line.end(), '\n', ' ');
    std::fputs((line + "\n").c_str(), stdout);
    std::fflush(stdout);
  }
  if (!flags_.forward_to.empty() && !forward(*received)) return false;
  keep_position(message.id);
  return true;
}

// Any answer is an answer; while nobody answers, the event waits, and with it what is behind it.
bool Listener::forward(const Received& received) {
  milliseconds wait = kBackoffFirst;
  while (interrupted == 0) {
    const auto since = std::chrono::steady_clock::now();
    const std::time_t now = std::time(nullptr);
    const base::Result<HttpAnswer> answer =
        local_.send("POST", flags_.forward_to, received.content,
                    {"webhook-id: " + received.event_id,
                     fmt::format("webhook-timestamp: {}", static_cast<std::int64_t>(now))});
    const auto took =
        std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - since);
    if (answer.ok()) {
      print(fmt::format("{} <-- {} POST {}  {} ms  {}", clock_text(), answer.value().status,
                        flags_.forward_to, took.count(), received.event_id));
      return true;
    }
    if (interrupted != 0) break;
    hint(fmt::format("{}; the event waits, trying again in {:.1f} s", answer.error().message,
                     std::chrono::duration<double>(wait).count()));
    sleep(wait);
    wait = std::min(wait * 2, kForwardBackoffMax);
  }
  return false;
}

void Listener::keep_position(const std::string& id) {
  if (id.empty() || id == position_) return;
  position_ = id;
  if (!cursor_) return;
  const base::Status saved = cursor_->save(id);
  if (!saved.ok()) hint(saved.error().message);
}

void Listener::print(const std::string& line) const {
  std::FILE* const to = flags_.print_json ? stderr : stdout;
  std::fputs((line + "\n").c_str(), to);
  std::fflush(to);
}

void Listener::sleep(milliseconds most) const {
  const auto until = std::chrono::steady_clock::now() + most;
  while (interrupted == 0 && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(milliseconds(50));
  }
}

int listen(ListenFlags flags) {
  if (flags.api_key_file.empty()) {
    return fail(kExitUsage, "no API key: name a file with --api-key-file or TRIGGERD_API_KEY_FILE");
  }
  base::Result<std::string> key = read_secret_file(flags.api_key_file);
  if (!key.ok()) return fail(kExitUsage, key.error().message);
  for (std::string* url : {&flags.server, &flags.forward_to}) {
    if (!url->empty() && url->find("://") == std::string::npos) *url = "http://" + *url;
    if (!url->empty() && !url->starts_with("http://") && !url->starts_with("https://")) {
      return fail(kExitUsage, *url + ": must be an http or https URL");
    }
  }
  while (flags.server.ends_with('/')) flags.server.pop_back();
  std::signal(SIGINT, [](int) { interrupted = 1; });
  return Listener(std::move(flags), std::move(key.value())).run();
}

}  // namespace

void add_listen(CLI::App& app, Run& run) {
  CLI::App* command =
      app.add_subcommand("listen", "Print events as they come, and forward them to a local URL");
  auto flags = std::make_shared<ListenFlags>();
  command->add_option("-f,--forward-to", flags->forward_to,
                      "URL that each event is POSTed to, e.g. localhost:3000/hook");
  command->add_option("--on", flags->on,
                      "Names of the events, with * for any characters and commas in between");
  command->add_flag("-j,--print-json", flags->print_json,
                    "Each event as a line of JSON on standard output, the log on standard error");
  auto* no_cursor = command->add_flag("--no-cursor", flags->no_cursor,
                                      "Begin with what comes now, and remember nothing");
  command
      ->add_option("--cursor-file", flags->cursor_file,
                   "Where to remember how far it came (default: in ~/.local/state/triggerd)")
      ->excludes(no_cursor);
  command->add_option("-s,--server", flags->server, "Base URL")->envname("TRIGGERD_SERVER_URL");
  command->add_option("--org", flags->org, "Organization ID")->envname("TRIGGERD_ORG")->required();
  command->add_option("--api-key-file", flags->api_key_file, "File with the API key (scope read)")
      ->envname("TRIGGERD_API_KEY_FILE");
  command->footer(
      "Events go out one at a time, in order, with webhook-id and webhook-timestamp; any answer\n"
      "counts. What was forwarded last may come twice after an end in the middle of it.\n"
      "Examples:\n"
      "  triggerd listen --forward-to localhost:3000/hook --org $ORG --api-key-file key\n"
      "  triggerd listen --on 'Authentication*,PersonCreated_v1' …\n"
      "  triggerd listen --print-json --no-cursor … | jq .content");
  command->callback([flags, &run] { run = [flags] { return listen(*flags); }; });
}

}  // namespace triggerd::app
