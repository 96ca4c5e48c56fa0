// What the ledger's tests share: a folder that goes away, a journal in memory, a small log.
// For one thread.
//
//   TemporaryFolder folder;
//   MemorySource source(600);
//   auto ledger = open_ledger(folder, source);
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "ledger.h"

namespace cw {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    path_ = (std::filesystem::temp_directory_path() / "ledger-test-XXXXXX").string();
    if (::mkdtemp(path_.data()) == nullptr) ADD_FAILURE() << "mkdtemp";
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline std::string test_entry(std::uint64_t n, const std::string& mark = "") {
  return R"({"kind":"case.act","seq":)" + std::to_string(n) + mark + "}" + std::string(n % 7, ' ');
}

class MemorySource final : public EntrySource {
 public:
  explicit MemorySource(std::uint64_t size, std::string mark = "") : mark_(std::move(mark)) {
    grow(size);
  }
  void grow(std::uint64_t size) {
    while (entries.size() < size) entries.push_back(test_entry(entries.size(), mark_));
  }
  std::uint64_t size() override { return entries.size(); }
  std::vector<std::string> read(std::uint64_t from, std::size_t count) override {
    std::vector<std::string> out;
    for (std::size_t i = from; i < entries.size() && out.size() < count; ++i)
      out.push_back(entries[i]);
    return out;
  }
  std::vector<std::string> entries;

 private:
  std::string mark_;
};

inline LedgerOptions ledger_options(const TemporaryFolder& folder) {
  return {.folder = folder / "log", .origin = "ledger.example/center", .key_file = folder / "key"};
}

inline Result<std::unique_ptr<Ledger>> open_ledger(const TemporaryFolder& folder,
                                                   EntrySource& source) {
  static SeededRandom random(42);
  return Ledger::open(ledger_options(folder), source, random);
}

inline std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

inline void write_file(const std::string& path, const std::string& bytes) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

// The root by the definition of RFC 6962, without tiles.
inline Hash root_by_definition(const std::vector<std::string>& entries, std::size_t from,
                               std::size_t to) {
  if (from == to) return empty_root();
  if (to - from == 1) return leaf_hash(entries[from]);
  std::size_t left = 1;
  while (left * 2 < to - from) left *= 2;
  return node_hash(root_by_definition(entries, from, from + left),
                   root_by_definition(entries, from + left, to));
}

inline std::string place_of(const Problem& p) {
  return p.fields.empty() ? "" : p.fields.front().pointer;
}

}  // namespace cw
