// Signatures by other people's keys, as documents from outside carry them, and UUIDs made from
// names. Verifying only: the project signs with Ed25519 alone (crypto.h). Thread-safe.
//
//   std::string key = *from_base64(text);                       // SubjectPublicKeyInfo, DER
//   Verdict v = verify_signature("RS256", key, message, signature);
//   if (v == Verdict::valid) …
//   std::string id = "playbook--" + uuid_of_name(space, "plan.customer-leak");
#pragma once

#include <string>
#include <string_view>

namespace cw {

enum class Verdict {
  valid,
  invalid,      // not by this key, or not over this message
  unsupported,  // an algorithm that is none of those below
  bad_key,      // not a key of that algorithm (RSA: 2,048 to 16,384 bits)
};

// `algorithm` by its JOSE name: RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 (RFC 7518
// §3.1, ECDSA as r ‖ s; DER is accepted too), Ed25519 and EdDSA (RFC 8037). `key` is a DER
// SubjectPublicKeyInfo (RFC 5280) of at most 8 KiB.
Verdict verify_signature(std::string_view algorithm, std::string_view key, std::string_view message,
                         std::string_view signature);

// SHA-384 and SHA-512 (FIPS 180-4) of documents that name their hash; 48 and 64 bytes.
std::string sha384(std::string_view data);
std::string sha512(std::string_view data);

// The version 5 UUID (RFC 4122 §4.3, SHA-1) of `name` in a name space given as 36 characters.
std::string uuid_of_name(std::string_view space, std::string_view name);
// 16 bytes, of which the version and variant bits are replaced, as 36 characters.
std::string uuid_text(std::string_view bytes16, int version);

}  // namespace cw
