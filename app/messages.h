// What the threads of the process say to each other. Every message is a value.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "dispatcher/ca_store.h"
#include "dispatcher/key_ring.h"
#include "engine/base/status.h"
#include "engine/model/feed.h"
#include "engine/model/output.h"

namespace triggerd::app {

struct Config;

// --- I/O thread → engine thread ---------------------------------------------------------------

struct Submitted {
  model::RequestId id;
  model::Request request;
};
// Nobody waits for the reply any more.
struct RequestCancelled {
  model::RequestId id;
};
// The live feed of an organization is wanted here, or no more (app/live_feed).
struct WatchFeed {
  unsigned thread = 0;
  model::OrgId org;
  std::uint64_t number = 0;
};
struct UnwatchFeed {
  unsigned thread = 0;
  model::OrgId org;
};
struct AttemptFinished {
  model::AttemptId id;
  model::Outcome outcome;
};
// Every request that the I/O thread took is answered; it accepts no more.
struct IoDrained {
  unsigned thread = 0;
};
// Nothing is under way there any more; the thread leaves its loop.
struct IoStopped {
  unsigned thread = 0;
};
// A signal, or whoever runs the server, wants it to end gracefully.
struct StopRequested {};
// The answer to StartListening.
struct Listening {
  unsigned thread = 0;
  base::Result<std::uint16_t> port;
};
using EngineMessage = std::variant<Submitted, RequestCancelled, WatchFeed, UnwatchFeed,
                                   AttemptFinished, IoDrained, IoStopped, StopRequested, Listening>;

// --- Engine thread → I/O thread ---------------------------------------------------------------

// Why the process is not ready to serve; empty where it is.
struct Readiness {
  std::string store_fault;
  std::string serving_fault;
};
// Open the listener on this port (0: choose one).
struct StartListening {
  std::uint16_t port = 0;
};
// Accept no more, answer what is under way, then say IoDrained.
struct DrainIo {};
// Drop connections, cancel calls, then say IoStopped.
struct StopIo {};
// Sign with these keys from now on.
struct UseKeyRing {
  std::shared_ptr<const dispatcher::KeyRing> ring;
};
// The configuration was read again: what can change while it runs is as it says.
struct UseSettings {
  std::shared_ptr<const Config> config;
  std::shared_ptr<X509_STORE> authorities;  // shared by all loops: OpenSSL locks it
};
using IoMessage = std::variant<model::SendReply, model::StartAttempt, model::CancelAttempt,
                               model::EdgeChange, model::FeedBegun, model::FeedPart, UseKeyRing,
                               UseSettings, Readiness, StartListening, DrainIo, StopIo>;

// A RequestId carries the I/O thread that waits for the reply in its upper byte.
inline constexpr unsigned kThreadBits = 56;
[[nodiscard]] inline model::RequestId request_id(unsigned thread, std::uint64_t number) {
  return model::RequestId((static_cast<std::uint64_t>(thread) << kThreadBits) | number);
}
[[nodiscard]] inline unsigned thread_of(model::RequestId id) {
  return static_cast<unsigned>(id.value() >> kThreadBits);
}
// Requests of the engine thread's own (bootstrap).
inline constexpr unsigned kOwnThread = 255;

}  // namespace triggerd::app
