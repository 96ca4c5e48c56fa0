#include "run.h"

#include <algorithm>

#include "chance.h"

namespace cw {
namespace {

constexpr int kSteps = 3'000;
constexpr int kForms = 24;  // attempts at a form that a guard accepts
constexpr std::int64_t kHour = 3'600'000, kTenYears = std::int64_t{3'652} * 24 * kHour;
constexpr std::int64_t kFirstMoment = 1'772'380'800'000;  // Mon 2026-03-02 00:00 in Shanghai
constexpr const char* kOrg = "org_simulation";

std::uint64_t mixed(std::uint64_t seed, std::uint64_t a, std::uint64_t b) {
  std::uint64_t x =
      seed * 0x9E3779B97F4A7C15ull ^ a * 0xBF58476D1CE4E5B9ull ^ b * 0x94D049BB133111EBull;
  x ^= x >> 29;
  return x * 0xD6E8FEB86659FD93ull;
}

std::vector<std::string> evidence_of(int count) {
  std::vector<std::string> out;
  for (int i = 0; i < count; ++i)
    out.push_back("sha256:" + std::string(62, '0') + std::to_string(10 + i % 90));
  return out;
}

}  // namespace

std::uint64_t MemoryDraft::append(Entry entry) {
  entry.seq = seq_++;
  entry.at_ms = clock_.now_ms();
  engine->apply(entry);
  if (seen) seen(entry);
  return entry.seq;
}

void MemoryDraft::row(std::function<void(Database&)> write, std::size_t) {
  if (stage_.keep_contents) write(stage_.contents);
}

Run::Run(Stage& stage, RunKind kind, std::size_t number)
    : stage_(stage),
      kind_(kind),
      number_(number),
      random_(mixed(stage.seed, static_cast<std::uint64_t>(kind) + 1, number)),
      clock_(kFirstMoment),
      draft_(stage, clock_, random_),
      engine_(EngineParts{stage.library, stage.roster, stage.sealed, outbound_, clock_, random_,
                          stage.path}) {
  draft_.engine = &engine_;
  draft_.seen = [this](const Entry& e) { see(e); };
}

// What entries tell that the record at the end no longer does.
void Run::see(const Entry& e) {
  if (e.kind == "case.start") {
    cases_.push_back(e.case_id);
    open_.push_back(e.case_id);
  }
  if (e.case_id.empty() || e.case_id != cases_.front()) return;
  const Definition& d = *stage_.definition;
  const json::value* fired = e.body.if_contains("fired");
  if (fired)
    for (const json::value& f : fired->as_array()) {
      const json::object& o = f.as_object();
      if (const json::value* task = o.if_contains("task")) {
        missed_.insert(last_state_ + "." + std::string(task->as_string()));
      } else if (int_or(o, "percent") >= 100) {
        const int clock = d.clock(text_or(o, "clock"));
        if (clock >= 0 && !d.clocks[clock].expires) missed_.insert(d.clocks[clock].id);
      }
    }
  if (e.kind == "case.start") last_state_ = e.name;
  if (const json::value* to = e.body.if_contains("to")) last_state_ = std::string(to->as_string());
  states_.insert(last_state_);
}

Result<json::object> Run::command(Result<Decide> decide) {
  if (!decide) return std::move(decide).problem();
  draft_.begin();
  return (*decide)(draft_);
}

// Every value of an enumeration has its share: in each round of as many runs, every value once, in
// an order of the round's own; or by the weights of the pace.
std::string Run::wanted_value(std::size_t fact) {
  const FactDef& def = stage_.definition->facts[fact];
  if (auto it = stage_.pace.shares.find(def.id); it != stage_.pace.shares.end()) {
    std::uint64_t sum = 0;
    for (const auto& [value, weight] : it->second) sum += static_cast<std::uint64_t>(weight);
    std::uint64_t at = sum == 0 ? 0 : random_.below(sum);
    for (const auto& [value, weight] : it->second) {
      if (at < static_cast<std::uint64_t>(weight)) return value;
      at -= static_cast<std::uint64_t>(weight);
    }
  }
  std::vector<std::string> values = def.values;
  SeededRandom round(mixed(stage_.seed, 100 + fact, number_ / values.size()));
  for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[round.below(i)]);
  return values[number_ % values.size()];
}

bool Run::start(Outcome& out) {
  const Definition& d = *stage_.definition;
  const Calendar& calendar = *stage_.library.calendar(d.calendar);
  for (int i = 0; i < 200; ++i) {  // any moment of four weeks in which the house is open
    clock_.set_ms(kFirstMoment + static_cast<std::int64_t>(random_.below(28 * 24 * 60)) * 60'000);
    if (calendar.open_at(clock_.now_ms())) break;
  }
  for (std::size_t i = 0; i < d.facts.size(); ++i)
    if (d.facts[i].type == FieldType::enumeration && !(i == 0 && !d.levels.empty()))
      wanted_[d.facts[i].id] = wanted_value(i);
  // Whom the facts name are different people, and not the one who files.
  const std::vector<std::string>& staff = stage_.roster.staff();
  for (std::size_t i = 0, n = 1; i < d.facts.size() && !staff.empty(); ++i)
    if (d.facts[i].type == FieldType::reference && d.facts[i].ref == "person")
      wanted_[d.facts[i].id] = staff[n++ % staff.size()];
  Item item{.kind = Item::Kind::act, .name = "start", .definition = stage_.definition};
  const CaseView nothing;
  std::vector<std::pair<std::string, std::string>> who = candidates(item, nothing);
  Text why{"没有人可以发起", "Nobody may start it"};
  for (std::size_t i = 0; i < who.size(); ++i) {
    const std::string& person = who[i].first;
    json::object form;
    if (d.start_form >= 0) form = fill(d, d.start_form, 0);
    Result<json::object> done = command(engine_.start({.procedure = d.id,
                                                       .org = kOrg,
                                                       .actor = person,
                                                       .form = form,
                                                       .subject = "cus_simulation"}));
    if (done) {
      learn(form);
      if (d.start_form >= 0) ++filled_[d.forms[d.start_form].form->id];
      return true;
    }
    why = done.problem().text;
  }
  out.end = Outcome::End::stuck;
  out.stuck_procedure = d.id;
  out.stuck_title = {"发起", "Start"};
  out.why = why;
  return false;
}

Outcome Run::go() {
  Outcome out;
  if (!start(out)) return out;
  const std::int64_t began = clock_.now_ms();
  out.end = Outcome::End::unfinished;
  for (int step = 0; step < kSteps && clock_.now_ms() - began < kTenYears; ++step) {
    if (view(cases_[0], "").closed) {
      out.end = Outcome::End::closed;
      break;
    }
    assign();
    const std::int64_t done = working_.empty() ? INT64_MAX : working_.begin()->first;
    const std::int64_t next = std::min(done, engine_.next_due_ms());
    if (next == INT64_MAX) {
      if (!hurried_) {
        patient_.clear();
        hurried_ = true;
        continue;
      }
      stuck(out);
      break;
    }
    hurried_ = false;
    if (next > clock_.now_ms()) {
      if (!working_.empty()) out.active_ms += next - clock_.now_ms();
      clock_.set_ms(next);
    }
    if (engine_.next_due_ms() <= clock_.now_ms()) {
      if (!command(engine_.tick(64))) break;  // never refused
    } else {
      Working w = std::move(working_.begin()->second);
      working_.erase(working_.begin());
      complete(w);
    }
  }
  out.duration_ms = clock_.now_ms() - began;
  finish(out);
  return out;
}

void Run::complete(const Working& w) {
  under_way_.erase(w.item.key);
  PostTally& tally = posts_[w.item.label];
  const std::int64_t now = clock_.now_ms();
  if (w.item.due_ms != 0 && now > w.item.due_ms && now - w.waited_ms <= w.item.due_ms)
    ++tally.late_by_wait;
  const By by{.case_id = w.item.case_id, .actor = w.person, .if_seq = {}};
  Result<json::object> done = json::object{};
  switch (w.item.kind) {
    case Item::Kind::command:
      done = command(engine_.take_command(by, "模拟交接简报"));
      break;
    case Item::Kind::approval:
      done = kind_ != RunKind::best && chance(random_, stage_.pace.reject)
                 ? command(engine_.reject(by, w.item.approval, "模拟退回"))
                 : command(engine_.approve(by, w.item.approval));
      break;
    case Item::Kind::task:
      done = do_task(w);
      break;
    case Item::Kind::act:
      done = act(w);
      break;
  }
  if (done) {
    if (const json::value* asked = done->if_contains("approval"))
      look_for_answer(w, static_cast<std::uint32_t>(asked->to_number<std::int64_t>()));
    return;
  }
  last_refusal_ = done.problem().text;
  if (!done.problem().fields.empty()) {
    last_refusal_.zh += " " + done.problem().fields[0].pointer;
    last_refusal_.en += " " + done.problem().fields[0].pointer;
  }
  refused_.insert(refusal(w.item, w.person));
}

// Somebody else must be able to answer what was asked: one who asks never does.
void Run::look_for_answer(const Working& asked, std::uint32_t approval) {
  if (asked.item.case_id != cases_[0] || asked.item.kind == Item::Kind::approval) return;
  const Item item{.kind = Item::Kind::approval,
                  .case_id = cases_[0],
                  .key = {},
                  .name = {},
                  .label = {},
                  .definition = asked.item.definition,
                  .approval = approval};
  const CaseView& v = view(cases_[0], "");
  if (v.brief_due) return;  // whoever takes command will
  for (const auto& [person, label] : candidates(item, v))
    if (may(item, person)) return;
  for (const ApprovalView& a : v.approvals)
    if (a.id == approval) unanswered_.emplace(asked.item.name, a.title);
}

// What a person tried in vain is not tried again before the case has changed.
std::string Run::refusal(const Item& item, const std::string& person) const {
  return item.key + "/" + item.name + "|" + person + "|" +
         std::to_string(engine_.last_seq(item.case_id));
}

Result<json::object> Run::do_task(const Working& w) {
  const TaskDef& def = w.item.definition->tasks[w.item.index];
  json::object form;
  if (def.form >= 0) form = fill(*w.item.definition, def.form, 0);
  Result<json::object> done = command(
      engine_.do_task({w.item.case_id, w.person, {}}, def.id, evidence_of(def.evidence), form));
  if (!done) return done;
  learn(form);
  if (def.form >= 0) ++filled_[w.item.definition->forms[def.form].form->id];
  return done;
}

// A guard may ask something of the form: the world as it is, then the world changed.
Result<json::object> Run::act(const Working& w) {
  const Definition& d = *w.item.definition;
  const ActionDef& def = d.actions[w.item.index];
  Result<json::object> done = json::object{};
  for (int i = 0; i < (def.form >= 0 ? kForms : 1); ++i) {
    json::object form;
    if (def.form >= 0) form = fill(d, def.form, i);
    done = command(engine_.act({w.item.case_id, w.person, {}}, def.id, {}, form));
    if (done) {
      learn(form);
      if (def.form >= 0) ++filled_[d.forms[def.form].form->id];
      ++used_[w.item.case_id + "/" + w.item.name];
      ++stage_.taken[d.id + "/" + w.item.name];
      return done;
    }
    if (done.problem().code != "case.guard") break;
  }
  return done;
}

// The world as it is when a form is filled for the first time; when it is filled again, and at
// later attempts, some of it is otherwise: whoever measures or judges anew finds something new.
// Later attempts lean towards yes or no.
json::object Run::fill(const Definition& d, int form, int attempt) {
  constexpr struct {
    bool fresh;
    int yes;
  } kTries[] = {{false, 50}, {false, 90}, {true, 50}, {true, 90}, {false, 10}, {true, 10}};
  const bool again = filled_.contains(d.forms[form].form->id);
  const auto& how_to = kTries[(attempt + (again ? 2 : 0)) % 6];
  json::object wanted;
  for (const auto& [fact, value] : wanted_)
    if (!how_to.fresh || chance(random_, 40)) wanted[fact] = value;
  // Whom a form names has no post: an owner who is also the only checker would prove nothing.
  const std::vector<std::string>& named =
      stage_.roster.staff().empty() ? stage_.roster.people() : stage_.roster.staff();
  const Sampling how{clock_.now_ms(), &named, &stage_.pace.ahead_ms, &stage_.pace.past_ms,
                     how_to.yes};
  return sample(*d.forms[form].form, random_, wanted, how);
}

void Run::learn(const json::object& form) {
  for (const auto& [name, value] : form)
    if (wanted_.contains(name)) wanted_[name] = value;
}

void Run::finish(Outcome& out) {
  const CaseView& v = view(cases_[0], "");
  const Definition& d = *stage_.definition;
  auto tell = [&](const std::string& id, bool missed, std::int64_t percent) {
    const int used = static_cast<int>(std::clamp<std::int64_t>(percent, 0, 100'000));
    out.limits[id] = {!missed, missed ? std::max(used, 100) : std::min(used, 99)};
  };
  if (v.closed) out.final_state = v.state;
  out.states = states_;
  out.posts = std::move(posts_);
  out.unanswered = std::move(unanswered_);
  for (const FactView& f : v.facts)
    if (f.type == FieldType::enumeration && f.value.is_string())
      out.facts[f.id] = std::string(f.value.get_string());
  for (const ClockView& k : v.clocks) {
    const int clock = d.clock(k.id);
    if (clock < 0 || d.clocks[clock].expires) continue;
    const bool missed = k.missed || missed_.contains(k.id);
    if (missed || k.phase == ClockPhase::stopped || (v.closed && k.phase != ClockPhase::lifted))
      tell(k.id, missed, k.percent);
  }
  for (const TaskView& t : v.tasks) {
    const int task = d.task(d.state(t.state), t.id);
    if (task < 0 || d.tasks[task].limit.none()) continue;
    const std::string id = t.state + "." + t.id;
    const bool missed = t.late || missed_.contains(id);
    if (!missed && t.phase != TaskPhase::done) continue;
    const Calendar& calendar = *stage_.library.calendar(d.tasks[task].calendar);
    const bool natural = d.tasks[task].limit.spans.front().unit == Unit::day;
    const std::int64_t end = t.done_ms != 0 ? t.done_ms : clock_.now_ms();
    const std::int64_t budget = calendar.spent_ms(t.opened_ms, t.due_ms, natural);
    tell(id, missed,
         budget > 0 ? calendar.spent_ms(t.opened_ms, end, natural) * 100 / budget : 100);
  }
}

// What hinders the first person who could stand in the item's roles.
Text Run::why_not(Item item, const CaseView& v) {
  const auto who = candidates(item, v);
  if (who.empty()) return {"没有人担任所需的岗位", "nobody stands in the roles it needs"};
  const CaseView& seen = view(item.case_id, who.front().first);
  for (const TaskView& t : seen.tasks)
    if (item.kind == Item::Kind::task && t.state + "." + t.id == item.name && !t.why_not.zh.empty())
      return t.why_not;
  for (const ApprovalView& a : seen.approvals)
    if (item.kind == Item::Kind::approval && a.id == item.approval && !a.can) return a.why_not;
  for (const ActionView& a : seen.actions)
    if (item.kind == Item::Kind::act && v.state + "." + a.id == item.name && !a.can)
      return a.why_not;
  return last_refusal_;
}

// Nothing is due and nobody can act: says where, and for each thing that could be done, why not.
void Run::stuck(Outcome& out) {
  out.end = Outcome::End::stuck;
  for (std::size_t i = cases_.size(); i-- > 0;) {
    const CaseView& v = view(cases_[i], "");
    if (v.closed || (i > 0 && v.tasks.empty() && v.actions.empty())) continue;
    out.stuck_procedure = v.procedure;
    out.stuck_state = v.state;
    out.stuck_title = v.state_title;
    const std::shared_ptr<const Definition> d = definition_of(v);
    Text why;
    auto add = [&](Item item, const Text& what, const Text& said) {
      if (why.zh.size() > 600) return;
      const Text reason = said.zh.empty() ? why_not(std::move(item), v) : said;
      why.zh += (why.zh.empty() ? "" : "；") + what.zh + "：" + reason.zh;
      why.en += (why.en.empty() ? "" : "; ") + what.en + ": " + reason.en;
    };
    Item item{.case_id = cases_[i], .key = {}, .name = {}, .label = {}, .definition = d};
    for (const TaskView& t : v.tasks) {
      if (t.phase != TaskPhase::open || t.state != v.state) continue;
      item.kind = Item::Kind::task;
      item.index = d->task(d->state(t.state), t.id);
      item.name = t.state + "." + t.id;
      add(item, t.title, {});
    }
    for (const ApprovalView& a : v.approvals) {
      item.kind = Item::Kind::approval;
      item.approval = a.id;
      add(item, a.title, {});
    }
    for (const ActionView& a : v.actions) {
      if (a.amend) continue;
      item.kind = Item::Kind::act;
      item.index = d->action(d->state(v.state), a.id);
      item.name = v.state + "." + a.id;
      add(item, a.title, a.why_not);
    }
    if (why.zh.empty())
      why = {"这个状态里没有任何人可以做的事", "There is nothing anybody could do in this state"};
    out.why = why;
    return;
  }
}

}  // namespace cw
