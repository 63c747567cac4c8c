// Scenario: filters, event types, secrets, and what an edge makes of an event before it hands it
// in.
#include <string>
#include <utility>
#include <variant>

#include "engine/model/go_duration.h"
#include "tests/scenarios/scenario.h"

namespace triggerd::testing {

namespace {

// "7" is a number, all else a string.
model::FilterScalar scalar_of(const std::string& text) {
  if (!text.empty() && text.find_first_not_of("0123456789") == std::string::npos) {
    return static_cast<std::int64_t>(number_of(text));
  }
  return text;
}

// "eu" is this value, "eu*" what begins so, "*" anything, "!" nothing, ">7" above it.
model::FilterTest test_of(const std::string& text) {
  if (text == "*") return model::ExistsTest{true};
  if (text == "!") return model::ExistsTest{false};
  if (text.ends_with("*")) return model::PrefixTest{text.substr(0, text.size() - 1)};
  if (text.starts_with(">")) {
    return model::NumericTest{{{model::NumericOperator::kGreater, scalar_of(text.substr(1))}}};
  }
  return model::ExactTest{scalar_of(text)};
}

// "region:eu|us,amount:>7": both fields, each with its alternatives.
model::Filter filter_of(const std::string& text) {
  model::Filter filter;
  filter.text = text;
  for (const std::string& part : list_of(text)) {
    const std::size_t colon = part.find(':');
    model::FilterField field{list_of(part.substr(0, colon), '.'), {}};
    for (const std::string& test : list_of(part.substr(colon + 1), '|')) {
      field.tests.push_back(test_of(test));
    }
    filter.root.fields.push_back(std::move(field));
  }
  return filter;
}

std::optional<model::Filter> filter_in(const Command& command) {
  const auto at = command.settings.find("filter");
  if (at == command.settings.end()) return std::nullopt;
  return filter_of(at->second);
}

}  // namespace

model::DoorRate door_rate_of(const std::string& text) {
  const std::size_t slash = text.find('/');
  return {static_cast<std::uint32_t>(number_of(text.substr(0, slash))),
          static_cast<std::uint32_t>(number_of(text.substr(slash + 1)))};
}

// --- Triggers and event types -----------------------------------------------------------------

void Scenario::add_trigger(const Command& command) {
  request(model::AddTrigger{model::OrgId(id_for(command.word(0))),
                            model::WebhookId(id_for(command.word(1))),
                            command.setting("type", "event"), command.word(2), filter_in(command)});
}

void Scenario::try_filter(const Command& command) {
  model::TestTrigger asked;
  asked.org = model::OrgId(id_for(command.word(0)));
  asked.id = model::WebhookId(id_for(command.word(1)));
  asked.type = command.setting("type", "event");
  asked.name = command.word(2);
  asked.filter = filter_in(command);
  request(std::move(asked));
}

void Scenario::define_event_type(const Command& command) {
  request(model::DefineEventType{model::OrgId(id_for(command.word(0))), command.word(1),
                                 command.setting("description", ""),
                                 command.setting("schema", "")});
}

void Scenario::remove_event_type(const Command& command) {
  request(model::RemoveEventType{model::OrgId(id_for(command.word(0))), command.word(1)});
}

void Scenario::list_event_types(const Command& command) {
  request(model::ListEventTypes{model::OrgId(id_for(command.word(0)))});
}

// --- Secrets ----------------------------------------------------------------------------------

model::SigningSecret Scenario::secret_for(const std::string& label) {
  model::SigningSecret secret;
  const std::uint8_t byte = id_for(label).bytes[15];
  secret.hmac_key[0] = secret.ed25519_seed[0] = secret.ed25519_public[0] = byte;
  return secret;
}

std::string Scenario::label_of(std::uint8_t secret_byte) const {
  for (const auto& [id, name] : names_) {
    if (id.bytes[0] == 0xee && id.bytes[15] == secret_byte) return name;
  }
  return "unknown";
}

void Scenario::rotate_secret(const Command& command) {
  request(model::RotateSecret{model::OrgId(id_for(command.word(0))),
                              model::WebhookId(id_for(command.word(1))),
                              secret_for(command.word(2))});
}

void Scenario::get_secret(const Command& command) {
  request(model::GetSecret{model::OrgId(id_for(command.word(0))),
                           model::WebhookId(id_for(command.word(1)))});
}

std::string Scenario::text_of(const model::SecretRotated& rotated) const {
  std::string text = "secret " + label_of(rotated.secret.hmac_key[0]) + " from " +
                     text_of(rotated.secret.created_at);
  if (rotated.previous_expires_at) {
    text += ", the previous one until " + text_of(*rotated.previous_expires_at);
  }
  return text;
}

std::string Scenario::text_of(const model::SecretReply& secret) const {
  std::string text =
      "public key " + label_of(secret.ed25519_public[0]) + " from " + text_of(secret.created_at);
  if (secret.previous_expires_at) {
    text += ", the previous one until " + text_of(*secret.previous_expires_at);
  }
  return text;
}

std::string Scenario::text_of(const model::Webhook& webhook) const {
  std::string text;
  for (const model::SigningSecret& secret : webhook.secrets) {
    text += ", secret " + label_of(secret.hmac_key[0]) + " from " + text_of(secret.created_at);
    if (secret.expires_at != base::WallTime()) text += " until " + text_of(secret.expires_at);
  }
  return text;
}

std::string Scenario::text_of(const model::Trigger& trigger) const {
  return trigger.filter ? " filter " + trigger.filter->text : "";
}

// --- What an edge does ------------------------------------------------------------------------

void Scenario::note_rules(const model::EffectKind& effect) {
  model::OrgId org;
  if (const auto* changed = std::get_if<model::FilterPathsChanged>(&effect)) {
    org = changed->org;
    rules_[org].version = changed->rules_version;
    rules_[org].paths = changed->paths;
  } else if (const auto* schema = std::get_if<model::EventSchemaChanged>(&effect)) {
    org = schema->org;
    rules_[org].version = schema->rules_version;
    if (schema->schema.empty()) {
      rules_[org].with_schema.erase(schema->event_name);
    } else {
      rules_[org].with_schema.insert(schema->event_name);
    }
  } else {
    return;
  }
  // Who has no rules has no version of them.
  if (rules_[org].paths.empty() && rules_[org].with_schema.empty()) rules_.erase(org);
}

// Settings that are no others are members of the content: "region=eu", "a.b=7".
void Scenario::prepare(const Command& command, model::PublishEvents& asked) const {
  const auto rules = rules_.find(asked.org);
  if (rules != rules_.end()) {
    asked.rules_version = rules->second.version;
    const std::vector<model::FilterPath>& paths = rules->second.paths;
    for (std::uint32_t number = 0; number < paths.size(); ++number) {
      std::string name;
      for (const std::string& member : paths[number]) name += (name.empty() ? "" : ".") + member;
      const auto at = command.settings.find(name);
      if (name.empty() || at == command.settings.end()) continue;
      for (model::NewEvent& event : asked.events) {
        event.attributes.push_back({number, scalar_of(at->second)});
      }
    }
  }
  if (command.settings.contains("rules")) {
    asked.rules_version = number_of(command.setting("rules", ""));
  }
  if (command.settings.contains("fault")) {
    for (model::NewEvent& event : asked.events) {
      event.edge_faults.push_back({base::ErrorCode::kInvalid, command.setting("fault", "")});
    }
  }
  const auto tokens = static_cast<std::uint32_t>(asked.events.size());
  if (command.settings.contains("test")) {
    asked.claims.push_back({model::RateKind::kTestEvents, asked.org, {}, tokens});
  }
  if (const auto client = model::IpAddress::parse(command.setting("sdk", ""))) {
    asked.claims.push_back({model::RateKind::kSdkClient, {}, client->client_network(), tokens});
    asked.claims.push_back({model::RateKind::kSdkOrganization, asked.org, {}, tokens});
  }
}

}  // namespace triggerd::testing
