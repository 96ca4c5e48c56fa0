#include "sealed.h"

#include <sys/stat.h>

#include <list>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <unordered_map>

#include "base/check.h"
#include "base/text.h"
#include "storage/file.h"

namespace cw {
namespace {

constexpr std::size_t kPlaintextMax = std::size_t{8} << 20;
constexpr std::size_t kKeysCached = 65'536;
constexpr std::string_view kCommitmentPrefix = "hmac-sha256:";

std::string key_context(const std::string& owner) { return "callwarden/owner-key/" + owner; }

// A content cannot be moved to another owner or pass for another content.
std::string content_context(const std::string& owner, const std::string& commitment) {
  return "callwarden/content/" + owner + '\0' + commitment;
}

Problem destroyed_problem() {
  return problem(Refusal::not_found, "sealed.destroyed",
                 {"内容已销毁，只保留其存在的证明",
                  "The contents were destroyed; only the proof that they existed remains"});
}

}  // namespace

const char* Sealed::schema() {
  return "CREATE TABLE IF NOT EXISTS sealed_key(owner TEXT PRIMARY KEY, wrapped BLOB) STRICT, "
         "WITHOUT ROWID;"
         "CREATE TABLE IF NOT EXISTS sealed_content(commitment TEXT PRIMARY KEY, owner TEXT NOT "
         "NULL, box BLOB) STRICT, WITHOUT ROWID;"
         "CREATE INDEX IF NOT EXISTS sealed_content_owner ON sealed_content(owner)";
}

struct Sealed::Impl {
  Impl(std::string p, SecretBytes r, Random& random_source)
      : path(std::move(p)), root(std::move(r)), random(random_source) {}

  // An owner's key: plain text for use, wrapped for the row. A key that no commit has written yet
  // lives only here, so the cache is far larger than what can wait for a commit.
  struct OwnerKey {
    std::string wrapped;
    std::string key;
    std::list<std::string>::iterator age;
  };

  Database& reader() {
    if (!db) db.emplace(path, DatabaseOptions{.read_only = true});
    return *db;
  }

  // nullptr when the key was destroyed; makes a key when `make` and there is none.
  const OwnerKey* owner_key(const std::string& owner, bool make, bool& known) {
    auto found = keys.find(owner);
    known = true;
    if (found != keys.end()) {
      ages.splice(ages.begin(), ages, found->second.age);
      return &found->second;
    }
    bool exists = false;
    std::string wrapped;
    reader().query(
        "SELECT wrapped FROM sealed_key WHERE owner=$1",
        [&](const Row& row) {
          exists = true;
          wrapped = row.text(0);
        },
        owner);
    if (exists && wrapped.empty()) return nullptr;
    known = exists;
    if (!exists && !make) return nullptr;
    std::string key;
    if (exists) {
      auto opened = aead_open(root.view(), wrapped, key_context(owner));
      if (!opened)
        throw std::runtime_error("sealed: an owner's key does not open under the root key");
      key = std::move(*opened);
    } else {
      key = random.bytes(aead_key_size);
      wrapped = aead_seal(root.view(), key, key_context(owner), random);
    }
    return remember(owner, std::move(wrapped), std::move(key));
  }

  const OwnerKey* remember(const std::string& owner, std::string wrapped, std::string key) {
    if (keys.size() >= kKeysCached) forget(std::string(ages.back()));
    ages.push_front(owner);
    return &keys.emplace(owner, OwnerKey{std::move(wrapped), std::move(key), ages.begin()})
                .first->second;
  }

  void forget(const std::string& owner) {
    auto found = keys.find(owner);
    if (found == keys.end()) return;
    wipe(found->second.key);
    ages.erase(found->second.age);
    keys.erase(found);
  }

