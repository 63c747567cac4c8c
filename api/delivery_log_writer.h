// Answers of the delivery log as JSON text, like json_writer's: keys in alphabetical order, in the
// envelope. CONTRACT A6, B2.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/model/feed.h"
#include "engine/model/request.h"

namespace triggerd::api {

[[nodiscard]] std::string_view word_of(model::DeliveryStatus status);

// meta.cursor_pagination. No total: it would have to be counted.
struct PageMeta {
  std::uint32_t limit = 0;
  std::string cursor;  // empty: the list is at its end
};

[[nodiscard]] std::string write_logged_deliveries(const model::LoggedDeliveriesReply& reply,
                                                  const PageMeta& meta);
[[nodiscard]] std::string write_logged_events(const model::LoggedEventsReply& reply,
                                              const PageMeta& meta);
[[nodiscard]] std::string write_dead_letters(const model::DeadLettersReply& reply,
                                             const PageMeta& meta);
// One line each, with the event and the whole of the last attempt.
[[nodiscard]] std::string write_dead_letter_lines(const model::DeadLettersReply& reply);
[[nodiscard]] std::string write_logged_delivery(const model::DeliveryReply& reply);
// Of the live stream: an attempt and what it made of its delivery, without an envelope.
[[nodiscard]] std::string write_live_delivery(const model::FedDelivery& delivery);

}  // namespace triggerd::api
