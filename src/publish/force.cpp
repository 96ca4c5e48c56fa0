// What is in force: published revisions over content/, when their moment comes and at each start.
#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "publish/publish.h"

namespace cw {
namespace {

constexpr std::size_t kDefinitionsAtOnce = 100;  // definitions in one entry

std::string text_digest(const std::string& text) {
  return "sha256:" + to_hex(bytes_of(sha256(text)));
}

struct Held {  // a definition of a library
  DefinitionId of;
  int version = 0;
  const std::string* text = nullptr;
};

std::vector<Held> held_by(const Library& library) {
  std::vector<Held> out;
  for (const auto& [id, d] : library.procedures())
    out.push_back({{DefinitionKind::procedure, id}, d->version, &d->source});
  for (const auto& [id, f] : library.forms())
    out.push_back({{DefinitionKind::form, id}, f->version, &f->source});
  return out;
}

json::object in_entry(const DefinitionId& of, int version, const std::string& digest) {
  return {{"kind", name_of(of.kind)}, {"id", of.id}, {"version", version}, {"digest", digest}};
}

Text title_in(const Library& library, const DefinitionId& of) {
  if (of.kind == DefinitionKind::procedure) {
    if (auto d = library.remembered(of.id)) return d->title;
  } else if (auto f = library.form(of.id)) {
    return f->title;
  }
  return {of.id, of.id};
}

RevisionNotice notice_of(const Library& library, const Revision& r, std::uint64_t seq, Text what,
                         const std::set<std::string>& people) {
  const DraftDocument* about = r.procedure();
  return {.seq = seq,
          .revision = r.id,
          .title = title_in(library, about ? about->of : r.documents().front().of),
          .text = std::move(what),
          .people = {people.begin(), people.end()}};
}

}  // namespace

const char* Publish::schema() {
  return "CREATE TABLE IF NOT EXISTS definition_text(digest TEXT PRIMARY KEY, text TEXT NOT NULL) "
         "STRICT, WITHOUT ROWID";
}

Publish::Publish(PublishParts parts) : p_(std::move(parts)) {}

void Publish::keep(Draft& draft, const std::string& digest, const std::string& text) const {
  draft.row(
      [digest, text](Database& db) {
        db.run("INSERT INTO definition_text(digest, text) VALUES($1,$2) ON CONFLICT DO NOTHING",
               digest, text);
      },
      text.size());
}

std::optional<std::string> Publish::text(const std::string& digest) const {
  std::optional<std::string> out;
  Database db(p_.path, {.read_only = true});
  db.query(
      "SELECT text FROM definition_text WHERE digest=$1",
      [&](const Row& row) { out = std::string(row.text(0)); }, digest);
  if (out && text_digest(*out) != digest)
    throw std::runtime_error("the kept text " + digest + " is altered");
  return out;
}

void Publish::tell(Draft& draft, const Revision& r, std::uint64_t seq, Text what,
                   std::string_view except, const std::set<std::string>& also) const {
  if (!p_.tell || r.saves.empty()) return;
  std::set<std::string> people = r.authors;
  people.insert(also.begin(), also.end());
  people.insert({r.reviewer, r.approver});
  people.erase("");
  people.erase(std::string(except));
  p_.tell(draft, notice_of(p_.engine.library(), r, seq, std::move(what), people));
}

void Publish::ask(Draft& draft, const Revision& r, std::uint64_t seq, Permission permission,
                  std::string_view step, Text what) const {
  if (!p_.tell || !p_.holders) return;
  std::set<std::string> people;
  for (std::string& person : p_.holders(permission))
    if (!refusal(r, step, person)) people.insert(std::move(person));
  if (!people.empty())
    p_.tell(draft, notice_of(p_.engine.library(), r, seq, std::move(what), people));
}

// ---- when its moment comes ---------------------------------------------------------------------

std::size_t Publish::run_due() {
  std::size_t count = 0;
  for (; count < open_max; ++count) {
    std::string next;
    p_.journal.read([&] {
      std::int64_t first = p_.clock.now_ms();
      for (const auto& [id, r] : revisions_)
        if (r.phase == RevisionPhase::approved && r.from_ms <= first &&
            (next.empty() || r.from_ms < first))
          next = id, first = r.from_ms;
    });
    if (next.empty() || !put_in_force(next)) break;
  }
  run_migrations();
  return count;
}

// Checked once more, on this thread; decided only if nothing changed meanwhile.
bool Publish::put_in_force(const std::string& id) {
  Result<Snapshot> s = snapshot(id);
  CW_CHECK(s.ok());
  Result<Library> library = checked(s->revision);
  auto answer = p_.journal.run({.vital = true}, [&](Draft& draft) -> Result<json::object> {
    const Revision* r = find(id);
    if (r->seq != s->revision.seq || changed_seq_ != s->changed_seq) return json::object{};
    Entry e{.actor = "clock", .basis = "due", .body = {}};
    e.body["revision"] = id;
    if (!library) {
      e.kind = "definition.halted";
      e.body["code"] = library.problem().code;
      const std::set<std::string> hands{r->reviewer, r->approver};
      const std::uint64_t seq = draft.append(std::move(e));
      tell(draft, *r, seq,
           {"修订未能生效，已退回", "The revision could not come into force and went back"}, "",
           hands);
      return json::object{};
    }
    e.kind = "definition.effective";
    json::array documents;
    const bool retires = r->retires();
    for (const DraftDocument& d : r->documents()) {
      documents.push_back(in_entry(d.of,
                                   retires ? d.base
                                   : d.of.kind == DefinitionKind::procedure
                                       ? library->procedure(d.of.id)->version
                                       : library->form(d.of.id)->version,
                                   d.digest));
      if (retires) documents.back().as_object()["retires"] = true;
    }
    e.body["documents"] = std::move(documents);
    const std::uint64_t seq = draft.append(std::move(e));
    CW_CHECK(p_.engine.adopt(*library)(draft).ok());
    tell(draft, *find(id), seq,
         retires ? Text{"流程已停用", "The procedure is retired"}
                 : Text{"修订已生效", "The revision is in force"},
         "");
    return json::object{};
  });
  if (!answer) log_warn("publish", "{} could not be put in force: {}", id, answer.problem().code);
  return answer.ok();
}

// ---- at a start --------------------------------------------------------------------------------

Status Publish::open() {
  const Library content = p_.engine.library();
  for (const Held& h : held_by(content)) shipped_[h.of] = h.version;
  const Start start = overlay(content);
  if (!start.published.empty() || !start.retired.empty()) {
    auto adopted = p_.journal.run({.vital = true}, p_.engine.adopt(start.library));
    if (!adopted) return std::move(adopted).problem();
  }
  return record_start(start);
}

// The highest published version of each definition, where content/ has no higher one.
std::vector<DefinitionText> Publish::published_over(const Library& content,
                                                    const Start& start) const {
  std::map<DefinitionId, const std::string*> shipped;
  for (const Held& h : held_by(content)) shipped[h.of] = h.text;
  std::vector<DefinitionText> out;
  for (const auto& [of, history] : history_) {
    if (of.kind == DefinitionKind::procedure && start.retired.contains(of.id)) continue;
    const VersionRecord* best = nullptr;
    for (const VersionRecord& v : history.versions)
      if (v.published && !v.retires && (!best || v.version >= best->version)) best = &v;
    if (!best || best->version < this->shipped(of)) continue;
    if (auto it = shipped.find(of); it != shipped.end() && text_digest(*it->second) == best->digest)
      continue;  // an upgrade brought the very same text
    std::optional<std::string> kept = text(best->digest);
    if (!kept) throw std::runtime_error("the published text of " + of.path() + " is missing");
    out.push_back({.of = of, .text = std::move(*kept)});
  }
  return out;
}

// Where a published text does not check out with an upgraded content/, the shipped one comes back:
// a server that does not start helps nobody, and the record and its people are told.
Publish::Start Publish::overlay(const Library& content) const {
  Start out;
  for (const DefinitionId& of : retired()) out.retired.insert(of.id);
  std::vector<DefinitionText> texts = published_over(content, out);
  while (true) {
    std::vector<Mistake> mistakes, ignored;
    std::vector<std::pair<std::string, std::string>> files;
    for (const DefinitionText& t : texts) files.emplace_back(t.of.path(), t.text);
    out.library =
        content.without(out.retired, ignored).with(files, mistakes).without(out.retired, mistakes);
    if (mistakes.empty()) break;
    if (give_way(out)) {
      texts = published_over(content, out);
      continue;
    }
    for (const Mistake& m : mistakes)
      log_error("publish", "a published version does not fit content/: {}", describe(m, "en"));
    std::vector<DefinitionText> good;
    for (DefinitionText& t : texts) {
      const bool wrong = std::any_of(mistakes.begin(), mistakes.end(),
                                     [&](const Mistake& m) { return m.file == t.of.path(); });
      if (wrong)
        out.left_out.insert(t.of);
      else
        good.push_back(std::move(t));
    }
    if (good.size() == texts.size()) {  // a shipped procedure does not fit a published form
      for (const DefinitionText& t : good) out.left_out.insert(t.of);
      good.clear();
    }
    texts = std::move(good);
  }
  for (const DefinitionText& t : texts) out.published.insert(t.of);
  remember_retired(out);
  return out;
}

// A retirement gives way, too, when something in force opens what is retired.
bool Publish::give_way(Start& start) {
  std::set<std::string> opened;
  for (const auto& [id, d] : start.library.procedures()) opened.merge(opened_by(*d));
  const auto gone = std::erase_if(start.retired, [&](const std::string& id) {
    if (!opened.contains(id)) return false;
    log_error("publish", "{} is retired but opened by what is in force now", id);
    start.left_out.insert({DefinitionKind::procedure, id});
    return true;
  });
  return gone > 0;
}

// What was published last of a retired procedure, where it can still be read: its title, and what
// cases begun before may open.
void Publish::remember_retired(Start& start) const {
  for (const std::string& id : start.retired) {
    const DefinitionId of{DefinitionKind::procedure, id};
    const VersionRecord* last = latest(of);
    std::optional<std::string> kept = last ? text(last->digest) : std::nullopt;
    if (!kept) continue;
    std::vector<Mistake> mistakes;
    Library with = start.library.with({{of.path(), *kept}}, mistakes).without({id}, mistakes);
    if (mistakes.empty()) start.library = std::move(with);
  }
}

// Entries for what is in force now and was not before the start, and for what is no longer there.
Status Publish::record_start(const Start& start) {
  struct Change {
    Held held;
    std::string digest, why, revision;  // revision: whose version it replaced
  };
  std::vector<Change> changes;
  std::vector<DefinitionId> gone;
  std::set<DefinitionId> there;
  for (const Held& h : held_by(start.library)) {
    there.insert(h.of);
    Change c{h, text_digest(*h.text), "first", ""};
    const VersionRecord* was = in_force(h.of);
    if (was && was->digest == c.digest && was->version == h.version) continue;
    if (was && was->published && !start.published.contains(h.of)) c.revision = was->revision;
    if (const VersionRecord* retired = retirement(h.of)) c.revision = retired->revision;
    if (start.published.contains(h.of))
      c.why = "restored";
    else if (start.left_out.contains(h.of))
      c.why = "mistakes";
    else if (was)
      c.why = h.version > was->version ? "newer" : "changed";
    changes.push_back(std::move(c));
  }
  for (const auto& [of, history] : history_)
    if (in_force(of) && !there.contains(of)) gone.push_back(of);
  for (std::size_t from = 0; from < changes.size(); from += kDefinitionsAtOnce) {
    const std::size_t end = std::min(from + kDefinitionsAtOnce, changes.size());
    auto answer = p_.journal.run({.vital = true}, [&](Draft& draft) -> Result<json::object> {
      json::array documents;
      for (std::size_t i = from; i < end; ++i) {
        const Change& c = changes[i];
        keep(draft, c.digest, *c.held.text);
        json::object o = in_entry(c.held.of, c.held.version, c.digest);
        o["why"] = c.why;
        if (start.published.contains(c.held.of)) o["published"] = true;
        documents.push_back(std::move(o));
      }
      Entry e{.actor = "system", .kind = "definition.installed", .body = {}};
      e.body["documents"] = std::move(documents);
      const std::uint64_t seq = draft.append(std::move(e));
      for (std::size_t i = from; i < end; ++i)
        if (const Revision* r = find(changes[i].revision))
          tell(draft, *r, seq,
               {"升级带来的版本取代了已发布的版本",
                "A version from an upgrade replaced the published one"},
               "");
      return json::object{};
    });
    if (!answer) return std::move(answer).problem();
  }
  for (std::size_t from = 0; from < gone.size(); from += kDefinitionsAtOnce) {
    auto answer = p_.journal.run({.vital = true}, [&](Draft& draft) -> Result<json::object> {
      json::array documents;
      for (std::size_t i = from; i < std::min(from + kDefinitionsAtOnce, gone.size()); ++i)
        documents.push_back(json::object{{"kind", name_of(gone[i].kind)}, {"id", gone[i].id}});
      Entry e{.actor = "system", .kind = "definition.gone", .body = {}};
      e.body["documents"] = std::move(documents);
      draft.append(std::move(e));
      return json::object{};
    });
    if (!answer) return std::move(answer).problem();
  }
  return done();
}

// ---- reading -----------------------------------------------------------------------------------

const Revision* Publish::find(std::string_view id) const {
  auto it = revisions_.find(id);
  return it == revisions_.end() ? nullptr : &it->second;
}

std::vector<const Revision*> Publish::all() const {
  std::vector<const Revision*> out;
  for (const auto& [id, r] : revisions_) out.push_back(&r);
  std::reverse(out.begin(), out.end());
  return out;
}

const VersionRecord* Publish::in_force(const DefinitionId& of) const {
  auto it = history_.find(of);
  if (it == history_.end() || it->second.versions.empty()) return nullptr;
  const VersionRecord& last = it->second.versions.back();
  return last.until_ms == 0 && !last.retires ? &last : nullptr;
}

const VersionRecord* Publish::retirement(const DefinitionId& of) const {
  auto it = history_.find(of);
  if (it == history_.end() || it->second.versions.empty()) return nullptr;
  const VersionRecord& last = it->second.versions.back();
  return last.until_ms == 0 && last.retires ? &last : nullptr;
}

const VersionRecord* Publish::latest(const DefinitionId& of) const {
  auto it = history_.find(of);
  if (it == history_.end()) return nullptr;
  const auto& all = it->second.versions;
  auto last = std::find_if(all.rbegin(), all.rend(), [](const auto& v) { return !v.retires; });
  return last == all.rend() ? nullptr : &*last;
}

int Publish::next_version(const DefinitionId& of) const {
  if (const VersionRecord* now = in_force(of)) return now->version + 1;
  const VersionRecord* last = latest(of);  // never a number again that had another text
  return std::max(last ? last->version : 0, shipped(of)) + 1;
}

std::vector<DefinitionId> Publish::retired() const {
  std::vector<DefinitionId> out;
  for (const auto& [of, history] : history_)
    if (retirement(of)) out.push_back(of);
  return out;
}

std::vector<VersionRecord> Publish::history(const DefinitionId& of) const {
  auto it = history_.find(of);
  if (it == history_.end()) return {};
  return {it->second.versions.rbegin(), it->second.versions.rend()};
}

int Publish::shipped(const DefinitionId& of) const {
  auto it = shipped_.find(of);
  return it == shipped_.end() ? 0 : it->second;
}

}  // namespace cw
