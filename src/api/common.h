// What several groups of endpoints do: name people, open titles, judge access to a case or alert.
#pragma once

#include "endpoint.h"
#include "types.h"

namespace cw::api {

// Names a person for people to read; machines are named by what they are ("clock", "rule:…").
PersonRef person_ref(const Services& s, std::string_view id);  // under the state lock

std::string text_of(const Services& s, const std::string& commitment);  // "" when it is destroyed

// The caller may use the case: it exists and lies where they hold `permission`. A case elsewhere is
// as absent as one that never was, so that ids cannot be probed.
Status may_case(const Call& call, std::string_view case_id, Permission permission);
Status may_alert(const Call& call, std::string_view alert_id, Permission permission);

// The line that names a case in lists: from its start form, "" when there is none.
std::string case_title(const Services& s, const std::string& content);

// Brief forms, with titles opened from the sealed contents.
CaseBrief case_brief(const Services& s, const CaseRow& row);
AlertBrief alert_brief(const Services& s, const watch::Alert& alert);

Written written(const Answer& answer);

Problem no_such(Text what);

template <typename T, typename U, typename F>
Page<T> page_of(const std::vector<U>& items, std::string next, F&& f) {
  Page<T> out;
  for (const auto& item : items) out.items.push_back(f(item));
  if (!next.empty()) out.next = std::move(next);
  return out;
}

}  // namespace cw::api
