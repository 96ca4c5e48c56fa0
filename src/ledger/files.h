// Files of the ledger, private to the module: durable writing, private key files, and errors.
//
//   FileBatch batch(folder);
//   batch.add("tile/0/000", bytes);
//   batch.commit();                 // every file is durable under its name, or an exception
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cw {

// Writes files under one folder through ".tmp": written, synced, renamed, folders synced. Readers
// never see a torn file. Throws std::system_error; what was not committed is removed.
class FileBatch {
 public:
  explicit FileBatch(std::string folder);
  ~FileBatch();
  void add(const std::string& path, std::string_view bytes);
  std::size_t bytes() const { return bytes_; }
  void commit();

 private:
  std::string folder_;
  std::vector<std::string> paths_;  // the k-th file waits as ".tmp/<k>"
  std::size_t bytes_ = 0;
};

// One file, durably replaced.
void write_file_durably(const std::string& path, std::string_view bytes);

// A folder and those above it, each name durable. Throws std::system_error.
void make_folder_durably(const std::string& path);

// One process at a time: holds `folder`/lock while it lives. Throws std::system_error.
class FolderLock {
 public:
  explicit FolderLock(const std::string& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  bool held() const { return held_; }

 private:
  int fd_;
  bool held_ = false;
};

// A file's bytes; `not_found` when absent, `too_large` over size_max. Throws std::system_error.
Result<std::string> read_whole_file(const std::string& path, std::size_t size_max);

// A small secret in a regular file of our own that nobody else may read (mode 0600 or stricter).
Result<std::string> read_private_file(const std::string& path);
// Makes it with mode 0600, durably; "ledger.key_exists" when there is one.
Status write_private_file(const std::string& path, std::string_view bytes);

[[noreturn]] void throw_errno(const std::string& what);

}  // namespace cw
