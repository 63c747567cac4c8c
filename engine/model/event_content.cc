#include "engine/model/event_content.h"

#include <cstdint>
#include <iterator>
#include <string>

#include <fmt/format.h>

#include "engine/base/log.h"
#include "engine/base/time.h"

namespace triggerd::model {
namespace {

void append_member(std::string& out, std::string_view name, std::string_view text) {
  fmt::format_to(std::back_inserter(out), "\"{}\":\"", name);
  base::append_json_escaped(out, text);
  out += '"';
}

}  // namespace

std::string_view members_of(std::string_view raw) {
  const std::string_view inside = raw.substr(1, raw.size() - 2);
  return inside.find('"') == std::string_view::npos ? std::string_view() : inside;
}

// Keys are sorted, zero values left out (CONTRACT B4.2).
void build_content(NewEvent& event, OrgId org, const VersionedName& name,
                   std::string_view own_members) {
  std::string& out = event.content;
  out.reserve(own_members.size() + event.name.size() * 2 + 320);
  out = "{\"event_metadata\":{";
  append_member(out, "event_id", event.id.to_string());
  out += ',';
  append_member(out, "event_name", event.name);
  out += ',';
  append_member(out, "event_type", name.type);
  if (name.version != 0) {
    fmt::format_to(std::back_inserter(out), ",\"event_version\":{}", name.version);
  }
  if (event.is_test) out += ",\"is_test_event\":true";
  out += ',';
  append_member(out, "organization_id", org.to_string());
  const auto source = static_cast<unsigned>(source_of(event.name));
  if (source != 0) fmt::format_to(std::back_inserter(out), ",\"source\":{}", source);
  out += ',';
  append_member(out, "timestamp", base::to_rfc3339(event.timestamp));
  out += '}';
  if (!own_members.empty()) out += ',';
  event.own_members_at = static_cast<std::uint32_t>(out.size());
  out += own_members;
  out += '}';
}

}  // namespace triggerd::model
