// The main job, told step by step through the same modules as the live server: an attack in a real
// telephone system's log becomes an alert, an incident, and a closed, verified record. Each step is
// checked; the first that did not happen ends the story. One thread, a clock that the story moves.
//
//   Story story(installation, clock, centre, std::cout);
//   bool all = story.attack() && story.respond() && story.recover() && story.verify();
#pragma once

#include <iosfwd>
#include <string>

#include "base/clock.h"
#include "centre.h"

namespace cw {

class Story {
 public:
  Story(Installation& installation, ManualClock& clock, const Centre& centre, std::ostream& out);

  bool attack();   // log lines → rule → alert → taken → promoted
  bool respond();  // activated, tasks, a missed limit raises the level, command taken, reports
  bool recover();  // released, observed, investigated, corrective actions, closed
  bool verify();   // checkpoint, every entry, one proof, state after a restart of memory
  int steps() const { return steps_; }
  const std::string& case_id() const { return case_; }

 private:
  bool step(const char* zh, const char* en, bool happened);
  bool command(const char* zh, const char* en, Result<Decide> decide);
  bool act(const char* zh, const char* en, const std::string& who, const std::string& action,
           json::object form);
  bool task(const char* zh, const char* en, const std::string& who, const std::string& task,
            json::object form, int evidence = 0);
  bool corrective(const std::string& id, const std::string& owner);
  std::string state(const std::string& id) const;
  std::string now() const { return to_rfc3339(clock_.now_ms()); }
  void pass(std::int64_t minutes);

  Installation& in_;
  ManualClock& clock_;
  const Centre& centre_;
  std::ostream& out_;
  std::string alert_, case_;
  int steps_ = 0;
};

// Lines of an Asterisk security log: `count` refused registrations from one address.
std::string asterisk_attack(std::int64_t now_ms, int count, const std::string& address,
                            int first = 0);

}  // namespace cw
