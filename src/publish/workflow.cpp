// The way of a revision: author, reviewer, approver. Every step refuses before its first append.
#include <algorithm>

#include "base/id.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "publish/publish.h"

namespace cw {
namespace {

constexpr std::int64_t kAheadMax = 366ll * 86'400'000;

Problem no_revision() {
  return problem(Refusal::not_found, "definition.unknown",
                 {"没有这份修订", "There is no such revision"});
}

Problem library_moved() {
  return problem(
      Refusal::conflict, "definition.moved",
      {"其间有流程或表单变化，请刷新后重试；本次没有写入任何内容",
       "Procedures or forms changed meanwhile; nothing was written. Reload and try again"});
}

Entry definition_entry(const std::string& actor, std::string basis, const char* kind,
                       const std::string& revision) {
  Entry e{.actor = actor, .basis = std::move(basis), .kind = kind, .body = {}};
  e.body["revision"] = revision;
  return e;
}

Status check_words(const std::string& pointer, const std::string& text, std::size_t least,
                   std::size_t most) {
  if (!is_utf8(text))
    return invalid("text.utf8", pointer, {"文字编码有误", "The text is not valid UTF-8"});
  if (least > 0 && trim(text).empty())
    return invalid("text.required", pointer, {"请填写内容", "Write something here"});
  if (code_points(text) > most)
    return invalid("text.too_long", pointer,
                   {"内容过长，最多 " + std::to_string(most) + " 字",
                    "Too long: at most " + std::to_string(most) + " characters"});
  return done();
}

bool is_definition_name(std::string_view id) {
  if (id.empty() || id.size() > 64) return false;
  auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return letter(id[0]) && std::all_of(id.begin(), id.end(), [&](char c) {
           return letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
         });
}

Status check_documents(const std::vector<DefinitionText>& documents) {
  if (documents.empty() || documents.size() > Publish::documents_max)
    return invalid("definition.count", "/documents",
                   {"一份修订含 1 到 32 份文件", "A revision holds 1 to 32 documents"});
  std::size_t sum = 0, procedures = 0;
  std::set<DefinitionId> seen;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    const DefinitionText& d = documents[i];
    const std::string at = "/documents/" + std::to_string(i);
    if (!is_definition_name(d.of.id))
      return invalid(
          "definition.name", at + "/id",
          {"标识由字母、数字、“-”“_”“.”组成，以字母开头，最长 64",
           "An id is letters, digits, '-', '_' and '.', begins with a letter, at most 64"});
    if (!seen.insert(d.of).second)
      return invalid("definition.twice", at, {"这份文件给了两次", "This document is given twice"});
    if (d.retires && (d.of.kind != DefinitionKind::procedure || documents.size() > 1))
      return invalid("definition.retire", at + "/retire",
                     {"停用只针对一个流程，单独成一份修订；表单不停用",
                      "One procedure is retired, alone in its revision; forms are not retired"});
    if (d.text.size() > Publish::text_max || (sum += d.text.size()) > Publish::all_texts_max)
      return invalid("definition.size", at + "/text",
                     {"每份最大 1 MiB，合计 4 MiB", "At most 1 MiB each and 4 MiB together"});
    if (!is_utf8(d.text))
      return invalid("text.utf8", at + "/text", {"文字编码有误", "The text is not valid UTF-8"});
    procedures += d.of.kind == DefinitionKind::procedure ? 1 : 0;
  }
  if (procedures > 1)
    return invalid("definition.count", "/documents",
                   {"一份修订最多含一个流程", "A revision holds at most one procedure"});
  return done();
}

int declared_version(const std::string& text) {
  std::vector<Mistake> ignored;
  const YamlTree tree = parse_yaml(text, "", ignored);
  const YamlNode* node = tree.root.find("version");
  return node ? to_int<int>(node->text).value_or(0) : 0;
}

}  // namespace

// ---- who may take which step -------------------------------------------------------------------

