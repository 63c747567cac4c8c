// Sends the partition's effects to the I/O loops: replies to the loop that waits, calls to the loop
// that owns the destination, key changes to all. One hand-over a turn and loop.
//
// What all loops must know comes first: before anything else of the turn is handed to any loop,
// every loop has the turn's changes in its mailbox. So whoever was told of a key finds it known
// everywhere (a loop empties its mailbox before it refuses a key).
#pragma once

#include <functional>
#include <unordered_map>
#include <vector>

#include "app/io_loop.h"
#include "app/metrics/engine_metrics.h"
#include "app/partition.h"

namespace triggerd::app {

// Thread: the partition's.
class OutletRouter final : public Outlet {
 public:
  using OnSigningKeys = std::function<void(const std::vector<model::SigningKey>&)>;

  // `on_failure` is told once that the store failed. `own_reply` gets replies of kOwnThread.
  // `on_signing_keys` opens the keys and sends them on, before it returns.
  // What passes is counted in `metrics`, which outlives this.
  OutletRouter(std::function<void(const base::Error&)> on_failure,
               std::function<void(model::RequestId, model::Reply)> own_reply,
               OnSigningKeys on_signing_keys, metrics::EngineMetrics& metrics);

  // Gives messages to a loop, and leaves them empty: IoMailbox::post_all.
  using HandOver = std::function<void(std::vector<IoMessage>&)>;
  // The loops, in the order of their index; before the first effect that leaves.
  void set_loops(std::vector<HandOver> loops);

  void reply(model::RequestId request, model::Reply reply) override;
  void start(model::StartAttempt attempt) override;
  void cancel(model::AttemptId attempt) override;
  void tell_edges(const model::EdgeChange& change) override;
  void signing_keys_changed(const std::vector<model::SigningKey>& keys) override;
  void feed_begun(unsigned thread, model::FeedBegun begun) override { send_to(thread, begun); }
  void fed(unsigned thread, model::FeedPart part) override { send_to(thread, std::move(part)); }
  void recorded(const model::Mutation& mutation) override { metrics_.recorded(mutation); }
  void committed(base::Duration took, std::size_t mutations) override {
    metrics_.committed(took, mutations);
  }
  void turn_ended() override;
  void store_failed(const base::Error& error) override;

  // To every loop, before whatever else the turn lets out.
  void send_to_all_first(const IoMessage& message);
  // To every loop, behind what is queued.
  void send_to_all(const std::function<IoMessage()>& make);
  void send_to(unsigned index, IoMessage message);

 private:
  std::function<void(const base::Error&)> on_failure_;
  std::function<void(model::RequestId, model::Reply)> own_reply_;
  OnSigningKeys on_signing_keys_;
  metrics::EngineMetrics& metrics_;
  std::vector<HandOver> loops_;
  std::vector<IoMessage> first_;                // for all loops, in order
  std::vector<std::vector<IoMessage>> queued_;  // one a loop; what else the current turn lets out
};

}  // namespace triggerd::app
