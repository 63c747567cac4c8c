// One suite for every implementation of store::Store. An implementation is a StoreDriver; its tests
// are instantiated with
//   INSTANTIATE_TEST_SUITE_P(Memory, StoreConformance, testing::Values(&make_memory_driver));
// and link the sources of store_conformance.cc.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "store/store.h"

namespace triggerd::store::testing {

// Owns what outlives a store: a folder, a key.
class StoreDriver {
 public:
  virtual ~StoreDriver() = default;
  // The store, opened; reopening closes the one before. Never null.
  virtual Store& open() = 0;
  // Does what was committed survive close and open?
  [[nodiscard]] virtual bool is_durable() const = 0;
};
using MakeStoreDriver = std::unique_ptr<StoreDriver> (*)();

class StoreConformance : public ::testing::TestWithParam<MakeStoreDriver> {
 protected:
  void SetUp() override {
    driver_ = GetParam()();
    store_ = &driver_->open();
  }
  // For stores that last: everything must hold again after it.
  void reopen() {
    if (driver_->is_durable()) store_ = &driver_->open();
  }
  Store& store() { return *store_; }
  // A new, empty store.
  void driver_again() {
    driver_ = GetParam()();
    store_ = &driver_->open();
  }

 private:
  std::unique_ptr<StoreDriver> driver_;
  Store* store_ = nullptr;
};

}  // namespace triggerd::store::testing
