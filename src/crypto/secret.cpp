#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <sodium.h>

#include <cstring>
#include <new>
#include <stdexcept>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "crypto.h"
#include "openssl_error.h"

namespace cw {
namespace {

void need_sodium() {
  static const int ready = sodium_init();
  if (ready < 0) throw std::runtime_error("libsodium cannot start");
}

constexpr std::int64_t totp_step_ms = 30'000;
constexpr std::string_view base32_letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

std::string unpadded_base64(std::string_view bytes) {
  std::string s = to_base64(bytes);
  while (!s.empty() && s.back() == '=') s.pop_back();
  return s;
}

constexpr std::size_t hash_size = 32;

std::string phc_string(std::string_view salt, std::string_view hash, PasswordCost cost) {
  return "$argon2id$v=19$m=" + std::to_string(cost.memory_bytes / 1024) +
         ",t=" + std::to_string(cost.passes) + ",p=1$" + unpadded_base64(salt) + "$" +
         unpadded_base64(hash);
}

std::string percent_encoded(std::string_view s) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  std::string out;
  for (unsigned char c : s) {
    if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
        c == '.' || c == '_' || c == '~') {
      out += char(c);
    } else {
      out += {'%', hex[c >> 4], hex[c & 15]};
    }
  }
  return out;
}

}  // namespace

SecretBytes::SecretBytes(std::size_t size) : size_(size) {
  if (size == 0) return;
  need_sodium();
  data_ = static_cast<std::uint8_t*>(sodium_malloc(size));
  if (data_ == nullptr) throw std::bad_alloc();
  std::memset(data_, 0, size);  // sodium_malloc fills with 0xdb
}

SecretBytes SecretBytes::copy(std::string_view bytes) {
  SecretBytes out(bytes.size());
  if (!bytes.empty()) std::memcpy(out.data_, bytes.data(), bytes.size());
  return out;
}

SecretBytes SecretBytes::random(std::size_t size, Random& random) {
  SecretBytes out(size);
  random.fill(out.data_, size);
  return out;
}

SecretBytes::~SecretBytes() { sodium_free(data_); }  // zeroes; accepts null
SecretBytes::SecretBytes(SecretBytes&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

void wipe(std::string& s) {
  sodium_memzero(s.data(), s.size());
  s.clear();
}

std::string password_hash(std::string_view password, Random& random, PasswordCost cost) {
  need_sodium();
  std::string salt = random.bytes(crypto_pwhash_SALTBYTES);
  SecretBytes hash(hash_size);
  if (crypto_pwhash(hash.data(), hash.size(), password.data(), password.size(),
                    reinterpret_cast<const unsigned char*>(salt.data()), cost.passes,
                    cost.memory_bytes, crypto_pwhash_ALG_ARGON2ID13) != 0) {
    throw std::bad_alloc();  // the only failure with parameters in range
  }
  return phc_string(salt, hash.view(), cost);
}

std::string password_decoy(Random& random, PasswordCost cost) {
  const std::string salt = random.bytes(crypto_pwhash_SALTBYTES);
  return phc_string(salt, random.bytes(hash_size), cost);
}

bool password_verify(std::string_view phc, std::string_view password) {
  need_sodium();
  if (phc.size() >= crypto_pwhash_STRBYTES || phc.find('\0') != phc.npos) return false;
  char text[crypto_pwhash_STRBYTES] = {};
  std::memcpy(text, phc.data(), phc.size());
  return crypto_pwhash_str_verify(text, password.data(), password.size()) == 0;
}

bool password_is_outdated(const std::string& phc, PasswordCost cost) {
  need_sodium();
  return crypto_pwhash_str_needs_rehash(phc.c_str(), cost.passes, cost.memory_bytes) != 0;
}

std::string totp_code(std::string_view secret, std::int64_t step) {
  CW_CHECK(secret.size() >= 16);
  unsigned char counter[8];
  for (int i = 0; i < 8; ++i) counter[i] = static_cast<unsigned char>(step >> (56 - 8 * i));
  unsigned char mac[20];
  std::size_t size = 0;
  if (EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA1", nullptr, secret.data(), secret.size(), counter,
                sizeof counter, mac, sizeof mac, &size) == nullptr) {
    openssl_failed();
  }
  // Dynamic truncation, RFC 4226 §5.3.
  int at = mac[19] & 15;
  std::uint32_t number = (std::uint32_t(mac[at] & 0x7f) << 24) |
                         (std::uint32_t(mac[at + 1]) << 16) | (std::uint32_t(mac[at + 2]) << 8) |
                         mac[at + 3];
  std::string digits = std::to_string(number % 1'000'000);
  return std::string(6 - digits.size(), '0') + digits;
}

std::optional<std::int64_t> totp_match(std::string_view secret, std::string_view code,
                                       std::int64_t now_ms) {
  const std::int64_t now = now_ms / totp_step_ms;
  std::optional<std::int64_t> matched;
  for (std::int64_t step : {now - 1, now, now + 1}) {
    if (equal_constant_time(totp_code(secret, step), code)) matched = step;
  }
  return matched;
}

std::string totp_uri(std::string_view issuer, std::string_view account, std::string_view secret) {
  return "otpauth://totp/" + percent_encoded(issuer) + ":" + percent_encoded(account) +
         "?secret=" + to_base32(secret) + "&issuer=" + percent_encoded(issuer) +
         "&algorithm=SHA1&digits=6&period=30";
}

std::string to_base32(std::string_view bytes) {
  std::string out;
  std::uint32_t held = 0;
  int bits = 0;
  for (unsigned char c : bytes) {
    held = (held << 8) | c;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      out += base32_letters[(held >> bits) & 31];
    }
  }
  if (bits > 0) out += base32_letters[(held << (5 - bits)) & 31];
  return out;
}

std::optional<std::string> from_base32(std::string_view text) {
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  std::string out;
  std::uint32_t held = 0;
  int bits = 0;
  for (char c : text) {
    if (c >= 'a' && c <= 'z') c = char(c - 'a' + 'A');
    std::size_t value = base32_letters.find(c);
    if (value == base32_letters.npos) return std::nullopt;
    held = (held << 5) | std::uint32_t(value);
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      out += char((held >> bits) & 0xff);
    }
  }
  bool left_over = bits >= 5 || (held & ((1u << bits) - 1)) != 0;
  if (left_over) return std::nullopt;
  return out;
}

}  // namespace cw
