#include "dispatcher/cloud_event.h"

#include "engine/base/log.h"
#include "engine/base/time.h"

namespace triggerd::dispatcher {
namespace {

// Calls `each(name, value)` for every attribute that is text, in the order of the header comment.
template <class Each>
void for_each_attribute(const model::Event& event, std::string_view public_url, Each each) {
  each("specversion", "1.0");
  each("id", event.id.to_string());
  if (event.source.empty()) {
    each("source", std::string(public_url) + "/organizations/" + event.org.to_string());
  } else {
    each("source", event.source);
  }
  each("type", event.name);
  each("time", base::to_rfc3339(event.timestamp));
  if (!event.subject.empty()) each("subject", event.subject);
  if (!event.ordering_key.empty()) each("partitionkey", event.ordering_key);
  if (!event.traceparent.empty()) each("traceparent", event.traceparent);
}

void append_percent_encoded(std::string& out, std::string_view value) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (const char character : value) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte > 0x20 && byte < 0x7f && byte != '"' && byte != '%') {
      out += character;
    } else {
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 0xf];
    }
  }
}

}  // namespace

std::string structured_cloud_event(const model::Event& event, std::string_view public_url) {
  std::string out;
  out.reserve(512 + event.content.size());
  out += '{';
  for_each_attribute(event, public_url, [&out](std::string_view name, std::string_view value) {
    out.append("\"").append(name).append("\":\"");
    base::append_json_escaped(out, value);
    out += "\",";
  });
  if (event.is_test) out += R"("istestevent":true,)";
  out.append(R"("datacontenttype":"application/json","data":)").append(event.content);
  out += '}';
  return out;
}

void append_cloud_event_headers(std::vector<std::string>& lines, const model::Event& event,
                                std::string_view public_url) {
  for_each_attribute(event, public_url, [&lines](std::string_view name, std::string_view value) {
    std::string& line = lines.emplace_back("ce-");
    line.append(name).append(": ");
    append_percent_encoded(line, value);
  });
  if (event.is_test) lines.emplace_back("ce-istestevent: true");
}

}  // namespace triggerd::dispatcher
