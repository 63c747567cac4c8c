// The stores of this folder against the one suite.
#include <gtest/gtest.h>

#include <array>
#include <memory>

#include "store/memory_store.h"
#include "store/rocks_store.h"
#include "tests/store/scratch_folder.h"
#include "tests/store/store_conformance.h"

namespace triggerd::store::testing {
namespace {

class MemoryDriver final : public StoreDriver {
 public:
  Store& open() override { return store_; }
  [[nodiscard]] bool is_durable() const override { return false; }

 private:
  MemoryStore store_;
};

class RocksDriver final : public StoreDriver {
 public:
  Store& open() override {
    store_.reset();
    RocksStoreOptions options;
    options.path = folder_.file("store");
    options.secrets = &secrets_;
    base::Result<std::unique_ptr<RocksStore>> opened = RocksStore::open(options);
    if (!opened.ok()) ADD_FAILURE() << opened.error().message;
    store_ = std::move(opened.value());
    return *store_;
  }
  [[nodiscard]] bool is_durable() const override { return true; }

 private:
  ScratchFolder folder_;
  SecretBox secrets_ = SecretBox::create(std::array<std::uint8_t, 32>{1, 2, 3}).value();
  std::unique_ptr<RocksStore> store_;
};

template <class Driver>
std::unique_ptr<StoreDriver> make_driver() {
  return std::make_unique<Driver>();
}

INSTANTIATE_TEST_SUITE_P(Memory, StoreConformance, ::testing::Values(&make_driver<MemoryDriver>));
INSTANTIATE_TEST_SUITE_P(Rocks, StoreConformance, ::testing::Values(&make_driver<RocksDriver>));

}  // namespace
}  // namespace triggerd::store::testing
