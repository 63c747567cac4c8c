#include "app/jws_verifier.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <rapidjson/document.h>

#include "dispatcher/base64url.h"
#include "dispatcher/jws.h"

namespace triggerd::app {
namespace {

constexpr std::size_t kCoordinateBytes = 32;
constexpr std::size_t kJwksBytesMax = std::size_t{256} * 1024;
// Strict, and without recursion: how deep the text nests is its sender's choice.
constexpr unsigned kParseFlags =
    rapidjson::kParseValidateEncodingFlag | rapidjson::kParseIterativeFlag;

base::Error invalid(std::string message) {
  return {base::ErrorCode::kInvalid, std::move(message)};
}

// Null when `text` is not one JSON object.
rapidjson::Document parse_object(std::string_view text) {
  rapidjson::Document document;
  document.Parse<kParseFlags>(text.data(), text.size());
  if (document.HasParseError() || !document.IsObject()) document.SetNull();
  return document;
}

// Nothing when the member is absent or not a string.
std::optional<std::string> text_of(const rapidjson::Value& object, const char* name) {
  const auto member = object.FindMember(name);
  if (member == object.MemberEnd() || !member->value.IsString()) return std::nullopt;
  return std::string(member->value.GetString(), member->value.GetStringLength());
}

std::optional<std::int64_t> seconds_of(const rapidjson::Value& object, const char* name) {
  const auto member = object.FindMember(name);
  if (member == object.MemberEnd() || !member->value.IsInt64()) return std::nullopt;
  return member->value.GetInt64();
}

// Null when the coordinates are not a point of P-256.
EVP_PKEY* public_key(std::string_view x, std::string_view y) {
  std::string group = "prime256v1";
  std::string point = "\x04";
  point.append(x).append(y);
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
      OSSL_PARAM_construct_end()};
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr);
  EVP_PKEY* key = nullptr;
  if (context != nullptr && EVP_PKEY_fromdata_init(context) == 1) {
    EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params);
  }
  EVP_PKEY_CTX_free(context);
  return key;
}

bool signature_holds(EVP_PKEY* key, std::string_view text, std::string_view encoded_signature) {
  const std::optional<std::string> raw = dispatcher::decode_base64url(encoded_signature);
  if (!raw || raw->size() != dispatcher::kEs256SignatureBytes) return false;
  dispatcher::Es256Signature signature{};
  std::copy(raw->begin(), raw->end(), signature.begin());
  const std::string der = dispatcher::signature_to_der(signature);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  const bool holds =
      context != nullptr &&
      EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key) == 1 &&
      EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(der.data()), der.size(),
                       reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
  EVP_MD_CTX_free(context);
  return holds;
}

// The claims of a signed text; the first that is missing or of the wrong type is the error.
base::Result<JwsClaims> read_claims(std::string text) {
  const rapidjson::Document document = parse_object(text);
  if (document.IsNull()) return invalid("the claims are not a JSON object");
  JwsClaims claims;
  const std::pair<const char*, std::string*> texts[] = {{"aud", &claims.audience},
                                                        {"iss", &claims.issuer},
                                                        {"jti", &claims.token_id},
                                                        {"sub", &claims.subject},
                                                        {"target_url", &claims.target_url},
                                                        {"trigger_name", &claims.trigger_name},
                                                        {"trigger_type", &claims.trigger_type},
                                                        {"webhook_id", &claims.webhook_id}};
  for (const auto& [name, where] : texts) {
    std::optional<std::string> value = text_of(document, name);
    if (!value) return invalid(std::string("the claim ") + name + " is missing or not a string");
    *where = std::move(*value);
  }
  const std::optional<std::int64_t> issued_at = seconds_of(document, "iat");
  const std::optional<std::int64_t> expires_at = seconds_of(document, "exp");
  if (!issued_at || !expires_at) return invalid("iat or exp is missing or not an integer");
  const auto content = document.FindMember("trigger_content");
  if (content == document.MemberEnd() || !content->value.IsObject()) {
    return invalid("the claim trigger_content is missing or not an object");
  }
  claims.issued_at = *issued_at;
  claims.expires_at = *expires_at;
  claims.text = std::move(text);
  return claims;
}

