// Registry requests: the event catalogue of an organization (CONTRACT A3).
#include <string>
#include <utility>

#include "engine/core/registry_requests.h"
#include "engine/model/limits.h"

namespace triggerd::core {
namespace {

std::string shown(const std::string& name) {
  return name.substr(0, model::kNameBytesMax);
}

}  // namespace

using base::ErrorCode;
using base::Now;
using model::EventType;
using model::OrgId;
using model::RequestId;

void RegistryRequests::handle(const model::ListEventTypes& request, RequestId id, Now) {
  if (organization_or_refuse(request.org, id) == nullptr) return;
  outbox_.reply(id, model::EventTypesReply{catalogue_.all(request.org)});
}

void RegistryRequests::handle(const model::GetEventType& request, RequestId id, Now) {
  if (organization_or_refuse(request.org, id) == nullptr) return;
  std::optional<model::EventTypeView> view = catalogue_.view(request.org, request.name);
  if (!view) {
    return refuse(id, ErrorCode::kNotFound, "could not find event type " + shown(request.name));
  }
  outbox_.reply(id, model::EventTypeReply{std::move(*view)});
}

void RegistryRequests::handle(const model::DefineEventType& request, RequestId id, Now now) {
  if (organization_or_refuse(request.org, id) == nullptr) return;
  const bool built_in = EventCatalogue::is_built_in(request.name);
  const EventType* before = catalogue_.find(request.org, request.name);
  const EventType after{request.org, request.name, request.description, request.schema,
                        before == nullptr ? now.wall : before->created_at};
  if (base::Status may = catalogue_.may_put(after); !may.ok()) {
    return refuse(id, may.error().code, may.error().message);
  }
  const bool created = !built_in && before == nullptr;
  const std::string schema_before = before == nullptr ? std::string() : before->schema;
  // Of a built-in name nothing need be stored when nothing is said of it.
  if (built_in && after.description.empty() && after.schema.empty()) {
    if (before != nullptr) erase_event_type(request.org, request.name);
  } else if (before == nullptr || *before != after) {
    catalogue_.put(after);
    outbox_.put(model::PutEventType{after});
    if (schema_before != after.schema) {
      filters_.tell_schema(request.org, request.name, after.schema, outbox_);
    }
  }
  outbox_.reply(id, model::EventTypeReply{*catalogue_.view(request.org, request.name), created});
}

void RegistryRequests::handle(const model::RemoveEventType& request, RequestId id, Now) {
  if (organization_or_refuse(request.org, id) == nullptr) return;
  if (EventCatalogue::is_operational(request.name)) {
    return refuse(id, ErrorCode::kConflict, request.name + " is the engine's own and stays");
  }
  if (EventCatalogue::is_built_in(request.name)) {
    return refuse(id, ErrorCode::kConflict,
                  request.name +
                      " is built in and stays; PUT it without a schema to take its "
                      "schema away");
  }
  if (catalogue_.find(request.org, request.name) == nullptr) {
    return refuse(id, ErrorCode::kNotFound, "could not find event type " + shown(request.name));
  }
  const auto users = registry_.match(request.org, model::TriggerType::kEvent, request.name);
  if (!users.empty()) {
    return refuse(id, ErrorCode::kConflict,
                  request.name + " has triggers, of webhook " +
                      registry_.peek(users.front().webhook)->id.to_string() +
                      " for one; delete them first");
  }
  erase_event_type(request.org, request.name);
  outbox_.reply(id, model::Done{});
}

void RegistryRequests::erase_event_type(const OrgId& org, const std::string& name) {
  const bool had_schema = !catalogue_.find(org, name)->schema.empty();
  catalogue_.erase(org, name);
  outbox_.put(model::EraseEventType{org, name});
  if (had_schema) filters_.tell_schema(org, name, std::string(), outbox_);
}

}  // namespace triggerd::core
