// Clocks, limits, effects and assignments.
#include <algorithm>

#include "base/text.h"
#include "names.h"
#include "read.h"

namespace cw {

void DefinitionReader::clocks(const YamlNode& node) {
  if (!node.is_map()) return;  // reported while the names were declared
  for (std::size_t i = 0; i < clock_bodies_.size(); ++i) {
    clock(*clock_bodies_[i], d_->clocks[i], static_cast<int>(i));
  }
}

void DefinitionReader::clock(const YamlNode& body, ClockDef& out, int index) {
  out.title = {out.id, out.id};
  out.calendar = d_->calendar;
  if (!reader_.map(body)) return;
  reader_.keys(body, {"when", "from", "stop", "run", "reset", "limit", "key", "calendar", "at",
                      "wait", "title"});
  out.title = title_of(body, out.id);
  const YamlNode* from = body.find("from");
  const YamlNode* run = body.find("run");
  if ((from != nullptr) == (run != nullptr)) {
    reader_.mistake(body, "procedure.clock",
                    {"时钟须且只须写明 from（从某时刻起）或 run（在某些状态中走）",
                     "a clock says either from (a moment) or run (states)"});
  }
  if (from != nullptr && from->is_list()) {
    earliest(*from, out);
  } else if (from != nullptr) {
    out.from = moment(*from);
  }
  if (const YamlNode* stop = body.find("stop")) {
    out.stop = moment(*stop);
    if (run != nullptr) {
      reader_.mistake(*stop, "procedure.clock",
                      {"run 时钟没有 stop", "a clock with run has no stop"});
    }
  }
  if (run != nullptr && reader_.list(*run)) {
    out.kind = ClockDef::Kind::running;
    for (const YamlNode& item : run->items) {
      const int state = state_index(item);
      if (state < 0) continue;
      out.run.push_back(state);
      if (d_->states[state].final) {
        reader_.mistake(item, "procedure.clock",
                        {"终结状态中没有时钟", "no clock runs in a final state"});
      }
    }
  }
  if (const YamlNode* reset = body.find("reset")) {
    out.reset_on_entry = reset->text == "entry";
    if (!out.reset_on_entry || run == nullptr) {
      reader_.mistake(*reset, "procedure.clock",
                      {"reset 只能是 entry，且只用于 run 时钟",
                       "reset can only be entry, for a clock with run"});
    }
  }
  if (const YamlNode* when = body.find("when")) condition(*when, Use::clock_when, index);
  if (body.find("limit") == nullptr) reader_.need(body, "limit");
  out.limit = limit(body);
  closing(body, out);
  if (const YamlNode* node = body.find("calendar")) out.calendar = calendar(*node);
  if (const YamlNode* wait = body.find("wait")) out.wait = reader_.boolean(*wait);
  const YamlNode* at = body.find("at");
  if (at == nullptr || !reader_.map(*at)) return;
  for (const auto& [percent, list] : at->entries) {
    Mark mark;
    mark.percent = static_cast<int>(reader_.integer(percent, 1, 1000));
    mark.effects = effects(list);
    out.marks.push_back(std::move(mark));
  }
  std::sort(out.marks.begin(), out.marks.end(),
            [](const Mark& a, const Mark& b) { return a.percent < b.percent; });
}

// A close of business is a moment: a clock that stood still and went on would have to move it. So
// a running clock may have one only when it can never go on: no condition that may lift it and
// bring it back, and no way from its states out and in again, unless that begins it anew.
void DefinitionReader::closing(const YamlNode& body, const ClockDef& clock) {
  const bool close = std::any_of(clock.limit.spans.begin(), clock.limit.spans.end(),
                                 [](const Span& s) { return s.unit == Unit::close; });
  if (!close || clock.kind != ClockDef::Kind::running) return;
  const YamlNode& at = *body.find("limit");
  if (body.find("when") != nullptr) {
    reader_.mistake(at, "procedure.close",
                    {"以下班为限（cob）的时钟不能停走，而 when 会使它停了又走；请改用 from",
                     "a limit at close of business (cob) cannot pause, and `when` may lift this "
                     "clock and bring it back; use `from`"});
    return;
  }
  if (clock.reset_on_entry) return;
  auto runs = [&](int state) {
    return std::find(clock.run.begin(), clock.run.end(), state) != clock.run.end();
  };
  for (const int first : clock.run) {
    for (const int out : targets(first)) {
      if (runs(out)) continue;
      std::vector<bool> seen(d_->states.size(), false);
      std::vector<int> open{out};
      while (!open.empty()) {
        const int state = open.back();
        open.pop_back();
        if (seen[state]) continue;
        seen[state] = true;
        for (const int to : targets(state)) open.push_back(to);
      }
      const auto back =
          std::find_if(clock.run.begin(), clock.run.end(), [&](int state) { return seen[state]; });
      if (back == clock.run.end()) continue;
      const std::string &from = d_->states[first].id, &via = d_->states[out].id;
      const std::string& to = d_->states[*back].id;
      reader_.mistake(
          at, "procedure.close",
          {"以下班为限（cob）的时钟不能停走，而它从“" + from + "”到“" + via + "”会停、回到“" + to +
               "”又走；请改用 from，或加 reset: entry",
           "a limit at close of business (cob) cannot pause, and this clock would stand "
           "still from '" +
               from + "' to '" + via + "' and go on in '" + to +
               "'; use `from`, or `reset: entry`"});
      return;
    }
  }
}

// from: [discovered_at, learned_at]: the earliest of the time facts that are set.
void DefinitionReader::earliest(const YamlNode& list, ClockDef& out) {
  for (const YamlNode& item : list.items) {
    const Moment one = moment(item);
    if (one.kind == Moment::Kind::none) continue;
    if (one.kind != Moment::Kind::fact) {
      reader_.mistake(item, "procedure.moment",
                      {"这里只能是时间事实", "only time facts stand in this list"});
    } else if (out.from.kind == Moment::Kind::none) {
      out.from = one;
    } else {
      out.also.push_back(one.index);
    }
  }
  if (list.items.size() < 2 || list.items.size() > 8) {
    reader_.mistake(list, "procedure.moment",
                    {"这里应有 2 到 8 个时间事实", "2 to 8 time facts stand here"});
  }
}

Span DefinitionReader::span(const YamlNode& node) {
  const auto found = node.is_scalar() ? parse_span(node.text) : std::nullopt;
  if (found) return *found;
  reader_.mistake(
      node, "procedure.limit",
      {"这里应为时限，例如 15m、4h、5wd、30d、cob、2cob（1 起的整数，最长十年）",
       "expected a limit such as 15m, 4h, 5wd, 30d, cob, 2cob (whole, from 1, at most ten years)"});
  return {};
}

// limit: 4h, or limit: {I: 30m, II: 1h, III: 4h} with key: severity, or limit: {regulation: ID}.
Limit DefinitionReader::limit(const YamlNode& body) {
  Limit out;
  const YamlNode* node = body.find("limit");
  const YamlNode* key = body.find("key");
  if (node == nullptr || !node->is_map()) {
    if (node != nullptr) out.spans.push_back(span(*node));
    if (key != nullptr) {
      reader_.mistake(*key, "procedure.limit",
                      {"key 只与分档的 limit 连用", "key goes with a limit that is a table"});
    }
    return out;
  }
  if (const YamlNode* id = node->find("regulation")) return statutory_limit(body, *id);
  if (key == nullptr) {
    reader_.mistake(*node, "procedure.limit",
                    {"分档的 limit 须有 key", "a limit that is a table needs a key"});
    for (const auto& [value, entry] : node->entries) span(entry);
    return out;
  }
  out.key = fact_index(*key);
  if (out.key < 0) return {};
  const FactDef& fact = d_->facts[out.key];
  if (fact.type != FieldType::enumeration) {
    reader_.mistake(*key, "procedure.limit", {"key 应为枚举事实", "key must be an enum fact"});
    return {};
  }
  out.spans.assign(fact.values.size(), Span{});
  for (const auto& [value, entry] : node->entries) {
    const Span given = span(entry);
    const int ordinal = fact.ordinal(value.text);
    if (ordinal >= 0) {
      out.spans[ordinal] = given;
      continue;
    }
    const Text hint = suggestion(value.text, fact.values);
    reader_.mistake(value, "procedure.limit",
                    {"“" + fact.id + "”没有值“" + value.text + "”" + hint.zh,
                     "'" + fact.id + "' has no value '" + value.text + "'" + hint.en});
  }
  for (const std::string& value : fact.values) {
    if (node->find(value) != nullptr) continue;
    reader_.mistake(*node, "procedure.limit",
                    {"缺少值“" + value + "”的时限", "no limit is given for '" + value + "'"});
  }
  return out;
}

std::string DefinitionReader::calendar(const YamlNode& node) {
  const std::string id = reader_.name(node);
  if (!id.empty() && around_.calendar && !around_.calendar(id)) {
    reader_.mistake(node, "procedure.calendar",
                    {"没有日历“" + id + "”", "no calendar '" + id + "'"});
  }
  return id;
}

// start, task.NAME, action.NAME, state.NAME, or plainly the name of a time fact, an action or a
// state, looked for in this order.
Moment DefinitionReader::moment(const YamlNode& node) {
  using Kind = Moment::Kind;
  const std::string& text = node.text;
  if (node.is_scalar() && text == "start") return {Kind::start, -1};
  const int fact = d_->fact(text);
  if (fact >= 0) {
    if (d_->facts[fact].type == FieldType::time) return {Kind::fact, fact};
    reader_.mistake(node, "procedure.moment", {"这个事实不是时间", "this fact is not a time"});
    return {};
  }
  std::vector<Moment> found;
  auto look = [&](const auto& parts, Kind kind, std::string_view prefix, bool plain) {
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if ((plain && text == parts[i].id) || text == std::string(prefix) + parts[i].id) {
        found.push_back({kind, static_cast<int>(i)});
      }
    }
  };
  look(d_->tasks, Kind::task, "task.", false);
  look(d_->actions, Kind::action, "action.", true);
  if (found.empty()) look(d_->states, Kind::state, "state.", true);
  if (found.size() == 1) return found[0];
  std::vector<std::string> names{"start"};
  for (const FactDef& f : d_->facts) {
    if (f.type == FieldType::time) names.push_back(f.id);
  }
  for (const TaskDef& t : d_->tasks) names.push_back("task." + t.id);
  for (const ActionDef& a : d_->actions) names.push_back(a.id);
  for (const StateDef& s : d_->states) names.push_back(s.id);
  const Text hint = suggestion(text, names);
  reader_.mistake(
      node, "procedure.moment",
      found.empty() ? Text{"没有这个时刻，应为 start、时间事实、task.任务、动作或状态" + hint.zh,
                           "no such moment; expected start, a time fact, task.NAME, an action or "
                           "a state" +
                               hint.en}
                    : Text{"有几个同名的任务或动作，请改名", "several have this name; rename one"});
  return {};
}

