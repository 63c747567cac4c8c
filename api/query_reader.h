// Typed values out of a query, each fault in the words of the API.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api/problem.h"
#include "engine/model/delivery_log.h"

namespace triggerd::api {

inline constexpr std::string_view kNotOfThisQuery =
    "is not of this query: take meta.cursor_pagination.cursor of the page before, and give the "
    "same filters with it";

// Each leaves `out` alone when the parameter is absent. Both arguments outlive this.
class QueryReader {
 public:
  QueryReader(std::string_view query, Faults& faults) : query_(query), faults_(faults) {}

  void limit(std::uint32_t& out);
  void status(std::optional<model::DeliveryStatus>& out);
  void name(std::string& out);
  void time(std::string_view name, std::optional<model::WallTime>& out);
  void webhook(std::optional<model::WebhookId>& out);
  // Both ends of a time, and that they are in order.
  void times(model::LogFilter& out);
  std::optional<std::string> value(std::string_view name);
  void fault(std::string_view name, std::string_view what);

 private:
  std::string_view query_;
  Faults& faults_;
};

}  // namespace triggerd::api
