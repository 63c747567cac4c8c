#include "app/demo/demo.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <rapidjson/document.h>

#include "app/demo/receiver.h"
#include "app/http_client.h"
#include "app/jws_verifier.h"
#include "app/server.h"
#include "engine/base/random.h"
#include "engine/model/event_samples.h"

namespace triggerd::app {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

constexpr std::uint64_t kEventsPerRequest = 20;
constexpr unsigned kPublishers = 4;
// The demo waits for the last deliveries as long as something still arrives, and this much more.
constexpr base::Duration kStalled = std::chrono::seconds(20);

// Who listens to what: the first hears everything, the others a part, as customers do.
struct DemoWebhook {
  const char* name;
  std::string_view only;  // event names that contain this; empty: all
};
constexpr std::array<DemoWebhook, 5> kWebhooks = {{{"audit trail", ""},
                                                   {"customer records", "Person"},
                                                   {"risk scoring", "Authentication"},
                                                   {"token ledger", "Token"},
                                                   {"gate monitor", "Gate"}}};

// --- An engine on a thread of its own ---------------------------------------------------------

class EngineThread {
 public:
  explicit EngineThread(Config config) {
    std::future<Result<ServerStarted>> started = started_.get_future();
    thread_ = std::thread([this, config = std::move(config)]() mutable { run(std::move(config)); });
    result_.emplace(started.get());
  }
  ~EngineThread() { stop(); }
  EngineThread(const EngineThread&) = delete;
  EngineThread& operator=(const EngineThread&) = delete;

  [[nodiscard]] const Result<ServerStarted>& started() const { return *result_; }
  void stop() {
    if (!thread_.joinable()) return;
    if (Server* server = server_.load()) server->request_stop();
    thread_.join();
  }

 private:
  void run(Config config) {
    loop::EventLoop event_loop;
    Result<std::unique_ptr<Server>> server = Server::create(event_loop, std::move(config));
    if (!server.ok()) {
      started_.set_value(server.error());
      return;
    }
    server.value()->start(
        [this, &server](const Result<ServerStarted>& started) {
          if (started.ok()) server_ = server.value().get();
          started_.set_value(started);
        },
        [this, &event_loop](const Status&) {
          server_ = nullptr;
          event_loop.stop();
        });
    event_loop.run();
  }

