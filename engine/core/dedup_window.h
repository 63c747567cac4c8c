// The event ids accepted in the last while (24 h), so that a publisher may send an event twice.
// Bounded: at most so many ids, about 64 bytes each; the oldest go first. What was evicted, or was
// accepted before this process started, only the store knows: then the answer is kUnknown.
//
// Thread and owner: those of the engine. Time comes in as an argument (wall time: the ids in the
// store carry nothing else).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <memory>

#include "engine/base/ids.h"
#include "engine/base/time.h"

namespace triggerd::core {

struct DedupOptions {
  base::Duration window{0};
  std::size_t ids_max = 0;  // 1 .. 2^30
  std::uint64_t seed = 0;   // from chance: clients choose ids, and must not choose hash collisions
};

struct SeenEvent {
  base::WallTime accepted_at;
  std::uint32_t webhooks = 0;
  bool operator==(const SeenEvent&) const = default;
};

enum class DedupVerdict : std::uint8_t {
  kNew,      // not accepted within the window, whatever the clock did meanwhile
  kSeen,     // accepted within the window; the answer carries what was said then
  kUnknown,  // not in memory, and memory is not complete: ask the store
};

struct DedupAnswer {
  DedupVerdict verdict = DedupVerdict::kNew;
  SeenEvent seen;  // kSeen only
};

class DedupWindow {
 public:
  // Everything ever accepted is known to it: an empty installation.
  explicit DedupWindow(const DedupOptions& options);

  // Ids may be missing from now on: call it when recovered from a store that holds events. Memory
  // that has forgotten an id is incomplete for good: the wall clock may step back, and what was
  // past the window lies in it again.
  void set_incomplete() { complete_ = false; }

  [[nodiscard]] DedupAnswer find(const base::OrgId& org, const base::EventId& id,
                                 base::WallTime now) const;

  // Remembers an accepted event, or one that the store knew. At the limit the oldest id makes room.
  // An id that is there already gets the new values. Drops a few that are past the window.
  void insert(const base::OrgId& org, const base::EventId& id, const SeenEvent& seen,
              base::WallTime now);

  // Gives back the memory of ids past the window, at most `budget` of them.
  // Returns how many were dropped.
  std::size_t expire(base::WallTime now, std::size_t budget);

  // Ids in memory, those included that are past the window but not yet dropped.
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  // Ids forgotten so far, for space or for age.
  [[nodiscard]] std::uint64_t forgotten() const { return forgotten_; }

 private:
  struct Entry {
    base::OrgId org;
    base::EventId id;
    SeenEvent seen;
  };
  struct FreeMemory {
    void operator()(std::uint32_t* slots) const { std::free(slots); }
  };

  [[nodiscard]] std::size_t home_of(const base::OrgId& org, const base::EventId& id) const;
  [[nodiscard]] std::size_t slot_of(const base::OrgId& org, const base::EventId& id) const;
  [[nodiscard]] std::size_t entry_index(std::uint32_t slot_value) const;
  [[nodiscard]] bool is_past(base::WallTime accepted_at, base::WallTime now) const;
  void drop_oldest();
  void free_slot(std::size_t slot);

  DedupOptions options_;
  bool complete_ = true;  // every id ever accepted is in entries_
  std::uint64_t forgotten_ = 0;

  std::deque<Entry> entries_;  // in order of insertion
  std::uint32_t first_ = 0;    // number of entries_.front(); numbers count up modulo kNumbers

  // Open addressing with linear probing over entry numbers + 1; 0 is free. At most two thirds full.
  // Taken as a whole at the start (zero pages cost nothing until used), so that no turn pays for a
  // rehash.
  std::unique_ptr<std::uint32_t[], FreeMemory> slots_;
  std::size_t slot_mask_ = 0;
};

}  // namespace triggerd::core