std::vector<Effect> DefinitionReader::effects(const YamlNode& node) {
  std::vector<Effect> out;
  if (!reader_.list(node)) return out;
  if (node.items.size() > 32) {
    reader_.mistake(node, "procedure.size", {"效果太多", "too many effects"});
    return out;
  }
  for (const YamlNode& item : node.items) {
    Effect made;
    if (effect(item, made)) out.push_back(std::move(made));
  }
  return out;
}

bool DefinitionReader::effect(const YamlNode& node, Effect& out) {
  using Kind = Effect::Kind;
  static const Names kinds{"set", "raise", "notify", "open", "flag", "require", "link", "send"};
  if (!reader_.map(node)) return false;
  if (node.entries.empty()) {
    reader_.mistake(node, "procedure.effect", {"效果是空的", "this effect is empty"});
    return false;
  }
  const auto& [key, value] = node.entries.front();
  const int kind = find(key, kinds, "procedure.effect", {"效果", "effect"});
  if (kind < 0) return false;
  out.kind = static_cast<Kind>(kind);
  if (out.kind == Kind::open) {
    reader_.keys(node, {"open", "each", "as", "mode"});
  } else if (out.kind == Kind::send) {
    reader_.keys(node, {"send", "text"});
  } else {
    reader_.keys(node, {key.text});
  }
  switch (out.kind) {
    case Kind::set:
      out.set = assignments(value, -1);
      break;
    case Kind::raise:
      out.raise = static_cast<int>(reader_.integer(value, 1, 9));
      if (d_->levels.empty()) {
        reader_.mistake(value, "procedure.level",
                        {"没有定义 levels，不能 raise", "raise needs levels"});
      }
      break;
    case Kind::notify:
      out.roles = role_list(value);
      break;
    case Kind::open:
      open(node, out);
      break;
    case Kind::flag: {
      const std::string id = reader_.name(value);
      const auto known = std::find(d_->flags.begin(), d_->flags.end(), id);
      out.flag = static_cast<int>(known - d_->flags.begin());
      if (known == d_->flags.end()) {
        d_->flags.push_back(id);
        d_->flag_titles.push_back({id, id});
      }
      break;
    }
    case Kind::require: {
      Names names;
      for (const TaskDef& task : d_->tasks) names.push_back(task.id);
      out.task = find(value, names, "procedure.task", {"任务", "task"});
      if (std::count(names.begin(), names.end(), value.text) > 1)
        reader_.mistake(value, "procedure.task",
                        {"有几个状态都有名为“" + value.text + "”的任务，无法确定是哪一个",
                         "several states have a task '" + value.text + "'; which one is not said"});
      break;
    }
    case Kind::link:
      out.fact = fact_index(value);
      if (out.fact >= 0 && d_->facts[out.fact].ref != "case") {
        reader_.mistake(value, "procedure.effect",
                        {"这里应为引用事项（ref: case）的事实",
                         "expected a fact that refers to a case (ref: case)"});
      }
      break;
    case Kind::send:
      out.roles = role_list(value);
      if (const YamlNode* text = reader_.need(node, "text")) out.text = reader_.text(*text);
      break;
  }
  return true;
}

