#include "app/outlet_router.h"

#include <utility>

#include "engine/base/assert.h"

namespace triggerd::app {

OutletRouter::OutletRouter(std::function<void(const base::Error&)> on_failure,
                           std::function<void(model::RequestId, model::Reply)> own_reply,
                           OnSigningKeys on_signing_keys, metrics::EngineMetrics& metrics)
    : on_failure_(std::move(on_failure)),
      own_reply_(std::move(own_reply)),
      on_signing_keys_(std::move(on_signing_keys)),
      metrics_(metrics) {}

void OutletRouter::set_loops(std::vector<HandOver> loops) {
  loops_ = std::move(loops);
  queued_.resize(loops_.size());
}

void OutletRouter::reply(model::RequestId request, model::Reply reply) {
  metrics_.replied(reply);
  const unsigned thread = thread_of(request);
  if (thread == kOwnThread) {
    own_reply_(request, std::move(reply));
    return;
  }
  send_to(thread, model::SendReply{request, std::move(reply)});
}

// Deliveries go to the loop that owns the destination, so that a receiver sees one connection pool.
void OutletRouter::start(model::StartAttempt attempt) {
  const auto owner = static_cast<unsigned>(attempt.destination % loops_.size());
  send_to(owner, std::move(attempt));
}

void OutletRouter::cancel(model::AttemptId attempt) {
  // Who has it is not remembered: an unknown id is ignored by the others.
  send_to_all([attempt] { return IoMessage(model::CancelAttempt{attempt}); });
}

void OutletRouter::tell_edges(const model::EdgeChange& change) {
  send_to_all_first(change);
}

void OutletRouter::signing_keys_changed(const std::vector<model::SigningKey>& keys) {
  on_signing_keys_(keys);
}

void OutletRouter::turn_ended() {
  if (!first_.empty()) {
    for (const HandOver& loop : loops_) {
      std::vector<IoMessage> copy = first_;
      loop(copy);
    }
    first_.clear();
  }
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    if (!queued_[i].empty()) loops_[i](queued_[i]);
  }
}

void OutletRouter::store_failed(const base::Error& error) {
  on_failure_(error);
}

void OutletRouter::send_to_all_first(const IoMessage& message) {
  first_.push_back(message);
}

void OutletRouter::send_to_all(const std::function<IoMessage()>& make) {
  for (std::vector<IoMessage>& queue : queued_) queue.push_back(make());
}

void OutletRouter::send_to(unsigned index, IoMessage message) {
  TRIGGERD_ASSERT(index < queued_.size());
  queued_[index].push_back(std::move(message));
}

}  // namespace triggerd::app
