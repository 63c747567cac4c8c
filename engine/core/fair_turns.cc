#include "engine/core/fair_turns.h"

#include <cstddef>

#include "engine/base/assert.h"

namespace triggerd::core {

void FairTurns::push_back(Row& row, std::vector<Links>& links, std::uint32_t number) {
  if (number >= links.size()) links.resize(std::size_t{number} + 1);
  TRIGGERD_ASSERT(links[number].before == kNotInRow);
  links[number] = Links{row.last, Row::kNobody};
  (row.last == Row::kNobody ? row.first : links[row.last].after) = number;
  row.last = number;
}

void FairTurns::erase(Row& row, std::vector<Links>& links, std::uint32_t number) {
  const Links from = links[number];
  TRIGGERD_ASSERT(from.before != kNotInRow);
  (from.before == Row::kNobody ? row.first : links[from.before].after) = from.after;
  (from.after == Row::kNobody ? row.last : links[from.after].before) = from.before;
  links[number] = Links{};
}

void FairTurns::join(TurnRing& ring, std::uint32_t group, std::uint32_t member) {
  if (group >= rows_.size()) rows_.resize(std::size_t{group} + 1);
  if (rows_[group].empty()) push_back(ring, groups_, group);
  push_back(rows_[group], members_, member);
}

std::uint32_t FairTurns::take(TurnRing& ring) {
  TRIGGERD_ASSERT(!ring.empty());
  const std::uint32_t group = ring.first;
  Row& row = rows_[group];
  const std::uint32_t member = row.first;
  Links& links = members_[member];
  row.first = links.after;
  (row.empty() ? row.last : members_[row.first].before) = Row::kNobody;
  links = Links{};
  if (row.empty()) {
    erase(ring, groups_, group);
  } else if (ring.last != group) {
    erase(ring, groups_, group);
    push_back(ring, groups_, group);
  }
  return member;
}

void FairTurns::leave(TurnRing& ring, std::uint32_t group, std::uint32_t member) {
  erase(rows_[group], members_, member);
  if (rows_[group].empty()) erase(ring, groups_, group);
}

}  // namespace triggerd::core
