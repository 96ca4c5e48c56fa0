// Reads other people's labelled logs for the tests. Test code only.
//
//   for (const LabelledLine& l : fail2ban_lines(text)) …
#pragma once

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/text.h"

namespace cw::watch {

inline std::string corpora_folder() {
  const char* set = std::getenv("CALLWARDEN_CORPORA");
  return set ? set : std::string(CW_SOURCE_DIR) + "/../shared/corpora";
}

inline std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  for (std::string_view l : split(text, '\n')) {
    if (!trim(l).empty()) out.emplace_back(l);
  }
  return out;
}

// One line of fail2ban's test logs. `normal` and `aggressive`: what that mode of its filter says of
// the line: 1 an attack, 0 none, -1 not run in this mode.
struct LabelledLine {
  std::string line, host, time;
  int number = 0;
  int normal = -1, aggressive = -1;
};

inline std::vector<LabelledLine> fail2ban_lines(const std::string& text) {
  std::vector<LabelledLine> out;
  bool in_normal = true, in_aggressive = true;
  std::vector<json::object> labels;
  std::string prefix;
  int number = 0;
  for (std::string_view raw : split(text, '\n')) {
    ++number;
    std::string_view l = trim(raw);
    if (l.starts_with("# filterOptions:")) {
      json::value options = json::parse(l.substr(16));
      json::array list = options.is_array() ? options.get_array() : json::array{options};
      in_normal = in_aggressive = false;
      prefix.clear();
      for (const json::value& v : list) {
        const json::object& o = v.as_object();
        std::string_view mode = text_or(o, "mode");
        if (mode.empty() || mode == "normal")
          in_normal = true;
        else
          in_aggressive = true;
        prefix = text_or(o, "test.prefix-line");
      }
    } else if (l.starts_with("# failJSON:")) {
      labels.push_back(json::parse(l.substr(11)).as_object());
    } else if (!l.empty() && !l.starts_with('#')) {
      LabelledLine line{prefix + std::string(raw), "", "", number, -1, -1};
      for (const json::object& label : labels) {
        bool match = bool_or(label, "match");
        std::string_view only = text_or(label, "constraint");
        bool normal = in_normal && only.find("== 'aggressive'") == std::string_view::npos;
        bool aggressive = in_aggressive && only.find("!= 'aggressive'") == std::string_view::npos;
        if (normal) line.normal = match;
        if (aggressive) line.aggressive = match;
        if (match) {
          line.host = text_or(label, "host");
          line.time = text_or(label, "time");
        }
      }
      if (!labels.empty()) out.push_back(std::move(line));
      labels.clear();
    }
  }
  return out;
}

}  // namespace cw::watch
