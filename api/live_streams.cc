#include "api/live_streams.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "api/problem.h"
#include "engine/base/assert.h"

namespace triggerd::api {

LiveStreams::LiveStreams(loop::EventLoop& loop, Backend& backend, base::Duration comment_interval)
    : backend_(backend), comment_interval_(comment_interval), timer_(loop, [this] { comment(); }) {}

LiveStreams::~LiveStreams() {
  TRIGGERD_ASSERT(open_.empty());
}

std::optional<HttpResponse> LiveStreams::refuse_or_take_seat(model::OrgId org) {
  switch (backend_.take_seat(org)) {
    case Backend::Seat::kTaken:
      return std::nullopt;
    case Backend::Seat::kNoneOfOrganization:
      return problem(429, fmt::format("the organization has {} live streams open already; close "
                                      "one, or let them share one",
                                      model::kLiveStreamsPerOrgMax));
    case Backend::Seat::kNone:
      break;
  }
  return problem(503, "too many live streams are open; try again later");
}

std::unique_ptr<BodyReader> LiveStreams::open(const Caller& caller, LiveQuery query,
                                              SendPiece send) {
  const std::uint64_t id = ++last_stream_;
  LiveStream::Outside outside;
  outside.send = std::move(send);
  outside.read = [this, id](model::EventSeq after) { read(id, after); };
  outside.on_dropped = [this](std::uint64_t messages) { dropped_ += messages; };
  outside.on_gone = [this, id] { gone(id); };
  auto stream = std::make_unique<LiveStream>(std::move(query), std::move(outside));
  if (open_.empty()) timer_.start_after(comment_interval_);
  open_.emplace(id, Open{stream.get(), caller.org, caller.key, std::nullopt});
  Watched& watched = watched_[caller.org];
  watched.streams.push_back(id);
  if (watched.streams.size() == 1) {
    watched.number = ++last_watch_;
    backend_.watch(caller.org, watched.number);
  } else if (watched.ring != nullptr) {
    stream->begin(*watched.ring);
  }
  return stream;
}

void LiveStreams::read(std::uint64_t id, model::EventSeq after) {
  Open& open = open_.at(id);
  TRIGGERD_ASSERT(!open.read);
  open.read = backend_.submit(model::ReadEventsAfter{open.org, after},
                              [this, id](const model::Reply& reply) {
                                const auto found = open_.find(id);
                                if (found == open_.end()) return;
                                found->second.read.reset();
                                found->second.stream->page(reply);
                              });
}

// The last stream of an organization on this loop takes the ring with it.
void LiveStreams::gone(std::uint64_t id) {
  const auto found = open_.find(id);
  TRIGGERD_ASSERT(found != open_.end());
  const Open open = found->second;
  open_.erase(found);
  if (open.read) backend_.cancel(*open.read);
  backend_.leave_seat(open.org);
  const auto watched = watched_.find(open.org);
  std::erase(watched->second.streams, id);
  if (!watched->second.streams.empty()) return;
  watched_.erase(watched);
  backend_.unwatch(open.org);
}

template <class Step>
void LiveStreams::for_each(const std::vector<std::uint64_t>& ids, Step step) {
  for (const std::uint64_t id : ids) {
    const auto found = open_.find(id);
    if (found != open_.end()) step(*found->second.stream);
  }
}

void LiveStreams::begun(const model::FeedBegun& begun) {
  const auto found = watched_.find(begun.org);
  if (found == watched_.end() || found->second.number != begun.number) return;
  found->second.ring = std::make_unique<FeedRing>(begun.from);
  const FeedRing& ring = *found->second.ring;
  const std::vector<std::uint64_t> streams = found->second.streams;
  // The ring stays while a stream of these does.
  for_each(streams, [&ring](LiveStream& stream) { stream.begin(ring); });
}

void LiveStreams::fed(const model::FeedPart& part) {
  const auto found = watched_.find(part.org);
  if (found == watched_.end() || found->second.ring == nullptr) return;
  for (const model::FedItem& item : part.items) found->second.ring->add(item);
  const std::vector<std::uint64_t> streams = found->second.streams;
  for_each(streams, [](LiveStream& stream) { stream.go_on(); });
}

void LiveStreams::key_removed(model::ApiKeyId key) {
  std::vector<std::uint64_t> ids;
  for (const auto& [id, open] : open_) {
    if (open.key == key) ids.push_back(id);
  }
  for_each(ids, [](LiveStream& stream) { stream.end("the API key was deleted"); });
}

void LiveStreams::comment() {
  std::vector<std::uint64_t> ids;
  ids.reserve(open_.size());
  for (const auto& [id, open] : open_) ids.push_back(id);
  for_each(ids, [](LiveStream& stream) { stream.comment(); });
  if (!open_.empty()) timer_.start_after(comment_interval_);
}

}  // namespace triggerd::api
