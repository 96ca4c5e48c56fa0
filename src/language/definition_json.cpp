// A definition for the console: names instead of indices.
#include <cstdio>

#include "base/clock.h"
#include "language/definition.h"

namespace cw {
namespace {

json::object title_json(const Text& text) { return {{"zh", text.zh}, {"en", text.en}}; }

class DefinitionWriter {
 public:
  explicit DefinitionWriter(const Definition& definition) : d_(definition) {}

  json::object write() const;

 private:
  json::array role_names(const std::vector<int>& indices) const;
  json::array role_list() const;
  json::array fact_list() const;
  json::array state_list() const;
  json::array clock_list() const;
  json::object task(const TaskDef& task) const;
  json::object action(const ActionDef& action) const;
  json::object approval(const Approval& approval) const;
  json::value limit(const Limit& limit) const;
  json::value moment(const Moment& moment) const;
  json::array effects(const std::vector<Effect>& effects) const;
  json::object effect(const Effect& effect) const;
  json::object assignments(const std::vector<Assignment>& set, int form) const;
  json::value assigned(const Assignment& a, int form) const;
  json::value form_id(int form) const;
  json::object schedule(const Schedule& schedule) const;
  json::object amendment(const Amendment& amend) const;

  const Definition& d_;
};

json::array DefinitionWriter::role_names(const std::vector<int>& indices) const {
  json::array out;
  for (const int i : indices) out.emplace_back(d_.roles[i].id);
  return out;
}

json::value DefinitionWriter::form_id(int form) const {
  return form < 0 ? json::value(nullptr) : json::value(json::string(d_.forms[form].form->id));
}

json::array DefinitionWriter::role_list() const {
  static constexpr const char* kinds[] = {"any",   "post",  "level_chief", "team",
                                          "queue", "field", "subject"};
  json::array out;
  for (const RoleDef& role : d_.roles) {
    json::object o{{"id", role.id},
                   {"title", title_json(role.title)},
                   {"kind", kinds[static_cast<int>(role.kind)]}};
    if (!role.name.empty()) o["name"] = role.name;
    if (role.fact >= 0) o["fact"] = d_.facts[role.fact].id;
    if (!role.apart.empty()) o["not"] = role_names(role.apart);
    out.push_back(std::move(o));
  }
  return out;
}

json::array DefinitionWriter::fact_list() const {
  static constexpr const char* types[] = {"boolean", "integer", "time", "enum", "reference"};
  json::array out;
  for (const FactDef& fact : d_.facts) {
    json::object o{{"id", fact.id},
                   {"title", title_json(fact.title)},
                   {"type", types[static_cast<int>(fact.type)]}};
    json::array values;
    for (std::size_t i = 0; i < fact.values.size(); ++i) {
      const Text same{fact.values[i], fact.values[i]};
      values.push_back(
          json::object{{"value", fact.values[i]},
                       {"title", title_json(i < fact.words.size() ? fact.words[i] : same)}});
    }
    if (!values.empty()) o["values"] = std::move(values);
    if (!fact.ref.empty()) o["ref"] = fact.ref;
    out.push_back(std::move(o));
  }
  return out;
}

json::value DefinitionWriter::assigned(const Assignment& a, int form) const {
  const FactDef& fact = d_.facts[a.fact];
  switch (a.from) {
    case Assignment::From::actor:
      return "actor";
    case Assignment::From::now:
      return "now";
    case Assignment::From::field:
      return json::value(json::string("form." + d_.forms[form].form->fields[a.field].name));
    case Assignment::From::literal:
      break;
  }
  if (a.literal == null_value) return nullptr;
  if (fact.type == FieldType::boolean) return a.literal != 0;
  if (fact.type != FieldType::enumeration) return a.literal;
  return json::value(json::string(fact.values[static_cast<std::size_t>(a.literal)]));
}

json::object DefinitionWriter::assignments(const std::vector<Assignment>& set, int form) const {
  json::object out;
  for (const Assignment& a : set) out[d_.facts[a.fact].id] = assigned(a, form);
  return out;
}

json::object DefinitionWriter::effect(const Effect& e) const {
  switch (e.kind) {
    case Effect::Kind::set:
      return {{"set", assignments(e.set, -1)}};
    case Effect::Kind::raise:
      return {{"raise", e.raise}};
    case Effect::Kind::notify:
      return {{"notify", role_names(e.roles)}};
    case Effect::Kind::flag:
      return {{"flag", d_.flags[e.flag]}};
    case Effect::Kind::require:
      return {{"require", d_.tasks[e.task].id}};
    case Effect::Kind::link:
      return {{"link", d_.facts[e.fact].id}};
    case Effect::Kind::send:
      return {{"send", role_names(e.roles)}, {"text", title_json(e.text)}};
    case Effect::Kind::open:
      break;
  }
  json::object out{{"open", e.procedure}};
  if (e.field >= 0) {
    out["each"] = d_.forms[e.form].form->id + "." + d_.forms[e.form].form->fields[e.field].name;
  }
  if (e.child >= 0) out["as"] = d_.children[e.child];
  if (e.drill) out["mode"] = "drill";
  return out;
}

json::array DefinitionWriter::effects(const std::vector<Effect>& effects) const {
  json::array out;
  for (const Effect& e : effects) out.push_back(effect(e));
  return out;
}

json::value DefinitionWriter::limit(const Limit& limit) const {
  if (limit.none()) return nullptr;
  if (limit.key < 0) return json::value(json::string(to_string(limit.spans[0])));
  json::object table;
  const FactDef& key = d_.facts[limit.key];
  for (std::size_t i = 0; i < limit.spans.size(); ++i) {
    table[key.values[i]] = to_string(limit.spans[i]);
  }
  return json::object{{"key", key.id}, {"table", std::move(table)}};
}

json::value DefinitionWriter::moment(const Moment& m) const {
  switch (m.kind) {
    case Moment::Kind::none:
      return nullptr;
    case Moment::Kind::start:
      return "start";
    case Moment::Kind::fact:
      return json::value(json::string(d_.facts[m.index].id));
    case Moment::Kind::task:
      return json::value(json::string("task." + d_.tasks[m.index].id));
    case Moment::Kind::action:
      return json::value(json::string("action." + d_.actions[m.index].id));
    case Moment::Kind::state:
      return json::value(json::string("state." + d_.states[m.index].id));
  }
  return nullptr;
}

json::object DefinitionWriter::approval(const Approval& a) const {
  return {{"by", role_names(a.roles)}, {"quorum", a.quorum}, {"order", a.ordered}};
}

json::object DefinitionWriter::task(const TaskDef& t) const {
  json::object o{{"id", t.id},
                 {"title", title_json(t.title)},
                 {"by", role_names(t.by)},
                 {"form", form_id(t.form)},
                 {"limit", limit(t.limit)},
                 {"evidence", t.evidence},
                 {"outbound", t.outbound}};
  if (!t.limit.none()) o["calendar"] = t.calendar;
  if (!t.when.empty()) o["when"] = t.when.source();
  if (!t.late.empty()) o["late"] = effects(t.late);
  if (!t.set.empty()) o["set"] = assignments(t.set, t.form);
  if (!t.effects.empty()) o["do"] = effects(t.effects);
  if (t.approve.quorum > 0) o["approve"] = approval(t.approve);
  return o;
}

json::object DefinitionWriter::action(const ActionDef& a) const {
  json::object o{{"id", a.id},
                 {"title", title_json(a.title)},
                 {"form", form_id(a.form)},
                 {"outbound", a.outbound},
                 {"repeat", a.repeat},
                 {"once", a.once}};
  if (a.kind == ActionDef::Kind::person) o["by"] = role_names(a.by);
  if (a.kind == ActionDef::Kind::automatic) o["auto"] = a.condition.source();
  if (a.kind == ActionDef::Kind::upon) o["upon"] = "clock." + d_.clocks[a.clock].id;
  if (!a.guard.empty()) o["guard"] = a.guard.source();
  if (a.to >= 0) o["to"] = d_.states[a.to].id;
  if (!a.set.empty()) o["set"] = assignments(a.set, a.form);
  if (!a.effects.empty()) o["do"] = effects(a.effects);
  if (a.approve.quorum > 0) o["approve"] = approval(a.approve);
  return o;
}

json::array DefinitionWriter::state_list() const {
  json::array out;
  for (const StateDef& state : d_.states) {
    json::object o{{"id", state.id}, {"title", title_json(state.title)}, {"final", state.final}};
    json::array tasks, actions;
    for (const int i : state.tasks) tasks.push_back(task(d_.tasks[i]));
    for (const int i : state.actions) {
      if (!d_.actions[i].amend) actions.push_back(action(d_.actions[i]));
    }
    o["tasks"] = std::move(tasks);
    o["actions"] = std::move(actions);
    if (!state.enter.empty()) o["enter"] = effects(state.enter);
    if (state.retain_days > 0) o["retain_days"] = state.retain_days;
    out.push_back(std::move(o));
  }
  return out;
}

json::array DefinitionWriter::clock_list() const {
  json::array out;
  for (const ClockDef& clock : d_.clocks) {
    json::object o{{"id", clock.id},
                   {"title", title_json(clock.title)},
                   {"kind", clock.kind == ClockDef::Kind::anchored ? "anchored" : "running"},
                   {"limit", limit(clock.limit)},
                   {"calendar", clock.calendar},
                   {"wait", clock.wait}};
    if (!clock.limit.regulation.empty()) o["regulation"] = clock.limit.regulation;
    if (!clock.when.empty()) o["when"] = clock.when.source();
    if (clock.kind == ClockDef::Kind::anchored) {
      o["from"] = moment(clock.from);
      json::array also;
      for (const int fact : clock.also) also.emplace_back(d_.facts[fact].id);
      if (!also.empty()) o["also"] = std::move(also);
      o["stop"] = moment(clock.stop);
    } else {
      json::array run;
      for (const int state : clock.run) run.emplace_back(d_.states[state].id);
      o["run"] = std::move(run);
      o["reset_on_entry"] = clock.reset_on_entry;
    }
    json::array marks;
    for (const Mark& mark : clock.marks) {
      marks.push_back(json::object{{"percent", mark.percent}, {"do", effects(mark.effects)}});
    }
    o["at"] = std::move(marks);
    out.push_back(std::move(o));
  }
  return out;
}

json::object DefinitionWriter::schedule(const Schedule& s) const {
  static constexpr const char* units[] = {"d", "wd", "w", "mo", "y"};
  char at[8], from[16];
  const Civil day = civil_from_days(s.first);
  std::snprintf(at, sizeof at, "%02d:%02d", s.minute / 60 % 24, s.minute % 60);
  std::snprintf(from, sizeof from, "%04d-%02d-%02d", day.year % 10'000, day.month % 100,
                day.day % 100);
  json::object start = s.form;
  for (auto& [fact, value] : assignments(s.set, -1)) start[fact] = value;
  return {{"every", std::to_string(s.every) + units[static_cast<int>(s.unit)]},
          {"at", at},
          {"from", from},
          {"calendar", s.calendar},
          {"workday", s.workday},
          {"org", s.org},
          {"start", std::move(start)}};
}

json::object DefinitionWriter::amendment(const Amendment& a) const {
  json::array facts, states;
  for (const int i : a.facts) facts.emplace_back(d_.facts[i].id);
  for (const int i : a.states) states.emplace_back(d_.states[i].id);
  return {{"by", role_names(a.by)},
          {"approve", approval(a.approve)},
          {"facts", std::move(facts)},
          {"states", std::move(states)},
          {"form", form_id(a.form)}};
}

json::object DefinitionWriter::write() const {
  json::array levels, flags;
  for (std::size_t i = 0; i < d_.levels.size(); ++i) {
    levels.push_back(json::object{{"id", d_.levels[i]}, {"title", title_json(d_.level_titles[i])}});
  }
  for (std::size_t i = 0; i < d_.flags.size(); ++i) {
    flags.push_back(json::object{{"id", d_.flags[i]}, {"title", title_json(d_.flag_titles[i])}});
  }
  json::object forms;
  for (const FormUse& use : d_.forms) forms[use.form->id] = to_json(*use.form);
  json::object start{{"by", role_names(d_.start_by)},
                     {"form", form_id(d_.start_form)},
                     {"to", d_.states[d_.start_state].id}};
  json::object out{{"procedure", d_.id},
                   {"version", d_.version},
                   {"title", title_json(d_.title)},
                   {"basis", json::value_from(d_.basis)},
                   {"calendar", d_.calendar},
                   {"levels", std::move(levels)},
                   {"roles", role_list()},
                   {"facts", fact_list()},
                   {"flags", std::move(flags)},
                   {"start", std::move(start)},
                   {"states", state_list()},
                   {"clocks", clock_list()},
                   {"forms", std::move(forms)}};
  if (!d_.readers.none()) {
    out["readers"] =
        json::object{{"roles", role_names(d_.readers.roles)}, {"by", role_names(d_.readers.by)}};
  }
  if (!d_.amend.none()) out["amend"] = amendment(d_.amend);
  if (!d_.schedule.none()) out["schedule"] = schedule(d_.schedule);
  return out;
}

}  // namespace

json::object to_json(const Definition& definition) { return DefinitionWriter(definition).write(); }

json::object to_json(const Regulation& r) {
  json::array editions;
  for (const Regulation::Edition& e : r.editions) {
    json::object within, to, one{{"certainty", e.certainty}, {"at_once", e.at_once}};
    for (const auto& [value, span] : e.within) within[value] = to_string(span);
    for (const auto& [value, whom] : e.to) to[value] = title_json(whom);
    if (e.from_ms != INT64_MIN) one["from_ms"] = e.from_ms;
    if (e.until_ms != INT64_MAX) one["until_ms"] = e.until_ms;
    if (!within.empty()) one["within"] = std::move(within);
    if (!to.empty()) one["to"] = std::move(to);
    editions.push_back(std::move(one));
  }
  json::object out{{"regulation", r.id},
                   {"version", r.version},
                   {"title", title_json(r.title)},
                   {"instrument", title_json(r.instrument)},
                   {"article", r.article},
                   {"duty", r.duty},
                   {"who", title_json(r.who)},
                   {"when", title_json(r.when)},
                   {"editions", std::move(editions)}};
  if (!r.note.zh.empty()) out["note"] = title_json(r.note);
  return out;
}

}  // namespace cw
