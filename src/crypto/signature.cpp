#include "signature.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <memory>

#include "base/check.h"
#include "base/text.h"
#include "openssl_error.h"

namespace cw {
namespace {

struct SignatureScheme {
  std::string_view name;
  int key_type;
  const EVP_MD* (*hash)();
  bool pss;
  std::string_view group;  // ECDSA
  int half;                // ECDSA: bytes of r and of s
};

const SignatureScheme* scheme_of(std::string_view name) {
  static const SignatureScheme schemes[] = {
      {"RS256", EVP_PKEY_RSA, EVP_sha256, false, "", 0},
      {"RS384", EVP_PKEY_RSA, EVP_sha384, false, "", 0},
      {"RS512", EVP_PKEY_RSA, EVP_sha512, false, "", 0},
      {"PS256", EVP_PKEY_RSA, EVP_sha256, true, "", 0},
      {"PS384", EVP_PKEY_RSA, EVP_sha384, true, "", 0},
      {"PS512", EVP_PKEY_RSA, EVP_sha512, true, "", 0},
      {"ES256", EVP_PKEY_EC, EVP_sha256, false, "prime256v1", 32},
      {"ES384", EVP_PKEY_EC, EVP_sha384, false, "secp384r1", 48},
      {"ES512", EVP_PKEY_EC, EVP_sha512, false, "secp521r1", 66},
      {"Ed25519", EVP_PKEY_ED25519, nullptr, false, "", 0},
      {"EdDSA", EVP_PKEY_ED25519, nullptr, false, "", 0},
  };
  for (const SignatureScheme& s : schemes)
    if (s.name == name) return &s;
  return nullptr;
}

const unsigned char* signature_octets(std::string_view s) {
  return reinterpret_cast<const unsigned char*>(s.data());
}

using KeyPointer = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

KeyPointer public_key_from(std::string_view der, const SignatureScheme& scheme) {
  KeyPointer none(nullptr, &EVP_PKEY_free);
  if (der.size() > 8 << 10) return none;
  const unsigned char* at = signature_octets(der);
  KeyPointer key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())), &EVP_PKEY_free);
  if (!key || at != signature_octets(der) + der.size()) return none;
  if (EVP_PKEY_get_base_id(key.get()) != scheme.key_type) return none;
  if (scheme.key_type == EVP_PKEY_RSA) {
    const int bits = EVP_PKEY_get_bits(key.get());
    if (bits < 2048 || bits > 16'384) return none;
  }
  if (scheme.key_type == EVP_PKEY_EC) {
    char group[64];
    std::size_t size = 0;
    if (EVP_PKEY_get_group_name(key.get(), group, sizeof group, &size) != 1) return none;
    if (std::string_view(group, size) != scheme.group) return none;
  }
  return key;
}

// JOSE writes r ‖ s; OpenSSL reads their DER sequence.
std::string der_of_halves(std::string_view signature, int half) {
  std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> pair(openssl_need(ECDSA_SIG_new()),
                                                             &ECDSA_SIG_free);
  BIGNUM* r = openssl_need(BN_bin2bn(signature_octets(signature), half, nullptr));
  BIGNUM* s = openssl_need(BN_bin2bn(signature_octets(signature) + half, half, nullptr));
  openssl_need(ECDSA_SIG_set0(pair.get(), r, s));
  unsigned char* bytes = nullptr;
  const int size = i2d_ECDSA_SIG(pair.get(), &bytes);
  if (size <= 0) openssl_failed();
  std::string out(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return out;
}

std::string digest_with(const EVP_MD* kind, std::string_view data) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  openssl_need(EVP_Digest(data.data(), data.size(), out, &size, kind, nullptr));
  return {reinterpret_cast<const char*>(out), size};
}

}  // namespace

Verdict verify_signature(std::string_view algorithm, std::string_view key, std::string_view message,
                         std::string_view signature) {
  const SignatureScheme* scheme = scheme_of(algorithm);
  if (scheme == nullptr) return Verdict::unsupported;
  const KeyPointer holder = public_key_from(key, *scheme);
  if (!holder) {
    ERR_clear_error();
    return Verdict::bad_key;
  }
  std::string given(signature);
  if (scheme->half != 0 && given.size() == 2 * static_cast<std::size_t>(scheme->half))
    given = der_of_halves(given, scheme->half);
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(openssl_need(EVP_MD_CTX_new()),
                                                                  &EVP_MD_CTX_free);
  EVP_PKEY_CTX* key_context = nullptr;  // owned by `context`
  openssl_need(EVP_DigestVerifyInit(
      context.get(), &key_context, scheme->hash ? scheme->hash() : nullptr, nullptr, holder.get()));
  if (scheme->pss) {
    openssl_need(EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING));
    openssl_need(EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, RSA_PSS_SALTLEN_DIGEST));
  }
  const int good = EVP_DigestVerify(context.get(), signature_octets(given), given.size(),
                                    signature_octets(message), message.size());
  ERR_clear_error();
  return good == 1 ? Verdict::valid : Verdict::invalid;
}

std::string sha384(std::string_view data) { return digest_with(EVP_sha384(), data); }
std::string sha512(std::string_view data) { return digest_with(EVP_sha512(), data); }

std::string uuid_text(std::string_view bytes16, int version) {
  CW_CHECK(bytes16.size() == 16 && version >= 1 && version <= 8);
  std::string bytes(bytes16);
  bytes[6] = static_cast<char>((bytes[6] & 0x0F) | (version << 4));
  bytes[8] = static_cast<char>((bytes[8] & 0x3F) | 0x80);
  std::string out = to_hex(bytes);
  for (const std::size_t at : {8, 13, 18, 23}) out.insert(at, "-");
  return out;
}

std::string uuid_of_name(std::string_view space, std::string_view name) {
  std::string plain;
  for (const char c : space)
    if (c != '-') plain += c;
  const auto bytes = from_hex(plain);
  CW_CHECK(bytes && bytes->size() == 16);
  return uuid_text(digest_with(EVP_sha1(), *bytes + std::string(name)).substr(0, 16), 5);
}

}  // namespace cw
