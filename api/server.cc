#include "api/server.h"

#include <cstddef>
#include <unordered_map>
#include <utility>
#include <vector>

#include "api/connection.h"
#include "engine/base/assert.h"

namespace triggerd::api {
namespace {

HttpResponse too_many_connections() {
  HttpResponse response = error_response(503, "too many connections, try again later");
  response.fields.push_back({"Retry-After", "1"});
  return response;
}

}  // namespace

// The connections and what they share.
class Server::Connections final : public ConnectionOwner {
 public:
  Connections(loop::EventLoop& loop, ServerOptions options, HttpHandler& handler)
      : loop_(loop),
        context_{handler, options.limits, std::move(options.clock), {}, {}, false},
        self_(std::make_shared<Connections*>(this)),
        timer_(loop, [this] {
          sweep();
          if (!open_.empty()) watch_time();
        }) {}

  void add(std::unique_ptr<loop::TcpStream> stream);
  Respond make_respond(ConnectionId id, std::uint64_t sequence) override;
  SendPiece make_sender(ConnectionId id, std::uint64_t sequence) override;
  void forget(ConnectionId id) override;
  void drain(std::function<void()> on_drained);
  void clear();
  void sweep();
  [[nodiscard]] ServerCounts counts() const {
    ServerCounts counts = context_.counts;
    counts.connections_open = open_.size();
    return counts;
  }

 private:
  // Runs on every connection there is now; the step may forget any of them.
  template <class Step>
  void for_each(Step step);
  void watch_time();
  void report_if_drained();

  loop::EventLoop& loop_;
  ServerContext context_;
  std::unordered_map<ConnectionId, std::unique_ptr<Connection>> open_;
  std::unordered_map<std::string, std::size_t> per_address_;
  std::uint64_t last_id_ = 0;
  std::function<void()> on_drained_;
  // Answers come at any time: they find out through this whether there is still a server.
  std::shared_ptr<Connections*> self_;
  loop::Timer timer_;
};

void Server::Connections::add(std::unique_ptr<loop::TcpStream> stream) {
  std::string peer = stream->peer_address();
  std::size_t& of_address = per_address_[peer];
  if (open_.size() >= context_.limits.connections ||
      of_address >= context_.limits.connections_per_address) {
    if (of_address == 0) per_address_.erase(peer);
    ++context_.counts.connections_refused;
    std::string answer;
    ResponseFrame frame;
    frame.connection = ResponseFrame::Connection::kClose;
    context_.writer.append(answer, too_many_connections(), frame, context_.clock().wall);
    static_cast<void>(stream->write(std::move(answer)));
    return;
  }
  ++of_address;
  ++context_.counts.connections_accepted;
  const ConnectionId id(++last_id_);
  if (open_.empty()) watch_time();
  open_.emplace(
      id, std::make_unique<Connection>(id, std::move(stream), std::move(peer), context_, *this));
}

Respond Server::Connections::make_respond(ConnectionId id, std::uint64_t sequence) {
  return [weak = std::weak_ptr<Connections*>(self_), id, sequence](HttpResponse response) {
    const std::shared_ptr<Connections*> self = weak.lock();
    if (self == nullptr) return;
    const auto found = (*self)->open_.find(id);
    if (found != (*self)->open_.end()) found->second->answer(sequence, std::move(response));
  };
}

SendPiece Server::Connections::make_sender(ConnectionId id, std::uint64_t sequence) {
  return [weak = std::weak_ptr<Connections*>(self_), id, sequence](const std::string& bytes,
                                                                   Flow flow) {
    const std::shared_ptr<Connections*> self = weak.lock();
    if (self == nullptr) return;
    const auto found = (*self)->open_.find(id);
    if (found != (*self)->open_.end()) found->second->send_piece(sequence, bytes, flow);
  };
}

void Server::Connections::forget(ConnectionId id) {
  const auto found = open_.find(id);
  TRIGGERD_ASSERT(found != open_.end());
  const auto counted = per_address_.find(found->second->peer());
  if (--counted->second == 0) per_address_.erase(counted);
  // Out of the table before it is destroyed: what its members destroy may look here.
  const std::unique_ptr<Connection> gone = std::move(found->second);
  open_.erase(found);
  gone->abandon();
  report_if_drained();
}

template <class Step>
void Server::Connections::for_each(Step step) {
  std::vector<ConnectionId> ids;
  ids.reserve(open_.size());
  for (const auto& [id, connection] : open_) ids.push_back(id);
  for (const ConnectionId id : ids) {
    const auto found = open_.find(id);
    if (found != open_.end()) step(*found->second);
  }
}

void Server::Connections::watch_time() {
  timer_.start_after(context_.limits.sweep_interval);
}

void Server::Connections::sweep() {
  const base::MonoTime now = context_.clock().mono;
  for_each([now](Connection& connection) { connection.sweep(now); });
}

void Server::Connections::drain(std::function<void()> on_drained) {
  TRIGGERD_ASSERT(!context_.draining);
  context_.draining = true;
  on_drained_ = std::move(on_drained);
  for_each([](Connection& connection) { connection.drain(); });
  report_if_drained();
}

void Server::Connections::report_if_drained() {
  if (!open_.empty() || !on_drained_) return;
  loop_.defer(std::exchange(on_drained_, nullptr));
}

void Server::Connections::clear() {
  while (!open_.empty()) forget(open_.begin()->first);
}

Server::Server(loop::EventLoop& loop, ServerOptions options, HttpHandler& handler)
    : buffer_(std::make_unique<loop::ReadBuffer>()),
      connections_(std::make_unique<Connections>(loop, std::move(options), handler)) {}

base::Result<std::unique_ptr<Server>> Server::listen(loop::EventLoop& loop, ServerOptions options,
                                                     HttpHandler& handler) {
  loop::ListenOptions where;
  where.address = options.address;
  where.port = options.port;
  where.reuse_port = options.reuse_port;
  std::unique_ptr<Server> server(new Server(loop, std::move(options), handler));
  auto listener =
      loop::Listener::listen(loop, where, *server->buffer_,
                             [self = server.get()](std::unique_ptr<loop::TcpStream> stream) {
                               self->connections_->add(std::move(stream));
                             });
  if (!listener.ok()) return listener.error();
  server->listener_ = std::move(listener.value());
  server->port_ = server->listener_->port();
  return server;
}

Server::~Server() {
  close_now();
}

void Server::drain(std::function<void()> on_drained) {
  listener_.reset();
  connections_->drain(std::move(on_drained));
}

void Server::close_now() {
  listener_.reset();
  connections_->clear();
}

ServerCounts Server::counts() const {
  return connections_->counts();
}

void Server::sweep() {
  connections_->sweep();
}

}  // namespace triggerd::api
