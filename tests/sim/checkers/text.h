// Words for objections.
#pragma once

#include <string>

#include "tests/support/store_tables.h"

namespace triggerd::sim {

inline std::string text_of(const support::DeliveryKey& key) {
  return "event " + std::to_string(key.seq.value()) + " for webhook " +
         std::to_string(key.webhook.value());
}

}  // namespace triggerd::sim
