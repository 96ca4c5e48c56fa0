// Reading the lists: filters, pages that neither skip nor repeat, and the workbench.
#include <algorithm>
#include <map>
#include <tuple>

#include "base/text.h"
#include "cases.h"

namespace cw {
namespace {

constexpr std::int64_t kNever = INT64_MAX;  // how rows store "no due time"
constexpr std::int64_t kFewCases = 2000;
constexpr const char* kRowFields =
    "id,number,procedure,version,org,drill,state,level,starter,opened,updated,closed,due,seq,"
    "content,flags,tasks_open";

// A query grown clause by clause. Values are kept in a deque-like list that never moves.
class Query {
 public:
  void where(const std::string& clause) {
    where_ += (where_.empty() ? " WHERE " : " AND ") + clause;
  }
  std::string value(std::string text) {
    texts_.push_back(std::make_unique<std::string>(std::move(text)));
    params_.push_back(std::string_view(*texts_.back()));
    return "$" + std::to_string(params_.size());
  }
  std::string value(std::int64_t number) {
    params_.push_back(number);
    return "$" + std::to_string(params_.size());
  }
  void any_of(const std::string& column, const std::vector<std::string>& values) {
    std::string list;
    for (const std::string& v : values) list += (list.empty() ? "" : ",") + value(v);
    where(column + " IN (" + list + ")");
  }
  const std::string& clauses() const { return where_; }
  const std::vector<Param>& params() const { return params_; }

