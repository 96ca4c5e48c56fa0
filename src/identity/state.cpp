// What entries do to memory. Nothing is judged here: what is in the journal happened.
#include "state.h"

#include <algorithm>

#include "base/text.h"

namespace cw {

PersonRecord* Identity::Impl::find(std::string_view person) {
  auto it = person_by_id.find(std::string(person));
  return it == person_by_id.end() ? nullptr : it->second;
}

const PersonRecord* Identity::Impl::find(std::string_view person) const {
  return const_cast<Impl*>(this)->find(person);
}

const PersonRecord* Identity::Impl::find_login(std::string_view login) const {
  if (!is_utf8(login)) return nullptr;
  auto it = person_by_login.find(fold(login));
  return it == person_by_login.end() ? nullptr : it->second;
}

PersonRecord& Identity::Impl::add(PersonRecord record) {
  PersonRecord& p = people.emplace_back(std::move(record));
  person_by_id[p.facts.id] = &p;
  index_staff_no(p, p.facts.staff_no);
  return p;
}

void Identity::Impl::index_staff_no(PersonRecord& p, std::string staff_no) {
  if (auto it = person_by_staff_no.find(p.facts.staff_no);
      it != person_by_staff_no.end() && it->second == &p) {
    person_by_staff_no.erase(it);
  }
  p.facts.staff_no = std::move(staff_no);
  if (!p.facts.staff_no.empty()) person_by_staff_no[p.facts.staff_no] = &p;
}

void Identity::Impl::forget_profile(PersonRecord& p) {
  if (auto it = person_by_login.find(fold(p.facts.login));
      it != person_by_login.end() && it->second == &p) {
    person_by_login.erase(it);
  }
  for (auto* s : {&p.facts.name, &p.facts.login, &p.facts.email, &p.facts.phone})
    wipe(*s), s->clear();
  p.folded = fold(p.facts.staff_no);
}

void Identity::Impl::fill_profile(PersonRecord& p, std::string_view text) {
  forget_profile(p);
  auto parsed = parse_json(text);
  if (!parsed || !parsed->is_object()) return;
  const auto& o = parsed->get_object();
  p.facts.name = std::string(text_or(o, "name"));
  p.facts.login = std::string(text_or(o, "login"));
  p.facts.email = std::string(text_or(o, "email"));
  p.facts.phone = std::string(text_or(o, "phone"));
  person_by_login[fold(p.facts.login)] = &p;
  p.folded = fold(p.facts.name + "\n" + p.facts.login + "\n" + p.facts.staff_no);
}

const SessionRecord* Identity::Impl::live_session(const std::string& id) const {
  auto it = sessions.find(id);
  return it == sessions.end() ? nullptr : &it->second;
}

void Identity::Impl::add_session(SessionRecord s) {
  session_by_hash[s.hash] = s.id;
  sessions_of[s.person].push_back(s.id);
  s.seen.at = s.since;
  sessions[s.id] = std::move(s);
}

void Identity::Impl::drop_session(const std::string& id) {
  auto it = sessions.find(id);
  if (it == sessions.end()) return;
  session_by_hash.erase(it->second.hash);
  auto of = sessions_of.find(it->second.person);
  std::erase(of->second, id);
  if (of->second.empty()) sessions_of.erase(of);
  sessions.erase(it);
}

void Identity::Impl::end_sessions_of(const std::string& person, std::string_view except) {
  auto of = sessions_of.find(person);
  if (of == sessions_of.end()) return;
  for (const auto& id : std::vector<std::string>(of->second)) {
    if (id != except) drop_session(id);
  }
}

// Expired sessions leave memory when their number has doubled: amortised, and the same on replay.
void Identity::Impl::prune_sessions(std::int64_t now_ms) {
  if (sessions.size() < prune_at) return;
  std::vector<std::string> gone;
  for (const auto& [id, s] : sessions) {
    if (s.expires_at <= now_ms) gone.push_back(id);
  }
  for (const auto& id : gone) drop_session(id);
  prune_at = std::max<std::size_t>(1024, sessions.size() * 2);
}

void Identity::Impl::add_token(TokenRecord t) {
  token_by_hash[t.hash] = t.facts.id;
  tokens[t.facts.id] = std::move(t);
}

PersonRecord* Identity::Impl::person_to_change(const Entry& e) {
  PersonRecord* p = find(text_or(e.body, "person"));
  return p != nullptr && e.seq >= p->seen ? p : nullptr;
}

void Identity::Impl::on_person_added(const Entry& e) {
  if (find(text_or(e.body, "person")) != nullptr) return;  // in a loaded slice
  PersonRecord p = person_from(e.body);
  p.facts.added_at = e.at_ms;
  p.profile = e.content;
  PersonRecord& added = add(std::move(p));
  if (auto it = pending.find(e.content); it != pending.end()) fill_profile(added, it->second);
}

void Identity::Impl::on_person_changed(const Entry& e) {
  PersonRecord* p = person_to_change(e);
  if (p == nullptr) return;
  if (e.body.contains("org")) p->facts.org = std::string(text_or(e.body, "org"));
  if (e.body.contains("lang")) p->facts.lang = std::string(text_or(e.body, "lang"));
  if (e.body.contains("staff_no")) index_staff_no(*p, std::string(text_or(e.body, "staff_no")));
  if (!e.content.empty()) p->profile = e.content;
  if (auto it = pending.find(e.content); it != pending.end()) fill_profile(*p, it->second);
}

void Identity::Impl::on_person_active(const Entry& e) {
  bool active = bool_or(e.body, "active");
  if (PersonRecord* p = person_to_change(e)) p->facts.active = active;
  if (active || !core_to_change(e)) return;
  std::string person(text_or(e.body, "person"));
  end_sessions_of(person, "");
  for (auto& [id, t] : tokens) {
    if (t.facts.made_by == person) t.facts.revoked = true;
  }
}

void Identity::Impl::on_person_erased(const Entry& e) {
  PersonRecord* p = person_to_change(e);
  if (p == nullptr) return;
  forget_profile(*p);
  p->profile.clear();
  p->password.clear();
  p->totp.clear();
  p->facts.has_password = p->facts.totp = false;
  p->erased = true;
}

void Identity::Impl::on_password_set(const Entry& e) {
  if (PersonRecord* p = person_to_change(e)) {
    p->password = e.content;
    p->password_owner = std::string(text_or(e.body, "credential"));
    p->facts.has_password = true;
    p->facts.must_change_password = bool_or(e.body, "one_time");
    p->one_time_until = int_or(e.body, "until");
    if (e.actor != p->facts.id) p->reset_ms = e.at_ms;
  }
  if (core_to_change(e))
    end_sessions_of(std::string(text_or(e.body, "person")), text_or(e.body, "session"));
}

void Identity::Impl::on_totp_set(const Entry& e) {
  PersonRecord* p = person_to_change(e);
  if (p == nullptr) return;
  p->totp = e.content;
  p->totp_owner = std::string(text_or(e.body, "credential"));
  p->totp_step = int_or(e.body, "step");
  p->recovery_used.clear();
  p->facts.totp = true;
}

void Identity::Impl::on_totp_removed(const Entry& e) {
  PersonRecord* p = person_to_change(e);
  if (p == nullptr) return;
  p->totp.clear();
  p->totp_owner.clear();
  p->facts.totp = false;
  if (e.actor != p->facts.id) p->reset_ms = e.at_ms;
}

void Identity::Impl::on_recovery_used(const Entry& e) {
  if (PersonRecord* p = person_to_change(e)) p->recovery_used.push_back(int_or(e.body, "index"));
}

void Identity::Impl::on_granted(const Entry& e) {
  PersonRecord* p = person_to_change(e);
  if (p == nullptr) return;
  p->facts.grants.push_back(
      {std::string(text_or(e.body, "role")), std::string(text_or(e.body, "org"))});
}

void Identity::Impl::on_withdrawn(const Entry& e) {
  PersonRecord* p = person_to_change(e);
  if (p == nullptr) return;
  std::erase_if(p->facts.grants, [&](const Grant& g) {
    return g.role == text_or(e.body, "role") && g.org == text_or(e.body, "org");
  });
}

void Identity::Impl::on_signed_in(const Entry& e) {
  if (PersonRecord* p = person_to_change(e)) {
    p->facts.signed_in_at = e.at_ms;
    p->totp_step = std::max(p->totp_step, int_or(e.body, "step"));
  }
  if (!core_to_change(e)) return;
  prune_sessions(e.at_ms);
  SessionRecord s;
  s.id = std::string(text_or(e.body, "session"));
  s.person = std::string(text_or(e.body, "person"));
  s.hash = std::string(text_or(e.body, "hash"));
  s.since = s.authenticated_at = e.at_ms;
  s.expires_at = int_or(e.body, "expires_at");
  add_session(std::move(s));
}

void Identity::Impl::on_stepped_up(const Entry& e) {
  if (PersonRecord* p = person_to_change(e))
    p->totp_step = std::max(p->totp_step, int_or(e.body, "step"));
  if (!core_to_change(e)) return;
  if (auto it = sessions.find(std::string(text_or(e.body, "session"))); it != sessions.end()) {
    it->second.authenticated_at = e.at_ms;
  }
}

void Identity::Impl::on_signed_out(const Entry& e) {
  if (core_to_change(e)) drop_session(std::string(text_or(e.body, "session")));
}

void Identity::Impl::on_org(const Entry& e) {
  if (!core_to_change(e)) return;
  Org org = org_from(e.body);
  if (org.parent.empty()) root = org.id;
  orgs[org.id] = std::move(org);
}

void Identity::Impl::on_role(const Entry& e) {
  if (!core_to_change(e)) return;
  Role r = role_from(e.body);
  roles[r.id] = std::move(r);
}

void Identity::Impl::on_post(const Entry& e) {
  if (!core_to_change(e)) return;
  Post p = post_from(e.body);
  posts[{p.org, p.id}] = std::move(p);
}

void Identity::Impl::on_team(const Entry& e) {
  if (!core_to_change(e)) return;
  Team t = team_from(e.body);
  teams[{t.org, t.id}] = std::move(t);
}

void Identity::Impl::on_queue(const Entry& e) {
  if (!core_to_change(e)) return;
  Queue q = queue_from(e.body);
  queues[{q.org, q.procedure}] = std::move(q);
}

void Identity::Impl::on_token_added(const Entry& e) {
  if (!core_to_change(e)) return;
  TokenRecord t = token_from(e.body);
  t.facts.added_at = e.at_ms;
  t.label = e.content;
  if (auto it = pending.find(e.content); it != pending.end()) t.facts.label = it->second;
  add_token(std::move(t));
}

void Identity::Impl::on_token_revoked(const Entry& e) {
  if (!core_to_change(e)) return;
  auto it = tokens.find(std::string(text_or(e.body, "token")));
  if (it != tokens.end()) it->second.facts.revoked = true;
}

const std::unordered_map<std::string_view, Identity::Impl::Apply>& Identity::Impl::verbs() {
  static const std::unordered_map<std::string_view, Apply> table = {
      {"person-added", &Impl::on_person_added},
      {"person-changed", &Impl::on_person_changed},
      {"person-active", &Impl::on_person_active},
      {"person-erased", &Impl::on_person_erased},
      {"password-set", &Impl::on_password_set},
      {"totp-set", &Impl::on_totp_set},
      {"totp-removed", &Impl::on_totp_removed},
      {"recovery-used", &Impl::on_recovery_used},
      {"granted", &Impl::on_granted},
      {"withdrawn", &Impl::on_withdrawn},
      {"signed-in", &Impl::on_signed_in},
      {"stepped-up", &Impl::on_stepped_up},
      {"signed-out", &Impl::on_signed_out},
      {"org-set", &Impl::on_org},
      {"role-set", &Impl::on_role},
      {"post-set", &Impl::on_post},
      {"delegated", &Impl::on_delegated},
      {"delegation-ended", &Impl::on_delegation_ended},
      {"team-set", &Impl::on_team},
      {"queue-set", &Impl::on_queue},
      {"token-added", &Impl::on_token_added},
      {"token-revoked", &Impl::on_token_revoked},
  };
  return table;
}

// Kinds without an effect on memory (identity.refused, identity.throttled) are records only.
void Identity::apply(const Entry& entry) {
  std::string_view verb = std::string_view(entry.kind).substr(prefix().size() + 1);
  auto it = Impl::verbs().find(verb);
  if (it != Impl::verbs().end()) (*impl_.*it->second)(entry);
  impl_->next_seq = entry.seq + 1;
}

}  // namespace cw
