// The event names that may be published and subscribed to. Data, not code: it starts with the names
// that ship (CONTRACT B5.2) and organizations add to it (CONTRACT A3). Sync hooks are fixed.
//
// Thread and owner: those of the engine.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

#include "engine/base/status.h"

namespace triggerd::core {

inline constexpr std::size_t kAddedEventTypesMax = 10'000;

class EventCatalogue {
 public:
  // Knows the built-in names.
  EventCatalogue();

  // No allocation.
  [[nodiscard]] bool knows_event(std::string_view name) const;
  [[nodiscard]] static bool knows_sync_hook(std::string_view name);

  // Adding a name again is fine. kInvalid: not a name (letters, digits, '_', '-', '.', at most
  // kNameBytesMax); kOverloaded: kAddedEventTypesMax names are there already.
  base::Status add(std::string_view name);
  // kNotFound: unknown; kConflict: built in, and therefore permanent.
  base::Status remove(std::string_view name);

  // All names in byte order, built in and added.
  [[nodiscard]] const std::set<std::string, std::less<>>& names() const { return names_; }

 private:
  std::set<std::string, std::less<>> names_;
};

}  // namespace triggerd::core
