// Between memory and an entry's body (docs/formats/case-entries.md): `difference` writes what a
// command changed, `patch` makes it so again. patch(case, difference(case, copy)) equals copy.
#pragma once

#include "impl.h"

namespace cw {

// Values in clear: integers, booleans, enumerations and references as text, times in UTC ms.
json::value fact_json(const FactDef& fact, Value value, const Names& names);
Value fact_value(const FactDef& fact, const json::value& value, Names& names);

// An index that the definition knows, as all in the journal are.
inline int known(int index) {
  CW_CHECK(index >= 0);
  return index;
}

void difference(const Engine::Impl& m, const Case& was, const Case& is, std::int64_t at_ms,
                json::object& body);
void patch(Engine::Impl& m, Case& c, const Entry& entry);
// The same of what few cases have (rare.cpp).
void rare_difference(const Engine::Impl& m, const Case& was, const Case& is, json::object& body);
void patch_rare(Engine::Impl& m, Case& c, const Entry& entry);
// A new case out of a "case.start" entry.
Case started(Engine::Impl& m, const Entry& entry);

}  // namespace cw
