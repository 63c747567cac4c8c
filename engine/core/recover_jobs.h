// Jobs that give deliveries of a webhook again that are over (POST …/recover). A job asks the store
// for a page at a time, oldest first, gives what it gets to core/deliveries, and writes down how
// far it has come in the same batch: after a crash it goes on where it stopped, and gives nothing
// twice.
//
// It goes at its own pace, and waits while its webhook or the organization has enough pending. It
// ends when nothing is left, when it is cancelled, or when its webhook is disabled or gone. Jobs
// that are over are kept to be looked at: so many of an organization, and for so long.
//
// Thread: the engine's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "engine/base/random.h"
#include "engine/base/time.h"
#include "engine/core/deliveries.h"
#include "engine/core/mending.h"
#include "engine/core/outbox.h"
#include "engine/core/registry.h"
#include "engine/model/request.h"

namespace triggerd::core {

class RecoverJobs {
 public:
  // All arguments outlive this.
  RecoverJobs(const Mending& mending, Registry& registry, Deliveries& deliveries, Outbox& outbox,
              base::Random& random);

  // Recovery: load() each, then recovered().
  void load(model::RecoverJob job);
  void recovered(base::Now now);

  // Each answers `id` exactly once.
  void handle(const model::StartRecovery& request, model::RequestId id, base::Now now);
  void handle(const model::ListJobs& request, model::RequestId id, base::Now now);
  void handle(const model::GetJob& request, model::RequestId id, base::Now now);
  void handle(const model::CancelJob& request, model::RequestId id, base::Now now);

  // False when this read was not asked for here.
  bool loaded(model::ReadId id, const model::ReadAnswer& answer, base::Now now);
  // Goes on with the jobs whose time has come.
  void advance(base::Now now);
  [[nodiscard]] std::optional<base::MonoTime> next_deadline() const;

  // The process ends: nothing more is given again. What the jobs have come to is stored.
  void stop_all() { stopped_ = true; }
  // Its jobs go with it.
  void organization_erased(const model::OrgId& org);

  [[nodiscard]] std::size_t running() const { return running_; }
  // One line for each job, in order of (organization, id).
  void append_durable_state(std::string& out) const;

 private:
  using Key = std::pair<model::OrgId, model::JobId>;
  struct Entry {
    model::RecoverJob job;
    model::ReadId reading{0};  // 0: none under way
    std::uint64_t watch = 0;   // of that read
    base::MonoTime due;        // while it runs and reads nothing
    std::uint32_t read_retries = 0;
  };
  using Jobs = std::map<Key, Entry>;

  void step(Jobs::iterator at, base::Now now);
  void take(Jobs::iterator at, const model::FinalsLoaded& page, base::Now now);
  void wait_until(Jobs::iterator at, base::MonoTime due);
  void end(Jobs::iterator at, model::JobState state, std::string reason, base::Now now);
  void stop(Jobs::iterator at);
  void put(const Entry& entry);
  // Forgets finished jobs that were kept for long enough, or are too many.
  void prune(const model::OrgId& org, base::Now now);
  // Answers `id` with kNotFound when there is none.
  Jobs::iterator find_or_refuse(const model::OrgId& org, const model::JobId& job,
                                model::RequestId id);
  void refuse(model::RequestId id, base::ErrorCode code, std::string message);

  const Mending& mending_;
  Registry& registry_;
  Deliveries& deliveries_;
  Outbox& outbox_;
  base::Random& random_;
  Jobs jobs_;
  std::set<std::pair<base::MonoTime, Key>> due_;
  std::unordered_map<model::ReadId, Key> reads_;  // never iterated
  std::size_t running_ = 0;
  bool stopped_ = false;
};

}  // namespace triggerd::core
