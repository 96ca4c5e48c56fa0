// The commands that move a case: start, act, do a task, and the second person's answer.
#include <algorithm>

#include "base/id.h"
#include "base/text.h"
#include "body.h"
#include "prepare.h"
#include "turn.h"

namespace cw {
namespace {

Problem no_role(const Standing& who) {
  return problem(Refusal::forbidden, "case.role", who.why_not);
}

json::array texts_json(const std::vector<std::string>& texts) {
  json::array out;
  for (const std::string& t : texts) out.emplace_back(t);
  return out;
}

Problem guarded(const Sketch& s, const ActionDef& action) {
  const std::vector<int> lacking = tasks_lacking(s.d, s.c, action.guard);
  if (!lacking.empty()) return problem(Refusal::conflict, "case.guard", lacking_text(s.d, lacking));
  return problem(Refusal::conflict, "case.guard",
                 {"条件不满足：" + action.guard.source(),
                  "The condition does not hold: " + action.guard.source()});
}

Sending outbound_of(const std::string& name, const std::string& content) {
  Sending out;
  out.name = name;
  out.content = content;
  return out;
}

// Who files late says why, in the field that the form has for it. The start of a case is never
// asked: nothing may stand in the way of a first report.
Status reason_if_late(const Case& c, const Definition& d, bool task, int index, const Written& w,
                      std::int64_t now_ms) {
  const Form* form = w.form >= 0 ? d.forms[w.form].form.get() : nullptr;
  const int field = form ? form->late_field() : -1;
  if (field < 0 || !is_late(c, d, task, index, now_ms)) return done();
  const FormField& reason = form->fields[field];
  const json::value* given = w.filled.if_contains(reason.name);
  if (given && given->is_string() && !trim(given->get_string()).empty()) return done();
  return invalid(
      "form.late", "/form/" + reason.name,
      {"时限已过，请填写“" + reason.title.zh + "”；尚未提交",
       "The limit has passed: fill in '" + reason.title.en + "'; nothing was submitted"});
}

// Facts that a form and `set` would change, kept with a question until it is answered.
std::vector<std::pair<std::uint16_t, Value>> facts_asked(const Sketch& after, const Case& before) {
  std::vector<std::pair<std::uint16_t, Value>> out;
  for (std::size_t i = 0; i < before.facts.size(); ++i)
    if (after.c.facts[i] != before.facts[i])
      out.emplace_back(static_cast<std::uint16_t>(i), after.c.facts[i]);
  return out;
}

// Asks for a second person instead of doing it.
Result<json::object> ask(Turn& turn, Slot slot, const Standing& who, const std::string& actor,
                         bool task, int index, const Written& w,
                         const std::vector<std::string>& evidence) {
  Engine::Impl& m = turn.m;
  const Case& c = m.cases[slot];
  Name asker = m.names.add(actor);
  Sketch s(m, c, turn.now, asker);
  const TaskDef* t = task ? &s.d.tasks[index] : nullptr;
  const ActionDef* a = task ? nullptr : &s.d.actions[index];
  const Approval& approve = t ? t->approve : a->approve;
  Asked asked{.id = (c.rare ? c.rare->approvals : 0) + 1,
              .task = task,
              .index = static_cast<std::uint16_t>(index),
              .asker = asker,
              .content = w.content.commitment,
              .evidence = static_cast<std::uint16_t>(evidence.size())};
  {
    Sketch after(m, c, turn.now, asker);
    if (w.form >= 0) after.take_form(w.form, w.filled);
    after.set_form_facts();
    after.assign(t ? t->set : a->set);
    asked.facts = facts_asked(after, c);
    if (a && a->amend) {
      asked.to = amended_state(after);
      if (Status good = check_amend(after, asked); !good) return good.problem();
    }
  }
  s.c.extra().approvals = asked.id;
  s.c.extra().asked.push_back(asked);
  if (t) s.c.task(index)->phase = TaskPhase::asked;
  std::vector<int> turn_of = approve.ordered ? std::vector<int>{approve.roles[0]} : approve.roles;
  s.tell(turn_of, Notice::About::approval, t ? t->id : a->id, t ? t->title : a->title);
  Entry e{.actor = actor,
          .basis = who.basis,
          .kind = "case.ask",
          .name = t ? t->id : a->id,
          .body = turn.body(),
          .content = w.content.commitment};
  e.body.emplace("role", json::string_view(s.d.roles[who.role].id));
  if (w.form >= 0) e.body.emplace("form", json::string_view(s.d.forms[w.form].form->id));
  if (!evidence.empty()) e.body["evidence"] = texts_json(evidence);
  if (w.content.write) turn.draft().row(w.content.write, w.content.bytes);
  turn.emit(s, slot, std::move(e));
  turn.follow(slot, true);
  json::object body = turn.answer(slot);
  body["approval"] = std::int64_t{asked.id};
  return body;
}

Result<json::object> decide_act(Turn& turn, Slot slot, const std::string& actor,
                                const std::string& action_id, const Written& w,
                                const std::vector<std::string>& evidence) {
  Engine::Impl& m = turn.m;
  const Case& c = m.cases[slot];
  const Definition& d = *m.of(c).definition;
  if (c.closed) return closed_case();
  int action = d.action(c.state, action_id);
  if (action < 0 || d.actions[action].form != w.form) return moved_case();
  const ActionDef& def = d.actions[action];
  if (def.kind != ActionDef::Kind::person)
    return problem(Refusal::forbidden, "case.automatic",
                   {"这一步由系统自动执行", "This step happens by itself"});
  Standing who = standing(m, c, actor, def.by, turn.now);
  if (!who.ok()) return no_role(who);
  const std::vector<int>& here = d.states[c.state].actions;
  auto place = std::find(here.begin(), here.end(), action) - here.begin();
  if (def.once && c.taken >> place & 1)
    return problem(Refusal::conflict, "case.once",
                   {"这一步在本状态内只能办理一次", "This can be done only once in this state"});
  if (c.rare)
    for (const Asked& a : c.rare->asked)
      if (!a.task && a.index == action)
        return problem(Refusal::conflict, "case.asked",
                       {"同一操作已在等待审批", "The same action already waits for approval"});
  Sketch s(m, c, turn.now, m.names.add(actor));
  if (w.form >= 0) s.take_form(w.form, w.filled);
  if (!def.guard.holds(s.scope())) return guarded(s, def);
  if (Status late = reason_if_late(c, d, false, action, w, turn.now); !late) return late.problem();
  if (def.approve.quorum > 0) return ask(turn, slot, who, actor, false, action, w, evidence);
  s.set_form_facts();
  if (w.form >= 0) s.keep_form(w.content.commitment);
  s.perform(action);
  if (def.outbound) s.sendings.push_back(outbound_of(def.id, w.content.commitment));
  Entry e{.actor = actor,
          .basis = who.basis,
          .kind = "case.act",
          .name = def.id,
          .body = turn.body(),
          .content = w.content.commitment};
  e.body.emplace("role", json::string_view(d.roles[who.role].id));
  if (w.form >= 0) e.body.emplace("form", json::string_view(d.forms[w.form].form->id));
  if (!evidence.empty()) e.body["evidence"] = texts_json(evidence);
  if (w.content.write) turn.draft().row(w.content.write, w.content.bytes);
  turn.emit(s, slot, std::move(e));
  turn.follow(slot, true);
  return turn.answer(slot);
}

Result<json::object> decide_task(Turn& turn, Slot slot, const std::string& actor,
                                 const std::string& task_id, const Written& w,
                                 const std::vector<std::string>& evidence) {
  Engine::Impl& m = turn.m;
  const Case& c = m.cases[slot];
  const Definition& d = *m.of(c).definition;
  if (c.closed) return closed_case();
  int task = d.task(c.state, task_id);
  if (task < 0 || d.tasks[task].form != w.form) return moved_case();
  const TaskDef& def = d.tasks[task];
  const TaskState* t = c.task(task);
  if (!t || t->phase == TaskPhase::withdrawn)
    return problem(Refusal::conflict, "task.not_required",
                   {"目前不要求办理这项任务", "This task is not required now"});
  if (t->phase == TaskPhase::done)
    return problem(Refusal::conflict, "task.done", {"任务已完成", "The task is done already"});
  if (t->phase == TaskPhase::asked)
    return problem(Refusal::conflict, "case.asked",
                   {"任务已提交，正在等待审批", "The task was submitted and waits for approval"});
  Standing who = standing(m, c, actor, def.by, turn.now);
  if (!who.ok()) return no_role(who);
  if (static_cast<int>(evidence.size()) < def.evidence)
    return invalid("task.evidence", "/evidence",
                   {"至少需要 " + std::to_string(def.evidence) + " 件证据",
                    "Evidence needed: at least " + std::to_string(def.evidence)});
  if (Status late = reason_if_late(c, d, true, task, w, turn.now); !late) return late.problem();
  if (def.approve.quorum > 0) return ask(turn, slot, who, actor, true, task, w, evidence);
  Name doer = m.names.add(actor);
  Sketch s(m, c, turn.now, doer);
  if (w.form >= 0) s.take_form(w.form, w.filled);
  s.set_form_facts();
  if (w.form >= 0) s.keep_form(w.content.commitment);
  s.finish_task(task, doer, static_cast<int>(evidence.size()));
  if (def.outbound) s.sendings.push_back(outbound_of(def.id, w.content.commitment));
  Entry e{.actor = actor,
          .basis = who.basis,
          .kind = "case.task",
          .name = def.id,
          .body = turn.body(),
          .content = w.content.commitment};
  e.body.emplace("role", json::string_view(d.roles[who.role].id));
  if (w.form >= 0) e.body.emplace("form", json::string_view(d.forms[w.form].form->id));
  if (!evidence.empty()) e.body["evidence"] = texts_json(evidence);
  if (w.content.write) turn.draft().row(w.content.write, w.content.bytes);
  turn.emit(s, slot, std::move(e));
  turn.follow(slot, true);
  return turn.answer(slot);
}

// ---- approvals
// -----------------------------------------------------------------------------------

Problem no_question() {
  return problem(Refusal::not_found, "approval.unknown",
                 {"没有这项待审批的事项，或已处理", "No such approval waits, or it was answered"});
}

const Asked* question(const Case& c, std::uint32_t id) {
  if (c.rare)
    for (const Asked& a : c.rare->asked)
      if (a.id == id) return &a;
  return nullptr;
}

}  // namespace

// Who may answer: a role whose turn it is, never the asker, never twice; who acts for another and
// that other count as one.
Standing may_answer(const Engine::Impl& m, const Case& c, const Asked& a, std::string_view person,
                    std::int64_t now_ms) {
  const Definition& d = *m.of(c).definition;
  const Approval& approve = a.task ? d.tasks[a.index].approve : d.actions[a.index].approve;
  std::size_t turn = std::min(a.granted.size(), approve.roles.size() - 1);
  std::vector<int> roles = approve.ordered ? std::vector<int>{approve.roles[turn]} : approve.roles;
  Standing who = standing(m, c, person, roles, now_ms);
  if (!who.ok()) return who;
  for (std::string_view party : {person, acted_for(who.basis)}) {
    auto name = party.empty() ? std::nullopt : m.names.find(party);
    if (!name || std::find(a.stood.begin(), a.stood.end(), *name) == a.stood.end()) continue;
    const bool granted = std::find(a.granted.begin(), a.granted.end(), *name) != a.granted.end();
    return {.role = -1,
            .basis = {},
            .why_not = granted
                           ? Text{"已经同意过，须由另一人审批",
                                  "You approved already; another person must"}
                           : Text{"提交人不能审批自己的事项", "Whoever asked cannot approve it"}};
  }
  return who;
}

namespace {

Result<json::object> decide_approve(Turn& turn, Slot slot, const std::string& actor,
                                    std::uint32_t id) {
  Engine::Impl& m = turn.m;
  const Case& c = m.cases[slot];
  if (c.closed) return closed_case();
  const Asked* found = question(c, id);
  if (!found) return no_question();
  const Asked asked = *found;
  Standing who = may_answer(m, c, asked, actor, turn.now);
  if (!who.ok()) return no_role(who);
  const Definition& d = *m.of(c).definition;
  const Approval& approve =
      asked.task ? d.tasks[asked.index].approve : d.actions[asked.index].approve;
  Sketch s(m, c, turn.now, asked.asker);
  Name person = m.names.add(actor);
  bool last = static_cast<int>(asked.granted.size()) + 1 >= approve.quorum;
  const std::string& name = asked.task ? d.tasks[asked.index].id : d.actions[asked.index].id;
  Entry e{.actor = actor,
          .basis = who.basis,
          .kind = "case.approve",
          .name = name,
          .body = turn.body()};
  e.body.emplace("role", json::string_view(d.roles[who.role].id));
  e.body["approval"] = std::int64_t{id};
  if (!last) {
    for (Asked& a : s.c.extra().asked)
      if (a.id == id) a.granted.push_back(person);
    if (approve.ordered) {
      const TaskDef* t = asked.task ? &d.tasks[asked.index] : nullptr;
      s.tell({approve.roles[asked.granted.size() + 1]}, Notice::About::approval, name,
             t ? t->title : d.actions[asked.index].title);
    }
  } else {
    if (!asked.task && d.actions[asked.index].guard.evaluate(s.scope()) == Truth::no)
      return guarded(s, d.actions[asked.index]);
    s.drop_asked(asked.task, asked.index);
    for (auto [fact, value] : asked.facts) s.set_fact(fact, value);
    s.form = asked.task ? d.tasks[asked.index].form : d.actions[asked.index].form;
    s.keep_form(asked.content);
    if (asked.task) {
      s.finish_task(asked.index, asked.asker, asked.evidence);
    } else {
      e.body["act"] = json::string_view(name);
      if (d.actions[asked.index].amend) {
        e.body["amended"] = amended(s, c, asked);
        s.amend(asked.to);
      } else {
        s.perform(asked.index);
      }
    }
    bool outbound = asked.task ? d.tasks[asked.index].outbound : d.actions[asked.index].outbound;
    if (outbound) s.sendings.push_back(outbound_of(name, asked.content));
  }
  turn.emit(s, slot, std::move(e));
  turn.follow(slot, true);
  return turn.answer(slot);
}

Result<json::object> decide_reject(Turn& turn, Slot slot, const std::string& actor,
                                   std::uint32_t id, const SealedContent& reason) {
  Engine::Impl& m = turn.m;
  const Case& c = m.cases[slot];
  if (c.closed) return closed_case();
  const Asked* found = question(c, id);
  if (!found) return no_question();
  const Asked asked = *found;
  Standing who = may_answer(m, c, asked, actor, turn.now);
  if (!who.ok()) return no_role(who);
  Sketch s(m, c, turn.now, m.names.add(actor));
  s.drop_asked(asked.task, asked.index);
  const TaskDef* t = asked.task ? &s.d.tasks[asked.index] : nullptr;
  const ActionDef* a = asked.task ? nullptr : &s.d.actions[asked.index];
  if (t) s.c.task(asked.index)->phase = TaskPhase::open;
  Notice n = s.notice(Notice::About::approval, t ? t->id : a->id, t ? t->title : a->title);
  n.people.push_back(m.names.text(asked.asker));
  s.notices.push_back(std::move(n));
  Entry e{.actor = actor,
          .basis = who.basis,
          .kind = "case.reject",
          .name = t ? t->id : a->id,
          .body = turn.body(),
          .content = reason.commitment};
  e.body.emplace("role", json::string_view(s.d.roles[who.role].id));
  e.body["approval"] = std::int64_t{id};
  turn.draft().row(reason.write, reason.bytes);
  turn.emit(s, slot, std::move(e));
  turn.follow(slot, true);
  return turn.answer(slot);
}

// Facts from a machine must be of their type; a problem names the field.
Status check_facts(const Definition& d, const json::object& facts) {
  for (const auto& [id, value] : facts) {
    std::string pointer = "/facts/" + std::string(id);
    int fact = d.fact(id);
    if (fact < 0 || (fact == 0 && !d.levels.empty()))
      return invalid("case.fact_unknown", pointer, {"没有这个事实", "There is no such fact"});
    const FactDef& def = d.facts[fact];
    bool good =
        def.type == FieldType::boolean ? value.is_bool()
        : def.type == FieldType::enumeration
            ? value.is_string() && def.ordinal(value.as_string()) >= 0
        : def.type == FieldType::reference
            ? value.is_string() && !value.as_string().empty() && value.as_string().size() <= 100
            : value.is_int64();
    if (good && def.type == FieldType::integer)
      good = value.as_int64() >= def.minimum && value.as_int64() <= def.maximum;
    if (!good)
      return invalid("case.fact_type", pointer,
                     {"值的类型不对或超出范围", "Wrong type, or out of range"});
  }
  return done();
}

}  // namespace

Result<Decide> Engine::start(StartCase request) {
  Impl& m = *impl_;
  std::shared_ptr<const Definition> d = m.procedure(request.procedure);
  if (!d)
    return invalid("case.procedure", "/procedure", {"没有这个流程", "There is no such procedure"});
  if (m.retired(d->id)) return retired(*d);
  if (request.compress < 1 || request.compress > 10'000 ||
      (request.compress != 1 && request.mode != CaseMode::drill))
    return invalid("case.compress", "/compress",
                   {"压缩倍数须在 1 到 10,000 之间，且只用于演练",
                    "Compression is 1 to 10,000, and only in a drill"});
  if (request.subject.size() > 100 || request.origin.size() > 100)
    return invalid("case.reference", "/subject", {"编号过长", "The id is too long"});
  if (Status s = check_facts(*d, request.facts); !s) return s.problem();
  std::string id = new_id("cas", m.parts.clock.now_ms(), m.parts.random);
  Result<Written> written = write_form(m, *d, d->start_form, request.form, id);
  if (!written) return written.problem();
  return Decide([this, d, id, request = std::move(request), w = std::move(*written),
                 digest = m.digest_of(*d)](Draft& draft) -> Result<json::object> {
    Turn turn(*impl_, draft);
    if (impl_->retired(d->id)) return retired(*d);  // meanwhile
    if (!impl_->parts.directory.is_org(request.org))
      return invalid("case.org", "/org", {"没有这个单位", "There is no such organisation"});
    Filing f;
    f.definition = d;
    f.digest = digest;
    f.case_id = id;
    f.org = request.org;
    f.actor = request.actor;
    f.subject = request.subject;
    f.origin = request.origin;
    f.drill = request.mode == CaseMode::drill;
    f.compress = request.compress;
    f.form = w.form >= 0 ? &w.filled : nullptr;
    f.facts = &request.facts;
    f.content = w.content.commitment;
    if (w.content.write) draft.row(w.content.write, w.content.bytes);
    Result<Slot> slot = turn.start(f);
    if (!slot) return slot.problem();
    turn.follow(*slot, true);
    return turn.answer(*slot);
  });
}

namespace {

// The form of a task or action of that name: of the present state, or else of any.
template <typename Parts>
std::optional<int> form_of(const Parts& parts, int index, const std::string& name) {
  if (index >= 0) return parts[index].form;
  for (const auto& part : parts)
    if (part.id == name) return part.form;
  return std::nullopt;
}

}  // namespace

Result<Decide> Engine::act(By by, std::string action, std::vector<std::string> evidence,
                           json::object form) {
  std::optional<Impl::Hint> hint = impl_->hint(by.case_id);
  if (!hint) return unknown_case();
  const std::shared_ptr<const Definition> d = hint->definition;
  auto index = form_of(d->actions, d->action(hint->state, action), action);
  if (!index) return invalid("case.action", "/action", {"没有这个操作", "There is no such action"});
  if (Status s = check_evidence(evidence); !s) return s.problem();
  Result<Written> written = write_form(*impl_, *d, *index, form, by.case_id);
  if (!written) return written.problem();
  return Decide([this, d, place = hint->slot, if_seq = by.if_seq, actor = std::move(by.actor),
                 action = std::move(action), w = std::move(*written),
                 evidence = std::move(evidence)](Draft& draft) -> Result<json::object> {
    Turn turn(*impl_, draft);
    Result<Slot> slot = turn.at(place, if_seq);
    if (!slot) return slot.problem();
    if (impl_->of(impl_->cases[*slot]).definition != d) return moved_case();  // migrated meanwhile
    return decide_act(turn, *slot, actor, action, w, evidence);
  });
}

Result<Decide> Engine::do_task(By by, std::string task, std::vector<std::string> evidence,
                               json::object form) {
  std::optional<Impl::Hint> hint = impl_->hint(by.case_id);
  if (!hint) return unknown_case();
  const std::shared_ptr<const Definition> d = hint->definition;
  auto index = form_of(d->tasks, d->task(hint->state, task), task);
  if (!index) return invalid("case.task", "/task", {"没有这项任务", "There is no such task"});
  if (Status s = check_evidence(evidence); !s) return s.problem();
  Result<Written> written = write_form(*impl_, *d, *index, form, by.case_id);
  if (!written) return written.problem();
  return Decide([this, d, place = hint->slot, if_seq = by.if_seq, actor = std::move(by.actor),
                 task = std::move(task), w = std::move(*written),
                 evidence = std::move(evidence)](Draft& draft) -> Result<json::object> {
    Turn turn(*impl_, draft);
    Result<Slot> slot = turn.at(place, if_seq);
    if (!slot) return slot.problem();
    if (impl_->of(impl_->cases[*slot]).definition != d) return moved_case();  // migrated meanwhile
    return decide_task(turn, *slot, actor, task, w, evidence);
  });
}

Result<Decide> Engine::approve(By by, std::uint32_t approval) {
  return Decide([this, by = std::move(by), approval](Draft& draft) -> Result<json::object> {
    Turn turn(*impl_, draft);
    Result<Slot> slot = turn.at(by);
    if (!slot) return slot.problem();
    return decide_approve(turn, *slot, by.actor, approval);
  });
}

Result<Decide> Engine::reject(By by, std::uint32_t approval, std::string reason) {
  if (!impl_->hint(by.case_id)) return unknown_case();
  Result<SealedContent> sealed = write_text(*impl_, by.case_id, "reason", reason);
  if (!sealed) return sealed.problem();
  return Decide([this, by = std::move(by), approval,
                 sealed = std::move(*sealed)](Draft& draft) -> Result<json::object> {
    Turn turn(*impl_, draft);
    Result<Slot> slot = turn.at(by);
    if (!slot) return slot.problem();
    return decide_reject(turn, *slot, by.actor, approval, sealed);
  });
}

}  // namespace cw
