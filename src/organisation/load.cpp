// What a file would change, and changing it.
#include <algorithm>
#include <map>
#include <set>

#include "organisation.h"

namespace cw {
namespace {

bool granted(const Person& person, const std::string& role, const std::string& org) {
  return role.empty() ||
         std::any_of(person.grants.begin(), person.grants.end(),
                     [&](const Grant& g) { return g.role == role && g.org == org; });
}

// Everything there is, by the names that files use, and one step after the other towards the file.
class Loading {
 public:
  Loading(const Organisation& file, const Identity& identity, std::vector<Mistake>& mistakes)
      : file_(file), identity_(identity), mistakes_(mistakes) {}

  OrganisationPlan plan() {
    OrganisationPlan out;
    find_units();
    for (const auto& unit : file_.units) unit_step(unit, out);
    for (const auto& member : file_.people) person_step(member, out);
    for (const auto& unit : file_.units) {
      for (const auto& duty : posts_of(unit)) post_step(unit, duty, out);
      for (const auto& team : teams_of(unit)) team_step(unit, team, out);
      for (const auto& queue : unit.queues) queue_step(unit, queue, out);
    }
    gaps(out);
    return out;
  }

  std::string unit_id(const std::string& key) const {
    auto it = units_.find(key);
    return it == units_.end() ? std::string() : it->second;
  }
  std::string person_id(const std::string& login) const {
    auto person = identity_.person_by_login(login);
    return person ? person->id : std::string();
  }
  // Somebody whom the file adds has no id yet: different from everybody who is there.
  std::string person_or_new(const std::string& login) const {
    const std::string id = person_id(login);
    return id.empty() ? "new:" + login : id;
  }
  void find_units() {
    units_["root"] = identity_.root();
    for (const auto& unit : file_.units)
      for (const Org& org : identity_.orgs())
        if (unit.key != "root" && org.name == unit.title && org.parent == unit_id(unit.under))
          units_[unit.key] = org.id;
  }

  PostInput post_input(const Organisation::Unit& unit, const Organisation::Duty& duty) const {
    PostInput in{.org = unit_id(unit.key), .id = duty.id, .title = duty.title};
    if (unit.key == "root") in.chief_of = duty.heads;
    if (const Post* there = post_there(unit, duty.id)) {
      in.holder = there->holder;
      in.deputies = there->deputies;
      in.absent_from = there->absent_from;
      in.absent_until = there->absent_until;
      if (unit.key != "root") in.chief_of = there->chief_of;
    }
    if (const auto* holding = holding_of(unit, duty.id)) {
      in.holder = holding->holder.empty() ? "" : person_or_new(holding->holder);
      in.deputies.clear();
      for (const auto& login : holding->deputies) in.deputies.push_back(person_or_new(login));
    }
    return in;
  }
  Team team_input(const Organisation::Unit& unit, const Organisation::Group& group) const {
    Team out{unit_id(unit.key), group.team, group.title, {}};
    for (const Team& there : identity_.teams(out.org))
      if (there.org == out.org && there.id == group.team) out.members = there.members;
    for (const auto& listed : unit.members) {
      if (listed.id != group.team) continue;
      out.members.clear();
      for (const auto& login : listed.people) out.members.push_back(person_or_new(login));
    }
    return out;
  }
  Queue queue_input(const Organisation::Unit& unit, const Organisation::Listed& listed) const {
    Queue out{unit_id(unit.key), listed.id, {}, listed.teams};
    for (const auto& login : listed.people) out.people.push_back(person_or_new(login));
    return out;
  }
  PersonInput person_input(const Organisation::Member& m) const {
    PersonInput in{.name = m.name,
                   .login = m.login,
                   .staff_no = m.staff_no,
                   .org = unit_id(m.org),
                   .email = m.email,
                   .phone = m.phone,
                   .lang = m.lang,
                   .grants = {}};
    if (!m.role.empty()) in.grants.push_back({m.role, unit_id(m.reach)});
    return in;
  }

