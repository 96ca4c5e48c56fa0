// The read model behind lists and the workbench: rows patched from entries, one entry at a time.
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "cases.h"

namespace cw {
namespace {

constexpr std::int64_t kNoDue = INT64_MAX;  // sorts after every due time

constexpr const char* kSchema =
    "CREATE TABLE IF NOT EXISTS case_row(id TEXT PRIMARY KEY, number TEXT, procedure TEXT,"
    " version INTEGER, org TEXT, drill INTEGER, state TEXT, level TEXT, held TEXT, starter TEXT,"
    " subject TEXT, parent TEXT, opened INTEGER, updated INTEGER, closed INTEGER, due INTEGER,"
    " seq INTEGER, content TEXT, flags TEXT, tasks_open INTEGER, restricted INTEGER) STRICT, "
    "WITHOUT"
    " ROWID;"
    "CREATE INDEX IF NOT EXISTS case_row_updated ON case_row(closed, drill, updated, id);"
    "CREATE INDEX IF NOT EXISTS case_row_due ON case_row(closed, drill, due, id);"
    "CREATE INDEX IF NOT EXISTS case_row_opened ON case_row(closed, drill, opened, id);"
    "CREATE INDEX IF NOT EXISTS case_row_kind ON case_row(org, procedure, drill, closed, state);"
    "CREATE INDEX IF NOT EXISTS case_row_number ON case_row(number);"
    "CREATE INDEX IF NOT EXISTS case_row_parent ON case_row(parent) WHERE parent <> '';"
    "CREATE INDEX IF NOT EXISTS case_row_subject ON case_row(subject) WHERE subject <> '';"
    // What is open in a case: tasks, counting clocks, questions, and people named by facts.
    "CREATE TABLE IF NOT EXISTS case_part(case_id TEXT, kind TEXT, name TEXT, due INTEGER,"
    " person TEXT, late INTEGER, PRIMARY KEY(case_id, kind, name)) STRICT, WITHOUT ROWID;"
    // The same by who can do it; `target` as in WorkFilter.
    "CREATE TABLE IF NOT EXISTS case_work(case_id TEXT, kind TEXT, name TEXT, target TEXT, org "
    "TEXT,"
    " drill INTEGER, due INTEGER, person TEXT, late INTEGER,"
    " PRIMARY KEY(case_id, kind, name, target)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS case_work_target ON case_work(target, due, case_id);"
    "CREATE INDEX IF NOT EXISTS case_row_restricted ON case_row(id) WHERE restricted=1;"
    // How many cases there are of a kind, so that counting does not read them.
    "CREATE TABLE IF NOT EXISTS case_tally(org TEXT, procedure TEXT, drill INTEGER, closed INTEGER,"
    " state TEXT, restricted INTEGER, n INTEGER,"
    " PRIMARY KEY(org, procedure, drill, closed, state, restricted)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS case_entry(case_id TEXT, seq INTEGER, name TEXT, content TEXT,"
    " PRIMARY KEY(case_id, seq)) STRICT, WITHOUT ROWID;";

constexpr const char* kTables[] = {"case_row", "case_part", "case_work", "case_tally",
                                   "case_entry"};

// The patch of one entry to the rows of one case.
class Projection {
 public:
  Projection(const Entry& entry, const Definition& definition, Database& database)
      : e(entry), d(definition), db(database), id(entry.case_id) {}

  void run() {
    if (e.kind == "case.start") begin();
    read_row();
    const std::string state = state_;
    const bool closed = closed_;
    if (e.kind == "case.migrate") migrate();
    bool moved = row_fields();
    if (state != state_ || closed != closed_) {
      if (!state.empty()) tally(state, closed, -1);
      tally(state_, closed_, 1);
    }
    if (moved) db.run("DELETE FROM case_part WHERE case_id=$1 AND kind IN ('task','approval')", id);
    if (closed_)
      db.run("DELETE FROM case_part WHERE case_id=$1", id);
    else
      parts();
    write_row();
    db.run("DELETE FROM case_work WHERE case_id=$1", id);
    if (!closed_) work();
  }

