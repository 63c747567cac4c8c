#include "dispatcher/curl_transport.h"

#include <algorithm>
#include <csignal>
#include <functional>

#include <sys/resource.h>

#include "dispatcher/classify.h"
#include "engine/base/assert.h"
#include "engine/model/limits.h"

namespace triggerd::dispatcher {
namespace {

// New transfers in one tick: the sockets of those under way are served in between.
constexpr std::size_t kBeginsPerTick = 64;
// Addresses of a name that one attempt tries; all of them are checked.
constexpr std::size_t kAddressesTried = 8;
// A configured easy handle holds 5.6 KB.
constexpr std::size_t kIdleHandlesPerShard = 64;
// Without a limit from the system.
constexpr std::size_t kDescriptorsDefault = 16'384;

std::size_t descriptors_allowed(const TransportOptions& options) {
  if (options.descriptors_max != 0) return options.descriptors_max;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return kDescriptorsDefault;
  }
  return std::max<std::size_t>(static_cast<std::size_t>(limit.rlim_cur) / 2, 2);
}

std::size_t in_flight_allowed(const TransportOptions& options) {
  if (options.in_flight_max != 0) return options.in_flight_max;
  return std::clamp<std::size_t>(descriptors_allowed(options) / 2, 1, model::kInFlightDefault);
}

base::Status start_libcurl() {
  // With NOSIGNAL libcurl leaves this to us: OpenSSL writes to connections that the peer has
  // closed, and the signal would end the process.
  std::signal(SIGPIPE, SIG_IGN);
  // Not to be called by two threads at once in older versions: once, and kept.
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started == CURLE_OK) return {};
  return base::Error{base::ErrorCode::kInternal, curl_easy_strerror(started)};
}

std::uint32_t microseconds(base::Duration duration) {
  const auto count = std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(count, 0, UINT32_MAX));
}

}  // namespace

base::Result<std::unique_ptr<CurlTransport>> CurlTransport::create(loop::EventLoop& loop,
                                                                   const TransportOptions& options,
                                                                   OnOutcome on_outcome) {
  if (base::Status status = start_libcurl(); !status.ok()) return status.error();
  base::Result<CaStore> store = load_ca_store(options.ca_file);
  if (!store.ok()) return store.error();
  ResolverOptions resolver_options;
  resolver_options.servers = options.name_servers;
  resolver_options.timeout = options.lookup_timeout;
  resolver_options.lookups_max = options.lookups_max;

  std::unique_ptr<CurlTransport> transport(new CurlTransport(loop, options, std::move(on_outcome)));
  transport->authorities_ = std::move(store.value());
  base::Result<std::unique_ptr<Resolver>> resolver = Resolver::create(
      loop, std::move(resolver_options),
      [self = transport.get()](const std::string& host, const Resolution& resolution) {
        self->resolved(host, resolution);
      });
  if (!resolver.ok()) return resolver.error();
  transport->resolver_ = std::move(resolver.value());
  return transport;
}

CurlTransport::CurlTransport(loop::EventLoop& loop, const TransportOptions& options,
                             OnOutcome on_outcome)
    : loop_(loop),
      on_outcome_(std::move(on_outcome)),
      guard_(options.policy),
      proxy_(options.proxy),
      in_flight_max_(in_flight_allowed(options)),
      tick_(loop, [this] { run_tick(); }),
      lookup_timer_(loop, [this] { give_up_waiting(); }) {
  const std::size_t descriptors = descriptors_allowed(options);
  const std::size_t kept = descriptors > in_flight_max_ ? descriptors - in_flight_max_ : 0;
  const std::size_t multis = std::max(options.multis, 1U);
  shards_.resize(multis);
  for (Shard& shard : shards_) {
    shard.pump = std::make_unique<CurlPump>(
        loop, tick_, static_cast<long>(std::max<std::size_t>(kept / multis, 1)));
  }
}

CurlTransport::~CurlTransport() {
  for (auto& [id, call] : calls_) release(*call);
  for (Shard& shard : shards_) {
    for (CURL* easy : shard.idle) curl_easy_cleanup(easy);
  }
}