  // The root has every post of the file; elsewhere only those that the file fills.
  std::vector<Organisation::Duty> posts_of(const Organisation::Unit& unit) const {
    if (unit.key == "root") return file_.posts;
    std::vector<Organisation::Duty> out;
    for (const auto& duty : file_.posts)
      if (holding_of(unit, duty.id)) out.push_back(duty);
    return out;
  }
  std::vector<Organisation::Group> teams_of(const Organisation::Unit& unit) const {
    std::vector<Organisation::Group> out;
    for (const auto& group : file_.groups) {
      const bool listed = std::any_of(unit.members.begin(), unit.members.end(),
                                      [&](const auto& m) { return m.id == group.team; });
      if (!group.team.empty() && (unit.key == "root" || listed)) out.push_back(group);
    }
    return out;
  }

 private:
  void unknown(const Organisation::Place& at, const std::string& zh, const std::string& en) {
    mistakes_.push_back({file_.file, at.line, at.column, "organisation.unknown", {zh, en}});
  }
  void know(const Organisation::Place& at, const std::vector<std::string>& logins) {
    for (const auto& login : logins) {
      const bool in_file =
          std::any_of(file_.people.begin(), file_.people.end(),
                      [&](const Organisation::Member& m) { return m.login == login; });
      if (!login.empty() && !in_file && person_id(login).empty())
        unknown(at, "没有人员“" + login + "”", "nobody has the login '" + login + "'");
    }
  }
  const Organisation::Holding* holding_of(const Organisation::Unit& unit,
                                          std::string_view post) const {
    for (const auto& h : unit.holders)
      if (h.post == post) return &h;
    return nullptr;
  }
  const Post* post_there(const Organisation::Unit& unit, std::string_view id) const {
    const std::string org = unit_id(unit.key);
    if (org.empty()) return nullptr;
    auto [it, fresh] = posts_.try_emplace(org);
    if (fresh) it->second = identity_.posts(org);
    for (const Post& post : it->second)
      if (post.id == id) return &post;
    return nullptr;
  }

  static void add(OrganisationPlan& plan, std::string what, std::string id, std::string org,
                  bool there, bool same, Text title) {
    plan.steps.push_back({std::move(what), std::move(id), std::move(org),
                          same    ? "same"
                          : there ? "change"
                                  : "add",
                          std::move(title)});
  }

  void unit_step(const Organisation::Unit& unit, OrganisationPlan& out) {
    const auto there = identity_.org(unit_id(unit.key));
    const bool same = there && (unit.title.zh.empty() || there->name == unit.title);
    add(out, "org", unit.key, unit.under, there.has_value(), same,
        unit.title.zh.empty() && there ? there->name : unit.title);
  }

  void person_step(const Organisation::Member& m, OrganisationPlan& out) {
    const auto roles = identity_.roles();
    if (!m.role.empty() &&
        std::none_of(roles.begin(), roles.end(), [&](const Role& r) { return r.id == m.role; }))
      unknown(m.at, "没有角色“" + m.role + "”", "there is no role '" + m.role + "'");
    const auto there = identity_.person_by_login(m.login);
    bool same = false;
    if (there) {
      const std::string reach = unit_id(m.reach);
      same = there->name == m.name && there->staff_no == m.staff_no &&
             there->org == unit_id(m.org) && (m.email.empty() || there->email == m.email) &&
             (m.phone.empty() || there->phone == m.phone) && granted(*there, m.role, reach);
    }
    add(out, "person", m.login, m.org, there.has_value(), same, {m.login, m.login});
  }

  void post_step(const Organisation::Unit& unit, const Organisation::Duty& duty,
                 OrganisationPlan& out) {
    if (const auto* h = holding_of(unit, duty.id)) {
      know(h->at, {h->holder});
      know(h->at, h->deputies);
    }
    const Post* there = post_there(unit, duty.id);
    const PostInput in = post_input(unit, duty);
    const bool same = there && there->title == *in.title && there->holder == in.holder &&
                      there->deputies == in.deputies &&
                      (!in.chief_of || there->chief_of == *in.chief_of);
    add(out, "post", duty.id, unit.key, there != nullptr && !there->holder.empty(), same,
        duty.title);
  }

  void team_step(const Organisation::Unit& unit, const Organisation::Group& group,
                 OrganisationPlan& out) {
    for (const auto& listed : unit.members)
      if (listed.id == group.team) know(listed.at, listed.people);
    const Team in = team_input(unit, group);
    bool there = false, same = false;
    for (const Team& t : identity_.teams(in.org))
      if (!in.org.empty() && t.org == in.org && t.id == in.id) {
        there = true;
        same = t.title == in.title && t.members == in.members;
      }
    add(out, "team", group.team, unit.key, there, same, group.title);
  }

