#include "report.h"

#include <fmt/format.h>

#include "base/text.h"

namespace cw::cacao {

void Report::add(Note::Kind kind, std::string code, std::string pointer, Text text) {
  if (notes_.size() >= notes_max) {
    ++more_;
    return;
  }
  notes_.push_back({kind, std::move(code), std::move(pointer), std::move(text)});
}

std::vector<Note> Report::take() {
  if (more_ > 0)
    notes_.push_back({Note::Kind::check,
                      "more",
                      "",
                      {fmt::format("另有 {} 条未列出", more_),
                       fmt::format("{} more lines are not shown", more_)}});
  return std::move(notes_);
}

std::string slug(std::string_view text, std::string_view fallback, std::size_t size_max) {
  std::string out;
  for (const char c : to_lower(text)) {
    const bool letter = c >= 'a' && c <= 'z', digit = c >= '0' && c <= '9';
    if (letter || (digit && !out.empty())) {
      out += c;
    } else if (!out.empty() && out.back() != '-') {
      out += '-';
    }
    if (out.size() >= size_max) break;
  }
  while (!out.empty() && out.back() == '-') out.pop_back();
  return out.empty() ? std::string(fallback) : out;
}

std::string Names::give(const std::string& wanted) {
  if (taken_.insert(wanted).second) return wanted;
  int& last = last_.try_emplace(wanted, 1).first->second;
  std::string name;
  do {
    name = wanted + joint_ + std::to_string(++last);
  } while (!taken_.insert(name).second);
  return name;
}

std::string tidy(std::string_view text, std::size_t points_max) {
  constexpr std::size_t line_max = 2'000;
  const std::string_view kept = clip(text, points_max);
  std::string out;
  std::size_t in_line = 0;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const auto c = static_cast<unsigned char>(kept[i]);
    const bool starts_point = (c & 0xC0) != 0x80;
    if (starts_point && c != '\n' && c != '\r' && ++in_line > line_max) {
      out += '\n';
      in_line = 1;
    }
    if (c == '\r') {
      if (i + 1 < kept.size() && kept[i + 1] == '\n') continue;
      out += '\n';
      in_line = 0;
    } else if (c == '\n') {
      out += '\n';
      in_line = 0;
    } else if (c == '\t') {
      out += "  ";
    } else if (c < 0x20 || c == 0x7F) {
      out += "\xEF\xBF\xBD";
    } else {
      out += kept[i];
    }
  }
  for (std::size_t bom; (bom = out.find("\xEF\xBB\xBF")) != std::string::npos;) out.erase(bom, 3);
  if (kept.size() < text.size()) out += "…";
  while (!out.empty() && (out.back() == '\n' || out.back() == ' ')) out.pop_back();
  std::size_t first = 0;
  while (first < out.size() && (out[first] == '\n' || out[first] == ' ')) ++first;
  return out.substr(first);
}

std::string one_line(std::string_view text, std::size_t points_max) {
  std::string out;
  for (const char c : tidy(text, points_max)) {
    if (c != '\n') {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  return out;
}

}  // namespace cw::cacao
