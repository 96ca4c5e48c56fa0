// Strings that live until the next reset(), in blocks that are kept. One thread.
//
//   std::string_view kept = arena.copy(text);
#pragma once

#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "base/check.h"

namespace cw::detect {

class Arena {
 public:
  char* take(std::size_t size) {
    while (block_ < blocks_.size() && used_ + size > blocks_[block_].size) {
      ++block_;
      used_ = 0;
    }
    if (block_ == blocks_.size()) {
      std::size_t room = size > kBlock ? size : kBlock;
      blocks_.push_back({std::make_unique<char[]>(room), room});
      used_ = 0;
    }
    char* out = blocks_[block_].bytes.get() + used_;
    used_ += size;
    return out;
  }

  std::string_view copy(std::string_view text) {
    if (text.empty()) return {};
    char* out = take(text.size());
    std::memcpy(out, text.data(), text.size());
    return {out, text.size()};
  }

  std::string_view join(std::string_view a, char between, std::string_view b) {
    char* out = take(a.size() + 1 + b.size());
    std::memcpy(out, a.data(), a.size());
    out[a.size()] = between;
    std::memcpy(out + a.size() + 1, b.data(), b.size());
    return {out, a.size() + 1 + b.size()};
  }

  void reset() {
    block_ = 0;
    used_ = 0;
  }

 private:
  static constexpr std::size_t kBlock = 16 * 1024;
  struct Block {
    std::unique_ptr<char[]> bytes;
    std::size_t size;
  };
  std::vector<Block> blocks_;
  std::size_t block_ = 0;
  std::size_t used_ = 0;
};

}  // namespace cw::detect
