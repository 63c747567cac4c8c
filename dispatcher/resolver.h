// Names to addresses: c-ares on the loop, with a cache by TTL. Never libcurl's or libuv's resolver:
// one dead name server would hold up everybody's calls.
//
// A and AAAA together, /etc/hosts before the name servers, no search domains. Lookups of one name
// are joined; the number of lookups under way and of cached names is bounded.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <ares.h>

#include "dispatcher/tick_task.h"
#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/loop/event_loop.h"
#include "engine/model/network.h"

namespace triggerd::dispatcher {

struct Resolution {
  enum class Result : std::uint8_t {
    kFound,
    kNoAddress,  // the name does not exist or has no address
    kTimeout,    // no answer in time
    kFailed,     // a name server's failure
  };
  Result result = Result::kFailed;
  std::vector<model::IpAddress> addresses;  // IPv4 first, else in the order of the answer
};

struct ResolverOptions {
  std::string servers;  // "127.0.0.1:5353,[::1]:53"; empty: those of the system
  base::Duration timeout = std::chrono::seconds(2);
  std::size_t lookups_max = 1024;
  std::size_t cached_names_max = 20'000;
  base::Duration ttl_min = std::chrono::seconds(5);
  base::Duration ttl_max = std::chrono::minutes(5);
  base::Duration ttl_negative = std::chrono::seconds(5);
};

// Thread: that of its loop.
class Resolver {
 public:
  // Once for each lookup that resolve() began or joined.
  using OnResolved = std::function<void(const std::string& host, const Resolution& resolution)>;

  // Fails when `servers` cannot be parsed or c-ares cannot start.
  [[nodiscard]] static base::Result<std::unique_ptr<Resolver>> create(loop::EventLoop& loop,
                                                                      ResolverOptions options,
                                                                      OnResolved on_resolved);
  // Lookups under way are dropped without an answer.
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // A cached answer still fresh, or null. Valid until the next call of this object.
  [[nodiscard]] const Resolution* find_cached(const std::string& host);
  // Begins or joins a lookup; OnResolved follows, never from within. False: too many under way.
  [[nodiscard]] bool resolve(const std::string& host);

 private:
  struct Lookup {
    Resolver* owner = nullptr;
    std::string host;
    base::MonoTime deadline;
    bool awaited = true;  // false: given up by us, c-ares still tries
  };
  struct Cached {
    std::string host;
    Resolution resolution;
    base::MonoTime fresh_until;
  };
  struct Deadline {
    base::MonoTime when;
    std::string host;
  };
  struct Answer {
    std::string host;
    Resolution resolution;
  };

  Resolver(loop::EventLoop& loop, ResolverOptions options, OnResolved on_resolved);
  base::Status open();
  static void on_answer(void* lookup, int status, int timeouts, ares_addrinfo* found);
  static void on_socket_state(void* resolver, ares_socket_t fd, int readable, int writable);
  void finish(Lookup& lookup, int status, const ares_addrinfo* found);
  void on_socket_ready(int fd, int events);
  void on_timer();
  void give_up_overdue();
  void set_timer();
  void remember(const std::string& host, const Resolution& resolution, base::Duration ttl);
  void deliver();

  loop::EventLoop& loop_;
  ResolverOptions options_;
  OnResolved on_resolved_;
  ares_channel channel_ = nullptr;
  bool closing_ = false;

  loop::Timer timer_;
  TickTask deliver_;
  std::unordered_map<int, std::unique_ptr<loop::FdWatcher>> watchers_;
  std::unordered_map<std::string, std::unique_ptr<Lookup>> lookups_;
  std::deque<Deadline> deadlines_;  // in order of time: every lookup has the same timeout
  std::vector<Answer> answers_;     // to be delivered at the end of the tick

  std::list<Cached> by_use_;  // last used first
  std::unordered_map<std::string, std::list<Cached>::iterator> cache_;
};

}  // namespace triggerd::dispatcher
