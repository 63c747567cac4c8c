// One client's connection: requests out of its bytes, answers in their order, its limits.
// RFC 9112 section 9.
//
// Thread: the loop's. Owned by the server, found by its id; it asks to be forgotten (destroyed) as
// the last thing it does in a callback.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/connection_limits.h"
#include "api/http.h"
#include "api/request_parser.h"
#include "api/response_writer.h"
#include "engine/base/ids.h"
#include "engine/base/time.h"
#include "engine/loop/tcp.h"

namespace triggerd::api {

using ConnectionId = base::IntegerId<struct ConnectionTag, std::uint64_t>;

// What all connections of a server share.
struct ServerContext {
  HttpHandler& handler;
  ServerLimits limits;
  std::function<base::Now()> clock;
  ResponseWriter writer;
  ServerCounts counts;
  bool draining = false;
};

class ConnectionOwner {
 public:
  virtual ~ConnectionOwner() = default;
  // A Respond that finds the connection by its id and calls answer(sequence, …).
  virtual Respond make_respond(ConnectionId id, std::uint64_t sequence) = 0;
  // Likewise, for send_piece(sequence, …).
  virtual SendPiece make_sender(ConnectionId id, std::uint64_t sequence) = 0;
  // Destroys the connection.
  virtual void forget(ConnectionId id) = 0;
};

class Connection final : public loop::StreamEvents {
 public:
  Connection(ConnectionId id, std::unique_ptr<loop::TcpStream> stream, std::string peer,
             ServerContext& context, ConnectionOwner& owner);

  // Each of these may end in ConnectionOwner::forget.
  void answer(std::uint64_t sequence, HttpResponse response);
  void send_piece(std::uint64_t sequence, std::string_view bytes, Flow flow);
  // Ends what is over its time.
  void sweep(base::MonoTime now);
  // Called when ServerContext::draining was set.
  void drain();
  // Tells the handler that nobody waits for the answers that are still to come. Before the end.
  void abandon();

  [[nodiscard]] const std::string& peer() const { return peer_; }

  void on_bytes(std::string_view bytes) override;
  void on_end() override;
  void on_failure() override;
  void on_written() override;

 private:
  // A request whose answer has not been formatted yet.
  struct Slot {
    Ticket request;  // as the handler named it
    std::optional<HttpResponse> response;
    ResponseFrame::Body body = ResponseFrame::Body::kSend;
    bool close = false;
    bool http_1_0 = false;
    bool is_stream = false;  // its answer comes through streamed_
  };
  // The exchange whose body and answer flow, from its head to the end of its answer: one at a time.
  // Its body is not looked at before the answers in front of it are out, and what follows its body
  // not before its own is.
  struct StreamedExchange {
    std::uint64_t sequence = 0;
    HttpResponse answer;
    std::unique_ptr<BodyReader> reader;
    std::string rest;   // of the body: the reader had no room
    std::string ready;  // of the answer: not formatted yet
    bool body_over = false;
    bool ends_with_client = false;  // StreamBody::EndedBy::kClient
    bool answer_begun = false;
    bool answer_over = false;
    std::uint64_t parts_seen = 0;
    base::MonoTime part_since;
  };

  [[nodiscard]] bool may_take() const;
  [[nodiscard]] bool has_output_room() const;
  [[nodiscard]] bool has_answer() const;
  void hold(Slot& slot, HttpResponse response);
  void take_events(std::string_view& input);
  void stop_taking_when_draining();
  void take_head(std::string_view input);
  void take_request();
  void answer_head(HttpResponse response);
  // connection_stream.cc
  [[nodiscard]] bool stream_may_take() const;
  void begin_stream(StreamBody stream);
  void give_body(std::string_view bytes);
  void end_stream_body();
  void cut_stream(int status, std::string_view why);
  [[nodiscard]] bool format_stream(Slot& slot);
  [[nodiscard]] bool stream_is_late(base::MonoTime now);
  [[nodiscard]] bool serves_open_end() const { return streamed_ && streamed_->ends_with_client; }
  bool offer_room();
  [[nodiscard]] bool end_open_end();
  void refuse(int status, std::string_view message);
  Slot& open_slot();
  void settle();
  void format_answers();
  void format(Slot& slot, bool is_last);
  bool resume();
  void finish_if_done();
  void enforce_time(base::MonoTime now);
  [[nodiscard]] bool body_is_late(base::MonoTime now) const;
  void release_memory();

  const ConnectionId id_;
  ServerContext& context_;
  ConnectionOwner& owner_;
  std::unique_ptr<loop::TcpStream> stream_;
  const std::string peer_;
  RequestParser parser_;

  std::optional<StreamedExchange> streamed_;

  std::vector<Slot> slots_;       // in the order of the requests
  std::uint64_t first_slot_ = 0;  // sequence of slots_.front()
  std::string pending_;           // input that waits until may_take()
  std::string output_;            // formatted, not yet given to the stream
  std::size_t held_bytes_ = 0;    // bodies of the answers in slots_
  std::size_t discarded_bytes_ = 0;
  std::uint64_t written_bytes_ = 0;  // given to the stream, in all
  // Of those, what the client had taken by the last sweep; nothing when it had taken all.
  std::optional<std::uint64_t> taken_seen_;

  base::MonoTime active_since_;   // last byte or answer
  base::MonoTime request_since_;  // first byte of the request under way
  base::MonoTime body_since_;
  base::MonoTime stalled_since_;  // nothing more is taken
  base::MonoTime linger_since_;

  // ReadBody::refusal_fields of the request whose body is being read.
  std::vector<HttpField> refusal_fields_;

  bool busy_ = false;  // inside take_events: settle() comes afterwards
  bool request_open_ = false;
  bool head_answered_ = false;  // the current request's answer stands already
  bool continue_owed_ = false;  // 100 behind the answers that come first
  bool stalled_ = false;        // take_events stopped before its input ended
  bool input_closed_ = false;   // no further request is taken
  bool peer_ended_ = false;
  bool open_ended_ = false;  // it serves a stream that its client ends, or did
  bool lingering_ = false;   // the last answer is on its way; input is dropped
  bool write_ended_ = false;
};

}  // namespace triggerd::api
