// What an I/O thread does with events on their way in (app/backend, api/ingest_rules), as simply as
// the regions allow: takes out what filters look at, holds the event against the schema of its
// name, and says under which rules it did. Knows only what the engine has let out.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/model/output.h"

namespace triggerd::sim {

class SimEdge {
 public:
  // Looks at changes of rules alone.
  void told(const model::EffectKind& effect);
  // As IngestRules::prepare.
  void prepare(model::PublishEvents& publish) const;
  // A new process knows nothing until it is told.
  void restarted() { rules_.clear(); }

 private:
  struct Rules {
    std::uint64_t version = 0;
    std::vector<model::FilterPath> paths;
    std::map<std::string, std::string> schemas;  // by event name
  };
  std::map<model::OrgId, Rules> rules_;
};

}  // namespace triggerd::sim
