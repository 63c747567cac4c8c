// Asks the store for its sizes every now and then, on a thread of its own.
//
// Thread: that of its loop. The store outlives it; the destructor waits for a question under way.
#pragma once

#include <functional>

#include "engine/base/time.h"
#include "engine/loop/event_loop.h"
#include "engine/loop/worker.h"
#include "store/rocks_store.h"

namespace triggerd::app {

class StoreWatch {
 public:
  using OnSizes = std::function<void(const store::StoreSizes&)>;

  StoreWatch(loop::EventLoop& event_loop, const store::RocksStore& store, base::Duration interval,
             OnSizes on_sizes);
  StoreWatch(const StoreWatch&) = delete;
  StoreWatch& operator=(const StoreWatch&) = delete;

  // The first time at once.
  void start() { worker_.submit(0); }

 private:
  base::Duration interval_;
  OnSizes on_sizes_;
  loop::Timer timer_;
  loop::Worker<int, store::StoreSizes> worker_;
};

}  // namespace triggerd::app
