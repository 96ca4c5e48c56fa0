// What a command is about to do to one case: a copy that the rules of its procedure change, and
// what must be told and opened because of it. The difference between copy and case becomes the
// entry's body (body.h); applying the entry makes the case equal to the copy. Writer thread only.
#pragma once

#include "impl.h"

namespace cw {

// A child case to be started once the entry stands.
struct Opening {
  std::string case_id, procedure;
  int child = -1;  // index of `as`
  bool drill = false;
  std::optional<json::object> form;
};

// Who stands in a role now; nobody for `any`. The roles that may act or approve in a state.
std::vector<std::string> people_of(const Engine::Impl& m, const Case& c, int role);
std::vector<int> roles_in(const Definition& d, int state);

class Sketch {
 public:
  Sketch(Engine::Impl& impl, const Case& original, std::int64_t now_ms, Name actor);
  ~Sketch();
  Sketch(const Sketch&) = delete;
  Sketch& operator=(const Sketch&) = delete;

  Engine::Impl& m;
  const Installed& in;
  const Definition& d;
  Case c;
  const std::int64_t now;
  const Name actor;

  // The form at hand, for guards, `set` and `each`.
  int form = -1;
  std::vector<Value> values;
  const json::object* filled = nullptr;

  // For the entry's body, and what leaves the engine.
  json::array fired, told;
  std::vector<Notice> notices;
  std::vector<Sending> sendings;
  std::vector<Opening> openings;

  Scope scope() const;
  void take_form(int form_index, const json::object& filled_form);  // values of the form at hand
  void keep_form(const std::string& content);                       // for a later `each`
  void set_form_facts();
  void set_fact(int fact, Value value);
  void assign(const std::vector<Assignment>& list);
  void run(const std::vector<Effect>& effects);

  void begin();              // a new case: its first facts and state
  void perform(int action);  // facts are set; effects, state, clocks
  void amend(int to);        // facts are corrected; `to` -1 keeps the state
  void finish_task(int task, Name doer, int evidence);
  void enter(int state);
  void close();
  void settle();  // level, tasks and clocks follow the facts
  void drop_asked(bool task, int index);

  // One due step of a clock (returns the `upon` action to perform, or -1), or a task's limit.
  int fire_clock(int clock);
  void fire_task(int task);

  void tell(const std::vector<int>& roles, Notice::About about, std::string name, Text text,
            int percent = 0, std::int64_t due_ms = 0);
  std::vector<std::string> people_of(int role) const { return cw::people_of(m, c, role); }
  Notice notice(Notice::About about, std::string name, Text text) const;
  int upon(int clock) const;  // the present state's action upon a clock's expiry, or -1

 private:
  struct Cause {
    Notice::About about = Notice::About::effect;
    std::string name;
    Text text;
    int percent = 0;
    std::int64_t due_ms = 0;
  };

  void settle_level();
  void seat_for(int state);
  void seat(const std::vector<int>& roles);  // who stands in them now may read from now on
  void settle_tasks();
  void open_task(int task);
  void withdraw(int task, Why why);
  bool needed(int task) const;
  void open_children(const Effect& effect);
  std::optional<json::value> form_list(const Effect& effect);

  // clocks.cpp
  void settle_clocks();
  void settle_anchored(int index, bool exists);
  void settle_running(int index, bool exists);
  ClockState& add_clock(int index, std::int64_t since_ms);
  void arm(ClockState& clock);
  void pass(ClockState& clock);  // steps that are due but not yet fired, before it stops
  void stand(ClockState& clock, ClockPhase phase);
  void measure_anew(ClockState& clock);  // a stopped one, by corrected facts
  std::uint64_t flagged() const;         // by fired marks of anchored clocks
  void moment(Moment::Kind kind, int index);
  void stop(int index);
  std::int64_t step_due(const ClockState& clock, int percent) const;
  void fire_step(ClockState& clock);
  void check_late(int task);
  bool runs_in(const ClockDef& clock, int state) const;

  Cause cause_;
  bool dirty_ = false;
  bool amending_ = false;  // the old facts were wrong: nothing is owed to them
};

// amend.cpp: where the correction at hand would move the case (-1 = nowhere); whether it changes
// something and leaves nothing unset that guards rely on; and what it changed, for people.
int amended_state(const Sketch& s);
Status check_amend(const Sketch& after, const Asked& asked);
json::object amended(const Sketch& s, const Case& was, const Asked& asked);

// What conditions may read of a case, without a form.
Scope scope_of(const Engine::Impl& m, const Case& c);

// Whether what is filed by this task or action would be late now: its own limit has passed, or that
// of a clock that stops with it.
bool is_late(const Case& c, const Definition& d, bool task, int index, std::int64_t now_ms);

// Why a person may act, or in both languages why not.
struct Standing {
  int role = -1;
  std::string basis;
  Text why_not;
  bool ok() const { return role >= 0; }
};
// Tries each role in turn, then delegations; separation (`not`) excludes.
Standing standing(const Engine::Impl& m, const Case& c, std::string_view person,
                  const std::vector<int>& roles, std::int64_t now_ms);
// Who may answer a question: a role whose turn it is, never the asker, never twice.
Standing may_answer(const Engine::Impl& m, const Case& c, const Asked& asked,
                    std::string_view person, std::int64_t now_ms);
// Whether the person stands in one role, separation aside.
std::string role_basis(const Engine::Impl& m, const Case& c, std::string_view person, int role);
std::string chief_basis(const Engine::Impl& m, const Case& c, std::string_view person, int level);
// "delegate:per_…" → "per_…", for whom somebody acts; "" when for themselves.
inline std::string_view acted_for(std::string_view basis) {
  constexpr std::string_view delegate = "delegate:";
  return basis.starts_with(delegate) ? basis.substr(delegate.size()) : std::string_view();
}
// Anyone who has something to do with the case: any role but `any`, or took part already.
std::string involvement(const Engine::Impl& m, const Case& c, std::string_view person);
std::vector<Name> participants_of(const Case& c);
// See Readership: true for everybody where the procedure names no readers.
bool may_read(const Engine::Impl& m, const Case& c, std::string_view person);

}  // namespace cw
