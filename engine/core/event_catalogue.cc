#include "engine/core/event_catalogue.h"

#include <algorithm>

#include "engine/model/event_types.h"
#include "engine/model/limits.h"

namespace triggerd::core {
namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

bool is_built_in(std::string_view name) {
  const auto types = model::built_in_event_types();
  return std::any_of(types.begin(), types.end(),
                     [name](const model::BuiltInEventType& type) { return type.name == name; });
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.';
}

}  // namespace

EventCatalogue::EventCatalogue() {
  for (const model::BuiltInEventType& type : model::built_in_event_types()) {
    names_.emplace(type.name);
  }
}

bool EventCatalogue::knows_event(std::string_view name) const {
  return names_.find(name) != names_.end();
}

bool EventCatalogue::knows_sync_hook(std::string_view name) {
  const auto hooks = model::built_in_sync_hooks();
  return std::find(hooks.begin(), hooks.end(), name) != hooks.end();
}

Status EventCatalogue::add(std::string_view name) {
  if (knows_event(name)) return Status();
  if (name.empty() || name.size() > model::kNameBytesMax ||
      !std::all_of(name.begin(), name.end(), is_name_character)) {
    return Error{ErrorCode::kInvalid,
                 "event name: use 1 to " + std::to_string(model::kNameBytesMax) +
                     " letters, digits, '_', '-' or '.', such as OrderPlaced_v1"};
  }
  const std::size_t added = names_.size() - model::built_in_event_types().size();
  if (added >= kAddedEventTypesMax) {
    return Error{ErrorCode::kOverloaded, "event name: the limit of " +
                                             std::to_string(kAddedEventTypesMax) +
                                             " added event types is reached; remove one first"};
  }
  names_.emplace(name);
  return Status();
}

Status EventCatalogue::remove(std::string_view name) {
  const auto found = names_.find(name);
  if (found == names_.end()) {
    return Error{ErrorCode::kNotFound, "event name: not in the catalogue"};
  }
  if (is_built_in(name)) {
    return Error{ErrorCode::kConflict, "event name: built in, it cannot be removed"};
  }
  names_.erase(found);
  return Status();
}

}  // namespace triggerd::core