std::optional<Problem> Publish::refusal(const Revision& r, std::string_view step,
                                        std::string_view person) const {
  using P = RevisionPhase;
  if (step == "simulate" && r.open() && r.retires())
    return problem(Refusal::conflict, "definition.retires",
                   {"停用无需推演", "There is nothing to simulate in a retirement"});
  const bool author = r.authors.contains(std::string(person));
  auto one_of = [&](std::initializer_list<P> phases) {
    return std::find(phases.begin(), phases.end(), r.phase) != phases.end();
  };
  const bool phase = step == "save" || step == "submit" ? one_of({P::draft})
                     : step == "pass"                   ? one_of({P::in_review})
                     : step == "return"                 ? one_of({P::in_review, P::reviewed})
                     : step == "approve"                ? one_of({P::reviewed})
                                                        : r.open();
  if (!phase)
    return problem(Refusal::conflict, "definition.phase",
                   {"修订的状态不允许这一步，请刷新；本次没有写入任何内容",
                    "The revision is not in a state for this; nothing was written. Reload it"});
  if (author && (step == "pass" || step == "return" || step == "approve"))
    return problem(Refusal::forbidden, "definition.own",
                   {"起草人不能审核或批准自己的修订，请由他人办理",
                    "Whoever wrote it can neither review nor approve it; another person must"});
  if (step == "approve" && person == r.reviewer)
    return problem(Refusal::forbidden, "definition.own",
                   {"审核人不能再批准同一份修订，请由他人办理",
                    "Whoever reviewed it cannot approve it, too; another person must"});
  if (step == "submit" && !author)
    return problem(Refusal::forbidden, "definition.author",
                   {"只有起草人能提交", "Only who wrote it can submit it"});
  return std::nullopt;
}

Result<std::string> Publish::basis_for(const Principal& who, const Revision& r,
                                       std::string_view step) const {
  using P = Permission;
  const bool judged = step == "pass" || step == "return" || step == "approve";
  if (judged && who.is_token() && !who.is_system())
    return problem(Refusal::forbidden, "token.person-only",
                   {"此操作只供人员使用，不能用令牌", "This is for people; a token cannot do it"});
  if (step == "pass") return p_.may(who, P::definitions_review);
  if (step == "approve") return p_.may(who, P::definitions_approve);
  if (step == "return")
    return p_.may(
        who, r.phase == RevisionPhase::in_review ? P::definitions_review : P::definitions_approve);
  auto writes = p_.may(who, P::definitions_write);
  if (step == "withdraw") {  // by who wrote it, or by who may approve
    if (writes && r.authors.contains(who.actor)) return writes;
    return p_.may(who, P::definitions_approve);
  }
  if (step != "comment" || writes) return writes;
  auto reviews = p_.may(who, P::definitions_review);
  return reviews ? reviews : p_.may(who, P::definitions_approve);
}

std::optional<Problem> Publish::why_not(const Principal& who, const Revision& r,
                                        std::string_view step) const {
  if (auto basis = basis_for(who, r, step); !basis) return std::move(basis).problem();
  return refusal(r, step, who.actor);
}

Result<Answer> Publish::step(const Principal& who, Command command, std::string_view step,
                             const std::string& revision, std::optional<std::uint64_t> if_seq,
                             const Body& body) {
  return p_.journal.run(std::move(command), [&](Draft& draft) -> Result<json::object> {
    const Revision* r = find(revision);
    if (!r) return no_revision();
    Result<std::string> basis = basis_for(who, *r, step);
    if (!basis) return std::move(basis).problem();
    if (if_seq && *if_seq != r->seq)
      return problem(Refusal::stale, "definition.stale",
                     {"修订已有新变化，请刷新后重试；本次没有写入任何内容",
                      "The revision changed meanwhile; nothing was written. Reload it"});
    if (auto refused = refusal(*r, step, who.actor)) return std::move(*refused);
    if (r->events.size() >= events_max)
      return problem(Refusal::conflict, "definition.full",
                     {"这份修订的记录已满，请撤回后另起一份",
                      "This revision's record is full; withdraw it and begin another"});
    if (Status s = body(draft, *r, *basis); !s) return std::move(s).problem();
    return json::object{{"revision", revision}};
  });
}

// ---- steps -------------------------------------------------------------------------------------

