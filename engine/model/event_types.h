// The event types and sync hooks that ship with triggerd, as data (CONTRACT B5.2, B6.1).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace triggerd::model {

// Numbers of the wire (B5.3).
enum class EventSource : std::uint8_t { kUnspecified = 0, kCloud = 1, kSdk = 2, kGate = 3 };

struct BuiltInEventType {
  std::string_view name;  // with version suffix: "PersonCreated_v1"
  EventSource source;
};

// The 52 event names, in the order of the catalogue.
[[nodiscard]] std::span<const BuiltInEventType> built_in_event_types();
// token_minted, identify_user, threat_detection, posture_detection.
[[nodiscard]] std::span<const std::string_view> built_in_sync_hooks();

// Events about the engine itself: names that begin with kOperationalPrefix, which nobody else may
// use. In the order of core/facts.
inline constexpr std::string_view kOperationalPrefix = "triggerd.";
[[nodiscard]] std::span<const std::string_view> operational_event_types();
// Does it begin with the prefix?
[[nodiscard]] inline bool is_operational(std::string_view event_name) {
  return event_name.starts_with(kOperationalPrefix);
}

// Source of a name; kCloud for one that is not built in.
[[nodiscard]] EventSource source_of(std::string_view event_name);

// "PersonCreated_v1" → {"PersonCreated", 1}; nothing when the name has no "_v" + number at its end.
struct VersionedName {
  std::string_view type;
  std::uint64_t version = 0;
};
[[nodiscard]] std::optional<VersionedName> split_event_name(std::string_view event_name);

}  // namespace triggerd::model
