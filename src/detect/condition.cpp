#include "condition.h"

#include "base/text.h"
#include "text_pattern.h"

namespace cw::detect {
namespace {

constexpr int kConditionDepthMax = 32;
constexpr std::size_t kNodesMax = 50'000;

struct Token {
  std::string_view text;
  std::size_t offset = 0;
};

bool is_name_byte(char c) {
  auto u = static_cast<unsigned char>(c);
  return u >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         c == '_' || c == '-' || c == '*' || c == '?' || c == '.' || c == '$';
}

bool name_matches(std::string_view pattern, std::string_view name) {
  Pattern p;
  for (std::size_t from = 0; from <= pattern.size();) {
    std::size_t star = pattern.find('*', from);
    std::size_t end = star == std::string_view::npos ? pattern.size() : star;
    if (end > from)
      p.push_back({Piece::Kind::literal, std::string(pattern.substr(from, end - from))});
    if (star == std::string_view::npos) break;
    p.push_back({Piece::Kind::star, {}});
    from = star + 1;
  }
  return matches(p, name);
}

class ConditionParser {
 public:
  ConditionParser(std::string_view text, const Identifiers& identifiers, ConditionError& error)
      : text_(text), identifiers_(identifiers), error_(error) {}

  std::optional<Expr> parse() {
    next();
    auto out = parse_or(0);
    if (!out) return std::nullopt;
    if (!token_.text.empty()) {
      if (token_.text == "|") {
        return fail("condition.aggregation",
                    {"聚合写法（| count() …）已从 Sigma 中取消：请改写为关联规则",
                     "aggregations (| count() …) were removed from Sigma: write a correlation"});
      }
      return fail("condition.syntax", {"此处应为 and、or 或结尾", "expected and, or, or the end"});
    }
    return out;
  }

 private:
  std::optional<Expr> fail(std::string code, Text text) {
    error_ = {token_.offset, std::move(code), std::move(text)};
    return std::nullopt;
  }

  void next() {
    while (at_ < text_.size() && static_cast<unsigned char>(text_[at_]) <= ' ') ++at_;
    std::size_t from = at_;
    if (at_ < text_.size()) {
      ++at_;
      if (is_name_byte(text_[from])) {
        while (at_ < text_.size() && is_name_byte(text_[at_])) ++at_;
      }
    }
    token_ = {text_.substr(from, at_ - from), from};
  }

  bool take(std::string_view keyword) {
    if (!equals_ignore_case(token_.text, keyword)) return false;
    next();
    return true;
  }

  std::optional<Expr> parse_or(int depth) {
    return parse_list(depth, "or", &ConditionParser::parse_and, make_any);
  }
  std::optional<Expr> parse_and(int depth) {
    return parse_list(depth, "and", &ConditionParser::parse_not, make_all);
  }

  std::optional<Expr> parse_list(int depth, std::string_view keyword,
                                 std::optional<Expr> (ConditionParser::*inner)(int),
                                 Expr (*make)(std::vector<Expr>)) {
    std::vector<Expr> kids;
    do {
      auto kid = (this->*inner)(depth);
      if (!kid) return std::nullopt;
      kids.push_back(std::move(*kid));
    } while (take(keyword));
    return make(std::move(kids));
  }

  std::optional<Expr> parse_not(int depth) {
    if (depth > kConditionDepthMax) {
      return fail("condition.depth", {"条件嵌套太深", "the condition is nested too deeply"});
    }
    if (take("not")) {
      auto kid = parse_not(depth + 1);
      if (!kid) return std::nullopt;
      return make_not(std::move(*kid));
    }
    if (take("(")) {
      auto inner = parse_or(depth + 1);
      if (!inner) return std::nullopt;
      if (!take(")")) return fail("condition.syntax", {"缺少右括号", "a closing ) is missing"});
      return inner;
    }
    return parse_name();
  }

  std::optional<Expr> parse_name() {
    Token name = token_;
    if (name.text.empty() || !is_name_byte(name.text[0])) {
      return fail("condition.syntax",
                  {"此处应为检索项名称", "expected the name of a search identifier"});
    }
    next();
    if (equals_ignore_case(token_.text, "of")) return parse_of(name);
    for (const auto& [identifier, expr] : identifiers_) {
      if (identifier == name.text) return limited(expr);
    }
    token_ = name;
    std::string shown(clip(name.text, 64));
    return fail("condition.identifier", {"没有名为“" + shown + "”的检索项",
                                         "there is no search identifier '" + shown + "'"});
  }

  std::optional<Expr> parse_of(Token quantity) {
    bool every = equals_ignore_case(quantity.text, "all");
    if (!every && quantity.text != "1" && !equals_ignore_case(quantity.text, "any")) {
      token_ = quantity;
      return fail("condition.quantity",
                  {"of 之前应为 1、any 或 all", "before 'of' stands 1, any or all"});
    }
    next();
    Token pattern = token_;
    next();
    bool them = equals_ignore_case(pattern.text, "them");
    std::vector<Expr> kids;
    for (const auto& [identifier, expr] : identifiers_) {
      bool hidden = identifier.starts_with('_') && !pattern.text.starts_with('_');
      if (hidden || !(them || name_matches(pattern.text, identifier))) continue;
      auto kid = limited(expr);
      if (!kid) return std::nullopt;
      kids.push_back(std::move(*kid));
    }
    if (kids.empty()) {
      token_ = pattern;
      std::string shown(clip(pattern.text, 64));
      return fail("condition.identifier", {"没有检索项与“" + shown + "”相符",
                                           "no search identifier matches '" + shown + "'"});
    }
    return every ? make_all(std::move(kids)) : make_any(std::move(kids));
  }

  std::optional<Expr> limited(const Expr& expr) {
    nodes_ += node_count(expr);
    if (nodes_ > kNodesMax) {
      return fail("condition.size", {"条件太大", "the condition is too large"});
    }
    return expr;
  }

  std::string_view text_;
  const Identifiers& identifiers_;
  ConditionError& error_;
  std::size_t at_ = 0;
  std::size_t nodes_ = 0;
  Token token_;
};

Expr make_list(Expr::Kind kind, std::vector<Expr> kids) {
  if (kids.size() == 1) return std::move(kids[0]);
  Expr out{kind, 0, {}};
  for (Expr& kid : kids) {
    if (kid.kind == kind) {
      for (Expr& inner : kid.kids) out.kids.push_back(std::move(inner));
    } else {
      out.kids.push_back(std::move(kid));
    }
  }
  return out;
}

}  // namespace

Expr make_predicate(std::uint32_t id) { return {Expr::Kind::predicate, id, {}}; }
Expr make_all(std::vector<Expr> kids) { return make_list(Expr::Kind::all, std::move(kids)); }
Expr make_any(std::vector<Expr> kids) { return make_list(Expr::Kind::any, std::move(kids)); }
Expr make_not(Expr kid) {
  if (kid.kind == Expr::Kind::negation) return std::move(kid.kids[0]);
  Expr out{Expr::Kind::negation, 0, {}};
  out.kids.push_back(std::move(kid));
  return out;
}

std::size_t node_count(const Expr& e) {
  std::size_t count = 1;
  for (const Expr& kid : e.kids) count += node_count(kid);
  return count;
}

std::optional<Expr> parse_condition(std::string_view text, const Identifiers& identifiers,
                                    ConditionError& error) {
  return ConditionParser(text, identifiers, error).parse();
}

}  // namespace cw::detect
