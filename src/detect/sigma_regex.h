// One regular expression in PCRE2, UTF mode, no JIT, with limits on matching and on memory; the one
// that decides; required_literals() says when it is worth asking. Thread-safe: matching uses the
// caller's scratch.
//
//   std::string error;
//   auto regex = Regex::compile("^a.+z$", {.caseless = true}, error);
//   bool hit = regex->search(text, scratch);
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace cw::detect {

struct RegexFlags {
  bool caseless = false, multiline = false, dotall = false;
};

class RegexScratch {
 public:
  RegexScratch();
  ~RegexScratch();
  RegexScratch(RegexScratch&&) noexcept;
  RegexScratch& operator=(RegexScratch&&) noexcept;

 private:
  friend class Regex;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class Regex {
 public:
  Regex() = default;                                  // matches nothing; compile() makes the others
  static constexpr std::size_t kSizeMax = 16 * 1024;  // bytes of the expression

  // Null with `error` (English, from the library) when it cannot be compiled.
  static std::unique_ptr<Regex> compile(std::string_view text, RegexFlags flags,
                                        std::string& error);
  ~Regex();
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;

  // Is there a match anywhere in valid UTF-8? A search that exceeds the limits is no match and is
  // counted by the scratch's owner through `limited`.
  bool search(std::string_view utf8, RegexScratch& scratch, bool* limited = nullptr) const;

  std::string_view text() const { return text_; }
  RegexFlags flags() const { return flags_; }

 private:
  std::string text_;
  RegexFlags flags_;
  void* code_ = nullptr;
};

// Texts of which at least one must occur, without regard to case, in whatever the expression
// matches; empty if none are known. Conservative: an expression it does not follow has none.
std::vector<std::string> required_literals(std::string_view expression);

}  // namespace cw::detect
