#include <algorithm>

#include "sigma_regex.h"
#include "text_pattern.h"

namespace cw::detect {
namespace {

constexpr std::size_t kUseful = 3;   // bytes; shorter literals trigger too often
constexpr std::size_t kSetMax = 64;  // alternatives
constexpr int kPatternDepthMax = 50;

// One literal of each alternative must occur. Empty: nothing is known.
using Required = std::vector<std::string>;

std::size_t worth(const Required& r) {
  if (r.empty() || r.size() > kSetMax) return 0;
  std::size_t least = SIZE_MAX;
  for (const std::string& s : r) least = std::min(least, s.size());
  return least;
}

class LiteralFinder {
 public:
  explicit LiteralFinder(std::string_view text) : text_(text) {}

  Required find() {
    Required out = alternatives(0);
    if (lost_ || at_ != text_.size() || worth(out) < kUseful) return {};
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
  }

 private:
  // What an item of a sequence was, before its quantifier.
  struct Item {
    std::string literal;  // a character
    Required inner;       // a group
  };

  Required alternatives(int depth) {
    if (depth > kPatternDepthMax) lost_ = true;
    Required all;
    bool known = true;
    do {
      Required one = sequence(depth);
      known = known && worth(one) >= kUseful;
      all.insert(all.end(), one.begin(), one.end());
    } while (!lost_ && take('|'));
    return known ? all : Required{};
  }

  Required sequence(int depth) {
    Required best;
    std::string run;
    auto offer = [&](Required r) {
      if (worth(r) > worth(best)) best = std::move(r);
    };
    auto end_run = [&] {
      if (!run.empty()) offer({run});
      run.clear();
    };
    while (!lost_ && at_ < text_.size() && text_[at_] != '|' && text_[at_] != ')') {
      Item item = next_item(depth);
      bool optional = false, repeated = false;
      quantifier(optional, repeated);
      if (optional || item.literal.empty()) end_run();
      if (!optional && !item.literal.empty()) run += item.literal;
      if (!optional && !item.inner.empty()) offer(std::move(item.inner));
      if (repeated) end_run();
    }
    end_run();
    return best;
  }

  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  Item next_item(int depth) {
    char c = text_[at_++];
    switch (c) {
      case '(':
        return {{}, group(depth)};
      case '[':
        skip_class();
        return {};
      case '.':
      case '^':
      case '$':
        return {};
      case '\\':
        return {escape(), {}};
      default:
        break;
    }
    std::string out(1, c);  // all the bytes of one character, as a quantifier takes them
    if (static_cast<unsigned char>(c) >= 0xc0) {
      while (at_ < text_.size() && (text_[at_] & 0xc0) == 0x80) out += text_[at_++];
    }
    return {out, {}};
  }

  std::string escape() {
    if (at_ >= text_.size()) {
      lost_ = true;
      return {};
    }
    char c = text_[at_++];
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter) {
      if (static_cast<unsigned char>(c) >= 0x80) lost_ = true;
      return std::string(1, c);
    }
    if (std::string_view("wWdDsSbBAzZhHvVRntrfae").find(c) != std::string_view::npos) return {};
    lost_ = true;  // \x41, \Q…\E, \p{…}, back references: not followed
    return {};
  }

  void skip_class() {
    take('^');
    take(']');
    while (at_ < text_.size() && text_[at_] != ']') {
      if (text_[at_] == '\\') ++at_;
      if (text_.substr(at_).starts_with("[:")) {
        std::size_t end = text_.find(":]", at_);
        at_ = end == std::string_view::npos ? text_.size() : end + 1;
      }
      ++at_;
    }
    if (at_ >= text_.size()) lost_ = true;
    ++at_;
  }

  Required group(int depth) {
    bool counts = true;  // what stands inside must occur in the text
    if (take('*')) lost_ = true;
    if (take('?')) {
      if (take(':') || take('>')) {
      } else if (take('=') || take('!')) {
        counts = false;
      } else if (take('P') || text_.substr(at_).starts_with("<")) {
        counts = named_or_behind();
      } else if (flags()) {
        return {};
      }
    }
    Required inner = alternatives(depth + 1);
    if (!take(')')) lost_ = true;
    return counts ? inner : Required{};
  }

  // At `<name>`, `<=` or `<!`.
  bool named_or_behind() {
    if (!take('<')) lost_ = true;
    if (take('=') || take('!')) return false;
    while (at_ < text_.size() && text_[at_] != '>') ++at_;
    if (!take('>')) lost_ = true;
    return true;
  }

  // At `i)` or `i:`; true if that was all. Case does not matter here, spacing (x) would.
  bool flags() {
    while (at_ < text_.size() &&
           std::string_view("imsJU-").find(text_[at_]) != std::string_view::npos) {
      ++at_;
    }
    if (take(')')) return true;
    if (!take(':')) lost_ = true;
    return false;
  }

  void quantifier(bool& optional, bool& repeated) {
    if (take('*') || take('?')) {
      optional = true;
    } else if (take('+')) {
      repeated = true;
    } else if (at_ < text_.size() && text_[at_] == '{') {
      std::size_t end = text_.find('}', at_);
      std::string_view inside =
          end == std::string_view::npos ? std::string_view() : text_.substr(at_ + 1, end - at_ - 1);
      bool counted =
          !inside.empty() && inside.find_first_not_of("0123456789,") == std::string_view::npos;
      if (!counted) return;  // a plain brace
      at_ = end + 1;
      optional = inside[0] == '0' || inside[0] == ',';
      repeated = true;
    } else {
      return;
    }
    if (!take('?')) take('+');
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool lost_ = false;  // something that is not followed
};

}  // namespace

std::vector<std::string> required_literals(std::string_view expression) {
  std::vector<std::string> out = LiteralFinder(expression).find();
  std::string folded;
  for (std::string& literal : out) {
    fold_case(literal, folded);
    literal = folded;
  }
  return out;
}

}  // namespace cw::detect
