// One client of the live stream: tells it the feed of its organization (model/feed.h) as
// Server-Sent Events, from where it left off.
//
// Where it is, it knows as a position (the sequence of an event) and as a number in the ring of its
// loop. While events behind its position are not in the ring any more, or were never there, it
// reads them from the store, page by page; then it goes on with the ring. So a client that is slow
// costs no queue: one page of events, and one piece on its way. Of outcomes, which the store does
// not keep in this order, it is told how many it has missed.
//
// Thread: that of its loop. Owned by its connection; LiveStreams finds it by an id.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/feed_ring.h"
#include "api/http.h"
#include "api/live_query.h"
#include "engine/model/request.h"

namespace triggerd::api {

class LiveStream final : public BodyReader {
 public:
  struct Outside {
    SendPiece send;
    // Asks for a page of events; the reply comes to page(), never from within.
    std::function<void(model::EventSeq after)> read;
    std::function<void(std::uint64_t messages)> on_dropped;
    std::function<void()> on_gone;  // from the destructor
  };

  LiveStream(LiveQuery query, Outside outside);
  ~LiveStream() override;
  LiveStream(const LiveStream&) = delete;
  LiveStream& operator=(const LiveStream&) = delete;

  // Each of these may destroy this.
  // The feed has begun; `ring` outlives this. Once.
  void begin(const FeedRing& ring);
  // There may be more in the ring.
  void go_on();
  void page(const model::Reply& reply);
  // Shows whoever is between that the stream is alive, and the client where it is.
  void comment();
  // Says why, and ends.
  void end(std::string_view why);

  void on_body(std::string_view& bytes) override { bytes = {}; }
  void on_body_end() override {}
  void on_body_cut(int /*status*/, std::string_view why) override { end(why); }
  void on_room() override;
  [[nodiscard]] bool has_room() const override { return true; }
  [[nodiscard]] std::size_t unfinished_bytes() const override { return 0; }
  [[nodiscard]] std::uint64_t parts() const override { return 0; }

 private:
  [[nodiscard]] std::string make_piece();
  void tell_event(const FedMessage& message, std::string& piece);
  bool take_page(std::string& piece);
  bool take_ring(std::string& piece);
  void skip_forgotten(std::string& piece);
  void notice_reset(std::string_view why);
  void append_id(std::string& out) const;

  LiveQuery query_;
  Outside outside_;
  const FeedRing* ring_ = nullptr;  // null until the feed has begun

  model::EventSeq position_;        // every event up to it has been told, or was not asked for
  std::uint64_t next_ = 0;          // in the ring
  std::uint64_t deliveries_ = 0;    // of the ring's, those before next_
  std::string notice_;              // to be told before anything else
  bool reading_ = false;            // a page was asked for
  bool position_is_given_ = false;  // by the client, and not compared with the store yet
  model::EventSeq erased_before_;   // as the client was told
  std::vector<model::EventPtr> page_;
  std::size_t page_at_ = 0;
  std::optional<model::EventSeq> page_through_;

  bool may_send_ = true;  // the client has taken the last piece
  bool ended_ = false;
};

}  // namespace triggerd::api