// {open: corrective-action, each: investigation.items, as: fixes, mode: drill}
void DefinitionReader::open(const YamlNode& node, Effect& out) {
  const YamlNode& name = node.entries.front().value;
  out.procedure = reader_.name(name);
  const auto start = around_.procedure ? around_.procedure(out.procedure) : std::nullopt;
  const bool itself = out.procedure == d_->id;
  if (!itself && around_.retired && around_.retired(out.procedure)) {
    reader_.mistake(name, "procedure.retired",
                    {"流程“" + out.procedure + "”已停用，不能再由其他流程发起",
                     "the procedure '" + out.procedure + "' is retired: none may open it"});
  } else if (!start && !itself && !out.procedure.empty()) {
    reader_.mistake(name, "procedure.procedure",
                    {"没有流程“" + out.procedure + "”", "no procedure '" + out.procedure + "'"});
  }
  if (const YamlNode* as = node.find("as")) {
    const std::string id = reader_.name(*as);
    const auto known = std::find(d_->children.begin(), d_->children.end(), id);
    out.child = static_cast<int>(known - d_->children.begin());
    if (known == d_->children.end()) d_->children.push_back(id);
    if (d_->children.size() > 64) {
      reader_.mistake(*as, "procedure.size", {"最多 64 组子事项", "at most 64 names of children"});
    }
  }
  if (const YamlNode* mode = node.find("mode")) {
    out.drill = mode->text == "drill";
    if (!out.drill) {
      reader_.mistake(*mode, "procedure.effect", {"mode 只能是 drill", "mode can only be drill"});
    }
  }
  const YamlNode* each = node.find("each");
  if (each == nullptr) return;
  open_each(*each, out);
  if (!start || start->empty() || out.field < 0) return;
  if (const auto form = around_.form(*start)) {
    child_start(*each, d_->forms[out.form].form->fields[out.field], *form);
  }
}

