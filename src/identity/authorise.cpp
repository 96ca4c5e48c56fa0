#include <algorithm>

#include "state.h"

namespace cw {

const std::array<PermissionInfo, permission_count>& permissions() {
  using P = Permission;
  static const std::array<PermissionInfo, permission_count> table{{
      {P::case_read, "case.read", {"查看案件", "read cases"}},
      {P::case_start, "case.start", {"发起案件", "start cases"}},
      {P::case_act, "case.act", {"办理案件", "act on cases"}},
      {P::alert_read, "alert.read", {"查看告警", "read alerts"}},
      {P::alert_triage, "alert.triage", {"研判告警", "triage alerts"}},
      {P::signals_write, "signals.write", {"上报信号", "send signals"}},
      {P::logs_read, "logs.read", {"查看日志", "read logs"}},
      {P::rules_manage, "rules.manage", {"管理检测规则", "manage detection rules"}},
      {P::procedures_manage, "procedures.manage", {"管理预案与流程", "manage procedures"}},
      {P::ledger_read, "ledger.read", {"查看账本", "read the ledger"}},
      {P::ledger_export, "ledger.export", {"导出账本", "export the ledger"}},
      {P::audit_read, "audit.read", {"查看审计记录", "read audit records"}},
      {P::people_read, "people.read", {"查看人员", "see people"}},
      {P::people_manage, "people.manage", {"管理人员", "manage people"}},
      {P::posts_manage, "posts.manage", {"管理岗位与班组", "manage posts and teams"}},
      {P::roles_manage, "roles.manage", {"管理角色", "manage roles"}},
      {P::tokens_manage, "tokens.manage", {"管理 API 令牌", "manage API tokens"}},
      {P::outbox_manage, "outbox.manage", {"处理未送达消息", "handle undelivered messages"}},
      {P::wall_read, "wall.read", {"查看大屏", "see the wall screen"}},
      {P::system_read, "system.read", {"查看系统状态", "see the system's state"}},
      {P::system_manage, "system.manage", {"管理系统", "manage the system"}},
      {P::roster_read, "roster.read", {"查看值班表", "see the duty roster"}},
      {P::roster_manage, "roster.manage", {"管理值班表", "manage the duty roster"}},
      {P::definitions_read,
       "definitions.read",
       {"查看修订与历史版本", "see revisions and versions"}},
      {P::definitions_write, "definitions.write", {"起草流程与表单", "write procedures and forms"}},
      {P::definitions_review, "definitions.review", {"审核修订", "review revisions"}},
      {P::definitions_approve,
       "definitions.approve",
       {"批准修订并发布", "approve and publish revisions"}},
  }};
  return table;
}

std::optional<Permission> permission_named(std::string_view name) {
  for (const auto& p : permissions()) {
    if (name == p.name) return p.id;
  }
  return std::nullopt;
}

const char* name_of(Permission p) { return permissions()[static_cast<std::size_t>(p)].name; }

std::vector<std::string> PermissionSet::names() const {
  std::vector<std::string> out;
  for (const auto& p : permissions()) {
    if (has(p.id)) out.emplace_back(p.name);
  }
  return out;
}

Result<PermissionSet> PermissionSet::parse(const std::vector<std::string>& names,
                                           std::string_view pointer) {
  PermissionSet set;
  for (std::size_t i = 0; i < names.size(); ++i) {
    auto p = permission_named(names[i]);
    if (!p) {
      return invalid("permission.unknown", std::string(pointer) + "/" + std::to_string(i),
                     {"没有这个权限；请从权限表中选取",
                      "There is no such permission; choose one from the table"});
    }
    set.add(*p);
  }
  return set;
}

const std::vector<Role>& builtin_roles() {
  using P = Permission;
  static const PermissionSet agent{P::case_read, P::case_start, P::case_act, P::roster_read};
  static const std::vector<Role> roles = {
      {"agent", {"坐席", "Agent"}, agent, {}, true},
      {"lead",
       {"班长", "Shift lead"},
       {P::case_read, P::case_start, P::case_act, P::alert_read, P::people_read, P::roster_read,
        P::roster_manage},
       {},
       true},
      {"duty-officer",
       {"值班长", "Duty officer"},
       {P::case_read, P::case_start, P::case_act, P::alert_read, P::alert_triage, P::logs_read,
        P::people_read, P::ledger_read, P::outbox_manage, P::wall_read, P::roster_read,
        P::roster_manage, P::definitions_read},
       {},
       true},
      {"commander",
       {"指挥长", "Commander"},
       {P::case_read, P::case_start, P::case_act, P::alert_read, P::alert_triage, P::people_read,
        P::ledger_read, P::wall_read, P::roster_read, P::roster_manage, P::definitions_read,
        P::definitions_approve},
       {},
       true},
      {"security",
       {"信息安全专员", "Security officer"},
       {P::case_read, P::case_start, P::case_act, P::alert_read, P::alert_triage, P::signals_write,
        P::logs_read, P::rules_manage, P::procedures_manage, P::people_read, P::ledger_read,
        P::outbox_manage, P::wall_read, P::system_read, P::roster_read, P::definitions_read,
        P::definitions_write, P::definitions_review},
       {},
       true},
      {"dpo",
       {"个人信息保护负责人", "Data-protection officer"},
       {P::case_read, P::case_start, P::case_act, P::people_read, P::ledger_read, P::ledger_export,
        P::audit_read, P::roster_read, P::definitions_read, P::definitions_review},
       {},
       true},
      // Whoever audits does not act, whatever other roles they hold: a deny wins.
      {"auditor",
       {"审计员", "Auditor"},
       {P::case_read, P::alert_read, P::people_read, P::ledger_read, P::ledger_export,
        P::audit_read, P::system_read, P::roster_read, P::definitions_read},
       {P::case_start, P::case_act, P::alert_triage, P::signals_write, P::rules_manage,
        P::procedures_manage, P::people_manage, P::posts_manage, P::roles_manage, P::tokens_manage,
        P::system_manage, P::roster_manage, P::definitions_write, P::definitions_review,
        P::definitions_approve},
       true},
      // Runs the installation; does not read cases by virtue of that.
      {"administrator",
       {"系统管理员", "Administrator"},
       {P::case_start, P::rules_manage, P::procedures_manage, P::ledger_read, P::people_read,
        P::people_manage, P::posts_manage, P::roles_manage, P::tokens_manage, P::outbox_manage,
        P::signals_write, P::wall_read, P::system_read, P::system_manage, P::roster_read,
        P::roster_manage, P::definitions_read, P::definitions_write},
       {},
       true},
  };
  return roles;
}

Principal Principal::system() {
  Principal p;
  p.actor = "system";
  return p;
}

const Role* Identity::Impl::role(const std::string& id) const {
  if (auto it = roles.find(id); it != roles.end()) return &it->second;
  for (const auto& r : builtin_roles()) {
    if (r.id == id) return &r;
  }
  return nullptr;
}

bool Identity::Impl::within(std::string_view org, std::string_view ancestor) const {
  for (std::string at(org); !at.empty(); at = parent_of(at)) {
    if (at == ancestor) return true;
  }
  return false;
}

namespace {

Problem missing_permission(Permission p) {
  const Text& title = permissions()[static_cast<std::size_t>(p)].title;
  return problem(
      Refusal::forbidden, "permission.missing",
      {"您没有在该组织" + title.zh + "的权限；什么也没有改变。如工作需要，请联系管理员授予角色",
       "You may not " + title.en +
           " in this organisation; nothing was changed. If your work needs it, "
           "ask an administrator for a role"});
}

}  // namespace

Result<std::string> Identity::Impl::may(const Principal& who, Permission p,
                                        std::string_view org) const {
  if (who.is_system()) return std::string("system");
  if (org.empty()) org = root;
  if (who.is_token()) {
    auto t = tokens.find(who.actor);
    if (t == tokens.end() || t->second.facts.revoked || !t->second.facts.scopes.has(p) ||
        !within(org, t->second.facts.org)) {
      return missing_permission(p);
    }
    return std::string("scope");
  }
  const PersonRecord* person = find(who.person);
  if (person == nullptr || !person->facts.active) return missing_permission(p);
  if (who.must_change_password) {
    return problem(
        Refusal::forbidden, "session.must-change-password",
        {"请先修改一次性密码，然后再继续", "Change the one-time password first, then go on"});
  }
  std::string basis;
  for (const auto& g : person->facts.grants) {
    const Role* r = role(g.role);
    if (r == nullptr || !within(org, g.org)) continue;
    if (r->deny.has(p)) {
      const Text& title = permissions()[static_cast<std::size_t>(p)].title;
      return problem(
          Refusal::forbidden, "permission.denied",
          {"角色「" + r->title.zh + "」明确禁止" + title.zh + "；什么也没有改变",
           "The role \"" + r->title.en + "\" forbids to " + title.en + "; nothing was changed"});
    }
    if (basis.empty() && r->allow.has(p)) basis = "role:" + r->id;
  }
  if (basis.empty()) return missing_permission(p);
  return basis;
}

Result<std::string> Identity::Impl::may_in(const Principal& who, Permission p, std::string_view org,
                                           std::string_view pointer) const {
  const bool known = orgs.contains(std::string(org));
  auto basis = may(who, p, known ? org : std::string_view(root));
  if (basis && !known) return unknown_org(pointer);
  return basis;
}

PermissionSet Identity::Impl::allowed_at(const Principal& who, std::string_view org) const {
  PermissionSet set;
  for (const auto& p : permissions()) {
    if (may(who, p.id, org).ok()) set.add(p.id);
  }
  return set;
}

Status Identity::Impl::recent(const Principal& who) const {
  if (who.is_system() || who.is_token())
    return done();  // a token cannot answer; its scopes were chosen
  if (clock.now_ms() - who.authenticated_at <= options.recent_ms) return done();
  return problem(Refusal::forbidden, "session.step-up-required",
                 {"此操作需要再次确认身份：请输入密码，然后重试；什么也没有改变",
                  "This act needs you to prove yourself again: give your password and retry; "
                  "nothing was changed"});
}

Result<std::string> Identity::may(const Principal& who, Permission p, std::string_view org) const {
  return impl_->may(who, p, org);
}

Status Identity::recent(const Principal& who) const { return impl_->recent(who); }

std::vector<std::string> Identity::orgs_where(const Principal& who, Permission p) const {
  std::vector<std::string> out;
  for (const auto& [id, org] : impl_->orgs) {
    if (impl_->may(who, p, id).ok()) out.push_back(id);
  }
  return out;
}

std::vector<std::string> Identity::permissions_of(const Principal& who) const {
  PermissionSet set;
  for (const auto& p : permissions()) {
    bool somewhere = std::any_of(impl_->orgs.begin(), impl_->orgs.end(), [&](const auto& o) {
      return impl_->may(who, p.id, o.first).ok();
    });
    if (somewhere) set.add(p.id);
  }
  return set.names();
}

}  // namespace cw
