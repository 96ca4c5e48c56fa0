// A procedure's definition: read from YAML, checked as a whole, typed and interned to small indices
// so that the engine never looks up a name (docs/formats/procedure.md). Immutable: thread-safe.
//
//   std::vector<Mistake> mistakes;
//   Library library = Library::load(content, mistakes);
//   std::shared_ptr<const Definition> plan = library.procedure("plan.customer-leak");
//   const ActionDef& release = plan->actions[plan->action(state, "release")];
//   if (release.guard.holds(scope)) ...
#pragma once

#include <filesystem>
#include <iosfwd>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "calendar/calendar.h"
#include "language/form.h"

namespace cw {

// ---- expressions ---------------------------------------------------------------------------

// What an expression may read. Facts, form fields and tasks are in their definition's order.
struct Scope {
  std::span<const Value> facts;  // by index in Definition::facts; null_value = unset
  std::span<const Value> form;   // by index in the form at hand; empty where there is none
  bool tasks_done = false;       // every required task of the state is done
  std::uint64_t tasks = 0;       // bit i: the i-th task of the state (StateDef::tasks) is done
                                 //        or not required
  std::uint64_t children = 0;    // bit i: all children opened as Definition::children[i] are
                                 //        closed (also when none was opened)
  Value actor = null_value;      // the acting person, interned
};

enum class Truth : std::uint8_t { no, yes, unknown };

// A compiled condition. Pure, total, no allocation while evaluating. Reading something unset is
// `unknown`, which && and || absorb as CEL absorbs errors. At publishing it is proved that a
// guard or an `auto` never reads an unset fact; a `when` that is unknown means "not yet required".
class Expression {
 public:
  bool empty() const { return code_.empty(); }  // no condition was written
  Truth evaluate(const Scope& scope) const;     // `yes` when empty
  bool holds(const Scope& scope) const { return evaluate(scope) == Truth::yes; }
  const std::string& source() const { return source_; }
  const std::vector<int>& facts() const { return facts_; }  // the facts it reads, sorted
  bool reads_tasks() const;
  bool reads_task(std::size_t i) const;  // the state's i-th: by name, or all by `tasks.done`

