// The whole record of one case for one viewer, from memory.
#include <algorithm>

#include "body.h"
#include "sketch.h"

namespace cw {
namespace {

class Viewing {
 public:
  Viewing(const Engine::Impl& impl, const Case& the_case, std::string_view person)
      : m(impl),
        c(the_case),
        in(impl.of(the_case)),
        d(*in.definition),
        viewer(person),
        now(impl.parts.clock.now_ms()) {}

  CaseView all() const {
    CaseView v;
    head(v);
    command(v);
    facts(v);
    tasks(v);
    actions(v);
    for (const ClockState& k : c.clocks)
      if (k.budget_ms != 0) v.clocks.push_back(clock(k));
    for (std::size_t i = 0; i < d.flags.size(); ++i)
      if (c.flags >> i & 1)
        v.flags.push_back(d.flags[i]), v.flag_titles.push_back(d.flag_titles[i]);
    approvals(v);
    links(v);
    v.restricted = !d.readers.none();
    if (c.rare)
      for (const Admitted& a : c.rare->readers) v.readers.push_back(text(a.person));
    v.can_admit = v.restricted && !viewer.empty() && standing(m, c, viewer, d.readers.by, now).ok();
    for (Name n : participants_of(c)) v.participants.push_back(text(n));
    return v;
  }

