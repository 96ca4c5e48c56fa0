// The commands about people and records around a case: ownership of tasks, command, notes,
// delegation, links.
#include <algorithm>

#include "body.h"
#include "prepare.h"
#include "turn.h"

namespace cw {
namespace {

constexpr std::int64_t kDelegationMax = std::int64_t{90} * 86'400'000;
constexpr std::size_t kListMax = 1'000;  // links, watchers, delegations of one case

using Step = std::function<Result<json::object>(Turn&, Slot)>;

Decide on_case(Engine::Impl* impl, By by, Step step) {
  return [impl, by = std::move(by), step = std::move(step)](Draft& draft) -> Result<json::object> {
    Turn turn(*impl, draft);
    Result<Slot> slot = turn.at(by);
    if (!slot) return slot.problem();
    return step(turn, *slot);
  };
}

Problem not_involved() {
  return problem(
      Refusal::forbidden, "case.role",
      {"只有参与办理本记录的人可以这样做", "Only people who work on this case may do this"});
}

Problem full_list() {
  return problem(Refusal::conflict, "case.list_full",
                 {"数量已达上限 1,000", "The limit of 1,000 is reached"});
}

struct OpenTask {
  int task = -1;
  Standing who;
};

Result<OpenTask> open_task(Turn& turn, const Case& c, const std::string& actor,
                           const std::string& id) {
  const Definition& d = *turn.m.of(c).definition;
  if (c.closed) return closed_case();
  int task = d.task(c.state, id);
  const TaskState* t = task < 0 ? nullptr : c.task(task);
  if (!t || !t->pending())
    return problem(Refusal::conflict, "task.not_required",
                   {"目前不要求办理这项任务", "This task is not required now"});
  return OpenTask{task, standing(turn.m, c, actor, d.tasks[task].by, turn.now)};
}

Result<json::object> assign_task(Turn& turn, Slot slot, const std::string& actor,
                                 const std::string& id, const std::string& person, bool own) {
  Engine::Impl& m = turn.m;
  const Case& c = m.cases[slot];
  Result<OpenTask> open = open_task(turn, c, actor, id);
  if (!open) return open.problem();
  const Definition& d = *m.of(c).definition;
  const TaskDef& def = d.tasks[open->task];
  std::string basis = open->who.basis;
  if (!open->who.ok() && !own) basis = chief_basis(m, c, actor, c.held);
  if (basis.empty()) return problem(Refusal::forbidden, "case.role", open->who.why_not);
  Name name = m.names.add(person), present = c.task(open->task)->assignee;
  if (own && present != 0 && present != name)
    return problem(Refusal::conflict, "task.claimed",
                   {"任务已由他人认领", "Someone else has claimed this task"});
  if (!own && name != 0) {
    Standing whom = standing(m, c, person, def.by, turn.now);
    if (!whom.ok()) return invalid("task.assignee", "/person", whom.why_not);
  }
  if (present == name) return turn.answer(slot);
  Sketch s(m, c, turn.now, m.names.add(actor));
  s.c.task(open->task)->assignee = name;
  if (!own && name != 0) {
    Notice n = s.notice(Notice::About::assigned, def.id, def.title);
    n.people.push_back(person);
    n.due_ms = s.c.task(open->task)->due_ms == never_ms ? 0 : s.c.task(open->task)->due_ms;
    s.notices.push_back(std::move(n));
  }
  turn.emit(
      s, slot,
      {.actor = actor, .basis = basis, .kind = own ? "case.claim" : "case.assign", .name = def.id});
  return turn.answer(slot);
}

Result<json::object> take(Turn& turn, Slot slot, const std::string& actor,
                          const SealedContent& brief) {
  Engine::Impl& m = turn.m;
  const Case& c = m.cases[slot];
  if (c.closed) return closed_case();
  const Definition& d = *m.of(c).definition;
  std::string basis = chief_basis(m, c, actor, c.level);
  if (basis.empty())
    return problem(Refusal::forbidden, "case.role",
                   {"只有当前响应级别的指挥岗位可以接管",
                    "Only the chief of the present level may take command"});
  Name person = m.names.add(actor);
  if (c.held == c.level && c.commander == person) return turn.answer(slot);
  Sketch s(m, c, turn.now, person);
  s.c.held = s.c.level;
  s.c.commander = person;
  turn.draft().row(brief.write, brief.bytes);
  turn.emit(s, slot,
            {.actor = actor,
             .basis = basis,
             .kind = "case.command",
             .name = d.levels[c.level],
             .content = brief.commitment});
  turn.follow(slot, true);
  return turn.answer(slot);
}

Result<json::object> link_cases(Turn& turn, Slot slot, const std::string& actor,
                                const std::string& basis, const std::string& kind,
                                const std::string& other) {
  Engine::Impl& m = turn.m;
  Name actor_name = m.names.add(actor);
  auto add = [&](Slot where, const std::string& is, const std::string& to) {
    const Case& c = m.cases[where];
    Link link{m.names.add(is), m.names.add(to)};
    if (c.rare &&
        std::find(c.rare->links.begin(), c.rare->links.end(), link) != c.rare->links.end())
      return;
    Sketch s(m, c, turn.now, actor_name);
    s.c.extra().links.push_back(link);
    turn.emit(s, where, {.actor = actor, .basis = basis, .kind = "case.link", .name = is});
  };
  add(slot, kind, other);
  Slot back = m.slot_of(other);
  if (back != no_slot) add(back, kind, case_id(m.cases[slot].key));
  return turn.answer(slot);
}

Result<json::object> merge_into(Turn& turn, Slot slot, const std::string& actor,
                                const std::string& into) {
  Engine::Impl& m = turn.m;
  const Case& c = m.cases[slot];
  if (c.closed) return closed_case();
  Slot target = m.slot_of(into);
  if (target == no_slot || target == slot)
    return invalid("case.merge_target", "/into",
                   {"没有可以并入的记录", "No such case to merge into"});
  if (m.cases[target].closed)
    return problem(Refusal::conflict, "case.closed",
                   {"目标记录已办结，不能并入", "The other case is closed; nothing was written"});
  if (m.cases[target].drill != c.drill)
    return invalid("case.merge_target", "/into",
                   {"演练记录和真实记录不能互相并入", "A drill and a real case are not merged"});
  const Definition& d = *m.of(c).definition;
  std::vector<int> roles;  // who may act in this state may also close it into another
  for (int i : d.states[c.state].actions)
    roles.insert(roles.end(), d.actions[i].by.begin(), d.actions[i].by.end());
  for (int i : d.states[c.state].tasks)
    roles.insert(roles.end(), d.tasks[i].by.begin(), d.tasks[i].by.end());
  std::erase_if(roles, [&](int r) {
    return d.roles[r].kind == RoleDef::Kind::any || d.roles[r].kind == RoleDef::Kind::subject;
  });
  Standing who = standing(m, c, actor, roles, turn.now);
  if (!who.ok()) return problem(Refusal::forbidden, "case.role", who.why_not);
  {
    Sketch s(m, c, turn.now, m.names.add(actor));
    s.close();
    s.c.extra().links.push_back({m.names.add("merged"), m.names.add(into)});
    Entry e{.actor = actor, .basis = who.basis, .kind = "case.merge", .name = "merged"};
    e.body["into"] = into;
    turn.emit(s, slot, std::move(e));
  }
  Result<json::object> linked =
      link_cases(turn, target, actor, who.basis, "merged", case_id(m.cases[slot].key));
  turn.follow(slot, false);
  return turn.answer(slot);
}

}  // namespace

Result<Decide> Engine::claim(By by, std::string task) {
  std::string actor = by.actor;
  return on_case(impl_.get(), std::move(by),
                 [actor, task = std::move(task)](Turn& turn, Slot slot) {
                   return assign_task(turn, slot, actor, task, actor, true);
                 });
}

Result<Decide> Engine::assign(By by, std::string task, std::string person) {
  std::string actor = by.actor;
  return on_case(
      impl_.get(), std::move(by),
      [actor, task = std::move(task), person = std::move(person)](Turn& turn, Slot slot) {
        return assign_task(turn, slot, actor, task, person, false);
      });
}

Result<Decide> Engine::take_command(By by, std::string brief) {
  if (!impl_->hint(by.case_id)) return unknown_case();
  Result<SealedContent> sealed = write_text(*impl_, by.case_id, "brief", brief);
  if (!sealed) return sealed.problem();
  std::string actor = by.actor;
  return on_case(impl_.get(), std::move(by),
                 [actor, sealed = std::move(*sealed)](Turn& turn, Slot slot) {
                   return take(turn, slot, actor, sealed);
                 });
}

Result<Decide> Engine::note(By by, CaseNote note) {
  if (!impl_->hint(by.case_id)) return unknown_case();
  if (Status s = check_text("what", note.what); !s) return s.problem();
  json::object text{{"what", note.what}};
  if (note.decision) {
    if (Status s = check_text("why", note.why); !s) return s.problem();
    if (Status s = check_text("known", note.known); !s) return s.problem();
    text["why"] = note.why;
    text["known"] = note.known;
  }
  SealedContent sealed = impl_->parts.sealed.seal(by.case_id, canonical(text));
  std::string actor = by.actor;
  return on_case(
      impl_.get(), std::move(by),
      [actor, sealed, decision = note.decision](Turn& turn, Slot slot) -> Result<json::object> {
        Engine::Impl& m = turn.m;
        const Case& c = m.cases[slot];
        if (decision && c.closed) return closed_case();
        std::string basis = involvement(m, c, actor);
        if (basis.empty()) return not_involved();
        Sketch s(m, c, turn.now, m.names.add(actor));
        turn.draft().row(sealed.write, sealed.bytes);
        turn.emit(s, slot,
                  {.actor = actor,
                   .basis = basis,
                   .kind = "case.note",
                   .name = decision ? "decision" : "comment",
                   .content = sealed.commitment});
        return turn.answer(slot);
      });
}

Result<Decide> Engine::delegate(By by, std::string person, std::int64_t until_ms) {
  std::string actor = by.actor;
  return on_case(
      impl_.get(), std::move(by),
      [actor, person = std::move(person), until_ms](Turn& turn, Slot slot) -> Result<json::object> {
        Engine::Impl& m = turn.m;
        const Case& c = m.cases[slot];
        if (c.closed) return closed_case();
        if (until_ms <= turn.now || until_ms > turn.now + kDelegationMax)
          return invalid(
              "delegation.until", "/until",
              {"截止时间须在今后 90 天之内", "The end must lie within the next 90 days"});
        if (person == actor || !m.parts.directory.is_active_person(person))
          return invalid("delegation.person", "/person",
                         {"请选择另一位在岗人员", "Choose another active person"});
        std::string basis = involvement(m, c, actor);
        if (basis.empty() || basis == "participant") return not_involved();
        if (!acted_for(basis).empty())
          return problem(Refusal::conflict, "delegation.chain",
                         {"受委托人不能再委托他人", "A delegate cannot delegate further"});
        if (c.rare && c.rare->delegations.size() >= kListMax) return full_list();
        Sketch s(m, c, turn.now, m.names.add(actor));
        Delegation g{m.names.add(actor), m.names.add(person), until_ms};
        std::erase_if(s.c.extra().delegations,
                      [&](const Delegation& old) { return old.from == g.from && old.to == g.to; });
        s.c.rare->delegations.push_back(g);
        Notice n = s.notice(Notice::About::assigned, "delegation", s.d.title);
        n.people.push_back(person);
        n.due_ms = until_ms;
        s.notices.push_back(std::move(n));
        turn.emit(s, slot,
                  {.actor = actor, .basis = basis, .kind = "case.delegate", .name = "given"});
        return turn.answer(slot);
      });
}

Result<Decide> Engine::undelegate(By by, std::string person) {
  std::string actor = by.actor;
  return on_case(
      impl_.get(), std::move(by),
      [actor, person = std::move(person)](Turn& turn, Slot slot) -> Result<json::object> {
        Engine::Impl& m = turn.m;
        const Case& c = m.cases[slot];
        Sketch s(m, c, turn.now, m.names.add(actor));
        auto from = m.names.add(actor), to = m.names.add(person);
        std::size_t ended =
            !s.c.rare ? 0 : std::erase_if(s.c.rare->delegations, [&](const Delegation& g) {
              return g.from == from && g.to == to;
            });
        if (ended == 0)
          return problem(Refusal::not_found, "delegation.unknown",
                         {"没有这项委托", "There is no such delegation"});
        turn.emit(s, slot,
                  {.actor = actor, .basis = "delegator", .kind = "case.delegate", .name = "ended"});
        return turn.answer(slot);
      });
}

Result<Decide> Engine::set_reader(By by, std::string person, bool on, std::string reason) {
  if (!impl_->hint(by.case_id)) return unknown_case();
  Result<SealedContent> sealed = write_text(*impl_, by.case_id, "reason", reason);
  if (!sealed) return sealed.problem();
  std::string actor = by.actor;
  return on_case(impl_.get(), std::move(by),
                 [actor, person = std::move(person), on, sealed = std::move(*sealed)](
                     Turn& turn, Slot slot) -> Result<json::object> {
                   Engine::Impl& m = turn.m;
                   const Case& c = m.cases[slot];
                   const Definition& d = *m.of(c).definition;
                   if (d.readers.none())
                     return problem(
                         Refusal::conflict, "reader.open",
                         {"这类案件没有限阅名单", "Cases of this kind have no list of readers"});
                   Standing who = standing(m, c, actor, d.readers.by, turn.now);
                   if (!who.ok()) return problem(Refusal::forbidden, "case.role", who.why_not);
                   if (!cw::may_read(m, c, actor)) return unknown_case();
                   if (on && !m.parts.directory.is_active_person(person))
                     return invalid("reader.person", "/person",
                                    {"请选择一位在岗人员", "Choose an active person"});
                   Name name = m.names.add(person);
                   Sketch s(m, c, turn.now, m.names.add(actor));
                   std::vector<Admitted>& readers = s.c.extra().readers;
                   auto at = std::find_if(readers.begin(), readers.end(),
                                          [&](const Admitted& a) { return a.person == name; });
                   const bool is = at != readers.end();
                   // Whose credentials were reset since may be let in again.
                   const bool again = is && on && !cw::may_read(m, c, person);
                   if (is == on && !again) return turn.answer(slot);
                   if (on && !is && readers.size() >= kListMax) return full_list();
                   if (is) readers.erase(at);
                   if (on) readers.push_back({name, turn.now});
                   Entry e{.actor = actor,
                           .basis = who.basis,
                           .kind = "case.reader",
                           .name = on ? "added" : "removed",
                           .body = turn.body(),
                           .content = sealed.commitment};
                   e.body.emplace("role", json::string_view(d.roles[who.role].id));
                   turn.draft().row(sealed.write, sealed.bytes);
                   turn.emit(s, slot, std::move(e));
                   return turn.answer(slot);
                 });
}

Result<Decide> Engine::link(By by, std::string other) {
  if (other.empty() || other.size() > 100 || other == by.case_id)
    return invalid("case.link_target", "/to", {"请给出另一条记录的编号", "Name another record"});
  std::string actor = by.actor;
  return on_case(
      impl_.get(), std::move(by),
      [actor, other = std::move(other)](Turn& turn, Slot slot) -> Result<json::object> {
        Engine::Impl& m = turn.m;
        const Case& c = m.cases[slot];
        std::string basis = involvement(m, c, actor);
        if (basis.empty()) return not_involved();
        if (other.starts_with("cas_") && m.slot_of(other) == no_slot)
          return invalid("case.link_target", "/to", {"没有这条记录", "There is no such case"});
        if (c.rare && c.rare->links.size() >= kListMax) return full_list();
        return link_cases(turn, slot, actor, basis, "link", other);
      });
}

Result<Decide> Engine::merge(By by, std::string into) {
  std::string actor = by.actor;
  return on_case(impl_.get(), std::move(by),
                 [actor, into = std::move(into)](Turn& turn, Slot slot) {
                   return merge_into(turn, slot, actor, into);
                 });
}

Result<Decide> Engine::watch(By by, bool on) {
  std::string actor = by.actor;
  return on_case(
      impl_.get(), std::move(by), [actor, on](Turn& turn, Slot slot) -> Result<json::object> {
        Engine::Impl& m = turn.m;
        const Case& c = m.cases[slot];
        Name person = m.names.add(actor);
        bool is = c.rare && std::find(c.rare->watchers.begin(), c.rare->watchers.end(), person) !=
                                c.rare->watchers.end();
        if (is == on) return turn.answer(slot);
        if (on && c.rare && c.rare->watchers.size() >= kListMax) return full_list();
        Sketch s(m, c, turn.now, person);
        if (on)
          s.c.extra().watchers.push_back(person);
        else
          std::erase(s.c.rare->watchers, person);
        turn.emit(
            s, slot,
            {.actor = actor, .basis = "self", .kind = "case.watch", .name = on ? "on" : "off"});
        return turn.answer(slot);
      });
}

}  // namespace cw
