// Typing, compiling and evaluating conditions.
#include "expression.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/check.h"
#include "names.h"

namespace cw {
namespace {

constexpr int no_slot = std::numeric_limits<int>::min();
constexpr std::size_t stack_max = 64;

std::vector<std::string> fact_names(const Definition& definition) {
  std::vector<std::string> names;
  for (const FactDef& fact : definition.facts) names.push_back(fact.id);
  return names;
}

Value compared(int op, Value a, Value b) {  // op counts from Op::equal
  if (a == null_value || b == null_value) return null_value;
  switch (op) {
    case 0:
      return a == b;
    case 1:
      return a != b;
    case 2:
      return a < b;
    case 3:
      return a <= b;
    case 4:
      return a > b;
    default:
      return a >= b;
  }
}

}  // namespace

Expression ExpressionCompiler::compile(const ParsedExpression& parsed) {
  out_ = Expression();
  if (parsed.root == nullptr) return out_;
  const std::size_t before = complaints_.size();
  condition(*parsed.root, {});
  if (complaints_.size() != before) return Expression();
  std::size_t height = 0, highest = 0;
  for (std::size_t i = 0; i < out_.code_.size(); ++i) {
    const Expression::Op op = out_.code_[i].op;
    if (op == Expression::Op::in) {
      i += static_cast<std::size_t>(out_.code_[i].operand);
    } else if (op >= Expression::Op::equal && op != Expression::Op::negate) {
      --height;
    } else if (op != Expression::Op::negate) {
      highest = std::max(highest, ++height);
    }
  }
  CW_CHECK(height == 1 && highest <= stack_max);  // the parser bounds nesting
  std::sort(out_.facts_.begin(), out_.facts_.end());
  out_.facts_.erase(std::unique(out_.facts_.begin(), out_.facts_.end()), out_.facts_.end());
  out_.source_ = parsed.source;
  return std::move(out_);
}

void ExpressionCompiler::step(Expression::Op op, std::int64_t operand) {
  out_.code_.push_back({op, operand});
}

void ExpressionCompiler::complain(const ExprNode& node, std::string code, Text text) {
  complaints_.push_back({node.offset, std::move(code), std::move(text)});
}

// A node that must be true or false.
void ExpressionCompiler::condition(const ExprNode& node, const Shown& shown) {
  const std::size_t before = complaints_.size();
  const Type type = check(node, shown);
  if (type.kind == Type::Kind::boolean || complaints_.size() != before) return;
  complain(node, "expression.type", {"这里应为真假条件", "expected a condition (true or false)"});
}

ExpressionCompiler::Type ExpressionCompiler::check(const ExprNode& node, const Shown& shown) {
  using Kind = ExprNode::Kind;
  switch (node.kind) {
    case Kind::number:
      step(Expression::Op::literal, node.number);
      return {Type::Kind::integer, nullptr, {}};
    case Kind::boolean:
      step(Expression::Op::literal, node.number);
      return {Type::Kind::boolean, nullptr, {}};
    case Kind::text:
      return {Type::Kind::text, nullptr, {}};
    case Kind::name:
      return name(node, shown);
    case Kind::has:
      has(node);
      break;
    case Kind::in:
      in(node, shown);
      break;
    case Kind::compare:
      compare(node, shown);
      break;
    case Kind::negate:
      condition(*node.parts[0], shown);
      step(Expression::Op::negate);
      break;
    case Kind::both:
    case Kind::either: {
      const bool both = node.kind == Kind::both;
      condition(*node.parts[0], shown);
      Shown more = shown_by(*node.parts[0], both);
      more.insert(shown.begin(), shown.end());
      condition(*node.parts[1], more);
      step(both ? Expression::Op::both : Expression::Op::either);
      break;
    }
  }
  return {Type::Kind::boolean, nullptr, {}};
}

int ExpressionCompiler::slot(std::string_view name) const {
  if (name.substr(0, 5) == "form.") {
    if (place_.form < 0) return no_slot;
    const int field = definition_.forms[place_.form].form->field(name.substr(5));
    return field < 0 ? no_slot : -1 - field;
  }
  const int fact = definition_.fact(name);
  return fact < 0 ? no_slot : fact;
}

// What has(…) proves when the node holds, or when it does not.
ExpressionCompiler::Shown ExpressionCompiler::shown_by(const ExprNode& node, bool holds) const {
  using Kind = ExprNode::Kind;
  if (node.kind == Kind::has && holds) {
    const int found = slot(node.text);
    return found == no_slot ? Shown{} : Shown{found};
  }
  if (node.kind == Kind::negate) return shown_by(*node.parts[0], !holds);
  if ((node.kind == Kind::both && holds) || (node.kind == Kind::either && !holds)) {
    Shown all = shown_by(*node.parts[0], holds);
    all.merge(shown_by(*node.parts[1], holds));
    return all;
  }
  return {};
}

void ExpressionCompiler::need_known(const ExprNode& node, bool known) {
  if (known || place_.known == nullptr) return;
  complain(node, "expression.unset",
           {"“" + node.text + "”此时可能还没有值；请先用 has(" + node.text + ") && …",
            "'" + node.text + "' may not be set yet; guard it with has(" + node.text + ") && …"});
}

ExpressionCompiler::Type ExpressionCompiler::field_type(int field) const {
  const FormUse& use = definition_.forms[place_.form];
  const FormField& f = use.form->fields[field];
  const int fact = use.facts[field];
  switch (f.type) {
    case FieldType::boolean:
      return {Type::Kind::boolean, nullptr, {}};
    case FieldType::integer:
      return {Type::Kind::integer, nullptr, {}};
    case FieldType::time:
      return {Type::Kind::time, nullptr, {}};
    case FieldType::enumeration:
      return {Type::Kind::enumeration, fact >= 0 ? &definition_.facts[fact].values : &f.values, {}};
    case FieldType::reference:
      return {Type::Kind::reference, nullptr, f.ref};
    default:
      return {};
  }
}

ExpressionCompiler::Type ExpressionCompiler::name(const ExprNode& node, const Shown& shown) {
  const std::string& text = node.text;
  const Type yes_or_no{Type::Kind::boolean, nullptr, {}};
  if (text == "actor") {
    step(Expression::Op::actor);
    return {Type::Kind::reference, nullptr, "person"};
  }
  const bool done = text.size() > 5 && text.ends_with(".done");
  if (text.starts_with("tasks.")) {
    if (place_.state < 0) {
      complain(node, "expression.place", {"这里不能看任务", "tasks are not known here"});
      return yes_or_no;
    }
    if (text == "tasks.done") {
      step(Expression::Op::tasks_done);
      return yes_or_no;
    }
    const auto& tasks = definition_.states[place_.state].tasks;
    for (std::size_t i = 0; done && i < tasks.size(); ++i) {
      if (text != "tasks." + definition_.tasks[tasks[i]].id + ".done") continue;
      step(Expression::Op::task_done, static_cast<std::int64_t>(i));
      return yes_or_no;
    }
    complain(node, "expression.task",
             {"本状态没有这个任务；写法：tasks.done 或 tasks.任务名.done",
              "this state has no such task; write tasks.done or tasks.NAME.done"});
    return yes_or_no;
  }
  if (text.starts_with("children.")) {
    for (std::size_t i = 0; i < definition_.children.size(); ++i) {
      if (text != "children." + definition_.children[i] + ".done") continue;
      step(Expression::Op::child_done, static_cast<std::int64_t>(i));
      return yes_or_no;
    }
    complain(node, "expression.child",
             {"没有这组子事项；写法：children.名称.done，名称来自 open 的 as",
              "no such children; write children.NAME.done with a name given by `as`"});
    return yes_or_no;
  }
  const int found = slot(text);
  if (found == no_slot) {
    const bool field = text.starts_with("form.");
    const Text hint = suggestion(text, fact_names(definition_));
    complain(node, field ? "expression.field" : "expression.fact",
             field ? Text{"表单没有字段“" + text + "”", "there is no form field '" + text + "'"}
                   : Text{"没有事实“" + text + "”" + hint.zh, "no fact '" + text + "'" + hint.en});
    return {};
  }
  if (found < 0) {
    const FormField& field = definition_.forms[place_.form].form->fields[-1 - found];
    need_known(node, field.required || field.fallback || shown.count(found) != 0);
    step(Expression::Op::field, -1 - found);
    const Type type = field_type(-1 - found);
    if (type.kind == Type::Kind::bad) {
      complain(node, "expression.type",
               {"文字、日期和列表字段不能比较，只能用 has(…)",
                "a text, date or list is not compared; only has(…) may ask for it"});
    }
    return type;
  }
  const FactDef& fact = definition_.facts[found];
  need_known(node, shown.count(found) != 0 || (place_.known && (*place_.known)[found]));
  step(Expression::Op::fact, found);
  out_.facts_.push_back(found);
  static constexpr Type::Kind kinds[] = {Type::Kind::boolean, Type::Kind::integer, Type::Kind::time,
                                         Type::Kind::enumeration, Type::Kind::reference};
  return {kinds[static_cast<int>(fact.type)], &fact.values, fact.ref};
}

void ExpressionCompiler::has(const ExprNode& node) {
  const int found = slot(node.text);
  if (found == no_slot) {
    complain(node, node.text.starts_with("form.") ? "expression.field" : "expression.fact",
             {"没有“" + node.text + "”", "there is no '" + node.text + "'"});
  } else if (found < 0) {
    step(Expression::Op::has_field, -1 - found);
  } else {
    step(Expression::Op::has_fact, found);
    out_.facts_.push_back(found);
  }
}

// A text literal means a value of the enumeration it stands beside.
void ExpressionCompiler::push_literal(const ExprNode& node, const Type& beside) {
  if (beside.kind == Type::Kind::enumeration && node.kind == ExprNode::Kind::text) {
    const auto found = std::find(beside.values->begin(), beside.values->end(), node.text);
    if (found == beside.values->end()) {
      const Text hint = suggestion(node.text, *beside.values);
      complain(node, "expression.value",
               {"“" + node.text + "”不是该枚举的值" + hint.zh,
                "'" + node.text + "' is no value of this enumeration" + hint.en});
    }
    step(Expression::Op::literal, found - beside.values->begin());
    return;
  }
  const bool fits = (beside.kind == Type::Kind::integer && node.kind == ExprNode::Kind::number) ||
                    (beside.kind == Type::Kind::boolean && node.kind == ExprNode::Kind::boolean);
  if (!fits && beside.kind != Type::Kind::bad) {
    complain(node, "expression.type", {"两边的类型不同", "the two sides have different types"});
  }
  step(Expression::Op::literal, node.number);
}

void ExpressionCompiler::compare(const ExprNode& node, const Shown& shown) {
  static constexpr std::array<std::string_view, 6> operators{"==", "!=", "<", "<=", ">", ">="};
  const auto op = std::find(operators.begin(), operators.end(), node.text) - operators.begin();
  const ExprNode& left = *node.parts[0];
  const ExprNode& right = *node.parts[1];
  auto literal = [](const ExprNode& n) {
    return n.kind == ExprNode::Kind::number || n.kind == ExprNode::Kind::boolean ||
           n.kind == ExprNode::Kind::text;
  };
  Type type;
  if (literal(left) && literal(right)) {
    complain(node, "expression.type", {"两边都是固定值", "both sides are fixed values"});
    return;
  }
  if (literal(left)) {  // 'II' <= severity: the literal is pushed first, typed by the other side
    const auto at = static_cast<std::ptrdiff_t>(out_.code_.size());
    type = check(right, shown);
    push_literal(left, type);
    std::rotate(out_.code_.begin() + at, out_.code_.end() - 1, out_.code_.end());
  } else {
    type = check(left, shown);
    if (literal(right)) {
      push_literal(right, type);
    } else {
      const Type other = check(right, shown);
      const bool bad = type.kind == Type::Kind::bad || other.kind == Type::Kind::bad;
      const bool same = type.kind == other.kind && type.ref == other.ref &&
                        (type.kind != Type::Kind::enumeration || *type.values == *other.values);
      if (!same && !bad) {
        complain(node, "expression.type", {"两边的类型不同", "the two sides have different types"});
      }
    }
  }
  const bool ordered = type.kind == Type::Kind::integer || type.kind == Type::Kind::time ||
                       type.kind == Type::Kind::enumeration || type.kind == Type::Kind::bad;
  if (op >= 2 && !ordered) {
    complain(node, "expression.type",
             {"这种类型没有大小之分，只能用 == 或 !=", "this type has no order; use == or !="});
  }
  step(static_cast<Expression::Op>(static_cast<int>(Expression::Op::equal) + op));
}

void ExpressionCompiler::in(const ExprNode& node, const Shown& shown) {
  const Type type = check(*node.parts[0], shown);
  if (type.kind != Type::Kind::integer && type.kind != Type::Kind::enumeration &&
      type.kind != Type::Kind::bad) {
    complain(node, "expression.type",
             {"in 的左边应为枚举或整数", "the left side of in is an enumeration or a number"});
    return;
  }
  step(Expression::Op::in, static_cast<std::int64_t>(node.parts.size()) - 1);
  for (std::size_t i = 1; i < node.parts.size(); ++i) push_literal(*node.parts[i], type);
}

bool Expression::reads_tasks() const {
  return std::any_of(code_.begin(), code_.end(),
                     [](const Step& s) { return s.op == Op::tasks_done || s.op == Op::task_done; });
}

bool Expression::reads_task(std::size_t i) const {
  return std::any_of(code_.begin(), code_.end(), [&](const Step& s) {
    return s.op == Op::tasks_done ||
           (s.op == Op::task_done && s.operand == static_cast<std::int64_t>(i));
  });
}

Truth Expression::evaluate(const Scope& scope) const {
  if (code_.empty()) return Truth::yes;
  std::array<Value, stack_max> stack;
  std::size_t top = 0;
  auto at = [](std::span<const Value> values, std::int64_t index) {
    return static_cast<std::size_t>(index) < values.size() ? values[static_cast<std::size_t>(index)]
                                                           : null_value;
  };
  for (std::size_t i = 0; i < code_.size(); ++i) {
    const Step& s = code_[i];
    switch (s.op) {
      case Op::literal:
        stack[top++] = s.operand;
        break;
      case Op::fact:
        stack[top++] = at(scope.facts, s.operand);
        break;
      case Op::field:
        stack[top++] = at(scope.form, s.operand);
        break;
      case Op::actor:
        stack[top++] = scope.actor;
        break;
      case Op::has_fact:
        stack[top++] = at(scope.facts, s.operand) != null_value;
        break;
      case Op::has_field:
        stack[top++] = at(scope.form, s.operand) != null_value;
        break;
      case Op::tasks_done:
        stack[top++] = scope.tasks_done;
        break;
      case Op::task_done:
        stack[top++] = (scope.tasks >> s.operand) & 1;
        break;
      case Op::child_done:
        stack[top++] = (scope.children >> s.operand) & 1;
        break;
      case Op::in: {
        Value& value = stack[top - 1];
        Value found = value == null_value ? null_value : 0;
        for (std::int64_t n = 0; n < s.operand; ++n) {
          if (code_[++i].operand == value && found == 0) found = 1;
        }
        value = found;
        break;
      }
      case Op::negate:
        if (stack[top - 1] != null_value) stack[top - 1] = stack[top - 1] == 0;
        break;
      case Op::both:
      case Op::either: {
        const Value absorbs = s.op == Op::either;  // the value that decides whatever the other is
        const Value b = stack[--top], a = stack[top - 1];
        if (a == absorbs || b == absorbs) {
          stack[top - 1] = absorbs;
        } else if (a == null_value || b == null_value) {
          stack[top - 1] = null_value;
        }
        break;
      }
      default: {
        const Value b = stack[--top];
        stack[top - 1] =
            compared(static_cast<int>(s.op) - static_cast<int>(Op::equal), stack[top - 1], b);
      }
    }
  }
  return stack[0] == null_value ? Truth::unknown : stack[0] != 0 ? Truth::yes : Truth::no;
}

}  // namespace cw
