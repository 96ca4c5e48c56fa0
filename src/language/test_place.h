// For tests: a text with one `@` that marks a place.
#pragma once

#include <string>

namespace cw {

// Removes the `@` and returns where it was, as "line:column", from 1, in code points.
inline std::string take_place(std::string& text) {
  const auto mark = text.find('@');
  if (mark == std::string::npos) return "no @";
  text.erase(mark, 1);
  int line = 1, column = 1;
  for (std::size_t i = 0; i < mark; ++i) {
    if (text[i] == '\n') {
      ++line;
      column = 1;
    } else if ((text[i] & 0xC0) != 0x80) {
      ++column;
    }
  }
  return std::to_string(line) + ":" + std::to_string(column);
}

}  // namespace cw
