#include "condition.h"

#include "base/text.h"

namespace cw::cacao {
namespace {

constexpr std::size_t condition_max = 1'000;
constexpr int levels_max = 8;

bool word_begins(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool word_goes_on(char c) { return word_begins(c) || (c >= '0' && c <= '9') || c == '-'; }

// Cuts an expression of ours into words (with their dots), quoted texts and single operators.
std::vector<std::string> pieces_of(std::string_view s) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < s.size();) {
    std::size_t end = i + 1;
    if (word_begins(s[i])) {
      while (end < s.size() && (word_goes_on(s[end]) || s[end] == '.')) ++end;
    } else if (s[i] == '\'' || s[i] == '"') {
      while (end < s.size() && s[end] != s[i]) ++end;
      end = std::min(end + 1, s.size());
    } else if (end < s.size()) {
      const std::string_view two = s.substr(i, 2);
      for (const std::string_view op : {"&&", "||", "==", "!=", "<=", ">="})
        if (two == op) end = i + 2;
    }
    if (std::string_view(" \t\r\n").find(s[i]) == std::string_view::npos)
      out.emplace_back(s.substr(i, end - i));
    i = end;
  }
  return out;
}

bool keyword(const std::string& word) {
  return word == "in" || word == "has" || word == "true" || word == "false";
}

struct BadCondition {};

class ConditionParser {
 public:
  explicit ConditionParser(std::string_view source) : s_(source) {}

  std::unique_ptr<Test> parse() {
    auto out = chain(Test::Kind::either);
    skip();
    if (at_ != s_.size()) throw BadCondition{};
    return out;
  }

 private:
  void skip() {
    while (at_ < s_.size() && std::string_view(" \t\r\n").find(s_[at_]) != std::string_view::npos)
      ++at_;
  }
  bool take(std::string_view token) {
    skip();
    if (s_.substr(at_, token.size()) != token) return false;
    at_ += token.size();
    return true;
  }
  bool take_word(std::string_view word) {
    skip();
    const std::string_view found = s_.substr(at_, word.size());
    const std::size_t end = at_ + word.size();
    if (!equals_ignore_case(found, word) || (end < s_.size() && word_goes_on(s_[end])))
      return false;
    at_ = end;
    return true;
  }

  std::unique_ptr<Test> chain(Test::Kind kind) {
    const bool either = kind == Test::Kind::either;
    auto next = [&] { return either ? chain(Test::Kind::both) : single(); };
    auto left = next();
    while (take_word(either ? "OR" : "AND") || take(either ? "||" : "&&")) {
      auto whole = std::make_unique<Test>();
      whole->kind = kind;
      whole->parts.push_back(std::move(left));
      whole->parts.push_back(next());
      left = std::move(whole);
    }
    return left;
  }

  std::unique_ptr<Test> single() {
    if (++depth_ > levels_max) throw BadCondition{};
    std::unique_ptr<Test> out;
    if (take_word("NOT")) {
      out = negated(single());
    } else if (take("(")) {
      out = chain(Test::Kind::either);
      if (!take(")")) throw BadCondition{};
    } else {
      out = comparison();
    }
    --depth_;
    return out;
  }

  static std::unique_ptr<Test> negated(std::unique_ptr<Test> inner) {
    auto out = std::make_unique<Test>();
    out->kind = Test::Kind::negate;
    out->parts.push_back(std::move(inner));
    return out;
  }

  std::unique_ptr<Test> comparison() {
    auto out = std::make_unique<Test>();
    out->terms.push_back(term());
    const bool denied = take_word("NOT");
    if (take_word("IN")) {
      out->kind = Test::Kind::in;
      if (!take("(")) throw BadCondition{};
      do {
        out->terms.push_back(term());
      } while (take(","));
      if (!take(")")) throw BadCondition{};
    } else {
      for (const std::string_view op : {"==", "!=", "<>", "<=", ">=", "=", "<", ">"}) {
        if (!take(op)) continue;
        out->op = op == "=" ? "==" : op == "<>" ? "!=" : op;
        break;
      }
      if (out->op.empty()) throw BadCondition{};
      out->terms.push_back(term());
    }
    return denied ? negated(std::move(out)) : std::move(out);
  }

