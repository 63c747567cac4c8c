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

[[nodiscard]] std::string write_cursor(const model::LogPosition& position, std::uint64_t digest);

// Nothing when the text is no cursor of a query with this digest.
[[nodiscard]] std::optional<model::LogPosition> read_cursor(std::string_view text,
                                                            std::uint64_t digest);

}  // namespace triggerd::api
