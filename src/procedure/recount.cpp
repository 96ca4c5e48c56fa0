// When a calendar learns of more days: due times that lay beyond what was announced are computed
// anew, and old and new are recorded. All others stay as they were promised; only a close of
// business, a moment of the calendar itself, moves with it always.
#include <algorithm>

#include "turn.h"

namespace cw {
namespace {

constexpr std::size_t kRecountBatch = 256;

// What was announced by the calendars that due times were last computed on, where the library now
// has another version.
using Announced = std::map<std::string, std::int64_t, std::less<>>;  // calendar → until, UTC ms

struct CalendarsInForce {
  std::map<std::string, std::pair<int, std::int64_t>> known;  // id → version, until
  explicit CalendarsInForce(const std::string& path) {
    Database db(path, {.read_only = true});
    db.query("SELECT id, version, announced FROM procedure_calendar", [&](const Row& row) {
      known[std::string(row.text(0))] = {static_cast<int>(row.integer(1)), row.integer(2)};
    });
  }
  bool same(const Calendar& c) const {
    auto it = known.find(c.id());
    return it != known.end() && it->second == std::pair{c.version(), c.announced_until_ms()};
  }
  Announced changed(const Calendars& now) const {
    Announced out;
    for (const auto& [id, calendar] : now.all())
      if (auto it = known.find(id); it != known.end() && !same(*calendar))
        out[id] = it->second.second;
    return out;
  }
};

struct Recounted {
  bool task = false;
  int index = 0;
  std::int64_t old_ms = 0, due_ms = 0, next_ms = never_ms;
  const Calendar* calendar = nullptr;
  std::int64_t budget_ms = 0;  // a close of business: the open time until it
  std::string name(const Definition& d) const {
    return task ? "task." + d.tasks[index].id : d.clocks[index].id;
  }
};

bool closes(const Limit& limit, const Case& c, const Calendar& calendar, std::int64_t from_ms) {
  return !limit.none() && span_for(limit, c.facts, calendar, from_ms).unit == Unit::close;
}

std::int64_t clock_moment(const ClockState& k, int percent, const Calendar& c, std::int64_t now) {
  const std::int64_t left = k.budget_ms * percent / 100 - k.used();
  return left <= 0 ? std::max(now, k.since_ms) : c.due_ms(k.since_ms, {left, false});
}

std::vector<Recounted> recounts(const Installed& in, const Case& c, const Announced& announced,
                                std::int64_t now) {
  std::vector<Recounted> out;
  if (c.closed) return out;
  for (const ClockState& k : c.clocks) {
    const Calendar& calendar = *in.clock_calendars[k.clock];
    auto was = announced.find(calendar.id());
    if (was == announced.end() || k.due_ms == never_ms || k.due_ms <= now) continue;
    if (k.phase != ClockPhase::counting || k.natural) continue;
    const ClockDef& def = in.definition->clocks[k.clock];
    const bool close = closes(def.limit, c, calendar, k.since_ms);
    if (!close && k.due_ms < was->second) continue;
    ClockState anew = k;
    if (close) {
      anew.budget_ms =
          calendar.budget(span_for(def.limit, c.facts, calendar, k.since_ms), k.since_ms).ms;
      if (c.drill && def.wait)
        anew.budget_ms = std::max<std::int64_t>(1, anew.budget_ms / c.compress);
    }
    Recounted r{false,     k.clock,   k.due_ms,      clock_moment(anew, 100, calendar, now),
                k.next_ms, &calendar, anew.budget_ms};
    if (k.next_ms != never_ms && (close || k.next_ms >= was->second))
      r.next_ms = clock_moment(anew, in.steps[k.clock][k.step].percent, calendar, now);
    if (r.due_ms != r.old_ms || r.next_ms != k.next_ms) out.push_back(r);
  }
  for (const TaskState& t : c.tasks) {
    const Calendar& calendar = *in.task_calendars[t.task];
    auto was = announced.find(calendar.id());
    if (was == announced.end() || t.timer() == never_ms || t.due_ms <= now) continue;
    const TaskDef& def = in.definition->tasks[t.task];
    const Span span = span_for(def.limit, c.facts, calendar, t.opened_ms);
    if (t.due_ms < was->second && span.unit != Unit::close) continue;
    const Budget budget = calendar.budget(span, t.opened_ms);
    if (budget.natural) continue;
    Recounted r{true,     t.task,    t.due_ms, calendar.due_ms(t.opened_ms, budget),
                never_ms, &calendar, 0};
    if (r.due_ms != r.old_ms) out.push_back(r);
  }
  return out;
}

void recount_case(Turn& turn, Slot slot, const Announced& announced) {
  Engine::Impl& m = turn.m;
  const Case& was = m.cases[slot];
  const Installed& in = m.of(was);
  const std::vector<Recounted> moves = recounts(in, was, announced, turn.now);
  if (moves.empty()) return;
  Sketch sketch(m, was, turn.now, m.names.add("system"));
  json::array recounted;
  for (const Recounted& r : moves) {
    recounted.push_back(json::object{{"clock", r.name(*in.definition)},
                                     {"old", r.old_ms},
                                     {"new", r.due_ms},
                                     {"calendar", r.calendar->id()},
                                     {"version", r.calendar->version()}});
    if (r.task) {
      sketch.c.task(r.index)->due_ms = r.due_ms;
    } else {
      sketch.c.clock(r.index)->due_ms = r.due_ms;
      sketch.c.clock(r.index)->next_ms = r.next_ms;
      sketch.c.clock(r.index)->budget_ms = r.budget_ms;
    }
  }
  Entry head{.actor = "system", .kind = "case.recount"};
  head.body["recounted"] = std::move(recounted);
  turn.emit(sketch, slot, std::move(head));
  turn.follow(slot, true);
}

}  // namespace

std::vector<MovedDue> Engine::moved_dues() const {
  const Impl& m = *impl_;
  std::vector<MovedDue> out;
  const Announced announced = CalendarsInForce(m.parts.path).changed(library().calendars());
  if (announced.empty()) return out;
  const std::int64_t now = m.parts.clock.now_ms();
  for (const Case& c : m.cases)
    for (const Recounted& r : recounts(m.of(c), c, announced, now))
      out.push_back({cw::case_id(c.key), r.name(*m.of(c).definition), r.calendar->id(),
                     r.calendar->version(), r.old_ms, r.due_ms});
  return out;
}

Result<std::size_t> Engine::recount(Journal& journal) {
  const Calendars calendars = library().calendars();
  const CalendarsInForce before(impl_->parts.path);
  const bool same = std::all_of(calendars.all().begin(), calendars.all().end(),
                                [&](const auto& c) { return before.same(*c.second); });
  if (same) return std::size_t{0};
  const Announced announced = before.changed(calendars);
  const std::vector<MovedDue> moved = journal.read([&] { return moved_dues(); });
  for (std::size_t from = 0; from < moved.size(); from += kRecountBatch) {
    auto answer = journal.run({.vital = true}, [&, from](Draft& draft) -> Result<json::object> {
      Turn turn(*impl_, draft);
      const std::size_t end = std::min(from + kRecountBatch, moved.size());
      for (std::size_t i = from; i < end; ++i)
        recount_case(turn, impl_->slot_of(moved[i].case_id), announced);
      return json::object{};
    });
    if (!answer) return answer.problem();
  }
  // Only now are the new ones in force: an end before this begins again and finds less to do.
  auto answer = journal.run({.vital = true}, [&](Draft& draft) -> Result<json::object> {
    for (const auto& [id, calendar] : calendars.all())
      draft.row([id = id, version = calendar->version(),
                 until = calendar->announced_until_ms()](Database& db) {
        db.run(
            "INSERT INTO procedure_calendar(id, version, announced) VALUES($1,$2,$3) "
            "ON CONFLICT(id) DO UPDATE SET version=$2, announced=$3",
            id, std::int64_t{version}, until);
      });
    return json::object{};
  });
  if (!answer) return answer.problem();
  return moved.size();
}

}  // namespace cw
