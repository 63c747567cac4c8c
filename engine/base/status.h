// Expected failures of the world around us, as values: never ignored, handled or returned.
// `Status` is success or an `Error`; `Result<T>` is a T or an `Error`.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>

#include "engine/base/assert.h"

namespace triggerd::base {

// What kind of failure; becomes an HTTP status in api/problem and nowhere else.
enum class ErrorCode : std::uint8_t {
  kInvalid,      // the caller's input is wrong; the message names the field and the fix
  kNotFound,     // the thing named does not exist (or belongs to somebody else)
  kConflict,     // the thing exists already
  kTimeout,      // not reached in time; the work may still go on
  kTooLarge,     // over a limit of size
  kOverloaded,   // a queue is at its limit; try again later
  kRateLimited,  // more than the rate allows; try again when the refusal says
  kUnavailable,  // disk full, draining, store poisoned
  kCorrupt,      // stored bytes do not match their checksum or layout
  kInternal,     // an error of a library or of the system that nobody can act on
};

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
};

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::move(error)), ok_(false) {}  // NOLINT: an Error is a Status
  [[nodiscard]] bool ok() const { return ok_; }
  // Requires: !ok().
  [[nodiscard]] const Error& error() const {
    TRIGGERD_ASSERT(!ok_);
    return error_;
  }

 private:
  Error error_;
  bool ok_ = true;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}      // NOLINT: a T is a Result<T>
  Result(Error error) : value_(std::move(error)) {}  // NOLINT: an Error is a Result<T>
  [[nodiscard]] bool ok() const { return value_.index() == 0; }
  // Requires: ok().
  [[nodiscard]] T& value() {
    TRIGGERD_ASSERT(ok());
    return std::get<0>(value_);
  }
  [[nodiscard]] const T& value() const {
    TRIGGERD_ASSERT(ok());
    return std::get<0>(value_);
  }
  // Requires: !ok().
  [[nodiscard]] const Error& error() const {
    TRIGGERD_ASSERT(!ok());
    return std::get<1>(value_);
  }

 private:
  std::variant<T, Error> value_;
};

}  // namespace triggerd::base
