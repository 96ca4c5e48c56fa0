#include "centre.h"

#include <algorithm>

namespace cw {
namespace {

struct Somebody {
  const char *login, *name, *staff_no, *role, *where;
};

// Invented names; "where" is the organisation they belong to and their role reaches.
constexpr Somebody kPeople[] = {
    {"wang", "王建国", "2107", "duty-officer", "root"},
    {"zhao", "赵敏", "2108", "duty-officer", "root"},
    {"li", "李卫东", "1003", "commander", "root"},
    {"chen", "陈志远", "1001", "commander", "root"},
    {"he", "何涛", "3320", "security", "root"},
    {"sun", "孙悦", "3321", "security", "root"},
    {"qian", "钱雯", "1208", "dpo", "root"},
    {"zhou", "周岚", "1305", "commander", "root"},
    {"wu", "吴昊", "1410", "security", "root"},
    {"liu", "刘静", "1412", "auditor", "root"},
    {"zheng", "郑洁", "5528", "agent", "centre"},
    {"feng", "冯磊", "5531", "agent", "centre"},
    {"shen", "沈冰", "2215", "lead", "centre"},
    {"han", "韩雪", "2301", "duty-officer", "other"},
    {"ma", "马丽", "5540", "agent", "centre"},
    {"gao", "高翔", "5541", "agent", "centre"},
    {"lin", "林晓", "5542", "agent", "centre"},
};

struct Holding {
  const char *post, *holder, *deputy;
};
constexpr Holding kPosts[] = {
    {"duty-officer", "wang", "zhao"},
    {"commander", "li", "zhou"},
    {"leader", "chen", "li"},
    {"security-officer", "he", "sun"},
    {"dpo", "qian", ""},
    {"counsel", "qian", ""},
    {"spokesperson", "zhou", ""},
    {"investigator", "wu", ""},
    {"service-manager", "shen", ""},
    {"shift-lead", "shen", ""},
    {"logistics", "gao", ""},
    {"site-security", "ma", ""},
    {"problem-manager", "sun", "he"},
    {"change-manager", "he", ""},
    {"supplier-manager", "zhou", ""},
    {"training-manager", "lin", ""},
    {"personnel", "lin", ""},
    {"document-controller", "liu", ""},
    {"auditor", "liu", "wu"},
};

struct Members {
  const char* team;
  Text title;
  const char* logins[4];  // up to the first null
};
const Members kTeams[] = {
    {"technical", {"技术组", "Technical team"}, {"he", "sun"}},
    {"facilities", {"动力环境组", "Power and environment team"}, {"gao", "ma"}},
    {"information", {"信息组", "Information group"}, {"zhao", "lin"}},
    {"publicity", {"宣传组", "Publicity group"}, {"zhou", "lin"}},
    {"change-board", {"变更评审委员会", "Change review board"}, {"li", "sun", "shen"}},
};

}  // namespace

const std::string& Centre::id(const std::string& login) const {
  auto found = people_.find(login);
  CW_CHECK(found != people_.end());
  return found->second;
}

Result<Centre> Centre::find(Installation& in) {
  Centre c;
  in.journal().read([&] {
    for (const auto& who : kPeople)
      if (auto p = in.identity().person_by_login(who.login)) {
        c.people_[who.login] = p->id;
        if (std::string_view(who.where) == "centre") c.org_ = p->org;
      }
  });
  if (c.people_.size() != std::size(kPeople))
    return problem(Refusal::conflict, "demo.not-a-demo",
                   {"这个目录不是演示数据，请换一个空目录",
                    "This folder does not hold the demo; choose an empty one"});
  return c;
}

Result<Centre> Centre::make(Installation& in, const std::string& password) {
  Principal system = Principal::system();
  Identity& identity = in.identity();
  std::string root = in.journal().read([&] { return identity.root(); });
  std::map<std::string, std::string> places{{"root", root}};
  auto renamed = identity.rename_org(system, {}, root,
                                     {"呼安示范热线总部", "Callwarden Demonstration Hotline HQ"});
  if (!renamed) return std::move(renamed).problem();
  auto before = in.journal().read([&] { return identity.orgs(); });
  for (const auto& [key, name] :
       {std::pair<const char*, Text>{"centre", {"广东服务中心", "Guangdong Service Centre"}},
        {"other", {"四川服务中心", "Sichuan Service Centre"}}}) {
    auto made = identity.add_org(system, {}, root, "centre", name);
    if (!made) return std::move(made).problem();
    for (const auto& org : in.journal().read([&] { return identity.orgs(); }))
      if (org.name == name) places[key] = org.id;
  }
  Centre c;
  c.org_ = places["centre"];
  for (const auto& who : kPeople) {
    const std::string& where = places[who.where];
    auto made = identity.add_person(system, {},
                                    {.name = who.name,
                                     .login = who.login,
                                     .staff_no = who.staff_no,
                                     .org = where,
                                     .email = std::string(who.login) + "@demo.example",
                                     .phone = std::string("+86000000") + who.staff_no,
                                     .grants = {{who.role, where}}});
    if (!made) return std::move(made).problem();
    c.people_[who.login] = made->id;
    auto in_now = identity.access().sign_in(
        {.login = who.login, .password = made->secret, .address = "127.0.0.1"});
    if (!in_now) return std::move(in_now).problem();
    auto changed = identity.access().change_password(in_now->principal, made->secret, password);
    if (!changed) return std::move(changed).problem();
  }
  for (const auto& h : kPosts) {
    PostInput post{.org = root, .id = h.post, .holder = c.id(h.holder)};
    if (*h.deputy) post.deputies = {c.id(h.deputy)};
    auto set = identity.set_post(system, {}, post);
    if (!set) return std::move(set).problem();
  }
  auto duty = identity.set_post(
      system, {}, {.org = places["other"], .id = "duty-officer", .holder = c.id("han")});
  if (!duty) return std::move(duty).problem();
  for (const auto& t : kTeams) {
    std::vector<std::string> members;
    for (const char* login : t.logins)
      if (login) members.push_back(c.id(login));
    auto team = identity.set_team(system, {}, {root, t.team, t.title, members});
    if (!team) return std::move(team).problem();
  }
  auto queue = identity.set_queue(
      system, {}, {c.org_, "ticket.after-sales", {c.id("zheng"), c.id("feng"), c.id("shen")}, {}});
  if (!queue) return std::move(queue).problem();
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
