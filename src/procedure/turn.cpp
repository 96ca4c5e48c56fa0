#include "turn.h"

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "body.h"

namespace cw {
namespace {

constexpr int kChain = 64;       // entries that follow of themselves, a case and command
constexpr int kChildren = 1000;  // cases one command may open, grandchildren included

#ifndef NDEBUG
// What an entry did to the case must be what was meant: the part that differs, or null.
const char* difference_left(const Case& a, const Case& b) {
  auto all = [](const auto& x, const auto& y) {
    return x.size() == y.size() &&
           std::equal(x.begin(), x.end(), y.begin(), [](auto& p, auto& q) { return p.same(q); });
  };
  if (a.state != b.state || a.entries != b.entries) return "state";
  if (a.level != b.level || a.raised != b.raised || a.held != b.held) return "level";
  if (a.commander != b.commander) return "commander";
  if (a.closed != b.closed) return "closed";
  if (a.flags != b.flags) return "flags";
  if (a.taken != b.taken) return "taken";
  if (a.facts != b.facts) return "facts";
  if (!all(a.tasks, b.tasks)) return "tasks";
  if (!all(a.clocks, b.clocks)) return "clocks";
  static const Rare none;
  const Rare &x = a.rare ? *a.rare : none, &y = b.rare ? *b.rare : none;
  if (!all(x.asked, y.asked)) return "asked";
  if (x.links != y.links) return "links";
  if (x.watchers != y.watchers) return "watchers";
  if (x.readers != y.readers || x.seated != y.seated) return "readers";
  if (x.delegations != y.delegations) return "delegations";
  if (x.forms != y.forms) return "forms";
  if (x.children.size() != y.children.size()) return "children";
  return nullptr;
}

void check_same(const Case& a, const Case& b) {
  if (const char* part = difference_left(a, b)) {
    log_error("procedure", "an entry did not restore the {} of {}", part, case_id(b.key));
    CW_CHECK(!"an entry that does not say what it did");
  }
}
#endif

}  // namespace

Result<Slot> Turn::at(const By& by) {
  Slot slot = m.slot_of(by.case_id);
  if (slot == no_slot)
    return problem(Refusal::not_found, "case.unknown", {"没有这条记录", "There is no such case"});
  return at(slot, by.if_seq);
}

Result<Slot> Turn::at(Slot slot, std::optional<std::uint64_t> if_seq) {
  if (if_seq && *if_seq != m.cases[slot].last_seq)
    return problem(Refusal::stale, "case.stale",
                   {"记录已有新变化，请刷新后重试；本次没有写入任何内容",
                    "The case changed meanwhile; nothing was written. Reload it and try again"});
  return slot;
}

json::object Turn::answer(Slot slot) const {
  const Case& c = m.cases[slot];
  // In one piece of memory of its own: it is made on this thread and freed on another.
  json::object out(5, json::make_shared_resource<json::monotonic_resource>(640));
  out.emplace("case", case_id(c.key));
  out.emplace("number", m.number_of(c));
  out.emplace("state", json::string_view(m.of(c).definition->states[c.state].id));
  out.emplace("seq", static_cast<std::int64_t>(c.last_seq));
  return out;
}

// The level moved: its chief learns that command is to be taken over.
void Turn::tell_level(Sketch& s, const Case& was) {
  if (s.c.level == was.level || s.c.level == s.c.held || s.c.closed) return;
  const std::string& level = s.d.levels[s.c.level];
  Notice n = s.notice(Notice::About::command, level, s.d.level_titles[s.c.level]);
  const std::string& org = m.names.text(s.c.org);
  std::string post = m.parts.directory.chief_post(level, org);
  if (!post.empty()) n.people = m.parts.directory.post_people(post, org);
  n.roles.push_back(post);
  json::array people;
  for (const std::string& person : n.people) people.emplace_back(person);
  s.told.push_back(json::object{{"chief", level}, {"people", std::move(people)}});
  s.notices.push_back(std::move(n));
}

// What began to wait for people: tasks that opened, or a state that waits for their decision. Not
// for those who look into a queue anyway, nor for whoever brought it about.
void Turn::tell_work(Sketch& s, const Case& was, std::string_view actor) {
  if (s.c.closed) return;
  const bool entered = s.c.entries != was.entries;
  const StateDef& state = s.d.states[s.c.state];
  std::vector<int> roles;
  std::int64_t due_ms = never_ms;
  auto ask = [&](const std::vector<int>& by, bool field_only) {
    for (int role : by) {
      const RoleDef::Kind kind = s.d.roles[role].kind;
      if (kind == RoleDef::Kind::queue || (field_only && kind != RoleDef::Kind::field)) continue;
      if (std::find(roles.begin(), roles.end(), role) == roles.end()) roles.push_back(role);
    }
  };
  bool open = false, was_open = false;
  for (int i : state.tasks) {
    const TaskState* before = entered ? nullptr : was.task(i);
    const bool pending_before = before && before->pending();
    was_open |= pending_before;
    const TaskState* t = s.c.task(i);
    if (!t || !t->pending()) continue;
    open = true;
    if (pending_before) continue;
    ask(s.d.tasks[i].by, false);
    due_ms = std::min(due_ms, t->due_ms);
  }
  if (!open && (entered || was_open)) {
    ask(state.deciders, false);
    for (int i : state.actions)
      if (s.d.actions[i].kind == ActionDef::Kind::person) ask(s.d.actions[i].by, true);
  }
  if (roles.empty()) return;
  Notice n = s.notice(Notice::About::work, state.id, state.title);
  n.due_ms = due_ms == never_ms ? 0 : due_ms;
  for (int role : roles) {
    n.roles.push_back(s.d.roles[role].id);
    for (std::string& person : s.people_of(role))
      if (std::find(n.people.begin(), n.people.end(), person) == n.people.end())
        n.people.push_back(std::move(person));
  }
  if (std::erase(n.people, actor) > 0 && n.people.empty()) return;
  s.notices.push_back(std::move(n));
}

// Who may not read a restricted case learns that something there concerns them, not which case.
void Turn::tell(Sketch& s, Slot slot, std::uint64_t seq) {
  const Case& c = m.cases[slot];
  for (Notice& n : s.notices) {
    n.seq = seq;
    n.restricted = !s.d.readers.none();
    Notice outside;
    if (n.restricted) {
      auto reader = [&](const std::string& person) { return may_read(m, c, person); };
      auto rest = std::stable_partition(n.people.begin(), n.people.end(), reader);
      outside.people.assign(rest, n.people.end());
      n.people.erase(rest, n.people.end());
    }
    if (!n.people.empty() || outside.people.empty()) m.parts.outbound.notify(draft_, n);
    if (outside.people.empty()) continue;
    outside.seq = seq;
    outside.org = n.org;
    outside.mode = n.mode;
    outside.restricted = true;
    outside.name = "restricted";
    outside.text = {"有一件限阅事项与您有关，详情请向承办人了解",
                    "A restricted matter concerns you; ask whoever handles it"};
    m.parts.outbound.notify(draft_, outside);
  }
}

void Turn::adopt(const Definition& d, const std::string& digest, std::uint16_t place) {
  const std::string& name = m.installed[place].name;
  auto current = m.current.find(name);
  if (current != m.current.end() && current->second == place) return;
  m.keep(draft_, d, digest);
  draft_.append(
      {.actor = "system", .kind = "case.adopt", .name = name, .body = {{"digest", digest}}});
}

std::uint64_t Turn::emit(Sketch& s, Slot slot, Entry head, const Case* before) {
  const Case& was = before ? *before : m.cases[slot];
  bool was_closed = was.closed;
  bool moved = s.c.entries != was.entries || s.c.level != was.level || s.c.flags != was.flags;
  tell_level(s, was);
  tell_work(s, was, head.actor);
  difference(m, was, s.c, now, head.body);
  if (!s.fired.empty()) head.body["fired"] = std::move(s.fired);
  if (!s.told.empty()) head.body["told"] = std::move(s.told);
  head.case_id = case_id(was.key);
  m.at_hand = slot;
  m.at_hand_id = head.case_id;
  head.procedure = s.in.name;
  std::uint64_t seq = draft_.append(std::move(head));
#ifndef NDEBUG
  check_same(m.cases[slot], s.c);
#endif
  if (moved && s.c.rare && !s.c.rare->watchers.empty()) {
    Notice n =
        s.notice(Notice::About::effect, s.d.states[s.c.state].id, s.d.states[s.c.state].title);
    for (Name person : s.c.rare->watchers) n.people.push_back(m.names.text(person));
    s.notices.push_back(std::move(n));
  }
  tell(s, slot, seq);
  for (Sending& out : s.sendings) {
    out.seq = seq;
    out.case_id = case_id(s.c.key);
    out.number = m.number_of(s.c);
    out.procedure = s.in.name;
    out.org = m.names.text(s.c.org);
    out.mode = s.c.drill ? CaseMode::drill : CaseMode::live;
    if (s.c.drill) {  // it stays with those who take part
      out.people.clear();
      for (Name n : participants_of(m.cases[slot]))
        if (m.parts.directory.is_active_person(m.names.text(n)))
          out.people.push_back(m.names.text(n));
    }
    out.restricted = !s.d.readers.none();
    m.parts.outbound.send(draft_, out);
  }
  for (const Opening& o : s.openings) start_child(o, slot);
  if (m.cases[slot].closed && !was_closed && m.cases[slot].parent != no_slot)
    wake_.push_back(m.cases[slot].parent);
  return seq;
}

void Turn::follow(Slot slot, bool overdue) {
  for (int i = 0; i < kChain; ++i) {
    if (m.cases[slot].closed) break;
    if (!automatic(slot) && !(overdue && fire(slot))) break;
  }
  while (!wake_.empty()) {
    Slot next = wake_.back();
    wake_.pop_back();
    follow(next, false);
  }
}

bool Turn::automatic(Slot slot) {
  const Case& c = m.cases[slot];
  const Installed& in = m.of(c);
  for (int action : in.automatic[c.state]) {
    const ActionDef& def = in.definition->actions[action];
    auto place = std::find(in.definition->states[c.state].actions.begin(),
                           in.definition->states[c.state].actions.end(), action) -
                 in.definition->states[c.state].actions.begin();
    if (def.once && c.taken >> place & 1) continue;
    if (!def.condition.holds(scope_of(m, c))) continue;
    Sketch s(m, c, now, m.names.add("system"));
    s.perform(action);
    emit(s, slot,
         {.actor = "system", .basis = "auto", .kind = "case.auto", .name = def.id, .body = body()});
    return true;
  }
  return false;
}

bool Turn::fire(Slot slot) {
  const Case& c = m.cases[slot];
  std::int64_t next = c.closed ? never_ms : c.next_ms();
  if (next > now) return false;
  Sketch s(m, c, now, m.names.add("clock"));
  Entry head{.actor = "clock", .basis = "due", .kind = "case.clock", .body = body()};
  for (const ClockState& k : c.clocks) {
    if (k.next_ms != next) continue;
    head.name = s.d.clocks[k.clock].id;
    int action = s.fire_clock(k.clock);
    s.settle();
    if (action >= 0) {
      head.body["act"] = json::string_view(s.d.actions[action].id);
      s.perform(action);
    }
    emit(s, slot, std::move(head));
    return true;
  }
  for (const TaskState& t : c.tasks) {
    if (t.timer() != next) continue;
    head.name = "task." + s.d.tasks[t.task].id;
    s.fire_task(t.task);
    s.settle();
    emit(s, slot, std::move(head));
    return true;
  }
  return false;
}

// ---- starting
// ------------------------------------------------------------------------------------

Result<Slot> Turn::start(const Filing& f) {
  const Definition& d = *f.definition;
  Case fresh;
  fresh.key = *case_key(f.case_id);
  fresh.definition = m.install(f.definition, f.digest);
  fresh.facts.assign(d.facts.size(), null_value);
  fresh.marks.assign(d.facts.size(), {});
  fresh.org = m.names.add(f.org);
  fresh.starter = m.names.add(f.actor);
  fresh.subject = m.names.add(f.subject);
  fresh.parent = f.parent;
  fresh.drill = f.drill;
  fresh.compress = static_cast<std::uint16_t>(f.compress);
  fresh.opened_ms = now;

  Standing who{.role = 0, .basis = f.basis, .why_not = {}};
  if (f.basis.empty()) {
    who = standing(m, fresh, f.actor, d.start_by, now);
    if (!who.ok()) return problem(Refusal::forbidden, "case.role", who.why_not);
  }
  Sketch s(m, fresh, now, fresh.starter);
  if (f.facts)
    for (const auto& [id, value] : *f.facts) {
      int fact = d.fact(id);
      s.set_fact(fact, fact_value(d.facts[fact], value, m.names));
    }
  if (f.set) s.assign(*f.set);
  if (f.form) s.take_form(d.start_form, *f.form);

  adopt(d, f.digest, fresh.definition);
  Name series = m.names.add((f.drill ? "D-" : "") + number_prefix(d.id) + "-" +
                            m.installed[fresh.definition].calendar->local(now).substr(0, 4));
  s.c.series = series;
  s.c.number = static_cast<std::uint32_t>(m.series[series].size() + 1);
  s.begin();
  if (!f.content.empty()) s.keep_form(f.content);
  if (!f.origin.empty())
    s.c.extra().links.push_back({m.names.add("origin"), m.names.add(f.origin)});

  Entry e{.actor = f.actor,
          .basis = who.basis,
          .kind = "case.start",
          .name = d.states[d.start_state].id,
          .case_id = f.case_id,
          .procedure = m.installed[fresh.definition].name,
          .body = body(),
          .content = f.content};
  e.body["org"] = f.org;
  e.body["number"] = m.number_of(s.c);
  if (!f.subject.empty()) e.body["subject"] = f.subject;
  if (f.drill) e.body["mode"] = "drill";
  if (f.compress != 1) e.body["compress"] = f.compress;
  if (f.parent != no_slot) e.body["parent"] = case_id(m.cases[f.parent].key);
  if (f.form) e.body["form"] = json::string_view(d.forms[d.start_form].form->id);
  if (f.basis.empty()) e.body["role"] = json::string_view(d.roles[who.role].id);
  fresh.facts.clear();  // so that every fact is written
  tell_level(s, fresh);
  tell_work(s, fresh, f.actor);
  difference(m, fresh, s.c, now, e.body);
  if (!s.fired.empty()) e.body["fired"] = std::move(s.fired);
  if (!s.told.empty()) e.body["told"] = std::move(s.told);
  std::uint64_t seq = draft_.append(std::move(e));
  Slot slot = m.slot_of(f.case_id);
  CW_CHECK(slot != no_slot);
#ifndef NDEBUG
  check_same(m.cases[slot], s.c);
#endif
  tell(s, slot, seq);
  for (const Opening& o : s.openings) start_child(o, slot);
  return slot;
}

// A child starts as the system on the parent's behalf. An item that does not satisfy the child's
// start form starts it all the same, without a form: the work must not be lost.
void Turn::start_child(const Opening& o, Slot parent) {
  if (++children_ > kChildren) return;
  Filing f;
  f.definition = m.procedure(o.procedure);
  f.digest = m.digest_of(*f.definition);
  f.case_id = o.case_id;
  f.org = m.names.text(m.cases[parent].org);
  f.actor = "system";
  f.basis = "opened:" + case_id(m.cases[parent].key);
  f.drill = o.drill;
  f.compress = m.cases[parent].compress;
  f.parent = parent;
  json::object filled;
  if (o.form && f.definition->start_form >= 0) {
    Result<json::object> good = fill(*f.definition->forms[f.definition->start_form].form, *o.form);
    if (good) {
      filled = std::move(*good);
      SealedContent sealed = m.parts.sealed.seal(f.case_id, canonical(filled));
      f.form = &filled;
      f.content = sealed.commitment;
      draft_.row(sealed.write, sealed.bytes);
    } else {
      log_warn("procedure", "{}: an item does not fit the form of {}", f.basis, o.procedure);
    }
  }
  Result<Slot> slot = start(f);
  CW_CHECK(slot.ok());
  follow(*slot, true);
}

}  // namespace cw
