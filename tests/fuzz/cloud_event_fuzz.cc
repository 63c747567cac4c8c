// CloudEvents: what is accepted keeps the promises of a NewEvent, and one event is read alike alone
// and as a list of one. The first byte says the mode: 0 structured, 1 batched, else binary: lines
// "name: value" up to an empty one, then the body.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/cloud_event_reader.h"
#include "api/event_reader.h"
#include "engine/base/assert.h"
#include "engine/json/json_text.h"
#include "engine/model/event_types.h"
#include "engine/model/limits.h"
#include "tests/fuzz/fuzz_input.h"

namespace {

using namespace triggerd;  // NOLINT(google-build-using-namespace): as short as a test

struct Reading {
  std::vector<model::NewEvent> events;
  api::Faults faults;
};

template <class Read>
Reading read_with(const Read& read) {
  base::SeededRandom random(1);
  const api::EventDefaults defaults{model::OrgId(), base::WallTime(), random, {}};
  Reading reading;
  reading.faults = read(defaults, reading.events);
  return reading;
}

Reading read_structured(std::string_view text) {
  return read_with([&](const api::EventDefaults& defaults, std::vector<model::NewEvent>& events) {
    std::string body(text);
    return api::read_cloud_event(body, defaults, events);
  });
}

Reading read_batch(std::string_view text) {
  return read_with([&](const api::EventDefaults& defaults, std::vector<model::NewEvent>& events) {
    std::string body(text);
    api::Faults faults = api::read_cloud_event_batch(body, defaults, events);
    TRIGGERD_ASSERT(faults.empty() || events.empty());
    return faults.empty() ? api::faults_of_entries(events) : faults;
  });
}

Reading read_binary(std::string_view text) {
  api::HttpRequest request;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) break;
    const std::size_t colon = std::min(line.find(": "), line.size());
    request.fields.push_back({std::string(line.substr(0, colon)),
                              std::string(line.substr(std::min(colon + 2, line.size())))});
  }
  request.body = text;
  return read_with([&](const api::EventDefaults& defaults, std::vector<model::NewEvent>& events) {
    return api::read_binary_cloud_event(request, defaults, events);
  });
}

void check_event(const model::NewEvent& event) {
  TRIGGERD_ASSERT(event.id_from_client);
  TRIGGERD_ASSERT(model::split_event_name(event.name).has_value());
  TRIGGERD_ASSERT(!event.source.empty());
  TRIGGERD_ASSERT(event.source.size() <= model::kCloudEventSourceBytesMax);
  TRIGGERD_ASSERT(event.subject.size() <= model::kCloudEventSubjectBytesMax);
  TRIGGERD_ASSERT(event.ordering_key.size() <= model::kOrderingKeyBytesMax);
  TRIGGERD_ASSERT(event.content.starts_with("{\"event_metadata\":{"));
  TRIGGERD_ASSERT(event.own_members_at < event.content.size());
  TRIGGERD_ASSERT(!json::find_json_fault(event.content, model::kJsonDepthMax + 1));
}

bool same(const model::NewEvent& left, const model::NewEvent& right) {
  return left.id == right.id && left.name == right.name && left.timestamp == right.timestamp &&
         left.ordering_key == right.ordering_key && left.traceparent == right.traceparent &&
         left.content == right.content && left.own_members_at == right.own_members_at &&
         left.source == right.source && left.subject == right.subject;
}

void check_alone_and_in_a_list(std::string_view text, const Reading& alone) {
  const Reading listed = read_batch("[" + std::string(text) + "]");
  // A list of several, or of none, or one level too deep: it is another document.
  if (listed.faults.empty() ? listed.events.size() != 1 : listed.events.size() > 1) return;
  for (const base::Error& fault : listed.faults) {
    if (!fault.message.starts_with("[0].")) return;
  }
  TRIGGERD_ASSERT(listed.faults.size() == alone.faults.size());
  for (std::size_t i = 0; i < alone.faults.size(); ++i) {
    TRIGGERD_ASSERT(listed.faults[i].message == "[0]." + alone.faults[i].message);
  }
  if (alone.faults.empty()) TRIGGERD_ASSERT(same(alone.events[0], listed.events[0]));
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  fuzz::Input input(bytes, size);
  const std::uint8_t mode = input.take_byte() % 4;
  const std::string_view text = input.rest();
  const Reading reading = mode == 0   ? read_structured(text)
                          : mode == 1 ? read_batch(text)
                                      : read_binary(text);
  if (mode == 0) check_alone_and_in_a_list(text, reading);
  for (const base::Error& fault : reading.faults) TRIGGERD_ASSERT(!fault.message.empty());
  if (!reading.faults.empty()) return 0;
  TRIGGERD_ASSERT(!reading.events.empty());
  TRIGGERD_ASSERT(mode == 1 || reading.events.size() == 1);
  for (const model::NewEvent& event : reading.events) check_event(event);
  return 0;
}
