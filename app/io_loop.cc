#include "app/io_loop.h"

#include <algorithm>
#include <future>
#include <utility>

#include <pthread.h>
#include <sys/resource.h>

namespace triggerd::app {
namespace {

dispatcher::DispatcherOptions dispatcher_options(const IoShared& shared) {
  dispatcher::DispatcherOptions options;
  options.issuer = shared.issuer;
  options.targets = shared.config.targets;
  return options;
}

api::ApiOptions api_options(const Config& config) {
  api::ApiOptions options;
  options.test_events_burst = config.rates.test_events.burst;
  options.trusted_proxies = config.trusted_proxies;
  options.sdk_ingest = config.sdk_ingest;
  options.metrics_public = config.metrics_public;
  return options;
}

// Each loop gets its share of the descriptors: a connection in and one out need one each.
dispatcher::TransportOptions transport_options(const IoShared& shared) {
  dispatcher::TransportOptions options;
  options.policy = shared.config.targets;
  options.ca_file = shared.config.ca_file;
  options.proxy = shared.config.proxy;
  for (const std::string& server : shared.config.dns_servers) {
    if (!options.name_servers.empty()) options.name_servers += ',';
    options.name_servers += server;
  }
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    options.descriptors_max = static_cast<std::size_t>(limit.rlim_cur) / 2 / shared.loops;
  }
  return options;
}

// A quarter of the connections is for sync hooks, whatever the events do.
constexpr std::size_t kShareOfHooks = 4;
constexpr unsigned kHookMultis = 4;
constexpr base::Duration kMetricsInterval = std::chrono::milliseconds(500);

dispatcher::TransportOptions hook_transport_options(const IoShared& shared) {
  dispatcher::TransportOptions options = transport_options(shared);
  options.descriptors_max = std::max<std::size_t>(options.descriptors_max / kShareOfHooks, 4);
  options.multis = kHookMultis;
  return options;
}

dispatcher::TransportOptions event_transport_options(const IoShared& shared) {
  dispatcher::TransportOptions options = transport_options(shared);
  options.descriptors_max -= options.descriptors_max / kShareOfHooks;
  return options;
}

}  // namespace

IoLoop::IoLoop(loop::EventLoop& event_loop, unsigned index, const IoShared& shared,
               std::function<void()> on_stopped)
    : loop_(event_loop),
      index_(index),
      shared_(shared),
      on_stopped_(std::move(on_stopped)),
      mailbox_(event_loop, [this](std::vector<IoMessage>& messages) { receive(messages); }),
      backend_(
          index, shared.secrets, shared.metrics, shared.seats,
          [this](EngineMessage message) { send(std::move(message)); },
          [this] { mailbox_.drain(); }),
      handler_(event_loop, backend_, random_, api_options(shared.config),
               &shared.metrics.http(index)),
      dispatcher_(event_loop, dispatcher_options(shared), shared.key_ring, random_,
                  [this](model::AttemptId id, model::Outcome outcome) {
                    send(AttemptFinished{id, std::move(outcome)});
                  }),
      metrics_timer_(event_loop, [this] { observe_server(); }) {}

IoLoop::~IoLoop() = default;

base::Result<std::unique_ptr<IoLoop>> IoLoop::create(loop::EventLoop& event_loop, unsigned index,
                                                     const IoShared& shared,
                                                     std::function<void()> on_stopped) {
  std::unique_ptr<IoLoop> io_loop(new IoLoop(event_loop, index, shared, std::move(on_stopped)));
  if (base::Status status = io_loop->open(); !status.ok()) return status.error();
  return io_loop;
}

base::Status IoLoop::open() {
  const auto on_outcome = [this](model::AttemptId id, model::Outcome outcome) {
    dispatcher_.finished(id, std::move(outcome));
  };
  auto transport =
      dispatcher::CurlTransport::create(loop_, event_transport_options(shared_), on_outcome);
  if (!transport.ok()) return transport.error();
  auto for_hooks =
      dispatcher::CurlTransport::create(loop_, hook_transport_options(shared_), on_outcome);
  if (!for_hooks.ok()) return for_hooks.error();
  transports_ = {transport.value().get(), for_hooks.value().get()};
  dispatcher_.use(std::move(transport.value()));
  dispatcher_.use_for_hooks(std::move(for_hooks.value()));
  return {};
}

// --- To the engine thread: one hand-over a tick -----------------------------------------------

void IoLoop::send(EngineMessage message) {
  if (outbox_.empty()) loop_.defer([this] { flush(); });
  outbox_.push_back(std::move(message));
}

void IoLoop::flush() {
  shared_.engine.post_all(outbox_);
}

// --- From the engine thread -------------------------------------------------------------------

void IoLoop::receive(std::vector<IoMessage>& messages) {
  for (IoMessage& message : messages) receive_one(std::move(message));
  if (stopping_) check_stopped();
}

