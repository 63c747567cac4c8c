// The whole engine as one object: store, partition, I/O loops, and the order in which they start
// and stop. `triggerd serve` runs one; `triggerd demo` runs one beside its receiver.
//
// Start: store, recovery, keys, I/O loops, bootstrap, listeners. Stop: accept no more, answer what
// is under way, let calls in flight end, last commit, close the store.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/backups.h"
#include "app/bootstrap.h"
#include "app/config.h"
#include "app/config_reader.h"
#include "app/io_loop.h"
#include "app/metrics/metrics.h"
#include "app/outlet_router.h"
#include "app/partition.h"
#include "app/port_reservation.h"
#include "app/retention.h"
#include "app/store_watch.h"
#include "app/system_random.h"
#include "engine/loop/event_loop.h"
#include "store/secret_box.h"
#include "store/store.h"

namespace triggerd::app {

// What is worth telling once the listeners are open.
struct ServerStarted {
  std::string address;  // "127.0.0.1:8080", with the real port
  std::string admin_token;
  std::string admin_token_written_to;  // empty: it was there before
  unsigned io_loops = 0;
  std::uint64_t pending = 0;  // deliveries taken up from the store
};

// Thread: that of its loop (the engine thread), but for request_stop().
class Server {
 public:
  using OnStarted = std::function<void(base::Result<ServerStarted>)>;
  // Whether everything was durable and every call had ended.
  using OnStopped = std::function<void(base::Status)>;

  // Opens the store and recovers, starts the threads. Blocking. A `store` that is given takes the
  // place of the configured one.
  [[nodiscard]] static base::Result<std::unique_ptr<Server>> create(
      loop::EventLoop& event_loop, Config config, std::unique_ptr<store::Store> store = nullptr);
  // Requires: stopped, or never run.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Bootstraps and opens the listeners; `on_started` comes once, `on_stopped` once after it.
  void start(OnStarted on_started, OnStopped on_stopped);
  // Where the configuration is read again; without a source it cannot be reloaded. Before start().
  void use_config_source(ConfigReader::Source source);
  // Reads it, and then what can change while it runs does, all of it or nothing: the log says.
  void reload_config();

  // Graceful stop. Any thread. Again: no effect.
  void request_stop();

  [[nodiscard]] core::EngineStats stats() const { return partition_->stats(); }

 private:
  enum class Phase : std::uint8_t { kCreated, kStarting, kRunning, kDraining, kStopped };

  Server(loop::EventLoop& event_loop, Config config, std::unique_ptr<store::Store> store);
  base::Status open();
  base::Status open_store();
  void open_backups();
  void use_signing_keys(const std::vector<model::SigningKey>& keys);
  base::Status start_loops(unsigned threads);
  void receive(std::vector<EngineMessage>& messages);
  void receive_one(EngineMessage& message);
  void submit(Submitted& submitted);
  void answer(model::RequestId id, model::Reply reply);
  [[nodiscard]] std::optional<base::Error> reload_refusal() const;
  void config_read(const ConfigReader::Read& read);
  base::Result<model::ConfigReloaded> use_config(const base::Result<ConfigReader::Good>& good);
  void apply(const ConfigReader::Good& good);
  void finish(const AttemptFinished& finished);
  void bootstrapped(const base::Status& status);
  void listening(const Listening& message);
  void begin_stop();
  void io_drained();
  void stop_loops();
  void io_stopped();
  void tell_drained() const;
  void store_failed(const base::Error& error);
  void observe_engine();
  void tell_all(const std::function<IoMessage()>& make);

  loop::EventLoop& loop_;
  Config config_;                                           // of the start; I/O threads read it
  std::map<std::string, GivenSetting, std::less<>> given_;  // in force
  Phase phase_ = Phase::kCreated;
  SystemRandom random_;
  std::optional<store::SecretBox> secret_box_;
  std::optional<SharedSecrets> secrets_;
  std::string admin_token_written_to_;
  std::shared_ptr<const dispatcher::KeyRing> key_ring_;
  std::unique_ptr<metrics::Metrics> metrics_;
  std::unique_ptr<store::Store> store_;
  store::RocksStore* rocks_store_ = nullptr;  // the same, when it is on disk
  std::unique_ptr<EngineMailbox> mailbox_;
  std::unique_ptr<OutletRouter> outlet_;
  std::unique_ptr<Partition> partition_;
  StreamSeats seats_;
  std::optional<Retention> retention_;     // while running, as is the next
  std::optional<StoreWatch> store_watch_;  // of a store on disk
  std::optional<Backups> backups_;         // until the store is closed
  std::optional<ConfigReader> config_reader_;
  std::optional<IoShared> io_shared_;
  std::unique_ptr<IoLoop> own_loop_;  // io_threads = 0
  std::vector<std::unique_ptr<IoThread>> threads_;
  std::optional<Bootstrap> bootstrap_;
  unsigned loops_ = 0;
  unsigned loops_listening_ = 0;
  unsigned loops_draining_ = 0;
  unsigned loops_running_ = 0;
  std::uint16_t port_ = 0;
  std::optional<PortReservation> reserved_port_;  // until every loop listens
  Readiness readiness_;
  struct Drain {
    base::MonoTime since;
    std::uint64_t requests_before = 0;
    std::uint64_t attempts = 0;
    std::uint64_t attempts_cut = 0;
  };
  Drain drain_;  // counted from the start, begun anew by begin_stop()
  base::Status end_status_;
  loop::Timer drain_timer_;
  loop::Timer metrics_timer_;
  base::MonoTime metrics_due_;
  OnStarted on_started_;
  OnStopped on_stopped_;
};

}  // namespace triggerd::app
