// Identities. Two ids of different things do not mix: each is a type of its own.
// UUIDs are RFC 9562; their text form is 36 lower-case characters.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace triggerd::base {

// 128 bits in network order.
struct Uuid {
  std::array<std::uint8_t, 16> bytes{};

  auto operator<=>(const Uuid&) const = default;
  // 8-4-4-4-12 lower-case hexadecimal.
  [[nodiscard]] std::string to_string() const;
  // Writes the 36 characters of to_string() without an allocation.
  void write_to(char* out) const;
  // Accepts exactly the 8-4-4-4-12 form, upper or lower case; nothing else.
  [[nodiscard]] static std::optional<Uuid> parse(std::string_view text);
};

// An integer identity. Tag makes the type; nothing converts implicitly.
template <class Tag, class Integer>
class IntegerId {
 public:
  constexpr IntegerId() = default;
  constexpr explicit IntegerId(Integer value) : value_(value) {}
  [[nodiscard]] constexpr Integer value() const { return value_; }
  constexpr auto operator<=>(const IntegerId&) const = default;

 private:
  Integer value_ = 0;
};

// A UUID identity.
template <class Tag>
class UuidId {
 public:
  constexpr UuidId() = default;
  constexpr explicit UuidId(const Uuid& value) : value_(value) {}
  [[nodiscard]] constexpr const Uuid& value() const { return value_; }
  [[nodiscard]] std::string to_string() const { return value_.to_string(); }
  [[nodiscard]] static std::optional<UuidId> parse(std::string_view text) {
    const std::optional<Uuid> uuid = Uuid::parse(text);
    if (!uuid) return std::nullopt;
    return UuidId(*uuid);
  }
  auto operator<=>(const UuidId&) const = default;

 private:
  Uuid value_;
};

// Tenant; everything below belongs to one.
using OrgId = UuidId<struct OrgTag>;
using WebhookId = UuidId<struct WebhookTag>;
using EventId = UuidId<struct EventTag>;
using ApiKeyId = UuidId<struct ApiKeyTag>;
using JobId = UuidId<struct JobTag>;

// One request at the engine's door; minted by the edge, unique while the process lives.
using RequestId = IntegerId<struct RequestTag, std::uint64_t>;
// One HTTP call in flight; minted by the core, unique while the process lives.
using AttemptId = IntegerId<struct AttemptTag, std::uint64_t>;
// A read that the core asked for.
using ReadId = IntegerId<struct ReadTag, std::uint64_t>;
// Mutations that become durable together; 0 rests on nothing.
using BatchSeq = IntegerId<struct BatchTag, std::uint64_t>;
// Order of acceptance within a partition; never reused; keys of the store.
using EventSeq = IntegerId<struct EventSeqTag, std::uint64_t>;
// A webhook inside its partition: short, never reused, stored.
using WebhookRef = IntegerId<struct WebhookRefTag, std::uint32_t>;
// Counts the triggers ever added: a trigger deleted and added again has another generation.
using Generation = IntegerId<struct GenerationTag, std::uint32_t>;

}  // namespace triggerd::base

template <>
struct std::hash<triggerd::base::Uuid> {
  std::size_t operator()(const triggerd::base::Uuid& uuid) const noexcept {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    std::memcpy(&high, uuid.bytes.data(), 8);
    std::memcpy(&low, uuid.bytes.data() + 8, 8);
    // Ids may be chosen by clients, so the halves are mixed (the constant is 2^64 / golden ratio).
    high =
        (high ^ (low + 0x9e3779b97f4a7c15ULL + (high << 6) + (high >> 2))) * 0x9e3779b97f4a7c15ULL;
    return static_cast<std::size_t>(high ^ (high >> 32));
  }
};

template <class Tag>
struct std::hash<triggerd::base::UuidId<Tag>> {
  std::size_t operator()(const triggerd::base::UuidId<Tag>& id) const noexcept {
    return std::hash<triggerd::base::Uuid>()(id.value());
  }
};

template <class Tag, class Integer>
struct std::hash<triggerd::base::IntegerId<Tag, Integer>> {
  std::size_t operator()(const triggerd::base::IntegerId<Tag, Integer>& id) const noexcept {
    return std::hash<Integer>()(id.value());
  }
};
