// Engine: rebuilt from stored records, and the text of what must survive.
#include <type_traits>
#include <utility>
#include <variant>

#include "engine/core/engine.h"
#include "engine/core/engine_parts.h"

namespace triggerd::core {

using base::Now;

namespace {

// Only what is set, so that most webhooks take no line.
void append_settings(const model::Webhook& webhook, std::string& out) {
  const auto number = [&out](const char* name, auto value) {
    if (value)
      out += std::string("    ") + name + " " + std::to_string(static_cast<int>(*value)) + "\n";
  };
  const model::DeliverySettings& settings = webhook.delivery;
  number("format", settings.format);
  number("signatures", settings.signatures);
  number("max in flight", settings.max_in_flight);
  number("ordering", settings.ordering);
  number("on failure", settings.on_failure);
  if (settings.rate) {
    out += "    rate " + std::to_string(settings.rate->per_second_thousandths) + "/" +
           std::to_string(settings.rate->burst) + "\n";
  }
  if (settings.schedule) {
    out += "    schedule";
    for (const base::Duration delay : *settings.schedule)
      out += " " + std::to_string(delay.count());
    out += "\n";
  }
  if (webhook.failing_since != base::WallTime()) {
    out += "    failing since " + base::to_rfc3339(webhook.failing_since) + "\n";
  }
}

}  // namespace

void Engine::load(model::Record record) {
  Parts& parts = *parts_;
  // A signing key alone is what a new installation begins with: there are no events before it.
  if (!std::holds_alternative<model::SigningKey>(record)) parts.loaded = true;
  std::visit(
      [&parts](auto&& row) {
        using Row = std::decay_t<decltype(row)>;
        if constexpr (std::is_same_v<Row, model::Organization>) {
          parts.registry.add_organization(std::forward<decltype(row)>(row));
        } else if constexpr (std::is_same_v<Row, model::ApiKey>) {
          parts.outbox.emit(model::BatchSeq(0), model::ApiKeyAdded{row});
          parts.registry.add_api_key(std::forward<decltype(row)>(row));
        } else if constexpr (std::is_same_v<Row, model::Webhook>) {
          parts.registry.add_webhook(
              std::make_shared<model::Webhook>(std::forward<decltype(row)>(row)));
        } else if constexpr (std::is_same_v<Row, model::Trigger>) {
          parts.registry.add_trigger(row);
          if (row.filter) parts.filters.set(row.org, row.generation, *row.filter);
        } else if constexpr (std::is_same_v<Row, model::EventType>) {
          parts.catalogue.put(row);
        } else if constexpr (std::is_same_v<Row, model::RecoverJob>) {
          parts.recover_jobs.load(std::forward<decltype(row)>(row));
        } else if constexpr (std::is_same_v<Row, model::PendingChunk>) {
          parts.publisher.raise_next_event(model::EventSeq(row.seq.value() + 1));
          parts.deliveries.load(row);
        } else if constexpr (std::is_same_v<Row, model::Counters>) {
          parts.registry.raise_counters(row.next_webhook, row.next_generation);
          parts.publisher.raise_next_event(row.next_event);
          parts.stored = row;
        } else {
          static_assert(std::is_same_v<Row, model::SigningKey>);
          parts.signing_keys.load(std::forward<decltype(row)>(row));
        }
      },
      std::move(record));
}

void Engine::recovered(Now now) {
  Parts& parts = *parts_;
  if (!parts.loaded) return;
  // Any event may have been stored under an id that is not in memory.
  parts.publisher.recovered();
  parts.filters.tell_all_paths(parts.outbox);
  for (const model::EventType& type : parts.catalogue.said()) {
    if (type.schema.empty()) continue;
    parts.filters.tell_schema(type.org, type.name, type.schema, parts.outbox);
  }
  parts.deliveries.recovered(now);
  parts.recover_jobs.recovered(now);
}

std::string Engine::durable_state() const {
  const Parts& parts = *parts_;
  std::string out;
  parts.signing_keys.append_durable_state(out);
  for (const model::Organization& organization : parts.registry.organizations()) {
    out += "org " + organization.id.to_string() + " " + organization.name + " created " +
           base::to_rfc3339(organization.created_at) + "\n";
    const OrganizationEntry& entry = *parts.registry.organization(organization.id);
    for (const model::ApiKey& key : entry.api_keys) {
      out += "  key " + key.id.to_string() + " " + key.name + " scopes " +
             std::to_string(key.scopes) + " created " + base::to_rfc3339(key.created_at) + "\n";
    }
    for (const model::EventType& type : parts.catalogue.said_by(organization.id)) {
      out += "  event type " + type.name + " description " + type.description + " schema " +
             type.schema + " created " + base::to_rfc3339(type.created_at) + "\n";
    }
    for (const model::WebhookRef ref : entry.webhooks) {
      const model::Webhook& webhook = *parts.registry.peek(ref);
      out += "  webhook " + std::to_string(ref.value()) + " " + webhook.id.to_string() + " " +
             webhook.target_url + " name " + webhook.name + " description " + webhook.description +
             " timeout " + std::to_string(webhook.timeout.count()) + " state " +
             std::to_string(static_cast<int>(webhook.state)) + "/" +
             std::to_string(static_cast<int>(webhook.disabled_reason)) + " created " +
             base::to_rfc3339(webhook.created_at) + "\n";
      for (const model::SigningSecret& secret : webhook.secrets) {
        out += "    secret " + std::to_string(secret.hmac_key[0]) + " created " +
               base::to_rfc3339(secret.created_at) + " expires " +
               base::to_rfc3339(secret.expires_at) + "\n";
      }
      append_settings(webhook, out);
      for (const model::Header& header : webhook.custom_headers) {
        out += "    header " + header.name;
        for (const std::string& value : header.values) out += " [" + value + "]";
        out += "\n";
      }
      for (const model::Trigger& trigger : parts.registry.triggers(ref)) {
        out += "    trigger " + std::to_string(static_cast<int>(trigger.type)) + " " +
               trigger.name + " generation " + std::to_string(trigger.generation.value());
        if (const model::Filter* filter = parts.filters.shown(trigger.generation)) {
          out += " filter " + filter->text;
        }
        out += "\n";
      }
    }
  }
  parts.recover_jobs.append_durable_state(out);
  parts.deliveries.append_durable_state(out);
  return out;
}

}  // namespace triggerd::core