 private:
  void begin() {
    std::size_t at = e.procedure.rfind('@');
    const json::object& b = e.body;
    db.run(
        "INSERT OR REPLACE INTO case_row VALUES($1,$2,$3,$4,$5,$6,'',$7,$7,$8,$9,$10,$11,$11,0,$12,"
        "$13,$14,'',0,$15)",
        id, text_or(b, "number"), std::string_view(e.procedure).substr(0, at),
        to_int<std::int64_t>(std::string_view(e.procedure).substr(at + 1)).value_or(0),
        text_or(b, "org"), text_or(b, "mode") == "drill",
        d.levels.empty() ? std::string() : d.levels[0], e.actor, text_or(b, "subject"),
        text_or(b, "parent"), e.at_ms, kNoDue, e.seq, e.content, !d.readers.none());
  }

  void tally(const std::string& state, bool closed, int by) {
    db.run("INSERT INTO case_tally VALUES($1,$2,$3,$4,$5,$6,$7) ON CONFLICT DO UPDATE SET n=n+$7",
           org_, d.id, drill_, closed, state, !d.readers.none(), by);
  }

  void read_row() {
    db.query(
        "SELECT state, level, held, flags, closed, org, drill FROM case_row WHERE id=$1",
        [&](const Row& r) {
          state_ = r.text(0), level_ = r.text(1), held_ = r.text(2), flags_ = r.text(3);
          closed_ = r.integer(4) != 0, org_ = r.text(5), drill_ = r.integer(6) != 0;
        },
        id);
  }

  // Under another version: its number, and what goes on under another name.
  void migrate() {
    const std::string left = std::exchange(state_, e.name) + ".";
    const std::size_t at = e.procedure.rfind('@');
    db.run("UPDATE case_row SET version=$2 WHERE id=$1", id,
           to_int<std::int64_t>(std::string_view(e.procedure).substr(at + 1)).value_or(0));
    const json::value* map = e.body.if_contains("map");
    for (const auto& [member, kind] :
         {std::pair{"tasks", "task"}, {"clocks", "clock"}, {"facts", "fact"}})
      if (const json::value* names = map ? map->as_object().if_contains(member) : nullptr)
        for (const auto& [from, to] : names->as_object())
          if (std::string_view(kind) != "task" || std::string_view(from).starts_with(left))
            rename(kind, from, to.as_string());
    // What has no counterpart is gone; what is open otherwise is told anew or stays as it was.
    for (const auto& [kind, known] : {std::pair{"clock", &Projection::has_clock},
                                      {"task", &Projection::has_task},
                                      {"fact", &Projection::has_fact}}) {
      std::vector<std::string> gone;
      db.query(
          "SELECT name FROM case_part WHERE case_id=$1 AND kind=$2",
          [&](const Row& r) {
            if (!(this->*known)(r.text(0))) gone.emplace_back(r.text(0));
          },
          id, kind);
      for (const std::string& name : gone) no_part(kind, name);
    }
  }
  bool has_clock(std::string_view name) const { return d.clock(name) >= 0; }
  bool has_task(std::string_view name) const { return d.task(d.state(state_), name) >= 0; }
  bool has_fact(std::string_view name) const { return d.fact(name) >= 0; }

  // A task is named "state.task" in a map, and by itself among a case's parts.
  void rename(const char* kind, std::string_view from, std::string_view to) {
    const bool task = std::string_view(kind) == "task";
    auto last = [&](std::string_view name) {
      return task ? name.substr(name.find('.') + 1) : name;
    };
    if (to.empty()) return no_part(kind, last(from));
    if (last(from) == last(to)) return;
    db.run("UPDATE OR REPLACE case_part SET name=$4 WHERE case_id=$1 AND kind=$2 AND name=$3", id,
           kind, last(from), last(to));
  }