 private:
  std::string where_;
  std::vector<std::unique_ptr<std::string>> texts_;
  std::vector<Param> params_;
};

std::string like_prefix(std::string_view prefix) {
  std::string out;
  for (char ch : prefix) {
    if (ch == '%' || ch == '_' || ch == '\\') out += '\\';
    out += ch;
  }
  return out + "%";
}

// What case_tally is kept by.
void tallied_filter(Query& q, const CaseFilter& f) {
  q.where("TRUE");
  if (!f.every_org) q.any_of("org", f.orgs);
  if (f.open >= 0) q.where("closed=" + std::to_string(1 - f.open));
  if (f.drill >= 0) q.where("drill=" + std::to_string(f.drill));
  if (!f.procedures.empty()) q.any_of("procedure", f.procedures);
  if (!f.states.empty()) q.any_of("state", f.states);
  if (!f.procedure_prefix.empty())
    q.where("procedure LIKE " + q.value(like_prefix(f.procedure_prefix)) + " ESCAPE '\\'");
}

// Restricted cases are absent but for those named.
std::string visible(Query& q, const std::vector<std::string>& readable, const std::string& table) {
  if (readable.empty()) return table + "restricted=0";
  json::array ids;
  for (const std::string& id : readable) ids.emplace_back(id);
  return "(" + table + "restricted=0 OR " + table + "id IN (SELECT value FROM json_each(" +
         q.value(json::serialize(ids)) + ")))";
}

void rest_filter(Query& q, const CaseFilter& f) {
  q.where(visible(q, f.restricted, ""));
  if (!f.levels.empty()) q.any_of("level", f.levels);
  for (const std::string& flag : f.flags)
    q.where("instr(',' || flags, ',' || " + q.value(flag) + " || ',') > 0");
  if (!f.number.empty()) q.where("number LIKE " + q.value(like_prefix(f.number)) + " ESCAPE '\\'");
  if (!f.starter.empty()) q.where("starter=" + q.value(f.starter));
  if (!f.subject.empty()) q.where("subject=" + q.value(f.subject));
  if (!f.parent.empty()) q.where("parent=" + q.value(f.parent));
  if (f.due_before_ms != 0) q.where("due<" + q.value(f.due_before_ms));
}

Problem bad_cursor() {
  return problem(
      Refusal::malformed, "list.cursor",
      {"翻页标记无效，请从第一页重新查看", "The cursor is not valid; start from the first page"});
}

// "key\nid", so that a page goes on where the last one ended whatever was added meanwhile.
struct Cursor {
  std::string key, id;
};
std::optional<Cursor> read_cursor(const std::string& text) {
  auto bytes = from_base64url(text);
  if (!bytes) return std::nullopt;
  std::size_t split = bytes->find('\n');
  if (split == std::string::npos) return std::nullopt;
  return Cursor{bytes->substr(0, split), bytes->substr(split + 1)};
}
std::string write_cursor(const std::string& key, const std::string& id) {
  return to_base64url(key + "\n" + id);
}

CaseRow case_row(const Row& r) {
  CaseRow c;
  c.id = r.text(0), c.number = r.text(1), c.procedure = r.text(2);
  c.version = static_cast<int>(r.integer(3));
  c.org = r.text(4), c.drill = r.integer(5) != 0, c.state = r.text(6), c.level = r.text(7);
  c.starter = r.text(8), c.opened_ms = r.integer(9), c.updated_ms = r.integer(10);
  c.closed = r.integer(11) != 0;
  c.due_ms = r.integer(12) == kNever ? 0 : r.integer(12);
  c.seq = static_cast<std::uint64_t>(r.integer(13)), c.content = r.text(14);
  std::string_view flags = r.text(15);
  if (!flags.empty())
    for (std::string_view flag : split(flags.substr(0, flags.size() - 1), ','))
      c.flags.emplace_back(flag);
  c.tasks_open = static_cast<int>(r.integer(16));
  return c;
}

// How many cases match what the tally is kept by: no page has more candidates.
std::int64_t candidates(Database& db, const Query& q) {
  std::int64_t n = 0;
  std::function<void(const Row&)> each = [&](const Row& r) { n = r.integer(0); };
  db.execute("SELECT coalesce(sum(n),0) FROM case_tally" + q.clauses(), q.params(), &each);
  return n;
}

// The page's query; `tallied` is the part of its clauses that case_tally answers. Few candidates:
// all of them, found by their kind. Many: the order's own index until the page is full, for open
// and closed, real and drill apart, as the index begins with both. So a page reads some thousand
// rows at most, whatever the number of cases.
std::string page_query(const CaseFilter& f, const Query& q, const std::string& tallied, bool few,
                       const std::string& column, bool down, std::size_t limit) {
  std::string order = down ? " DESC" : "";
  std::string tail =
      " ORDER BY " + column + order + ",id" + order + " LIMIT " + std::to_string(limit + 1);
  std::string fields = std::string("SELECT ") + kRowFields + ",CAST(" + column + " AS TEXT)";
  if (few)
    return fields + " FROM case_row INDEXED BY case_row_kind" + q.clauses() +
           " AND (org,procedure,drill,closed,state) IN (SELECT org,procedure,drill,closed,state "
           "FROM case_tally" +
           tallied + " AND n>0)" + tail;
  if (column == "number") return fields + " FROM case_row" + q.clauses() + tail;
  std::string all;
  for (int closed : {0, 1})
    for (int drill : {0, 1})
      if (f.open != closed && (f.drill < 0 || f.drill == drill))
        all += std::string(all.empty() ? "" : " UNION ALL ") + "SELECT * FROM (" + fields +
               " FROM case_row INDEXED BY case_row_" + column + q.clauses() +
               " AND closed=" + std::to_string(closed) + " AND drill=" + std::to_string(drill) +
               tail + ")";
  return all + tail;
}

}  // namespace

Result<CasePage> CaseList::find(Database& db, const CaseFilter& f) {
  CasePage page;
  if (!f.every_org && f.orgs.empty()) return page;
  bool down = f.sort.starts_with("-");
  std::string column = f.sort.substr(down ? 1 : 0);
  if (column != "updated" && column != "opened" && column != "due" && column != "number")
    return invalid("list.sort", "/sort", {"不能按此排序", "Cannot sort by this"});
  Query q;
  tallied_filter(q, f);
  const std::string tallied = q.clauses();
  bool few = candidates(db, q) <= kFewCases;
  rest_filter(q, f);
  if (!f.cursor.empty()) {
    auto cursor = read_cursor(f.cursor);
    if (!cursor) return bad_cursor();
    std::string key = q.value(cursor->key);
    if (column != "number") key = "CAST(" + key + " AS INTEGER)";
    q.where("(" + column + ",id) " + (down ? "<" : ">") + " (" + key + "," + q.value(cursor->id) +
            ")");
  }
  std::size_t limit = std::clamp<std::size_t>(f.limit, 1, 200);
  std::string sql = page_query(f, q, tallied, few, column, down, limit);
  std::string key;
  std::function<void(const Row&)> each = [&](const Row& r) {
    if (page.rows.size() == limit) {
      page.next = write_cursor(key, page.rows.back().id);
      return;
    }
    page.rows.push_back(case_row(r));
    key = r.text(17);
  };
  db.execute(sql, q.params(), &each);
  return page;
}

// Each target is read from its own index in order, so that a queue of any length costs one page.
Result<WorkPage> CaseList::work(Database& db, const WorkFilter& f) {
  WorkPage page;
  if (!f.every_org && f.orgs.empty()) return page;
  std::optional<Cursor> cursor;
  if (!f.cursor.empty() && !(cursor = read_cursor(f.cursor))) return bad_cursor();
  std::size_t limit = std::clamp<std::size_t>(f.limit, 1, 500);
  std::vector<WorkRow> rows;
  for (const std::string& target : f.targets) {
    Query q;
    q.where("w.target=" + q.value(target));
    if (!f.every_org) q.any_of("w.org", f.orgs);
    if (f.drill >= 0) q.where("w.drill=" + std::to_string(f.drill));
    q.where(visible(q, f.restricted, "r."));
    if (cursor)
      q.where("(w.due,w.case_id) > (CAST(" + q.value(cursor->key) + " AS INTEGER)," +
              q.value(cursor->id) + ")");
    std::string sql =
        "SELECT w.case_id,r.number,r.procedure,r.org,r.state,r.level,w.kind,w.name,w.person,w.due,"
        "w.drill,w.late FROM case_work w JOIN case_row r ON r.id=w.case_id" +
        q.clauses() + " ORDER BY w.due,w.case_id LIMIT " + std::to_string(limit + 1);
    std::function<void(const Row&)> each = [&](const Row& r) {
      WorkRow w;
      w.case_id = r.text(0), w.number = r.text(1), w.procedure = r.text(2), w.org = r.text(3);
      w.state = r.text(4), w.level = r.text(5), w.kind = r.text(6), w.name = r.text(7);
      w.assignee = r.text(8), w.due_ms = r.integer(9), w.drill = r.integer(10) != 0;
      w.late = r.integer(11) != 0;
      rows.push_back(std::move(w));
    };
    db.execute(sql, q.params(), &each);
  }
  auto order = [](const WorkRow& a, const WorkRow& b) {
    return std::tie(a.due_ms, a.case_id, a.kind, a.name) <
           std::tie(b.due_ms, b.case_id, b.kind, b.name);
  };
  std::sort(rows.begin(), rows.end(), order);
  rows.erase(
      std::unique(rows.begin(), rows.end(),
                  [&](const WorkRow& a, const WorkRow& b) { return !order(a, b) && !order(b, a); }),
      rows.end());
  if (rows.size() > limit) {  // a page never ends inside a case
    std::size_t end = limit;
    while (end < rows.size() && rows[end].case_id == rows[limit - 1].case_id &&
           rows[end].due_ms == rows[limit - 1].due_ms)
      ++end;
    if (end < rows.size())
      page.next = write_cursor(std::to_string(rows[end - 1].due_ms), rows[end - 1].case_id);
    rows.resize(end);
  }
  for (WorkRow& w : rows)
    if (w.due_ms == kNever) w.due_ms = 0;
  page.rows = std::move(rows);
  return page;
}

std::vector<std::uint64_t> CaseList::timeline(Database& db, std::string_view case_id,
                                              std::uint64_t before, std::size_t limit) {
  std::vector<std::uint64_t> out;
  db.query(
      "SELECT seq FROM case_entry WHERE case_id=$1 AND seq<$2 ORDER BY seq DESC LIMIT $3",
      [&](const Row& r) { out.push_back(static_cast<std::uint64_t>(r.integer(0))); }, case_id,
      before == 0 ? INT64_MAX : static_cast<std::int64_t>(before),
      std::clamp<std::size_t>(limit, 1, 1000));
  return out;
}

std::string CaseList::content_of(Database& db, std::string_view case_id, std::string_view name) {
  std::string content;
  db.query(
      "SELECT content FROM case_entry WHERE case_id=$1 AND name=$2 AND content<>'' ORDER BY seq "
      "DESC LIMIT 1",
      [&](const Row& r) { content = r.text(0); }, case_id, name);
  return content;
}

std::vector<std::pair<std::string, std::int64_t>> CaseList::counts(Database& db,
                                                                   const CaseFilter& f) {
  if (!f.every_org && f.orgs.empty()) return {};
  // The tally answers whatever it is kept by; only the rarer questions read the cases.
  bool tallied = f.levels.empty() && f.flags.empty() && f.number.empty() && f.starter.empty() &&
                 f.subject.empty() && f.parent.empty() && f.due_before_ms == 0;
  std::map<std::string, std::int64_t> sums;
  std::function<void(const Row&)> each = [&](const Row& r) {
    if (r.integer(1) > 0) sums[std::string(r.text(0))] += r.integer(1);
  };
  Query q;
  tallied_filter(q, f);
  if (tallied)
    q.where("restricted=0");
  else
    rest_filter(q, f);
  db.execute(std::string(tallied ? "SELECT state, sum(n) FROM case_tally"
                                 : "SELECT state, count(*) FROM case_row") +
                 q.clauses() + " GROUP BY state",
             q.params(), &each);
  if (tallied && !f.restricted.empty()) {
    Query few;
    tallied_filter(few, f);
    rest_filter(few, f);
    few.where("restricted=1");
    db.execute("SELECT state, count(*) FROM case_row INDEXED BY case_row_restricted" +
                   few.clauses() + " GROUP BY state",
               few.params(), &each);
  }
  return {sums.begin(), sums.end()};
}

std::vector<TimelineRow> timeline_rows(const Journal& journal,
                                       const std::vector<std::uint64_t>& seqs) {
  std::vector<TimelineRow> out;
  for (std::uint64_t seq : seqs) {
    std::vector<std::string> bytes = journal.entries(seq, 1);
    if (bytes.empty()) continue;
    Result<Entry> e = Entry::parse(bytes[0]);
    if (!e) continue;
    out.push_back(
        {seq, e->at_ms, e->kind, e->name, e->actor, e->basis, e->content, std::move(e->body)});
  }
  return out;
}

}  // namespace cw
