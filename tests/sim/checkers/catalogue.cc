#include "tests/sim/checkers/catalogue.h"

#include <algorithm>
#include <variant>

#include "engine/model/event_types.h"
#include "tests/sim/regions.h"

namespace triggerd::sim {
namespace {

bool is_built_in(const std::string& name) {
  const auto& all = model::built_in_event_types();
  return std::any_of(all.begin(), all.end(),
                     [&name](const auto& type) { return type.name == name; });
}

}  // namespace

void Catalogue::emitted(const Emitted& seen) {
  for (const model::Mutation& mutation : seen.output.batch.mutations) {
    if (const auto* put = std::get_if<model::PutEventType>(&mutation)) {
      types_[{put->type.org, put->type.name}] = put->type;
    } else if (const auto* erase = std::get_if<model::EraseEventType>(&mutation)) {
      ++erased_;
      types_.erase({erase->org, erase->name});
      const bool used = std::any_of(triggers_.begin(), triggers_.end(), [erase](const auto& row) {
        return row.second.org == erase->org && row.second.name == erase->name;
      });
      if (used && !is_built_in(erase->name)) object(erase->name + " goes and has triggers");
    } else if (const auto* trigger = std::get_if<model::PutTrigger>(&mutation)) {
      triggers_[trigger->trigger.generation] = trigger->trigger;
    } else if (const auto* gone = std::get_if<model::EraseTrigger>(&mutation)) {
      triggers_.erase(gone->trigger.generation);
    } else if (const auto* event = std::get_if<model::PutEvent>(&mutation)) {
      check_event(*event->event);
    }
  }
}

void Catalogue::check_event(const model::Event& event) {
  const auto type = types_.find({event.org, event.name});
  const std::string name = "event " + std::to_string(event.seq.value());
  if (type == types_.end()) {
    if (!is_built_in(event.name)) object(name + " is accepted under a name that nobody added");
    return;
  }
  if (event.is_test || type->second.schema.empty()) return;  // samples are ours
  if (has(refused_by(type->second.schema), region_of(event.content))) {
    object(name + " is accepted though the schema of its name refuses it");
  }
}

void Catalogue::restarted(const Restarted&) {
  types_ = scene_.durable.event_types;
  triggers_ = scene_.durable.triggers;
}

}  // namespace triggerd::sim
