#include "app/mending_reads.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "engine/model/limits.h"

namespace triggerd::app {

model::ReadAnswer read_delivery(store::Store& store, const model::ReadDelivery& asked) {
  const base::Result<std::optional<store::EventRow>> row =
      store.get(store::EventKey{asked.org, asked.event});
  if (!row.ok()) return model::ReadFailed{row.error()};
  if (!row.value()) return model::DeliveryLoaded{};
  base::Result<model::EventPtr> event = store.read_event(row.value()->seq);
  if (!event.ok()) return model::ReadFailed{event.error()};
  if (event.value() == nullptr) return model::DeliveryLoaded{};
  const auto& matches = event.value()->matches;
  const auto match =
      std::find_if(matches.begin(), matches.end(),
                   [&asked](const model::Match& each) { return each.webhook == asked.webhook; });
  if (match == matches.end()) return model::DeliveryLoaded{};
  base::Result<store::ListPage> page =
      store.list(store::ListAttempts{asked.webhook, row.value()->seq});
  if (!page.ok()) return model::ReadFailed{page.error()};
  if (page.value().deliveries.empty()) return model::DeliveryLoaded{};
  const model::LoggedDelivery& line = page.value().deliveries.front();
  model::StoredDelivery delivery;
  delivery.event = std::move(event.value());
  delivery.match = static_cast<std::uint32_t>(match - delivery.event->matches.begin());
  delivery.state = line.state;
  delivery.attempts = line.attempts;
  if (!page.value().pending.empty()) delivery.row = std::move(page.value().pending.front());
  return model::DeliveryLoaded{std::move(delivery)};
}

model::ReadAnswer read_finals(store::Store& store, const model::ReadFinals& asked) {
  base::Result<store::ListPage> page = store.list(store::ListFinals{
      asked.org, asked.webhook, asked.after, asked.since, asked.until, asked.states,
      asked.count_max, model::kRecoverRowsLookedAtMax, model::kRecoverPageBytesMax});
  if (!page.ok()) return model::ReadFailed{page.error()};
  model::FinalsLoaded loaded;
  loaded.deliveries = std::move(page.value().finals);
  loaded.is_end = !page.value().finals_to;
  loaded.position = page.value().finals_to.value_or(asked.after);
  return loaded;
}

}  // namespace triggerd::app
