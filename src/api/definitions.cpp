#include "definitions.h"

#include "base/id.h"
#include "publish/difference.h"

// Procedures and forms as documents under version: what is in force, every version that was, live
// checks, differences.
namespace cw::api {

Publish& publishing(Call& call) {
  CW_CHECK(call.s.publish != nullptr);
  return *call.s.publish;
}

Result<DefinitionId> definition_of(const Call& call) {
  auto kind = definition_kind(call.http.param("kind"));
  if (!kind) return no_such({"这类文件", "such a kind: procedures or forms"});
  return DefinitionId{*kind, call.id()};
}

Text definition_title(const Library& library, const DefinitionId& of) {
  if (of.kind == DefinitionKind::procedure) {
    if (auto d = library.remembered(of.id)) return d->title;
  } else if (auto f = library.form(of.id)) {
    return f->title;
  }
  return {of.id, of.id};
}

std::string said(const Services& s, const std::string& commitment, const char* member) {
  auto parsed = parse_json(text_of(s, commitment));
  return parsed && parsed->is_object() ? std::string(text_or(parsed->as_object(), member))
                                       : std::string();
}

std::vector<MistakeOut> mistakes_out(const std::vector<Mistake>& mistakes) {
  std::vector<MistakeOut> out;
  for (const Mistake& m : mistakes)
    if (out.size() < 500) out.push_back({m.file, m.line, m.column, m.code, m.text});
  return out;
}

Result<std::vector<DefinitionText>> documents_in(std::vector<DocumentIn>& documents) {
  std::vector<DefinitionText> out;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    auto kind = definition_kind(documents[i].kind);
    if (!kind)
      return invalid("definition.kind", "/documents/" + std::to_string(i) + "/kind",
                     {"须为 procedures 或 forms", "This must be procedures or forms"});
    const bool retires = documents[i].retire.value_or(false);
    if (documents[i].text.has_value() == retires)
      return invalid("definition.text", "/documents/" + std::to_string(i) + "/text",
                     {"给出文本 text，或写明停用 retire，二者取一",
                      "Give the text, or retire it: exactly one of them"});
    DefinitionText one{.of = {*kind, documents[i].id}, .retires = retires};
    if (!retires) one.text = std::move(documents[i].text->text);
    out.push_back(std::move(one));
  }
  return out;
}

SimulationOut simulation_out(const Services& s, const SimulationRecord& r) {
  return {.at = r.at_ms,
          .runs = r.runs,
          .seed = static_cast<std::int64_t>(r.seed),
          .threshold = r.threshold,
          .by = person_ref(s, r.actor),
          .people = r.people,
          .digest = r.digest,
          .pass = r.pass};
}

std::vector<PersonRef> people_out(const Services& s, const std::set<std::string>& ids) {
  std::vector<PersonRef> out;
  for (const std::string& id : ids) out.push_back(person_ref(s, id));
  return out;
}

