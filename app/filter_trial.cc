#include "app/filter_trial.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "api/attribute_reader.h"
#include "engine/core/filter.h"

namespace triggerd::app {
namespace {

void collect_paths(const model::FilterGroup& group, std::vector<model::FilterPath>& paths) {
  for (const model::FilterField& field : group.fields) paths.push_back(field.path);
  for (const std::vector<model::FilterGroup>& alternatives : group.any_of) {
    for (const model::FilterGroup& alternative : alternatives) collect_paths(alternative, paths);
  }
}

std::vector<model::FilterPath> paths_of(const model::Filter& filter) {
  std::vector<model::FilterPath> paths;
  collect_paths(filter.root, paths);
  std::sort(paths.begin(), paths.end());
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
  return paths;
}

std::string dotted(const model::FilterPath& path) {
  std::string text;
  for (const std::string& name : path) text += (text.empty() ? "" : ".") + name;
  return text;
}

// One filter, tried on one content after the other.
class Trial {
 public:
  explicit Trial(const model::Filter& filter)
      : paths_(paths_of(filter)),
        reader_(paths_),
        compiled_(filter, [this](const model::FilterPath& path) {
          const auto at = std::lower_bound(paths_.begin(), paths_.end(), path);
          return static_cast<std::uint32_t>(at - paths_.begin());
        }) {}

  // What holds the content back; empty when nothing does.
  [[nodiscard]] std::string failed_field(std::string content) {
    const model::Attributes attributes = reader_.read(content);
    event_.look_at(attributes);
    const std::optional<core::CompiledFilter::Miss> miss = compiled_.first_miss(event_);
    if (!miss) return {};
    return miss->path ? dotted(paths_[*miss->path]) : "$or";
  }

 private:
  std::vector<model::FilterPath> paths_;
  api::AttributeReader reader_;
  core::CompiledFilter compiled_;
  core::EventAttributes event_;
};

}  // namespace

model::TriggerTestReply try_filter(const model::TestTrigger& asked,
                                   const std::vector<model::EventPtr>& stored) {
  std::optional<Trial> trial;
  if (asked.filter) trial.emplace(*asked.filter);
  model::TriggerTestReply reply;
  const auto try_one = [&](std::optional<model::EventId> id, const std::string& name,
                           const std::string& content) {
    model::TrialResult result{id, name, false, {}};
    if (name != asked.name) {
      result.failed_field = "event_name";
    } else if (trial) {
      result.failed_field = trial->failed_field(content);
    }
    result.matches = result.failed_field.empty();
    reply.results.push_back(std::move(result));
  };
  for (const model::TrialEvent& event : asked.events) {
    try_one(std::nullopt, event.name.empty() ? asked.name : event.name, event.content);
  }
  for (const model::EventPtr& event : stored) try_one(event->id, event->name, event->content);
  return reply;
}

}  // namespace triggerd::app
