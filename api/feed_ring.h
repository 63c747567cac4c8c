// The last of an organization's feed (model/feed.h), as messages, for the live streams of one I/O
// loop: written once, read by all of them. It forgets its oldest messages when it is full; whoever
// is further behind reads events from the store.
//
// Thread: that of its loop. Owned by LiveStreams.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "engine/model/feed.h"
#include "engine/model/limits.h"

namespace triggerd::api {

struct FedMessage {
  bool is_event = true;  // else an outcome of a delivery
  model::EventSeq seq;   // of an event
  std::string name;      // of its event, or hook
  std::string text;      // the message without its id
};

// The message of an event: also of one that was read from the store.
[[nodiscard]] FedMessage message_of(const model::Event& event);

class FeedRing {
 public:
  struct Limits {
    std::size_t messages = model::kFeedMessagesMax;
    std::size_t bytes = model::kFeedBytesMax;
  };

  // What is told from here on is everything behind `from`.
  explicit FeedRing(model::EventSeq from) : FeedRing(from, Limits()) {}
  FeedRing(model::EventSeq from, Limits limits) : limits_(limits), oldest_(from), newest_(from) {}

  // Events up to newest() are here already, and are left out.
  void add(const model::FedItem& item);

  // Every event behind it is here, up to newest().
  [[nodiscard]] model::EventSeq oldest() const { return oldest_; }
  [[nodiscard]] model::EventSeq newest() const { return newest_; }

  // Messages have numbers: [first(), end()) are here.
  [[nodiscard]] std::uint64_t first() const { return first_; }
  [[nodiscard]] std::uint64_t end() const { return first_ + messages_.size(); }
  [[nodiscard]] const FedMessage& at(std::uint64_t number) const {
    return messages_[static_cast<std::size_t>(number - first_)];
  }
  // Outcomes among the messages before first(), and before end().
  [[nodiscard]] std::uint64_t deliveries_forgotten() const { return deliveries_forgotten_; }
  [[nodiscard]] std::uint64_t deliveries() const { return deliveries_; }

  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  void push(FedMessage message);
  void forget_oldest();

  Limits limits_;
  model::EventSeq oldest_;
  model::EventSeq newest_;
  std::deque<FedMessage> messages_;
  std::uint64_t first_ = 0;
  std::uint64_t deliveries_ = 0;
  std::uint64_t deliveries_forgotten_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace triggerd::api
