#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include <cstring>
#include <memory>
#include <utility>

#include "base/check.h"
#include "crypto.h"
#include "openssl_error.h"

namespace cw {
namespace {

// Fetching an algorithm takes a lock and a search; once a process is enough.
const EVP_MD* sha256_algorithm() {
  static const EVP_MD* algorithm = openssl_need(EVP_MD_fetch(nullptr, "SHA256", nullptr));
  return algorithm;
}

EVP_MAC* hmac_algorithm() {
  static EVP_MAC* algorithm = openssl_need(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  return algorithm;
}

EVP_KDF* hkdf_algorithm() {
  static EVP_KDF* algorithm = openssl_need(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  return algorithm;
}

void start(EVP_MD_CTX* context) {
  openssl_need(EVP_DigestInit_ex2(context, sha256_algorithm(), nullptr));
}

struct ThreadDigest {
  EVP_MD_CTX* context = openssl_need(EVP_MD_CTX_new());
  ThreadDigest() { start(context); }
  ~ThreadDigest() { EVP_MD_CTX_free(context); }
};

struct ThreadMac {
  EVP_MAC_CTX* context = openssl_need(EVP_MAC_CTX_new(hmac_algorithm()));
  ~ThreadMac() { EVP_MAC_CTX_free(context); }
};

const unsigned char* octets(std::string_view s) {
  static const unsigned char nothing = 0;  // OpenSSL reads a null pointer as "not given"
  return s.empty() ? &nothing : reinterpret_cast<const unsigned char*>(s.data());
}

}  // namespace

Hash hash_from(std::string_view bytes) {
  Hash h;
  CW_CHECK(bytes.size() == h.size());
  std::memcpy(h.data(), bytes.data(), h.size());
  return h;
}

Hash sha256(std::string_view data) { return sha256_of({data}); }

Hash sha256_of(std::initializer_list<std::string_view> parts) {
  thread_local ThreadDigest digest;
  // A null algorithm keeps the one already chosen, which spares the set-up for small inputs.
  openssl_need(EVP_DigestInit_ex2(digest.context, nullptr, nullptr));
  for (std::string_view part : parts) {
    openssl_need(EVP_DigestUpdate(digest.context, part.data(), part.size()));
  }
  Hash out;
  openssl_need(EVP_DigestFinal_ex(digest.context, out.data(), nullptr));
  return out;
}

Sha256::Sha256() : context_(openssl_need(EVP_MD_CTX_new())) {
  start(static_cast<EVP_MD_CTX*>(context_));
}
Sha256::~Sha256() { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context_)); }
Sha256::Sha256(Sha256&& other) noexcept : context_(std::exchange(other.context_, nullptr)) {}
Sha256& Sha256::operator=(Sha256&& other) noexcept {
  std::swap(context_, other.context_);
  return *this;
}

Sha256& Sha256::update(std::string_view data) {
  openssl_need(EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_), data.data(), data.size()));
  return *this;
}

Hash Sha256::finish() {
  Hash out;
  auto* context = static_cast<EVP_MD_CTX*>(context_);
  openssl_need(EVP_DigestFinal_ex(context, out.data(), nullptr));
  start(context);
  return out;
}

Hash hmac_sha256(std::string_view key, std::string_view data) {
  thread_local ThreadMac mac;
  char digest[] = "SHA256";
  OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                         OSSL_PARAM_construct_end()};
  openssl_need(EVP_MAC_init(mac.context, octets(key), key.size(), params));
  openssl_need(EVP_MAC_update(mac.context, octets(data), data.size()));
  Hash out;
  std::size_t size = 0;
  openssl_need(EVP_MAC_final(mac.context, out.data(), &size, out.size()));
  return out;
}

SecretBytes hkdf_sha256(std::string_view ikm, std::string_view salt, std::string_view info,
                        std::size_t size) {
  CW_CHECK(size >= 1 && size <= 255 * 32);
  std::unique_ptr<EVP_KDF_CTX, decltype(&EVP_KDF_CTX_free)> context(
      openssl_need(EVP_KDF_CTX_new(hkdf_algorithm())), &EVP_KDF_CTX_free);
  char digest[] = "SHA256";
  auto octet_param = [](const char* name, std::string_view v) {
    return OSSL_PARAM_construct_octet_string(name, const_cast<unsigned char*>(octets(v)), v.size());
  };
  OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
                         octet_param(OSSL_KDF_PARAM_KEY, ikm),
                         octet_param(OSSL_KDF_PARAM_SALT, salt),
                         octet_param(OSSL_KDF_PARAM_INFO, info), OSSL_PARAM_construct_end()};
  SecretBytes out(size);
  openssl_need(EVP_KDF_derive(context.get(), out.data(), size, params));
  return out;
}

}  // namespace cw
