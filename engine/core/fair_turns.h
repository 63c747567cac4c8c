// Members of groups in fair turn: the groups take turns, and in each group its members do. A member
// that has had its turn is gone; who wants another joins again, behind all that wait.
//
// Several rings share the numbers of groups and members: a group stands in one ring at most. Rows
// are linked through arrays by number: joining, leaving and taking cost a few writes, whatever the
// number of groups, and no memory but 8 bytes for each number and 16 for each group's.
//
// Thread: the engine's.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

namespace triggerd::core {

// The groups whose turn comes, in order.
struct TurnRing {
  static constexpr std::uint32_t kNobody = std::numeric_limits<std::uint32_t>::max();
  std::uint32_t first = kNobody;
  std::uint32_t last = kNobody;
  [[nodiscard]] bool empty() const { return first == kNobody; }
};

class FairTurns {
 public:
  // Does the member wait for its turn?
  [[nodiscard]] bool waits(std::uint32_t member) const {
    return member < members_.size() && members_[member].before != kNotInRow;
  }
  // Requires: !waits(member); the group waits in no other ring.
  void join(TurnRing& ring, std::uint32_t group, std::uint32_t member);
  // Whose turn it is; its group goes behind the others. Requires: !ring.empty().
  std::uint32_t take(TurnRing& ring);
  // Requires: waits(member), in this ring and group.
  void leave(TurnRing& ring, std::uint32_t group, std::uint32_t member);

 private:
  using Row = TurnRing;  // of members, in each group
  static constexpr std::uint32_t kNotInRow = Row::kNobody - 1;
  struct Links {
    std::uint32_t before = kNotInRow;
    std::uint32_t after = kNotInRow;
  };

  static void push_back(Row& row, std::vector<Links>& links, std::uint32_t number);
  static void erase(Row& row, std::vector<Links>& links, std::uint32_t number);

  std::vector<Links> members_;  // by number
  std::vector<Links> groups_;   // by number
  std::vector<Row> rows_;       // members of each group
};

}  // namespace triggerd::core
