// Connection: the exchange whose body and answer flow.
#include <chrono>
#include <utility>

#include "api/connection.h"
#include "engine/base/assert.h"

namespace triggerd::api {

bool Connection::stream_may_take() const {
  return !streamed_ || (!streamed_->body_over && streamed_->sequence == first_slot_ &&
                        streamed_->rest.empty() && streamed_->reader->has_room());
}

void Connection::begin_stream(StreamBody stream) {
  parser_.stream_body();
  const std::uint64_t sequence = first_slot_ + slots_.size();
  Slot& slot = open_slot();
  slot.is_stream = true;
  streamed_ = StreamedExchange();
  streamed_->sequence = sequence;
  streamed_->answer = std::move(stream.answer);
  if (stream.ended_by == StreamBody::EndedBy::kClient) {
    streamed_->ends_with_client = open_ended_ = true;
    slot.close = true;
  }
  streamed_->part_since = active_since_;
  streamed_->reader = context_.handler.on_stream(parser_.head(), owner_.make_sender(id_, sequence));
  TRIGGERD_ASSERT(streamed_->reader != nullptr);
}

// Requires: the reader has had all that came before.
void Connection::give_body(std::string_view bytes) {
  const bool was_busy = std::exchange(busy_, true);
  streamed_->reader->on_body(bytes);
  busy_ = was_busy;
  streamed_->rest.assign(bytes);
}

void Connection::end_stream_body() {
  Slot& slot = slots_[static_cast<std::size_t>(streamed_->sequence - first_slot_)];
  if (slot.close) input_closed_ = true;
  streamed_->body_over = true;
  streamed_->reader->on_body_end();
}

// The rest of the body is not looked at: nothing behind it could be found.
void Connection::cut_stream(int status, std::string_view why) {
  if (streamed_->body_over) return;
  input_closed_ = true;
  request_open_ = false;
  stalled_ = false;
  pending_.clear();
  streamed_->rest.clear();
  streamed_->body_over = true;
  slots_[static_cast<std::size_t>(streamed_->sequence - first_slot_)].close = true;
  const bool was_busy = std::exchange(busy_, true);
  streamed_->reader->on_body_cut(status, why);
  busy_ = was_busy;
}

void Connection::send_piece(std::uint64_t sequence, std::string_view bytes, Flow flow) {
  if (!streamed_ || streamed_->sequence != sequence || streamed_->answer_over) return;
  streamed_->ready += bytes;
  streamed_->answer_over = flow == Flow::kLast;
  if (!busy_) settle();
}

// Lets the reader of an open-ended answer make the next piece. True when it did.
bool Connection::offer_room() {
  if (!serves_open_end() || streamed_->sequence != first_slot_ || streamed_->answer_over ||
      !streamed_->ready.empty() || !has_output_room()) {
    return false;
  }
  const bool was_busy = std::exchange(busy_, true);
  streamed_->reader->on_room();
  busy_ = was_busy;
  return has_answer();
}

// The server is about to stop. True when the connection is gone: its client does not take what was
// sent already, and is not waited for.
bool Connection::end_open_end() {
  if (!has_output_room()) {
    owner_.forget(id_);
    return true;
  }
  input_closed_ = true;
  request_open_ = false;
  const bool was_busy = std::exchange(busy_, true);
  streamed_->reader->on_body_cut(503, "the server is about to stop; connect again");
  busy_ = was_busy;
  return false;
}

// True when the answer is over. Requires: the answers in front of it are out.
bool Connection::format_stream(Slot& slot) {
  StreamedExchange& streamed = *streamed_;
  if (streamed.ready.empty() && !streamed.answer_over) return false;
  // To HTTP/1.0 the end of the answer is the end of the connection.
  slot.close = slot.close || slot.http_1_0 || context_.draining;
  if (!std::exchange(streamed.answer_begun, true)) {
    ResponseFrame frame;
    if (slot.close) frame.connection = ResponseFrame::Connection::kClose;
    frame.length =
        slot.http_1_0 ? ResponseFrame::Length::kUntilClose : ResponseFrame::Length::kChunked;
    context_.writer.append(output_, streamed.answer, frame, context_.clock().wall);
  }
  active_since_ = context_.clock().mono;
  if (slot.http_1_0) {
    output_ += streamed.ready;
  } else {
    append_chunk(output_, streamed.ready);
  }
  streamed.ready.clear();
  if (!streamed.answer_over) return false;
  if (!slot.http_1_0) output_ += kLastChunk;
  if (slot.close) {
    input_closed_ = true;
    lingering_ = true;
    linger_since_ = active_since_;
  }
  streamed_.reset();
  return true;
}

// A part that has begun comes at the least rate of a body; between parts the connection may be
// idle for as long as between requests.
bool Connection::stream_is_late(base::MonoTime now) {
  StreamedExchange& streamed = *streamed_;
  const ServerLimits& limits = context_.limits;
  const std::size_t unfinished = streamed.reader->unfinished_bytes();
  if (unfinished == 0 || streamed.reader->parts() != streamed.parts_seen) {
    streamed.parts_seen = streamed.reader->parts();
    streamed.part_since = now;
  }
  const auto earned = std::chrono::seconds(unfinished / limits.body_bytes_per_second_min);
  return now - streamed.part_since > limits.body_time + earned ||
         now - active_since_ > limits.idle_time;
}

}  // namespace triggerd::api
