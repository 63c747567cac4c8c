// The live feed of an organization: what has become durable, in the order in which it has. The
// engine thread tells it to the I/O loops that watch the organization (app/live_feed), and those to
// their clients (api/live_streams).
//
// A position in it is the sequence of an event: all events up to it have been told. It stays right
// for ever, and across restarts, for events are kept in that order. Outcomes of deliveries have no
// place of their own in it: they are told once, while somebody listens.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "engine/model/records.h"

namespace triggerd::model {

// An attempt, or the end of a delivery without one. The receiver's answer is left out.
struct FedDelivery {
  WebhookId webhook;
  AttemptRecord attempt;
};
using FedItem = std::variant<EventPtr, FedDelivery>;

// From `from` on every event comes, in order. `number`: of the watch that this begins; what comes
// before it, or for another number, is of an earlier watch.
struct FeedBegun {
  OrgId org;
  std::uint64_t number = 0;
  EventSeq from;
};
struct FeedPart {
  OrgId org;
  std::vector<FedItem> items;
};

}  // namespace triggerd::model