  const std::string path;
  const SecretBytes root;
  Random& random;
  std::mutex mutex;
  std::optional<Database> db;
  std::unordered_map<std::string, OwnerKey> keys;
  std::list<std::string> ages;  // youngest first
};

Sealed::Sealed(std::string path, SecretBytes root, Random& random)
    : impl_(std::make_unique<Impl>(std::move(path), std::move(root), random)) {
  CW_CHECK(impl_->root.size() == aead_key_size);
}
Sealed::~Sealed() {
  for (auto& [owner, key] : impl_->keys) wipe(key.key);
}

SealedContent Sealed::seal(const std::string& owner, std::string_view plaintext) {
  CW_CHECK(plaintext.size() <= kPlaintextMax);
  std::string key, wrapped;
  {
    std::lock_guard lock(impl_->mutex);
    bool known = false;
    const auto* held = impl_->owner_key(owner, true, known);
    if (!held) throw std::runtime_error("sealed: the owner's key was destroyed");
    key = held->key;
    wrapped = held->wrapped;
  }
  std::string content_key = impl_->random.bytes(32);
  std::string commitment(kCommitmentPrefix);
  commitment += to_hex(bytes_of(hmac_sha256(content_key, plaintext)));
  content_key += plaintext;
  std::string box = aead_seal(key, content_key, content_context(owner, commitment), impl_->random);
  wipe(content_key);
  wipe(key);
  std::size_t size = box.size();
  auto write = [owner, commitment, wrapped = std::move(wrapped),
                box = std::move(box)](Database& db) {
    db.run("INSERT INTO sealed_key VALUES($1,$2) ON CONFLICT DO NOTHING", owner, Blob{wrapped});
    if (db.changes() == 0) {
      bool same = false;
      db.query(
          "SELECT wrapped FROM sealed_key WHERE owner=$1",
          [&](const Row& row) { same = row.text(0) == wrapped; }, owner);
      CW_CHECK(same);
    }
    db.run("INSERT INTO sealed_content VALUES($1,$2,$3)", commitment, owner, Blob{box});
  };
  return {std::move(commitment), std::move(write), size};
}

Result<std::string> Sealed::open(const std::string& commitment) {
  std::lock_guard lock(impl_->mutex);
  std::string owner, box;
  bool exists = false;
  impl_->reader().query(
      "SELECT owner,box FROM sealed_content WHERE commitment=$1",
      [&](const Row& row) {
        exists = true;
        owner = row.text(0);
        box = row.text(1);
      },
      commitment);
  if (!exists) {
    return problem(Refusal::not_found, "sealed.unknown",
                   {"没有这份内容", "There is no such content"});
  }
  if (box.empty()) return destroyed_problem();
  bool known = false;
  const auto* key = impl_->owner_key(owner, false, known);
  if (!key) return destroyed_problem();
  auto opened = aead_open(key->key, box, content_context(owner, commitment));
  if (!opened || opened->size() < 32) {
    throw std::runtime_error("sealed: a content does not open under its owner's key");
  }
  std::string text = opened->substr(32);
  wipe(*opened);
  return text;
}

std::function<void(Database&)> Sealed::destroy(const std::string& owner) {
  return [this, owner](Database& db) {
    db.run("INSERT INTO sealed_key VALUES($1,NULL) ON CONFLICT(owner) DO UPDATE SET wrapped=NULL",
           owner);
    db.run("UPDATE sealed_content SET box=NULL WHERE owner=$1", owner);
    std::lock_guard lock(impl_->mutex);
    impl_->forget(owner);
  };
}

Result<SecretBytes> root_key_file(const std::string& path, Random& random) {
  auto bytes = read_file(path);
  if (!bytes) {
    SecretBytes made = SecretBytes::random(aead_key_size, random);
    write_file_atomic(path, made.view(), 0600);
    return made;
  }
  struct stat s;
  if (::stat(path.c_str(), &s) == 0 && (s.st_mode & 0077) != 0) {
    wipe(*bytes);
    return problem(Refusal::forbidden, "sealed.root-key-mode",
                   {"根密钥文件的权限过宽，须为 0600",
                    "The root key file can be read by others; its mode must be 0600"});
  }
  if (bytes->size() != aead_key_size) {
    wipe(*bytes);
    return problem(Refusal::invalid, "sealed.root-key-size",
                   {"根密钥文件须恰为 32 字节", "The root key file must hold exactly 32 bytes"});
  }
  SecretBytes key = SecretBytes::copy(*bytes);
  wipe(*bytes);
  return key;
}

}  // namespace cw