base::Status check(const JwsClaims& claims, const JwsExpectations& expected) {
  if (base::unix_seconds(expected.now - expected.leeway) >= claims.expires_at) {
    return invalid("the token has expired: exp " + std::to_string(claims.expires_at));
  }
  if (claims.issued_at > base::unix_seconds(expected.now + expected.leeway)) {
    return invalid("the token is from the future: iat " + std::to_string(claims.issued_at) +
                   "; compare the clocks");
  }
  if (!expected.audience.empty() && claims.audience != expected.audience) {
    return invalid("aud is another organization: " + claims.audience);
  }
  if (!expected.target_url.empty() && claims.target_url != expected.target_url) {
    return invalid("target_url is another receiver: " + claims.target_url);
  }
  return {};
}

}  // namespace

base::Result<JwsVerifier> JwsVerifier::create(std::string_view jwks) {
  if (jwks.size() > kJwksBytesMax) return invalid("the JWKS is longer than 256 KiB");
  const rapidjson::Document document = parse_object(jwks);
  if (document.IsNull()) return invalid("the JWKS is not a JSON object");
  const auto list = document.FindMember("keys");
  if (list == document.MemberEnd() || !list->value.IsArray()) {
    return invalid("the JWKS has no array `keys`");
  }
  if (list->value.Size() > kKeysMax) return invalid("the JWKS holds more than 64 keys");
  Keys keys;
  for (const rapidjson::Value& jwk : list->value.GetArray()) {
    if (!jwk.IsObject() || text_of(jwk, "kty") != "EC" || text_of(jwk, "crv") != "P-256" ||
        text_of(jwk, "alg") != "ES256" || text_of(jwk, "use").value_or("sig") != "sig") {
      continue;
    }
    const std::optional<std::string> kid = text_of(jwk, "kid");
    const auto x = dispatcher::decode_base64url(text_of(jwk, "x").value_or(""));
    const auto y = dispatcher::decode_base64url(text_of(jwk, "y").value_or(""));
    if (!kid || !x || !y || x->size() != kCoordinateBytes || y->size() != kCoordinateBytes) {
      return invalid("an ES256 key of the JWKS lacks kid, x or y, or they are malformed");
    }
    EVP_PKEY* const key = public_key(*x, *y);
    if (key == nullptr) return invalid("key " + *kid + " of the JWKS is not a point of P-256");
    keys[*kid].reset(key);
  }
  if (keys.empty()) return invalid("the JWKS holds no ES256 key");
  return JwsVerifier(std::move(keys));
}

base::Result<JwsClaims> JwsVerifier::verify(std::string_view token,
                                            const JwsExpectations& expected) const {
  if (token.size() > kTokenBytesMax) return invalid("the token is longer than 1 MiB");
  const std::size_t first = token.find('.');
  const std::size_t last = token.rfind('.');
  if (first == std::string_view::npos || first == last) {
    return invalid("the token is not header.payload.signature");
  }
  const std::string_view payload = token.substr(first + 1, last - first - 1);
  base::Result<std::string> kid = kid_of(token.substr(0, first));
  if (!kid.ok()) return kid.error();
  if (!signature_holds(keys_.at(kid.value()).get(), token.substr(0, last),
                       token.substr(last + 1))) {
    return invalid("the signature does not hold for key " + kid.value());
  }
  std::optional<std::string> text = dispatcher::decode_base64url(payload);
  if (!text) return invalid("the payload is not base64url");
  base::Result<JwsClaims> claims = read_claims(std::move(*text));
  if (!claims.ok()) return claims.error();
  if (base::Status status = check(claims.value(), expected); !status.ok()) return status.error();
  claims.value().kid = std::move(kid.value());
  return claims;
}

// The kid of a header that names ES256 and a key we have.
base::Result<std::string> JwsVerifier::kid_of(std::string_view header) const {
  const std::optional<std::string> text = dispatcher::decode_base64url(header);
  if (!text) return invalid("the header is not base64url");
  const rapidjson::Document document = parse_object(*text);
  if (document.IsNull()) return invalid("the header is not a JSON object");
  if (text_of(document, "alg") != "ES256") return invalid("the algorithm is not ES256");
  // RFC 7515 section 4.1.11: who does not understand what is critical refuses.
  if (document.HasMember("crit")) return invalid("the header has critical members");
  std::optional<std::string> kid = text_of(document, "kid");
  if (!kid) return invalid("the header has no kid");
  if (keys_.find(*kid) == keys_.end()) return invalid("no key is published for kid " + *kid);
  return std::move(*kid);
}

}  // namespace triggerd::app
