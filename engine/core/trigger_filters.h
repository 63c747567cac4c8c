// The filters in force: which trigger has which, and for each organization the paths that they
// look at, which is what the edges take out of its events.
//
// An organization's rules are these paths and the schemas of its event names (event_catalogue).
// Each change of them has a number; an event that went through others is given back by the
// publisher (model::StaleRules).
//
// Thread: the engine's.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/core/filter.h"
#include "engine/core/outbox.h"
#include "engine/model/records.h"

namespace triggerd::core {

class TriggerFilters {
 public:
  // --- Filters ---
  // Null when the trigger has none.
  [[nodiscard]] const CompiledFilter* find(model::Generation trigger) const;
  [[nodiscard]] const model::Filter* shown(model::Generation trigger) const;
  // Has the organization any filter at all?
  [[nodiscard]] bool any(const model::OrgId& org) const;
  // May the trigger have this filter, instead of what it has, within kFilterPathsPerOrgMax?
  [[nodiscard]] bool fits(const model::OrgId& org, model::Generation trigger,
                          const model::Filter& filter) const;
  // Puts it in the place of what the trigger has. Requires: fits().
  void set(const model::OrgId& org, model::Generation trigger, const model::Filter& filter);
  // True when there was one.
  bool remove(const model::OrgId& org, model::Generation trigger);

  // --- Rules ---
  // 0: the organization has none.
  [[nodiscard]] std::uint64_t rules_version(const model::OrgId& org) const;
  // The paths, or a schema (empty: no more), have changed: counts, and tells the edges.
  void tell_paths(const model::OrgId& org, Outbox& outbox);
  void tell_schema(const model::OrgId& org, const std::string& event_name,
                   const std::string& schema, Outbox& outbox);
  // After recovery: the paths of every organization that has some.
  void tell_all_paths(Outbox& outbox);

 private:
  struct Entry {
    model::Filter filter;
    CompiledFilter compiled;
  };
  struct UsedPath {
    model::FilterPath path;  // empty: free
    std::uint32_t filters = 0;
  };
  struct Organization {
    std::size_t filters = 0;
    std::vector<UsedPath> paths;  // the index is the number that attributes carry
    std::map<model::FilterPath, std::uint32_t> numbers;
    std::set<std::string> with_schema;  // event names
    std::uint64_t rules_version = 0;
  };

  void use(Organization& entry, const std::set<model::FilterPath>& paths);
  void leave(Organization& entry, const std::set<model::FilterPath>& paths);
  // Counts; gives what is said of it, for the organization may end here, having no rules.
  std::uint64_t count(const model::OrgId& org);
  void forget_if_empty(const model::OrgId& org);

  std::unordered_map<model::Generation, std::unique_ptr<Entry>> filters_;  // never iterated
  std::map<model::OrgId, Organization> orgs_;                              // with rules
  std::uint64_t last_version_ = 0;
};

}  // namespace triggerd::core
