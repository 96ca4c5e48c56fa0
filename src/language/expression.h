// Conditions: parsing to a tree, typing against a definition, compiling to postfix steps. Pure.
//
//   Parsed parsed = parse_expression("people > 0 && has(grade)");
//   Expression e = ExpressionCompiler(definition, place).compile(parsed, complaints);
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "language/definition.h"

namespace cw {

struct ExprNode {
  enum class Kind : std::uint8_t {
    number,
    boolean,
    text,
    name,
    has,
    in,
    compare,
    negate,
    both,
    either
  };
  Kind kind = Kind::boolean;
  std::size_t offset = 0;                        // byte in the source
  std::int64_t number = 0;                       // number, boolean
  std::string text;                              // text, name ("form.severity"), compare's operator
  std::vector<std::unique_ptr<ExprNode>> parts;  // in: the value, then the list's literals
};

// What is wrong with an expression, and where in its text.
struct Complaint {
  std::size_t offset = 0;
  std::string code;
  Text text;
};

struct ParsedExpression {
  std::string source;
  std::unique_ptr<ExprNode> root;  // null when there is a complaint
};

ParsedExpression parse_expression(std::string_view source, std::vector<Complaint>& complaints);

// True when the condition can only hold while `tasks.done` does.
bool implies_tasks_done(const ExprNode& node);

// Where an expression stands: what it may name and what is surely known there.
struct ExpressionPlace {
  int state = -1;                            // for tasks.…; -1 outside a state
  int form = -1;                             // index in Definition::forms, or -1
  const std::vector<bool>* known = nullptr;  // facts surely set; null = unset is allowed
};

class ExpressionCompiler {
 public:
  ExpressionCompiler(const Definition& definition, ExpressionPlace place,
                     std::vector<Complaint>& complaints)
      : definition_(definition), place_(place), complaints_(complaints) {}

  Expression compile(const ParsedExpression& parsed);

 private:
  struct Type {
    enum class Kind : std::uint8_t { bad, boolean, integer, time, enumeration, reference, text };
    Kind kind = Kind::bad;
    const std::vector<std::string>* values = nullptr;  // enumeration
    std::string ref;                                   // reference
  };
  // What has(…) has shown on the way: facts as >= 0, form fields as -1 - index.
  using Shown = std::set<int>;

  Type check(const ExprNode& node, const Shown& shown);
  Type name(const ExprNode& node, const Shown& shown);
  Type field_type(int field) const;
  void condition(const ExprNode& node, const Shown& shown);
  void compare(const ExprNode& node, const Shown& shown);
  void in(const ExprNode& node, const Shown& shown);
  void has(const ExprNode& node);
  void push_literal(const ExprNode& node, const Type& beside);
  void need_known(const ExprNode& node, bool known);
  Shown shown_by(const ExprNode& node, bool holds) const;
  int slot(std::string_view name) const;  // as in Shown, or `no_slot`
  void step(Expression::Op op, std::int64_t operand = 0);
  void complain(const ExprNode& node, std::string code, Text text);

  const Definition& definition_;
  ExpressionPlace place_;
  std::vector<Complaint>& complaints_;
  Expression out_;
};

}  // namespace cw
