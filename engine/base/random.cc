#include "engine/base/random.h"

#include <bit>

#include "engine/base/assert.h"

namespace triggerd::base {
namespace {

void put_big_endian(std::uint8_t* out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) {
    out[i] = static_cast<std::uint8_t>(value >> (8 * (bytes - 1 - i)));
  }
}

void mark_variant(Uuid& uuid, unsigned version) {
  uuid.bytes[6] = static_cast<std::uint8_t>((uuid.bytes[6] & 0x0fU) | (version << 4));
  uuid.bytes[8] = static_cast<std::uint8_t>((uuid.bytes[8] & 0x3fU) | 0x80U);
}

}  // namespace

std::uint64_t Random::below(std::uint64_t bound) {
  TRIGGERD_ASSERT(bound > 0);
  // Numbers under the threshold would make the low remainders likelier; they are drawn again.
  const std::uint64_t threshold = (0 - bound) % bound;
  std::uint64_t value = next();
  while (value < threshold) value = next();
  return value % bound;
}

double Random::unit() {
  return static_cast<double>(next() >> 11) * 0x1.0p-53;
}

Uuid Random::uuid_v4() {
  Uuid uuid;
  put_big_endian(uuid.bytes.data(), next(), 8);
  put_big_endian(uuid.bytes.data() + 8, next(), 8);
  mark_variant(uuid, 4);
  return uuid;
}

Uuid Random::uuid_v7(WallTime now) {
  Uuid uuid;
  const std::int64_t millis = now.time_since_epoch().count() / 1'000'000;
  put_big_endian(uuid.bytes.data(), static_cast<std::uint64_t>(millis), 6);
  put_big_endian(uuid.bytes.data() + 6, next(), 2);
  put_big_endian(uuid.bytes.data() + 8, next(), 8);
  mark_variant(uuid, 7);
  return uuid;
}

SeededRandom::SeededRandom(std::uint64_t seed) : state_{} {
  // splitmix64 spreads a small seed over the whole state, as xoshiro's authors advise.
  for (std::uint64_t& word : state_) {
    seed += 0x9e3779b97f4a7c15ULL;
    std::uint64_t mixed = seed;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
    word = mixed ^ (mixed >> 31);
  }
}

std::uint64_t SeededRandom::next() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

}  // namespace triggerd::base
