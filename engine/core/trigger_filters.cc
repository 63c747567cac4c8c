#include "engine/core/trigger_filters.h"

#include <algorithm>
#include <utility>

#include "engine/base/assert.h"
#include "engine/model/limits.h"

namespace triggerd::core {
namespace {

using model::FilterGroup;
using model::FilterPath;
using model::Generation;
using model::OrgId;

void collect_paths(const FilterGroup& group, std::set<FilterPath>& paths) {
  for (const model::FilterField& field : group.fields) paths.insert(field.path);
  for (const std::vector<FilterGroup>& alternatives : group.any_of) {
    for (const FilterGroup& alternative : alternatives) collect_paths(alternative, paths);
  }
}

std::set<FilterPath> paths_of(const model::Filter& filter) {
  std::set<FilterPath> paths;
  collect_paths(filter.root, paths);
  return paths;
}

}  // namespace

// --- Filters ----------------------------------------------------------------------------------

const CompiledFilter* TriggerFilters::find(Generation trigger) const {
  const auto at = filters_.find(trigger);
  return at == filters_.end() ? nullptr : &at->second->compiled;
}

const model::Filter* TriggerFilters::shown(Generation trigger) const {
  const auto at = filters_.find(trigger);
  return at == filters_.end() ? nullptr : &at->second->filter;
}

bool TriggerFilters::any(const OrgId& org) const {
  if (filters_.empty()) return false;
  const auto at = orgs_.find(org);
  return at != orgs_.end() && at->second.filters > 0;
}

bool TriggerFilters::fits(const OrgId& org, Generation trigger, const model::Filter& filter) const {
  const std::set<FilterPath> wanted = paths_of(filter);
  const auto at = orgs_.find(org);
  std::size_t in_all = wanted.size();
  if (at != orgs_.end()) {
    const model::Filter* old = shown(trigger);
    const std::set<FilterPath> given_up = old == nullptr ? std::set<FilterPath>() : paths_of(*old);
    for (const auto& [path, number] : at->second.numbers) {
      const std::uint32_t others =
          at->second.paths[number].filters - (given_up.contains(path) ? 1 : 0);
      if (others > 0 && !wanted.contains(path)) ++in_all;
    }
  }
  return in_all <= model::kFilterPathsPerOrgMax;
}

void TriggerFilters::set(const OrgId& org, Generation trigger, const model::Filter& filter) {
  Organization& entry = orgs_[org];
  // The new one first: paths that both look at keep their numbers.
  use(entry, paths_of(filter));
  const auto number_of = [&entry](const FilterPath& path) { return entry.numbers.at(path); };
  auto compiled = std::make_unique<Entry>(Entry{filter, CompiledFilter(filter, number_of)});
  std::unique_ptr<Entry>& place = filters_[trigger];
  if (place != nullptr) {
    leave(entry, paths_of(place->filter));
  } else {
    ++entry.filters;
  }
  place = std::move(compiled);
}

bool TriggerFilters::remove(const OrgId& org, Generation trigger) {
  const auto at = filters_.find(trigger);
  if (at == filters_.end()) return false;
  Organization& entry = orgs_.at(org);
  leave(entry, paths_of(at->second->filter));
  --entry.filters;
  filters_.erase(at);
  return true;
}

void TriggerFilters::use(Organization& entry, const std::set<FilterPath>& paths) {
  for (const FilterPath& path : paths) {
    const auto known = entry.numbers.find(path);
    if (known != entry.numbers.end()) {
      ++entry.paths[known->second].filters;
      continue;
    }
    const auto free = std::find_if(entry.paths.begin(), entry.paths.end(),
                                   [](const UsedPath& used) { return used.filters == 0; });
    const auto number = static_cast<std::uint32_t>(free - entry.paths.begin());
    if (free == entry.paths.end()) entry.paths.emplace_back();
    entry.paths[number] = UsedPath{path, 1};
    entry.numbers.emplace(path, number);
  }
}

void TriggerFilters::leave(Organization& entry, const std::set<FilterPath>& paths) {
  for (const FilterPath& path : paths) {
    const auto known = entry.numbers.find(path);
    TRIGGERD_ASSERT(known != entry.numbers.end());
    UsedPath& used = entry.paths[known->second];
    if (--used.filters > 0) continue;
    used.path.clear();
    entry.numbers.erase(known);
  }
}

// --- Rules ------------------------------------------------------------------------------------

std::uint64_t TriggerFilters::rules_version(const OrgId& org) const {
  if (orgs_.empty()) return 0;
  const auto at = orgs_.find(org);
  return at == orgs_.end() ? 0 : at->second.rules_version;
}

std::uint64_t TriggerFilters::count(const OrgId& org) {
  ++last_version_;
  orgs_[org].rules_version = last_version_;
  return last_version_;
}

void TriggerFilters::forget_if_empty(const OrgId& org) {
  const auto at = orgs_.find(org);
  if (at->second.filters == 0 && at->second.with_schema.empty()) orgs_.erase(at);
}

void TriggerFilters::tell_paths(const OrgId& org, Outbox& outbox) {
  model::FilterPathsChanged change{org, count(org), {}};
  const Organization& entry = orgs_.at(org);
  if (entry.filters > 0) {
    for (const UsedPath& used : entry.paths) change.paths.push_back(used.path);
  }
  forget_if_empty(org);
  outbox.emit(outbox.newest(), std::move(change));
}

void TriggerFilters::tell_schema(const OrgId& org, const std::string& event_name,
                                 const std::string& schema, Outbox& outbox) {
  const std::uint64_t version = count(org);
  Organization& entry = orgs_.at(org);
  if (schema.empty()) {
    entry.with_schema.erase(event_name);
  } else {
    entry.with_schema.insert(event_name);
  }
  forget_if_empty(org);
  outbox.emit(outbox.newest(), model::EventSchemaChanged{org, version, event_name, schema});
}

void TriggerFilters::tell_all_paths(Outbox& outbox) {
  std::vector<OrgId> orgs;
  for (const auto& [org, entry] : orgs_) {
    if (entry.filters > 0) orgs.push_back(org);
  }
  for (const OrgId& org : orgs) tell_paths(org, outbox);
}

}  // namespace triggerd::core
