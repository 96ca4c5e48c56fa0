// What several groups of endpoints do: name people, open titles, judge access to a case or alert.
#pragma once

#include "endpoint.h"
#include "types.h"

namespace cw::api {

// Names a person for people to read; machines are named by what they are ("clock", "rule:…").
PersonRef person_ref(const Services& s, std::string_view id);  // under the state lock

std::string text_of(const Services& s, const std::string& commitment);  // "" when it is destroyed

// The caller may use the case: it exists, lies where they hold `permission`, and is not kept to
// readers that they are not among, whatever else they hold. Any other case is as absent as one that
// never was, so that ids cannot be probed. Every way to one case goes through here, every list
// through let_see, every mention of a case elsewhere through case_ref.
Status may_case(const Call& call, std::string_view case_id, Permission permission);
// Where the caller may read cases, and which restricted ones: for a CaseFilter or a WorkFilter.
template <typename Filter>
void let_see(const Call& call, Filter& filter) {
  filter.orgs = call.orgs(Permission::case_read);
  filter.restricted = call.s.journal.read([&] { return call.s.engine.readable(call.who.actor); });
}
// Id and number of a case that something else names; nothing when it is restricted and `who` is no
// reader. Under the state lock.
std::optional<CaseRef> case_ref(const Services& s, const Principal& who, const std::string& id);
// Whether the caller may read the case. Under the state lock.
bool sees_case(const Services& s, const Principal& who, std::string_view case_id);
Status may_alert(const Call& call, std::string_view alert_id, Permission permission);

// The same for a person, and for an organisation that a path names: one out of reach is as absent
// as one that never was. Who may read of somebody but not act is told so.
Status may_person(const Call& call, std::string_view person, Permission permission);
Status may_org(const Call& call, std::string_view org, Permission permission);

// The line that names a case in lists: from its start form, "" when there is none.
std::string case_title(const Services& s, const std::string& content);

// Brief forms, with titles opened from the sealed contents.
CaseBrief case_brief(const Services& s, const CaseRow& row);
AlertBrief alert_brief(const Call& call, const watch::Alert& alert);

Written written(const Answer& answer);
Result<Written> written(Result<Answer> answer);

Problem no_such(Text what);

template <typename T, typename U, typename F>
Page<T> page_of(const std::vector<U>& items, std::string next, F&& f) {
  Page<T> out;
  for (const auto& item : items) out.items.push_back(f(item));
  if (!next.empty()) out.next = std::move(next);
  return out;
}

}  // namespace cw::api