namespace {

struct DefinitionOut {
  std::string kind, id, origin;
  Text title;
  std::int64_t version = 0, version_next = 0, from_at = 0, shipped_version = 0, running = 0;
  std::optional<std::int64_t> retired_at;
  std::vector<std::string> used_by, open_revisions;
};
BOOST_DESCRIBE_STRUCT(DefinitionOut, (),
                      (kind, id, origin, title, version, version_next, from_at, shipped_version,
                       running, retired_at, used_by, open_revisions))

struct VersionOut {
  std::int64_t version = 0, from_at = 0, running = 0, seq = 0;
  bool retires = false;
  std::optional<std::int64_t> until_at;
  std::string digest, origin, why;
  std::optional<std::string> revision, title, waiver;
  std::vector<PersonRef> written_by;
  std::optional<PersonRef> reviewed_by, approved_by;
  std::optional<SimulationOut> simulation;
};
BOOST_DESCRIBE_STRUCT(VersionOut, (),
                      (version, from_at, running, seq, retires, until_at, digest, origin, why,
                       revision, title, waiver, written_by, reviewed_by, approved_by, simulation))

struct HistoryOut {
  DefinitionOut definition;
  std::vector<VersionOut> versions;
};
BOOST_DESCRIBE_STRUCT(HistoryOut, (), (definition, versions))

struct TextOut {
  std::string kind, id, at, digest, text;
};
BOOST_DESCRIBE_STRUCT(TextOut, (), (kind, id, at, digest, text))

struct CheckIn {
  std::vector<DocumentIn> documents;
};
BOOST_DESCRIBE_STRUCT(CheckIn, (), (documents))
struct CheckedOut {
  std::string kind, id;
  std::int64_t version_in_force = 0, version_next = 0;
};
BOOST_DESCRIBE_STRUCT(CheckedOut, (), (kind, id, version_in_force, version_next))
struct CheckOut {
  std::vector<CheckedOut> documents;
  std::vector<MistakeOut> mistakes, warnings;
};
BOOST_DESCRIBE_STRUCT(CheckOut, (), (documents, mistakes, warnings))

struct DiffIn {
  std::string from;
  std::optional<std::string> to;
  std::optional<LongText> text;
  std::optional<std::int64_t> context;
};
BOOST_DESCRIBE_STRUCT(DiffIn, (), (from, to, text, context))
struct DiffRowOut {
  std::string op;
  std::int64_t left = 0, right = 0;
  std::string left_text, right_text;
  std::vector<std::int64_t> marks;
};
BOOST_DESCRIBE_STRUCT(DiffRowOut, (), (op, left, right, left_text, right_text, marks))
struct DiffHunkOut {
  std::vector<DiffRowOut> rows;
};
BOOST_DESCRIBE_STRUCT(DiffHunkOut, (), (rows))
struct PartMemberOut {
  std::string name, before, after;
};
BOOST_DESCRIBE_STRUCT(PartMemberOut, (), (name, before, after))
struct PartOut {
  std::string op, kind, id;
  Text title;
  std::vector<PartMemberOut> members;
};
BOOST_DESCRIBE_STRUCT(PartOut, (), (op, kind, id, title, members))
struct DiffOut {
  std::string from, to;
  std::int64_t removed = 0, added = 0;
  bool coarse = false, cut = false;
  std::vector<DiffHunkOut> hunks;
  std::optional<std::vector<PartOut>> parts;
};
BOOST_DESCRIBE_STRUCT(DiffOut, (), (from, to, removed, added, coarse, cut, hunks, parts))

using Running = std::map<std::string, std::size_t>;

std::int64_t running_on(const Running& running, const DefinitionId& of, int version) {
  if (of.kind != DefinitionKind::procedure) return 0;
  auto it = running.find(of.id + "@" + std::to_string(version));
  return it == running.end() ? 0 : static_cast<std::int64_t>(it->second);
}

std::int64_t running_all(const Running& running, const DefinitionId& of) {
  std::int64_t sum = 0;
  if (of.kind == DefinitionKind::procedure)
    for (auto it = running.lower_bound(of.id + "@");
         it != running.end() && it->first.starts_with(of.id + "@"); ++it)
      sum += static_cast<std::int64_t>(it->second);
  return sum;
}

// form → procedures that use it
std::map<std::string, std::vector<std::string>> users(const Library& library) {
  std::map<std::string, std::vector<std::string>> out;
  for (const auto& [id, d] : library.procedures())
    for (const FormUse& use : d->forms) out[use.form->id].push_back(id);
  return out;
}

// Under the state lock.
DefinitionOut definition_out(Call& call, const Library& library, const DefinitionId& of,
                             const Running& running) {
  const Publish& publish = publishing(call);
  DefinitionOut out{
      .kind = name_of(of.kind), .id = of.id, .origin = {}, .title = definition_title(library, of)};
  if (const VersionRecord* last = publish.latest(of)) {
    out.origin = last->published ? "published" : "content";
    out.version = last->version, out.from_at = last->from_ms;
  }
  if (const VersionRecord* retired = publish.retirement(of)) out.retired_at = retired->from_ms;
  out.version_next = publish.next_version(of);
  out.shipped_version = publish.shipped(of);
  out.running = running_all(running, of);
  for (const Revision* r : publish.all())
    if (r->open() && r->find(of)) out.open_revisions.push_back(r->id);
  return out;
}

Result<Page<DefinitionOut>> list_definitions(Call& call) {
  const std::string only = call.query("kind");
  if (!only.empty() && !definition_kind(only))
    return invalid("definition.kind", "/query/kind",
                   {"须为 procedures 或 forms", "This must be procedures or forms"});
  const Library library = call.s.engine.library();
  auto used = users(library);
  Page<DefinitionOut> page;
  call.s.journal.read([&] {
    const Running running = call.s.engine.running();
    auto add = [&](DefinitionKind kind, const std::string& id) {
      page.items.push_back(definition_out(call, library, {kind, id}, running));
      if (kind == DefinitionKind::form) page.items.back().used_by = used[id];
    };
    if (only != "forms") {
      for (const auto& [id, d] : library.procedures()) add(DefinitionKind::procedure, id);
      for (const DefinitionId& of : publishing(call).retired()) add(of.kind, of.id);
    }
    if (only != "procedures")
      for (const auto& [id, f] : library.forms()) add(DefinitionKind::form, id);
  });
  return page;
}

VersionOut version_out(Call& call, const DefinitionId& of, const VersionRecord& v,
                       const Running& running) {
  const Services& s = call.s;
  VersionOut out{.version = v.version,
                 .from_at = v.from_ms,
                 .running = v.retires ? 0 : running_on(running, of, v.version),
                 .seq = static_cast<std::int64_t>(v.seq),
                 .retires = v.retires,
                 .digest = v.digest,
                 .origin = v.published ? "published" : "content",
                 .why = v.why};
  if (v.until_ms != 0) out.until_at = v.until_ms;
  const Revision* r = publishing(call).find(v.revision);
  if (!r) return out;
  out.revision = r->id;
  out.title = said(s, r->about, "title");
  out.written_by = people_out(s, r->authors);
  out.reviewed_by = person_ref(s, r->reviewer);
  out.approved_by = person_ref(s, r->approver);
  if (r->simulation) out.simulation = simulation_out(s, *r->simulation);
  if (!r->waiver.empty()) out.waiver = said(s, r->waiver);
  return out;
}

Result<HistoryOut> one_definition(Call& call) {
  auto of = definition_of(call);
  if (!of) return std::move(of).problem();
  const Library library = call.s.engine.library();
  HistoryOut out;
  call.s.journal.read([&] {
    const Running running = call.s.engine.running();
    for (const VersionRecord& v : publishing(call).history(*of))
      out.versions.push_back(version_out(call, *of, v, running));
    out.definition = definition_out(call, library, *of, running);
  });
  if (out.versions.empty()) return no_such({"这份流程或表单", "such a procedure or form"});
  if (of->kind == DefinitionKind::form) out.definition.used_by = users(library)[of->id];
  return out;
}

// The digest that a reference means: "in_force", "latest" (in force, or the last that was), a
// version's number, "rev_…" (its latest draft) or "rev_…/2" (as it was saved the second time). ""
// when there is no such.
std::string digest_at(Call& call, const DefinitionId& of, const std::string& at) {
  const Publish& publish = publishing(call);
  return call.s.journal.read([&]() -> std::string {
    if (at == "in_force" || at == "latest") {
      const VersionRecord* now = at == "latest" ? publish.latest(of) : publish.in_force(of);
      return now ? now->digest : "";
    }
    const std::size_t slash = at.find('/');
    if (const Revision* r = publish.find(at.substr(0, slash))) {
      std::size_t n = r->saves.size();
      if (slash != std::string::npos) n = to_int<std::size_t>(at.substr(slash + 1)).value_or(0);
      if (n == 0 || n > r->saves.size()) return "";
      for (const DraftDocument& d : r->saves[n - 1].documents)
        if (d.of == of) return d.digest;
      return "";
    }
    const int version = to_int<int>(at).value_or(0);
    for (const VersionRecord& v : publish.history(of))  // newest first
      if (v.version == version && !v.retires) return v.digest;
    return "";
  });
}

Problem no_text() { return no_such({"这个版本的文本", "such a version's text"}); }

Result<TextOut> one_text(Call& call) {
  auto of = definition_of(call);
  if (!of) return std::move(of).problem();
  std::string at = call.query("at");
  if (at.empty()) at = "in_force";
  const std::string digest = digest_at(call, *of, at);
  auto text = digest.empty() ? std::nullopt : publishing(call).text(digest);
  if (!text) return no_text();
  return TextOut{name_of(of->kind), of->id, at, digest, std::move(*text)};
}

Result<CheckOut> check_texts(Call& call, CheckIn& in) {
  if (in.documents.empty() || in.documents.size() > Publish::documents_max)
    return invalid("definition.count", "/documents",
                   {"一次检查 1 到 32 份文件", "Check 1 to 32 documents at once"});
  auto documents = documents_in(in.documents);
  if (!documents) return std::move(documents).problem();
  CheckOut out;
  out.mistakes = mistakes_out(publishing(call).check(*documents));
  out.warnings = mistakes_out(publishing(call).warnings_of(*documents));
  call.s.journal.read([&] {
    for (const DefinitionText& d : *documents) {
      const VersionRecord* now = publishing(call).in_force(d.of);
      out.documents.push_back({name_of(d.of.kind), d.of.id, now ? now->version : 0,
                               publishing(call).next_version(d.of)});
    }
  });
  return out;
}

// The console's JSON of a text, for comparing part by part; empty when it cannot be read.
json::object parts_of(const Library& library, const DefinitionId& of, const std::string& text) {
  std::vector<Mistake> mistakes;
  if (of.kind == DefinitionKind::form) {
    auto form = read_form(text, of.path(), mistakes);
    return form ? to_json(*form) : json::object{};
  }
  Surroundings around = library.surroundings();
  around.retired = nullptr;  // an old text may open what was retired since
  auto definition = read_definition(text, of.path(), around, mistakes);
  return definition ? to_json(*definition) : json::object{};
}

DiffRowOut row_out(const DifferenceRow& r) {
  constexpr const char* ops[] = {"same", "removed", "added", "changed"};
  DiffRowOut out{.op = ops[static_cast<int>(r.op)],
                 .left = r.left,
                 .right = r.right,
                 .left_text = r.left_text,
                 .right_text = r.right_text};
  if (r.op == DifferenceRow::Op::changed)
    out.marks = {r.left_from, r.left_to, r.right_from, r.right_to};
  return out;
}

std::vector<PartOut> parts_out(const std::vector<PartChange>& changes) {
  constexpr const char* ops[] = {"added", "removed", "changed"};
  std::vector<PartOut> out;
  for (const PartChange& c : changes) {
    PartOut part{ops[static_cast<int>(c.op)], c.kind, c.id, c.title, {}};
    for (const auto& m : c.members) part.members.push_back({m.name, m.before, m.after});
    out.push_back(std::move(part));
  }
  return out;
}

Result<DiffOut> differ(Call& call, DiffIn& in) {
  auto of = definition_of(call);
  if (!of) return std::move(of).problem();
  if (in.text.has_value() == in.to.has_value())
    return invalid("definition.diff", "/to",
                   {"to 与 text 须且只须给出一个", "Give exactly one of to and text"});
  if (in.text && in.text->text.size() > Publish::text_max)
    return invalid("definition.size", "/text", {"最大 1 MiB", "At most 1 MiB"});
  const std::int64_t context = in.context.value_or(3);
  if (context < 0 || context > 100'000)
    return invalid("definition.context", "/context", {"应为 0 到 100,000", "0 to 100,000"});
  const std::string from_digest = digest_at(call, *of, in.from);
  auto left = from_digest.empty() ? std::nullopt : publishing(call).text(from_digest);
  // What is new in the house has nothing before it.
  if (!left && in.from == "in_force") left = "";
  if (!left) return no_text();
  std::string right;
  if (in.text) {
    right = std::move(in.text->text);
  } else {
    const std::string to_digest = digest_at(call, *of, *in.to);
    auto kept = to_digest.empty() ? std::nullopt : publishing(call).text(to_digest);
    if (!kept) return no_text();
    right = std::move(*kept);
  }
  LineDifference lines = line_difference(*left, right, static_cast<int>(context));
  DiffOut out{.from = in.from,
              .to = in.to.value_or("text"),
              .removed = lines.removed,
              .added = lines.added,
              .coarse = lines.coarse,
              .cut = lines.cut};
  for (const DifferenceHunk& h : lines.hunks) {
    DiffHunkOut hunk;
    for (const DifferenceRow& r : h.rows) hunk.rows.push_back(row_out(r));
    out.hunks.push_back(std::move(hunk));
  }
  const Library library = call.s.engine.library();
  const json::object before = parts_of(library, *of, *left), after = parts_of(library, *of, right);
  if (!after.empty() && (left->empty() || !before.empty()))
    out.parts = parts_out(part_changes(before, after));
  return out;
}

}  // namespace

void add_definitions(Table& t) {
  t.tag("definitions");
  t.get<Page<DefinitionOut>>(
      "/definitions",
      {"definitions.read",
       "Procedures and forms in force, and procedures that are retired: version, where it came "
       "from, running cases, open revisions",
       {{"kind", "procedures or forms"}}},
      list_definitions);
  t.get<HistoryOut>(
      "/definitions/{kind}/{id}",
      {"definitions.read",
       "Every version that is or was in force, and when it was retired: who wrote, reviewed and "
       "approved it, the simulation or the reason without one, how many cases run on it"},
      one_definition);
  t.get<TextOut>("/definitions/{kind}/{id}/text",
                 {"definitions.read",
                  "The YAML of one version",
                  {{"at",
                    "in_force (default), latest: in force or the last that was, a version's "
                    "number, rev_…, or rev_…/2: as saved the second time"}}},
                 one_text);
  t.post<CheckIn, CheckOut>(
      "/definitions/check",
      {"definitions.write",
       "What `procedure check` says of these texts beside what is in force, and which drills would "
       "no longer serve (warnings); nothing is stored",
       {},
       26 << 20},
      check_texts);
  t.post<DiffIn, DiffOut>(
      "/definitions/{kind}/{id}/diff",
      {"definitions.read",
       "Lines side by side from one version to another or to a text, and the parts that were "
       "added, "
       "removed or changed. `marks` of a changed row: what differs, in code points (left from, to, "
       "right from, to)",
       {},
       3 << 20},
      differ);
}

}  // namespace cw::api
