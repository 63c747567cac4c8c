#include "dispatcher/classify.h"

#include <cerrno>
#include <string>
#include <utility>

#include <openssl/x509_vfy.h>

#include "engine/base/assert.h"

namespace triggerd::dispatcher {
namespace {

using model::Outcome;
using model::OutcomeClass;

Outcome outcome(OutcomeClass kind, std::string detail) {
  Outcome made;
  made.kind = kind;
  made.detail = std::move(detail);
  return made;
}

Outcome by_status(std::uint16_t status) {
  const bool ok = status >= 200 && status <= 299;
  Outcome made;
  made.kind = ok ? OutcomeClass::kOk : OutcomeClass::kHttpError;
  made.http_status = status;
  if (!ok) made.detail = "the receiver answered " + std::to_string(status);
  if (status >= 300 && status <= 399) made.detail += "; redirects are not followed";
  return made;
}

std::string connect_fault(int os_errno) {
  switch (os_errno) {
    case ECONNREFUSED:
      return "connection refused";
    case ECONNRESET:
    case EPIPE:
      return "connection reset";
    case ENETUNREACH:
    case EHOSTUNREACH:
      return "the receiver's network cannot be reached";
    default:
      return "no connection could be made";
  }
}

std::string certificate_fault(long verify_result) {
  // libcurl leaves it unspecified when the chain is good and the name is not.
  if (verify_result == X509_V_OK || verify_result == X509_V_ERR_UNSPECIFIED) {
    return "the certificate is not for this host";
  }
  return std::string("the certificate is not trusted: ") +
         X509_verify_cert_error_string(verify_result);
}

Outcome broken_off(const TransferEnd& end) {
  if (end.answer_began) return outcome(OutcomeClass::kProtocol, "the answer broke off");
  return outcome(OutcomeClass::kConnect, end.os_errno != 0
                                             ? connect_fault(end.os_errno) + " before an answer"
                                             : "connection closed before an answer");
}

Outcome timed_out(const TransferEnd& end) {
  if (!end.connected) {
    return outcome(OutcomeClass::kTimeout, "no connection within the timeout");
  }
  return outcome(OutcomeClass::kTimeout, end.answer_began
                                             ? "the answer was not complete within the timeout"
                                             : "no answer within the timeout");
}

Outcome of_code(const TransferEnd& end) {
  switch (end.code) {
    case CURLE_OPERATION_TIMEDOUT:
      return timed_out(end);
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED:
      return outcome(OutcomeClass::kConnect, connect_fault(end.os_errno));
    case CURLE_COULDNT_RESOLVE_HOST:
      return outcome(OutcomeClass::kDns, "the name has no usable address");
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
      return broken_off(end);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return outcome(OutcomeClass::kTls, certificate_fault(end.verify_result));
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_SHUTDOWN_FAILED:
    case CURLE_USE_SSL_FAILED:
      return outcome(OutcomeClass::kTls, "the TLS handshake failed");
    case CURLE_UNSUPPORTED_PROTOCOL:  // an answer like HTTP/0.9
    case CURLE_WEIRD_SERVER_REPLY:
      return outcome(OutcomeClass::kProtocol, "the answer is not HTTP");
    case CURLE_PARTIAL_FILE:
      return outcome(OutcomeClass::kProtocol, "the answer broke off");
    case CURLE_OUT_OF_MEMORY:  // how libcurl reports a header line over its own limit
      return outcome(OutcomeClass::kProtocol, "a header of the answer is too long");
    default:
      return outcome(end.connected ? OutcomeClass::kProtocol : OutcomeClass::kConnect,
                     std::string("the call failed: ") + curl_easy_strerror(end.code));
  }
}

}  // namespace

NextStep next_step(const TransferEnd& end) {
  if (end.code == CURLE_OK || end.blocked || end.no_descriptor) return NextStep::kDone;
  const bool broken =
      end.code == CURLE_SEND_ERROR || end.code == CURLE_RECV_ERROR || end.code == CURLE_GOT_NOTHING;
  if (broken && end.reused_connection && !end.answer_began) return NextStep::kFreshConnection;
  if (!end.connected && !end.reused_connection &&
      (end.code == CURLE_COULDNT_CONNECT || end.code == CURLE_OPERATION_TIMEDOUT)) {
    return NextStep::kNextAddress;
  }
  return NextStep::kDone;
}

Outcome classify(const TransferEnd& end) {
  if (end.blocked) return blocked_outcome();
  if (end.no_descriptor) return busy_outcome();
  if (end.head_over_limit) {
    return outcome(OutcomeClass::kProtocol, "the answer's headers are over 64 KiB");
  }
  // A receiver may answer before it has read everything, and may go on for ever: the status counts.
  const bool answered = end.http_status != 0;
  if (answered && (end.code == CURLE_OK || end.body_cut || end.code == CURLE_SEND_ERROR)) {
    return by_status(end.http_status);
  }
  // An end before the end of the head is none of libcurl's errors.
  if (end.code == CURLE_OK) {
    return outcome(OutcomeClass::kProtocol, "the answer broke off in its head");
  }
  if (!end.connected && end.tunnel_status != 0 && end.tunnel_status / 100 != 2) {
    return outcome(OutcomeClass::kConnect,
                   "the egress proxy answered " + std::to_string(end.tunnel_status));
  }
  Outcome made = of_code(end);
  made.http_status = end.http_status;
  return made;
}

Outcome classify_lookup(Resolution::Result result) {
  TRIGGERD_ASSERT(result != Resolution::Result::kFound);
  switch (result) {
    case Resolution::Result::kNoAddress:
      return outcome(OutcomeClass::kDns, "the name has no address");
    case Resolution::Result::kTimeout:
      return outcome(OutcomeClass::kDns, "the name servers did not answer in time");
    default:
      return outcome(OutcomeClass::kDns, "the name servers could not answer");
  }
}

Outcome blocked_outcome() {
  return outcome(OutcomeClass::kBlocked,
                 "the target's address may not be called: it is not public, and [targets] "
                 "allow_networks does not admit it");
}

Outcome cancelled_outcome() {
  return outcome(OutcomeClass::kCancelled, "cancelled");
}

Outcome busy_outcome() {
  return outcome(OutcomeClass::kBusy, "too many calls under way");
}

Outcome timeout_outcome() {
  return outcome(OutcomeClass::kTimeout, "no connection within the timeout");
}

}  // namespace triggerd::dispatcher
