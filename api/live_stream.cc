#include "api/live_stream.h"

#include <algorithm>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "api/json_writer.h"
#include "api/sse.h"
#include "engine/base/assert.h"

namespace triggerd::api {

using model::EventSeq;

LiveStream::LiveStream(LiveQuery query, Outside outside)
    : query_(std::move(query)), outside_(std::move(outside)) {}

LiveStream::~LiveStream() {
  outside_.on_gone();
}

void LiveStream::begin(const FeedRing& ring) {
  TRIGGERD_ASSERT(ring_ == nullptr);
  ring_ = &ring;
  next_ = ring.end();
  deliveries_ = ring.deliveries();
  position_ = ring.newest();
  if (query_.events && query_.after) {
    // Another loop may have told it more than this one knows yet: the store says.
    position_ = *query_.after;
    position_is_given_ = reading_ = true;
    outside_.read(position_);
  }
  const auto wait =
      std::chrono::duration_cast<std::chrono::milliseconds>(model::kLiveReconnectAfter);
  notice_ = fmt::format("retry: {}\n", wait.count());
  append_id(notice_);
  notice_ += '\n';
  go_on();
}

void LiveStream::on_room() {
  may_send_ = true;
  go_on();
}

void LiveStream::go_on() {
  if (ring_ == nullptr || ended_ || !may_send_) return;
  std::string piece = make_piece();
  if (piece.empty()) return;
  may_send_ = false;
  outside_.send(std::move(piece), Flow::kMore);
}

std::string LiveStream::make_piece() {
  std::string piece = std::exchange(notice_, {});
  while (piece.size() < model::kLivePieceBytes) {
    if (take_page(piece)) continue;
    if (reading_) break;
    if (query_.events && position_ < ring_->oldest()) {
      reading_ = true;
      outside_.read(position_);
      break;
    }
    if (!take_ring(piece)) break;
  }
  return piece;
}

// False: there is no page.
bool LiveStream::take_page(std::string& piece) {
  if (!page_through_) return false;
  if (page_at_ < page_.size()) {
    tell_event(message_of(*page_[page_at_]), piece);
    page_[page_at_++].reset();
    return true;
  }
  position_ = std::max(position_, *page_through_);
  page_through_.reset();
  page_ = {};
  page_at_ = 0;
  return true;
}

// False: there is nothing more for now.
bool LiveStream::take_ring(std::string& piece) {
  if (next_ < ring_->first()) {
    skip_forgotten(piece);
    return true;
  }
  if (next_ == ring_->end()) return false;
  const FedMessage& message = ring_->at(next_++);
  if (message.is_event) {
    tell_event(message, piece);
    return true;
  }
  ++deliveries_;
  if (query_.deliveries && query_.names.matches(message.name)) {
    append_id(piece);
    piece += message.text;
  }
  return true;
}

void LiveStream::tell_event(const FedMessage& message, std::string& piece) {
  if (message.seq <= position_) return;
  position_ = message.seq;
  if (!query_.events || !query_.names.matches(message.name)) return;
  append_id(piece);
  piece += message.text;
}

// The ring has run over it. Events have been read from the store by now.
void LiveStream::skip_forgotten(std::string& piece) {
  const std::uint64_t lost = ring_->deliveries_forgotten() - deliveries_;
  next_ = ring_->first();
  deliveries_ = ring_->deliveries_forgotten();
  position_ = std::max(position_, ring_->oldest());
  if (!query_.deliveries || lost == 0) return;
  outside_.on_dropped(lost);
  append_id(piece);
  append_sse(piece, "dropped", write_live_dropped(lost));
}

void LiveStream::page(const model::Reply& reply) {
  reading_ = false;
  if (ended_) return;
  if (const auto* refusal = std::get_if<model::Refusal>(&reply)) {
    end(refusal->faults.front().message);
    return;
  }
  const auto& page = std::get<model::EventsAfterReply>(reply);
  if (std::exchange(position_is_given_, false) && position_ > page.newest) {
    position_ = page.newest;
    notice_reset("the position is not one of this store; the stream goes on from now");
    return go_on();
  }
  if (position_.value() + 1 < page.erased_before.value() && erased_before_ < page.erased_before) {
    erased_before_ = page.erased_before;
    notice_reset("events behind the position may have been erased by retention");
  }
  page_ = page.events;
  page_at_ = 0;
  page_through_ = page.through;
  go_on();
}

void LiveStream::notice_reset(std::string_view why) {
  append_id(notice_);
  append_sse(notice_, "reset", write_live_message(why));
}

void LiveStream::comment() {
  if (ring_ == nullptr || ended_ || !may_send_) return;
  std::string piece = ":\n";
  append_id(piece);
  piece += '\n';
  may_send_ = false;
  outside_.send(std::move(piece), Flow::kMore);
}

void LiveStream::end(std::string_view why) {
  if (std::exchange(ended_, true)) return;
  std::string piece = std::exchange(notice_, {});
  append_sse(piece, "end", write_live_message(why));
  outside_.send(std::move(piece), Flow::kLast);
}

void LiveStream::append_id(std::string& out) const {
  append_sse_id(out, position_.value());
}

}  // namespace triggerd::api
