// Scheduler: destination hosts, and the lanes that wait for room at one.
#include "engine/base/assert.h"
#include "engine/core/scheduler.h"

namespace triggerd::core {

using model::WebhookRef;

void Scheduler::block(WebhookRef ref, Lane& lane) {
  lane.blocked = true;
  host_turns_.join(hosts_[lane.host].blocked, lane.seat, ref.value());
}

void Scheduler::promote(std::uint32_t host_number) {
  Host& host = hosts_[host_number];
  while (host.in_flight + host.promoted < limits_.in_flight_per_host && !host.blocked.empty()) {
    const WebhookRef ref(host_turns_.take(host.blocked));
    Lane& lane = *lane_of(ref);
    lane.blocked = false;
    if (!may_start(lane)) {
      lane.retry_paid = false;
      continue;
    }
    lane.promoted = true;
    ++host.promoted;
    if (!turns_.waits(ref.value())) turns_.join(ring_, lane.organization, ref.value());
  }
}

void Scheduler::join_host(Lane& lane, std::string_view origin) {
  lane.host = origins_.intern(origin);
  if (lane.host >= hosts_.size()) hosts_.resize(std::size_t{lane.host} + 1);
  ++hosts_[lane.host].lanes;
  lane.seat = seats_.intern((std::uint64_t{lane.host} << 32) | lane.organization);
  if (lane.seat >= seat_lanes_.size()) seat_lanes_.resize(std::size_t{lane.seat} + 1);
  ++seat_lanes_[lane.seat];
}

void Scheduler::leave_host(WebhookRef ref, Lane& lane) {
  const std::uint32_t host_number = lane.host;
  Host& host = hosts_[host_number];
  if (lane.blocked) host_turns_.leave(host.blocked, lane.seat, ref.value());
  lane.blocked = false;
  lane.retry_paid = false;
  if (--seat_lanes_[lane.seat] == 0) seats_.erase(lane.seat);
  --host.lanes;
  if (lane.promoted) {
    lane.promoted = false;
    --host.promoted;
    promote(host_number);
  }
  forget_if_unused(host_number);
}

void Scheduler::forget_if_unused(std::uint32_t host_number) {
  Host& host = hosts_[host_number];
  if (host.lanes > 0 || host.in_flight > 0) return;
  TRIGGERD_ASSERT(host.promoted == 0 && host.blocked.empty());
  host = Host{};
  origins_.erase(host_number);
}

}  // namespace triggerd::core
