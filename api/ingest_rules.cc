#include "api/ingest_rules.h"

#include <utility>

#include "engine/base/assert.h"

namespace triggerd::api {

void IngestRules::change(const model::FilterPathsChanged& change) {
  Rules& rules = rules_[change.org];
  rules.version = change.rules_version;
  rules.attributes =
      change.paths.empty() ? nullptr : std::make_unique<AttributeReader>(change.paths);
  forget_if_empty(change.org);
}

void IngestRules::change(const model::EventSchemaChanged& change) {
  Rules& rules = rules_[change.org];
  rules.version = change.rules_version;
  rules.schemas.erase(change.event_name);
  if (!change.schema.empty()) {
    base::Result<JsonSchema> schema = JsonSchema::compile(change.schema);
    // It was found good before it was stored.
    TRIGGERD_ASSERT(schema.ok());
    rules.schemas.emplace(change.event_name, std::move(schema.value()));
  }
  forget_if_empty(change.org);
}

void IngestRules::forget_if_empty(const model::OrgId& org) {
  const auto at = rules_.find(org);
  if (at->second.attributes == nullptr && at->second.schemas.empty()) rules_.erase(at);
}

void IngestRules::prepare(model::PublishEvents& request) const {
  const bool had_rules = request.rules_version != 0;
  request.rules_version = 0;
  const auto found = rules_.empty() ? rules_.end() : rules_.find(request.org);
  if (found == rules_.end() && !had_rules) return;
  for (model::NewEvent& event : request.events) {
    if (event.content.empty()) continue;  // refused where it was read: its faults stay
    event.attributes.clear();
    event.edge_faults.clear();
    if (found == rules_.end()) continue;
    const Rules& rules = found->second;
    if (rules.attributes != nullptr) event.attributes = rules.attributes->read(event.content);
    if (rules.schemas.empty() || event.is_sample) continue;
    const auto schema = rules.schemas.find(event.name);
    if (schema == rules.schemas.end()) continue;
    if (auto fault = schema->second.check(event.content, event.own_members_at)) {
      event.edge_faults.push_back({base::ErrorCode::kInvalid, "content" + fault->text()});
    }
  }
  if (found != rules_.end()) request.rules_version = found->second.version;
}

}  // namespace triggerd::api
