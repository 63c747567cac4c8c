// The event names that may be published and subscribed to. Data, not code: the names that ship
// (CONTRACT B5.2) are everybody's; each organization adds its own, and says of any name what it
// means and which schema its content has (CONTRACT A3). Sync hooks are fixed.
//
// Thread and owner: those of the engine.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/records.h"
#include "engine/model/request.h"

namespace triggerd::core {

class EventCatalogue {
 public:
  [[nodiscard]] static bool knows_sync_hook(std::string_view name);
  [[nodiscard]] static bool is_built_in(std::string_view name);
  // Of the engine's own; only the engine publishes it.
  [[nodiscard]] static bool is_operational(std::string_view name);

  // Is it a name that ships, or one of the organization's? No allocation.
  [[nodiscard]] bool knows_event(const model::OrgId& org, std::string_view name) const;
  // What the organization says of a name; null when nothing.
  [[nodiscard]] const model::EventType* find(const model::OrgId& org, std::string_view name) const;
  // The name with what is said of it; nothing when the catalogue has no such name.
  [[nodiscard]] std::optional<model::EventTypeView> view(const model::OrgId& org,
                                                         std::string_view name) const;
  // Built-in ones in the order of the catalogue, the engine's own, then the organization's by name.
  [[nodiscard]] std::vector<model::EventTypeView> all(const model::OrgId& org) const;
  // What organizations say, in order of (organization, name).
  [[nodiscard]] std::vector<model::EventType> said() const;
  [[nodiscard]] std::vector<model::EventType> said_by(const model::OrgId& org) const;

  // May this be said? kInvalid: not a name (letters, digits, '_', '-', '.', at most kNameBytesMax,
  // ending in _v and a number), a description or schema too long, or too much of it all
  // (kEventTypesPerOrgMax, kSchemaBytesPerOrgMax).
  [[nodiscard]] base::Status may_put(const model::EventType& type) const;
  // In the place of what was said before.
  void put(const model::EventType& type);
  // Requires: it is there.
  void erase(const model::OrgId& org, std::string_view name);

 private:
  using Types = std::map<std::string, model::EventType, std::less<>>;
  std::map<model::OrgId, Types> said_;  // no empty ones
};

// The catalogue as one organization sees it.
struct EventNames {
  const EventCatalogue& catalogue;
  model::OrgId org;
  [[nodiscard]] bool know(std::string_view name) const { return catalogue.knows_event(org, name); }
};

}  // namespace triggerd::core
