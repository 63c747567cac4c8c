#include "engine/core/event_catalogue.h"

#include <algorithm>

#include "engine/base/assert.h"
#include "engine/model/event_types.h"
#include "engine/model/limits.h"

namespace triggerd::core {
namespace {

using base::Error;
using base::ErrorCode;
using base::Status;
using model::EventType;
using model::EventTypeView;
using model::OrgId;

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.';
}

Status invalid(std::string message) {
  return Error{ErrorCode::kInvalid, std::move(message)};
}

Status check_name(std::string_view name) {
  if (name.empty() || name.size() > model::kNameBytesMax ||
      !std::all_of(name.begin(), name.end(), is_name_character) || !model::split_event_name(name)) {
    return invalid("event name: use 1 to " + std::to_string(model::kNameBytesMax) +
                   " letters, digits, '_', '-' or '.' that end in _v and a number, such as "
                   "OrderPlaced_v1");
  }
  return {};
}

EventTypeView built_in_view(const OrgId& org, std::string_view name, const EventType* said) {
  EventTypeView view;
  view.built_in = true;
  if (said != nullptr) {
    view.type = *said;
  } else {
    view.type.org = org;
    view.type.name = name;
  }
  return view;
}

}  // namespace

bool EventCatalogue::knows_sync_hook(std::string_view name) {
  const auto hooks = model::built_in_sync_hooks();
  return std::find(hooks.begin(), hooks.end(), name) != hooks.end();
}

bool EventCatalogue::is_built_in(std::string_view name) {
  const auto types = model::built_in_event_types();
  return std::any_of(types.begin(), types.end(),
                     [name](const model::BuiltInEventType& type) { return type.name == name; });
}

bool EventCatalogue::is_operational(std::string_view name) {
  if (!model::is_operational(name)) return false;
  const auto names = model::operational_event_types();
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool EventCatalogue::knows_event(const OrgId& org, std::string_view name) const {
  return is_built_in(name) || is_operational(name) || find(org, name) != nullptr;
}

const EventType* EventCatalogue::find(const OrgId& org, std::string_view name) const {
  if (said_.empty()) return nullptr;
  const auto types = said_.find(org);
  if (types == said_.end()) return nullptr;
  const auto at = types->second.find(name);
  return at == types->second.end() ? nullptr : &at->second;
}

std::optional<EventTypeView> EventCatalogue::view(const OrgId& org, std::string_view name) const {
  const EventType* said = find(org, name);
  if (is_built_in(name) || is_operational(name)) return built_in_view(org, name, said);
  if (said == nullptr) return std::nullopt;
  return EventTypeView{*said, false};
}

std::vector<EventTypeView> EventCatalogue::all(const OrgId& org) const {
  std::vector<EventTypeView> views;
  for (const model::BuiltInEventType& type : model::built_in_event_types()) {
    views.push_back(built_in_view(org, type.name, find(org, type.name)));
  }
  for (const std::string_view name : model::operational_event_types()) {
    views.push_back(built_in_view(org, name, nullptr));
  }
  for (EventType& type : said_by(org)) {
    if (!is_built_in(type.name)) views.push_back({std::move(type), false});
  }
  return views;
}

std::vector<EventType> EventCatalogue::said() const {
  std::vector<EventType> types;
  for (const auto& [org, of_org] : said_) {
    for (const auto& [name, type] : of_org) types.push_back(type);
  }
  return types;
}

std::vector<EventType> EventCatalogue::said_by(const OrgId& org) const {
  std::vector<EventType> types;
  const auto at = said_.find(org);
  if (at == said_.end()) return types;
  for (const auto& [name, type] : at->second) types.push_back(type);
  return types;
}

Status EventCatalogue::may_put(const EventType& type) const {
  if (Status name = check_name(type.name); !name.ok()) return name;
  if (model::is_operational(type.name)) {
    return invalid(
        "event name: those that begin with triggerd. are the engine's own; choose "
        "another");
  }
  if (type.description.size() > model::kDescriptionBytesMax) {
    return invalid("description: at most " + std::to_string(model::kDescriptionBytesMax) +
                   " bytes");
  }
  if (type.schema.size() > model::kSchemaBytesMax) {
    return invalid("schema: at most " + std::to_string(model::kSchemaBytesMax) +
                   " bytes without white space");
  }
  std::size_t count = 1;
  std::size_t schema_bytes = type.schema.size();
  for (const EventType& other : said_by(type.org)) {
    if (other.name == type.name) continue;
    ++count;
    schema_bytes += other.schema.size();
  }
  if (count > model::kEventTypesPerOrgMax) {
    return invalid("event types: an organization has at most " +
                   std::to_string(model::kEventTypesPerOrgMax) + "; delete one that is not used");
  }
  if (schema_bytes > model::kSchemaBytesPerOrgMax) {
    return invalid("schema: all schemas of an organization have together at most " +
                   std::to_string(model::kSchemaBytesPerOrgMax) +
                   " bytes; take one away that is not needed");
  }
  return {};
}

void EventCatalogue::put(const EventType& type) {
  said_[type.org].insert_or_assign(type.name, type);
}

void EventCatalogue::erase(const OrgId& org, std::string_view name) {
  const auto types = said_.find(org);
  TRIGGERD_ASSERT(types != said_.end());
  const auto at = types->second.find(name);
  TRIGGERD_ASSERT(at != types->second.end());
  types->second.erase(at);
  if (types->second.empty()) said_.erase(types);
}

}  // namespace triggerd::core
