// Who may go of the deliveries that share a webhook and an ordering key: the first of them, the
// head. The others wait behind it in order of acceptance, and each becomes the head when the one
// before it is over: delivered, dead or cancelled. Heads are in lanes, delayed or in flight like
// any delivery; the scheduler knows nothing of lines.
//
// A key is known by a seeded hash of 64 bits. Two keys of one webhook with the same hash share a
// line: slower, but in order.
//
// Memory: about 130 bytes for each key with a delivery pending, and 8 for each that waits.
//
// Thread: the engine's. Owner: core/deliveries, whose pending deliveries bound it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/core/lane.h"
#include "engine/model/records.h"

namespace triggerd::core {

class KeyLines {
 public:
  explicit KeyLines(std::uint64_t seed) : seed_(seed) {}

  // True: it is the head. False: it waits. Requires: accepted after all that are in the line.
  bool enter(model::WebhookRef webhook, std::string_view key, DeliveryRef delivery);
  // This delivery is over. Gives the next head when it was the head and others wait.
  std::optional<DeliveryRef> leave(model::WebhookRef webhook, std::string_view key,
                                   DeliveryRef delivery);
  // Takes one that waits out of the lines of a webhook, first in line first. Nothing: none waits,
  // and the webhook has no lines any more.
  std::optional<DeliveryRef> release(model::WebhookRef webhook);

  // Takes one that waits out of its line. Requires: it is in the line, and not its head.
  void remove(model::WebhookRef webhook, std::string_view key, DeliveryRef delivery);

  struct Held {
    DeliveryRef head;
    std::size_t waiting = 0;  // behind it
  };
  // The lines of a webhook in which some wait behind the head, of the first `lines_max` that it
  // has; in no order that means anything. False: it has more lines.
  bool held(model::WebhookRef webhook, std::size_t lines_max, std::vector<Held>& found) const;

  [[nodiscard]] std::size_t lines() const { return lines_.size(); }

 private:
  struct Line {
    DeliveryRef head;
    DeliveryQueue waiting;
  };
  using Place = std::pair<model::WebhookRef, std::uint64_t>;
  [[nodiscard]] Place place_of(model::WebhookRef webhook, std::string_view key) const;

  std::uint64_t seed_;
  std::map<Place, Line> lines_;  // ordered: release() must not depend on a container's chance
};

}  // namespace triggerd::core