 private:
  friend class ExpressionCompiler;
  enum class Op : std::uint8_t {
    literal,
    fact,
    field,
    actor,
    has_fact,
    has_field,
    tasks_done,
    task_done,
    child_done,
    equal,
    unequal,
    less,
    at_most,
    greater,
    at_least,
    in,
    negate,
    both,
    either
  };
  struct Step {
    Op op;
    std::int64_t operand;  // a literal, an index, or for `in` how many literals follow
  };
  std::vector<Step> code_;  // postfix
  std::vector<int> facts_;
  std::string source_;
};

// ---- the parts of a definition -------------------------------------------------------------

struct RoleDef {
  enum class Kind : std::uint8_t { any, post, level_chief, team, queue, field, subject };
  std::string id;
  Text title;
  Kind kind = Kind::any;
  std::string name;        // post or team
  int fact = -1;           // field: the fact that holds the person
  std::vector<int> apart;  // `not`: roles; who acted in one of them on this case may not act here
};

struct FactDef {
  std::string id;
  Text title;
  FieldType type = FieldType::integer;  // boolean, integer, time, enumeration, reference
  std::vector<std::string> values;      // enumeration: least first
  std::vector<Text> words;              // the same in zh and en; empty when nothing names them
  std::int64_t minimum = 0, maximum = 0;
  std::string ref;
  int ordinal(std::string_view value) const;  // -1 when it is none of them
};

// A form as this definition uses it.
struct FormUse {
  std::shared_ptr<const Form> form;
  std::vector<int> facts;  // per field: the fact it sets, or -1
};

// A limit: none, one span, or one per ordinal of a key fact.
struct Limit {
  struct Edition {
    std::int64_t from_ms;
    std::vector<Span> spans;
  };
  std::vector<Span> spans;        // of the latest edition
  int key = -1;                   // fact index; -1 = spans[0] always
  std::string regulation;         // where the limit comes from; empty when written here
  std::vector<Edition> editions;  // with a regulation: as it changed, oldest first
  bool none() const { return spans.empty(); }
};

struct Assignment {
  enum class From : std::uint8_t { literal, actor, now, field };
  int fact = -1;
  From from = From::literal;
  Value literal = null_value;  // null_value clears the fact
  int field = -1;              // of the form at hand
};

struct Effect {
  enum class Kind : std::uint8_t { set, raise, notify, open, flag, require, link, send };
  Kind kind = Kind::flag;
  std::vector<Assignment> set;  // set
  int raise = 0;                // raise: by how many levels
  std::vector<int> roles;       // notify, send: to whom
  std::string procedure;        // open: the child's definition
  int child = -1;               // open: index in Definition::children (`as`), or -1
  int form = -1, field = -1;    // open, `each`: one child per item of this list in the case's
                                //   latest such form, and the item fills the child's start form
                                //   (checked at loading). -1 = one child, with an empty form
  bool drill = false;           // open: `mode: drill`
  int flag = -1;                // flag: index in Definition::flags
  int task = -1;                // require: index in Definition::tasks
  int fact = -1;                // link: a reference fact that holds a case
  Text text;                    // send
};

// A second person. Without `ordered` any `quorum` different people of the roles; with it, one
// of each role in turn. Never the person who asks.
struct Approval {
  std::vector<int> roles;
  int quorum = 0;  // 0 = no approval asked
  bool ordered = false;
};

struct TaskDef {
  std::string id;
  Text title;
  int state = -1;
  std::vector<int> by;  // roles
  int form = -1;        // index in Definition::forms, or -1
  Expression when;      // required while it holds; empty = always
  Limit limit;
  std::string calendar;      // of the limit
  std::vector<Effect> late;  // when the limit passes; the work goes on
  std::vector<Assignment> set;
  std::vector<Effect> effects;  // `do`: when it is done
  Approval approve;
  int evidence = 0;       // how many files at least
  bool outbound = false;  // leaves the house: recorded with a receipt
};

struct ActionDef {
  enum class Kind : std::uint8_t { person, automatic, upon };
  std::string id;
  Text title;
  int state = -1;
  Kind kind = Kind::person;
  std::vector<int> by;  // person: roles
  int form = -1;
  Expression guard;      // person; may read form.<field>
  Expression condition;  // automatic: fires when true
  int clock = -1;        // upon: fires when this clock expires
  int to = -1;           // state; -1 = the state is kept, nothing re-enters
  std::vector<Assignment> set;
  std::vector<Effect> effects;  // `do`
  Approval approve;
  bool outbound = false;
  bool repeat = false;
  bool amend = false;  // the correction that Definition::amend gives every state
  bool once = false;   // derived: at most once per stay in the state. True when it keeps the state,
                       // changes no fact and is not marked `repeat`
};

// How a running case is corrected: who asks, who approves, which facts may be given other values
// (never none, since guards rely on what is surely set), which states the case may be moved to.
// Each state that is not final has the action "amend" for it, with a form that follows from the
// facts.
struct Amendment {
  std::vector<int> by;  // roles; empty = the procedure has no such section
  Approval approve;
  std::vector<int> facts, states;
  int form = -1;  // has no file: its `source` is empty. Fields: the facts, `state`, `reason`
  bool none() const { return by.empty(); }
};

// Who may read a case, where not everybody with the permission may: who stands in one of `roles`,
// who may act or approve in its present state, who took part, and whom somebody in `by` let in.
// Standing counts for who stood there when the role began to read (docs/formats/procedure.md).
struct Readership {
  std::vector<int> roles,
      by;  // roles; both empty = everybody who may read cases of the organisation
  bool none() const { return roles.empty(); }
};

struct StateDef {
  std::string id;
  Text title;
  std::vector<int> tasks;  // indices, in the file's order; at most 64
  std::vector<int> actions;
  std::vector<Effect> enter;
  bool final = false;
  std::vector<int>
      needs;            // facts that every way into it has set and entering does not: guards rely
                        //   on them
  int retain_days = 0;  // final: how long the case is kept; 0 = not said
  // Derived: roles (post, team, chief) on whom a case waits here once no task is open, because only
  // a person's action leads on, or because one waits for the tasks.
  std::vector<int> deciders;
};

struct Moment {
  enum class Kind : std::uint8_t { none, start, fact, task, action, state };
  Kind kind = Kind::none;  // start = filing; task = done; action = taken; state = entered
  int index = -1;
};

struct Mark {
  int percent = 0;  // of the limit, 1–1000; ascending in ClockDef::marks
  std::vector<Effect> effects;
};

struct ClockDef {
  enum class Kind : std::uint8_t { anchored, running };
  std::string id;
  Text title;
  Kind kind = Kind::anchored;
  Expression when;              // exists while it holds; empty = always. A clock without one that
                                //   stops at a task takes that task's: who need not do it is
                                //   never late
  Moment from, stop;            // anchored. `stop` none = the case's end
  std::vector<int> also;        // `from` a list of time facts: those after the first; the earliest
                                //   of those that are set counts
  std::vector<int> run;         // running: states; stands still elsewhere
  bool reset_on_entry = false;  // running: counts anew whenever one of `run` is entered from
                                //          a state outside `run`
  Limit limit;
  std::string calendar;
  std::vector<Mark> marks;
  bool wait = false;                    // time that only passes: compressed in a drill
  bool expires = false;                 // some action is `upon` it
  std::vector<int> from_facts() const;  // all time facts it may count from
};

// When a procedure opens cases by itself: a round of inspection, a review, a yearly plan. A slot is
// a moment on the calendar's clock; slots follow from the first day alone, never from what
// happened.
struct Schedule {
  enum class Unit : std::uint8_t { day, workday, week, month, year };
  int every = 0;  // 0 = no schedule
  Unit unit = Unit::day;
  int minute = 0;               // of the day, in the calendar's zone
  std::string calendar;         // its zone and workdays
  std::int64_t first = 0;       // the first day, in days since 1970-01-01
  bool workday = false;         // a slot on a day off moves to the next workday
  std::string org = "root";     // "root", "each", or a kind: "hq", "province", "centre"
  json::object form;            // fills the start form; "now" in a time field = the opening
  std::vector<Assignment> set;  // facts outside the form
  bool none() const { return every == 0; }
  // The first slot after a moment (UTC ms); nothing when the calendar's years end before it.
  std::optional<std::int64_t> next(const Calendar& by, std::int64_t after_ms) const;
};

struct Definition {
  std::string id;
  int version = 0;
  Text title;
  std::vector<std::string> basis;   // the laws it rests on
  std::string calendar;             // id in content/calendars
  std::vector<std::string> levels;  // least first; empty when there is only one
  std::vector<Text> level_titles;   // as many
  std::vector<RoleDef> roles;
  std::vector<FactDef> facts;  // when `levels` is not empty, facts[0] is "level"
  int floor_key = -1;          // the fact whose value sets a floor for the level, or -1
  std::vector<int> floor;      // per ordinal of that fact: the least level
  std::vector<FormUse> forms;
  std::vector<StateDef> states;
  std::vector<TaskDef> tasks;  // of all states
  std::vector<ActionDef> actions;
  std::vector<ClockDef> clocks;
  std::vector<std::string> children;  // the names of `as`; at most 64
  std::vector<std::string> flags;
  std::vector<Text> flag_titles;  // as many
  std::vector<int> start_by;      // roles
  int start_form = -1;
  int start_state = -1;
  std::vector<Assignment> start_set;
  Amendment amend;
  Readership readers;
  Schedule schedule;
  std::string source;  // the file's text

