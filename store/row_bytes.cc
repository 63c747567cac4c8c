#include "store/row_bytes.h"

namespace triggerd::store {

void RowReader::text(std::string& value, std::size_t bytes_max) {
  const std::uint64_t size = take_number();
  if (size > bytes_max || size > in_.size()) {
    fail();
    return;
  }
  value.assign(in_.substr(0, static_cast<std::size_t>(size)));
  in_.remove_prefix(static_cast<std::size_t>(size));
}

std::uint64_t RowReader::take_number() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const std::uint8_t byte = take();
    const std::uint64_t bits = byte & 0x7fU;
    value |= bits << shift;
    if ((value >> shift) != bits) break;
    if ((byte & 0x80U) != 0) continue;
    if (byte == 0 && shift > 0) break;
    return ok_ ? value : 0;
  }
  fail();
  return 0;
}

}  // namespace triggerd::store
