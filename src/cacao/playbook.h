// A stranger's playbook, read and checked: every step known by type, every reference leading
// somewhere. What is not understood is kept as JSON for the report. Immutable after reading.
//
//   Result<Playbook> playbook = parse_playbook(value);
//   const Step& first = playbook->steps[playbook->start];
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace cw::cacao {

struct Variable {
  std::string name;  // without its underscores
  std::string type, description, value;
  bool has_value = false, constant = false, external = false;
};

struct Step {
  enum class Kind { start, end, action, playbook, parallel, either, loop, choice };
  Kind kind = Kind::end;
  std::string id, name, description, pointer;
  const json::object* raw = nullptr;  // lives as long as the value that was parsed
  std::int64_t delay_ms = 0, timeout_ms = 0;
  int next = -1;          // on_completion or on_success: index of a step, or -1
  int failure = -1;       // on_failure
  int yes = -1, no = -1;  // either, loop: on_true, on_false
  std::string condition;  // either, loop; choice: its `switch`
  std::vector<std::pair<std::string, int>> cases;  // choice
  std::vector<int> branches;                       // parallel
  std::string playbook_id;                         // playbook
  std::string agent;                               // action
  std::vector<std::string> targets, out_args;      // out_args without underscores
  std::vector<Variable> variables;                 // step_variables
};

struct Agent {
  std::string type, name, description;
};

struct Playbook {
  std::string id, name, description, created, modified;
  bool revoked = false;
  std::string valid_until;
  std::vector<Step> steps;  // in the file's order
  int start = -1, exception = -1;
  std::map<std::string, Agent> agents, targets;
  std::vector<Variable> variables;
  const json::object* raw = nullptr;
};

// Borrows `value`. The Problem names every fault by its JSON pointer, at most 100.
Result<Playbook> parse_playbook(const json::value& value);

// "/workflow/a~1b": one more part of a JSON pointer (RFC 6901).
std::string pointer_to(std::string_view base, std::string_view part);

}  // namespace cw::cacao