  // Indices by name, -1 when unknown.
  int state(std::string_view name) const;
  int task(int in_state, std::string_view name) const;  // among the tasks of that state
  int action(int in_state, std::string_view name) const;
  int clock(std::string_view name) const;
  int role(std::string_view name) const;
  int fact(std::string_view name) const;
  int form(std::string_view name) const;
};

// The span that applies: by the key's value; while the key is unset, the shortest of the table
// under `calendar`, so that not knowing never loosens a limit. Of a regulation, the edition in
// force at `base_ms`, the moment it is counted from. Needs !limit.none().
Span span_for(const Limit& limit, std::span<const Value> facts, const Calendar& calendar,
              std::int64_t base_ms = INT64_MAX);

// The filled form as values, by field index (see value_of).
std::vector<Value> form_values(const Definition& definition, const FormUse& use,
                               const json::object& filled, const InternRef& intern);

// ---- regulations ----------------------------------------------------------------------------

// One duty of law or of a standard, in numbers, as it changed over time
// (docs/formats/regulation.md). Words such as `duty` and `certainty` are those of the page.
struct Regulation {
  struct Edition {
    std::int64_t from_ms = INT64_MIN, until_ms = INT64_MAX;  // [from, until)
    std::string certainty;
    std::vector<std::pair<std::string, Span>> within;  // by value of `key`; "" = for all
    bool at_once = false;
    std::string keep, every;                                       // "3y", "6mo"
    std::vector<std::pair<std::string, std::int64_t>> thresholds;  // grade → least number
    std::vector<std::pair<std::string, Text>> to;  // by value of `key`; "" = for all
  };
  std::string id;
  int version = 0;
  Text title, instrument, who, when, note, unit;
  std::string article, duty, key, fact, form;
  std::vector<std::string> grades, base;
  std::vector<Edition> editions;  // oldest first
};

// Null when there was a mistake.
std::shared_ptr<const Regulation> read_regulation(std::string_view text, const std::string& file,
                                                  std::vector<Mistake>& mistakes);

// ---- reading --------------------------------------------------------------------------------

// What a procedure may name outside its file.
struct Surroundings {
  std::function<std::shared_ptr<const Form>(std::string_view id)> form;  // null when unknown
  std::function<bool(std::string_view id)> calendar;
  // The id of another procedure's start form; nothing when the procedure is unknown.
  std::function<std::optional<std::string>(std::string_view id)> procedure;
  std::function<std::shared_ptr<const Regulation>(std::string_view id)>
      regulation;                                    // null: unknown
  std::function<bool(std::string_view id)> retired;  // of a procedure: no other may open it
};

// A procedure file (at most 1 MiB) with its tree, for whoever looks into it before it can be read.
struct ParsedDefinition {
  ParsedDefinition(std::string_view text, std::string file);
  std::string_view text;
  std::string file;
  std::vector<Mistake> mistakes;  // of its YAML
  YamlTree tree;
};

// Reads and checks one procedure file. Null when there was a mistake; every mistake is reported
// with its place, in the file's order.
std::shared_ptr<const Definition> read_definition(ParsedDefinition text, const Surroundings& around,
                                                  std::vector<Mistake>& mistakes);
std::shared_ptr<const Definition> read_definition(std::string_view text, const std::string& file,
                                                  const Surroundings& around,
                                                  std::vector<Mistake>& mistakes);

// For the console: everything of the definition with names instead of indices.
json::object to_json(const Definition& definition);
// The procedures that it opens.
std::set<std::string> opened_by(const Definition& definition);
// Its source, its editions (times in UTC ms; absent = unbounded) and how certain each is.
json::object to_json(const Regulation& regulation);

// All of content/: procedures, forms and calendars. Copies share what they hold.
class Library {
 public:
  // Reads content/{procedures,forms,calendars,regulations}/*.yaml. What has a mistake is left out.
  static Library load(const std::filesystem::path& content, std::vector<Mistake>& mistakes);
  // The same from texts: ("procedures/plan.yaml", text), for content that is built in.
  static Library from_texts(const std::vector<std::pair<std::string, std::string>>& files,
                            std::vector<Mistake>& mistakes);

