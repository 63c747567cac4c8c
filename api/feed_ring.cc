#include "api/feed_ring.h"

#include <utility>
#include <variant>

#include "api/delivery_log_writer.h"
#include "api/json_writer.h"
#include "api/sse.h"

namespace triggerd::api {
namespace {

std::size_t bytes_of(const FedMessage& message) {
  return sizeof(FedMessage) + message.name.size() + message.text.size();
}

}  // namespace

FedMessage message_of(const model::Event& event) {
  FedMessage message{true, event.seq, event.name, {}};
  append_sse(message.text, "event", write_live_event(event));
  return message;
}

void FeedRing::add(const model::FedItem& item) {
  if (const auto* event = std::get_if<model::EventPtr>(&item)) {
    if ((*event)->seq <= newest_) return;
    newest_ = (*event)->seq;
    push(message_of(**event));
  } else {
    const auto& delivery = std::get<model::FedDelivery>(item);
    FedMessage message{false, {}, delivery.attempt.event_name, {}};
    append_sse(message.text, "delivery", write_live_delivery(delivery));
    ++deliveries_;
    push(std::move(message));
  }
}

void FeedRing::push(FedMessage message) {
  bytes_ += bytes_of(message);
  messages_.push_back(std::move(message));
  while (!messages_.empty() && (messages_.size() > limits_.messages || bytes_ > limits_.bytes)) {
    forget_oldest();
  }
}

void FeedRing::forget_oldest() {
  const FedMessage& gone = messages_.front();
  bytes_ -= bytes_of(gone);
  if (gone.is_event) {
    oldest_ = gone.seq;
  } else {
    ++deliveries_forgotten_;
  }
  messages_.pop_front();
  ++first_;
}

}  // namespace triggerd::api