void CurlTransport::start(HttpCall call) {
  const model::AttemptId id = call.id;
  if (calls_.size() >= in_flight_max_) {
    model::Outcome busy = busy_outcome();
    busy.started_at = loop_.now().wall;
    report(id, std::move(busy));
    return;
  }
  auto owned = std::make_unique<Call>(std::move(call), guard_);
  owned->started = loop_.now();
  owned->deadline = owned->started.mono + owned->exchange.call().timeout;
  TRIGGERD_ASSERT(calls_.emplace(id, std::move(owned)).second);
  to_begin_.push_back(id);
  tick_.schedule();
}

void CurlTransport::cancel(model::AttemptId id) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;
  end(*found->second, cancelled_outcome());
}

// The one place where curl is given new work, and where outcomes leave.
void CurlTransport::run_tick() {
  const std::size_t count = std::min(to_begin_.size(), kBeginsPerTick);
  const auto last = to_begin_.begin() + static_cast<std::ptrdiff_t>(count);
  const std::vector<model::AttemptId> begun(to_begin_.begin(), last);
  to_begin_.erase(to_begin_.begin(), last);
  for (const model::AttemptId id : begun) begin(id);
  if (!to_begin_.empty()) tick_.schedule();

  finished_.clear();
  for (Shard& shard : shards_) shard.pump->run(finished_);
  for (const FinishedTransfer& transfer : finished_) finished(transfer);

  std::vector<Report> reports;
  reports.swap(reports_);
  for (Report& done : reports) on_outcome_(done.id, std::move(done.outcome));
}

void CurlTransport::begin(model::AttemptId id) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;  // cancelled meanwhile
  Call& call = *found->second;
  const EgressProxy peer = peer_of(call);
  if (peer.literal) {
    connect(call, {Resolution::Result::kFound, {*peer.literal}});
    return;
  }
  if (const Resolution* cached = resolver_->find_cached(peer.host)) {
    connect(call, *cached);
    return;
  }
  if (!resolver_->resolve(peer.host)) {
    end(call, busy_outcome());
    return;
  }
  waiting_[peer.host].push_back(id);
  waiting_deadlines_.emplace(call.deadline, id);
  set_lookup_timer();
}

// Whose addresses are looked up, checked and connected to: the receiver, or the proxy.
EgressProxy CurlTransport::peer_of(const Call& call) const {
  if (proxy_) return *proxy_;
  const model::TargetUrl& url = call.exchange.call().url;
  return {url.host, url.port, url.literal};
}

void CurlTransport::resolved(const std::string& host, const Resolution& resolution) {
  const auto found = waiting_.find(host);
  if (found == waiting_.end()) return;
  const std::vector<model::AttemptId> ids = std::move(found->second);
  waiting_.erase(found);
  for (const model::AttemptId id : ids) {
    const auto call = calls_.find(id);
    if (call == calls_.end()) continue;  // cancelled, or its time was over
    waiting_deadlines_.erase({call->second->deadline, id});
    call->second->dns_us = microseconds(loop_.now().mono - call->second->started.mono);
    connect(*call->second, resolution);
  }
  set_lookup_timer();
}

void CurlTransport::give_up_waiting() {
  const base::MonoTime now = loop_.now().mono;
  while (!waiting_deadlines_.empty() && waiting_deadlines_.begin()->first <= now) {
    const model::AttemptId id = waiting_deadlines_.begin()->second;
    end(*calls_.at(id), classify_lookup(Resolution::Result::kTimeout));
  }
  set_lookup_timer();
}

void CurlTransport::set_lookup_timer() {
  if (waiting_deadlines_.empty()) {
    lookup_timer_.stop();
  } else {
    lookup_timer_.start_at(waiting_deadlines_.begin()->first);
  }
}

