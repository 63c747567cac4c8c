// The parts of an engine, in the order in which they depend on each other. Internal to core.
#pragma once

#include <string>

#include "engine/base/random.h"
#include "engine/core/deliveries.h"
#include "engine/core/door.h"
#include "engine/core/engine.h"
#include "engine/core/event_catalogue.h"
#include "engine/core/hook_calls.h"
#include "engine/core/mending.h"
#include "engine/core/operational_events.h"
#include "engine/core/outbox.h"
#include "engine/core/publish_waits.h"
#include "engine/core/publisher.h"
#include "engine/core/recover_jobs.h"
#include "engine/core/registry.h"
#include "engine/core/registry_requests.h"
#include "engine/core/signing_keys.h"
#include "engine/core/trigger_filters.h"

namespace triggerd::core {

struct Engine::Parts {
  Parts(EngineOptions given, base::Random& random);

  // Puts Counters into the batch when what must not run back has moved, and from time to time so
  // that a recovery begins its scan late.
  void write_counters();

  // Ends every input that is not a hook's: what was found out becomes events, what may start
  // starts.
  void advance(base::Now now);

  EngineOptions options;
  std::uint64_t seed;  // of hash tables; drawn first
  Outbox outbox;
  EventCatalogue catalogue;
  TriggerFilters filters;
  Registry registry;
  PublishWaits waits;
  Deliveries deliveries;
  RegistryRequests registry_requests;
  Door door;
  Publisher publisher;
  SigningKeys signing_keys;
  HookCalls hooks;
  Mending mending;
  RecoverJobs recover_jobs;
  OperationalEvents operational_events;

  model::Counters stored;  // as last written or loaded
  bool loaded = false;     // something came from the store
  bool counters_wanted = false;
};

}  // namespace triggerd::core