  ClockView clock(const ClockState& k) const {
    const ClockDef& def = d.clocks[k.clock];
    const Calendar& calendar = *in.clock_calendars[k.clock];
    ClockView v;
    v.id = def.id;
    v.title = def.title;
    v.anchored = def.kind == ClockDef::Kind::anchored;
    v.wait = def.wait;
    v.natural = k.natural;
    v.phase = k.phase;
    v.since_ms = k.since_ms;
    v.budget_ms = k.budget_ms;
    v.stopped_ms = k.stopped_ms;
    v.generation = k.generation;
    v.calendar = calendar.id();
    v.limit = to_string(span_for(def.limit, c.facts, calendar, k.since_ms));
    std::int64_t end = k.phase == ClockPhase::stopped ? k.stopped_ms : now;
    v.used_ms = k.used();
    if (k.phase == ClockPhase::counting || (v.anchored && k.phase == ClockPhase::stopped))
      v.used_ms += calendar.spent_ms(k.since_ms, end, k.natural);
    if (k.due_ms != never_ms) v.due_ms = k.due_ms;
    v.percent = static_cast<int>(std::min<std::int64_t>(v.used_ms * 100 / k.budget_ms, 100'000));
    v.missed = v.used_ms >= k.budget_ms && !def.expires;  // an expiry is no failure
    v.provisional = k.phase == ClockPhase::counting && !k.natural && calendar.provisional(k.due_ms);
    const std::vector<ClockStep>& steps = in.steps[k.clock];
    for (std::size_t i = 0; i < steps.size(); ++i) {
      MarkView mark;
      mark.percent = steps[i].percent;
      mark.fired = i < k.step;
      std::int64_t left = k.budget_ms * steps[i].percent / 100 - k.used();
      if (v.due_ms != 0 && left > 0 && k.phase != ClockPhase::still)
        mark.at_ms = calendar.due_ms(k.since_ms, {left, k.natural});
      if (i == 0 || steps[i - 1].percent != mark.percent) v.marks.push_back(mark);
    }
    return v;
  }

  ClockStory clock_story(const ClockState& k) const {
    ClockStory s;
    s.clock = clock(k);
    s.before_ms = k.used();
    story(s, *in.clock_calendars[k.clock]);
    return s;
  }

  ClockStory task_story(const TaskState& t) const {
    const TaskDef& def = d.tasks[t.task];
    const Calendar& calendar = *in.task_calendars[t.task];
    Span span = span_for(def.limit, c.facts, calendar, t.opened_ms);
    Budget budget = calendar.budget(span, t.opened_ms);
    ClockStory s;
    s.clock.id = "task." + def.id;
    s.clock.title = def.title;
    s.clock.anchored = true;
    s.clock.natural = budget.natural;
    s.clock.since_ms = t.opened_ms;
    s.clock.budget_ms = budget.ms;
    s.clock.due_ms = t.due_ms;
    s.clock.calendar = calendar.id();
    s.clock.limit = to_string(span);
    s.clock.generation = t.generation;
    s.clock.phase = t.pending() ? ClockPhase::counting : ClockPhase::stopped;
    s.clock.stopped_ms = t.done_ms;
    s.clock.missed = t.late;
    s.clock.provisional = !budget.natural && calendar.provisional(t.due_ms);
    std::int64_t end = t.phase == TaskPhase::done ? t.done_ms : now;
    s.clock.used_ms = calendar.spent_ms(t.opened_ms, end, budget.natural);
    s.clock.percent =
        static_cast<int>(std::min<std::int64_t>(s.clock.used_ms * 100 / budget.ms, 100'000));
    story(s, calendar);
    return s;
  }

 private:
  const std::string& text(Name n) const { return m.names.text(n); }

  void story(ClockStory& s, const Calendar& calendar) const {
    const ClockView& k = s.clock;
    s.calendar_version = calendar.version();
    std::string from = calendar.local(k.since_ms);
    const Text& title = calendar.title();
    const auto span = parse_span(k.limit);
    const bool close = span && span->unit == Unit::close;
    const std::string ahead = close ? std::to_string(span->amount) : "";
    Text limit = {k.limit, k.limit};
    if (close && span->amount == 0) limit = {"当个工作日下班", "close of business"};
    if (close && span->amount > 0)
      limit = {"其后第 " + ahead + " 个工作日下班", "close of business + " + ahead};
    s.sentence = {"时限 " + limit.zh +
                      (k.natural ? "，自然时间连续计算" : "，按日历“" + title.zh + "”计算") +
                      "，自 " + from + " 起",
                  "Limit " + limit.en +
                      (k.natural ? ", counted around the clock" : ", on the calendar " + title.en) +
                      ", from " + from};
    if (s.before_ms > 0) {
      std::string minutes = std::to_string(s.before_ms / 60'000);
      s.sentence.zh += "，此前已用 " + minutes + " 分钟";
      s.sentence.en += ", with " + minutes + " min used before";
    }
    if (k.due_ms == 0) {
      s.sentence.zh += "；目前停表";
      s.sentence.en += "; it stands still now";
      return;
    }
    s.sentence.zh += "，到期 " + calendar.local(k.due_ms);
    s.sentence.en += ", due " + calendar.local(k.due_ms);
    if (k.due_ms > k.since_ms) s.segments = calendar.explain(k.since_ms, k.due_ms, k.natural);
  }

  void head(CaseView& v) const {
    v.id = case_id(c.key);
    v.number = m.number_of(c);
    v.procedure = d.id;
    v.version = d.version;
    v.title = d.title;
    v.org = text(c.org);
    v.state = d.states[c.state].id;
    v.state_title = d.states[c.state].title;
    v.retain_days = d.states[c.state].retain_days;
    v.starter = text(c.starter);
    v.subject = text(c.subject);
    v.mode = c.drill ? CaseMode::drill : CaseMode::live;
    v.compress = c.compress;
    v.closed = c.closed;
    v.opened_ms = c.opened_ms, v.entered_ms = c.entered_ms, v.closed_ms = c.closed_ms;
    v.first_seq = c.first_seq, v.last_seq = c.last_seq;
  }

  void command(CaseView& v) const {
    v.commander = text(c.commander);
    if (d.levels.empty()) return;
    v.level = d.levels[c.level], v.held_level = d.levels[c.held];
    v.level_title = d.level_titles[c.level], v.held_title = d.level_titles[c.held];
    v.chief_post = m.parts.directory.chief_post(v.held_level, v.org);
    v.brief_due = !c.closed && c.level != c.held;
    v.can_take = !c.closed && !viewer.empty() && !chief_basis(m, c, viewer, c.level).empty() &&
                 (v.brief_due || v.commander != viewer);
  }

  void facts(CaseView& v) const {
    for (std::size_t i = 0; i < d.facts.size(); ++i) {
      const FactDef& def = d.facts[i];
      FactView f;
      f.id = def.id;
      f.title = def.title;
      f.type = def.type;
      f.value = fact_json(def, c.facts[i], m.names);
      if (def.type == FieldType::enumeration && c.facts[i] != null_value && !def.words.empty())
        f.word = def.words[c.facts[i]];
      f.seq = c.marks[i].seq;
      f.at_ms = c.marks[i].at_ms;
      f.actor = text(c.marks[i].actor);
      v.facts.push_back(std::move(f));
    }
  }

  void name_roles(const std::vector<int>& roles, std::vector<std::string>& ids,
                  std::vector<Text>* titles) const {
    for (int r : roles) {
      ids.push_back(d.roles[r].id);
      if (titles) titles->push_back(d.roles[r].title);
    }
  }

  bool asks_reason(int form) const { return form >= 0 && d.forms[form].form->late_field() >= 0; }

  void judge(const std::vector<int>& roles, bool& can, std::string& basis, Text& why_not) const {
    if (viewer.empty()) return;
    Standing who = standing(m, c, viewer, roles, now);
    can = who.ok();
    basis = who.basis;
    why_not = who.why_not;
  }

  void tasks(CaseView& v) const {
    for (std::size_t i = 0; i < d.tasks.size(); ++i) {
      const TaskDef& def = d.tasks[i];
      const TaskState* t = c.task(static_cast<int>(i));
      bool here = def.state == c.state;
      if (!t && !here) continue;
      TaskView x;
      x.id = def.id;
      x.title = def.title;
      x.state = d.states[def.state].id;
      if (def.form >= 0) x.form = d.forms[def.form].form->id;
      x.when = def.when.source();
      x.outbound = def.outbound;
      x.evidence = def.evidence;
      name_roles(def.by, x.roles, &x.role_titles);
      if (!t) {
        x.phase = TaskPhase::withdrawn;  // not required, so far
        x.why = "condition";
      } else {
        constexpr const char* kWhy[] = {"", "condition", "state", "closed"};
        x.phase = t->phase;
        x.why = kWhy[static_cast<int>(t->why)];
        x.late = t->late || (t->pending() && t->due_ms <= now);
        x.required = t->required;
        x.evidence_given = t->evidence;
        x.opened_ms = t->opened_ms;
        x.due_ms = t->due_ms == never_ms ? 0 : t->due_ms;
        x.done_ms = t->done_ms;
        x.assignee = text(t->assignee);
        x.doer = text(t->doer);
        x.seq = t->seq;
      }
      x.reason_due = t && t->pending() && asks_reason(def.form) &&
                     is_late(c, d, true, static_cast<int>(i), now);
      if (t && t->phase == TaskPhase::open && !c.closed) judge(def.by, x.can, x.basis, x.why_not);
      v.tasks.push_back(std::move(x));
    }
  }

  void actions(CaseView& v) const {
    if (c.closed) return;
    const std::vector<int>& here = d.states[c.state].actions;
    for (std::size_t i = 0; i < here.size(); ++i) {
      const ActionDef& def = d.actions[here[i]];
      if (def.kind != ActionDef::Kind::person) continue;
      ActionView a;
      a.id = def.id;
      a.title = def.title;
      if (def.form >= 0) a.form = d.forms[def.form].form->id;
      if (def.to >= 0) a.to = d.states[def.to].id, a.to_title = d.states[def.to].title;
      name_roles(def.by, a.roles, nullptr);
      name_roles(def.approve.roles, a.approvers, nullptr);
      a.guard = def.guard.source();
      a.outbound = def.outbound;
      a.repeat = def.repeat;
      a.amend = def.amend;
      a.reason_due = asks_reason(def.form) && is_late(c, d, false, here[i], now);
      judge(def.by, a.can, a.basis, a.why_not);
      if (a.can && def.to >= 0 && !d.readers.none()) a.lets_in = let_in_by(def.to);
      if (def.once && i < 64 && c.taken >> i & 1) {
        a.can = false;
        a.why_not = {"在本状态内已办理过", "Already done in this state"};
      }
      // A guard over the form can only be judged when the form is there.
      if (def.guard.evaluate(scope_of(m, c)) == Truth::no) {
        a.can = false;
        const std::vector<int> lacking = tasks_lacking(d, c, def.guard);
        for (int task : lacking) a.missing.push_back(d.tasks[task].id);
        a.why_not = lacking.empty()
                        ? Text{"条件不满足：" + a.guard, "The condition does not hold: " + a.guard}
                        : lacking_text(d, lacking);
      }
      if (c.rare)
        for (const Asked& q : c.rare->asked)
          if (!q.task && q.index == here[i]) {
            a.can = false;
            a.why_not = {"正在等待审批", "Waiting for approval"};
          }
      v.actions.push_back(std::move(a));
    }
  }

  // Who stands in the roles of a state and cannot read the case yet.
  std::vector<std::string> let_in_by(int state) const {
    std::vector<std::string> out;
    for (int role : roles_in(d, state))
      for (std::string& person : people_of(m, c, role))
        if (!may_read(m, c, person) && std::find(out.begin(), out.end(), person) == out.end())
          out.push_back(std::move(person));
    return out;
  }

  void approvals(CaseView& v) const {
    if (!c.rare) return;
    for (const Asked& q : c.rare->asked) {
      const Approval& approve = q.task ? d.tasks[q.index].approve : d.actions[q.index].approve;
      ApprovalView a;
      a.id = q.id;
      a.task = q.task;
      a.name = q.task ? d.tasks[q.index].id : d.actions[q.index].id;
      a.title = q.task ? d.tasks[q.index].title : d.actions[q.index].title;
      a.asker = text(q.asker);
      a.at_ms = q.at_ms;
      a.seq = q.seq;
      a.content = q.content;
      for (auto [fact, value] : q.facts)
        a.facts[d.facts[fact].id] = fact_json(d.facts[fact], value, m.names);
      if (q.to >= 0) a.to = d.states[q.to].id;
      for (Name n : q.granted) a.granted.push_back(text(n));
      std::size_t turn = std::min(q.granted.size(), approve.roles.size() - 1);
      if (approve.ordered)
        a.roles.push_back(d.roles[approve.roles[turn]].id);
      else
        name_roles(approve.roles, a.roles, nullptr);
      a.quorum = approve.quorum;
      if (!viewer.empty()) {
        Standing who = may_answer(m, c, q, viewer, now);
        a.can = who.ok();
        a.why_not = who.why_not;
      }
      v.approvals.push_back(std::move(a));
    }
  }

  void link_to(CaseView& v, std::string kind, std::string as, const std::string& id) const {
    LinkView l;
    l.kind = std::move(kind);
    l.as = std::move(as);
    l.id = id;
    const Case* other = m.find(id);
    if (other && !may_read(m, *other, viewer)) return;
    if (!other) return v.links.push_back(std::move(l));
    const Definition& od = *m.of(*other).definition;
    l.number = m.number_of(*other);
    l.procedure = od.id;
    l.title = od.title;
    l.state = od.states[other->state].id;
    l.state_title = od.states[other->state].title;
    l.closed = other->closed;
    v.links.push_back(std::move(l));
  }

  void links(CaseView& v) const {
    if (c.parent != no_slot) link_to(v, "parent", "", case_id(m.cases[c.parent].key));
    if (!c.rare) return;
    for (const Child& child : c.rare->children)
      link_to(v, "child", d.children.empty() ? "" : d.children[child.as], case_id(child.key));
    for (const Link& l : c.rare->links) link_to(v, text(l.kind), "", text(l.to));
    for (const Delegation& g : c.rare->delegations)
      v.delegations.push_back({text(g.from), text(g.to), g.until_ms});
    for (Name n : c.rare->watchers) v.watchers.push_back(text(n));
  }

  const Engine::Impl& m;
  const Case& c;
  const Installed& in;
  const Definition& d;
  std::string_view viewer;
  std::int64_t now;
};

Problem no_case() {
  return problem(Refusal::not_found, "case.unknown", {"没有这条记录", "There is no such case"});
}

}  // namespace

std::vector<int> tasks_lacking(const Definition& d, const Case& c, const Expression& guard) {
  std::vector<int> out;
  const std::vector<int>& tasks = d.states[c.state].tasks;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const TaskState* t = c.task(tasks[i]);
    if (t && t->pending() && guard.reads_task(i)) out.push_back(tasks[i]);
  }
  return out;
}

Text lacking_text(const Definition& d, const std::vector<int>& tasks) {
  Text names;
  for (int i : tasks) {
    const TaskDef& def = d.tasks[i];
    names.zh += (names.zh.empty() ? "" : "、") + (def.title.zh.empty() ? def.id : def.title.zh);
    names.en += (names.en.empty() ? "" : ", ") + (def.title.en.empty() ? def.id : def.title.en);
  }
  return {"还有任务未完成：" + names.zh, "Tasks still to be done: " + names.en};
}

Result<CaseView> Engine::view(std::string_view case_id, std::string_view viewer) const {
  const Case* c = impl_->find(case_id);
  if (!c) return no_case();
  return Viewing(*impl_, *c, viewer).all();
}

Result<ClockStory> Engine::explain(std::string_view case_id, std::string_view clock) const {
  const Case* c = impl_->find(case_id);
  if (!c) return no_case();
  const Definition& d = *impl_->of(*c).definition;
  Viewing viewing(*impl_, *c, "");
  for (const ClockState& k : c->clocks)
    if (d.clocks[k.clock].id == clock && k.budget_ms != 0) return viewing.clock_story(k);
  const TaskState* task = nullptr;  // states may name a task alike: the one that is open counts
  for (const TaskState& t : c->tasks)
    if ("task." + d.tasks[t.task].id == clock && t.due_ms != never_ms)
      if (!task || t.pending()) task = &t;
  if (task) return viewing.task_story(*task);
  return problem(Refusal::not_found, "clock.unknown",
                 {"这条记录没有这个时钟", "This case has no such clock"});
}

}  // namespace cw
