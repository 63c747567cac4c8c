// Filters (F7): any text as a trigger's filter is refused or compiled; what was compiled is shown
// as JSON that reads as the same filter, and judges a content within the steps that its size
// allows. Input: the filter, a zero byte, the content's own members.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/attribute_reader.h"
#include "api/trigger_reader.h"
#include "engine/base/assert.h"
#include "engine/core/filter.h"
#include "engine/core/trigger_filters.h"
#include "engine/model/limits.h"
#include "tests/fuzz/fuzz_input.h"

namespace {

namespace api = triggerd::api;
namespace model = triggerd::model;

bool read(std::string_view filter, api::TriggerText& trigger) {
  std::string body = R"({"trigger_type":"event","trigger_name":"E_v1","filter":)";
  body += filter;
  body += '}';
  return api::read_trigger(body, trigger).empty() && trigger.filter.has_value();
}

void collect(const model::FilterGroup& group, std::vector<model::FilterPath>& paths) {
  for (const model::FilterField& field : group.fields) paths.push_back(field.path);
  for (const auto& alternatives : group.any_of) {
    for (const model::FilterGroup& alternative : alternatives) collect(alternative, paths);
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t split = input.find('\0');
  api::TriggerText trigger;
  if (!read(input.substr(0, split), trigger)) return 0;
  api::TriggerText again;
  TRIGGERD_ASSERT(read(trigger.filter->text, again));
  TRIGGERD_ASSERT(again.filter == trigger.filter);

  std::vector<model::FilterPath> paths;
  collect(trigger.filter->root, paths);
  const triggerd::core::CompiledFilter compiled(*again.filter, [&](const model::FilterPath& path) {
    // The last one: so does the reader when a path stands twice in its list.
    auto number = static_cast<std::uint32_t>(paths.size() - 1);
    while (paths.at(number) != path) --number;
    return number;
  });
  std::string content =
      "{" + std::string(split == std::string_view::npos ? "" : input.substr(split + 1)) + "}";
  const model::Attributes attributes = api::AttributeReader(paths).read(content);
  triggerd::core::EventAttributes event;
  event.look_at(attributes);
  std::uint64_t steps = 0;
  const bool matches = compiled.matches(event, steps);
  TRIGGERD_ASSERT(steps <=
                  (model::kFilterTestsMax + 1) * (attributes.size() + model::kFilterFieldsMax + 1));
  TRIGGERD_ASSERT(compiled.first_miss(event).has_value() != matches);
  return 0;
}