// each: FORM.FIELD, a list of the latest such form of the case.
void DefinitionReader::open_each(const YamlNode& node, Effect& out) {
  const auto dot = node.text.rfind('.');
  YamlNode form = node;
  form.text = node.text.substr(0, dot);
  const std::string field = dot == std::string::npos ? "" : node.text.substr(dot + 1);
  out.form = form_index(form);
  if (out.form < 0) return;
  const auto& fields = d_->forms[out.form].form->fields;
  out.field = d_->forms[out.form].form->field(field);
  const bool objects = out.field >= 0 && fields[out.field].type == FieldType::list &&
                       !fields[out.field].items.empty() && !fields[out.field].items[0].name.empty();
  if (objects) return;
  out.field = -1;
  reader_.mistake(node, "procedure.each",
                  {"each 应为“表单.列表字段”，且列表的每项有字段",
                   "each is FORM.FIELD, where the field is a list of items with fields"});
}

// {owner: actor, since: now, priority: form.priority, severity: II, note: null}
std::vector<Assignment> DefinitionReader::assignments(const YamlNode& node, int form) {
  std::vector<Assignment> out;
  if (!reader_.map(node)) return out;
  for (const auto& [key, value] : node.entries) {
    Assignment made;
    made.fact = fact_index(key);
    if (made.fact < 0) continue;
    if (made.fact == 0 && !d_->levels.empty()) {
      reader_.mistake(key, "procedure.set",
                      {"级别只由 raise 和下限决定", "the level follows from raise and its floor"});
      continue;
    }
    if (assignment(value, form, made)) {
      out.push_back(made);
      continue;
    }
    reader_.mistake(
        value, "procedure.set",
        {"这个值不适合事实“" + key.text + "”；可用 actor、now、form.字段、null 或固定值",
         "this does not fit the fact '" + key.text +
             "'; use actor, now, form.FIELD, null or a fixed value"});
  }
  return out;
}

