#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <utility>

#include "base/check.h"
#include "crypto.h"
#include "openssl_error.h"

namespace cw {
namespace {

constexpr std::size_t nonce_size = 12;
constexpr std::size_t tag_size = 16;
constexpr std::size_t plaintext_max = (std::size_t{1} << 31) - 1;

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

CipherContext cipher_context() {
  return {openssl_need(EVP_CIPHER_CTX_new()), &EVP_CIPHER_CTX_free};
}

const EVP_CIPHER* aes256gcm() {
  static const EVP_CIPHER* algorithm =
      openssl_need(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr));
  return algorithm;
}

const unsigned char* u8(std::string_view s) {
  return reinterpret_cast<const unsigned char*>(s.data());
}

// Decrypts into `out`, which has room for the plaintext. False when the tag does not fit.
bool open_into(std::string_view key, std::string_view box, std::string_view aad,
               unsigned char* out) {
  std::string_view nonce = box.substr(0, nonce_size);
  std::string_view tag = box.substr(box.size() - tag_size);
  std::string_view text = box.substr(nonce_size, box.size() - nonce_size - tag_size);
  CipherContext context = cipher_context();
  openssl_need(EVP_DecryptInit_ex2(context.get(), aes256gcm(), u8(key), u8(nonce), nullptr));
  openssl_need(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, tag_size,
                                   const_cast<char*>(tag.data())));
  int size = 0;
  if (!aad.empty())
    openssl_need(EVP_DecryptUpdate(context.get(), nullptr, &size, u8(aad), int(aad.size())));
  if (!text.empty())
    openssl_need(EVP_DecryptUpdate(context.get(), out, &size, u8(text), int(text.size())));
  unsigned char rest[16];
  bool good = EVP_DecryptFinal_ex(context.get(), rest, &size) == 1;
  if (!good) ERR_clear_error();
  return good;
}

// The plaintext's size, or nothing when this cannot be a box.
std::optional<std::size_t> opened_size(std::string_view box, std::string_view aad) {
  if (box.size() < aead_overhead || box.size() - aead_overhead > plaintext_max) return std::nullopt;
  CW_CHECK(aad.size() <= plaintext_max);
  return box.size() - aead_overhead;
}

EVP_PKEY* as_pkey(void* key) { return static_cast<EVP_PKEY*>(key); }

}  // namespace

std::string aead_seal(std::string_view key, std::string_view plaintext, std::string_view aad,
                      Random& random) {
  CW_CHECK(key.size() == aead_key_size);
  CW_CHECK(plaintext.size() <= plaintext_max && aad.size() <= plaintext_max);
  std::string box(aead_overhead + plaintext.size(), '\0');
  random.fill(box.data(), nonce_size);
  auto* out = reinterpret_cast<unsigned char*>(box.data());
  CipherContext context = cipher_context();
  openssl_need(EVP_EncryptInit_ex2(context.get(), aes256gcm(), u8(key), out, nullptr));
  int size = 0;
  if (!aad.empty())
    openssl_need(EVP_EncryptUpdate(context.get(), nullptr, &size, u8(aad), int(aad.size())));
  if (!plaintext.empty())
    openssl_need(EVP_EncryptUpdate(context.get(), out + nonce_size, &size, u8(plaintext),
                                   int(plaintext.size())));
  unsigned char rest[16];
  openssl_need(EVP_EncryptFinal_ex(context.get(), rest, &size));
  openssl_need(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, tag_size,
                                   out + nonce_size + plaintext.size()));
  return box;
}

std::optional<std::string> aead_open(std::string_view key, std::string_view box,
                                     std::string_view aad) {
  CW_CHECK(key.size() == aead_key_size);
  auto size = opened_size(box, aad);
  if (!size) return std::nullopt;
  std::string out(*size, '\0');
  if (!open_into(key, box, aad, reinterpret_cast<unsigned char*>(out.data()))) {
    wipe(out);  // nothing unauthenticated is left behind
    return std::nullopt;
  }
  return out;
}

std::optional<SecretBytes> aead_open_secret(std::string_view key, std::string_view box,
                                            std::string_view aad) {
  CW_CHECK(key.size() == aead_key_size);
  auto size = opened_size(box, aad);
  if (!size) return std::nullopt;
  SecretBytes out(*size);
  if (!open_into(key, box, aad, out.data())) return std::nullopt;
  return out;
}

SigningKey SigningKey::generate(Random& random) {
  return from_seed(SecretBytes::random(32, random).view());
}

SigningKey SigningKey::from_seed(std::string_view seed32) {
  CW_CHECK(seed32.size() == 32);
  SigningKey made;
  made.seed_ = SecretBytes::copy(seed32);
  EVP_PKEY* key = openssl_need(
      EVP_PKEY_new_raw_private_key_ex(nullptr, "ED25519", nullptr, u8(seed32), seed32.size()));
  made.key_ = key;
  made.public_key_.resize(32);
  std::size_t size = 32;
  openssl_need(EVP_PKEY_get_raw_public_key(
      key, reinterpret_cast<unsigned char*>(made.public_key_.data()), &size));
  return made;
}

SigningKey::~SigningKey() { EVP_PKEY_free(as_pkey(key_)); }
SigningKey::SigningKey(SigningKey&& other) noexcept
    : seed_(std::move(other.seed_)),
      public_key_(std::move(other.public_key_)),
      key_(std::exchange(other.key_, nullptr)) {}
SigningKey& SigningKey::operator=(SigningKey&& other) noexcept {
  std::swap(seed_, other.seed_);
  std::swap(public_key_, other.public_key_);
  std::swap(key_, other.key_);
  return *this;
}

std::string SigningKey::sign(std::string_view message) const {
  CW_CHECK(key_ != nullptr);
  DigestContext context(openssl_need(EVP_MD_CTX_new()), &EVP_MD_CTX_free);
  openssl_need(EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr,
                                     as_pkey(key_), nullptr));
  std::string signature(64, '\0');
  std::size_t size = signature.size();
  openssl_need(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()),
                              &size, u8(message), message.size()));
  return signature;
}

bool ed25519_verify(std::string_view public_key, std::string_view message,
                    std::string_view signature) {
  if (public_key.size() != 32 || signature.size() != 64) return false;
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, u8(public_key), 32),
      &EVP_PKEY_free);
  DigestContext context(openssl_need(EVP_MD_CTX_new()), &EVP_MD_CTX_free);
  bool good = key &&
              EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, key.get(),
                                      nullptr) == 1 &&
              EVP_DigestVerify(context.get(), u8(signature), signature.size(), u8(message),
                               message.size()) == 1;
  if (!good) ERR_clear_error();
  return good;
}

}  // namespace cw
