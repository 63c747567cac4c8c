#include "api/connection.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

#include "engine/base/assert.h"

namespace triggerd::api {

Connection::Connection(ConnectionId id, std::unique_ptr<loop::TcpStream> stream, std::string peer,
                       ServerContext& context, ConnectionOwner& owner)
    : id_(id),
      context_(context),
      owner_(owner),
      stream_(std::move(stream)),
      peer_(std::move(peer)),
      parser_(context.limits.parser),
      active_since_(context.clock().mono) {
  stream_->set_events(*this);
  stream_->start_reading();
}

// Counts what is formatted; what waits in the slots for an earlier answer is held_bytes_.
bool Connection::has_output_room() const {
  return stream_->buffered_bytes() + output_.size() <= context_.limits.buffered_bytes;
}

bool Connection::may_take() const {
  return !input_closed_ && slots_.size() < context_.limits.unanswered && has_output_room() &&
         held_bytes_ <= context_.limits.buffered_bytes && stream_may_take();
}

bool Connection::has_answer() const {
  if (slots_.empty()) return false;
  if (!slots_.front().is_stream) return slots_.front().response.has_value();
  return !streamed_->ready.empty() || streamed_->answer_over;
}

void Connection::hold(Slot& slot, HttpResponse response) {
  held_bytes_ += response.body.size();
  slot.response = std::move(response);
}

void Connection::on_bytes(std::string_view bytes) {
  active_since_ = context_.clock().mono;
  if (input_closed_) {
    discarded_bytes_ += bytes.size();
  } else if (stalled_) {
    pending_.append(bytes);
  } else {
    take_events(bytes);
    if (input_closed_) {
      discarded_bytes_ += bytes.size();
    } else {
      pending_.assign(bytes);
    }
  }
  settle();
}

void Connection::on_end() {
  peer_ended_ = true;
  settle();
}

void Connection::on_failure() {
  owner_.forget(id_);
}

void Connection::on_written() {
  linger_since_ = context_.clock().mono;
  settle();
}

void Connection::drain() {
  if (busy_) return;  // take_events sees to it
  if (serves_open_end() && end_open_end()) return;
  stop_taking_when_draining();
  settle();
}

// A request that has begun may end, another does not begin.
void Connection::stop_taking_when_draining() {
  if (!context_.draining) return;
  if (streamed_ && !streamed_->body_over) {
    cut_stream(503, "the server is about to stop; send again what has no answer");
    return;
  }
  if (parser_.begun()) return;
  input_closed_ = true;
  stalled_ = false;
}

// Takes from the front of `input` until it ends or the connection may take no more.
void Connection::take_events(std::string_view& input) {
  busy_ = true;
  stalled_ = false;
  for (;;) {
    stop_taking_when_draining();
    if (!may_take()) {
      stalled_ = !input_closed_;
      break;
    }
    const RequestParser::Event event = parser_.feed(input);
    if (event == RequestParser::Event::kMore) break;
    if (event == RequestParser::Event::kHead) take_head(input);
    if (event == RequestParser::Event::kBody) give_body(parser_.body_piece());
    if (event == RequestParser::Event::kRequest) take_request();
    if (event == RequestParser::Event::kRefused) {
      refuse(parser_.refusal().status, parser_.refusal().message);
    }
  }
  if (!request_open_ && parser_.begun()) {
    request_open_ = true;
    request_since_ = active_since_;
  }
  busy_ = false;
}

Connection::Slot& Connection::open_slot() {
  Slot& slot = slots_.emplace_back();
  const HeadFacts& facts = parser_.facts();
  if (facts.method == Method::kHead) slot.body = ResponseFrame::Body::kOmit;
  slot.http_1_0 = facts.minor_version == 0;
  ++context_.counts.requests;
  // The answer to the last request that is taken closes the connection.
  const std::uint64_t number = first_slot_ + slots_.size();
  slot.close = !facts.keep_alive || number >= context_.limits.requests_per_connection;
  return slot;
}

void Connection::take_head(std::string_view input) {
  request_open_ = true;
  body_since_ = active_since_;
  head_answered_ = continue_owed_ = false;
  parser_.mutable_head().peer = peer_;
  HeadDecision decision = context_.handler.on_head(parser_.head());
  if (AnswerNow* now = std::get_if<AnswerNow>(&decision)) {
    answer_head(std::move(now->response));
    return;
  }
  const HeadFacts& facts = parser_.facts();
  if (StreamBody* stream = std::get_if<StreamBody>(&decision)) {
    begin_stream(std::move(*stream));
    continue_owed_ = facts.expects_continue && parser_.has_body() && input.empty();
    return;
  }
  auto& read = std::get<ReadBody>(decision);
  std::size_t bytes_max = read.bytes_max;
  refusal_fields_ = std::move(read.refusal_fields);
  if (bytes_max == 0) {
    bytes_max = context_.limits.parser.dropped_body_bytes;
    parser_.drop_body();
  } else {
    parser_.want_body(bytes_max);
  }
  continue_owed_ =
      facts.expects_continue && parser_.has_body() && facts.length <= bytes_max && input.empty();
}

// The head has its answer; a body of a size that is worth it is dropped, so that the next request
// can follow.
void Connection::answer_head(HttpResponse response) {
  const HeadFacts& facts = parser_.facts();
  Slot& slot = open_slot();
  hold(slot, std::move(response));
  head_answered_ = true;
  // Whether a client that was told the final status sends the body that it asked about is its
  // choice: the next byte could be either.
  const bool unsure = facts.expects_continue && parser_.has_body();
  if (unsure || facts.length > context_.limits.parser.dropped_body_bytes) slot.close = true;
  if (slot.close) {
    input_closed_ = true;
    request_open_ = false;
  } else {
    parser_.drop_body();
  }
}

void Connection::take_request() {
  request_open_ = false;
  refusal_fields_.clear();
  if (std::exchange(head_answered_, false)) {
    static_cast<void>(parser_.take_request());
    return;
  }
  if (streamed_) {
    static_cast<void>(parser_.take_request());
    return end_stream_body();
  }
  const std::uint64_t sequence = first_slot_ + slots_.size();
  if (open_slot().close) input_closed_ = true;
  const Ticket request =
      context_.handler.on_request(parser_.take_request(), owner_.make_respond(id_, sequence));
  // Answers are formatted later: the slot is where it was.
  slots_[static_cast<std::size_t>(sequence - first_slot_)].request = request;
}

void Connection::abandon() {
  for (const Slot& slot : slots_) {
    if (!slot.response && slot.request.serial != 0) context_.handler.on_gone(slot.request);
  }
  slots_.clear();
}

// What cannot be taken is answered in its turn, and nothing behind it is looked at.
void Connection::refuse(int status, std::string_view message) {
  input_closed_ = true;
  request_open_ = false;
  if (head_answered_) return;
  if (streamed_) return cut_stream(status, message);
  ++context_.counts.requests_refused;
  Slot& slot = slots_.emplace_back();
  HttpResponse response = error_response(status, message);
  response.fields = std::exchange(refusal_fields_, {});
  hold(slot, std::move(response));
  slot.close = true;
}

void Connection::answer(std::uint64_t sequence, HttpResponse response) {
  if (sequence < first_slot_ || sequence - first_slot_ >= slots_.size()) return;
  Slot& slot = slots_[static_cast<std::size_t>(sequence - first_slot_)];
  TRIGGERD_ASSERT(!slot.response && !slot.is_stream);
  hold(slot, std::move(response));
  if (!busy_) settle();
}

// Brings everything up to date after something has happened: answers, input that waited, reading,
// the end.
void Connection::settle() {
  if (peer_ended_ && serves_open_end()) {
    owner_.forget(id_);
    return;
  }
  do {
    if (peer_ended_ && streamed_ && !streamed_->body_over && !stalled_) {
      cut_stream(400, "the body ended before it was complete");
    }
    format_answers();
    written_bytes_ += output_.size();
    if (!output_.empty() && !stream_->write(std::exchange(output_, {}))) {
      owner_.forget(id_);
      return;
    }
  } while (resume() || (has_answer() && has_output_room()) || offer_room());
  finish_if_done();
}

void Connection::format_answers() {
  std::size_t done = 0;
  while (done < slots_.size() && has_output_room()) {
    Slot& slot = slots_[done];
    if (slot.is_stream ? !format_stream(slot) : !slot.response) break;
    if (!slot.is_stream) format(slot, done + 1 == slots_.size());
    ++done;
    if (lingering_) break;
  }
  if (done > 0) {
    active_since_ = context_.clock().mono;
    first_slot_ += done;
    slots_.erase(slots_.begin(), slots_.begin() + static_cast<std::ptrdiff_t>(done));
    // Behind an answer that closes nothing is answered any more.
    if (lingering_) abandon();
  }
  const bool is_next = slots_.empty() || (slots_.size() == 1 && slots_.front().is_stream);
  if (continue_owed_ && is_next && !input_closed_) {
    continue_owed_ = false;
    if (parser_.in_body() && parser_.body_bytes() == 0) output_ += "HTTP/1.1 100 Continue\r\n\r\n";
  }
}

void Connection::format(Slot& slot, bool is_last) {
  const bool draining = context_.draining && is_last && !parser_.begun();
  ResponseFrame frame;
  frame.body = slot.body;
  if (slot.close || slot.response->close || draining) {
    frame.connection = ResponseFrame::Connection::kClose;
    input_closed_ = true;
    lingering_ = true;
    linger_since_ = context_.clock().mono;
  } else if (slot.http_1_0) {
    frame.connection = ResponseFrame::Connection::kKeepSaid;
  }
  held_bytes_ -= slot.response->body.size();
  context_.writer.append(output_, *slot.response, frame, context_.clock().wall);
}

// Takes input that waited. True when there may be answers now.
bool Connection::resume() {
  if (streamed_ && !streamed_->rest.empty() && !input_closed_ && has_output_room() &&
      streamed_->reader->has_room()) {
    const std::string rest = std::exchange(streamed_->rest, {});
    give_body(rest);
    return true;
  }
  if (!stalled_ || !may_take()) return false;
  const std::string waited = std::exchange(pending_, {});
  std::string_view input = waited;
  take_events(input);
  if (input_closed_) {
    discarded_bytes_ += input.size();
  } else {
    pending_.assign(input);
  }
  return true;
}

void Connection::finish_if_done() {
  const bool nothing_owed = slots_.empty() && !stalled_;
  const bool quiet = nothing_owed && !parser_.begun() && !lingering_;
  const bool all_written = stream_->buffered_bytes() == 0;
  if (all_written && nothing_owed && (peer_ended_ || (quiet && context_.draining))) {
    owner_.forget(id_);
    return;
  }
  if (input_closed_ && slots_.empty() && !lingering_) {
    lingering_ = true;
    linger_since_ = context_.clock().mono;
  }
  if (lingering_ && !write_ended_) {
    write_ended_ = true;
    stream_->end_writing();
  }
  if (peer_ended_) return;
  // Of a client that only listens the end is read, and what it should not send.
  const bool discarding =
      (lingering_ || serves_open_end()) && discarded_bytes_ <= context_.limits.discarded_bytes;
  if (discarding || may_take()) {
    stream_->start_reading();
  } else {
    stream_->stop_reading();
  }
}

void Connection::sweep(base::MonoTime now) {
  // Answers that are formatted but not yet taken by the client. What is made for it meanwhile is no
  // sign of life.
  const std::size_t buffered = stream_->buffered_bytes();
  const std::optional<std::uint64_t> taken =
      buffered > 0 ? std::optional(written_bytes_ - buffered) : std::nullopt;
  if (taken != taken_seen_) {
    taken_seen_ = taken;
    stalled_since_ = now;
  }
  const ServerLimits& limits = context_.limits;
  const base::Duration stall_time =
      open_ended_ && context_.draining ? limits.linger_time : limits.write_stall_time;
  const bool gone = buffered > 0 ? now - stalled_since_ > stall_time
                                 : lingering_ && now - linger_since_ > limits.linger_time;
  if (gone) {
    if (!lingering_) ++context_.counts.timeouts;
    owner_.forget(id_);
    return;
  }
  if (!may_take()) {
    // Time in which nothing is read is not the client's.
    request_since_ = body_since_ = active_since_ = now;
    if (streamed_) streamed_->part_since = now;
    return;
  }
  enforce_time(now);
}

void Connection::enforce_time(base::MonoTime now) {
  const ServerLimits& limits = context_.limits;
  if (request_open_) {
    const bool in_body = parser_.in_body();
    const bool late = streamed_ ? stream_is_late(now)
                      : in_body ? body_is_late(now)
                                : now - request_since_ > limits.header_time;
    if (!late) return;
    ++context_.counts.timeouts;
    refuse(408, in_body ? "the body did not come in time" : "the head did not come in time");
    settle();
    return;
  }
  if (!slots_.empty()) return;
  if (now - active_since_ > limits.idle_time) {
    ++context_.counts.timeouts;
    owner_.forget(id_);
    return;
  }
  release_memory();
}

bool Connection::body_is_late(base::MonoTime now) const {
  const ServerLimits& limits = context_.limits;
  const auto earned = std::chrono::seconds(parser_.body_bytes() / limits.body_bytes_per_second_min);
  return now - body_since_ > limits.body_time + earned;
}

// An idle connection keeps no buffer.
void Connection::release_memory() {
  if (parser_.begun()) return;
  parser_.release_memory();
  slots_.shrink_to_fit();
  pending_.shrink_to_fit();
  output_.shrink_to_fit();
}

}  // namespace triggerd::api