  Term term() {
    skip();
    if (at_ >= s_.size()) throw BadCondition{};
    const char c = s_[at_];
    if (c == '\'' || c == '"') {
      const std::size_t end = s_.find(c, at_ + 1);
      if (end == std::string_view::npos) throw BadCondition{};
      Term out{Term::Kind::text, std::string(s_.substr(at_ + 1, end - at_ - 1))};
      if (out.text.find('\\') != std::string::npos) throw BadCondition{};
      at_ = end + 1;
      return out;
    }
    std::size_t end = at_;
    while (end < s_.size() && (word_goes_on(s_[end]) || s_[end] == ':')) ++end;
    const std::string_view word = s_.substr(at_, end - at_);
    at_ = end;
    if (auto name = variable_name(word)) return {Term::Kind::variable, *name};
    if (equals_ignore_case(word, "true") || equals_ignore_case(word, "false"))
      return {Term::Kind::boolean, to_lower(word)};
    const auto number = to_int<std::int64_t>(word);
    if (!number || *number > 9'007'199'254'740'991 || *number < -9'007'199'254'740'991)
      throw BadCondition{};
    return {Term::Kind::number, std::to_string(*number)};
  }

  std::string_view s_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

std::string variable_of(std::string_view name) {
  std::string out = "__";
  for (const char c : name) out += c == '.' ? '-' : c;
  return out + "__";
}

std::string foreign_condition(std::string_view expression) {
  std::string out;
  const auto pieces = pieces_of(expression);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const std::string& p = pieces[i];
    std::string said = p;
    if (p == "&&" || p == "||") {
      said = p == "&&" ? "AND" : "OR";
    } else if (p == "!") {
      said = "NOT";
    } else if (p == "in") {
      said = "IN";
    } else if (p == "[" || p == "]") {
      said = p == "[" ? "(" : ")";
    } else if (word_begins(p[0]) && !keyword(p)) {
      said = variable_of(p) + ":value";
      // A name that stands alone is a boolean.
      const bool shown = i >= 2 && pieces[i - 2] == "has";
      const std::string_view next = i + 1 < pieces.size() ? std::string_view(pieces[i + 1]) : "";
      const std::string_view before = i > 0 ? std::string_view(pieces[i - 1]) : "";
      auto compares = [](std::string_view op) {
        return op == "==" || op == "!=" || op == "<" || op == "<=" || op == ">" || op == ">=" ||
               op == "in";
      };
      if (!shown && !compares(next) && !compares(before)) said += " == true";
    }
    const bool tight = said == ")" || said == "," || out.empty() || out.ends_with('(');
    if (!tight) out += ' ';
    out += said;
  }
  return out;
}

std::vector<std::string> names_read(std::string_view expression) {
  std::vector<std::string> out;
  for (std::string& p : pieces_of(expression))
    if (word_begins(p[0]) && !keyword(p)) out.push_back(std::move(p));
  return out;
}

std::unique_ptr<Test> parse_condition(std::string_view condition) {
  if (condition.size() > condition_max) return nullptr;
  try {
    return ConditionParser(condition).parse();
  } catch (const BadCondition&) {
    return nullptr;
  }
}

std::optional<std::string> variable_name(std::string_view text) {
  if (text.ends_with(":value")) text.remove_suffix(6);
  if (text.size() < 5 || text.size() > 204 || !text.starts_with("__") || !text.ends_with("__"))
    return std::nullopt;
  text = text.substr(2, text.size() - 4);
  if (!word_begins(text[0])) return std::nullopt;
  for (const char c : text)
    if (!word_goes_on(c)) return std::nullopt;
  return std::string(text);
}

void each_comparison(const Test& test, const std::function<void(const Test&)>& visit) {
  if (test.kind == Test::Kind::compare || test.kind == Test::Kind::in) visit(test);
  for (const auto& part : test.parts) each_comparison(*part, visit);
}

}  // namespace cw::cacao
