#include "centre.h"

#include <algorithm>

#include "organisation/organisation.h"

namespace cw {
namespace {

// content/organisation/demonstration.yaml.
Result<std::shared_ptr<const Organisation>> demonstration(const std::filesystem::path& content) {
  const FindOrganisation find = templates_in(content);
  if (auto found = find("demonstration")) return found;
  return problem(Refusal::not_found, "demo.content",
                 {"内容目录里没有示范组织", "The content lacks the demonstration's organisation"});
}

}  // namespace

const std::string& Centre::id(const std::string& login) const {
  auto found = people_.find(login);
  CW_CHECK(found != people_.end());
  return found->second;
}

Result<Centre> Centre::find(Installation& in) {
  auto file = demonstration(in.content());
  if (!file) return std::move(file).problem();
  Centre c;
  in.journal().read([&] { c.know(**file, in.identity()); });
  if (c.people_.size() != (*file)->people.size())
    return problem(Refusal::conflict, "demo.not-a-demo",
                   {"这个目录不是演示数据，请换一个空目录",
                    "This folder does not hold the demo; choose an empty one"});
  return c;
}

void Centre::know(const Organisation& file, const Identity& identity) {
  for (const auto& who : file.people)
    if (auto p = identity.person_by_login(who.login)) {
      people_[who.login] = p->id;
      if (who.org == "centre") org_ = p->org;
    }
}

Result<Centre> Centre::make(Installation& in, const std::string& password) {
  Identity& identity = in.identity();
  auto file = demonstration(in.content());
  if (!file) return std::move(file).problem();
  auto loaded = load_organisation(**file, identity, in.journal(), Principal::system());
  if (!loaded) return std::move(loaded).problem();
  for (const auto& issued : loaded->issued) {
    auto in_now = identity.access().sign_in(
        {.login = issued.login, .password = issued.secret, .address = "127.0.0.1"});
    if (!in_now) return std::move(in_now).problem();
    auto changed = identity.access().change_password(in_now->principal, issued.secret, password);
    if (!changed) return std::move(changed).problem();
  }
  Centre c;
  in.journal().read([&] { c.know(**file, identity); });
  const std::string root = in.journal().read([&] { return identity.root(); });
  if (Status planned = c.plan_duty(in, root); !planned) return planned.problem();
  if (Status drafted = c.draft_revision(in, root); !drafted) return drafted.problem();
  return c;
}

// A week of duty as a manager finds it: somebody away next week without a replacement, a swap that
// waits for approval, a handover signed by both.
Status Centre::plan_duty(Installation& in, const std::string& root) const {
  const Principal system = Principal::system();
  Roster& roster = in.roster();
  const std::int64_t today = in.journal().read([&] { return roster.today(root); });
  const char* line[] = {"zheng", "feng", "ma", "gao"};
  for (const char* login : {"zheng", "feng", "ma", "gao", "lin"})
    if (auto made = roster.qualify(system, {}, {id(login), "duty", 0}, false); !made)
      return made.problem();
  RosterInput plan{.org = root,
                   .source = roster.templates().at("headquarters"),
                   .from_day = today - 7,
                   .anchor_day = today};
  plan.layers["officer"] = {{{id("wang")}, {}}, {{id("zhao")}, {}}};
  plan.layers["commander"] = {{{id("li")}, {}}, {{id("zhou")}, {}}};
  for (const char* login : line) plan.layers["line"].push_back({{id(login)}, {}});
  if (auto made = roster.set(system, {}, plan); !made) return made.problem();
  for (const auto& [login, person] : people_)
    if (auto made = roster.confirm_reachable(system, {}, person); !made) return made.problem();

  auto shifts = [&](const char* login, std::int64_t from, std::int64_t to) {
    return in.journal().read([&] { return roster.shifts_of(id(login), today + from, today + to); });
  };
  auto as = [&](const std::string& person) {
    Principal p;
    p.actor = p.person = person;
    p.org = org_;
    return p;
  };
  for (const Shift& s : shifts("gao", 7, 13))
    if (s.ref.layer == "line") {
      auto away = roster.ask_leave(system, {}, id("gao"), "annual", s.from_ms, s.to_ms);
      if (!away) return away.problem();
      break;
    }
  for (const Shift& s : shifts("zheng", 1, 12)) {
    auto asked = roster.ask_swap(as(id("zheng")), {}, s.ref, id("lin"), std::nullopt);
    if (!asked) continue;
    auto consented = roster.answer_swap(as(id("lin")), {}, text_or(asked->body, "id"), true);
    if (!consented) return consented.problem();
    break;
  }
  for (const char* login : line) {
    for (const Shift& s : shifts(login, -1, 0)) {
      auto written = roster.write_handover(as(id(login)), {}, s.ref, {},
                                           "2 号中继线路已恢复，继续观察；无其他未结事项。");
      if (!written) continue;
      const std::int64_t seq = int_or(written->body, "seq");
      for (const char* next : line)
        if (roster.sign_handover(as(id(next)), {}, s.ref, static_cast<std::uint64_t>(seq))) break;
      return done();
    }
  }
  return done();
}

// A revision as a reviewer finds it: the leak plan with a shorter limit, and a colleague's
// question.
Status Centre::draft_revision(Installation& in, const std::string& root) const {
  const DefinitionId plan{DefinitionKind::procedure, "plan.customer-leak"};
  const auto now = in.engine().library().procedure(plan.id);
  if (!now)
    return problem(Refusal::conflict, "demo.content", {"缺少演示用的预案", "The plan is missing"});
  std::string text = now->source;
  auto put = [&](const std::string& what, const std::string& with) {
    const std::size_t at = text.find(what);
    if (at != std::string::npos) text.replace(at, what.size(), with);
    return at;
  };
  put("\nversion: " + std::to_string(now->version) + "\n",
      "\nversion: " + std::to_string(now->version + 1) + "\n");
  const std::size_t limit =
      put("limit: {I: 30m, II: 1h, III: 4h}", "limit: {I: 30m, II: 1h, III: 2h}");
  if (limit == std::string::npos)
    return problem(Refusal::conflict, "demo.content", {"预案已改，请更新演示", "The plan changed"});
  auto as = [&](const char* login) {
    Principal p;
    p.actor = p.person = id(login);
    p.org = root;
    return p;
  };
  Publish& publish = in.publish();
  auto saved =
      publish.save(as("he"), {},
                   {.revision = {},
                    .title = "Ⅲ级事件遏制时限由 4 小时缩短为 2 小时",
                    .why = "去年两次Ⅲ级事件都在 2 小时内完成遏制；4 小时的时限起不到督促作用。",
                    .documents = {{plan, text}},
                    .if_seq = {}});
  if (!saved) return saved.problem();
  const std::string revision(text_or(saved->body, "revision"));
  if (auto sent = publish.submit(as("he"), {}, revision); !sent) return sent.problem();
  const auto line =
      std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(limit), '\n');
  auto asked = publish.comment(as("sun"), {},
                               {.revision = revision,
                                .text = "夜间只有两名技术人员，2 小时是否含到场时间？请补充说明。",
                                .path = plan.path(),
                                .line = static_cast<int>(line) + 1});
  if (!asked) return asked.problem();
  return done();
}

}  // namespace cw
