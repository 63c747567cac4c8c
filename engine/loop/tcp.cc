#include "engine/loop/tcp.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "engine/base/assert.h"

namespace triggerd::loop {
namespace {

uv_handle_t* as_handle(uv_tcp_t* tcp) {
  return reinterpret_cast<uv_handle_t*>(tcp);
}
uv_stream_t* as_stream(uv_tcp_t* tcp) {
  return reinterpret_cast<uv_stream_t*>(tcp);
}

void close_and_delete(uv_tcp_t* handle) {
  handle->data = nullptr;
  uv_close(as_handle(handle),
           [](uv_handle_t* closed) { delete reinterpret_cast<uv_tcp_t*>(closed); });
}

base::Result<sockaddr_storage> to_sockaddr(const std::string& address, std::uint16_t port) {
  sockaddr_storage storage{};
  if (uv_ip4_addr(address.c_str(), port, reinterpret_cast<sockaddr_in*>(&storage)) == 0 ||
      uv_ip6_addr(address.c_str(), port, reinterpret_cast<sockaddr_in6*>(&storage)) == 0) {
    return storage;
  }
  return base::Error{base::ErrorCode::kInvalid,
                     "listen address '" + address + "' is not an IPv4 or IPv6 literal"};
}

base::Error system_error(const std::string& what, int code) {
  return base::Error{
      code == EADDRINUSE ? base::ErrorCode::kConflict : base::ErrorCode::kUnavailable,
      what + ": " + std::strerror(code)};  // NOLINT(concurrency-mt-unsafe)
}

// A bound socket of our own, because libuv 1.44 cannot set SO_REUSEPORT.
base::Result<int> bound_socket(const ListenOptions& options) {
  const base::Result<sockaddr_storage> address = to_sockaddr(options.address, options.port);
  if (!address.ok()) return address.error();
  const sockaddr_storage& storage = address.value();
  const int fd = ::socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return system_error("socket", errno);
  const int on = 1;
  int failed = ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (failed == 0 && options.reuse_port) {
    failed = ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  }
  // "::" listens for IPv6 alone: who wants both says both.
  if (failed == 0 && storage.ss_family == AF_INET6) {
    failed = ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  }
  const socklen_t size = storage.ss_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  if (failed == 0) failed = ::bind(fd, reinterpret_cast<const sockaddr*>(&storage), size);
  if (failed != 0) {
    const int code = errno;
    ::close(fd);
    return system_error("listen on " + options.address + " port " + std::to_string(options.port),
                        code);
  }
  return fd;
}

std::uint16_t port_of(const sockaddr_storage& storage) {
  return storage.ss_family == AF_INET6
             ? ntohs(reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_port)
             : ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
}

}  // namespace

// Owns its bytes until libuv is done with them, also beyond the stream.
struct TcpStream::Write {
  uv_write_t request{};
  std::string bytes;
};

TcpStream::TcpStream(ReadBuffer& buffer) : handle_(new uv_tcp_t), buffer_(buffer) {}

std::unique_ptr<TcpStream> TcpStream::accept(uv_stream_t* server, ReadBuffer& buffer) {
  std::unique_ptr<TcpStream> stream(new TcpStream(buffer));
  TRIGGERD_ASSERT(uv_tcp_init(server->loop, stream->handle_) == 0);
  stream->handle_->data = stream.get();
  if (uv_accept(server, as_stream(stream->handle_)) != 0) return nullptr;
  uv_tcp_nodelay(stream->handle_, 1);
  return stream;
}

TcpStream::~TcpStream() {
  close_and_delete(handle_);
}

void TcpStream::start_reading() {
  if (reading_) return;
  TRIGGERD_ASSERT(events_ != nullptr);
  // libuv reads straight after it asked for memory, so that one buffer serves every stream.
  const int failed = uv_read_start(
      as_stream(handle_),
      [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
        auto* stream = static_cast<TcpStream*>(handle->data);
        *buffer = uv_buf_init(stream->buffer_.bytes.data(),
                              static_cast<unsigned>(stream->buffer_.bytes.size()));
      },
      &TcpStream::read_done);
  reading_ = failed == 0;
}

void TcpStream::stop_reading() {
  if (!reading_) return;
  reading_ = false;
  uv_read_stop(as_stream(handle_));
}

void TcpStream::read_done(uv_stream_t* handle, ssize_t count, const uv_buf_t* buffer) {
  auto* stream = static_cast<TcpStream*>(handle->data);
  if (stream == nullptr || count == 0) return;
  if (count > 0) {
    stream->events_->on_bytes({buffer->base, static_cast<std::size_t>(count)});
    return;
  }
  stream->stop_reading();
  if (count == UV_EOF) {
    stream->events_->on_end();
  } else {
    stream->events_->on_failure();
  }
}

bool TcpStream::write(std::string bytes) {
  if (bytes.empty()) return true;
  if (buffered_bytes() == 0) {
    const uv_buf_t all = uv_buf_init(bytes.data(), static_cast<unsigned>(bytes.size()));
    const int written = uv_try_write(as_stream(handle_), &all, 1);
    if (written < 0 && written != UV_EAGAIN) return false;
    if (written > 0) {
      if (static_cast<std::size_t>(written) == bytes.size()) return true;
      bytes.erase(0, static_cast<std::size_t>(written));
    }
  }
  auto write = std::make_unique<Write>();
  write->bytes = std::move(bytes);
  write->request.data = write.get();
  const uv_buf_t rest =
      uv_buf_init(write->bytes.data(), static_cast<unsigned>(write->bytes.size()));
  if (uv_write(&write->request, as_stream(handle_), &rest, 1, &TcpStream::write_done) != 0) {
    return false;
  }
  static_cast<void>(write.release());  // write_done takes it back
  return true;
}

void TcpStream::write_done(uv_write_t* request, int status) {
  const std::unique_ptr<Write> write(static_cast<Write*>(request->data));
  auto* stream = static_cast<TcpStream*>(request->handle->data);
  if (stream == nullptr) return;
  if (status < 0) {
    stream->events_->on_failure();
  } else if (stream->buffered_bytes() == 0) {
    stream->events_->on_written();
  }
}

std::size_t TcpStream::buffered_bytes() const {
  return uv_stream_get_write_queue_size(as_stream(handle_));
}

void TcpStream::end_writing() {
  auto request = std::make_unique<uv_shutdown_t>();
  const int failed = uv_shutdown(request.get(), as_stream(handle_), [](uv_shutdown_t* done, int) {
    delete done;  // NOLINT(cppcoreguidelines-owning-memory)
  });
  if (failed == 0) static_cast<void>(request.release());
}

std::string TcpStream::peer_address() const {
  sockaddr_storage storage{};
  int size = sizeof storage;
  if (uv_tcp_getpeername(handle_, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return "?";
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int failed =
      storage.ss_family == AF_INET6
          ? uv_ip6_name(reinterpret_cast<sockaddr_in6*>(&storage), text.data(), text.size())
          : uv_ip4_name(reinterpret_cast<sockaddr_in*>(&storage), text.data(), text.size());
  return failed == 0 ? std::string(text.data()) : "?";
}

Listener::Listener(EventLoop& loop, ReadBuffer& buffer, OnAccept on_accept)
    : handle_(new uv_tcp_t), buffer_(buffer), on_accept_(std::move(on_accept)) {
  TRIGGERD_ASSERT(uv_tcp_init(loop.raw(), handle_) == 0);
  handle_->data = this;
}

Listener::~Listener() {
  close_and_delete(handle_);
}

base::Result<std::unique_ptr<Listener>> Listener::listen(EventLoop& loop,
                                                         const ListenOptions& options,
                                                         ReadBuffer& buffer, OnAccept on_accept) {
  std::signal(SIGPIPE, SIG_IGN);  // libuv writes without MSG_NOSIGNAL
  const base::Result<int> fd = bound_socket(options);
  if (!fd.ok()) return fd.error();
  std::unique_ptr<Listener> listener(new Listener(loop, buffer, std::move(on_accept)));
  int failed = uv_tcp_open(listener->handle_, fd.value());
  if (failed != 0) {
    ::close(fd.value());
    return system_error("open the listening socket", -failed);
  }
  failed =
      uv_listen(as_stream(listener->handle_), options.backlog, [](uv_stream_t* server, int status) {
        auto* self = static_cast<Listener*>(server->data);
        if (self == nullptr || status < 0) return;
        std::unique_ptr<TcpStream> stream = TcpStream::accept(server, self->buffer_);
        if (stream != nullptr) self->on_accept_(std::move(stream));
      });
  sockaddr_storage bound{};
  int size = sizeof bound;
  if (failed == 0) {
    failed = uv_tcp_getsockname(listener->handle_, reinterpret_cast<sockaddr*>(&bound), &size);
  }
  if (failed != 0) {
    return system_error("listen on " + options.address + " port " + std::to_string(options.port),
                        -failed);
  }
  listener->port_ = port_of(bound);
  return listener;
}

}  // namespace triggerd::loop
