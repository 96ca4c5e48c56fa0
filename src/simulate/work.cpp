// Who does what next, and for how long.
#include <algorithm>

#include "chance.h"
#include "run.h"

namespace cw {
namespace {

constexpr double kMinute = 60'000;

// The tightest limit under which a step stands: clocks that stop with it or run meanwhile.
double tightest(const CaseView& v, const Definition& d,
                const std::function<bool(const ClockDef&)>& touches) {
  double least = 0;
  for (const ClockView& k : v.clocks) {
    const int index = d.clock(k.id);
    if (index < 0 || k.phase != ClockPhase::counting || d.clocks[index].expires) continue;
    if (!touches(d.clocks[index])) continue;
    const auto budget = static_cast<double>(k.budget_ms);
    if (least == 0 || budget < least) least = budget;
  }
  return least;
}

// Whether a clock's time passes while the case is in a state: it runs there, or it stops when the
// case leaves the state.
bool runs_in(const ClockDef& k, const Definition& d, int state) {
  if (std::find(k.run.begin(), k.run.end(), state) != k.run.end()) return true;
  for (const int a : d.states[state].actions) {
    if (k.stop.kind == Moment::Kind::action && k.stop.index == a) return true;
    if (k.stop.kind == Moment::Kind::state && d.actions[a].to >= 0 &&
        k.stop.index == d.actions[a].to)
      return true;
  }
  return false;
}

}  // namespace

const CaseView& Run::view(const std::string& case_id, const std::string& viewer) {
  Reading& r = readings_[{case_id, viewer}];
  const std::uint64_t seq = engine_.last_seq(case_id);
  if (r.view.id.empty() || r.seq != seq) {
    Result<CaseView> fresh = engine_.view(case_id, viewer);
    CW_CHECK(fresh.ok());
    r = {seq, std::move(*fresh)};
  }
  return r.view;
}

void Run::assign() {
  std::vector<Item> items;
  std::erase_if(open_, [&](const std::string& id) { return view(id, "").closed; });
  const std::vector<std::string> cases = open_;  // what is done may open more
  for (const std::string& id : cases) find_work(id, items);
  std::stable_sort(items.begin(), items.end(), [](const Item& a, const Item& b) {
    return (a.due_ms == 0 ? INT64_MAX : a.due_ms) < (b.due_ms == 0 ? INT64_MAX : b.due_ms);
  });
  std::set<std::string> occupied;  // cases with work that somebody can do
  for (Item& item : items) {
    if (under_way_.contains(item.key)) {
      occupied.insert(item.case_id);
      continue;
    }
    const Pick picked = pick(item, view(item.case_id, ""));
    if (picked.person.empty() && !picked.able) continue;
    occupied.insert(item.case_id);
    const std::int64_t now = clock_.now_ms();
    if (picked.person.empty()) {
      waiting_.emplace(item.key, now);
      continue;
    }
    std::int64_t waited = 0;
    if (auto it = waiting_.find(item.key); it != waiting_.end()) {
      waited = now - it->second;
      waiting_.erase(it);
    }
    begin(std::move(item), picked, waited);
  }
  for (const std::string& id : cases)
    if (!occupied.contains(id) && !view(id, "").closed) decide(id);
}

void Run::find_work(const std::string& id, std::vector<Item>& items) {
  const CaseView& v = view(id, "");
  if (v.closed) return;
  const std::shared_ptr<const Definition> d = definition_of(v);
  if (v.brief_due)
    items.push_back({.kind = Item::Kind::command,
                     .case_id = id,
                     .key = id + "/command." + v.level,
                     .name = v.level,
                     .label = {},
                     .definition = d,
                     .due_ms = 1});
  for (const ApprovalView& a : v.approvals)
    items.push_back(
        {.kind = Item::Kind::approval,
         .case_id = id,
         .key = id + "/approve." + std::to_string(a.id) + "." + std::to_string(a.granted.size()),
         .name = a.name,
         .label = {},
         .definition = d,
         .approval = a.id});
  for (const TaskView& t : v.tasks) {
    if (t.phase != TaskPhase::open || t.state != v.state) continue;
    items.push_back({.kind = Item::Kind::task,
                     .case_id = id,
                     .key = id + "/" + t.state + "." + t.id + "@" + std::to_string(t.opened_ms),
                     .name = t.state + "." + t.id,
                     .label = {},
                     .definition = d,
                     .index = d->task(d->state(t.state), t.id),
                     .due_ms = due_of(v, *d, t)});
  }
}

// The earliest of the task's own limit and of the clocks that stop with it.
std::int64_t Run::due_of(const CaseView& v, const Definition& d, const TaskView& t) const {
  std::int64_t due = t.due_ms;
  const int task = d.task(d.state(t.state), t.id);
  for (const ClockView& k : v.clocks) {
    const int clock = d.clock(k.id);
    if (clock < 0 || k.phase != ClockPhase::counting || k.due_ms == 0) continue;
    const Moment& stop = d.clocks[clock].stop;
    if (stop.kind == Moment::Kind::task && stop.index == task && (due == 0 || k.due_ms < due))
      due = k.due_ms;
  }
  return due;
}

// Nobody has a task to do: somebody decides how the case goes on, or all wait.
void Run::decide(const std::string& id) {
  const CaseView& v = view(id, "");
  const std::shared_ptr<const Definition> d = definition_of(v);
  const std::string key = id + "/act";
  if (under_way_.contains(key)) return;
  if (auto it = patient_.find(id); it != patient_.end() && it->second == v.entered_ms) return;
  std::optional<Item> item;
  if (auto it = decided_.find(id); it != decided_.end()) {
    const int action = d->action(d->state(v.state), it->second);
    if (action >= 0)
      item = Item{.kind = Item::Kind::act,
                  .case_id = id,
                  .key = key,
                  .name = v.state + "." + it->second,
                  .label = {},
                  .definition = d,
                  .index = action};
  }
  if (!item) item = choose(v, d);
  if (!item) return;
  if (item->index < 0) {
    ++used_[id + "/" + item->name];
    patient_[id] = v.entered_ms;
    return;
  }
  const Pick picked = pick(*item, v);
  if (picked.person.empty() && !picked.able) {
    decided_.erase(id);  // whoever could have taken it was refused
    return;
  }
  if (picked.person.empty()) {
    decided_[id] = d->actions[item->index].id;
    waiting_.emplace(key, clock_.now_ms());
    return;
  }
  decided_.erase(id);
  std::int64_t waited = 0;
  if (auto it = waiting_.find(key); it != waiting_.end()) {
    waited = clock_.now_ms() - it->second;
    waiting_.erase(it);
  }
  begin(std::move(*item), picked, waited);
}

// One of what may be done; index -1 = to wait for a clock or for children.
std::optional<Run::Item> Run::choose(const CaseView& v,
                                     const std::shared_ptr<const Definition>& d) {
  std::vector<std::pair<Item, int>> options;
  int sum = 0;
  auto offer = [&](Item item, int to) {
    const int w = weight(v, *d, item.name, to);
    if (w == 0) return;
    options.emplace_back(std::move(item), w);
    sum += w;
  };
  const int state = d->state(v.state);
  for (const ActionView& a : v.actions) {
    if (!a.why_not.zh.empty()) continue;  // done, asked, or its guard does not hold
    if (a.amend) continue;                // nothing was mistyped
    Item item{.kind = Item::Kind::act,
              .case_id = v.id,
              .key = v.id + "/act",
              .name = v.state + "." + a.id,
              .label = {},
              .definition = d,
              .index = d->action(state, a.id)};
    const Pick who = pick(item, v);
    if (who.person.empty() && !who.able) continue;
    offer(item, d->actions[item.index].to);
  }
  bool children = false;
  for (const LinkView& l : v.links) children |= l.kind == "child" && !l.closed;
  for (int a : d->states[state].actions) {
    const ActionDef& def = d->actions[a];
    // It opens, or may be taken, when what was opened is closed.
    bool comes = children && (def.kind == ActionDef::Kind::automatic ||
                              def.guard.source().find("children.") != std::string::npos);
    for (const ClockView& k : v.clocks)
      comes |= def.kind == ActionDef::Kind::upon && d->clocks[def.clock].id == k.id &&
               k.phase == ClockPhase::counting;
    if (comes && !hurried_)
      offer({.kind = Item::Kind::act,
             .case_id = v.id,
             .key = {},
             .name = v.state + ".wait",
             .label = {},
             .definition = d},
            def.to);
  }
  if (options.empty()) return std::nullopt;
  // What was done least often so far; what was done three times in this run waits for the rest.
  if (kind_ == RunKind::explore) {
    auto count = [](const std::map<std::string, int>& in, const std::string& what) {
      auto it = in.find(what);
      return it == in.end() ? 0 : it->second;
    };
    auto often = [&](const Item& i) {
      return std::pair(std::max(0, count(used_, v.id + "/" + i.name) - 2),
                       count(stage_.taken, d->id + "/" + i.name));
    };
    const std::size_t from = random_.below(options.size());
    std::size_t best = from;
    for (std::size_t n = 1; n < options.size(); ++n) {
      const std::size_t i = (from + n) % options.size();
      if (often(options[i].first) < often(options[best].first)) best = i;
    }
    if (options[best].first.index < 0) ++stage_.taken[d->id + "/" + options[best].first.name];
    return options[best].first;
  }
  auto at = static_cast<int>(random_.below(static_cast<std::uint64_t>(sum)));
  for (auto& [item, w] : options) {
    if (at < w) return item;
    at -= w;
  }
  return std::nullopt;
}

// A step that leads nearer to an end is chosen eight times as often as another; each time it was
// taken in this run halves that.
int Run::weight(const CaseView& v, const Definition& d, const std::string& option, int to) const {
  const std::vector<int>& far = stage_.distance.at(&d);
  const int here = d.state(v.state);
  int w = to >= 0 && far[to] < far[here] ? 8 : 1;
  if (&d == stage_.definition.get())
    if (auto it = stage_.pace.choose.find(option); it != stage_.pace.choose.end()) w = it->second;
  if (w == 0) return 0;
  auto used = used_.find(v.id + "/" + option);
  return std::max(1, w * 1'024 >> std::min(used == used_.end() ? 0 : used->second, 20));
}

// Who could stand in the item's roles, with the post by which they are counted.
std::vector<std::pair<std::string, std::string>> Run::candidates(const Item& item,
                                                                 const CaseView& v) {
  const Definition& d = *item.definition;
  const Staffing& roster = stage_.roster;
  std::vector<std::pair<std::string, std::string>> out;
  auto all = [&](const std::vector<std::string>& people, const std::string& label) {
    for (const std::string& person : people) out.emplace_back(person, label);
  };
  auto chief = [&](const std::string& level) {
    const std::string what = "post:" + roster.chief_post(level, v.org);
    all(roster.holders(what), what);
  };
  std::vector<int> roles;
  if (item.kind == Item::Kind::command) return chief(item.name), out;
  if (item.kind == Item::Kind::approval) {
    for (const ApprovalView& a : v.approvals)
      if (a.id == item.approval)
        for (const std::string& role : a.roles) roles.push_back(d.role(role));
  } else if (item.kind == Item::Kind::task) {
    roles = d.tasks[item.index].by;
  } else {
    roles = item.index < 0 ? d.start_by : d.actions[item.index].by;
  }
  for (const int role : roles) {
    const RoleDef& r = d.roles[role];
    switch (r.kind) {
      case RoleDef::Kind::any:
        all(roster.staff(), "staff");
        break;
      case RoleDef::Kind::post:
        all(roster.holders("post:" + r.name), "post:" + r.name);
        break;
      case RoleDef::Kind::team:
        all(roster.holders("team:" + r.name), "team:" + r.name);
        break;
      case RoleDef::Kind::queue:
        all(roster.holders("queue:" + d.id), "queue:" + d.id);
        break;
      case RoleDef::Kind::level_chief:
        if (!v.held_level.empty())
          chief(v.held_level);
        else if (v.id.empty() && !d.levels.empty())
          chief(d.levels[0]);
        break;
      case RoleDef::Kind::subject:
        out.emplace_back("cus_simulation", "subject");
        break;
      case RoleDef::Kind::field:
        for (const FactView& f : v.facts)
          if (f.id == d.facts[r.fact].id && f.value.is_string())
            out.emplace_back(std::string(f.value.get_string()), "field");
        break;
    }
  }
  return out;
}

bool Run::may(const Item& item, const std::string& person) {
  const CaseView& v = view(item.case_id, person);
  switch (item.kind) {
    case Item::Kind::command:
      return v.can_take;
    case Item::Kind::approval:
      for (const ApprovalView& a : v.approvals)
        if (a.id == item.approval) return a.can;
      return false;
    case Item::Kind::task:
      for (const TaskView& t : v.tasks)
        if (t.state + "." + t.id == item.name && t.phase == TaskPhase::open) return t.can;
      return false;
    case Item::Kind::act:
      for (const ActionView& a : v.actions)
        if (v.state + "." + a.id == item.name) return a.can;
      return false;
  }
  return false;
}

// The first who is free and may; beginning elsewhere in the list from item to item, so that a
// team shares its work.
Run::Pick Run::pick(const Item& item, const CaseView& v) {
  Pick out;
  const auto who = candidates(item, v);
  const std::size_t turn = item.kind == Item::Kind::approval ? 0 : under_way_.size() + number_;
  for (std::size_t i = 0; i < who.size(); ++i) {
    const auto& [person, label] = who[(i + turn) % who.size()];
    auto until = busy_.find(person);
    // A question and taking command interrupt whatever somebody is at.
    const bool busy = !interrupts(item) && until != busy_.end() && until->second > clock_.now_ms();
    if ((busy && out.able) || refused_.contains(refusal(item, person)) || !may(item, person))
      continue;
    if (!busy) return {person, label, true};
    out.able = true;
  }
  return out;
}

const Calendar& Run::calendar_of(const Item& item) const {
  const Definition& d = *item.definition;
  const std::string& own =
      item.kind == Item::Kind::task ? d.tasks[item.index].calendar : d.calendar;
  auto found = stage_.library.calendar(own.empty() ? d.calendar : own);
  CW_CHECK(found);
  return *found;
}

void Run::begin(Item item, const Pick& who, std::int64_t waited) {
  const Calendar& calendar = calendar_of(item);
  const auto [spread, natural] = time_of(item, view(item.case_id, ""));
  const std::int64_t lasts = std::max<std::int64_t>(
      1'000, kind_ == RunKind::best ? spread.least_ms : draw(random_, spread));
  const std::int64_t now = clock_.now_ms();
  const std::int64_t effort = std::min(lasts, stage_.pace.effort_ms);
  if (kind_ != RunKind::best && !interrupts(item))
    busy_[who.person] = calendar.due_ms(now, {effort, false});
  PostTally& tally = posts_[who.label];
  ++tally.items;
  tally.busy_ms += effort;
  if (waited > 0) {
    ++tally.waited;
    tally.waits_ms.push_back(waited);
  }
  item.label = who.label;
  under_way_.insert(item.key);
  const std::int64_t done = calendar.due_ms(now, {lasts, natural});
  working_.emplace(done, Working{std::move(item), who.person, waited});
}

// The pace's; else half of a task's own limit (a third where a second person is asked), twice that
// as its 95th percentile; else thirty minutes for a task and ten for a decision. Never more than a
// quarter of the tightest clock under which it stands.
Run::Length Run::time_of(const Item& item, const CaseView& v) const {
  const Definition& d = *item.definition;
  if (item.definition == stage_.definition)
    if (auto it = stage_.pace.times.find(item.name); it != stage_.pace.times.end())
      return {it->second, false};
  if (item.kind == Item::Kind::command || item.kind == Item::Kind::approval)
    return {Spread::around(5 * kMinute, 15 * kMinute), false};
  const int state = d.state(v.state);
  const bool task = item.kind == Item::Kind::task;
  const double clock = tightest(v, d, [&](const ClockDef& k) {
    const Moment& stop = k.stop;
    return runs_in(k, d, state) ||
           (task && stop.kind == Moment::Kind::task && stop.index == item.index);
  });
  double median = task ? 30 * kMinute : 10 * kMinute;
  bool natural = false;
  for (const TaskView& t : v.tasks)
    if (task && t.state + "." + t.id == item.name && t.due_ms > t.opened_ms && t.opened_ms > 0) {
      natural = d.tasks[item.index].limit.spans[0].unit == Unit::day;
      const std::int64_t limit = calendar_of(item).spent_ms(t.opened_ms, t.due_ms, natural);
      const bool asks = d.tasks[item.index].approve.quorum > 0;  // which takes its own time
      if (limit > 0) median = static_cast<double>(limit) / (asks ? 3 : 2);
    }
  if (clock > 0) median = std::min(median, clock / 4);
  return {Spread::around(median, 2 * median), natural};
}

}  // namespace cw
