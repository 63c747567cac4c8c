#include "tests/dispatcher/net/test_certificates.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "engine/base/assert.h"

namespace triggerd::dispatcher {
namespace {

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  TRIGGERD_ASSERT(extension != nullptr);
  TRIGGERD_ASSERT(X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

Identity blank(const char* common_name, long not_before, long not_after) {
  static long serial = 1;
  Identity made;
  made.key.reset(EVP_EC_gen("P-256"));
  made.certificate.reset(X509_new());
  X509* const certificate = made.certificate.get();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate), not_before);
  X509_gmtime_adj(X509_getm_notAfter(certificate), not_after);
  X509_set_pubkey(certificate, made.key.get());
  const std::string name(common_name);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.data()),
                             static_cast<int>(name.size()), -1, 0);
  return made;
}

void sign(Identity& subject, const Identity& issuer) {
  X509_set_issuer_name(subject.certificate.get(), X509_get_subject_name(issuer.certificate.get()));
  TRIGGERD_ASSERT(X509_sign(subject.certificate.get(), issuer.key.get(), EVP_sha256()) > 0);
}

}  // namespace

std::string Identity::pem() const {
  BIO* const bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, certificate.get());
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  std::string text(bytes, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

Identity make_authority() {
  Identity authority = blank("Test Authority", -3600, 3600);
  X509* const certificate = authority.certificate.get();
  add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign");
  sign(authority, authority);
  return authority;
}

Identity make_leaf(const Identity* issuer, const LeafOptions& options) {
  Identity leaf = blank("leaf", options.not_before_seconds, options.not_after_seconds);
  add_extension(leaf.certificate.get(), leaf.certificate.get(), NID_subject_alt_name,
                options.alternative_names);
  sign(leaf, issuer != nullptr ? *issuer : leaf);
  return leaf;
}

}  // namespace triggerd::dispatcher
