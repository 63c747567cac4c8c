#include "engine/core/key_lines.h"

#include <functional>

#include "engine/base/assert.h"
#include "engine/core/interner.h"

namespace triggerd::core {

using model::WebhookRef;

KeyLines::Place KeyLines::place_of(WebhookRef webhook, std::string_view key) const {
  return {webhook, mix_bits(std::hash<std::string_view>()(key) ^ seed_)};
}

bool KeyLines::enter(WebhookRef webhook, std::string_view key, DeliveryRef delivery) {
  const auto [line, is_first] = lines_.try_emplace(place_of(webhook, key));
  if (is_first) {
    line->second.head = delivery;
  } else {
    line->second.waiting.push_back(delivery);
  }
  return is_first;
}

std::optional<DeliveryRef> KeyLines::leave(WebhookRef webhook, std::string_view key,
                                           DeliveryRef delivery) {
  const auto at = lines_.find(place_of(webhook, key));
  // A line that was released may have begun anew behind another head.
  if (at == lines_.end() || at->second.head != delivery) return std::nullopt;
  Line& line = at->second;
  if (line.waiting.empty()) {
    lines_.erase(at);
    return std::nullopt;
  }
  line.head = line.waiting.pop_front();
  return line.head;
}

std::optional<DeliveryRef> KeyLines::release(WebhookRef webhook) {
  auto at = lines_.lower_bound(Place{webhook, 0});
  while (at != lines_.end() && at->first.first == webhook) {
    if (!at->second.waiting.empty()) return at->second.waiting.pop_front();
    at = lines_.erase(at);
  }
  return std::nullopt;
}

void KeyLines::remove(WebhookRef webhook, std::string_view key, DeliveryRef delivery) {
  const auto at = lines_.find(place_of(webhook, key));
  const bool was_there = at != lines_.end() && at->second.waiting.remove(delivery);
  TRIGGERD_ASSERT(was_there);
}

bool KeyLines::held(WebhookRef webhook, std::size_t lines_max, std::vector<Held>& found) const {
  auto at = lines_.lower_bound(Place{webhook, 0});
  for (std::size_t i = 0; at != lines_.end() && at->first.first == webhook; ++at, ++i) {
    if (i == lines_max) return false;
    if (at->second.waiting.empty()) continue;
    found.push_back({at->second.head, at->second.waiting.size()});
  }
  return true;
}

}  // namespace triggerd::core
