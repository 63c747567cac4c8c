#include "app/server.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/http_client.h"
#include "app/http_stream.h"
#include "tests/app/gated_store.h"
#include "tests/app/pump.h"

namespace triggerd::app {
namespace {

using testing::HasSubstr;

constexpr const char* kOrg = "0190a6e0-1111-7000-8000-000000000001";
constexpr const char* kKey = "trg_a-key-of-the-test-with-enough-characters";
constexpr const char* kAdmin = "the-admin-token-of-the-test";
using Headers = std::vector<std::pair<std::string, std::string>>;

// A folder that goes with the test.
class Folder {
 public:
  Folder() {
    std::string pattern = testing::TempDir() + "triggerd-server-XXXXXX";
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    path_ = pattern;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] std::string path(const std::string& name) const { return path_ + "/" + name; }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name)) << text << "\n";
    return path(name);
  }

 private:
  std::string path_;
};

// Takes connections on 127.0.0.1 and never says a word.
class SilentListener {
 public:
  SilentListener() : descriptor_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    auto* any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(descriptor_, any, length), 0);
    EXPECT_EQ(listen(descriptor_, 8), 0);
    EXPECT_EQ(getsockname(descriptor_, any, &length), 0);
    port_ = ntohs(address.sin_port);
  }
  ~SilentListener() { close(descriptor_); }
  SilentListener(const SilentListener&) = delete;
  SilentListener& operator=(const SilentListener&) = delete;

  [[nodiscard]] int port() const { return port_; }

 private:
  int descriptor_;
  int port_ = 0;
};

// The parameter is server.io_threads.
class ServerTest : public testing::TestWithParam<unsigned> {
 protected:
  void SetUp() override {
    config_.listen_port = 0;
    config_.io_threads = GetParam();
    config_.store_mode = StoreMode::kMemory;
    config_.admin_token = kAdmin;
    config_.organizations = {{*model::OrgId::parse(kOrg), "acme", folder_.write("acme.key", kKey)}};
  }
  void TearDown() override {
    if (store_ != nullptr) store_->release_commits();
    if (server_ == nullptr || stopped_) return;
    EXPECT_TRUE(stop().ok());
  }

  void use_gated_store() {
    auto store = std::make_unique<GatedStore>();
    store_ = store.get();
    given_store_ = std::move(store);
  }
  // False when it said why it did not.
  bool start() {
    started_.reset();
    stopped_.reset();
    base::Result<std::unique_ptr<Server>> server =
        Server::create(loop_, config_, std::move(given_store_));
    EXPECT_TRUE(server.ok()) << server.error().message;
    if (!server.ok()) return false;
    server_ = std::move(server.value());
    if (config_source_) server_->use_config_source(config_source_);
    server_->start([this](base::Result<ServerStarted> started) { started_ = std::move(started); },
                   [this](base::Status status) { stopped_ = std::move(status); });
    EXPECT_TRUE(pump_until(loop_, [this] { return started_.has_value(); }));
    return started_ && started_->ok();
  }
  base::Status stop() {
    server_->request_stop();
    return await_stopped();
  }
  base::Status await_stopped() {
    EXPECT_TRUE(pump_until(loop_, [this] { return stopped_.has_value(); }));
    server_.reset();
    store_ = nullptr;
    return stopped_.value_or(base::Error{base::ErrorCode::kTimeout, "it does not stop"});
  }
  void restart() {
    ASSERT_TRUE(stop().ok());
    ASSERT_TRUE(start());
  }