  void queue_step(const Organisation::Unit& unit, const Organisation::Listed& listed,
                  OrganisationPlan& out) {
    know(listed.at, listed.people);
    const Queue in = queue_input(unit, listed);
    bool there = false, same = false;
    for (const Queue& q : identity_.queues(in.org))
      if (!in.org.empty() && q.org == in.org && q.procedure == in.procedure) {
        there = true;
        same = q.people == in.people && q.teams == in.teams;
      }
    add(out, "queue", listed.id, unit.key, there, same, {listed.id, listed.id});
  }

  // Of the root alone: an organisation below it uses the root's posts and teams.
  void gaps(OrganisationPlan& out) const {
    const Organisation::Unit& root = file_.units.front();
    auto gap = [&](const Text& title, const char* zh, const char* en) {
      out.gaps.push_back({title.zh + zh, title.en + en});
    };
    for (const auto& duty : file_.posts) {
      const auto* holding = holding_of(root, duty.id);
      const Post* there = post_there(root, duty.id);
      const bool held = holding ? !holding->holder.empty() : there && !there->holder.empty();
      const std::size_t deputies = holding ? holding->deputies.size()
                                   : there ? there->deputies.size()
                                           : 0;
      if (!held)
        gap(duty.title, "：尚无人任职", ": nobody holds it");
      else if (static_cast<std::int64_t>(deputies) < duty.deputies)
        gap(duty.title, "：代理人不足", ": too few deputies");
    }
    for (const auto& group : teams_of(root)) {
      bool any = !team_input(root, group).members.empty();
      for (const auto& listed : root.members)
        any |= listed.id == group.team && !listed.people.empty();
      if (!any) gap(group.title, "：尚无成员", ": nobody belongs to it");
    }
  }

  const Organisation& file_;
  const Identity& identity_;
  std::vector<Mistake>& mistakes_;
  std::map<std::string, std::string> units_;  // key → id
  mutable std::map<std::string, std::vector<Post>> posts_;
};

// The step's one change, judged by Identity as anybody's.
class Applying {
 public:
  Applying(const Organisation& file, Identity& identity, Journal& journal, const Principal& who,
           OrganisationLoaded& out)
      : file_(file), identity_(identity), journal_(journal), who_(who), out_(out) {}

  Status run(const OrganisationStep& step) {
    if (step.act == "same") return done();
    for (const auto& unit : file_.units) {
      if (step.what == "org" && unit.key == step.id) return org(unit);
      if (unit.key != step.org) continue;
      if (step.what == "post") return post(unit, step.id);
      if (step.what == "team") return team(unit, step.id);
      if (step.what == "queue") return queue(unit, step.id);
    }
    for (const auto& member : file_.people)
      if (step.what == "person" && member.login == step.id) return person(member);
    return done();
  }

 private:
  // Under the state lock: what is there now, by the file's names.
  template <typename F>
  auto now(F f) {
    return journal_.read([&] {
      std::vector<Mistake> ignored;
      Loading there(file_, identity_, ignored);
      there.find_units();
      return f(there);
    });
  }
  template <typename T>
  static Status status(Result<T> result) {
    return result ? done() : Status(std::move(result).problem());
  }

  Status org(const Organisation::Unit& unit) {
    const auto [id, under] =
        now([&](Loading& l) { return std::pair(l.unit_id(unit.key), l.unit_id(unit.under)); });
    if (!id.empty()) return status(identity_.rename_org(who_, {}, id, unit.title));
    return status(identity_.add_org(who_, {}, under, unit.kind, unit.title));
  }