  std::shared_ptr<const Definition> procedure(std::string_view id) const;  // null: not in force
  std::shared_ptr<const Form> form(std::string_view id) const;
  std::shared_ptr<const Calendar> calendar(std::string_view id) const;
  std::shared_ptr<const Regulation> regulation(std::string_view id) const;
  const std::map<std::string, std::shared_ptr<const Regulation>, std::less<>>& regulations() const {
    return regulations_;
  }
  using Procedures = std::map<std::string, std::shared_ptr<const Definition>, std::less<>>;
  const Procedures& procedures() const { return procedures_; }  // those in force
  const std::map<std::string, std::shared_ptr<const Form>, std::less<>>& forms() const {
    return forms_;
  }
  const Calendars& calendars() const { return calendars_; }
  Surroundings surroundings() const;  // borrows this library
  // Of a file that lies anywhere: its forms are those in forms/ or ../forms/ beside it, then this
  // library's; their mistakes are told too. Borrows both.
  Surroundings surroundings(const std::filesystem::path& file,
                            std::vector<Mistake>& mistakes) const;
  // What the library would be with these texts ("procedures/plan.yaml", "forms/triage.yaml") in
  // place of those of the same ids, or beside them. They and every procedure that rests on them are
  // read anew; all others are shared. With a mistake it must not be used.
  Library with(const std::vector<std::pair<std::string, std::string>>& files,
               std::vector<Mistake>& mistakes) const;
  // What the library would be when these procedures are retired: no longer among `procedures()`,
  // remembered in `retired()` as they last were. Each procedure that still opens one is a mistake
  // at its place. A later `with` that has a text of one puts it in force again.
  Library without(const std::set<std::string>& ids, std::vector<Mistake>& mistakes) const;
  const Procedures& retired() const { return retired_; }
  // One in force, or else a retired one as it last was; null when unknown.
  std::shared_ptr<const Definition> remembered(std::string_view id) const;
  // A library of one definition (this library's, or another version of it) and what it opens, with
  // all forms and calendars.
  Library around(std::shared_ptr<const Definition> definition) const;

 private:
  Procedures procedures_, retired_;
  std::map<std::string, std::string, std::less<>> start_forms_;
  std::map<std::string, std::shared_ptr<const Form>, std::less<>> forms_;
  std::map<std::string, std::shared_ptr<const Regulation>, std::less<>> regulations_;
  Calendars calendars_;
};

// `callwarden procedure check [--json] [--lang zh|en] FILE…`, arguments after "check". A form is
// looked for beside the file (`forms/ID.yaml`, `../forms/ID.yaml`), then in `content`. Forms and
// calendars may be given, too. Returns the exit code: 0 no mistake, 1 mistakes, 2 wrong usage or
// an unreadable file.
int procedure_check_main(std::span<const std::string> args, const std::filesystem::path& content,
                         std::ostream& out, std::ostream& err);

}  // namespace cw