  using Call = std::future<base::Result<HttpAnswer>>;
  Call call_later(const std::string& method, const std::string& path, const Headers& headers,
                  const std::string& body = "") {
    const std::string url = "http://" + started_->value().address + path;
    return std::async(std::launch::async, [method, url, headers, body] {
      HttpClient client;
      client.set_header("Content-Type", "application/json");
      for (const auto& [name, value] : headers) client.set_header(name, value);
      return client.send(method, url, body);
    });
  }
  bool ended(const Call& call) {
    return call.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }
  base::Result<HttpAnswer> await(Call call) {
    EXPECT_TRUE(pump_until(loop_, [this, &call] { return ended(call); }));
    return call.get();
  }
  HttpAnswer call(const std::string& method, const std::string& path, const Headers& headers,
                  const std::string& body = "") {
    base::Result<HttpAnswer> answer = await(call_later(method, path, headers, body));
    EXPECT_TRUE(answer.ok()) << answer.error().message;
    return answer.ok() ? answer.value() : HttpAnswer{};
  }
  [[nodiscard]] static Headers with_key(const std::string& key) {
    return {{"SlashID-OrgID", kOrg}, {"SlashID-API-Key", key}};
  }
  [[nodiscard]] static Headers with_admin() {
    return {{"Authorization", "Bearer " + std::string(kAdmin)}};
  }
  [[nodiscard]] static std::string webhook_body(const std::string& name) {
    return fmt::format(R"({{"name":"{}","target_url":"https://hooks.example/in"}})", name);
  }
  HttpAnswer webhooks(const std::string& key) {
    return call("GET", "/organizations/webhooks", with_key(key));
  }

  loop::EventLoop loop_;
  Folder folder_;
  Config config_;
  std::unique_ptr<store::Store> given_store_;
  GatedStore* store_ = nullptr;  // the server's
  ConfigReader::Source config_source_;
  std::optional<base::Result<ServerStarted>> started_;
  std::optional<base::Status> stopped_;
  std::unique_ptr<Server> server_;
};

INSTANTIATE_TEST_SUITE_P(IoThreads, ServerTest, testing::Values(0U, 2U));

TEST_P(ServerTest, ServesOnAFreePortAndStopsCleanly) {
  ASSERT_TRUE(start());
  const ServerStarted& started = started_->value();
  EXPECT_THAT(started.address, testing::MatchesRegex("127\\.0\\.0\\.1:[1-9][0-9]*"));
  EXPECT_EQ(started.admin_token, kAdmin);
  EXPECT_EQ(started.io_loops, std::max(1U, GetParam()));
  for (int i = 0; i < 8; ++i) EXPECT_EQ(call("GET", "/readyz", {}).status, 200);
  EXPECT_TRUE(stop().ok());
}

TEST_P(ServerTest, EndsWithoutHavingRun) {
  EXPECT_TRUE(Server::create(loop_, config_).ok());
}

TEST_P(ServerTest, ADeclaredKeyOpensItsOrganization) {
  ASSERT_TRUE(start());
  EXPECT_EQ(webhooks(kKey).status, 200);
  EXPECT_EQ(webhooks("trg_another-key-with-enough-characters").status, 401);
}

TEST_P(ServerTest, AKeyMintedNowIsKnownOnEveryLoop) {
  ASSERT_TRUE(start());
  const HttpAnswer made = call("POST", fmt::format("/admin/organizations/{}/api-keys", kOrg),
                               with_admin(), R"({"name":"ci"})");
  ASSERT_EQ(made.status, 201) << made.body;
  const std::size_t at = made.body.find("trg_");
  ASSERT_NE(at, std::string::npos) << made.body;
  const std::string key = made.body.substr(at, made.body.find('"', at) - at);
  for (int i = 0; i < 8; ++i) EXPECT_EQ(webhooks(key).status, 200);
}

TEST_P(ServerTest, ARestartChangesNothing) {
  config_.store_mode = StoreMode::kDisk;
  config_.data_path = folder_.path("data");
  ASSERT_TRUE(start());
  ASSERT_EQ(call("POST", "/organizations/webhooks", with_key(kKey), webhook_body("w")).status, 201);
  const auto everything = [this] {
    return webhooks(kKey).body + call("GET", "/admin/organizations", with_admin()).body +
           call("GET", fmt::format("/admin/organizations/{}/api-keys", kOrg), with_admin()).body +
           call("GET", "/admin/signing-keys", with_admin()).body +
           call("GET", "/organizations/webhooks/verification-jwks", {}).body;
  };
  const std::string before = everything();
  EXPECT_THAT(before, HasSubstr("configuration"));
  restart();
  EXPECT_EQ(everything(), before);
}

TEST_P(ServerTest, ARotatedSigningKeyIsPublishedOnEveryLoopWhenItIsAnswered) {
  config_.store_mode = StoreMode::kDisk;
  config_.data_path = folder_.path("data");
  config_.key_publish_lead = base::Duration(0);
  ASSERT_TRUE(start());
  const auto jwks = [this] {
    return call("GET", "/organizations/webhooks/verification-jwks",
                {{"SlashID-OrgID", std::string(kOrg)}})
        .body;
  };
  const auto kids_in = [](const std::string& text) {
    std::size_t count = 0;
    for (std::size_t at = 0; (at = text.find("\"kid\":", at)) != std::string::npos; ++at) ++count;
    return count;
  };
  EXPECT_EQ(kids_in(jwks()), 1U);
  const HttpAnswer rotated = call("POST", "/admin/signing-keys/rotate", with_admin());
  ASSERT_EQ(rotated.status, 201) << rotated.body;
  EXPECT_THAT(rotated.body, HasSubstr(R"("state":"active")"));
  for (int i = 0; i < 8; ++i) EXPECT_EQ(kids_in(jwks()), 2U);
  restart();
  EXPECT_EQ(kids_in(jwks()), 2U);
  EXPECT_EQ(call("POST", "/admin/signing-keys/rotate", with_key(kKey)).status, 403);
}

TEST_P(ServerTest, AChangedKeyFileRevokesTheOldKey) {
  config_.store_mode = StoreMode::kDisk;
  config_.data_path = folder_.path("data");
  ASSERT_TRUE(start());
  ASSERT_EQ(webhooks(kKey).status, 200);
  const std::string fresh = "trg_the-next-key-of-the-test-with-enough";
  folder_.write("acme.key", fresh);
  restart();
  EXPECT_EQ(webhooks(kKey).status, 401);
  EXPECT_EQ(webhooks(fresh).status, 200);
}

TEST_P(ServerTest, AnAdminTokenIsMadeOnceAndKept) {
  config_.store_mode = StoreMode::kDisk;
  config_.data_path = folder_.path("data");
  config_.admin_token.clear();
  ASSERT_TRUE(start());
  const std::string token = started_->value().admin_token;
  const std::string file = started_->value().admin_token_written_to;
  EXPECT_EQ(file, folder_.path("data") + "/admin.token");
  EXPECT_EQ(std::filesystem::status(file).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  restart();
  EXPECT_EQ(started_->value().admin_token, token);
  EXPECT_EQ(started_->value().admin_token_written_to, "");
}

TEST_P(ServerTest, APublicAddressIsRefusedWithTheFix) {
  for (const char* address : {"0.0.0.0", "::", "192.0.2.1"}) {
    config_.listen_address = address;
    const auto server = Server::create(loop_, config_);
    ASSERT_FALSE(server.ok()) << address;
    EXPECT_EQ(server.error().code, base::ErrorCode::kInvalid);
    EXPECT_THAT(server.error().message, HasSubstr(address));
    EXPECT_THAT(server.error().message, HasSubstr("server.allow_public_listen = true"));
  }
}

TEST_P(ServerTest, APortInUseIsAnErrorOfTheStart) {
  ASSERT_TRUE(start());
  const std::string& address = started_->value().address;
  Config second_config = config_;
  second_config.listen_port =
      static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  base::Result<std::unique_ptr<Server>> second = Server::create(loop_, second_config);
  ASSERT_TRUE(second.ok());
  std::optional<base::Result<ServerStarted>> started;
  std::optional<base::Status> stopped;
  second.value()->start([&](base::Result<ServerStarted> result) { started = std::move(result); },
                        [&](base::Status status) { stopped = std::move(status); });
  EXPECT_TRUE(pump_until(loop_, [&] { return stopped.has_value(); }));
  ASSERT_TRUE(started.has_value());
  EXPECT_FALSE(started->ok());
  EXPECT_FALSE(stopped->ok());
}

TEST_P(ServerTest, AMissingKeyFileIsSaidBeforeAnythingIsOpened) {
  config_.organizations[0].api_key_file = folder_.path("nowhere.key");
  const auto server = Server::create(loop_, config_);
  ASSERT_FALSE(server.ok());
  EXPECT_THAT(server.error().message, HasSubstr("nowhere.key"));
}

TEST_P(ServerTest, AskingTwiceToStopStopsOnce) {
  ASSERT_TRUE(start());
  server_->request_stop();
  EXPECT_TRUE(stop().ok());
}

// --- A configuration that is read again ---

TEST_P(ServerTest, AReadingThatTakesItsTimeHoldsUpNobody) {
  std::promise<void> may_read;
  config_source_ = [changed = config_, gate = may_read.get_future().share()]() mutable {
    gate.wait();
    changed.metrics_public = true;
    return base::Result<Config>(changed);
  };
  ASSERT_TRUE(start());
  server_->reload_config();
  Call asked = call_later("POST", "/admin/config/reload", with_admin());
  for (int i = 0; i < 8; ++i) EXPECT_EQ(webhooks(kKey).status, 200);
  EXPECT_EQ(call("GET", "/metrics", {}).status, 401);
  EXPECT_FALSE(ended(asked));
  may_read.set_value();
  EXPECT_EQ(await(std::move(asked)).value().status, 200);
  for (int i = 0; i < 8; ++i) EXPECT_EQ(call("GET", "/metrics", {}).status, 200);
}

TEST_P(ServerTest, AStopAnswersWhoWaitsForAReading) {
  std::promise<void> may_read;
  std::promise<void> reading;
  config_source_ = [config = config_, &reading, gate = may_read.get_future().share()] {
    reading.set_value();
    gate.wait();
    return base::Result<Config>(config);
  };
  ASSERT_TRUE(start());
  Call asked = call_later("POST", "/admin/config/reload", with_admin());
  const auto begun = reading.get_future();
  ASSERT_TRUE(pump_until(
      loop_, [&] { return begun.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }));
  server_->request_stop();
  pump(loop_);
  EXPECT_FALSE(stopped_.has_value());
  may_read.set_value();
  EXPECT_EQ(await(std::move(asked)).value().status, 409);
  EXPECT_TRUE(await_stopped().ok());
}

TEST_P(ServerTest, WithoutASourceThereIsNothingToReadAgain) {
  ASSERT_TRUE(start());
  server_->reload_config();
  const HttpAnswer answer = call("POST", "/admin/config/reload", with_admin());
  EXPECT_EQ(answer.status, 409) << answer.body;
}

// --- A slow or failing store ------------------------------------------------------------------

TEST_P(ServerTest, AWriteThatTakesTooLongIsAnswered408AndStands) {
  use_gated_store();
  ASSERT_TRUE(start());
  store_->hold_commits();
  Headers headers = with_key(kKey);
  headers.emplace_back("SlashID-Required-Consistency-Timeout", "1");
  const HttpAnswer answer = call("POST", "/organizations/webhooks", headers, webhook_body("late"));
  EXPECT_EQ(answer.status, 408) << answer.body;
  store_->release_commits();
  EXPECT_THAT(webhooks(kKey).body, HasSubstr("\"late\""));
}

TEST_P(ServerTest, AStopWaitsForTheAnswersUnderWay) {
  use_gated_store();
  ASSERT_TRUE(start());
  store_->hold_commits();
  const std::size_t before = store_->commits_begun();
  Call write = call_later("POST", "/organizations/webhooks", with_key(kKey), webhook_body("w"));
  ASSERT_TRUE(pump_until(loop_, [&] { return store_->commits_begun() > before; }));
  server_->request_stop();
  pump(loop_);
  EXPECT_FALSE(stopped_.has_value());
  store_->release_commits();
  EXPECT_EQ(await(std::move(write)).value().status, 201);
  EXPECT_TRUE(await_stopped().ok());
}

// The answers of the last commit find no I/O loop any more.
TEST_P(ServerTest, AStopThatRunsOutOfTimeStillEndsWithItsLastCommit) {
  use_gated_store();
  config_.drain_timeout = std::chrono::milliseconds(20);
  ASSERT_TRUE(start());
  store_->hold_commits();
  const std::size_t before = store_->commits_begun();
  std::vector<Call> writes;
  for (int i = 0; i < 4; ++i) {
    writes.push_back(
        call_later("POST", "/organizations/webhooks", with_key(kKey), webhook_body("w")));
  }
  ASSERT_TRUE(pump_until(loop_, [&] { return store_->commits_begun() > before; }));
  server_->request_stop();
  for (Call& write : writes) EXPECT_FALSE(await(std::move(write)).ok());
  pump(loop_);
  EXPECT_FALSE(stopped_.has_value());
  store_->release_commits();
  EXPECT_TRUE(await_stopped().ok());
}

TEST_P(ServerTest, AFailedCommitIsAnswered503AndEndsTheServer) {
  use_gated_store();
  ASSERT_TRUE(start());
  store_->fail_commits();
  const HttpAnswer answer =
      call("POST", "/organizations/webhooks", with_key(kKey), webhook_body("w"));
  EXPECT_EQ(answer.status, 503) << answer.body;
  const base::Status status = await_stopped();
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message, HasSubstr("the disk is gone"));
}

// Somebody may be signing in.
TEST_P(ServerTest, AHookUnderWayIsAnsweredWhenACommitFails) {
  const SilentListener silent;
  config_.targets.allow_http = true;
  config_.targets.allow_networks = {*model::Network::parse("127.0.0.0/8")};
  use_gated_store();
  ASSERT_TRUE(start());
  const HttpAnswer created =
      call("POST", "/organizations/webhooks", with_key(kKey),
           fmt::format(R"({{"name":"w","target_url":"http://127.0.0.1:{}/"}})", silent.port()));
  ASSERT_EQ(created.status, 201) << created.body;
  const std::size_t id = created.body.find(R"("id":")") + 6;
  ASSERT_EQ(call("POST", "/organizations/webhooks/" + created.body.substr(id, 36) + "/triggers",
                 with_key(kKey), R"({"trigger_type":"sync_hook","trigger_name":"token_minted"})")
                .status,
            201);
  Headers headers = with_key(kKey);
  headers.emplace_back("Prefer", "wait=1");
  Call hook = call_later("POST", "/organizations/sync-hooks/token_minted", headers, "{}");
  ASSERT_TRUE(pump_until(loop_, [&] { return server_->stats().hook_calls == 1; }));
  store_->fail_commits();
  EXPECT_EQ(call("POST", "/organizations/webhooks", with_key(kKey), webhook_body("x")).status, 503);
  const base::Result<HttpAnswer> answer = await(std::move(hook));
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer.value().status, 200);
  EXPECT_THAT(answer.value().body, HasSubstr(R"("decision":"continue")"));
  EXPECT_FALSE(await_stopped().ok());
}

TEST_P(ServerTest, ALiveStreamTellsWhatIsDurableAndEndsWithTheServer) {
  use_gated_store();
  ASSERT_TRUE(start());
  HttpStream stream(
      fmt::format("http://{}/organizations/stream?topics=events", started_->value().address),
      {fmt::format("SlashID-OrgID: {}", kOrg), fmt::format("SlashID-API-Key: {}", kKey)});
  std::string text;
  bool open = true;
  const auto read_until = [&](const auto& done) {
    return pump_until(loop_, [&] {
      open = stream.wait(std::chrono::milliseconds(1));
      text += stream.take();
      return done();
    });
  };
  ASSERT_TRUE(read_until([&] { return text.find("\nid: ") != std::string::npos; }));
  EXPECT_EQ(stream.status(), 200);
  store_->hold_commits();
  const std::size_t begun = store_->commits_begun();
  Call published = call_later("POST", "/organizations/events", with_key(kKey),
                              R"({"event_name":"PersonCreated_v1","content":{"n":7}})");
  ASSERT_TRUE(read_until([&] { return store_->commits_begun() > begun; }));
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(read_until([] { return true; }));
  EXPECT_THAT(text, testing::Not(HasSubstr("event: event")));
  store_->release_commits();
  ASSERT_TRUE(read_until([&] { return text.find("\"n\":7}") != std::string::npos; }));
  EXPECT_EQ(await(std::move(published)).value().status, 202);
  const HttpAnswer figures = call("GET", "/metrics", with_admin());
  EXPECT_THAT(figures.body, HasSubstr("triggerd_stream_dropped_total 0"));

  server_->request_stop();
  ASSERT_TRUE(read_until([&] { return !open; }));
  EXPECT_THAT(text, HasSubstr("event: end\ndata: {\"message\":\"the server is about to stop"));
  EXPECT_TRUE(await_stopped().ok());
}

}  // namespace
}  // namespace triggerd::app
