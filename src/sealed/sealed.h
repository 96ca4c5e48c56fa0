// Contents under keys that can be destroyed. Each owner (a case, a person) has one random 256-bit
// key, kept wrapped under the root key; contents are sealed under the owner's key. A journal entry
// holds only the commitment, HMAC-SHA256 under a random key that is sealed with the contents, so
// that nobody can guess a telephone number from it. Destroying the owner's key erases everything
// under it, everywhere; proofs stay valid. Thread-safe.
//
//   Sealed sealed(database_path, root_key, random);
//   SealedContent c = sealed.seal(case_id, form_json);      // any thread, before the commit
//   draft.row(c.write, c.bytes); draft.append(entry_with(c.commitment));
//   Result<std::string> text = sealed.open(c.commitment);   // after the commit
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"
#include "crypto/crypto.h"
#include "storage/storage.h"

namespace cw {

struct SealedContent {
  std::string commitment;                // "hmac-sha256:<64 hex>": also the content's name
  std::function<void(Database&)> write;  // writes the rows; run inside the commit
  std::size_t bytes = 0;                 // about how many it writes
};

class Sealed {
 public:
  // The tables, to be created in the journal's database (they must commit with its entries).
  static const char* schema();

  // `path`: that database (opened here read-only, with an own connection, on first use).
  Sealed(std::string path, SecretBytes root, Random& random);
  ~Sealed();

  // Seals `plaintext` (at most 8 MiB) for `owner`. The owner's key is made when there is none.
  SealedContent seal(const std::string& owner, std::string_view plaintext);

  // Opens a committed content. `not_found` when unknown, "sealed.destroyed" when its key is gone.
  Result<std::string> open(const std::string& commitment);

  // Destroys the owner's key and overwrites the wrapped key and the contents; run inside a commit,
  // together with the entry that says so.
  std::function<void(Database&)> destroy(const std::string& owner);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Reads the root key from `path` (32 bytes, mode 0600 or stricter, else a Problem), making the file
// when it is absent.
Result<SecretBytes> root_key_file(const std::string& path, Random& random);

}  // namespace cw
