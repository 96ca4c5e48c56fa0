// Cryptography in one place: hashes, keyed hashes, key derivation, authenticated encryption,
// signatures, locked memory, passwords, one-time codes. OpenSSL 3 and libsodium stay behind it.
// Every function is thread-safe; objects are thread-compatible (const use from many threads).
// A wrong length of a key is a programmer's error (CW_CHECK); a library that fails throws.
//
//   SecretBytes key = SecretBytes::random(32, random);
//   std::string box = aead_seal(key.view(), "hello", "context", random);
//   std::optional<std::string> text = aead_open(key.view(), box, "context");   // "hello"
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"

namespace cw {

// ---- hashes ------------------------------------------------------------------------------------

using Hash = std::array<std::uint8_t, 32>;

inline std::string_view bytes_of(const Hash& h) {
  return {reinterpret_cast<const char*>(h.data()), h.size()};
}
// The hash whose 32 bytes these are; any other length is a programmer's error.
Hash hash_from(std::string_view bytes);

// SHA-256 (FIPS 180-4). `sha256_of` hashes the parts one after another without joining them.
Hash sha256(std::string_view data);
Hash sha256_of(std::initializer_list<std::string_view> parts);

// SHA-256 of data that arrives in pieces (files, streams). After finish() it starts anew.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  Sha256& update(std::string_view data);
  Hash finish();

 private:
  void* context_;
};

// HMAC-SHA-256 (RFC 2104); a key of any length.
Hash hmac_sha256(std::string_view key, std::string_view data);

// ---- secrets -----------------------------------------------------------------------------------

// Bytes in memory that is locked where the system allows it, fenced by guard pages, kept out of
// core dumps and zeroed when it goes. Move-only. Costs some pages: for keys, not for bulk.
class SecretBytes {
 public:
  SecretBytes() = default;                 // empty
  explicit SecretBytes(std::size_t size);  // zeroed
  static SecretBytes copy(std::string_view bytes);
  static SecretBytes random(std::size_t size, Random& random);
  ~SecretBytes();
  SecretBytes(SecretBytes&& other) noexcept;
  SecretBytes& operator=(SecretBytes&& other) noexcept;

  std::string_view view() const { return {reinterpret_cast<const char*>(data_), size_}; }
  std::uint8_t* data() { return data_; }
  const std::uint8_t* data() const { return data_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  SecretBytes clone() const { return copy(view()); }

 private:
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

// Overwrites a string's bytes before letting go of it (a password that came in a request).
void wipe(std::string& s);

// HKDF-SHA-256 (RFC 5869), extract and expand; `size` from 1 to 8,160 bytes.
SecretBytes hkdf_sha256(std::string_view ikm, std::string_view salt, std::string_view info,
                        std::size_t size);

// ---- authenticated encryption ------------------------------------------------------------------

// AES-256-GCM (NIST SP 800-38D) under a 32-byte key. A box is nonce (12 bytes, random) ‖ ciphertext
// ‖ tag (16 bytes); `aad` is authenticated and not stored: say what and whose the contents are, so
// that a box cannot be moved elsewhere. At most 2^32 boxes under one key; plaintext at most 2 GiB.
inline constexpr std::size_t aead_key_size = 32;
inline constexpr std::size_t aead_overhead = 12 + 16;
std::string aead_seal(std::string_view key, std::string_view plaintext, std::string_view aad,
                      Random& random);
// Nothing when the box, the key or the aad is not the one it was sealed with.
std::optional<std::string> aead_open(std::string_view key, std::string_view box,
                                     std::string_view aad);
// The same into locked memory, for a key that was wrapped.
std::optional<SecretBytes> aead_open_secret(std::string_view key, std::string_view box,
                                            std::string_view aad);

// ---- signatures --------------------------------------------------------------------------------

// Ed25519 (RFC 8032, pure). Public keys are 32 bytes, signatures 64.
class SigningKey {
 public:
  static SigningKey generate(Random& random);
  static SigningKey from_seed(std::string_view seed32);
  ~SigningKey();
  SigningKey(SigningKey&&) noexcept;
  SigningKey& operator=(SigningKey&&) noexcept;

  std::string sign(std::string_view message) const;
  const std::string& public_key() const { return public_key_; }
  std::string_view seed() const { return seed_.view(); }

 private:
  SigningKey() = default;
  SecretBytes seed_;
  std::string public_key_;
  void* key_ = nullptr;
};

// False for any signature that is not canonical or not by this key; lengths are checked.
bool ed25519_verify(std::string_view public_key, std::string_view message,
                    std::string_view signature);

// ---- passwords and one-time codes --------------------------------------------------------------

// Argon2id (RFC 9106), one lane, 16-byte salt, 32-byte hash. The default costs about 0.15 s and
// 64 MiB while it runs; bound how many run at once. Tests use smaller numbers (least: 1, 8 KiB).
struct PasswordCost {
  unsigned passes = 3;
  std::size_t memory_bytes = std::size_t{64} << 20;
};
// The PHC string "$argon2id$v=19$m=65536,t=3,p=1$salt$hash": it names its own parameters.
std::string password_hash(std::string_view password, Random& random, PasswordCost cost = {});
// The string of a password that nobody has: whoever asks costs as much as with a real one.
std::string password_decoy(Random& random, PasswordCost cost = {});
bool password_verify(std::string_view phc, std::string_view password);
// True when `phc` was made with other parameters: hash anew at the next successful sign-in.
bool password_is_outdated(const std::string& phc, PasswordCost cost = {});

// TOTP (RFC 6238): HMAC-SHA-1, 30 s steps, 6 digits, over a raw secret of at least 16 bytes.
std::string totp_code(std::string_view secret, std::int64_t step);
// The step whose code this is, one step of drift either way, or nothing. To refuse a replay, store
// the returned step and accept only a larger one.
std::optional<std::int64_t> totp_match(std::string_view secret, std::string_view code,
                                       std::int64_t now_ms);
// What an authenticator app scans: otpauth://totp/Issuer:account?secret=…
std::string totp_uri(std::string_view issuer, std::string_view account, std::string_view secret);

std::string to_base32(std::string_view bytes);                  // RFC 4648 §6, unpadded
std::optional<std::string> from_base32(std::string_view text);  // any case; padding ignored

}  // namespace cw