bool DefinitionReader::assignment(const YamlNode& value, int form, Assignment& out) {
  using From = Assignment::From;
  const FactDef& fact = d_->facts[out.fact];
  if (value.kind == YamlNode::Kind::null) return true;  // cleared
  if (!value.is_scalar()) return false;
  const std::string_view text = value.text;
  if (!value.quoted && text == "actor") {
    out.from = From::actor;
    return fact.ref == "person";
  }
  if (!value.quoted && text == "now") {
    out.from = From::now;
    return fact.type == FieldType::time;
  }
  if (!value.quoted && text.starts_with("form.")) {
    if (form < 0) return false;
    const Form& source = *d_->forms[form].form;
    out.from = From::field;
    out.field = source.field(text.substr(5));
    std::string zh, en;
    return out.field >= 0 && fits(source.fields[out.field], fact, zh, en);
  }
  switch (fact.type) {
    case FieldType::boolean:
      out.literal = text == "true";
      return text == "true" || text == "false";
    case FieldType::integer:
      out.literal = to_int<std::int64_t>(text).value_or(null_value);
      return out.literal >= fact.minimum && out.literal <= fact.maximum;
    case FieldType::enumeration:
      out.literal = fact.ordinal(text);
      return out.literal >= 0;
    default:
      return false;
  }
}

}  // namespace cw
