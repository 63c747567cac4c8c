// What MemoryStore counts an event and an attempt as, for retention by size.
#pragma once

#include <cstdint>

#include "engine/model/records.h"

namespace triggerd::store {

[[nodiscard]] inline std::uint64_t bytes_of(const model::Event& event) {
  return sizeof(event) + event.content.size() + event.matches.size() * sizeof(model::Match);
}
[[nodiscard]] inline std::uint64_t bytes_of(const model::AttemptRecord& attempt) {
  return sizeof(attempt) + attempt.outcome.answer.size() + attempt.outcome.detail.size();
}

}  // namespace triggerd::store
