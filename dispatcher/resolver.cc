#include "dispatcher/resolver.h"

#include <algorithm>
#include <utility>

#include <sys/time.h>

#include "dispatcher/address_guard.h"
#include "engine/base/assert.h"

namespace triggerd::dispatcher {
namespace {

using Result = Resolution::Result;

Result result_of(int status) {
  switch (status) {
    case ARES_SUCCESS:
      return Result::kFound;
    case ARES_ENODATA:
    case ARES_ENOTFOUND:
    case ARES_ENONAME:
    case ARES_EBADNAME:
      return Result::kNoAddress;
    case ARES_ETIMEOUT:
      return Result::kTimeout;
    default:
      return Result::kFailed;
  }
}

std::vector<model::IpAddress> addresses_of(const ares_addrinfo& found) {
  std::vector<model::IpAddress> addresses;
  for (const ares_addrinfo_node* node = found.nodes; node != nullptr; node = node->ai_next) {
    const auto endpoint = endpoint_of(node->ai_addr, static_cast<std::size_t>(node->ai_addrlen));
    if (endpoint && std::ranges::find(addresses, endpoint->address) == addresses.end()) {
      addresses.push_back(endpoint->address);
    }
  }
  // Many hosts have no way out by IPv6 and would lose time on it first.
  std::stable_partition(addresses.begin(), addresses.end(),
                        [](const model::IpAddress& a) { return a.v4; });
  return addresses;
}

// The shortest of the answer, CNAMEs included; 0 without any (from /etc/hosts).
base::Duration ttl_of(const ares_addrinfo& found) {
  int ttl = -1;
  const auto take = [&ttl](int seconds) {
    if (ttl < 0 || seconds < ttl) ttl = seconds;
  };
  for (const auto* node = found.nodes; node != nullptr; node = node->ai_next) take(node->ai_ttl);
  for (const auto* cname = found.cnames; cname != nullptr; cname = cname->next) take(cname->ttl);
  return std::chrono::seconds(std::max(ttl, 0));
}

}  // namespace

base::Result<std::unique_ptr<Resolver>> Resolver::create(loop::EventLoop& loop,
                                                         ResolverOptions options,
                                                         OnResolved on_resolved) {
  std::unique_ptr<Resolver> resolver(
      new Resolver(loop, std::move(options), std::move(on_resolved)));
  if (const base::Status status = resolver->open(); !status.ok()) return status.error();
  return resolver;
}

Resolver::Resolver(loop::EventLoop& loop, ResolverOptions options, OnResolved on_resolved)
    : loop_(loop),
      options_(std::move(options)),
      on_resolved_(std::move(on_resolved)),
      timer_(loop, [this] { on_timer(); }),
      deliver_(loop, [this] { deliver(); }) {}

base::Status Resolver::open() {
  // Counted by c-ares, but not made for threads: once for all loops, and kept.
  static const int library = ares_library_init(ARES_LIB_INIT_ALL);
  if (library != ARES_SUCCESS) {
    return base::Error{base::ErrorCode::kInternal, ares_strerror(library)};
  }
  ares_options options{};
  // HOSTALIASES and search domains would let the environment choose whom we call.
  options.flags = ARES_FLAG_NOALIASES | ARES_FLAG_NOSEARCH;
  // Two tries per server, the second twice as long: both end within our own timeout.
  const auto millis =
      std::chrono::duration_cast<std::chrono::milliseconds>(options_.timeout).count();
  options.timeout = static_cast<int>(std::max<std::int64_t>(millis / 4, 1));
  options.tries = 2;
  options.domains = nullptr;
  options.ndomains = 0;
  char lookups[] = "fb";
  options.lookups = lookups;
  options.sock_state_cb = &Resolver::on_socket_state;
  options.sock_state_cb_data = this;
  int status = ares_init_options(&channel_, &options,
                                 ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
                                     ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB);
  if (status != ARES_SUCCESS) {
    channel_ = nullptr;
    return base::Error{base::ErrorCode::kInternal,
                       std::string("name resolution cannot start: ") + ares_strerror(status)};
  }
  if (options_.servers.empty()) return {};
  status = ares_set_servers_ports_csv(channel_, options_.servers.c_str());
  if (status != ARES_SUCCESS) {
    return base::Error{base::ErrorCode::kInvalid,
                       "name servers: \"" + options_.servers +
                           "\" is not a list of addresses such as 192.0.2.1:53,[2001:db8::1]:53"};
  }
  return {};
}

Resolver::~Resolver() {
  closing_ = true;
  if (channel_ != nullptr) ares_destroy(channel_);
}

const Resolution* Resolver::find_cached(const std::string& host) {
  const auto found = cache_.find(host);
  if (found == cache_.end()) return nullptr;
  if (found->second->fresh_until <= loop_.now().mono) {
    by_use_.erase(found->second);
    cache_.erase(found);
    return nullptr;
  }
  by_use_.splice(by_use_.begin(), by_use_, found->second);
  return &found->second->resolution;
}

bool Resolver::resolve(const std::string& host) {
  const base::MonoTime deadline = loop_.now().mono + options_.timeout;
  if (const auto found = lookups_.find(host); found != lookups_.end()) {
    Lookup& lookup = *found->second;
    if (!lookup.awaited) {
      lookup.awaited = true;
      lookup.deadline = deadline;
      deadlines_.push_back({deadline, host});
      set_timer();
    }
    return true;
  }
  if (lookups_.size() >= options_.lookups_max) return false;
  auto owned = std::make_unique<Lookup>(Lookup{this, host, deadline});
  Lookup* lookup = owned.get();
  lookups_.emplace(host, std::move(owned));
  deadlines_.push_back({deadline, host});
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = ARES_AI_NOSORT;
  ares_getaddrinfo(channel_, host.c_str(), nullptr, &hints, &Resolver::on_answer, lookup);
  set_timer();
  return true;
}

void Resolver::on_answer(void* lookup, int status, int /*timeouts*/, ares_addrinfo* found) {
  auto* const asked = static_cast<Lookup*>(lookup);
  if (!asked->owner->closing_) asked->owner->finish(*asked, status, found);
  if (found != nullptr) ares_freeaddrinfo(found);
}

void Resolver::finish(Lookup& lookup, int status, const ares_addrinfo* found) {
  Resolution resolution;
  base::Duration ttl = options_.ttl_negative;
  resolution.result = result_of(status);
  if (resolution.result == Result::kFound && found != nullptr) {
    resolution.addresses = addresses_of(*found);
    ttl = std::clamp(ttl_of(*found), options_.ttl_min, options_.ttl_max);
  }
  if (resolution.addresses.empty() && resolution.result == Result::kFound) {
    resolution.result = Result::kNoAddress;
  }
  remember(lookup.host, resolution, ttl);
  if (lookup.awaited) {
    answers_.push_back({lookup.host, std::move(resolution)});
    deliver_.schedule();
  }
  lookups_.erase(lookups_.find(lookup.host));
}

void Resolver::remember(const std::string& host, const Resolution& resolution, base::Duration ttl) {
  if (const auto found = cache_.find(host); found != cache_.end()) {
    by_use_.erase(found->second);
    cache_.erase(found);
  }
  if (cache_.size() >= options_.cached_names_max) {
    cache_.erase(by_use_.back().host);
    by_use_.pop_back();
  }
  by_use_.push_front({host, resolution, loop_.now().mono + ttl});
  cache_.emplace(host, by_use_.begin());
}

void Resolver::deliver() {
  std::vector<Answer> answers;
  answers.swap(answers_);
  for (const Answer& answer : answers) on_resolved_(answer.host, answer.resolution);
}

void Resolver::on_socket_state(void* resolver, ares_socket_t fd, int readable, int writable) {
  auto* const self = static_cast<Resolver*>(resolver);
  if (readable == 0 && writable == 0) {
    self->watchers_.erase(fd);
    return;
  }
  std::unique_ptr<loop::FdWatcher>& watcher = self->watchers_[fd];
  if (!watcher) {
    watcher = std::make_unique<loop::FdWatcher>(
        self->loop_, fd, [self, fd](int events) { self->on_socket_ready(fd, events); });
  }
  watcher->watch((readable != 0 ? UV_READABLE : 0) | (writable != 0 ? UV_WRITABLE : 0));
}

// May destroy the watcher that called: nothing of it is touched afterwards.
void Resolver::on_socket_ready(int fd, int events) {
  ares_process_fd(channel_, (events & UV_READABLE) != 0 ? fd : ARES_SOCKET_BAD,
                  (events & UV_WRITABLE) != 0 ? fd : ARES_SOCKET_BAD);
  set_timer();
}

void Resolver::on_timer() {
  ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  give_up_overdue();
  set_timer();
}

void Resolver::give_up_overdue() {
  const base::MonoTime now = loop_.now().mono;
  while (!deadlines_.empty() && deadlines_.front().when <= now) {
    const Deadline deadline = std::move(deadlines_.front());
    deadlines_.pop_front();
    const auto found = lookups_.find(deadline.host);
    if (found == lookups_.end()) continue;
    Lookup& lookup = *found->second;
    if (!lookup.awaited || lookup.deadline != deadline.when) continue;
    lookup.awaited = false;
    const Resolution resolution{Result::kTimeout, {}};
    remember(deadline.host, resolution, options_.ttl_negative);
    answers_.push_back({deadline.host, resolution});
    deliver_.schedule();
  }
}

void Resolver::set_timer() {
  if (lookups_.empty()) {
    deadlines_.clear();
    timer_.stop();
    return;
  }
  const base::MonoTime now = loop_.now().mono;
  base::Duration wait = options_.timeout;
  timeval until{};
  if (ares_timeout(channel_, nullptr, &until) != nullptr) {
    wait = std::min<base::Duration>(
        wait, std::chrono::seconds(until.tv_sec) + std::chrono::microseconds(until.tv_usec));
  }
  if (!deadlines_.empty()) wait = std::min(wait, deadlines_.front().when - now);
  timer_.start_after(std::max<base::Duration>(wait, std::chrono::milliseconds(1)));
}

}  // namespace triggerd::dispatcher
