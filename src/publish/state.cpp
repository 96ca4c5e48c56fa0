// What entries "definition.…" do to the state, and its slices.
#include <algorithm>

#include "publish/publish.h"

namespace cw {
namespace {

constexpr const char* kPhases[] = {"draft",    "in_review", "reviewed",
                                   "approved", "effective", "withdrawn"};
constexpr const char* kKinds[] = {"procedures", "forms"};
constexpr std::size_t kHistorySlice = 200;  // definitions

DefinitionId id_from(const json::object& o) {
  return {text_or(o, "kind") == "forms" ? DefinitionKind::form : DefinitionKind::procedure,
          std::string(text_or(o, "id"))};
}

DraftDocument document_from(const json::object& o) {
  return {.of = id_from(o),
          .base = static_cast<int>(int_or(o, "base")),
          .base_digest = std::string(text_or(o, "base_digest")),
          .digest = std::string(text_or(o, "digest")),
          .retires = bool_or(o, "retires")};
}

json::array documents_json(const std::vector<DraftDocument>& documents) {
  json::array out;
  for (const DraftDocument& d : documents) out.push_back(document_json(d));
  return out;
}

std::vector<DraftDocument> documents_from(const json::object& o) {
  std::vector<DraftDocument> out;
  for (const json::value& v : o.at("documents").as_array())
    out.push_back(document_from(v.as_object()));
  return out;
}

SimulationRecord simulation_from(const json::object& o) {
  return {.seq = static_cast<std::uint64_t>(int_or(o, "seq")),
          .seed = static_cast<std::uint64_t>(int_or(o, "seed")),
          .at_ms = int_or(o, "at"),
          .runs = int_or(o, "runs"),
          .actor = std::string(text_or(o, "actor")),
          .people = std::string(text_or(o, "people")),
          .digest = std::string(text_or(o, "digest")),
          .threshold = static_cast<int>(int_or(o, "threshold")),
          .pass = bool_or(o, "pass")};
}

json::object version_json(const VersionRecord& v) {
  json::object o{
      {"version", v.version},   {"digest", v.digest}, {"published", v.published},
      {"revision", v.revision}, {"why", v.why},       {"seq", static_cast<std::int64_t>(v.seq)},
      {"from", v.from_ms},      {"until", v.until_ms}};
  if (v.retires) o["retires"] = true;
  return o;
}

VersionRecord version_from(const json::object& o) {
  return {.version = static_cast<int>(int_or(o, "version")),
          .retires = bool_or(o, "retires"),
          .digest = std::string(text_or(o, "digest")),
          .published = bool_or(o, "published"),
          .revision = std::string(text_or(o, "revision")),
          .why = std::string(text_or(o, "why")),
          .seq = static_cast<std::uint64_t>(int_or(o, "seq")),
          .from_ms = int_or(o, "from"),
          .until_ms = int_or(o, "until")};
}

json::object event_json(const RevisionEvent& e) {
  json::object o{{"seq", static_cast<std::int64_t>(e.seq)},
                 {"at", e.at_ms},
                 {"kind", e.kind},
                 {"actor", e.actor}};
  if (!e.content.empty()) o["content"] = e.content;
  if (!e.path.empty()) o["path"] = e.path;
  if (e.line != 0) o["line"] = e.line;
  if (e.save != 0) o["save"] = e.save;
  return o;
}

RevisionEvent event_from(const json::object& o) {
  return {.seq = static_cast<std::uint64_t>(int_or(o, "seq")),
          .at_ms = int_or(o, "at"),
          .kind = std::string(text_or(o, "kind")),
          .actor = std::string(text_or(o, "actor")),
          .content = std::string(text_or(o, "content")),
          .path = std::string(text_or(o, "path")),
          .line = static_cast<int>(int_or(o, "line")),
          .save = static_cast<int>(int_or(o, "save"))};
}

json::object revision_json(const Revision& r) {
  json::array saves, events;
  for (const RevisionSave& s : r.saves)
    saves.push_back(json::object{{"seq", static_cast<std::int64_t>(s.seq)},
                                 {"at", s.at_ms},
                                 {"actor", s.actor},
                                 {"documents", documents_json(s.documents)}});
  for (const RevisionEvent& e : r.events) events.push_back(event_json(e));
  json::object o{{"revision", r.id},
                 {"phase", static_cast<std::int64_t>(r.phase)},
                 {"about", r.about},
                 {"saves", std::move(saves)},
                 {"events", std::move(events)},
                 {"reviewer", r.reviewer},
                 {"approver", r.approver},
                 {"from", r.from_ms},
                 {"effective", r.effective_ms},
                 {"waiver", r.waiver},
                 {"halted", r.halted},
                 {"seq", static_cast<std::int64_t>(r.seq)}};
  if (r.simulation) {
    const SimulationRecord& s = *r.simulation;
    o["simulation"] = {{"seq", static_cast<std::int64_t>(s.seq)},
                       {"seed", static_cast<std::int64_t>(s.seed)},
                       {"at", s.at_ms},
                       {"runs", s.runs},
                       {"actor", s.actor},
                       {"people", s.people},
                       {"digest", s.digest},
                       {"threshold", s.threshold},
                       {"pass", s.pass}};
  }
  return o;
}

Revision revision_from(const json::object& o) {
  Revision r;
  r.id = text_or(o, "revision"), r.about = text_or(o, "about");
  r.phase = static_cast<RevisionPhase>(int_or(o, "phase"));
  r.reviewer = text_or(o, "reviewer"), r.approver = text_or(o, "approver");
  r.waiver = text_or(o, "waiver"), r.halted = text_or(o, "halted");
  r.from_ms = int_or(o, "from"), r.effective_ms = int_or(o, "effective");
  r.seq = static_cast<std::uint64_t>(int_or(o, "seq"));
  for (const json::value& v : o.at("saves").as_array()) {
    const json::object& s = v.as_object();
    r.saves.push_back({.n = static_cast<int>(r.saves.size()) + 1,
                       .seq = static_cast<std::uint64_t>(int_or(s, "seq")),
                       .at_ms = int_or(s, "at"),
                       .actor = std::string(text_or(s, "actor")),
                       .documents = documents_from(s)});
    r.authors.insert(r.saves.back().actor);
  }
  for (const json::value& v : o.at("events").as_array())
    r.events.push_back(event_from(v.as_object()));
  if (const json::value* s = o.if_contains("simulation"))
    r.simulation = simulation_from(s->as_object());
  return r;
}

json::object migration_json(const MigrationRun& r) {
  json::array stayed;
  for (const auto& s : r.stayed)
    stayed.push_back(json::object{{"case", s.case_id}, {"code", s.code}, {"what", s.what}});
  return {{"migration", r.id},
          {"procedure", r.procedure},
          {"actor", r.actor},
          {"basis", r.basis},
          {"digest", r.digest},
          {"from", r.from},
          {"to", r.to},
          {"map", to_json(r.map)},
          {"phase", static_cast<std::int64_t>(r.phase)},
          {"began", r.began_ms},
          {"ended", r.ended_ms},
          {"seq", static_cast<std::int64_t>(r.seq)},
          {"next", static_cast<std::int64_t>(r.next)},
          {"moved", static_cast<std::int64_t>(r.moved)},
          {"left", static_cast<std::int64_t>(r.left)},
          {"stayed", std::move(stayed)}};
}

MigrationRun::Stayed stayed_from(const json::object& o) {
  return {std::string(text_or(o, "case")), std::string(text_or(o, "code")),
          std::string(text_or(o, "what"))};
}

MigrationRun migration_from(const json::object& o) {
  MigrationRun r;
  r.id = text_or(o, "migration"), r.procedure = text_or(o, "procedure");
  r.actor = text_or(o, "actor"), r.basis = text_or(o, "basis"), r.digest = text_or(o, "digest");
  r.from = static_cast<int>(int_or(o, "from")), r.to = static_cast<int>(int_or(o, "to"));
  r.map = migration_map(o.at("map").as_object());
  r.phase = static_cast<MigrationRun::Phase>(int_or(o, "phase"));
  r.began_ms = int_or(o, "began"), r.ended_ms = int_or(o, "ended");
  r.seq = static_cast<std::uint64_t>(int_or(o, "seq"));
  r.next = static_cast<std::size_t>(int_or(o, "next"));
  r.moved = static_cast<std::size_t>(int_or(o, "moved"));
  r.left = static_cast<std::size_t>(int_or(o, "left"));
  for (const json::value& v : o.at("stayed").as_array())
    r.stayed.push_back(stayed_from(v.as_object()));
  return r;
}

}  // namespace

json::object document_json(const DraftDocument& d) {
  json::object o{{"kind", name_of(d.of.kind)},
                 {"id", d.of.id},
                 {"base", d.base},
                 {"base_digest", d.base_digest},
                 {"digest", d.digest}};
  if (d.retires) o["retires"] = true;
  return o;
}

const char* name_of(MigrationRun::Phase phase) {
  constexpr const char* names[] = {"running", "done", "stopped"};
  return names[static_cast<int>(phase)];
}

const char* name_of(DefinitionKind kind) { return kKinds[static_cast<int>(kind)]; }
const char* name_of(RevisionPhase phase) { return kPhases[static_cast<int>(phase)]; }

std::optional<DefinitionKind> definition_kind(std::string_view name) {
  if (name == kKinds[0]) return DefinitionKind::procedure;
  if (name == kKinds[1]) return DefinitionKind::form;
  return std::nullopt;
}

std::string DefinitionId::path() const { return std::string(name_of(kind)) + "/" + id + ".yaml"; }

const DraftDocument* Revision::procedure() const {
  for (const DraftDocument& d : documents())
    if (d.of.kind == DefinitionKind::procedure) return &d;
  return nullptr;
}

const DraftDocument* Revision::find(const DefinitionId& of) const {
  for (const DraftDocument& d : documents())
    if (d.of == of) return &d;
  return nullptr;
}

// What came into force, or is no longer there.
void Publish::change_history(const Entry& e) {
  const bool gone = e.kind == "definition.gone", effective = e.kind == "definition.effective";
  for (const json::value& v : e.body.at("documents").as_array()) {
    const json::object& o = v.as_object();
    History& h = history_[id_from(o)];
    if (e.seq <= h.seq) continue;  // a loaded slice has it
    h.seq = e.seq;
    if (!h.versions.empty() && h.versions.back().until_ms == 0)
      h.versions.back().until_ms = e.at_ms;
    if (gone) continue;
    h.versions.push_back({.version = static_cast<int>(int_or(o, "version")),
                          .retires = bool_or(o, "retires"),
                          .digest = std::string(text_or(o, "digest")),
                          .published = effective || bool_or(o, "published"),
                          .revision = std::string(text_or(e.body, "revision")),
                          .why = std::string(text_or(o, "why")),
                          .seq = e.seq,
                          .from_ms = e.at_ms,
                          .until_ms = 0});
  }
  changed_seq_ = std::max(changed_seq_, e.seq);
}

void Publish::apply(const Entry& e) {
  if (e.kind == "definition.installed" || e.kind == "definition.gone") return change_history(e);
  if (e.body.contains("migration")) return apply_migration(e);
  const std::string id(text_or(e.body, "revision"));
  Revision& r = revisions_[id];
  if (e.kind == "definition.effective") change_history(e);
  if (r.seq != 0 && e.seq <= r.seq) return;  // a loaded slice has it
  r.id = id;
  apply_step(r, e);
  r.seq = e.seq;
}

void Publish::apply_step(Revision& r, const Entry& e) {
  const std::string verb = e.kind.substr(e.kind.find('.') + 1);
  RevisionEvent event{.seq = e.seq,
                      .at_ms = e.at_ms,
                      .kind = verb,
                      .actor = e.actor,
                      .content = e.content,
                      .path = std::string(text_or(e.body, "path")),
                      .line = static_cast<int>(int_or(e.body, "line"))};
  if (verb == "saved") {
    RevisionSave save{.n = static_cast<int>(r.saves.size()) + 1,
                      .seq = e.seq,
                      .at_ms = e.at_ms,
                      .actor = e.actor,
                      .documents = documents_from(e.body)};
    event.save = save.n;
    r.saves.push_back(std::move(save));
    r.authors.insert(e.actor);
    r.about = e.content;
    r.simulation.reset();
    r.halted.clear();
  } else if (verb == "submitted") {
    r.phase = RevisionPhase::in_review;
    r.halted.clear();
  } else if (verb == "returned") {
    r.phase = RevisionPhase::draft;
    r.reviewer.clear();
  } else if (verb == "passed") {
    r.phase = RevisionPhase::reviewed;
    r.reviewer = e.actor;
  } else if (verb == "simulated") {
    json::object o = e.body;
    o["seq"] = static_cast<std::int64_t>(e.seq), o["at"] = e.at_ms, o["actor"] = e.actor;
    r.simulation = simulation_from(o);
  } else if (verb == "approved") {
    r.phase = RevisionPhase::approved;
    r.approver = e.actor;
    r.from_ms = int_or(e.body, "from");
    r.waiver = e.content;
  } else if (verb == "withdrawn") {
    r.phase = RevisionPhase::withdrawn;
  } else if (verb == "effective") {
    r.phase = RevisionPhase::effective;
    r.effective_ms = e.at_ms;
  } else if (verb == "halted") {
    r.phase = RevisionPhase::draft;
    r.reviewer.clear(), r.approver.clear(), r.waiver.clear();
    r.from_ms = 0;
    r.halted = text_or(e.body, "code");
  }
  r.events.push_back(std::move(event));
}

void Publish::apply_migration(const Entry& e) {
  const std::string id(text_or(e.body, "migration"));
  MigrationRun& r = migrations_[id];
  if (r.seq != 0 && e.seq <= r.seq) return;  // a loaded slice has it
  if (e.kind == "definition.migration-began") {
    r.id = id, r.actor = e.actor, r.basis = e.basis, r.began_ms = e.at_ms;
    r.procedure = text_or(e.body, "procedure"), r.digest = text_or(e.body, "digest");
    r.from = static_cast<int>(int_or(e.body, "from"));
    r.to = static_cast<int>(int_or(e.body, "to"));
    r.map = migration_map(e.body.at("map").as_object());
  } else if (e.kind == "definition.migration-stopped") {
    r.phase = MigrationRun::Phase::stopped;
    r.ended_ms = e.at_ms;
  } else {  // a batch
    r.next = static_cast<std::size_t>(int_or(e.body, "next"));
    r.moved += static_cast<std::size_t>(int_or(e.body, "moved"));
    for (const json::value& v : e.body.at("stayed").as_array()) {
      ++r.left;
      if (r.stayed.size() < MigrationRun::stayed_max)
        r.stayed.push_back(stayed_from(v.as_object()));
    }
    if (bool_or(e.body, "done")) r.phase = MigrationRun::Phase::done, r.ended_ms = e.at_ms;
  }
  r.seq = e.seq;
}

// 200 definitions' histories a slice, then one revision each, then one migration each.
std::optional<std::string> Publish::save_slice(std::size_t i) const {
  const std::size_t slices = (history_.size() + kHistorySlice - 1) / kHistorySlice;
  if (i >= slices) {
    std::size_t n = i - slices;
    if (n < revisions_.size())
      return canonical(
          revision_json(std::next(revisions_.begin(), static_cast<std::ptrdiff_t>(n))->second));
    n -= revisions_.size();
    if (n >= migrations_.size()) return std::nullopt;
    return canonical(
        migration_json(std::next(migrations_.begin(), static_cast<std::ptrdiff_t>(n))->second));
  }
  json::array list;
  auto it = std::next(history_.begin(), static_cast<std::ptrdiff_t>(i * kHistorySlice));
  for (std::size_t n = 0; n < kHistorySlice && it != history_.end(); ++n, ++it) {
    json::array versions;
    for (const VersionRecord& v : it->second.versions) versions.push_back(version_json(v));
    list.push_back(json::object{{"kind", name_of(it->first.kind)},
                                {"id", it->first.id},
                                {"seq", static_cast<std::int64_t>(it->second.seq)},
                                {"versions", std::move(versions)}});
  }
  return canonical(list);
}

void Publish::load_slice(std::string_view bytes) {
  Result<json::value> parsed = parse_json(bytes, {.size_max = 64 << 20});
  CW_CHECK(parsed.ok());
  if (parsed->is_object() && parsed->as_object().contains("migration")) {
    MigrationRun run = migration_from(parsed->as_object());
    migrations_[run.id] = std::move(run);
    return;
  }
  if (parsed->is_object()) {
    Revision r = revision_from(parsed->as_object());
    revisions_[r.id] = std::move(r);
    return;
  }
  for (const json::value& v : parsed->as_array()) {
    const json::object& o = v.as_object();
    History& h = history_[id_from(o)];
    h.versions.clear();
    for (const json::value& version : o.at("versions").as_array())
      h.versions.push_back(version_from(version.as_object()));
    h.seq = static_cast<std::uint64_t>(int_or(o, "seq"));
    changed_seq_ = std::max(changed_seq_, h.seq);
  }
}

}  // namespace cw
