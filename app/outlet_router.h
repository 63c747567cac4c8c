// Sends the partition's effects to the I/O loops: replies to the loop that waits, calls to the loop
// that owns the destination, key changes to all. One hand-over a turn and loop.
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

  // The loops, in the order of their index; before the first effect that leaves.
  void set_loops(std::vector<IoMailbox*> loops);

  void reply(model::RequestId request, model::Reply reply) override;
  void start(model::StartAttempt attempt) override;
  void cancel(model::AttemptId attempt) override;
  void tell_edges(const model::EdgeChange& change) override;
  void signing_keys_changed(const std::vector<model::SigningKey>& keys) override;
  void recorded(const model::Mutation& mutation) override { metrics_.recorded(mutation); }
  void committed(base::Duration took, std::size_t mutations) override {
    metrics_.committed(took, mutations);
  }
  void turn_ended() override;
  void store_failed(const base::Error& error) override;

  // To every loop, behind what is queued.
  void send_to_all(const std::function<IoMessage()>& make);
  void send_to(unsigned index, IoMessage message);

 private:
  std::function<void(const base::Error&)> on_failure_;
  std::function<void(model::RequestId, model::Reply)> own_reply_;
  OnSigningKeys on_signing_keys_;
  metrics::EngineMetrics& metrics_;
  std::vector<IoMailbox*> loops_;
  std::vector<std::vector<IoMessage>> queued_;  // one a loop; what the current turn lets out
};

}  // namespace triggerd::app
