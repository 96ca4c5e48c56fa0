// The second half of DetectionReader: from one value of a rule to predicates.
#include "base/text.h"
#include "detection.h"

namespace cw::detect {
namespace {

constexpr std::size_t kAlternativesMax = 2'000;  // that one value may become

bool is_star(const Piece& piece) { return piece.kind == Piece::Kind::star; }

}  // namespace

std::optional<Expr> DetectionReader::typed_value(const Modifiers& m, const YamlNode& node) {
  if (m.re) return regex_value(m, node);
  if (m.relation || m.part) return number_value(m, node);
  if (!node.is_scalar()) {
    mistakes_.mistake(node, "value.null", {"此处不能是 null", "null cannot stand here"});
    return std::nullopt;
  }
  Predicate p{.field = m.field};
  if (m.cidr) {
    auto cidr = parse_cidr(node.text);
    if (!cidr) {
      mistakes_.mistake(node, "value.cidr",
                        {"应为网段，如 10.0.0.0/8 或 fe80::/10",
                         "expected a network such as 10.0.0.0/8 or fe80::/10"});
      return std::nullopt;
    }
    p.op = Op::cidr;
    p.cidr = *cidr;
  } else if (m.exists) {
    std::string text = to_lower(node.text);
    if (text != "true" && text != "false" && text != "yes" && text != "no") {
      mistakes_.mistake(
          node, "value.exists",
          {"exists 的取值应为 true 或 false", "the value of exists is true or false"});
      return std::nullopt;
    }
    p.op = Op::exists;
    Expr expr = make_predicate(predicates_.intern(std::move(p)));
    return text == "true" || text == "yes" ? std::move(expr) : make_not(std::move(expr));
  } else {
    p.op = Op::field_ref;
    p.cased = m.cased;
    p.other_field = predicates_.field(node.text);
    if (!m.transforms.empty()) {
      p.reference = m.transforms[0] == "startswith" ? Op::prefix
                    : m.transforms[0] == "endswith" ? Op::suffix
                                                    : Op::contains;
    }
  }
  return make_predicate(predicates_.intern(std::move(p)));
}

std::optional<Expr> DetectionReader::number_value(const Modifiers& m, const YamlNode& node) {
  auto number = node.is_scalar() ? parse_number(node.text) : std::nullopt;
  if (!number) {
    mistakes_.mistake(node, "value.number", {"应为数字", "expected a number"});
    return std::nullopt;
  }
  Predicate p{.field = m.field, .op = m.part ? Op::time_part : Op::number};
  p.relation = m.relation.value_or(Relation::eq);
  p.number = *number;
  p.part = m.part.value_or(TimePart::minute);
  return make_predicate(predicates_.intern(std::move(p)));
}

std::optional<Expr> DetectionReader::regex_value(const Modifiers& m, const YamlNode& node) {
  if (!node.is_scalar()) {
    mistakes_.mistake(node, "value.null", {"此处不能是 null", "null cannot stand here"});
    return std::nullopt;
  }
  std::vector<std::string> texts{node.text};
  if (m.expand && !expand(node, node.text, texts)) return std::nullopt;
  std::vector<Expr> kids;
  for (const std::string& text : texts) {
    std::string error;
    std::shared_ptr<const Regex> regex = Regex::compile(text, m.regex, error);
    if (regex == nullptr) {
      mistakes_.mistake(
          node, "value.regex",
          {"正则表达式不能编译：" + error, "the expression does not compile: " + error});
      return std::nullopt;
    }
    Predicate p{.field = m.field, .op = Op::regex};
    p.regex = std::move(regex);
    kids.push_back(make_predicate(predicates_.intern(std::move(p))));
  }
  return make_any(std::move(kids));
}

std::optional<Expr> DetectionReader::string_value(const Modifiers& m, const YamlNode& node,
                                                  const std::string& text) {
  Alternatives alternatives{parse_pattern(text)};
  bool encoded = false, placed = false;
  for (const std::string& modifier : m.transforms) {
    if (!transform(modifier, node, alternatives)) return std::nullopt;
    encoded |= modifier.starts_with("base64");
    placed |= modifier == "contains" || modifier == "startswith" || modifier == "endswith";
    if (alternatives.size() > kAlternativesMax) {
      mistakes_.mistake(node, "value.many",
                        {"修饰符展开后取值太多", "the modifiers make too many values of this one"});
      return std::nullopt;
    }
  }
  if (alternatives.empty()) {
    mistakes_.mistake(
        node, "value.short",
        {"取值太短，编码后没有固定部分", "too short: its encoding has no part that is fixed"});
    return std::nullopt;
  }
  Modifiers exact = m;
  exact.cased = m.cased || encoded;
  std::vector<Expr> kids;
  for (Pattern& pattern : alternatives) {
    if (m.keyword() && !placed) {
      add_star_front(pattern);
      add_star_back(pattern);
    }
    kids.push_back(string_predicate(exact, std::move(pattern)));
  }
  return make_any(std::move(kids));
}

bool DetectionReader::transform(const std::string& modifier, const YamlNode& node,
                                Alternatives& alternatives) {
  if (modifier == "contains" || modifier == "startswith" || modifier == "endswith") {
    for (Pattern& p : alternatives) {
      if (modifier != "startswith") add_star_front(p);
      if (modifier != "endswith") add_star_back(p);
    }
    return true;
  }
  if (modifier == "windash") {
    Alternatives more;
    for (const Pattern& p : alternatives) {
      for (Pattern& variant : windash_variants(p)) more.push_back(std::move(variant));
    }
    alternatives = std::move(more);
    return true;
  }
  return encode(modifier, node, alternatives);
}

bool DetectionReader::encode(const std::string& modifier, const YamlNode& node,
                             Alternatives& alternatives) {
  Alternatives out;
  for (const Pattern& p : alternatives) {
    if (!is_literal(p)) {
      mistakes_.mistake(node, "value.wildcard",
                        {"带通配符的取值不能用 " + modifier + " 编码",
                         "a value with wildcards cannot be encoded by " + modifier});
      return false;
    }
    std::string text = literal_text(p);
    if (modifier == "base64offset") {
      for (const std::string& form : base64_offsets(text)) out.push_back(literal_pattern(form));
    } else if (modifier == "base64") {
      out.push_back(literal_pattern(to_base64(text)));
    } else if (modifier == "utf16") {
      out.push_back(literal_pattern("\xff\xfe" + utf16_bytes(text, false)));
    } else {
      out.push_back(literal_pattern(utf16_bytes(text, modifier == "utf16be")));
    }
  }
  alternatives = std::move(out);
  return true;
}

// Replaces every %name% that no backslash escapes by each of its values in turn.
bool DetectionReader::expand(const YamlNode& node, std::string_view text,
                             std::vector<std::string>& out) {
  out.assign(1, {});
  for (std::size_t i = 0; i < text.size();) {
    std::size_t close = text[i] == '%' ? text.find('%', i + 1) : std::string_view::npos;
    bool named = close != std::string_view::npos && close > i + 1;
    for (std::size_t k = i + 1; named && k < close; ++k) named = text[k] != ' ' && text[k] != '\\';
    if (!named) {
      bool escaped = text[i] == '\\' && i + 1 < text.size() && text[i + 1] == '%';
      for (std::string& one : out) one += escaped ? '%' : text[i];
      i += escaped ? 2 : 1;
      continue;
    }
    std::string name(text.substr(i + 1, close - i - 1));
    auto found = options_.placeholders.find(name);
    if (found == options_.placeholders.end() || found->second.empty()) {
      std::string shown(clip(name, 64));
      mistakes_.mistake(node, "value.placeholder",
                        {"占位符 %" + shown + "% 没有取值：请在配置中给出",
                         "placeholder %" + shown + "% has no values: give them in the settings"});
      return false;
    }
    std::vector<std::string> more;
    for (const std::string& one : out) {
      for (const std::string& with : found->second) more.push_back(one + with);
    }
    out = std::move(more);
    if (out.size() > kAlternativesMax) {
      mistakes_.mistake(node, "value.many",
                        {"占位符的取值太多", "the placeholders have too many values"});
      return false;
    }
    i = close + 1;
  }
  return true;
}

Expr DetectionReader::string_predicate(const Modifiers& m, Pattern pattern) {
  if (!m.cased) fold_pattern(pattern);
  Predicate p{.field = m.field};
  p.cased = m.cased;
  std::size_t n = pattern.size();
  if (is_literal(pattern)) {
    p.op = Op::equals;
    p.text = literal_text(pattern);
  } else if (n == 2 && is_star(pattern[1]) && !pattern[0].text.empty()) {
    p.op = Op::prefix;
    p.text = pattern[0].text;
  } else if (n == 2 && is_star(pattern[0]) && !pattern[1].text.empty()) {
    p.op = Op::suffix;
    p.text = pattern[1].text;
  } else if (n == 3 && is_star(pattern[0]) && is_star(pattern[2]) && !pattern[1].text.empty()) {
    p.op = Op::contains;
    p.text = pattern[1].text;
  } else {
    p.op = Op::glob;
    p.glob = std::move(pattern);
  }
  return make_predicate(predicates_.intern(std::move(p)));
}

}  // namespace cw::detect
