// Transport over libcurl: resolves, checks the addresses, connects to a checked one, and reports.
//
//   start ──> resolver ──> address_guard ──> curl_pump (one of several) ──> classify ──> OnOutcome
//
// Holds what is on the wire and nothing else: there is no queue here but the tick's. Above the
// limits a call comes back as kBusy and the core decides.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <curl/curl.h>

#include "dispatcher/address_guard.h"
#include "dispatcher/ca_store.h"
#include "dispatcher/curl_exchange.h"
#include "dispatcher/curl_pump.h"
#include "dispatcher/egress_proxy.h"
#include "dispatcher/resolver.h"
#include "dispatcher/tick_task.h"
#include "dispatcher/transport.h"
#include "engine/base/status.h"
#include "engine/loop/event_loop.h"
#include "engine/model/network.h"

namespace triggerd::dispatcher {

struct TransportOptions {
  model::TargetPolicy policy;
  std::string ca_file;                 // PEM; trusted beside the system's bundle
  std::optional<EgressProxy> proxy{};  // every call goes through it
  std::string name_servers;            // "192.0.2.1:53,…"; empty: those of the system
  base::Duration lookup_timeout = std::chrono::seconds(2);
  std::size_t lookups_max = 1024;
  // Descriptors that this transport may use for connections, busy and kept; 0: half of what
  // RLIMIT_NOFILE allows now. With several transports the program divides.
  std::size_t descriptors_max = 0;
  // Calls under way; 0: kInFlightDefault, or half of the descriptors if that is less.
  std::size_t in_flight_max = 0;
  // curl multis, by hash of the destination.
  unsigned multis = 16;
};

// Thread: that of its loop. OnOutcome may start and cancel calls; it must not destroy the
// transport.
class CurlTransport final : public Transport {
 public:
  // Fails when ca_file or name_servers are wrong, or a library cannot start. The process ignores
  // SIGPIPE from then on.
  [[nodiscard]] static base::Result<std::unique_ptr<CurlTransport>> create(
      loop::EventLoop& loop, const TransportOptions& options, OnOutcome on_outcome);
  // Calls under way are cut off without an outcome.
  ~CurlTransport() override;

  void start(HttpCall call) override;
  void cancel(model::AttemptId id) override;

  // Another policy from the next connection and request on, of calls under way as well.
  void use(model::TargetPolicy policy) { guard_.use(std::move(policy)); }
  // Other authorities from the next connection on; one that is open stays.
  void use(std::shared_ptr<X509_STORE> authorities) { authorities_ = std::move(authorities); }

  [[nodiscard]] std::size_t in_flight() const { return calls_.size(); }
  [[nodiscard]] std::size_t in_flight_max() const { return in_flight_max_; }

 private:
  struct Shard {
    std::unique_ptr<CurlPump> pump;
    std::vector<CURL*> idle;  // prepared handles, kept for the next call
  };
  // One call under way: resolving (easy is null) or on the wire.
  struct Call {
    Call(HttpCall http, const AddressGuard& guard) : exchange(std::move(http), guard) {}
    CurlExchange exchange;
    base::Now started;
    base::MonoTime deadline;
    std::vector<model::IpAddress> addresses;  // checked
    std::size_t address = 0;                  // which of them is tried
    std::uint32_t dns_us = 0;
    bool retried_fresh = false;
    Shard* shard = nullptr;
    CURL* easy = nullptr;
    std::shared_ptr<X509_STORE> authorities;  // those that it was begun with
    bool on_wire = false;                     // curl has the handle
  };
  struct Report {
    model::AttemptId id;
    model::Outcome outcome;
  };

  CurlTransport(loop::EventLoop& loop, const TransportOptions& options, OnOutcome on_outcome);

  void run_tick();
  void begin(model::AttemptId id);
  void resolved(const std::string& host, const Resolution& resolution);
  void connect(Call& call, const Resolution& resolution);
  [[nodiscard]] EgressProxy peer_of(const Call& call) const;
  void transfer(Call& call, CurlExchange::Connection connection);
  void finished(const FinishedTransfer& transfer);
  void give_up_waiting();
  void set_lookup_timer();
  void end(Call& call, model::Outcome outcome);
  void report(model::AttemptId id, model::Outcome outcome);
  void release(Call& call);
  CURL* lend(Shard& shard);
  Shard& shard_of(const model::TargetUrl& url);

  loop::EventLoop& loop_;
  OnOutcome on_outcome_;
  AddressGuard guard_;
  const std::optional<EgressProxy> proxy_;
  std::size_t in_flight_max_;

  TickTask tick_;
  std::shared_ptr<X509_STORE> authorities_;
  std::unique_ptr<Resolver> resolver_;
  std::vector<Shard> shards_;
  std::unordered_map<model::AttemptId, std::unique_ptr<Call>> calls_;

  std::vector<model::AttemptId> to_begin_;
  std::vector<Report> reports_;
  std::vector<FinishedTransfer> finished_;

  // Calls that wait for a name, and when their own time is over.
  std::unordered_map<std::string, std::vector<model::AttemptId>> waiting_;
  std::set<std::pair<base::MonoTime, model::AttemptId>> waiting_deadlines_;
  loop::Timer lookup_timer_;
};

}  // namespace triggerd::dispatcher