void IoLoop::receive_one(IoMessage message) {
  if (auto* reply = std::get_if<model::SendReply>(&message)) {
    backend_.replied(reply->request, std::move(reply->reply));
  } else if (auto* attempt = std::get_if<model::StartAttempt>(&message)) {
    dispatcher_.start(std::move(*attempt));
  } else if (const auto* cancelled = std::get_if<model::CancelAttempt>(&message)) {
    dispatcher_.cancel(cancelled->id);
  } else if (auto* change = std::get_if<model::EdgeChange>(&message)) {
    change_edge(std::move(*change));
  } else if (const auto* begun = std::get_if<model::FeedBegun>(&message)) {
    handler_.live().begun(*begun);
  } else if (const auto* part = std::get_if<model::FeedPart>(&message)) {
    handler_.live().fed(*part);
  } else if (auto* keys = std::get_if<UseKeyRing>(&message)) {
    dispatcher_.use(std::move(keys->ring));
  } else if (const auto* settings = std::get_if<UseSettings>(&message)) {
    use(*settings);
  } else if (auto* readiness = std::get_if<Readiness>(&message)) {
    backend_.set_readiness(std::move(*readiness));
  } else if (const auto* listen = std::get_if<StartListening>(&message)) {
    start_listening(listen->port);
  } else if (std::holds_alternative<DrainIo>(message)) {
    drain();
  } else if (std::holds_alternative<StopIo>(message)) {
    stop();
  }
}

void IoLoop::change_edge(model::EdgeChange change) {
  std::optional<model::ApiKeyId> removed;
  if (const auto* key = std::get_if<model::ApiKeyRemoved>(&change)) {
    removed = backend_.key_of(key->digest);
  }
  backend_.changed(std::move(change));
  if (removed) handler_.live().key_removed(*removed);
}

void IoLoop::use(const UseSettings& settings) {
  const Config& config = *settings.config;
  handler_.use(api_options(config));
  dispatcher_.use(config.targets);
  for (dispatcher::CurlTransport* transport : transports_) {
    transport->use(config.targets);
    transport->use(settings.authorities);
  }
}

void IoLoop::start_listening(std::uint16_t port) {
  api::ServerOptions options;
  options.address = shared_.config.listen_address;
  options.port = port;
  if (index_ == 0 && !shared_.port_is_reserved && shared_.loops > 1) {
    // A shared port would also be shared with a stranger: another engine must be an error.
    const auto sole = api::Server::listen(loop_, options, handler_);
    if (!sole.ok()) {
      send(Listening{index_, sole.error()});
      return;
    }
  }
  options.reuse_port = shared_.loops > 1 || shared_.port_is_reserved;
  options.limits.connections = shared_.config.connections_max / shared_.loops + 1;
  auto server = api::Server::listen(loop_, options, handler_);
  if (!server.ok()) {
    send(Listening{index_, server.error()});
    return;
  }
  server_ = std::move(server.value());
  send(Listening{index_, server_->port()});
  observe_server();
}

void IoLoop::observe_server() {
  if (stopping_ || server_ == nullptr) return;
  shared_.metrics.http(index_).observe(server_->counts());
  shared_.metrics.http(index_).observe(handler_.live().counts());
  metrics_timer_.start_after(kMetricsInterval);
}

void IoLoop::drain() {
  if (server_ == nullptr) {
    send(IoDrained{index_});
    return;
  }
  server_->drain([this] { send(IoDrained{index_}); });
}

void IoLoop::stop() {
  stopping_ = true;
  metrics_timer_.stop();
  if (server_ != nullptr) server_->close_now();
  dispatcher_.cancel_all();
  check_stopped();
}

// Cancelled calls end within the next ticks; each is told to the engine as any outcome is.
void IoLoop::check_stopped() {
  if (!stopping_) return;
  if (dispatcher_.unfinished() > 0) {
    loop_.defer([this] { check_stopped(); });
    return;
  }
  stopping_ = false;
  send(IoStopped{index_});
  // Behind the flush of that message.
  loop_.defer([this] { on_stopped_(); });
}

// --- A thread of its own ----------------------------------------------------------------------

base::Result<std::unique_ptr<IoThread>> IoThread::start(unsigned index, const IoShared& shared) {
  std::unique_ptr<IoThread> io_thread(new IoThread);
  std::promise<base::Result<IoMailbox*>> opened;
  std::future<base::Result<IoMailbox*>> mailbox = opened.get_future();
  io_thread->thread_ = std::thread([index, &shared, opened = std::move(opened),
                                    may_end = io_thread->may_end_.get_future()]() mutable {
    loop::EventLoop event_loop;
    base::Result<std::unique_ptr<IoLoop>> io_loop =
        IoLoop::create(event_loop, index, shared, [&event_loop] { event_loop.stop(); });
    if (!io_loop.ok()) {
      opened.set_value(io_loop.error());
      return;
    }
    opened.set_value(&io_loop.value()->mailbox());
    event_loop.run();
    // The engine may still post: the answers of its last commit, for instance.
    may_end.wait();
  });
  const base::Result<IoMailbox*> result = mailbox.get();
  if (!result.ok()) return result.error();
  io_thread->mailbox_ = result.value();
  return io_thread;
}

IoThread::~IoThread() {
  may_end_.set_value();
  if (thread_.joinable()) thread_.join();
}

}  // namespace triggerd::app
