#include "app/store_watch.h"

#include <utility>

namespace triggerd::app {

StoreWatch::StoreWatch(loop::EventLoop& event_loop, const store::RocksStore& store,
                       base::Duration interval, OnSizes on_sizes)
    : interval_(interval),
      on_sizes_(std::move(on_sizes)),
      timer_(event_loop, [this] { worker_.submit(0); }),
      worker_(
          event_loop, "store-watch", [&store](int) { return store.sizes(); },
          [this](const store::StoreSizes& sizes) {
            on_sizes_(sizes);
            timer_.start_after(interval_);
          }) {}

}  // namespace triggerd::app