void CurlTransport::connect(Call& call, const Resolution& resolution) {
  if (resolution.result != Resolution::Result::kFound) {
    end(call, classify_lookup(resolution.result));
    return;
  }
  const EgressProxy peer = peer_of(call);
  call.addresses = guard_.callable(peer.host, resolution.addresses, peer.port);
  if (call.addresses.empty()) {
    end(call, blocked_outcome());
    return;
  }
  if (call.addresses.size() > kAddressesTried) call.addresses.resize(kAddressesTried);
  call.shard = &shard_of(call.exchange.call().url);
  call.easy = lend(*call.shard);
  call.authorities = authorities_;
  curl_easy_setopt(call.easy, CURLOPT_SSL_CTX_DATA, call.authorities.get());
  transfer(call, CurlExchange::Connection::kAny);
}

void CurlTransport::transfer(Call& call, CurlExchange::Connection connection) {
  CurlExchange::Plan plan;
  plan.address = call.addresses[call.address];
  if (proxy_) plan.proxy_port = proxy_->port;
  plan.timeout = call.deadline - loop_.now().mono;
  if (plan.timeout <= base::Duration::zero()) {
    end(call, timeout_outcome());
    return;
  }
  // An address that swallows everything leaves time for the others.
  const auto left = static_cast<std::int64_t>(call.addresses.size() - call.address);
  plan.connect_timeout = plan.timeout / left;
  plan.connection = connection;
  call.exchange.prepare(call.easy, plan);
  call.shard->pump->add(call.easy);
  call.on_wire = true;
}

void CurlTransport::finished(const FinishedTransfer& transfer_end) {
  const model::AttemptId id = CurlExchange::of(transfer_end.easy).call().id;
  Call& call = *calls_.at(id);
  call.shard->pump->remove(call.easy);
  call.on_wire = false;
  const TransferEnd how = call.exchange.end_of(call.easy, transfer_end.code);
  const bool time_left = loop_.now().mono < call.deadline;
  const NextStep step = next_step(how);
  if (step == NextStep::kNextAddress && call.address + 1 < call.addresses.size() && time_left) {
    ++call.address;
    transfer(call, CurlExchange::Connection::kAny);
    return;
  }
  if (step == NextStep::kFreshConnection && !call.retried_fresh && time_left) {
    call.retried_fresh = true;
    transfer(call, CurlExchange::Connection::kFresh);
    return;
  }
  model::Outcome outcome = classify(how);
  call.exchange.complete(call.easy, loop_.now().wall, outcome);
  const std::uint32_t before = microseconds(loop_.now().mono - call.started.mono);
  std::uint32_t& first_byte = outcome.timings.first_byte_us;
  if (first_byte != 0) first_byte = std::min(first_byte + call.dns_us, before);
  end(call, std::move(outcome));
}

// Destroys `call`.
void CurlTransport::end(Call& call, model::Outcome outcome) {
  const model::AttemptId id = call.exchange.call().id;
  release(call);
  outcome.started_at = call.started.wall;
  outcome.timings.dns_us = call.dns_us;
  outcome.timings.total_us = microseconds(loop_.now().mono - call.started.mono);
  waiting_deadlines_.erase({call.deadline, id});
  calls_.erase(id);
  report(id, std::move(outcome));
}

void CurlTransport::report(model::AttemptId id, model::Outcome outcome) {
  reports_.push_back({id, std::move(outcome)});
  tick_.schedule();
}

// Takes a transfer under way off the wire, its connection is closed with it; keeps the handle.
void CurlTransport::release(Call& call) {
  if (call.easy == nullptr) return;
  if (call.on_wire) call.shard->pump->remove(call.easy);
  if (call.shard->idle.size() < kIdleHandlesPerShard) {
    call.shard->idle.push_back(call.easy);
  } else {
    curl_easy_cleanup(call.easy);
  }
  call.easy = nullptr;
}

CURL* CurlTransport::lend(Shard& shard) {
  if (!shard.idle.empty()) {
    CURL* easy = shard.idle.back();
    shard.idle.pop_back();
    return easy;
  }
  CURL* easy = curl_easy_init();
  TRIGGERD_ASSERT(easy != nullptr);
  set_constant_options(easy);
  shard.pump->prepare(easy);
  return easy;
}

CurlTransport::Shard& CurlTransport::shard_of(const model::TargetUrl& url) {
  return shards_[std::hash<std::string>()(url.origin()) % shards_.size()];
}

}  // namespace triggerd::dispatcher