  std::promise<Result<ServerStarted>> started_;
  std::optional<Result<ServerStarted>> result_;
  std::atomic<Server*> server_{nullptr};  // while it runs
  std::thread thread_;
};

// --- A temporary data folder ------------------------------------------------------------------

class DataFolder {
 public:
  explicit DataFolder(std::string path) : path_(std::move(path)) {
    if (!path_.empty()) return;
    std::string pattern =
        (std::filesystem::temp_directory_path() / "triggerd-demo-XXXXXX").string();
    if (mkdtemp(pattern.data()) != nullptr) {
      path_ = pattern;
      temporary_ = true;
    }
  }
  ~DataFolder() {
    std::error_code ignored;
    if (temporary_) std::filesystem::remove_all(path_, ignored);
  }
  DataFolder(const DataFolder&) = delete;
  DataFolder& operator=(const DataFolder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  bool temporary_ = false;
};

// --- Registration over HTTP -------------------------------------------------------------------

struct Access {
  std::string base_url;
  std::string org;
  std::string api_key;
};

void identify(HttpClient& client, const Access& access) {
  client.set_header("SlashID-OrgID", access.org);
  client.set_header("SlashID-API-Key", access.api_key);
  client.set_header("Content-Type", "application/json");
}

// Sends and expects a status; gives the member of `result` that is asked for, or the whole body.
Result<std::string> call(HttpClient& client, const char* method, const std::string& url,
                         const std::string& body, int expected, const char* member) {
  const Result<HttpAnswer> answer = client.send(method, url, body);
  if (!answer.ok()) return answer.error();
  if (answer.value().status != expected) {
    return Error{ErrorCode::kInternal, fmt::format("{} {} answered {}: {}", method, url,
                                                   answer.value().status, answer.value().body)};
  }
  if (member == nullptr) return answer.value().body;
  rapidjson::Document document;
  document.Parse(answer.value().body.c_str());
  if (document.HasParseError() || !document.IsObject() || !document.HasMember("result") ||
      !document["result"].HasMember(member) || !document["result"][member].IsString()) {
    return Error{ErrorCode::kInternal, fmt::format("{} {}: no result.{}", method, url, member)};
  }
  return std::string(document["result"][member].GetString());
}

Result<Access> make_organization(const ServerStarted& started) {
  Access access{"http://" + started.address, "", ""};
  HttpClient admin;
  admin.set_header("Authorization", "Bearer " + started.admin_token);
  admin.set_header("Content-Type", "application/json");
  const std::string organizations = access.base_url + "/admin/organizations";
  Result<std::string> org = call(admin, "POST", organizations, R"({"name":"demo"})", 201, "id");
  if (!org.ok()) return org.error();
  access.org = org.value();
  Result<std::string> key = call(admin, "POST", organizations + "/" + access.org + "/api-keys",
                                 R"({"name":"demo"})", 201, "api_key");
  if (!key.ok()) return key.error();
  access.api_key = key.value();
  return access;
}

// Registers the webhooks and their triggers; gives the number of triggers.
Result<std::size_t> register_webhooks(const Access& access, const DemoReceiver& receiver) {
  HttpClient client;
  identify(client, access);
  const std::string webhooks = access.base_url + "/organizations/webhooks";
  std::size_t triggers = 0;
  for (std::size_t i = 0; i < kWebhooks.size(); ++i) {
    const std::string body =
        fmt::format(R"({{"name":"{}","target_url":"{}"}})", kWebhooks[i].name, receiver.url(i));
    const Result<std::string> id = call(client, "POST", webhooks, body, 201, "id");
    if (!id.ok()) return id.error();
    for (const std::string_view name : model::seed_event_names()) {
      if (name.find(kWebhooks[i].only) == std::string_view::npos) continue;
      const std::string trigger =
          fmt::format(R"({{"trigger_type":"event","trigger_name":"{}"}})", name);
      const Result<std::string> added =
          call(client, "POST", webhooks + "/" + id.value() + "/triggers", trigger, 201, nullptr);
      if (!added.ok()) return added.error();
      ++triggers;
    }
  }
  return triggers;
}

Result<JwsVerifier> fetch_keys(const Access& access) {
  HttpClient client;
  client.set_header("SlashID-OrgID", access.org);
  const Result<std::string> jwks =
      call(client, "GET", access.base_url + "/organizations/webhooks/verification-jwks", "", 200,
           nullptr);
  if (!jwks.ok()) return jwks.error();
  return JwsVerifier::create(jwks.value());
}

// --- Publishing -------------------------------------------------------------------------------

// What the publishers share.
struct Stream {
  const DemoOptions& options;
  const Access& access;
  DemoTally& tally;
  base::MonoTime started_at;
  std::atomic<std::uint64_t> next{0};
  std::atomic<std::uint64_t> accepted{0};
  std::atomic<bool> failed{false};
};

// One request of up to kEventsPerRequest events; the ids are the publisher's own.
Status publish_some(HttpClient& client, Stream& stream, std::uint64_t first, base::Random& random) {
  const std::span<const std::string_view> names = model::seed_event_names();
  const std::uint64_t last = std::min(first + kEventsPerRequest, stream.options.events);
  std::string body = "[";
  const base::Now now = base::read_clocks();
  for (std::uint64_t i = first; i < last; ++i) {
    const base::EventId id(random.uuid_v4());
    const std::string_view name = names[i % names.size()];
    stream.tally.sent(id, now.mono);
    body += fmt::format(R"({}{{"event_id":"{}","event_name":"{}","content":{}}})",
                        i == first ? "" : ",", id.to_string(), name,
                        model::sample_event(name, "", now.wall, random).content);
  }
  body += "]";
  const Result<std::string> answer =
      call(client, "POST", stream.access.base_url + "/organizations/events", body, 202, nullptr);
  if (!answer.ok()) return answer.error();
  rapidjson::Document document;
  document.Parse(answer.value().c_str());
  if (document.HasParseError())
    return Error{ErrorCode::kInternal, "publish: the answer is not JSON"};
  for (const rapidjson::Value& event : document["result"].GetArray()) {
    const std::optional<base::EventId> id = base::EventId::parse(event["event_id"].GetString());
    if (id) stream.tally.accepted(*id, event["webhooks"].GetUint());
    ++stream.accepted;
  }
  return {};
}

Status publish(Stream& stream, std::uint64_t seed) {
  base::SeededRandom random(seed);
  HttpClient client;
  identify(client, stream.access);
  while (!stream.failed) {
    const std::uint64_t first = stream.next.fetch_add(kEventsPerRequest);
    if (first >= stream.options.events) break;
    if (stream.options.per_second > 0) {
      const auto due = stream.started_at + base::Duration(1'000'000'000) * first /
                                               static_cast<std::int64_t>(stream.options.per_second);
      std::this_thread::sleep_for(due - base::read_clocks().mono);
    }
    if (Status status = publish_some(client, stream, first, random); !status.ok()) {
      stream.failed = true;
      return status;
    }
  }
  return {};
}

// Watches until everything arrived, or nothing has for a while.
void wait_for_deliveries(const DemoTally& tally, const Stream& stream,
                         const DemoProgress& progress) {
  std::uint64_t before = 0;
  base::MonoTime moved_at = base::read_clocks().mono;
  for (;;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const DemoTally::Counts counts = tally.counts();
    progress(counts.accepted, counts.delivered);
    if (stream.failed || counts.delivered >= counts.expected) return;
    const base::MonoTime now = base::read_clocks().mono;
    if (counts.delivered > before) {
      before = counts.delivered;
      moved_at = now;
    } else if (now - moved_at > kStalled) {
      return;
    }
  }
}

Result<DemoReport> stream_events(const DemoOptions& options, const Access& access, DemoTally& tally,
                                 const DemoProgress& progress) {
  Stream stream{options, access, tally, base::read_clocks().mono};
  std::vector<std::future<Status>> publishers;
  for (unsigned i = 0; i < kPublishers; ++i) {
    publishers.push_back(
        std::async(std::launch::async, [&stream, i] { return publish(stream, 1 + i); }));
  }
  for (std::future<Status>& publisher : publishers) {
    while (publisher.wait_for(std::chrono::milliseconds(100)) != std::future_status::ready) {
      progress(stream.accepted, tally.counts().delivered);
    }
    if (Status status = publisher.get(); !status.ok()) return status.error();
  }
  DemoReport report;
  report.publishing = base::read_clocks().mono - stream.started_at;
  wait_for_deliveries(tally, stream, progress);
  report.all = base::read_clocks().mono - stream.started_at;
  return report;
}

Config demo_config(const std::string& data_path) {
  Config config;
  config.listen_port = 0;
  config.public_url = "https://demo.triggerd.example";
  config.data_path = data_path;
  config.targets.allow_http = true;
  config.targets.allow_networks.push_back(*model::Network::parse("127.0.0.0/8"));
  return config;
}

}  // namespace

Result<DemoReport> run_demo(const DemoOptions& options, const DemoProgress& progress) {
  const DataFolder data(options.data_path);
  if (data.path().empty()) return Error{ErrorCode::kInternal, "no temporary folder can be made"};
  DemoTally tally;
  Result<std::unique_ptr<DemoReceiver>> receiver = DemoReceiver::start(tally);
  if (!receiver.ok()) return receiver.error();
  EngineThread engine(demo_config(data.path()));
  if (!engine.started().ok()) return engine.started().error();
  const Result<Access> access = make_organization(engine.started().value());
  if (!access.ok()) return access.error();
  const Result<std::size_t> triggers = register_webhooks(access.value(), *receiver.value());
  if (!triggers.ok()) return triggers.error();
  Result<JwsVerifier> verifier = fetch_keys(access.value());
  if (!verifier.ok()) return verifier.error();
  receiver.value()->trust(std::move(verifier.value()), access.value().org);

  Result<DemoReport> report = stream_events(options, access.value(), tally, progress);
  engine.stop();
  if (!report.ok()) return report;
  report.value().figures = tally.figures();
  report.value().webhooks = kWebhooks.size();
  report.value().triggers = triggers.value();
  return report;
}

}  // namespace triggerd::app
