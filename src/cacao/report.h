// What the parts of an import share: the growing report and the making of names. Not thread-safe.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cacao.h"

namespace cw::cacao {

// At most `notes_max` notes; the last one then says how many more there were.
class Report {
 public:
  void mapped(std::string code, std::string pointer, Text text) {
    add(Note::Kind::mapped, std::move(code), std::move(pointer), std::move(text));
  }
  void lost(std::string code, std::string pointer, Text text) {
    add(Note::Kind::lost, std::move(code), std::move(pointer), std::move(text));
  }
  void check(std::string code, std::string pointer, Text text) {
    add(Note::Kind::check, std::move(code), std::move(pointer), std::move(text));
  }
  std::vector<Note> take();

 private:
  static constexpr std::size_t notes_max = 2'000;
  void add(Note::Kind kind, std::string code, std::string pointer, Text text);
  std::vector<Note> notes_;
  std::size_t more_ = 0;
};

// "Find Malware (FuzzyPanda)" → "find-malware-fuzzypanda": a name of at most `size_max` bytes, or
// `fallback` where nothing of the text can stand in a name.
std::string slug(std::string_view text, std::string_view fallback, std::size_t size_max);

// Names given out once: `wanted`, or with "-2", "-3" … behind it when it is taken.
class Names {
 public:
  explicit Names(char joint = '-') : joint_(joint) {}
  void take(std::string name) { taken_.insert(std::move(name)); }
  std::string give(const std::string& wanted);

 private:
  char joint_;
  std::set<std::string, std::less<>> taken_;
  std::map<std::string, int, std::less<>> last_;
};

// A stranger's text for people to read: line ends made one, control characters replaced, lines of
// at most 2,000 and a text of at most `points_max` code points; "…" ends what was cut.
std::string tidy(std::string_view text, std::size_t points_max);
std::string one_line(std::string_view text, std::size_t points_max);

}  // namespace cw::cacao
