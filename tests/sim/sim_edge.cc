#include "tests/sim/sim_edge.h"

#include <variant>

#include "tests/sim/regions.h"

namespace triggerd::sim {

void SimEdge::told(const model::EffectKind& effect) {
  model::OrgId org;
  if (const auto* paths = std::get_if<model::FilterPathsChanged>(&effect)) {
    org = paths->org;
    rules_[org].version = paths->rules_version;
    rules_[org].paths = paths->paths;
  } else if (const auto* schema = std::get_if<model::EventSchemaChanged>(&effect)) {
    org = schema->org;
    rules_[org].version = schema->rules_version;
    rules_[org].schemas[schema->event_name] = schema->schema;
    if (schema->schema.empty()) rules_[org].schemas.erase(schema->event_name);
  } else {
    return;
  }
  const Rules& rules = rules_.at(org);
  if (rules.paths.empty() && rules.schemas.empty()) rules_.erase(org);
}

void SimEdge::prepare(model::PublishEvents& publish) const {
  const auto at = rules_.find(publish.org);
  publish.rules_version = at == rules_.end() ? 0 : at->second.version;
  for (model::NewEvent& event : publish.events) {
    event.attributes.clear();
    event.edge_faults.clear();
    if (at == rules_.end()) continue;
    const std::uint32_t region = region_of(event.content);
    const Rules& rules = at->second;
    for (std::uint32_t path = 0; path < rules.paths.size() && region < kRegions; ++path) {
      if (rules.paths[path].empty()) continue;
      if (rules.paths[path].front() == "number") {
        event.attributes.push_back({path, model::FilterScalar(std::int64_t{region})});
      } else {
        event.attributes.push_back({path, model::FilterScalar("r" + std::to_string(region))});
      }
    }
    const auto schema = rules.schemas.find(event.name);
    if (event.is_sample || schema == rules.schemas.end()) continue;
    if (has(refused_by(schema->second), region)) {
      event.edge_faults.push_back({base::ErrorCode::kInvalid, "/region: the schema refuses it"});
    }
  }
}

}  // namespace triggerd::sim