  Status person(const Organisation::Member& m) {
    const auto [id, in] =
        now([&](Loading& l) { return std::pair(l.person_id(m.login), l.person_input(m)); });
    if (id.empty()) {
      auto made = identity_.add_person(who_, {}, in);
      if (!made) return std::move(made).problem();
      out_.issued.push_back({m.login, made->secret});
      return done();
    }
    PersonChange change{.name = in.name,
                        .login = {},
                        .staff_no = in.staff_no,
                        .org = in.org,
                        .email = {},
                        .phone = {},
                        .lang = {}};
    if (!in.email.empty()) change.email = in.email;
    if (!in.phone.empty()) change.phone = in.phone;
    if (auto s = status(identity_.change_person(who_, {}, id, change)); !s) return s;
    const auto there = journal_.read([&, id = id] { return identity_.person(id); });
    for (const Grant& g : in.grants) {
      if (there && granted(*there, g.role, g.org)) continue;
      if (auto s = status(identity_.grant(who_, {}, id, g)); !s) return s;
    }
    return done();
  }

  Status post(const Organisation::Unit& unit, const std::string& id) {
    for (const auto& duty : file_.posts)
      if (duty.id == id)
        return status(identity_.set_post(
            who_, {}, now([&](Loading& l) { return l.post_input(unit, duty); })));
    return done();
  }
  Status team(const Organisation::Unit& unit, const std::string& id) {
    for (const auto& group : file_.groups)
      if (group.team == id)
        return status(identity_.set_team(
            who_, {}, now([&](Loading& l) { return l.team_input(unit, group); })));
    return done();
  }
  Status queue(const Organisation::Unit& unit, const std::string& id) {
    for (const auto& listed : unit.queues)
      if (listed.id == id)
        return status(identity_.set_queue(
            who_, {}, now([&](Loading& l) { return l.queue_input(unit, listed); })));
    return done();
  }

  const Organisation& file_;
  Identity& identity_;
  Journal& journal_;
  const Principal& who_;
  OrganisationLoaded& out_;
};

}  // namespace

std::size_t OrganisationPlan::changes() const {
  return static_cast<std::size_t>(
      std::count_if(steps.begin(), steps.end(), [](const auto& s) { return s.act != "same"; }));
}

OrganisationPlan plan_organisation(const Organisation& file, const Identity& identity,
                                   std::vector<Mistake>& mistakes) {
  return Loading(file, identity, mistakes).plan();
}

Problem organisation_problem(const std::vector<Mistake>& mistakes) {
  Problem out = problem(Refusal::invalid, "organisation.mistakes",
                        {"组织文件有错误，没有写入任何内容",
                         "The organisation's file has mistakes; nothing was written"});
  for (const Mistake& m : mistakes)
    out.fields.push_back(
        {"/text:" + std::to_string(m.line) + ":" + std::to_string(m.column), m.text});
  return out;
}

Result<OrganisationLoaded> load_organisation(const Organisation& file, Identity& identity,
                                             Journal& journal, const Principal& who) {
  OrganisationLoaded out;
  std::vector<Mistake> mistakes;
  out.plan = journal.read([&] { return plan_organisation(file, identity, mistakes); });
  if (!mistakes.empty()) return organisation_problem(mistakes);
  Applying applying(file, identity, journal, who, out);
  for (const OrganisationStep& step : out.plan.steps)
    if (auto s = applying.run(step); !s) return std::move(s).problem();
  return out;
}

std::string to_text(const OrganisationPlan& plan, std::string_view lang) {
  const bool en = lang == "en";
  static const std::map<std::string_view, Text> words{
      {"org", {"单位", "organisation"}}, {"person", {"人员", "person"}}, {"post", {"岗位", "post"}},
      {"team", {"班组", "team"}},        {"queue", {"队列", "queue"}},   {"add", {"新增", "add"}},
      {"change", {"修改", "change"}}};
  std::string out;
  for (const OrganisationStep& s : plan.steps) {
    if (s.act == "same") continue;
    out += words.at(s.act).in(lang) + (en ? " " : "") + words.at(s.what).in(lang) + " " + s.id;
    if (s.title.in(lang) != s.id)
      out += en ? " (" + s.title.in(lang) + ")" : "（" + s.title.in(lang) + "）";
    if (!s.org.empty() && s.org != "root") out += (en ? " in " : "，属 ") + s.org;
    out += "\n";
  }
  const std::string same = std::to_string(plan.steps.size() - plan.changes());
  out += en ? "unchanged: " + same + "\n" : "不变：" + same + "\n";
  for (const Text& gap : plan.gaps) out += (en ? "! " : "！") + gap.in(lang) + "\n";
  return out;
}

}  // namespace cw
