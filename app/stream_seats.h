// How many live streams are open, of each organization and in all, on all I/O threads together.
//
// Any thread: it is asked when a stream opens and when it closes, and never in between.
#pragma once

#include <cstddef>
#include <mutex>
#include <unordered_map>

#include "api/backend.h"
#include "engine/model/limits.h"
#include "engine/model/records.h"

namespace triggerd::app {

class StreamSeats {
 public:
  struct Limits {
    std::size_t per_organization = model::kLiveStreamsPerOrgMax;
    std::size_t in_all = model::kLiveStreamsMax;
  };

  StreamSeats() : StreamSeats(Limits()) {}
  explicit StreamSeats(Limits limits) : limits_(limits) {}

  [[nodiscard]] api::Backend::Seat take(const model::OrgId& org);
  // Requires: one of the organization's is taken.
  void leave(const model::OrgId& org);

 private:
  const Limits limits_;
  std::mutex mutex_;
  // Guarded by mutex_:
  std::size_t taken_ = 0;
  std::unordered_map<model::OrgId, std::size_t> of_organization_;
};

}  // namespace triggerd::app