std::vector<DraftDocument> Publish::drafts_of(const SaveRevision& in,
                                              const Revision* before) const {
  std::vector<DraftDocument> out;
  for (const DefinitionText& d : in.documents) {
    DraftDocument draft{
        .of = d.of, .base = 0, .base_digest = {}, .digest = {}, .retires = d.retires};
    if (!d.retires) draft.digest = "sha256:" + to_hex(bytes_of(sha256(d.text)));
    const VersionRecord* now = latest(d.of);
    const DraftDocument* old = before ? before->find(d.of) : nullptr;
    // It rests on what it began with until its author gives it the number after another version.
    if (old && !d.retires && !(now && declared_version(d.text) == next_version(d.of))) {
      draft.base = old->base, draft.base_digest = old->base_digest;
    } else if (now) {
      draft.base = now->version, draft.base_digest = now->digest;
    }
    out.push_back(std::move(draft));
  }
  return out;
}

Result<Answer> Publish::save(const Principal& who, Command command, const SaveRevision& in) {
  if (Status s = check_words("/title", in.title, 1, 200); !s) return std::move(s).problem();
  if (Status s = check_words("/why", in.why, 0, 10'000); !s) return std::move(s).problem();
  if (Status s = check_documents(in.documents); !s) return std::move(s).problem();
  const bool fresh = in.revision.empty();
  const std::string id = fresh ? new_id("rev", p_.clock.now_ms(), p_.random) : in.revision;
  if (!fresh && !p_.journal.read([&] { return find(id) != nullptr; })) return no_revision();
  const SealedContent about =
      p_.sealed.seal(id, canonical(json::object{{"title", in.title}, {"why", in.why}}));
  auto write = [&](Draft& draft, const Revision* r, const std::string& basis) -> Status {
    if (r && r->saves.size() >= saves_max)
      return problem(Refusal::conflict, "definition.full",
                     {"保存次数已满，请另起一份", "It was saved too often; begin another"});
    Entry e = definition_entry(who.actor, basis, "definition.saved", id);
    json::array documents;
    const std::vector<DraftDocument> drafts = drafts_of(in, r);
    for (std::size_t i = 0; i < drafts.size(); ++i) {
      documents.push_back(document_json(drafts[i]));
      if (!drafts[i].retires) keep(draft, drafts[i].digest, in.documents[i].text);
    }
    draft.row(about.write, about.bytes);
    e.body["documents"] = std::move(documents);
    e.content = about.commitment;
    draft.append(std::move(e));
    return done();
  };
  if (!fresh)
    return step(who, std::move(command), "save", id, in.if_seq,
                [&](Draft& draft, const Revision& r, const std::string& basis) {
                  return write(draft, &r, basis);
                });
  return p_.journal.run(std::move(command), [&](Draft& draft) -> Result<json::object> {
    auto basis = p_.may(who, Permission::definitions_write);
    if (!basis) return std::move(basis).problem();
    const auto open = std::count_if(revisions_.begin(), revisions_.end(),
                                    [](const auto& r) { return r.second.open(); });
    if (open >= static_cast<std::ptrdiff_t>(open_max))
      return problem(
          Refusal::conflict, "definition.too_many",
          {"未结的修订太多，请先撤回一些", "Too many open revisions; withdraw some first"});
    if (Status s = write(draft, nullptr, *basis); !s) return std::move(s).problem();
    return json::object{{"revision", id}};
  });
}

Result<Answer> Publish::submit(const Principal& who, Command command, const std::string& revision,
                               std::optional<std::uint64_t> if_seq) {
  Result<Snapshot> s = snapshot(revision);
  if (!s) return std::move(s).problem();
  if (auto library = checked(s->revision); !library) return std::move(library).problem();
  return step(who, std::move(command), "submit", revision, if_seq ? if_seq : s->revision.seq,
              [&](Draft& draft, const Revision& r, const std::string& basis) -> Status {
                if (changed_seq_ != s->changed_seq) return library_moved();
                const std::uint64_t seq =
                    draft.append(definition_entry(who.actor, basis, "definition.submitted", r.id));
                ask(draft, r, seq, Permission::definitions_review, "pass",
                    {"有修订等待您审核", "A revision waits for your review"});
                return done();
              });
}

Result<Answer> Publish::comment(const Principal& who, Command command, const RevisionComment& in) {
  if (Status s = check_words("/text", in.text, 1, 10'000); !s) return std::move(s).problem();
  if (in.line < 0 || in.line > static_cast<int>(text_max))
    return invalid("definition.line", "/line", {"没有这一行", "There is no such line"});
  const SealedContent text =
      p_.sealed.seal(in.revision, canonical(json::object{{"text", in.text}}));
  return step(who, std::move(command), "comment", in.revision, {},
              [&](Draft& draft, const Revision& r, const std::string& basis) -> Status {
                const auto& all = r.documents();
                if (!in.path.empty() && std::none_of(all.begin(), all.end(), [&](const auto& d) {
                      return d.of.path() == in.path;
                    }))
                  return invalid("definition.path", "/path",
                                 {"修订里没有这份文件", "The revision holds no such document"});
                Entry e = definition_entry(who.actor, basis, "definition.commented", r.id);
                if (!in.path.empty()) e.body["path"] = in.path;
                if (in.line > 0) e.body["line"] = in.line;
                e.content = text.commitment;
                draft.row(text.write, text.bytes);
                const std::uint64_t seq = draft.append(std::move(e));
                tell(draft, r, seq, {"有新的意见", "A new comment"}, who.actor);
                return done();
              });
}

Result<Answer> Publish::give_back(const Principal& who, Command command,
                                  const std::string& revision, const std::string& reason) {
  if (Status s = check_words("/reason", reason, 1, 10'000); !s) return std::move(s).problem();
  const SealedContent text = p_.sealed.seal(revision, canonical(json::object{{"text", reason}}));
  return step(who, std::move(command), "return", revision, {},
              [&](Draft& draft, const Revision& r, const std::string& basis) -> Status {
                Entry e = definition_entry(who.actor, basis, "definition.returned", r.id);
                e.content = text.commitment;
                draft.row(text.write, text.bytes);
                const std::set<std::string> hands{r.reviewer};
                const std::uint64_t seq = draft.append(std::move(e));
                tell(draft, r, seq, {"修订被退回", "The revision was returned"}, who.actor, hands);
                return done();
              });
}

Result<Answer> Publish::pass(const Principal& who, Command command, const std::string& revision,
                             const std::string& remark, std::optional<std::uint64_t> if_seq) {
  if (Status s = check_words("/remark", remark, 0, 10'000); !s) return std::move(s).problem();
  std::optional<SealedContent> text;
  if (!trim(remark).empty())
    text = p_.sealed.seal(revision, canonical(json::object{{"text", remark}}));
  return step(who, std::move(command), "pass", revision, if_seq,
              [&](Draft& draft, const Revision& r, const std::string& basis) -> Status {
                Entry e = definition_entry(who.actor, basis, "definition.passed", r.id);
                if (text) {
                  e.content = text->commitment;
                  draft.row(text->write, text->bytes);
                }
                const std::uint64_t seq = draft.append(std::move(e));
                tell(draft, r, seq, {"修订通过审核", "The revision passed its review"}, who.actor);
                ask(draft, r, seq, Permission::definitions_approve, "approve",
                    {"有修订等待您批准", "A revision waits for your approval"});
                return done();
              });
}

// A procedure needs a simulation that passed for exactly what will be in force.
Status Publish::simulated(const Revision& r, const Library& library) const {
  const DraftDocument* procedure = r.procedure();
  if (!procedure || procedure->retires) return done();
  const std::string digest = digest_of(*library.procedure(procedure->of.id));
  if (r.simulation && r.simulation->pass && r.simulation->runs >= runs_min &&
      r.simulation->digest == digest)
    return done();
  return problem(Refusal::conflict, "definition.simulation",
                 {"这份流程还没有通过推演（至少 100 次）；请先推演，或写明不推演的理由",
                  "No simulation of this procedure has passed (100 runs at least); simulate it "
                  "first, or state "
                  "why it is approved without"});
}

Result<Answer> Publish::approve(const Principal& who, Command command, const ApproveRevision& in,
                                std::optional<std::uint64_t> if_seq) {
  if (Status s = check_words("/waiver", in.waiver, 0, 10'000); !s) return std::move(s).problem();
  const std::int64_t now = p_.clock.now_ms();
  if (in.from_ms < 0 || in.from_ms > now + kAheadMax)
    return invalid("definition.from", "/effective_from",
                   {"生效时间最晚在一年内", "It comes into force within a year"});
  Result<Snapshot> s = snapshot(in.revision);
  if (!s) return std::move(s).problem();
  Result<Library> library = checked(s->revision);
  if (!library) return std::move(library).problem();
  std::optional<SealedContent> waiver;
  if (!trim(in.waiver).empty())
    waiver = p_.sealed.seal(in.revision, canonical(json::object{{"text", in.waiver}}));
  return step(who, std::move(command), "approve", in.revision, if_seq ? if_seq : s->revision.seq,
              [&](Draft& draft, const Revision& r, const std::string& basis) -> Status {
                if (changed_seq_ != s->changed_seq) return library_moved();
                if (!waiver)
                  if (Status passed = simulated(r, *library); !passed) return passed;
                Entry e = definition_entry(who.actor, basis, "definition.approved", r.id);
                e.body["from"] = std::max(in.from_ms, draft.now_ms());
                if (waiver) {
                  e.content = waiver->commitment;
                  draft.row(waiver->write, waiver->bytes);
                }
                const std::uint64_t seq = draft.append(std::move(e));
                tell(draft, r, seq, {"修订已批准", "The revision was approved"}, who.actor);
                return done();
              });
}

Result<Answer> Publish::withdraw(const Principal& who, Command command, const std::string& revision,
                                 const std::string& reason) {
  if (Status s = check_words("/reason", reason, 0, 10'000); !s) return std::move(s).problem();
  std::optional<SealedContent> text;
  if (!trim(reason).empty())
    text = p_.sealed.seal(revision, canonical(json::object{{"text", reason}}));
  return step(who, std::move(command), "withdraw", revision, {},
              [&](Draft& draft, const Revision& r, const std::string& basis) -> Status {
                Entry e = definition_entry(who.actor, basis, "definition.withdrawn", r.id);
                if (text) {
                  e.content = text->commitment;
                  draft.row(text->write, text->bytes);
                }
                const std::uint64_t seq = draft.append(std::move(e));
                tell(draft, r, seq, {"修订已撤回", "The revision was withdrawn"}, who.actor);
                return done();
              });
}

Result<SimulationReport> Publish::simulate(const Principal& who, const std::string& revision,
                                           SimulationOptions options, const std::string& people) {
  Result<Snapshot> s = snapshot(revision);
  if (!s) return std::move(s).problem();
  const Revision& was = s->revision;
  const DraftDocument* procedure = was.procedure();
  if (!procedure)
    return problem(
        Refusal::conflict, "definition.forms_only",
        {"这份修订只有表单，无需推演", "This revision holds forms alone: nothing to simulate"});
  if (auto refused = refusal(was, "simulate", who.actor)) return std::move(*refused);
  Result<Library> library = checked(was);
  if (!library) return std::move(library).problem();
  const std::shared_ptr<const Definition> d = library->procedure(procedure->of.id);
  options.threshold = 0;
  if (p_.simulation) {
    auto pace = p_.simulation->paces.find(d->id);
    if (pace != p_.simulation->paces.end()) options.pace = pace->second;
    if (people == "house") options.roster = p_.simulation->roster;
  }
  Result<SimulationReport> report = cw::simulate(*library, *d, options);
  if (!report) return report;
  auto answer = step(who, {}, "simulate", revision, {},
                     [&](Draft& draft, const Revision& r, const std::string& basis) -> Status {
                       if (r.saves.size() != was.saves.size()) return library_moved();
                       Entry e = definition_entry(who.actor, basis, "definition.simulated", r.id);
                       e.body["digest"] = digest_of(*d);
                       e.body["runs"] = report->runs;
                       e.body["seed"] = static_cast<std::int64_t>(report->seed);
                       e.body["threshold"] = report->threshold;
                       e.body["people"] = people;
                       e.body["pass"] = report->pass;
                       draft.append(std::move(e));
                       return done();
                     });
  if (!answer) return std::move(answer).problem();
  return report;
}

}  // namespace cw
