// TCP on the loop: a listener that hands out streams, and a stream with an owner.
//
// Thread: the loop's. A stream's memory is its owner's; destroying it closes the socket at once and
// drops what was not yet written. Nothing calls back into a destroyed stream or listener.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <uv.h>

#include "engine/base/status.h"
#include "engine/loop/event_loop.h"

namespace triggerd::loop {

// Bytes are read into one buffer for all streams of a loop, so that an idle stream has none.
// Outlives the streams that read into it.
struct ReadBuffer {
  std::array<char, std::size_t{32} * 1024> bytes;
};

// What happens on a stream. The receiver may destroy the stream from within each of these.
class StreamEvents {
 public:
  virtual ~StreamEvents() = default;
  // Never empty; valid until this returns.
  virtual void on_bytes(std::string_view bytes) = 0;
  // The peer will send no more; it may still read.
  virtual void on_end() = 0;
  // Reading or writing failed: the connection is gone.
  virtual void on_failure() = 0;
  // All that was given to write() is with the kernel. Not called for what write() got rid of at
  // once.
  virtual void on_written() = 0;
};

class TcpStream {
 public:
  // Takes one waiting connection of `server`; called by Listener.
  static std::unique_ptr<TcpStream> accept(uv_stream_t* server, ReadBuffer& buffer);
  ~TcpStream();
  TcpStream(const TcpStream&) = delete;
  TcpStream& operator=(const TcpStream&) = delete;

  // Borrowed; set before the first read.
  void set_events(StreamEvents& events) { events_ = &events; }
  // Both may be called again and again, also from within on_bytes.
  void start_reading();
  void stop_reading();

  // Tries to write at once and keeps the rest; never calls back from within. False when the
  // connection is gone: nothing more will be written.
  [[nodiscard]] bool write(std::string bytes);
  // Bytes that wait for the peer to read.
  [[nodiscard]] std::size_t buffered_bytes() const;
  // Sends the end of the stream behind what is buffered; nothing is written afterwards.
  void end_writing();

  // Address of the peer without port; "?" when the peer has gone already.
  [[nodiscard]] std::string peer_address() const;

 private:
  struct Write;
  explicit TcpStream(ReadBuffer& buffer);
  static void read_done(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer);
  static void write_done(uv_write_t* request, int status);

  uv_tcp_t* handle_;
  ReadBuffer& buffer_;
  StreamEvents* events_ = nullptr;
  bool reading_ = false;
};

struct ListenOptions {
  std::string address = "127.0.0.1";  // an IPv4 or IPv6 literal, without brackets
  std::uint16_t port = 0;             // 0 lets the system choose
  // Several listeners (one per loop) share the port; the kernel spreads connections over them.
  bool reuse_port = false;
  int backlog = 1024;
};

class Listener {
 public:
  using OnAccept = std::function<void(std::unique_ptr<TcpStream>)>;

  // kInvalid: the address is no literal. kConflict: address in use. kUnavailable: other refusals of
  // the system. SIGPIPE is ignored in the process from here on: a peer that leaves is an answer of
  // write(), not the end of the process.
  static base::Result<std::unique_ptr<Listener>> listen(EventLoop& loop,
                                                        const ListenOptions& options,
                                                        ReadBuffer& buffer, OnAccept on_accept);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  Listener(EventLoop& loop, ReadBuffer& buffer, OnAccept on_accept);

  uv_tcp_t* handle_;
  ReadBuffer& buffer_;
  OnAccept on_accept_;
  std::uint16_t port_ = 0;
};

}  // namespace triggerd::loop
