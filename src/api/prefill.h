// What a case already knows of a form that somebody opens: the facts of the same names, what was
// last filed with this form, and what its fields name in `from` (docs/formats/form.md).
#pragma once

#include "duty.h"

namespace cw::api {

struct PrefillSourceOut {
  std::string field, from;  // "event", "urgent.summary"
  Text title;               // of what it comes from
};
BOOST_DESCRIBE_STRUCT(PrefillSourceOut, (), (field, from, title))

struct PrefillOut {
  std::string form;
  json::object values;
  std::vector<PrefillSourceOut> sources;
  std::vector<DutyOut> duties;  // what law asks of this filing
  bool reason_due = false;      // late by now: the form's reason is required
};
BOOST_DESCRIBE_STRUCT(PrefillOut, (), (form, values, sources, duties, reason_due))

// `name`: a task or action of the case's present state that has a form.
Result<PrefillOut> prefill(Call& call, const std::string& case_id, const std::string& name,
                           const std::string& lang);

// A value as people read it: words of a choice, local times, the items of a list.
std::string value_text(const FormField& field, const json::value& value, const std::string& lang);
std::string local_time(std::int64_t ms);  // "2026-11-22 09:42:00", UTC+8: the office's

}  // namespace cw::api
