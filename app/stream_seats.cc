#include "app/stream_seats.h"

#include "engine/base/assert.h"

namespace triggerd::app {

using Seat = api::Backend::Seat;

Seat StreamSeats::take(const model::OrgId& org) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = of_organization_.find(org);
  if (found != of_organization_.end() && found->second >= limits_.per_organization) {
    return Seat::kNoneOfOrganization;
  }
  if (taken_ >= limits_.in_all) return Seat::kNone;
  ++taken_;
  ++of_organization_[org];
  return Seat::kTaken;
}

void StreamSeats::leave(const model::OrgId& org) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = of_organization_.find(org);
  TRIGGERD_ASSERT(found != of_organization_.end());
  --taken_;
  if (--found->second == 0) of_organization_.erase(found);
}

}  // namespace triggerd::app
