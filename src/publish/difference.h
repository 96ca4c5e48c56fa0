// What differs between two texts, line by line (E. W. Myers, "An O(ND) Difference Algorithm and Its
// Variations", 1986), and between two definitions, part by part. Pure and thread-safe.
//
//   LineDifference d = line_difference(old_text, new_text, 3);
//   for (const DifferenceHunk& h : d.hunks) draw(h.rows);
//   std::vector<PartChange> parts = part_changes(to_json(*v3), to_json(*v4));
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace cw {

struct DifferenceRow {
  enum class Op : std::uint8_t { same, removed, added, changed };
  Op op = Op::same;
  int left = 0, right = 0;  // line numbers from 1; 0 = no line on this side
  std::string left_text, right_text;
  // changed: the part that differs, in code points [from, to).
  int left_from = 0, left_to = 0, right_from = 0, right_to = 0;
};

struct DifferenceHunk {
  std::vector<DifferenceRow> rows;
};

struct LineDifference {
  std::vector<DifferenceHunk> hunks;  // differences with the lines around them
  int removed = 0, added = 0;         // lines
  bool coarse = false;  // too different for the bound: the middle is shown as replaced as a whole
  bool cut = false;     // more than 20,000 rows: the rest is not told
};

// `context`: how many equal lines around a difference are told.
LineDifference line_difference(std::string_view left, std::string_view right, int context);

struct PartChange {
  enum class Op : std::uint8_t { added, removed, changed };
  Op op = Op::changed;
  std::string kind;  // "role", "fact", "level", "flag", "state", "task", "action", "clock", "form",
                     // "field", "head"
  std::string id;    // of a task or action "state.task"
  Text title;
  struct Member {
    std::string name;           // "limit", "by", …
    std::string before, after;  // as JSON; "" = absent; at most 2,000 bytes each
  };
  std::vector<Member> members;  // changed: which
};

// Of two procedures or two forms in the console's JSON. An empty object: all is new or gone.
std::vector<PartChange> part_changes(const json::object& before, const json::object& after);

}  // namespace cw
