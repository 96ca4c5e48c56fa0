// A recursive-descent parser for the subset of CEL in docs/formats/procedure.md.
#include <charconv>

#include "base/text.h"
#include "expression.h"

namespace cw {
namespace {

constexpr std::size_t source_max = 1'000, depth_max = 16;
constexpr std::int64_t number_max = 9'007'199'254'740'991;

struct ExprError {};

class ExprParser {
 public:
  ExprParser(std::string_view source, std::vector<Complaint>& complaints)
      : source_(source), complaints_(complaints) {}

  std::unique_ptr<ExprNode> parse() {
    auto root = either();
    skip();
    if (at_ != source_.size()) fail({"多余的内容", "nothing was expected here"});
    return root;
  }

 private:
  using Node = std::unique_ptr<ExprNode>;

  [[noreturn]] void fail(Text text) {
    complaints_.push_back({at_, "expression.syntax", std::move(text)});
    throw ExprError{};
  }
  void skip() {
    while (at_ < source_.size() &&
           std::string_view(" \t\r\n").find(source_[at_]) != std::string_view::npos) {
      ++at_;
    }
  }
  bool take(std::string_view token) {
    skip();
    if (source_.substr(at_, token.size()) != token) return false;
    at_ += token.size();
    return true;
  }
  static bool letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  }
  static bool digit(char c) { return c >= '0' && c <= '9'; }
  // Names may hold '-' after a letter, as task and state names do: CEL's subtraction is left out.
  static bool inside(char c) { return letter(c) || digit(c) || c == '-'; }

  Node make(ExprNode::Kind kind, std::size_t offset) {
    auto node = std::make_unique<ExprNode>();
    node->kind = kind;
    node->offset = offset;
    return node;
  }

  Node chain(ExprNode::Kind kind, std::string_view token, Node (ExprParser::*next)()) {
    Node left = (this->*next)();
    for (;;) {
      skip();
      const std::size_t offset = at_;
      if (!take(token)) return left;
      Node node = make(kind, offset);
      node->parts.push_back(std::move(left));
      node->parts.push_back((this->*next)());
      left = std::move(node);
    }
  }
  Node either() { return chain(ExprNode::Kind::either, "||", &ExprParser::both); }
  Node both() { return chain(ExprNode::Kind::both, "&&", &ExprParser::relation); }

  Node relation() {
    Node left = unary();
    skip();
    const std::size_t offset = at_;
    for (const std::string_view op : {"==", "!=", "<=", ">=", "<", ">"}) {
      if (!take(op)) continue;
      Node node = make(ExprNode::Kind::compare, offset);
      node->text = op;
      node->parts.push_back(std::move(left));
      node->parts.push_back(unary());
      return node;
    }
    if (source_.substr(at_, 2) == "in" &&
        (at_ + 2 == source_.size() || !inside(source_[at_ + 2]))) {
      at_ += 2;
      return list(std::move(left), offset);
    }
    return left;
  }

  Node list(Node value, std::size_t offset) {
    Node node = make(ExprNode::Kind::in, offset);
    node->parts.push_back(std::move(value));
    if (!take("[")) fail({"in 之后应为 […] 列表", "expected a list […] after in"});
    do {
      node->parts.push_back(literal());
    } while (take(","));
    if (!take("]")) fail({"缺少 ]", "expected ]"});
    return node;
  }

  Node unary() {
    skip();
    const std::size_t offset = at_;
    if (++depth_ > depth_max) fail({"嵌套太深", "nested too deeply"});
    Node node;
    if (source_.substr(at_, 2) != "!=" && take("!")) {
      node = make(ExprNode::Kind::negate, offset);
      node->parts.push_back(unary());
    } else if (take("(")) {
      node = either();
      if (!take(")")) fail({"缺少 )", "expected )"});
    } else if (at_ < source_.size() && letter(source_[at_])) {
      node = word();
    } else {
      node = literal();
    }
    --depth_;
    return node;
  }

  Node word() {
    const std::size_t offset = at_;
    std::string name(identifier());
    while (at_ < source_.size() && source_[at_] == '.') {
      ++at_;
      name += '.';
      name += identifier();
    }
    if (name == "true" || name == "false") {
      Node node = make(ExprNode::Kind::boolean, offset);
      node->number = name == "true";
      return node;
    }
    if (name == "null") {
      at_ = offset;
      fail({"不能与 null 比较，请用 has(…)", "null is not compared; use has(…)"});
    }
    if (name == "has" && take("(")) {
      skip();
      if (at_ >= source_.size() || !letter(source_[at_])) {
        fail({"has(…) 中应为事实或表单字段", "has(…) takes a fact or a form field"});
      }
      Node inner = word();
      if (inner->kind != ExprNode::Kind::name || !take(")")) {
        fail({"has(…) 中应为事实或表单字段", "has(…) takes a fact or a form field"});
      }
      inner->kind = ExprNode::Kind::has;
      return inner;
    }
    Node node = make(ExprNode::Kind::name, offset);
    node->text = std::move(name);
    return node;
  }

  std::string_view identifier() {
    const std::size_t start = at_;
    if (at_ >= source_.size() || !letter(source_[at_])) fail({"这里应为名称", "expected a name"});
    while (at_ < source_.size() && inside(source_[at_])) ++at_;
    return source_.substr(start, at_ - start);
  }

  Node literal() {
    skip();
    const std::size_t offset = at_;
    if (at_ >= source_.size()) fail({"表达式不完整", "the expression ends too early"});
    const char quote = source_[at_];
    if (quote == '\'' || quote == '"') {
      const std::size_t end = source_.find(quote, at_ + 1);
      if (end == std::string_view::npos) fail({"引号没有结束", "the quotation does not end"});
      Node node = make(ExprNode::Kind::text, offset);
      node->text = source_.substr(at_ + 1, end - at_ - 1);
      if (node->text.find('\\') != std::string::npos) {
        fail({"文字中不能有反斜杠", "no backslash in a text"});
      }
      at_ = end + 1;
      return node;
    }
    Node node = make(ExprNode::Kind::number, offset);
    const char* begin = source_.data() + at_;
    const char* end = source_.data() + source_.size();
    const auto [stop, error] = std::from_chars(begin, end, node->number);
    const bool whole = stop == end || (!inside(*stop) && *stop != '.');
    if (error == std::errc{} && whole && node->number >= -number_max &&
        node->number <= number_max) {
      at_ += static_cast<std::size_t>(stop - begin);
      return node;
    }
    fail({"这里应为事实、字段或值；可用的部分见手册的表达式一节",
          "expected a fact, a field or a value; the handbook lists what expressions can do"});
  }

  std::string_view source_;
  std::vector<Complaint>& complaints_;
  std::size_t at_ = 0, depth_ = 0;
};

}  // namespace

ParsedExpression parse_expression(std::string_view source, std::vector<Complaint>& complaints) {
  ParsedExpression out;
  out.source = source;
  if (source.size() > source_max) {
    complaints.push_back({0, "expression.size", {"表达式超过 1000 字节", "over 1,000 bytes"}});
    return out;
  }
  try {
    out.root = ExprParser(source, complaints).parse();
  } catch (const ExprError&) {
  }
  return out;
}

bool implies_tasks_done(const ExprNode& node) {
  if (node.kind == ExprNode::Kind::name) return node.text == "tasks.done";
  if (node.kind != ExprNode::Kind::both) return false;
  return implies_tasks_done(*node.parts[0]) || implies_tasks_done(*node.parts[1]);
}

}  // namespace cw
