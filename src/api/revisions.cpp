#include <algorithm>

#include "definitions.h"
#include "words.h"

// Revisions: drafts of procedures and forms on their way from the author into force.
namespace cw::api {
namespace {

constexpr std::int64_t kRevisionRunsMax = 1'000;  // of one request
constexpr const char* kSteps[] = {"save", "submit",   "comment", "return",
                                  "pass", "simulate", "approve", "withdraw"};

struct RevisionIn {
  std::string title;
  std::optional<std::string> why;
  std::vector<DocumentIn> documents;
};
BOOST_DESCRIBE_STRUCT(RevisionIn, (), (title, why, documents))
struct CommentIn {
  std::string text;
  std::optional<std::string> path;
  std::optional<std::int64_t> line;
};
BOOST_DESCRIBE_STRUCT(CommentIn, (), (text, path, line))
struct ReasonIn {
  std::string reason;
};
BOOST_DESCRIBE_STRUCT(ReasonIn, (), (reason))
struct MaybeReasonIn {
  std::optional<std::string> reason;
};
BOOST_DESCRIBE_STRUCT(MaybeReasonIn, (), (reason))
struct PassIn {
  std::optional<std::string> remark;
};
BOOST_DESCRIBE_STRUCT(PassIn, (), (remark))
struct ApproveIn {
  std::optional<std::int64_t> effective_from;
  std::optional<std::string> waiver;
};
BOOST_DESCRIBE_STRUCT(ApproveIn, (), (effective_from, waiver))
struct SimulateRevisionIn {
  std::optional<std::int64_t> runs, seed;
  std::optional<std::string> people;
};
BOOST_DESCRIBE_STRUCT(SimulateRevisionIn, (), (runs, seed, people))

struct RevisionWritten {
  std::int64_t seq = 0;
  std::string id, phase;
};
BOOST_DESCRIBE_STRUCT(RevisionWritten, (), (seq, id, phase))

struct RevisionDocumentOut {
  std::string kind, id, path;
  Text title;
  std::int64_t base = 0;
  std::string base_digest, digest;
  bool retires = false;
};
BOOST_DESCRIBE_STRUCT(RevisionDocumentOut, (),
                      (kind, id, path, title, base, base_digest, digest, retires))

struct RevisionBrief {
  std::string id, title, phase;
  std::vector<RevisionDocumentOut> documents;
  std::vector<PersonRef> authors;
  std::int64_t began_at = 0, changed_at = 0, saves = 0, seq = 0;
  std::optional<std::int64_t> effective_from, effective_at;
  std::optional<std::string> next;
};
BOOST_DESCRIBE_STRUCT(RevisionBrief, (),
                      (id, title, phase, documents, authors, began_at, changed_at, saves, seq,
                       effective_from, effective_at, next))

struct RevisionStepOut {
  std::string step;
  bool can = false;
  std::optional<Text> why_not;
};
BOOST_DESCRIBE_STRUCT(RevisionStepOut, (), (step, can, why_not))
struct RevisionSaveOut {
  std::int64_t n = 0, at = 0, seq = 0;
  PersonRef by;
  std::vector<RevisionDocumentOut> documents;
};
BOOST_DESCRIBE_STRUCT(RevisionSaveOut, (), (n, at, seq, by, documents))
struct RevisionEventOut {
  std::int64_t seq = 0, at = 0;
  std::string kind;
  Text title;
  PersonRef by;
  std::optional<std::string> text, path;
  std::optional<std::int64_t> line, save;
};
BOOST_DESCRIBE_STRUCT(RevisionEventOut, (), (seq, at, kind, title, by, text, path, line, save))

struct RevisionOut {
  RevisionBrief revision;
  std::string why;
  std::optional<PersonRef> reviewer, approver;
  std::optional<SimulationOut> simulation;
  std::optional<std::string> waiver, halted;
  std::vector<RevisionSaveOut> saves;
  std::vector<RevisionEventOut> events;
  std::vector<RevisionStepOut> steps;
  std::vector<MistakeOut> mistakes, warnings;
};
BOOST_DESCRIBE_STRUCT(RevisionOut, (),
                      (revision, why, reviewer, approver, simulation, waiver, halted, saves, events,
                       steps, mistakes, warnings))

std::vector<RevisionDocumentOut> documents_out(const Library& library,
                                               const std::vector<DraftDocument>& documents) {
  std::vector<RevisionDocumentOut> out;
  for (const DraftDocument& d : documents)
    out.push_back({name_of(d.of.kind), d.of.id, d.of.path(), definition_title(library, d.of),
                   d.base, d.base_digest, d.digest, d.retires});
  return out;
}

// Under the state lock. `next`: the step that the caller may take and that the way asks for.
RevisionBrief revision_brief(Call& call, const Library& library, const Revision& r) {
  RevisionBrief out{.id = r.id,
                    .title = said(call.s, r.about, "title"),
                    .phase = name_of(r.phase),
                    .documents = documents_out(library, r.documents()),
                    .authors = people_out(call.s, r.authors),
                    .began_at = r.saves.front().at_ms,
                    .changed_at = r.events.back().at_ms,
                    .saves = static_cast<std::int64_t>(r.saves.size()),
                    .seq = static_cast<std::int64_t>(r.seq)};
  if (r.from_ms != 0) out.effective_from = r.from_ms;
  if (r.effective_ms != 0) out.effective_at = r.effective_ms;
  const char* wanted = r.phase == RevisionPhase::draft       ? "submit"
                       : r.phase == RevisionPhase::in_review ? "pass"
                       : r.phase == RevisionPhase::reviewed  ? "approve"
                                                             : nullptr;
  if (wanted && !publishing(call).why_not(call.who, r, wanted)) out.next = wanted;
  return out;
}

Result<Page<RevisionBrief>> list_revisions(Call& call) {
  const auto phases = call.queries("phase");
  const std::string kind = call.query("kind"), id = call.query("id");
  auto limit = call.number("limit", 200, 1, 500);
  if (!limit) return std::move(limit).problem();
  const bool mine = call.query("waiting") == "me";
  const Library library = call.s.engine.library();
  Page<RevisionBrief> page;
  call.s.journal.read([&] {
    for (const Revision* r : publishing(call).all()) {
      if (page.items.size() == static_cast<std::size_t>(*limit)) break;
      if (!phases.empty() &&
          std::find(phases.begin(), phases.end(), name_of(r->phase)) == phases.end())
        continue;
      const auto& all = r->documents();
      if (!id.empty() && std::none_of(all.begin(), all.end(), [&](const DraftDocument& d) {
            return d.of.id == id && (kind.empty() || kind == name_of(d.of.kind));
          }))
        continue;
      RevisionBrief one = revision_brief(call, library, *r);
      if (!mine || one.next) page.items.push_back(std::move(one));
    }
  });
  return page;
}

Problem no_revision() { return no_such({"这份修订", "such a revision"}); }

Result<RevisionOut> one_revision(Call& call) {
  const Library library = call.s.engine.library();
  std::optional<Revision> found;
  RevisionOut out;
  call.s.journal.read([&] {
    const Services& s = call.s;
    const Revision* r = publishing(call).find(call.id());
    if (!r) return;
    found = *r;
    out.revision = revision_brief(call, library, *r);
    out.why = said(s, r->about, "why");
    if (!r->reviewer.empty()) out.reviewer = person_ref(s, r->reviewer);
    if (!r->approver.empty()) out.approver = person_ref(s, r->approver);
    if (r->simulation) out.simulation = simulation_out(s, *r->simulation);
    if (!r->waiver.empty()) out.waiver = said(s, r->waiver);
    if (!r->halted.empty()) out.halted = r->halted;
    for (const RevisionSave& save : r->saves)
      out.saves.push_back({save.n, save.at_ms, static_cast<std::int64_t>(save.seq),
                           person_ref(s, save.actor), documents_out(library, save.documents)});
    for (const RevisionEvent& e : r->events) {
      RevisionEventOut event{.seq = static_cast<std::int64_t>(e.seq),
                             .at = e.at_ms,
                             .kind = e.kind,
                             .title = {},
                             .by = person_ref(s, e.actor)};
      event.title = entry_title(s, {.kind = "definition." + e.kind, .body = {}});
      if (e.kind != "saved" && !e.content.empty()) event.text = said(s, e.content);
      if (!e.path.empty()) event.path = e.path;
      if (e.line != 0) event.line = e.line;
      if (e.save != 0) event.save = e.save;
      out.events.push_back(std::move(event));
    }
    for (const char* step : kSteps) {
      auto why_not = publishing(call).why_not(call.who, *r, step);
      RevisionStepOut one{step, !why_not, std::nullopt};
      if (why_not) one.why_not = why_not->text;
      out.steps.push_back(std::move(one));
    }
  });
  if (!found) return no_revision();
  if (found->open()) {
    const std::vector<DefinitionText> texts = publishing(call).texts_of(*found);
    out.mistakes = mistakes_out(publishing(call).mistakes_of(texts));
    out.warnings = mistakes_out(publishing(call).warnings_of(texts));
  }
  call.etag(found->seq);
  return out;
}

Result<RevisionWritten> revision_did(Call& call, Result<Answer> answer) {
  if (!answer) return std::move(answer).problem();
  RevisionWritten out{written(*answer).seq, std::string(text_or(answer->body, "revision")), ""};
  call.s.journal.read([&] {
    if (const Revision* r = publishing(call).find(out.id)) {
      out.phase = name_of(r->phase);
      call.etag(r->seq);
    }
  });
  return out;
}

Result<RevisionWritten> save_revision(Call& call, RevisionIn& in, std::string id) {
  auto documents = documents_in(in.documents);
  if (!documents) return std::move(documents).problem();
  return revision_did(call, publishing(call).save(call.who, call.command,
                                                  {.revision = std::move(id),
                                                   .title = in.title,
                                                   .why = in.why.value_or(""),
                                                   .documents = std::move(*documents),
                                                   .if_seq = call.if_seq}));
}

Result<json::object> simulate_revision(Call& call, SimulateRevisionIn& in) {
  SimulationOptions options;
  const std::int64_t runs = in.runs.value_or(200);
  if (runs < 1 || runs > kRevisionRunsMax)
    return invalid("simulate.runs", "/runs", {"推演次数应为 1 到 1,000", "Runs are 1 to 1,000"});
  options.runs = static_cast<std::size_t>(runs);
  options.seed = static_cast<std::uint64_t>(in.seed.value_or(1));
  const std::string people = in.people.value_or("house");
  if (people != "house" && people != "real")
    return invalid("simulate.people", "/people",
                   {"须为 house 或 real", "This must be house or real"});
  if (people == "real") {
    // Whoever holds a post that any procedure names: more than this one asks for, never fewer.
    Definitions all;
    const Library library = call.s.engine.library();
    for (const auto& [id, d] : library.procedures()) all.push_back(d);
    options.roster = call.s.journal.read([&] {
      return std::make_shared<const Staffing>(Staffing::of(call.s.identity, call.who.org, all));
    });
    options.fill = false;
  }
  auto report = publishing(call).simulate(call.who, call.id(), std::move(options), people);
  if (!report) return std::move(report).problem();
  return to_json(*report);
}

Result<RevisionWritten> approve_revision(Call& call, ApproveIn& in) {
  auto answer = publishing(call).approve(call.who, call.command,
                                         {.revision = call.id(),
                                          .from_ms = in.effective_from.value_or(0),
                                          .waiver = in.waiver.value_or("")},
                                         call.if_seq);
  if (answer) publishing(call).run_due();  // at once when it is due
  return revision_did(call, std::move(answer));
}

void add_steps(Table& t) {
  t.post<Nothing, RevisionWritten>(
       "/revisions/{id}/submit",
       {"definitions.write", "Ask for a review; refused while there are mistakes"},
       [](Call& call, Nothing&) {
         return revision_did(
             call, publishing(call).submit(call.who, call.command, call.id(), call.if_seq));
       })
      .gives_etag()
      .takes_if_match();
  t.post<CommentIn, RevisionWritten>(
       "/revisions/{id}/comments",
       {"definitions.read", "Say something, on a line of a draft or on all of it"},
       [](Call& call, CommentIn& in) {
         const std::int64_t line = in.line.value_or(0);
         return revision_did(
             call, publishing(call).comment(
                       call.who, call.command,
                       {.revision = call.id(),
                        .text = in.text,
                        .path = in.path.value_or(""),
                        .line = line < 0 || line > INT32_MAX ? -1 : static_cast<int>(line)}));
       })
      .gives_etag();
  t.post<ReasonIn, RevisionWritten>(
       "/revisions/{id}/return", {"definitions.read", "Give it back to its author with a reason"},
       [](Call& call, ReasonIn& in) {
         return revision_did(
             call, publishing(call).give_back(call.who, call.command, call.id(), in.reason));
       })
      .gives_etag();
  t.post<PassIn, RevisionWritten>(
       "/revisions/{id}/pass",
       {"definitions.review", "It passes the review; by somebody other than its authors"},
       [](Call& call, PassIn& in) {
         return revision_did(call, publishing(call).pass(call.who, call.command, call.id(),
                                                         in.remark.value_or(""), call.if_seq));
       })
      .gives_etag()
      .takes_if_match();
  t.post<SimulateRevisionIn, json::object>(
      "/revisions/{id}/simulate",
      {"definitions.write",
       "Run its procedure many times and record the result; 100 runs that pass are needed for an "
       "approval. `people`: house (assumed) or real"},
      simulate_revision);
  t.post<ApproveIn, RevisionWritten>(
       "/revisions/{id}/approve",
       {"definitions.approve",
        "Approve it from now or a later moment on; by somebody other than authors and reviewer. "
        "`waiver`: why without a simulation that passed"},
       approve_revision)
      .gives_etag()
      .takes_if_match();
  t.post<MaybeReasonIn, RevisionWritten>(
       "/revisions/{id}/withdraw",
       {"definitions.read", "Withdraw it before it is in force: its author, or who may approve"},
       [](Call& call, MaybeReasonIn& in) {
         return revision_did(call, publishing(call).withdraw(call.who, call.command, call.id(),
                                                             in.reason.value_or("")));
       })
      .gives_etag();
}

}  // namespace

void add_revisions(Table& t) {
  t.tag("revisions");
  t.get<Page<RevisionBrief>>(
      "/revisions",
      {"definitions.read",
       "Revisions, newest first; `next` is the step that waits for the caller",
       {{"phase", "draft, in_review, reviewed, approved, effective, withdrawn; several"},
        {"kind", "with id: procedures or forms"},
        {"id", "of a procedure or form that it holds"},
        {"waiting", "me: only those that wait for the caller"},
        {"limit", "1–500, absent: 200"}}},
      list_revisions);
  t.get<RevisionOut>(
       "/revisions/{id}",
       {"definitions.read",
        "One revision: drafts, saves, what happened, what the caller may do, mistakes"},
       one_revision)
      .gives_etag();
  t.create<RevisionIn, RevisionWritten>(
       "/revisions",
       {"definitions.write",
        "Begin a revision: one procedure and the forms it changes, or forms alone; or one "
        "procedure "
        "that is retired",
        {},
        10 << 20},
       [](Call& call, RevisionIn& in) { return save_revision(call, in, ""); })
      .gives_etag();
  t.put<RevisionIn, RevisionWritten>(
       "/revisions/{id}",
       {"definitions.write", "Save it again, all of it; every saving is kept", {}, 10 << 20},
       [](Call& call, RevisionIn& in) { return save_revision(call, in, call.id()); })
      .gives_etag()
      .takes_if_match();
  add_steps(t);
}

}  // namespace cw::api
