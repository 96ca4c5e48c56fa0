#include <fmt/format.h>

#include "evidence.h"
#include "prefill.h"
#include "print.h"
#include "record.h"

// Cases: lists, the record, everything that people do to one.
namespace cw::api {
namespace {

constexpr std::size_t kEvidenceMax = 8 << 20;

struct StartIn {
  std::string procedure;
  json::object form;
  std::optional<std::string> org, subject, mode;
};
BOOST_DESCRIBE_STRUCT(StartIn, (), (procedure, form, org, subject, mode))
struct Started {
  std::int64_t seq = 0;
  std::string id, number;
};
BOOST_DESCRIBE_STRUCT(Started, (), (seq, id, number))
struct DoIn {
  std::optional<json::object> form;
  std::optional<std::vector<std::string>> evidence;
};
BOOST_DESCRIBE_STRUCT(DoIn, (), (form, evidence))
struct Did {
  std::int64_t seq = 0;
  std::string state;
  std::optional<std::int64_t> approval;
};
BOOST_DESCRIBE_STRUCT(Did, (), (seq, state, approval))
struct AssignIn {
  std::string person;
};
BOOST_DESCRIBE_STRUCT(AssignIn, (), (person))
struct JudgeIn {
  std::string decision;
  std::optional<std::string> reason;
};
BOOST_DESCRIBE_STRUCT(JudgeIn, (), (decision, reason))
struct NoteIn {
  std::string text;
  std::optional<bool> decision;
  std::optional<std::string> why, known;
};
BOOST_DESCRIBE_STRUCT(NoteIn, (), (text, decision, why, known))
struct BriefIn {
  std::string brief;
};
BOOST_DESCRIBE_STRUCT(BriefIn, (), (brief))
struct WatchIn {
  bool on = true;
};
BOOST_DESCRIBE_STRUCT(WatchIn, (), (on))
struct LinkIn {
  std::string other;
};
BOOST_DESCRIBE_STRUCT(LinkIn, (), (other))
struct ReaderIn {
  std::string person, reason;
  bool on = true;
};
BOOST_DESCRIBE_STRUCT(ReaderIn, (), (person, reason, on))
struct DelegateIn {
  std::string person;
  std::int64_t until_at = 0;
};
BOOST_DESCRIBE_STRUCT(DelegateIn, (), (person, until_at))
struct EvidenceMade {
  std::int64_t seq = 0, size = 0;
  std::string content, sha256;
};
BOOST_DESCRIBE_STRUCT(EvidenceMade, (), (seq, size, content, sha256))

By by_of(const Call& call) { return {call.id(), call.who.actor, call.if_seq}; }

Result<Did> run(Call& call, Result<Decide> decide) {
  if (!decide) return std::move(decide).problem();
  auto answer = call.s.journal.run(call.command, std::move(*decide));
  if (!answer) return std::move(answer).problem();
  Did did{written(*answer).seq, std::string(text_or(answer->body, "state")), std::nullopt};
  if (const auto* v = answer->body.if_contains("approval"); v && v->is_int64())
    did.approval = v->get_int64();
  call.etag(static_cast<std::uint64_t>(int_or(answer->body, "seq", did.seq)));
  return did;
}

// Judges the permission, then prepares and runs.
template <typename F>
Result<Did> act(Call& call, F&& prepare) {
  if (auto may = may_case(call, call.id(), Permission::case_act); !may)
    return std::move(may).problem();
  return run(call, prepare());
}

Result<Page<CaseBrief>> list_cases(Call& call) {
  CaseFilter filter;
  let_see(call, filter);
  filter.procedures = call.queries("procedure");
  filter.states = call.queries("state");
  filter.levels = call.queries("level");
  filter.flags = call.queries("flag");
  filter.procedure_prefix = call.query("prefix");
  filter.number = call.query("q");
  if (call.query("starter") == "me") filter.starter = call.who.actor;
  filter.parent = call.query("parent");
  auto open = call.query("open"), mode = call.query("mode");
  filter.open = open == "true" ? 1 : open == "false" ? 0 : -1;
  filter.drill = mode == "drill" ? 1 : mode == "all" ? -1 : 0;
  if (auto sort = call.query("sort"); !sort.empty()) filter.sort = sort;
  auto due = call.number("due_before", 0, 0, INT64_MAX);
  if (!due) return std::move(due).problem();
  filter.due_before_ms = *due;
  auto limit = call.number("limit", 50, 1, 200);
  if (!limit) return std::move(limit).problem();
  filter.limit = static_cast<std::size_t>(*limit);
  filter.cursor = call.query("cursor");
  Result<CasePage> found = CasePage{};
  std::int64_t total = 0;
  auto status = call.s.views.read(call.s.journal.size(), [&](Database& db) {
    found = CaseList::find(db, filter);
    for (const auto& [state, n] : CaseList::counts(db, filter)) total += n;
  });
  if (!status) return std::move(status).problem();
  if (!found) return std::move(found).problem();
  auto page = page_of<CaseBrief>(found->rows, found->next,
                                 [&](const CaseRow& r) { return case_brief(call.s, r); });
  if (filter.open == 1) page.total = total;
  return page;
}

Result<Started> start_case(Call& call, StartIn& in) {
  std::string org = in.org.value_or(call.who.org);
  if (auto may = call.may(Permission::case_start, org); !may) return std::move(may).problem();
  if (in.mode && *in.mode != "live" && *in.mode != "drill")
    return invalid("case.mode", "/mode", {"须为 live 或 drill", "This must be live or drill"});
  auto decide =
      call.s.engine.start({.procedure = in.procedure,
                           .org = org,
                           .actor = call.who.actor,
                           .form = std::move(in.form),
                           .subject = in.subject.value_or(""),
                           .mode = in.mode == "drill" ? CaseMode::drill : CaseMode::live});
  if (!decide) return std::move(decide).problem();
  auto answer = call.s.journal.run(call.command, std::move(*decide));
  if (!answer) return std::move(answer).problem();
  return Started{written(*answer).seq, std::string(text_or(answer->body, "case")),
                 std::string(text_or(answer->body, "number"))};
}

Result<CaseRecord> get_case(Call& call) {
  std::string id = call.id();
  if (!id.starts_with("cas_")) {
    std::string found = call.s.journal.read([&] { return call.s.engine.id_of(id); });
    if (!found.empty()) id = found;
  }
  if (auto may = may_case(call, id, Permission::case_read); !may) return std::move(may).problem();
  return case_record(call, id);
}

Result<Page<TimelineItem>> get_timeline(Call& call) {
  if (auto may = may_case(call, call.id(), Permission::case_read); !may)
    return std::move(may).problem();
  auto before = call.number("cursor", 0, 0, INT64_MAX);
  if (!before) return std::move(before).problem();
  auto limit = call.number("limit", 100, 1, 500);
  if (!limit) return std::move(limit).problem();
  return case_timeline(call, call.id(), static_cast<std::uint64_t>(*before),
                       static_cast<std::size_t>(*limit), call.query("key") == "true");
}

Result<Did> judge(Call& call, JudgeIn& in) {
  auto id = to_int<std::uint32_t>(call.http.param("approval"));
  if (!id) return no_such({"这项审批", "such an approval"});
  if (in.decision != "approve" && in.decision != "reject")
    return invalid("case.decision", "/decision",
                   {"须为 approve 或 reject", "This must be approve or reject"});
  return act(call, [&] {
    return in.decision == "approve"
               ? call.s.engine.approve(by_of(call), *id)
               : call.s.engine.reject(by_of(call), *id, in.reason.value_or(""));
  });
}

Result<http::Response> add_evidence(Call& call) {
  if (auto may = may_case(call, call.id(), Permission::case_act); !may)
    return std::move(may).problem();
  std::string name(clip(call.query("name"), 200));
  if (name.empty())
    return invalid("evidence.name", "/query/name", {"请给出文件名", "Give the file's name"});
  if (call.http.body.empty())
    return invalid("evidence.empty", "/", {"文件是空的", "The file is empty"});
  std::string sha = to_hex(bytes_of(sha256(call.http.body)));
  auto size = static_cast<std::int64_t>(call.http.body.size());
  SealedContent content = call.s.sealed.seal(
      call.id(), pack_file(name, call.http.headers.get_or("Content-Type"), call.http.body));
  auto answer = call.s.journal.run(call.command, [&](Draft& draft) -> Result<json::object> {
    if (!call.s.engine.exists(call.id())) return no_such({"这个案件", "such a case"});
    draft.row(content.write, content.bytes);
    draft.append({.actor = call.who.actor,
                  .basis = "permission:case.act",
                  .kind = "evidence.added",
                  .case_id = call.id(),
                  .body = {{"sha256", sha}, {"size", size}},
                  .content = content.commitment});
    return json::object{{"content", content.commitment}};
  });
  if (!answer) return std::move(answer).problem();
  return http::json_response(
      call.status, wire(EvidenceMade{written(*answer).seq, size,
                                     std::string(text_or(answer->body, "content")), sha}));
}

Result<http::Response> get_evidence(Call& call) {
  if (auto may = may_case(call, call.id(), Permission::case_read); !may)
    return std::move(may).problem();
  const std::string& content = call.http.param("content");
  bool belongs = false;
  auto status = call.s.views.read(call.s.journal.size(), [&](Database& db) {
    for (const auto& e : EvidenceList::of_case(db, call.id()))
      belongs = belongs || e.content == content;
  });
  if (!status) return std::move(status).problem();
  if (!belongs) return no_such({"这件证据", "such evidence"});
  auto text = call.s.sealed.open(content);
  if (!text) return std::move(text).problem();
  UnpackedFile file = unpack_file(std::move(*text));
  // Always a download: what somebody uploaded never runs in the console's origin.
  auto response = http::text_response(200, file.bytes, "application/octet-stream");
  std::string quoted;
  for (unsigned char c : file.name) {
    bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                 c == '.' || c == '-' || c == '_';
    quoted += plain ? std::string(1, static_cast<char>(c)) : fmt::format("%{:02X}", c);
  }
  response.headers.set("Content-Disposition", "attachment; filename*=UTF-8''" + quoted);
  return response;
}

Result<http::Response> print_case(Call& call) {
  if (auto may = may_case(call, call.id(), Permission::case_read); !may)
    return std::move(may).problem();
  std::string lang = call.query("lang");
  auto page = print_form(call, call.id(), call.http.param("form"),
                         lang == "en" || lang == "zh" ? lang : call.http.lang);
  if (!page) return std::move(page).problem();
  return http::text_response(200, *page, "text/html; charset=utf-8");
}

Result<PrefillOut> get_prefill(Call& call) {
  if (auto may = may_case(call, call.id(), Permission::case_read); !may)
    return std::move(may).problem();
  std::string lang = call.query("lang");
  return prefill(call, call.id(), call.http.param("name"),
                 lang == "en" || lang == "zh" ? lang : call.http.lang);
}

// Every act names the case's new version, and may ask for the one it was decided on.
template <typename In>
void act_on(Table& t, std::string path, Spec spec, Result<Did> (*f)(Call&, In&)) {
  t.post<In, Did>(std::move(path), std::move(spec), f).gives_etag().takes_if_match();
}

void add_acts(Table& t) {
  act_on<DoIn>(t, "/cases/{id}/actions/{name}", {"case.act", "Take an action"},
               [](Call& c, DoIn& in) {
                 return act(c, [&] {
                   return c.s.engine.act(by_of(c), c.http.param("name"),
                                         in.evidence.value_or(std::vector<std::string>{}),
                                         in.form.value_or(json::object{}));
                 });
               });
  act_on<DoIn>(t, "/cases/{id}/tasks/{name}", {"case.act", "Do a task"}, [](Call& c, DoIn& in) {
    return act(c, [&] {
      return c.s.engine.do_task(by_of(c), c.http.param("name"),
                                in.evidence.value_or(std::vector<std::string>{}),
                                in.form.value_or(json::object{}));
    });
  });
  act_on<Nothing>(t, "/cases/{id}/tasks/{name}/claim", {"case.act", "Take a task as mine"},
                  [](Call& c, Nothing&) {
                    return act(c, [&] { return c.s.engine.claim(by_of(c), c.http.param("name")); });
                  });
  act_on<AssignIn>(
      t, "/cases/{id}/tasks/{name}/assign",
      {"case.act", "Give a task to a person; \"\" gives it back"}, [](Call& c, AssignIn& in) {
        return act(c, [&] { return c.s.engine.assign(by_of(c), c.http.param("name"), in.person); });
      });
  act_on<JudgeIn>(t, "/cases/{id}/approvals/{approval}", {"case.act", "Approve or reject"}, judge);
  act_on<NoteIn>(t, "/cases/{id}/notes",
                 {"case.act", "A note, or a decision with its reason and what was known"},
                 [](Call& c, NoteIn& in) {
                   return act(c, [&] {
                     return c.s.engine.note(by_of(c), {in.decision.value_or(false), in.text,
                                                       in.why.value_or(""), in.known.value_or("")});
                   });
                 });
  act_on<BriefIn>(t, "/cases/{id}/command", {"case.act", "Take command with a brief"},
                  [](Call& c, BriefIn& in) {
                    return act(c, [&] { return c.s.engine.take_command(by_of(c), in.brief); });
                  });
  act_on<WatchIn>(t, "/cases/{id}/watch", {"case.read", "Follow a case, or stop following it"},
                  [](Call& c, WatchIn& in) -> Result<Did> {
                    if (auto may = may_case(c, c.id(), Permission::case_read); !may)
                      return std::move(may).problem();
                    return run(c, c.s.engine.watch(by_of(c), in.on));
                  });
  act_on<ReaderIn>(
      t, "/cases/{id}/readers",
      {"case.act", "Let a person read a restricted case, or no longer, with a reason"},
      [](Call& c, ReaderIn& in) {
        return act(c, [&] { return c.s.engine.set_reader(by_of(c), in.person, in.on, in.reason); });
      });
  act_on<DelegateIn>(
      t, "/cases/{id}/delegations",
      {"case.act", "Let a person act for me on this case until a time"},
      [](Call& c, DelegateIn& in) {
        return act(c, [&] { return c.s.engine.delegate(by_of(c), in.person, in.until_at); });
      });
  t.remove<Did>("/cases/{id}/delegations/{person}", {"case.act", "Take a delegation back"},
                [](Call& c) {
                  return act(
                      c, [&] { return c.s.engine.undelegate(by_of(c), c.http.param("person")); });
                })
      .gives_etag()
      .takes_if_match();
  act_on<LinkIn>(t, "/cases/{id}/links", {"case.act", "Link to another case"},
                 [](Call& c, LinkIn& in) -> Result<Did> {
                   if (auto may = may_case(c, in.other, Permission::case_read); !may)
                     return std::move(may).problem();
                   return act(c, [&] { return c.s.engine.link(by_of(c), in.other); });
                 });
  act_on<LinkIn>(t, "/cases/{id}/merge", {"case.act", "Close this case as part of another"},
                 [](Call& c, LinkIn& in) -> Result<Did> {
                   if (auto may = may_case(c, in.other, Permission::case_act); !may)
                     return std::move(may).problem();
                   return act(c, [&] { return c.s.engine.merge(by_of(c), in.other); });
                 });
}

}  // namespace

void add_cases(Table& t) {
  t.tag("cases");
  t.get<Page<CaseBrief>>("/cases",
                         {"case.read",
                          "Cases",
                          {{"procedure", "several with commas"},
                           {"prefix", "of the procedure: plan."},
                           {"state", ""},
                           {"level", ""},
                           {"flag", ""},
                           {"q", "the number begins with"},
                           {"open", "true or false"},
                           {"mode", "live, drill or all"},
                           {"starter", "me"},
                           {"parent", ""},
                           {"due_before", "UTC milliseconds"},
                           {"org", ""},
                           {"sort", "updated, opened, due, number; - is descending"},
                           {"cursor", ""},
                           {"limit", "1–200"}}},
                         list_cases);
  t.create<StartIn, Started>("/cases", {"case.start", "Start a case"}, start_case);
  t.get<CaseRecord>("/cases/{id}", {"case.read", "The whole record, by id or number"}, get_case)
      .gives_etag();
  t.get<Page<TimelineItem>>(
      "/cases/{id}/timeline",
      {"case.read",
       "What happened, newest first",
       {{"key", "true: only the main points"}, {"cursor", ""}, {"limit", "1–500"}}},
      get_timeline);
  add_acts(t);
  t.raw("POST", "/cases/{id}/evidence",
        {"case.act",
         "Add a file (raw body) with ?name=",
         {{"name", "of the file"}},
         kEvidenceMax - 4096},
        add_evidence)
      .created();
  t.raw("GET", "/cases/{id}/evidence/{content}",
        {"case.read", "A file, as a download", {}, 1024, "application/octet-stream"}, get_evidence);
  t.get<PrefillOut>("/cases/{id}/prefill/{name}",
                    {"case.read",
                     "What the case already knows of the form of a task or action",
                     {{"lang", "zh or en: of the words in texts"}}},
                    get_prefill)
      .gives_etag();
  t.raw("GET", "/cases/{id}/print/{form}",
        {"case.read", "A filed form as an A4 page", {{"lang", "zh or en"}}, 1024, "text/html"},
        print_case)
      .gives_etag();
}

}  // namespace cw::api
