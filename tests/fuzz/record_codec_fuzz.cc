// Stored rows: decode() accepts only what encode() makes, byte for byte. The first byte of a case
// is the row's kind, the rest its body; version and checksum are put around it, because no mutation
// finds a checksum. The case as it stands is given to every decode() too.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <xxhash.h>

#include "engine/base/assert.h"
#include "store/codec.h"
#include "tests/fuzz/fuzz_input.h"

namespace {

namespace model = triggerd::model;
namespace store = triggerd::store;

template <class Record>
bool check(std::string_view row) {
  const triggerd::base::Result<Record> record = store::decode<Record>(row);
  if (!record.ok()) {
    TRIGGERD_ASSERT(record.error().code == triggerd::base::ErrorCode::kCorrupt);
    return false;
  }
  std::string again;
  store::encode(record.value(), again);
  TRIGGERD_ASSERT(again == row);
  return true;
}

// A row is of one kind at most.
void check_all(std::string_view row) {
  const int accepted = check<model::Organization>(row) + check<model::ApiKey>(row) +
                       check<store::WebhookRow>(row) + check<model::Trigger>(row) +
                       check<model::Event>(row) + check<model::PendingChunk>(row) +
                       check<model::AttemptRecord>(row) + check<model::SigningKey>(row) +
                       check<model::Counters>(row) + check<store::EventRow>(row) +
                       check<store::WebhookSecrets>(row) + check<model::EventSummary>(row) +
                       check<model::RecoverJob>(row);
  TRIGGERD_ASSERT(accepted <= 1);
}

std::string framed(std::string_view kind_and_body) {
  std::string row(1, static_cast<char>(store::kRowVersion));
  row += kind_and_body;
  const std::uint64_t checksum = XXH3_64bits(row.data(), row.size());
  for (unsigned shift = 0; shift < 64; shift += 8) {
    row.push_back(static_cast<char>(static_cast<std::uint8_t>(checksum >> shift)));
  }
  return row;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text = triggerd::fuzz::Input(bytes, size).rest();
  check_all(text);
  check_all(framed(text));
  return 0;
}
