// The list of alerts in the views: facts only; titles and entities are opened as they are read.
#include "alert_apply.h"
#include "alerts.h"
#include "base/text.h"

namespace cw::watch {
namespace {

std::string marks(std::size_t first, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    out += (i ? ",$" : "$") + std::to_string(first + i);
  }
  return out;
}

// Collects conditions and their parameters; texts must outlive the query.
struct Where {
  std::string sql;
  std::vector<Param> args;
  void add(const std::string& condition) { sql += (sql.empty() ? " WHERE " : " AND ") + condition; }
  std::string next() const { return "$" + std::to_string(args.size() + 1); }
  void equal(const std::string& column, std::string_view value) {
    add(column + "=" + next());
    args.push_back(value);
  }
  void compare(const std::string& column, const char* op, std::int64_t value) {
    add(column + op + next());
    args.push_back(value);
  }
  void in(const std::string& column, const std::vector<std::string>& values) {
    add(column + " IN (" + marks(args.size() + 1, values.size()) + ")");
    for (const std::string& v : values) args.push_back(std::string_view(v));
  }
};

Alert from_facts(std::string_view facts) {
  return Alert::from_json(json::parse(facts).as_object());
}

void store_alert(Database& db, const Alert& a) {
  db.run(
      "INSERT INTO alert_list VALUES($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13)"
      " ON CONFLICT(id) DO UPDATE SET level=$6,triage=$7,active=$8,silenced=$9,case_id=$10,"
      "owner=$11,facts=$13",
      a.id, a.fired_seq, a.rule, a.source, a.org, static_cast<int>(a.level), to_string(a.triage),
      a.active, !a.silence.empty(), a.case_id, a.owner, a.fired_ms, json::serialize(a.to_json()));
}

}  // namespace

const char* AlertList::schema() const {
  return "CREATE TABLE IF NOT EXISTS alert_list("
         "id TEXT PRIMARY KEY, fired_seq INTEGER NOT NULL, rule TEXT NOT NULL,"
         "source TEXT NOT NULL, org TEXT NOT NULL, level INTEGER NOT NULL, triage TEXT NOT NULL,"
         "active INTEGER NOT NULL, silenced INTEGER NOT NULL, case_id TEXT NOT NULL,"
         "owner TEXT NOT NULL, fired_ms INTEGER NOT NULL, facts TEXT NOT NULL) STRICT;"
         "CREATE INDEX IF NOT EXISTS alert_list_new ON alert_list(org, fired_seq);"
         "CREATE INDEX IF NOT EXISTS alert_list_triage ON alert_list(org, triage, fired_seq);"
         "CREATE INDEX IF NOT EXISTS alert_list_rule ON alert_list(rule, fired_seq);"
         "CREATE INDEX IF NOT EXISTS alert_list_case ON alert_list(case_id) WHERE case_id<>'';";
}

void AlertList::drop(Database& db) const { db.exec("DROP TABLE IF EXISTS alert_list"); }

void AlertList::project(const Entry& entry, Database& db) {
  if (!entry.kind.starts_with("alert.")) return;
  if (entry.kind == "alert.fired") {
    store_alert(db, fired_alert(entry));
    return;
  }
  std::optional<Alert> a = find(db, text_or(entry.body, "alert"));
  if (!a) return;  // a silence
  apply_entry(*a, entry);
  store_alert(db, *a);
}

std::optional<Alert> AlertList::find(Database& db, std::string_view id) {
  std::optional<Alert> out;
  db.query(
      "SELECT facts FROM alert_list WHERE id=$1",
      [&](const Row& r) { out = from_facts(r.text(0)); }, id);
  return out;
}

Result<AlertPage> AlertList::page(Database& db, const AlertFilter& f) {
  if (f.limit < 1 || f.limit > 200) {
    return invalid("page.limit", "/limit", {"每页 1 到 200 条。", "A page has 1 to 200 items."});
  }
  AlertPage out;
  if (f.org.empty()) return out;
  Where w;
  w.in("org", f.org);
  std::vector<std::string> triage;
  for (Triage t : f.triage) triage.emplace_back(to_string(t));
  if (!triage.empty()) w.in("triage", triage);
  if (f.level_min) w.compare("level", ">=", static_cast<int>(*f.level_min));
  if (!f.rule.empty()) w.equal("rule", f.rule);
  if (!f.source.empty()) w.equal("source", f.source);
  if (!f.case_id.empty()) w.equal("case_id", f.case_id);
  if (!f.owner.empty()) w.equal("owner", f.owner);
  if (f.active) w.compare("active", "=", *f.active);
  if (f.silenced) w.compare("silenced", "=", *f.silenced);
  if (f.from_ms) w.compare("fired_ms", ">=", f.from_ms);
  if (f.to_ms) w.compare("fired_ms", "<", f.to_ms);
  if (!f.cursor.empty()) {
    std::optional<std::int64_t> before = to_int<std::int64_t>(f.cursor);
    if (!before || *before < 0) {
      return invalid(
          "page.cursor", "/cursor",
          {"分页游标无效,请从第一页开始。", "The cursor is not valid; begin at the first page."});
    }
    w.compare("fired_seq", "<", *before);
  }
  std::function<void(const Row&)> each = [&](const Row& r) {
    out.alerts.push_back(from_facts(r.text(0)));
  };
  db.execute("SELECT facts FROM alert_list" + w.sql + " ORDER BY fired_seq DESC LIMIT " +
                 std::to_string(f.limit + 1),
             w.args, &each);
  if (out.alerts.size() > f.limit) {
    out.alerts.pop_back();
    out.next = std::to_string(out.alerts.back().fired_seq);
  }
  return out;
}

AlertCounts AlertList::counts(Database& db, const std::vector<std::string>& org) {
  AlertCounts out;
  if (org.empty()) return out;
  Where w;
  w.in("org", org);
  std::function<void(const Row&)> triage = [&](const Row& r) {
    out.by_triage[std::string(r.text(0))] = r.integer(1);
  };
  db.execute("SELECT triage, count(*) FROM alert_list" + w.sql + " GROUP BY triage", w.args,
             &triage);
  std::function<void(const Row&)> level = [&](const Row& r) {
    out.by_level[std::string(detect::to_string(static_cast<Level>(r.integer(0))))] = r.integer(1);
  };
  db.execute("SELECT level, count(*) FROM alert_list" + w.sql +
                 " AND triage IN ('open','taken') AND silenced=0 GROUP BY level",
             w.args, &level);
  return out;
}

}  // namespace cw::watch
