// What the store says of deliveries that are over, out of its tables.
#pragma once

#include "engine/model/output.h"
#include "tests/support/store_tables.h"

namespace triggerd::sim {

[[nodiscard]] model::DeliveryLoaded delivery_of(const support::StoreTables& tables,
                                                const model::ReadDelivery& asked);
[[nodiscard]] model::FinalsLoaded finals_of(const support::StoreTables& tables,
                                            const model::ReadFinals& asked);

}  // namespace triggerd::sim
