// The live streams of one I/O loop (GET /organizations/stream): which are open, and a ring for each
// organization that has some.
//
// Thread: that of its loop. The backend outlives it; the streams, which connections own, do not.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "api/auth.h"
#include "api/backend.h"
#include "api/feed_ring.h"
#include "api/live_query.h"
#include "api/live_stream.h"
#include "engine/base/time.h"
#include "engine/loop/event_loop.h"

namespace triggerd::api {

struct LiveCounts {
  std::uint64_t clients = 0;  // open now
  std::uint64_t dropped = 0;  // messages that slow clients were not told
};

class LiveStreams {
 public:
  LiveStreams(loop::EventLoop& loop, Backend& backend, base::Duration comment_interval);
  ~LiveStreams();
  LiveStreams(const LiveStreams&) = delete;
  LiveStreams& operator=(const LiveStreams&) = delete;

  // Takes a place for a stream, which open() uses up; or gives the answer that refuses it.
  [[nodiscard]] std::optional<HttpResponse> refuse_or_take_seat(model::OrgId org);
  // Requires: its seat was taken.
  [[nodiscard]] std::unique_ptr<BodyReader> open(const Caller& caller, LiveQuery query,
                                                 SendPiece send);

  // --- From the engine thread ---
  void begun(const model::FeedBegun& begun);
  void fed(const model::FeedPart& part);
  // Streams that this key opened end.
  void key_removed(model::ApiKeyId key);

  [[nodiscard]] LiveCounts counts() const { return {open_.size(), dropped_}; }

 private:
  struct Open {
    LiveStream* stream = nullptr;
    model::OrgId org;
    model::ApiKeyId key;
    std::optional<base::RequestId> read;  // under way
  };
  struct Watched {
    std::uint64_t number = 0;
    std::unique_ptr<FeedRing> ring;  // null until the feed has begun
    std::vector<std::uint64_t> streams;
  };

  void read(std::uint64_t id, model::EventSeq after);
  void gone(std::uint64_t id);
  void comment();
  // Each stream of these that is still there; the step may destroy any.
  template <class Step>
  void for_each(const std::vector<std::uint64_t>& ids, Step step);

  Backend& backend_;
  base::Duration comment_interval_;
  std::unordered_map<std::uint64_t, Open> open_;
  std::unordered_map<model::OrgId, Watched> watched_;
  std::uint64_t last_stream_ = 0;
  std::uint64_t last_watch_ = 0;
  std::uint64_t dropped_ = 0;
  loop::Timer timer_;
};

}  // namespace triggerd::api