  bool row_fields() {
    const json::object& b = e.body;
    if (auto* level = b.if_contains("level")) level_ = level->as_string();
    if (auto* held = b.if_contains("held")) held_ = held->as_string();
    if (auto* flags = b.if_contains("flags"))
      for (const json::value& f : flags->as_array()) flags_ += std::string(f.as_string()) + ",";
    if (auto* flags = b.if_contains("unflags"))
      for (const json::value& f : flags->as_array()) {
        const std::string flag = std::string(f.as_string()) + ",";
        const std::size_t at = ("," + flags_).find("," + flag);
        if (at != std::string::npos) flags_.erase(at, flag.size());
      }
    const json::value* to = b.if_contains("to");
    if (to) state_ = to->as_string();
    int state = d.state(state_);
    closed_ |= bool_or(b, "closed") || (state >= 0 && d.states[state].final);
    return to != nullptr;
  }

  void part(std::string_view kind, std::string_view name, std::int64_t due, std::string_view person,
            bool late) {
    db.run("INSERT OR REPLACE INTO case_part VALUES($1,$2,$3,$4,$5,$6)", id, kind, name, due,
           person, late);
  }
  void no_part(std::string_view kind, std::string_view name) {
    db.run("DELETE FROM case_part WHERE case_id=$1 AND kind=$2 AND name=$3", id, kind, name);
  }

  void parts() {
    const json::object& b = e.body;
    if (auto* tasks = b.if_contains("tasks"))
      for (const auto& [name, v] : tasks->as_object()) {
        const json::object& o = v.as_object();
        std::string_view is = text_or(o, "is");
        if (name.find('.') != json::string_view::npos) continue;  // of a state that was left
        if (is == "open" || is == "asked")
          part("task", name, int_or(o, "due", kNoDue), text_or(o, "for"), bool_or(o, "late"));
        else
          no_part("task", name);
      }
    if (auto* clocks = b.if_contains("clocks"))
      for (const auto& [name, v] : clocks->as_object()) {
        const json::object& o = v.as_object();
        if (text_or(o, "is") == "counting")
          part("clock", name, int_or(o, "due", kNoDue), "", int_or(o, "due", kNoDue) <= e.at_ms);
        else
          no_part("clock", name);
      }
    if (auto* settled = b.if_contains("settled"))
      for (const json::value& v : settled->as_array())
        db.run("DELETE FROM case_part WHERE case_id=$1 AND kind='approval' AND due=$2", id,
               v.as_int64());
    if (auto* ask = b.if_contains("ask")) {
      const json::object& o = ask->as_object();
      std::string_view task = text_or(o, "task");
      part("approval", task.empty() ? text_or(o, "action") : task, int_or(o, "id"), e.actor,
           !task.empty());
    }
    if (auto* facts = b.if_contains("facts"))
      for (const auto& [name, v] : facts->as_object()) {
        int fact = d.fact(name);
        if (fact < 0 || d.facts[fact].type != FieldType::reference) continue;
        if (v.is_string())
          part("fact", name, kNoDue, v.as_string(), false);
        else
          no_part("fact", name);
      }
  }

  void write_row() {
    std::int64_t due = kNoDue, open = 0;
    db.query(
        "SELECT min(due) FILTER (WHERE kind IN ('task','clock')), count(*) FILTER (WHERE "
        "kind='task') FROM case_part WHERE case_id=$1",
        [&](const Row& r) {
          if (!r.null(0)) due = r.integer(0);
          open = r.integer(1);
        },
        id);
    due_ = due;
    tasks_open_ = open;
    db.run(
        "UPDATE case_row SET state=$2, level=$3, held=$4, flags=$5, closed=$6, updated=$7, due=$8,"
        " seq=$9, tasks_open=$10 WHERE id=$1",
        id, state_, level_, held_, flags_, closed_, e.at_ms, due, e.seq, open);
  }

  // ---- who can do it ---------------------------------------------------------------------------

  std::string person_of(int fact) {
    std::string person;
    db.query(
        "SELECT person FROM case_part WHERE case_id=$1 AND kind='fact' AND name=$2",
        [&](const Row& r) { person = r.text(0); }, id, d.facts[fact].id);
    return person;
  }

  std::string target_of(int role) {
    const RoleDef& r = d.roles[role];
    switch (r.kind) {
      case RoleDef::Kind::post:
        return "post:" + r.name;
      case RoleDef::Kind::team:
        return "team:" + r.name;
      case RoleDef::Kind::queue:
        return "queue:" + d.id;
      case RoleDef::Kind::level_chief: {
        auto place = [&](const std::string& l) {
          return std::find(d.levels.begin(), d.levels.end(), l);
        };
        return held_.empty() || place(level_) > place(held_) ? std::string() : "chief:" + held_;
      }
      case RoleDef::Kind::field: {
        std::string person = person_of(r.fact);
        return person.empty() ? std::string() : "person:" + person;
      }
      default:
        return {};
    }
  }

