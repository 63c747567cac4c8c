// Certificates made for one test: an authority, and what it (or a stranger) signs.
#pragma once

#include <memory>
#include <string>

#include <openssl/evp.h>
#include <openssl/x509.h>

namespace triggerd::dispatcher {

struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

struct Identity {
  std::unique_ptr<X509, FreeCertificate> certificate;
  std::unique_ptr<EVP_PKEY, FreeCertificate> key;

  [[nodiscard]] std::string pem() const;
};

[[nodiscard]] Identity make_authority();

struct LeafOptions {
  std::string alternative_names = "DNS:receiver.test";  // as in OpenSSL's subjectAltName
  long not_before_seconds = -3600;                      // from now
  long not_after_seconds = 3600;
};
// `issuer` null: signed by itself.
[[nodiscard]] Identity make_leaf(const Identity* issuer, const LeafOptions& options = {});

}  // namespace triggerd::dispatcher
