// What law asks of a filing: to whom it goes, by which article, counted from when, due when, and
// how late it was. Derived from the clocks that take their limit from a regulation and stop with
// the task (docs/formats/regulation.md), and from regulations that ask for this form at once.
#pragma once

#include "record.h"

namespace cw::api {

struct DutyOut {
  std::string regulation, article, limit;  // limit: "4h"; "" = at once
  Text title, instrument, to;              // to: the authority; "" when the regulation has none
  std::string base;                        // the fact it counts from ("discovered_at"), or ""
  Text base_title;
  std::optional<std::int64_t> base_at, due_at, filed_at, late_ms;  // late_ms: only when it was late
  std::string certainty;                                           // read, secondary, unchecked
};
BOOST_DESCRIBE_STRUCT(DutyOut, (),
                      (regulation, article, limit, title, instrument, to, base, base_title, base_at,
                       due_at, filed_at, late_ms, certainty))

// `form`: what is filed; `of`: the task or action that files it; `filed_at` nothing: not yet.
std::vector<DutyOut> duties_of(const Services& s, const CaseRecord& record, const Definition& d,
                               const std::string& form, const std::string& of,
                               std::optional<std::int64_t> filed_at);

}  // namespace cw::api
