#include "app/server.h"

#include <algorithm>
#include <filesystem>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/config_changes.h"
#include "app/secrets.h"
#include "app/signing_keys.h"
#include "engine/base/log.h"
#include "store/memory_store.h"
#include "store/rocks_store.h"

namespace triggerd::app {
namespace {

core::EngineOptions engine_options(const Config& config) {
  core::EngineOptions options;
  options.retry_schedule = config.retry_schedule;
  options.retry_jitter = config.retry_jitter;
  options.disable_after = config.disable_after;
  options.targets = config.targets;
  options.in_flight = config.in_flight;
  options.in_flight_per_host = config.in_flight_per_host;
  options.in_flight_per_webhook = config.in_flight_per_webhook;
  options.isolation = config.isolation;
  options.rates = config.rates;
  options.pending_max = config.pending_max;
  options.resident = config.resident;
  options.secret_overlap = config.secret_overlap;
  options.key_publish_lead = config.key_publish_lead;
  options.pending_per_org_max = std::min(config.pending_max, options.pending_per_org_max);
  return options;
}

constexpr base::Duration kMetricsInterval = std::chrono::milliseconds(100);
constexpr base::Duration kStoreWatchInterval = std::chrono::seconds(5);

std::string printed_address(const std::string& address, std::uint16_t port) {
  const bool v6 = address.find(':') != std::string::npos;
  return v6 ? fmt::format("[{}]:{}", address, port) : fmt::format("{}:{}", address, port);
}

void tell_not_reloaded(const base::Error& error) {
  base::LogLine(base::LogLevel::kError, "config", "not reloaded: nothing has changed")
      .field("error", error.message);
}

}  // namespace

Server::Server(loop::EventLoop& event_loop, Config config, std::unique_ptr<store::Store> store)
    : loop_(event_loop),
      config_(std::move(config)),
      given_(config_.given),
      store_(std::move(store)),
      drain_timer_(event_loop, [this] { stop_loops(); }),
      metrics_timer_(event_loop, [this] { observe_engine(); }) {}

Server::~Server() {
  for (const std::unique_ptr<IoThread>& thread : threads_) thread->mailbox().post(StopIo{});
  threads_.clear();
  own_loop_.reset();
}

base::Result<std::unique_ptr<Server>> Server::create(loop::EventLoop& event_loop, Config config,
                                                     std::unique_ptr<store::Store> store) {
  std::unique_ptr<Server> server(new Server(event_loop, std::move(config), std::move(store)));
  if (base::Status status = server->open(); !status.ok()) return status.error();
  return server;
}

// --- Opening ----------------------------------------------------------------------------------

base::Status Server::open() {
  if (base::Status status = check_config(config_); !status.ok()) return status;
  if (base::Status status = open_store(); !status.ok()) return status;
  open_backups();

  base::Result<AdminToken> token = admin_token(config_);
  if (!token.ok()) return token.error();
  admin_token_written_to_ = token.value().written_to;
  const std::array<std::uint8_t, 32> pepper = secret_box_->derive_key("api key pepper");
  secrets_.emplace(SharedSecrets{ApiKeyDigester(std::string(pepper.begin(), pepper.end())),
                                 std::move(token.value().text), *secret_box_});

  const unsigned threads =
      config_.io_threads ? *config_.io_threads : std::max(1U, std::thread::hardware_concurrency());
  loops_ = std::max(1U, threads);
  metrics_ = std::make_unique<metrics::Metrics>(loops_);
  metrics_->operations().config_read(/*good=*/true, loop_.now().wall);
  mailbox_ = std::make_unique<EngineMailbox>(
      loop_, [this](std::vector<EngineMessage>& messages) { receive(messages); });
  outlet_ = std::make_unique<OutletRouter>(
      [this](const base::Error& error) { store_failed(error); },
      [this](model::RequestId, model::Reply reply) { bootstrap_->replied(std::move(reply)); },
      [this](const std::vector<model::SigningKey>& keys) { use_signing_keys(keys); },
      metrics_->engine());
  partition_ =
      std::make_unique<Partition>(loop_, *store_, engine_options(config_), random_, *outlet_);

  std::vector<model::SigningKey> signing_keys;
  base::Status status = partition_->recover(
      [&signing_keys](const model::SigningKey& key) { signing_keys.push_back(key); },
      [this] { return new_signing_key(*secret_box_); });
  if (!status.ok()) return status;
  base::Result<std::shared_ptr<const dispatcher::KeyRing>> ring =
      open_key_ring(*secret_box_, signing_keys);
  if (!ring.ok()) return ring.error();
  key_ring_ = std::move(ring.value());
  return start_loops(threads);
}

base::Status Server::open_store() {
  if (config_.store_mode == StoreMode::kDisk) {
    std::error_code failure;
    std::filesystem::create_directories(config_.data_path, failure);
    if (failure) {
      return base::Error{base::ErrorCode::kInvalid,
                         fmt::format("store.path: {} can not be created: {}", config_.data_path,
                                     failure.message())};
    }
    std::filesystem::permissions(config_.data_path, std::filesystem::perms::owner_all, failure);
  }
  base::Result<store::SecretBox> secrets = installation_secrets(config_);
  if (!secrets.ok()) return secrets.error();
  secret_box_.emplace(std::move(secrets.value()));
  if (store_ != nullptr) return {};
  if (config_.store_mode == StoreMode::kMemory) {
    store_ = std::make_unique<store::MemoryStore>();
    return {};
  }
  store::RocksStoreOptions options;
  options.path = config_.data_path + "/store";
  options.secrets = &*secret_box_;
  base::Result<std::unique_ptr<store::RocksStore>> opened = store::RocksStore::open(options);
  if (!opened.ok()) return opened.error();
  rocks_store_ = opened.value().get();
  store_ = std::move(opened.value());
  return {};
}

void Server::open_backups() {
  const bool key_is_elsewhere = rocks_store_ == nullptr || !config_.secret_key_file.empty();
  backups_.emplace(
      loop_, rocks_store_, config_.backup, key_is_elsewhere ? "" : secret_key_path(config_),
      [this](model::RequestId id, model::Reply reply) { answer(id, std::move(reply)); },
      [this](const model::Backup& backup) {
        metrics_->operations().backup_ended(backup, loop_.now().wall);
      });
}

// Of keys that were sealed here, opened here before, or made just now: that it fails is our
// mistake.
void Server::use_signing_keys(const std::vector<model::SigningKey>& keys) {
  const auto ring = open_key_ring(*secret_box_, keys);
  TRIGGERD_ASSERT(ring.ok());
  outlet_->send_to_all_first(UseKeyRing{ring.value()});
  base::LogLine(base::LogLevel::kInfo, "server", "signing keys changed")
      .field("keys", static_cast<std::uint64_t>(keys.size()))
      .field("newest_kid", keys.back().kid)
      .field("newest_signs_from", base::to_rfc3339(keys.back().active_from));
}

base::Status Server::start_loops(unsigned threads) {
  if (config_.listen_port == 0) {
    base::Result<PortReservation> reserved = PortReservation::make(config_.listen_address);
    if (!reserved.ok()) return reserved.error();
    config_.listen_port = reserved.value().port();
    reserved_port_.emplace(std::move(reserved.value()));
  }
  const std::string issuer =
      config_.public_url.empty()
          ? "http://" + printed_address(config_.listen_address, config_.listen_port)
          : config_.public_url;
  io_shared_.emplace(IoShared{config_, *secrets_, key_ring_, issuer, loops_,
                              reserved_port_.has_value(), *mailbox_, *metrics_, seats_});
  std::vector<OutletRouter::HandOver> mailboxes;
  const auto add = [&mailboxes](IoMailbox& mailbox) {
    mailboxes.emplace_back(
        [&mailbox](std::vector<IoMessage>& messages) { mailbox.post_all(messages); });
  };
  if (threads == 0) {
    base::Result<std::unique_ptr<IoLoop>> own = IoLoop::create(loop_, 0, *io_shared_, [] {});
    if (!own.ok()) return own.error();
    own_loop_ = std::move(own.value());
    add(own_loop_->mailbox());
  }
  for (unsigned i = 0; i < threads; ++i) {
    base::Result<std::unique_ptr<IoThread>> thread = IoThread::start(i, *io_shared_);
    if (!thread.ok()) return thread.error();
    add(thread.value()->mailbox());
    threads_.push_back(std::move(thread.value()));
  }
  loops_running_ = loops_;
  outlet_->set_loops(std::move(mailboxes));
  return {};
}

// --- Starting ---------------------------------------------------------------------------------

void Server::start(OnStarted on_started, OnStopped on_stopped) {
  TRIGGERD_ASSERT(phase_ == Phase::kCreated);
  phase_ = Phase::kStarting;
  on_started_ = std::move(on_started);
  on_stopped_ = std::move(on_stopped);
  base::Result<Bootstrap> bootstrap = Bootstrap::create(config_.organizations, secrets_->digester);
  if (!bootstrap.ok()) {
    bootstrapped(bootstrap.error());
    return;
  }
  bootstrap_.emplace(std::move(bootstrap.value()));
  bootstrap_->run([this](model::RequestId id,
                         model::Request request) { partition_->submit(id, std::move(request)); },
                  [this](const base::Status& status) { bootstrapped(status); });
}

void Server::bootstrapped(const base::Status& status) {
  if (!status.ok()) {
    on_started_(status.error());
    end_status_ = status;
    begin_stop();
    return;
  }
  // The first loop chooses the port when none is given; the others share it.
  outlet_->send_to(0, StartListening{config_.listen_port});
  outlet_->turn_ended();
}

void Server::listening(const Listening& message) {
  if (phase_ != Phase::kStarting) return;
  if (!message.port.ok()) {
    bootstrapped(message.port.error());
    return;
  }
  port_ = message.port.value();
  if (++loops_listening_ == 1) {
    for (unsigned i = 1; i < loops_; ++i) outlet_->send_to(i, StartListening{port_});
    outlet_->turn_ended();
  }
  if (loops_listening_ < loops_) return;
  phase_ = Phase::kRunning;
  metrics_due_ = loop_.now().mono;
  observe_engine();
  retention_.emplace(loop_, *store_, config_.retention);
  retention_->start();
  if (rocks_store_ != nullptr) {
    store_watch_.emplace(
        loop_, *rocks_store_, kStoreWatchInterval,
        [this](const store::StoreSizes& sizes) { metrics_->operations().observe(sizes); });
    store_watch_->start();
  }
  reserved_port_.reset();
  on_started_(ServerStarted{printed_address(config_.listen_address, port_), secrets_->admin_token,
                            admin_token_written_to_, loops_, partition_->stats().pending});
}

namespace {

bool is_of_hook(const EngineMessage& message) {
  if (const auto* submitted = std::get_if<Submitted>(&message)) {
    return std::holds_alternative<model::CallHook>(submitted->request);
  }
  const auto* finished = std::get_if<AttemptFinished>(&message);
  return finished != nullptr && model::is_hook_attempt(finished->id);
}

}  // namespace

// Hooks go first, and what comes of them leaves before the rest is looked at: a client waits for
// each step of theirs, and the rest may be a lot.
void Server::receive(std::vector<EngineMessage>& messages) {
  bool any_hook = false;
  for (EngineMessage& message : messages) {
    if (!is_of_hook(message)) continue;
    any_hook = true;
    if (auto* submitted = std::get_if<Submitted>(&message)) {
      partition_->submit(submitted->id, std::move(submitted->request));
    } else {
      finish(std::get<AttemptFinished>(message));
    }
  }
  if (any_hook) partition_->let_out_at_once();
  for (EngineMessage& message : messages) {
    if (!any_hook || !is_of_hook(message)) receive_one(message);
  }
}

void Server::receive_one(EngineMessage& message) {
  if (auto* submitted = std::get_if<Submitted>(&message)) {
    submit(*submitted);
  } else if (const auto* cancelled = std::get_if<RequestCancelled>(&message)) {
    partition_->cancel(cancelled->id);
  } else if (const auto* wanted = std::get_if<WatchFeed>(&message)) {
    partition_->watch(wanted->thread, wanted->org, wanted->number);
  } else if (const auto* unwanted = std::get_if<UnwatchFeed>(&message)) {
    partition_->unwatch(unwanted->thread, unwanted->org);
  } else if (const auto* finished = std::get_if<AttemptFinished>(&message)) {
    finish(*finished);
  } else if (const auto* listening_now = std::get_if<Listening>(&message)) {
    listening(*listening_now);
  } else if (std::holds_alternative<StopRequested>(message)) {
    begin_stop();
  } else if (std::holds_alternative<IoDrained>(message)) {
    io_drained();
  } else if (std::holds_alternative<IoStopped>(message)) {
    io_stopped();
  }
}

// What is about the process is answered here, all else by the partition.
void Server::submit(Submitted& submitted) {
  if (std::holds_alternative<model::StartBackup>(submitted.request)) {
    backups_->start(submitted.id);
  } else if (std::holds_alternative<model::ListBackups>(submitted.request)) {
    backups_->list(submitted.id);
  } else if (std::holds_alternative<model::ReloadConfig>(submitted.request)) {
    std::optional<base::Error> refused = reload_refusal();
    if (!refused) {
      if (const base::Status asked = config_reader_->ask(submitted.id); !asked.ok()) {
        refused = asked.error();
      }
    }
    if (refused) answer(submitted.id, model::Refusal{{*std::move(refused)}, std::nullopt});
  } else {
    partition_->submit(submitted.id, std::move(submitted.request));
  }
}

void Server::answer(model::RequestId id, model::Reply reply) {
  outlet_->reply(id, std::move(reply));
  outlet_->turn_ended();
}

// --- Reloading --------------------------------------------------------------------------------

void Server::use_config_source(ConfigReader::Source source) {
  config_reader_.emplace(loop_, std::move(source),
                         [this](const ConfigReader::Read& read) { config_read(read); });
}

std::optional<base::Error> Server::reload_refusal() const {
  if (config_reader_ && phase_ == Phase::kRunning) return std::nullopt;
  return base::Error{base::ErrorCode::kConflict,
                     "the configuration can not be reloaded now: it was given without a file, "
                     "or the process is starting or ending"};
}

void Server::reload_config() {
  if (const std::optional<base::Error> refused = reload_refusal()) {
    tell_not_reloaded(*refused);
  } else {
    config_reader_->ask();
  }
}

void Server::config_read(const ConfigReader::Read& read) {
  const base::Result<model::ConfigReloaded> reloaded = use_config(read.good);
  if (!reloaded.ok()) tell_not_reloaded(reloaded.error());
  for (const model::RequestId id : read.asked_by) {
    answer(id, reloaded.ok() ? model::Reply(reloaded.value())
                             : model::Reply(model::Refusal{{reloaded.error()}, std::nullopt}));
  }
}

base::Result<model::ConfigReloaded> Server::use_config(
    const base::Result<ConfigReader::Good>& good) {
  if (const std::optional<base::Error> refused = reload_refusal()) return *refused;
  metrics_->operations().config_read(good.ok(), loop_.now().wall);
  if (!good.ok()) return good.error();
  const Config& config = good.value().config;
  model::ConfigReloaded changes = changes_between(given_, config.given);
  if (!same_organizations(config_.organizations, config.organizations)) {
    changes.needs_restart.emplace_back("bootstrap.organization");
  }
  apply(good.value());
  for (const std::string& path : changes.changed) {
    const auto at = config.given.find(path);
    if (at == config.given.end()) {
      given_.erase(path);
    } else {
      given_[path] = at->second;
    }
  }
  for (const std::string& path : changes.needs_restart) {
    base::LogLine(base::LogLevel::kWarn, "config", "needs a restart").field("setting", path);
  }
  base::LogLine(base::LogLevel::kInfo, "config", "reloaded")
      .field("changed", fmt::format("{}", fmt::join(changes.changed, " ")))
      .field("needs_restart", fmt::format("{}", fmt::join(changes.needs_restart, " ")));
  return changes;
}

// What can_change_while_running() names, and the certificates in the CA file.
void Server::apply(const ConfigReader::Good& good) {
  const Config& config = good.config;
  base::set_log_level(config.log_level);
  config_.drain_timeout = config.drain_timeout;  // of this thread alone
  retention_->use(config.retention);
  partition_->tune(core::EngineTuning{config.rates, config.targets});
  const auto settings = std::make_shared<const Config>(config);
  tell_all([&] { return IoMessage(UseSettings{settings, good.authorities}); });
}

void Server::observe_engine() {
  const base::MonoTime now = loop_.now().mono;
  metrics_->engine().observe(partition_->stats(), loop_.now());
  metrics_->engine().observe_lag(now - metrics_due_);
  metrics_due_ = now + kMetricsInterval;
  metrics_timer_.start_at(metrics_due_);
}

// --- Stopping ---------------------------------------------------------------------------------

void Server::request_stop() {
  mailbox_->post(StopRequested{});
}

void Server::tell_all(const std::function<IoMessage()>& make) {
  outlet_->send_to_all(make);
  outlet_->turn_ended();
}

void Server::begin_stop() {
  if (phase_ == Phase::kDraining || phase_ == Phase::kStopped) return;
  phase_ = Phase::kDraining;
  drain_ = {loop_.now().mono, metrics_->requests_answered(), 0, 0};
  retention_.reset();
  store_watch_.reset();
  backups_->cancel();
  partition_->hold_attempts();
  loops_draining_ = loops_;
  readiness_.serving_fault = "draining: this process is about to end";
  tell_all([this] { return IoMessage(readiness_); });
  tell_all([] { return IoMessage(DrainIo{}); });
  drain_timer_.start_after(config_.drain_timeout);
}

void Server::io_drained() {
  // Once the grace has ended, the stop closes what is open: that some loop then has nothing left
  // must not replace the wait for the last commit.
  if (phase_ != Phase::kDraining || --loops_draining_ > 0) return;
  partition_->drain([this] { stop_loops(); });
}

void Server::stop_loops() {
  if (phase_ == Phase::kStopped) return;
  phase_ = Phase::kStopped;
  drain_timer_.stop();
  metrics_timer_.stop();
  tell_all([] { return IoMessage(StopIo{}); });
}

void Server::io_stopped() {
  if (--loops_running_ > 0) return;
  // What the cancelled calls said is still made durable.
  partition_->drain([this] {
    threads_.clear();
    backups_.reset();
    config_reader_.reset();
    base::Status closed = store_->close();
    if (end_status_.ok() && !closed.ok()) end_status_ = std::move(closed);
    tell_drained();
    on_stopped_(end_status_);
  });
}

// What an operator wants to know of a stop: what ended in time, and what goes on at the next start.
void Server::tell_drained() const {
  const core::EngineStats stats = partition_->stats();
  base::LogLine line(base::LogLevel::kInfo, "server", "drained");
  line.field("requests", metrics_->requests_answered() - drain_.requests_before)
      .field("attempts", drain_.attempts)
      .field("attempts_cut", drain_.attempts_cut)
      .field("parked", stats.pending)
      .field("parked_delayed", stats.delayed)
      .field("duration_s", std::chrono::duration<double>(loop_.now().mono - drain_.since).count());
  if (!end_status_.ok()) line.field("error", end_status_.error().message);
}

void Server::finish(const AttemptFinished& finished) {
  const bool cut = finished.outcome.kind == model::OutcomeClass::kCancelled;
  ++(cut ? drain_.attempts_cut : drain_.attempts);
  partition_->finish(finished.id, finished.outcome);
}

void Server::store_failed(const base::Error& error) {
  base::LogLine(base::LogLevel::kError, "store", "a commit failed; nothing more is acknowledged")
      .field("error", error.message);
  end_status_ = error;
  readiness_.store_fault = "a commit failed";
  tell_all([this] { return IoMessage(readiness_); });
  begin_stop();
}

}  // namespace triggerd::app
