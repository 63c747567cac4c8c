// A look at the files of a store that nobody has open: what is in it, and whether it is sound.
// Opens for reading only and changes nothing, not even the time of a file.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/base/time.h"
#include "store/backup_files.h"
#include "store/secret_box.h"

namespace triggerd::store {

struct StoreStats {
  struct Column {
    std::string_view name;
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;       // of keys and rows, as they are written
    std::uint64_t file_bytes = 0;  // sorted and compressed; what lies in the log is not in it
  };
  std::uint32_t format = 0;
  std::vector<Column> columns;
  std::uint64_t pending = 0;  // deliveries that are not over
  std::optional<base::WallTime> oldest_pending;
  std::uint64_t dead_letters = 0;
  std::uint64_t files = 0;
  std::uint64_t file_bytes = 0;  // of all files: columns, log, and the rest
};

// Something that is not as a store is written.
struct Finding {
  std::string column;
  std::string key;  // in hex; empty: the column as a whole
  std::string fault;
};
struct CheckReport {
  std::uint64_t rows = 0;
  std::uint64_t findings = 0;
  bool secrets_opened = false;
};

class Inspection {
 public:
  // `path` is the store itself. `secrets` may be null: what is sealed is then not opened.
  // kConflict: it is in use. kNotFound: no store. kInvalid: a newer format. kCorrupt, kInternal: it
  // cannot be opened at all.
  [[nodiscard]] static base::Result<std::unique_ptr<Inspection>> open(const std::string& path,
                                                                      const SecretBox* secrets);
  ~Inspection();
  Inspection(const Inspection&) = delete;
  Inspection& operator=(const Inspection&) = delete;

  // Both read every row. `progress` counts the bytes of rows read, and may give it up (kInvalid).
  [[nodiscard]] base::Result<StoreStats> stats(FileProgress& progress);
  // Every row by its codec, checksum and key; and what rows say of each other. Tells each finding.
  [[nodiscard]] base::Result<CheckReport> check(
      FileProgress& progress, const std::function<void(const Finding&)>& on_finding);

 private:
  struct Opened;
  class Checker;
  explicit Inspection(std::unique_ptr<Opened> opened);

  std::unique_ptr<Opened> opened_;
};

}  // namespace triggerd::store