  void add(std::string_view kind, std::string_view name, std::string_view target, std::int64_t due,
           std::string_view person, bool late) {
    if (target.empty()) return;
    db.run("INSERT OR REPLACE INTO case_work VALUES($1,$2,$3,$4,$5,$6,$7,$8,$9)", id, kind, name,
           target, org_, drill_, due, person, late);
  }

  void work() {
    struct Part {
      std::string kind, name, person;
      std::int64_t due;
      bool late;
    };
    std::vector<Part> open;
    db.query(
        "SELECT kind, name, person, due, late FROM case_part WHERE case_id=$1 AND kind IN "
        "('task','approval')",
        [&](const Row& r) {
          open.push_back({std::string(r.text(0)), std::string(r.text(1)), std::string(r.text(2)),
                          r.integer(3), r.integer(4) != 0});
        },
        id);
    int state = d.state(state_);
    if (state < 0) return;
    for (const Part& p : open) {
      bool task = p.kind == "task" || p.late;  // of an approval, `late` says that it is of a task
      int index = task ? d.task(state, p.name) : d.action(state, p.name);
      if (index < 0) continue;
      if (p.kind == "task") {
        for (int role : d.tasks[index].by)
          add("task", p.name, target_of(role), p.due, p.person, p.late);
        if (!p.person.empty()) add("task", p.name, "person:" + p.person, p.due, p.person, p.late);
      } else {
        const Approval& approve = task ? d.tasks[index].approve : d.actions[index].approve;
        for (int role : approve.roles)
          add("approval", p.name, target_of(role), due_, p.person, false);
      }
    }
    if (level_ != held_) add("command", level_, "chief:" + level_, due_, "", false);
    actions(state);
  }

  // Cases that wait for an owner or lie in a queue, states whose tasks are all done, and those that
  // wait for a decision.
  void actions(int state) {
    bool ready = !d.states[state].tasks.empty() && tasks_open_ == 0;
    std::set<int> told;
    for (int index : d.states[state].actions) {
      const ActionDef& a = d.actions[index];
      if (a.kind != ActionDef::Kind::person) continue;
      bool guarded = a.guard.source().find("tasks.done") != std::string::npos;
      for (int role : a.by) {
        RoleDef::Kind kind = d.roles[role].kind;
        if (kind == RoleDef::Kind::queue)
          add("queue", "", target_of(role), due_, "", false);
        else if (kind == RoleDef::Kind::field)
          add("owner", "", target_of(role), due_, person_of(d.roles[role].fact), false);
        else if (ready && guarded)
          add("action", a.id, target_of(role), due_, "", false), told.insert(role);
      }
    }
    if (tasks_open_ > 0) return;
    for (int role : d.states[state].deciders)
      if (!told.contains(role)) add("decide", "", target_of(role), due_, "", false);
  }

  const Entry& e;
  const Definition& d;
  Database& db;
  const std::string& id;
  std::string state_, level_, held_, flags_, org_;
  bool closed_ = false, drill_ = false;
  std::int64_t due_ = kNoDue, tasks_open_ = 0;
};

}  // namespace

const char* CaseList::schema() const { return kSchema; }

void CaseList::drop(Database& db) const {
  for (const char* table : kTables) db.exec(std::string("DROP TABLE IF EXISTS ") + table);
}

void CaseList::project(const Entry& e, Database& db) {
  if (!e.kind.starts_with("case.") || e.case_id.empty()) return;
  db.run("INSERT OR REPLACE INTO case_entry VALUES($1,$2,$3,$4)", e.case_id, e.seq, e.name,
         e.content);
  std::shared_ptr<const Definition> d = engine_.definition(e.procedure);
  CW_CHECK(d != nullptr);  // adopted before its first case
  Projection(e, *d, db).run();
}

}  // namespace cw
