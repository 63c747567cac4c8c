// What must be done with events on their way in, as one I/O thread knows it: values are taken out
// of them for the filters of their organization, and their content is held against the schema of
// their name. The engine counts the changes; events prepared under other rules than those in force
// come back (model::StaleRules).
//
// An organization without filters and schemas costs a look into an empty table.
// Thread: that of its owner.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "api/attribute_reader.h"
#include "api/json_schema.h"
#include "engine/model/output.h"
#include "engine/model/request.h"

namespace triggerd::api {

class IngestRules {
 public:
  void change(const model::FilterPathsChanged& change);
  void change(const model::EventSchemaChanged& change);

  // Fills in rules_version, and attributes and edge_faults of each event; what stood there goes.
  void prepare(model::PublishEvents& request) const;

  // Organizations with rules.
  [[nodiscard]] std::size_t size() const { return rules_.size(); }

 private:
  struct Rules {
    std::uint64_t version = 0;
    std::unique_ptr<AttributeReader> attributes;  // null: no filters
    std::unordered_map<std::string, JsonSchema> schemas;
  };
  void forget_if_empty(const model::OrgId& org);

  std::unordered_map<model::OrgId, Rules> rules_;
};

}  // namespace triggerd::api
