// What the engine asks of the store in order to give deliveries again. On the reader thread; blocks
// on the disk.
#pragma once

#include "engine/model/output.h"
#include "store/store.h"

namespace triggerd::app {

[[nodiscard]] model::ReadAnswer read_delivery(store::Store& store,
                                              const model::ReadDelivery& asked);
[[nodiscard]] model::ReadAnswer read_finals(store::Store& store, const model::ReadFinals& asked);

}  // namespace triggerd::app
