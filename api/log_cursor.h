// Cursors of the lists of the delivery log: a position, tied to the query that it is of. Opaque to
// clients: 50 hexadecimal digits, version 1, then `before`, `pending_before` and a check value over
// these and the query. Nothing secret is in it, and a forged one shows nothing that a list does
// not.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/model/delivery_log.h"

namespace triggerd::api {

// What a cursor is tied to: which list, whose, and how it is filtered. Not the limit.
// `webhook`: nothing for the events of the organization.
[[nodiscard]] std::uint64_t query_digest(model::OrgId org, std::optional<model::WebhookId> webhook,
                                         const model::LogFilter& filter);

// Of other lists than those of deliveries and events: their cursors are not taken for each other.
enum class OtherList : std::uint8_t { kDeadLetters = 1, kPending = 2 };
[[nodiscard]] inline std::uint64_t digest_of(OtherList list, std::uint64_t query) {
  return query ^ (0x9e3779b97f4a7c15ULL * static_cast<std::uint64_t>(list));
}

[[nodiscard]] std::string write_cursor(const model::LogPosition& position, std::uint64_t digest);

// Nothing when the text is no cursor of a query with this digest.
[[nodiscard]] std::optional<model::LogPosition> read_cursor(std::string_view text,
                                                            std::uint64_t digest);

}  // namespace triggerd::api
