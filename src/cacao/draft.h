// A procedure that is being made out of a playbook: states and what leads out of them, before they
// are written as YAML. Plain data.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace cw::cacao {

struct DraftTask {
  std::string id, title, form, when, limit;
  std::vector<std::string> by;
};

struct DraftAction {
  enum class Kind { automatic, person, upon };
  std::string id;
  Text title;
  Kind kind = Kind::automatic;
  std::string condition;  // automatic: fires it; person: its guard, may be empty
  std::string clock;      // upon
  int to = -1;
};

struct DraftState {
  std::string id;
  Text title;
  bool final = false;
  std::string open, as;  // enter: a child case
  std::vector<DraftTask> tasks;
  std::vector<DraftAction> actions;
  std::string pointer;  // the step it came from
};

struct DraftClock {
  std::string id, limit;
  Text title;
  int state = -1;
};

struct DraftForm {
  std::string id;
  std::string text;  // YAML
};

// Makes the states fit the rules of docs/formats/procedure.md: circles of automatic actions get a
// person, states that no way leads to go, states with no way to an end get an action `stop`.
struct Mended {
  std::vector<int> asked;    // states where a circle was given to a person
  std::vector<int> stopped;  // states that got `stop`
  std::size_t dropped = 0;   // states that nothing reached
};
Mended mend(std::vector<DraftState>& states, std::vector<DraftClock>& clocks, int& start);

}  // namespace cw::cacao
