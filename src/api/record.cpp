#include "record.h"

#include "evidence.h"
#include "words.h"

namespace cw::api {
namespace {

constexpr std::size_t kRecordEntriesMax = 1000;  // a record shows contents of the newest so many

template <typename T>
std::optional<T> unless_empty(T v) {
  return v == T{} ? std::nullopt : std::optional<T>(std::move(v));
}

constexpr const char* kTaskPhases[] = {"open", "asked", "done", "withdrawn"};
constexpr const char* kClockPhases[] = {"counting", "still", "stopped", "lifted"};
constexpr const char* kFieldTypes[] = {"boolean",   "integer", "time", "enumeration",
                                       "reference", "text",    "date", "list"};

FactOut fact_out(const Services& s, const FactView& f) {
  FactOut out{f.id,         kFieldTypes[static_cast<int>(f.type)],
              f.title,      f.value,
              std::nullopt, std::nullopt,
              std::nullopt, std::nullopt};
  if (!f.word.zh.empty()) out.text = f.word;
  if (f.type == FieldType::reference && f.value.is_string()) {
    auto ref = person_ref(s, std::string_view(f.value.get_string()));
    if (ref.name != ref.id) out.text = Text{ref.name, ref.name};
  }
  if (f.at_ms > 0) {
    out.set_by = person_ref(s, f.actor);
    out.set_at = f.at_ms;
    out.seq = static_cast<std::int64_t>(f.seq);
  }
  return out;
}

// How a due time came about; nothing where there is none.
std::optional<ExplainOut> explain_out(const Services& s, const std::string& id,
                                      const std::string& clock) {
  auto story = s.engine.explain(id, clock);
  if (!story) return std::nullopt;
  ExplainOut out{story->clock.calendar,   story->clock.limit,
                 story->calendar_version, story->clock.budget_ms,
                 story->before_ms,        story->clock.provisional,
                 story->sentence,         {}};
  for (const auto& g : story->segments)
    out.segments.push_back({g.from_ms, g.to_ms, g.counted ? g.to_ms - g.from_ms : 0,
                            g.counted ? "counted" : "closed", g.why});
  return out;
}

TaskOut task_out(const Services& s, const std::string& id, const TaskView& t,
                 const std::string& viewer) {
  TaskOut out;
  out.name = t.id;
  out.title = t.title;
  out.state = kTaskPhases[static_cast<int>(t.phase)];
  out.by = t.role_titles;
  out.required = t.required;
  out.late = t.late;
  out.outbound = t.outbound;
  out.reason_due = t.reason_due;
  out.allowed = t.can;
  out.mine = t.assignee.empty() ? t.can : t.assignee == viewer;
  out.form = unless_empty(t.form);
  out.condition = unless_empty(t.when);
  out.withdrawn_because = unless_empty(t.why);
  if (!t.can && !t.why_not.zh.empty()) out.reason = t.why_not;
  out.opened_at = t.opened_ms;
  out.due_at = unless_empty(t.due_ms);
  if (out.due_at && (t.phase == TaskPhase::open || t.phase == TaskPhase::asked))
    out.explain = explain_out(s, id, "task." + t.id);
  out.done_at = unless_empty(t.done_ms);
  out.seq = unless_empty(static_cast<std::int64_t>(t.seq));
  if (!t.assignee.empty()) out.assignee = person_ref(s, t.assignee);
  if (!t.doer.empty()) out.done_by = person_ref(s, t.doer);
  out.evidence_needed = t.evidence;
  out.evidence_given = t.evidence_given;
  return out;
}

ActionOut action_out(const Services& s, const ActionView& a, const Definition* d) {
  ActionOut out;
  out.name = a.id;
  out.title = a.title;
  out.form = unless_empty(a.form);
  out.to = unless_empty(a.to);
  if (out.to) out.to_title = a.to_title;
  if (!a.can && !a.why_not.zh.empty()) out.reason = a.why_not;
  out.allowed = a.can;
  out.needs_approval = !a.approvers.empty();
  out.outbound = a.outbound;
  out.repeat = a.repeat;
  out.amend = a.amend;
  out.reason_due = a.reason_due;
  out.missing = a.missing;
  for (const auto& id : a.lets_in) out.lets_in.push_back(person_ref(s, id));
  if (int to = d && out.to ? d->state(a.to) : -1; to >= 0)
    out.ends = d->states[static_cast<std::size_t>(to)].final;
  return out;
}

ClockOut clock_out(const Services& s, const std::string& id, const ClockView& c) {
  ClockOut out;
  out.name = c.id;
  out.title = c.title;
  out.kind = c.anchored ? "anchored" : "running";
  out.state = kClockPhases[static_cast<int>(c.phase)];
  out.limit = c.limit;
  out.calendar = c.calendar;
  out.since_at = c.since_ms;
  out.used_ms = c.used_ms;
  out.limit_ms = c.budget_ms;
  out.percent = c.percent;
  out.due_at = unless_empty(c.due_ms);
  out.stopped_at = unless_empty(c.stopped_ms);
  out.late = c.missed;
  out.wait = c.wait;
  out.provisional = c.provisional;
  for (const auto& m : c.marks) out.marks.push_back({m.percent, unless_empty(m.at_ms), m.fired});
  if (auto explained = explain_out(s, id, c.id)) out.explain = std::move(*explained);
  return out;
}

json::object opened(const Services& s, const std::string& commitment) {
  auto value = parse_json(text_of(s, commitment), {.size_max = 9 << 20});
  if (!value || !value->is_object()) return {};
  return value->get_object();
}

ApprovalOut approval_out(const Services& s, const ApprovalView& a) {
  ApprovalOut out;
  out.id = a.id;
  out.asked_at = a.at_ms;
  out.seq = static_cast<std::int64_t>(a.seq);
  out.needed = a.quorum;
  out.of = a.task ? "task" : "action";
  out.name = a.name;
  out.title = a.title;
  out.asked_by = person_ref(s, a.asker);
  for (const auto& id : a.granted) out.given.push_back(person_ref(s, id));
  out.facts = a.facts;
  out.to = unless_empty(a.to);
  out.roles = a.roles;
  out.allowed = a.can;
  if (!a.can && !a.why_not.zh.empty()) out.reason = a.why_not;
  return out;
}

// What the view says, without opening anything: under the state lock.
void from_view(Call& call, const CaseView& v, CaseRecord& out) {
  const Services& s = call.s;
  auto d = s.engine.definition(v.procedure + "@" + std::to_string(v.version));
  CaseBrief& b = out.brief;
  b = {v.id,
       v.number,
       "",
       v.procedure,
       v.version,
       v.title,
       v.state,
       v.state_title,
       v.closed,
       v.org,
       v.mode == CaseMode::drill ? "drill" : "live",
       std::nullopt,
       {},
       v.opened_ms,
       v.entered_ms,
       unless_empty(v.closed_ms),
       std::nullopt,
       std::nullopt,
       false,
       v.flags,
       static_cast<std::int64_t>(v.last_seq)};
  if (!v.level.empty() && d) {
    for (std::size_t i = 0; i < d->levels.size(); ++i)
      if (d->levels[i] == v.level)
        b.level = LevelOut{v.level, v.level_title, static_cast<std::int64_t>(i)};
  }
  for (const auto& f : v.facts) {
    if (!f.value.is_null()) b.facts[f.id] = f.value;
    out.facts.push_back(fact_out(s, f));
  }
  auto due = [&](std::int64_t at, const Text& title) {
    if (at == 0 || v.closed || (b.next_due_at && *b.next_due_at <= at)) return;
    b.next_due_at = at;
    b.next_due_title = title;
  };
  for (const auto& t : v.tasks) {
    if (t.phase == TaskPhase::open || t.phase == TaskPhase::asked) due(t.due_ms, t.title);
    out.tasks.push_back(task_out(s, v.id, t, call.who.person));
  }
  for (const auto& c : v.clocks) {
    if (c.phase == ClockPhase::counting && !c.missed) due(c.due_ms, c.title);
    out.clocks.push_back(clock_out(s, v.id, c));
  }
  b.late = b.next_due_at && *b.next_due_at < out.now_ms;
  for (const auto& a : v.actions) out.actions.push_back(action_out(s, a, d.get()));
  for (const auto& a : v.approvals) out.approvals.push_back(approval_out(s, a));
  for (const auto& l : v.links) {
    out.links.push_back(
        {l.kind, l.as, l.id, l.number, l.procedure, l.state, l.title, l.state_title, l.closed});
    if (const Drill* drill = s.drills ? s.drills->find(l.id) : nullptr)  // where it came from
      if (auto scenario = s.drills->folder().find(drill->scenario))
        out.links.back().title = scenario->title;
  }
  if (d)
    for (const auto& st : d->states) out.states.push_back({st.id, st.title, st.final});
  out.starter = person_ref(s, v.starter);
  if (!v.commander.empty()) out.commander = person_ref(s, v.commander);
  out.chief_post = v.chief_post;
  out.held_level = v.held_level;
  for (const auto& post : s.identity.posts(v.org))
    if (post.id == v.chief_post) out.chief_title = post.title;
  if (!v.chief_post.empty())
    for (const auto& id : s.identity.post_people(v.chief_post, v.org))
      out.chiefs.push_back(person_ref(s, id));
  out.entered_at = v.entered_ms;
  out.first_seq = static_cast<std::int64_t>(v.first_seq);
  out.brief_due = v.brief_due;
  out.can_take = v.can_take;
  out.flag_titles = v.flag_titles;
  for (const auto& id : v.watchers) out.watchers.push_back(person_ref(s, id));
  for (const auto& id : v.participants) out.participants.push_back(person_ref(s, id));
  out.restricted = v.restricted;
  out.can_admit = v.can_admit;
  for (const auto& id : v.readers) out.readers.push_back(person_ref(s, id));
}

// Forms, notes and evidence, opened from the sealed contents.
Status open_contents(Call& call, const std::string& id, CaseRecord& out) {
  const Services& s = call.s;
  std::vector<std::uint64_t> seqs;
  std::vector<EvidenceRow> evidence;
  std::vector<watch::Alert> alerts;
  auto status = s.views.read(s.journal.size(), [&](Database& db) {
    seqs = CaseList::timeline(db, id, 0, kRecordEntriesMax);
    evidence = EvidenceList::of_case(db, id);
    auto page = watch::AlertList::page(db, {.org = {out.brief.org}, .case_id = id, .limit = 50});
    if (page) alerts = std::move(page->alerts);
  });
  if (!status) return status;
  for (const auto& row : timeline_rows(s.journal, seqs)) {
    if (row.content.empty()) continue;
    PersonRef by = s.journal.read([&] { return person_ref(s, row.actor); });
    json::object values = opened(s, row.content);
    auto seq = static_cast<std::int64_t>(row.seq);
    if (row.kind == "case.note" || row.kind == "case.command") {
      out.notes.push_back(
          {seq, row.at_ms, by, row.kind == "case.command" || bool_or(row.body, "decision"),
           std::string(text_or(values, "what", text_or(values, "brief"))),
           std::string(text_or(values, "why")), std::string(text_or(values, "known"))});
    } else if (row.kind == "case.start" || row.kind == "case.act" || row.kind == "case.task" ||
               row.kind == "case.ask") {
      Entry e;
      e.kind = row.kind;
      e.name = row.name;
      e.procedure = out.brief.procedure + "@" + std::to_string(out.brief.version);
      Text title = s.journal.read([&] { return entry_title(s, e); });
      out.forms.push_back(
          {std::string(text_or(row.body, "form")), row.name, seq, row.at_ms, by, title, values});
      if (row.kind == "case.start") out.brief.title = case_title(s, row.content);
    }
  }
  for (auto& approval : out.approvals)
    for (const auto& f : out.forms)
      if (f.seq == approval.seq) approval.form = f.values;
  for (const auto& e : evidence) {
    UnpackedFile file = unpack_file(text_of(s, e.content));
    PersonRef by = s.journal.read([&] { return person_ref(s, e.actor); });
    out.evidence.push_back({e.content, file.name, e.size, e.seq, e.at_ms, e.sha256, "", by});
  }
  for (const auto& a : alerts) out.alerts.push_back(alert_brief(call, a));
  return done();
}

}  // namespace

Result<CaseRecord> case_record(Call& call, const std::string& id) {
  CaseRecord out;
  out.now_ms = call.s.clock.now_ms();
  auto problem_or = call.s.journal.read([&]() -> Status {
    auto view = call.s.engine.view(id, call.who.actor);
    if (!view) return std::move(view).problem();
    from_view(call, *view, out);
    return done();
  });
  if (!problem_or) return std::move(problem_or).problem();
  if (auto status = open_contents(call, id, out); !status) return std::move(status).problem();
  call.etag(static_cast<std::uint64_t>(out.brief.seq));
  return out;
}

Result<Page<TimelineItem>> case_timeline(Call& call, const std::string& id, std::uint64_t before,
                                         std::size_t limit, bool key_only) {
  const Services& s = call.s;
  std::vector<std::uint64_t> seqs;
  auto status = s.views.read(
      s.journal.size(), [&](Database& db) { seqs = CaseList::timeline(db, id, before, limit); });
  if (!status) return std::move(status).problem();
  Page<TimelineItem> page;
  std::string procedure = s.journal.read([&] {
    auto view = s.engine.view(id, "");
    return view ? view->procedure + "@" + std::to_string(view->version) : std::string();
  });
  for (std::uint64_t seq : seqs) {
    auto bytes = s.journal.entries(seq, 1);
    auto entry = bytes.empty() ? Result<Entry>(no_such({"这一条目", "such an entry"}))
                               : Entry::parse(bytes[0]);
    if (!entry) return std::move(entry).problem();
    if (key_only && !is_key_entry(*entry)) continue;
    if (entry->procedure.empty()) entry->procedure = procedure;
    TimelineItem item;
    item.seq = static_cast<std::int64_t>(seq);
    item.at_ms = entry->at_ms;
    item.kind = entry->kind;
    item.name = entry->name;
    item.basis = basis_title(entry->basis);
    item.key = is_key_entry(*entry);
    item.machine = !entry->actor.starts_with("per_");
    item.hash = to_hex(bytes_of(sha256_of({std::string_view("\0", 1), bytes[0]})));
    s.journal.read([&] {
      item.actor = person_ref(s, entry->actor);
      item.title = entry_title(s, *entry);
      item.detail = entry_detail(s, *entry);
    });
    page.items.push_back(std::move(item));
  }
  if (seqs.size() == limit) page.next = std::to_string(seqs.back());
  return page;
}

}  // namespace cw::api
