// What a case's memory knows of moments under a version that it moves to: whether one has passed,
// and when. The memory keeps when the present state was entered and when the tasks of each state
// were last opened and done; not every action.
#pragma once

#include "remap.h"

namespace cw {

struct Passed {
  enum class Known : std::uint8_t { no, yes, unknown };  // unknown: it may have passed
  Known known = Known::no;
  std::int64_t at_ms = 0;  // yes: the last time
  bool yes() const { return known == Known::yes; }
  bool unknown() const { return known == Known::unknown; }
};

// `was`: the case under the old version; `moved`: the same under the new one, whose moment it is.
// `also`: of a time fact: others, of which the earliest that is set counts.
Passed passed(const Moment& moment, const std::vector<int>& also, const Case& was,
              const Case& moved, const Remap& remap);

}  // namespace cw
