// Plays one story (docs/formats/scenario.md): the lines of a file against a small call centre, and
// what came of them. One thread.
//
//   Player player(lines);
//   std::string with_bars = player.play();
//   Ends ends = player.ends();  // {"plan.fire", {"closed", "dismissed"}}, …
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/text.h"
#include "calendar/calendar.h"
#include "world_test.h"

namespace cw {

namespace fs = std::filesystem;

inline constexpr std::string_view kMark = "  | ";

// Content that opens by itself would speak into every story: a schedule runs only where the story
// brings its own file.
inline std::string without_schedule(const std::string& text) {
  std::string out;
  bool inside = false;
  std::stringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line[0] != ' ' && line[0] != '#') inside = line.starts_with("schedule:");
    if (!inside) out += line + "\n";
  }
  return out;
}

inline std::vector<std::pair<std::string, std::string>> content_files() {
  std::vector<std::pair<std::string, std::string>> out;
  for (const char* kind : {"procedures", "forms", "calendars", "regulations"})
    for (const auto& e : fs::directory_iterator(fs::path(CW_SOURCE_DIR) / "content" / kind))
      if (e.path().extension() == ".yaml")
        out.emplace_back(std::string(kind) + "/" + e.path().filename().string(),
                         without_schedule(*read_file(e.path().string())));
  return out;
}

// What ships, read once; a story with files of its own reads everything anew.
inline const Library& shipped() {
  static const Library library = [] {
    std::vector<Mistake> mistakes;
    Library all = Library::from_texts(content_files(), mistakes);
    for (const Mistake& m : mistakes) ADD_FAILURE() << describe(m, "en");
    return all;
  }();
  return library;
}

using Ends = std::map<std::string, std::set<std::string>>;

// One scenario: the lines of its file, and what came of them.
class Player {
 public:
  explicit Player(std::vector<std::string> lines) : lines_(std::move(lines)) {}

  std::string play() {
    for (at_ = 0; at_ < lines_.size(); ++at_) {
      std::string line = lines_[at_];
      if (line.starts_with(kMark) || line == "  |") continue;  // what was recorded before
      out_ += line + "\n";
      if (line.empty() || line[0] == '#') continue;
      try {
        step(words(line));
      } catch (const std::exception& e) {
        say(std::string("!! ") + e.what());
      }
    }
    return out_;
  }

  // The final states that the story's cases came to rest in, by procedure.
  Ends ends() {
    Ends out;
    if (!world_) return out;
    for (const auto& [name, id] : cases_) {
      if (!world_->journal->read([&] { return world_->engine->exists(id); })) continue;
      CaseView v = world_->view(id);
      if (v.closed) out[v.procedure].insert(v.state);
    }
    return out;
  }

 private:
  using Words = std::vector<std::string>;

  // Words; "…" and {…} are one word each.
  static Words words(std::string_view line) {
    Words out;
    for (std::size_t i = 0; i < line.size();) {
      if (line[i] == ' ') {
        ++i;
        continue;
      }
      std::size_t from = i;
      if (line[i] == '"') {
        i = line.find('"', i + 1);
        if (i == std::string_view::npos) throw std::runtime_error("an open quote");
        out.emplace_back(line.substr(from + 1, i++ - from - 1));
      } else if (line[i] == '{') {
        int depth = 0;
        bool quoted = false;
        do {
          if (line[i] == '"') quoted = !quoted;
          if (!quoted) depth += line[i] == '{' ? 1 : line[i] == '}' ? -1 : 0;
        } while (++i < line.size() && depth > 0);
        out.emplace_back(line.substr(from, i - from));
      } else {
        while (i < line.size() && line[i] != ' ') ++i;
        out.emplace_back(line.substr(from, i - from));
      }
    }
    return out;
  }

  void say(const std::string& text) { out_ += std::string(kMark) + text + "\n"; }

  World& world() {
    if (!world_) {
      Library library = own_files_.empty() ? shipped() : with_own_files();
      zone_ = library.calendar("cn-office");
      world_ = std::make_unique<World>(std::move(library));
      world_->people.holds = people_;
    }
    return *world_;
  }

  Library with_own_files() {
    std::vector<Mistake> mistakes;
    auto files = content_files();
    files.insert(files.end(), own_files_.begin(), own_files_.end());
    Library library = Library::from_texts(files, mistakes);
    for (const Mistake& m : mistakes) say("!! " + describe(m, "en"));
    return library;
  }

  std::string local(std::int64_t ms) { return zone_->local(ms).substr(5, 11).replace(5, 1, " "); }

  void step(Words w) {
    static const std::map<std::string, std::string> kWords = {
        {"假如", "given"},    {"当", "when"},      {"那么", "then"},      {"并且", "when"},
        {"是", "is"},         {"发起", "starts"},  {"执行", "acts"},      {"办理", "does"},
        {"同意", "approves"}, {"退回", "rejects"}, {"接管", "takes"},     {"认领", "claims"},
        {"指派", "assigns"},  {"记录", "notes"},   {"委托", "delegates"}, {"并入", "merges"},
        {"关联", "links"},    {"关注", "watches"}, {"时间", "time"},      {"经过", "passes"},
        {"到", "reaches"},    {"文件", "file"},    {"时钟", "clock"},     {"可见", "sees"},
        {"重启", "restart"},  {"重发", "repeats"}, {"清单", "list"},      {"记为", "as"},
        {"为", "for"},        {"演练", "drill"}};
    for (std::string& x : w)
      if (auto it = kWords.find(x); it != kWords.end()) x = it->second;
    std::string head = w.at(0);
    w.erase(w.begin());
    if (head == "given")
      given(w);
    else if (head == "when" || head == "and")
      when(w);
    else if (head == "then")
      then(w);
    else
      throw std::runtime_error("a line begins with given, when, and, then");
  }

  void given(const Words& w) {
    if (w.at(0) == "file") {
      std::string text;
      while (at_ + 1 < lines_.size() && lines_[at_ + 1].starts_with("    ")) {
        text += lines_[++at_].substr(4) + "\n";
        out_ += lines_[at_] + "\n";
      }
      own_files_.emplace_back(w.at(1), text);
    } else if (w.at(0) == "time") {
      world().clock.set_ms(zone_of_day(w.at(1)));
    } else {
      for (std::size_t i = 2; i < w.size(); ++i) people_[w.at(0)].insert(w[i]);
      if (w.size() == 2) people_[w.at(0)];
      if (world_) world_->people.holds = people_;
    }
  }

  std::int64_t zone_of_day(const std::string& text) {
    world();
    auto ms = zone_->from_local(text);
    if (!ms) throw std::runtime_error("not a time: " + text);
    return *ms;
  }

  std::string id_of(const std::string& name) {
    auto it = cases_.find(name);
    return it == cases_.end() ? world().journal->read([&] { return world().engine->id_of(name); })
                              : it->second;
  }

  json::object form_in(const Words& w) {
    for (const std::string& x : w)
      if (x.starts_with("{")) {
        std::string text = x;
        // "@-10m" is ten minutes ago: a time without arithmetic in the story.
        for (std::size_t i; (i = text.find("\"@-")) != std::string::npos;) {
          std::size_t end = text.find('"', i + 1);
          auto span = parse_span(text.substr(i + 3, end - i - 3));
          std::int64_t ago = span->amount * (span->unit == Unit::minute ? 60'000
                                             : span->unit == Unit::hour ? 3'600'000
                                                                        : 86'400'000);
          text.replace(i, end - i + 1, "\"" + to_rfc3339(world().clock.now_ms() - ago) + "\"");
        }
        auto v = parse_json(text);
        if (!v) throw std::runtime_error("not JSON: " + text);
        return v->as_object();
      }
    return {};
  }

  std::vector<std::string> evidence_in(const Words& w) {
    for (std::size_t i = 0; i + 1 < w.size(); ++i)
      if (w[i] == "evidence")
        return std::vector<std::string>(std::stoul(w[i + 1]), "sha256:" + std::string(64, 'e'));
    return {};
  }

  // "C.contain" → the case and the name.
  std::pair<std::string, std::string> target(const std::string& text) {
    std::size_t dot = text.find('.');
    return {id_of(text.substr(0, dot)), dot == std::string::npos ? "" : text.substr(dot + 1)};
  }

  void when(const Words& w) {
    if (w.at(0) == "time") return pass(w);
    if (w.at(0) == "restart") return restart();
    if (w.at(0) == "file") return publish(w);
    World& x = world();
    const std::string &who = w.at(0), &verb = w.at(1);
    auto [id, name] =
        verb == "starts" || w.size() < 3 ? std::pair<std::string, std::string>{} : target(w.at(2));
    By by{id, who, std::nullopt};
    std::uint64_t from = x.journal->size();
    auto say_answer = [&](const Result<Answer>& a) {
      if (!a)
        refused(a.problem());
      else
        entries(from);
    };
    std::string command =
        verb == "repeats" ? last_command_ : "test-command-" + std::to_string(++commands_);
    if (verb == "repeats") {
      Result<Answer> a = x.run(last_, command);
      if (a) say("repeated: entries " + std::to_string(a->first) + " +" + std::to_string(a->count));
      say_answer(a);
      return;
    }
    last_command_ = command;
    if (verb == "starts") return start(w, command);
    if (verb == "acts")
      last_ = x.engine->act(by, name, evidence_in(w), form_in(w));
    else if (verb == "does")
      last_ = x.engine->do_task(by, name, evidence_in(w), form_in(w));
    else if (verb == "approves")
      last_ = x.engine->approve(by, std::stoul(w.at(3)));
    else if (verb == "rejects")
      last_ = x.engine->reject(by, std::stoul(w.at(3)), w.at(4));
    else if (verb == "takes")
      last_ = x.engine->take_command(by, w.at(3));
    else if (verb == "claims")
      last_ = x.engine->claim(by, name);
    else if (verb == "assigns")
      last_ = x.engine->assign(by, name, w.at(3));
    else if (verb == "notes")
      last_ = x.engine->note(by, {.what = w.at(3)});
    else if (verb == "decides")
      last_ = x.engine->note(by, {true, w.at(3), w.at(4), w.at(5)});
    else if (verb == "delegates")
      last_ = x.engine->delegate(by, w.at(3), zone_of_day(w.at(4)));
    else if (verb == "admits" || verb == "excludes")
      last_ = x.engine->set_reader(by, w.at(3), verb == "admits", w.at(4));
    else if (verb == "merges")
      last_ = x.engine->merge(by, id_of(w.at(3)));
    else if (verb == "links")
      last_ = x.engine->link(by, id_of(w.at(3)));
    else if (verb == "watches")
      last_ = x.engine->watch(by, true);
    else
      throw std::runtime_error("unknown verb " + verb);
    say_answer(x.run(last_, command));
  }

  void start(const Words& w, const std::string& command) {
    World& x = world();
    StartCase s{.procedure = w.at(2), .org = "org_sh", .actor = w.at(0), .form = form_in(w)};
    std::string as;
    for (std::size_t i = 3; i + 1 < w.size(); ++i) {
      if (w[i] == "as") as = w[i + 1];
      if (w[i] == "for") s.subject = w[i + 1];
      if (w[i] == "drill") s.mode = CaseMode::drill, s.compress = std::stoi(w[i + 1]);
    }
    std::uint64_t from = x.journal->size();
    last_ = x.engine->start(s);
    Result<Answer> a = x.run(last_, command);
    if (!a) return refused(a.problem());
    cases_[as] = std::string(text_or(a->body, "case"));
    entries(from);
  }

  void publish(const Words& w) {
    std::string text;
    while (at_ + 1 < lines_.size() && lines_[at_ + 1].starts_with("    ")) {
      text += lines_[++at_].substr(4) + "\n";
      out_ += lines_[at_] + "\n";
    }
    auto files = content_files();
    own_files_.emplace_back(w.at(1), text);
    std::map<std::string, std::string> latest(own_files_.begin(), own_files_.begin());
    for (const auto& [name, body] : own_files_) latest[name] = body;
    files.insert(files.end(), latest.begin(), latest.end());
    std::vector<Mistake> mistakes;
    Library library = Library::from_texts(files, mistakes);
    for (const Mistake& m : mistakes) say("!! " + describe(m, "en"));
    World& x = world();
    x.use(library);
    if (!x.run(x.engine->adopt(library))) say("!! not adopted");
  }

  void pass(const Words& w) {
    World& x = world();
    std::uint64_t from = x.journal->size();
    if (w.at(1) == "reaches") {
      x.clock.set_ms(zone_of_day(w.at(2)));
    } else {
      auto span = parse_span(w.at(2));
      if (!span) throw std::runtime_error("not a span: " + w.at(2));
      std::int64_t unit = span->unit == Unit::minute ? 60'000
                          : span->unit == Unit::hour ? 3'600'000
                                                     : 86'400'000;
      x.clock.advance_ms(span->amount * unit);
    }
    if (w.back() != "unseen") x.engine->run_due(*x.journal);
    say("now " + local(x.clock.now_ms()));
    entries(from);
  }

  void restart() {
    World& x = world();
    std::vector<std::string> before = x.state();
    std::vector<std::string> views;
    x.journal->snapshot();
    x.restart(true);
    say(std::string("from its snapshot: ") + (x.state() == before ? "the same" : "DIFFERENT"));
    x.restart(false);
    say(std::string("by replay alone: ") + (x.state() == before ? "the same" : "DIFFERENT"));
  }

  void refused(const Problem& p) {
    say("refused " + p.code + ": " + p.text.en);
    for (const FieldProblem& f : p.fields)
      if (f.text.en != p.text.en || !f.pointer.empty()) say("  " + f.pointer + ": " + f.text.en);
  }

  // ---- telling what happened -------------------------------------------------------------------

  std::string named(const std::string& id) {
    for (const auto& [name, known] : cases_)
      if (known == id) return name;
    std::string name = "case" + std::to_string(++unnamed_);
    cases_[name] = id;
    return name;
  }

  std::string value(const json::value& v) {
    if (v.is_string()) {
      std::string s(v.as_string());
      return s.starts_with("cas_") ? named(s) : s.starts_with("hmac") ? "sealed" : s;
    }
    if (v.is_int64() && v.as_int64() > 1'000'000'000'000) return local(v.as_int64());
    if (v.is_object()) {
      std::string out;
      for (const auto& [key, x] : v.as_object()) {
        if (key == "is") continue;
        bool span = key == "used" || key == "budget" || key == "used_natural";
        out += std::string(out.empty() ? "" : ", ") + std::string(key) + " " +
               (span ? std::to_string(x.as_int64() / 60'000) + "m" : value(x));
      }
      auto* is = v.as_object().if_contains("is");
      return (is ? std::string(is->as_string()) + (out.empty() ? "" : ", ") : "") + out;
    }
    if (v.is_array()) {
      std::string out;
      for (const json::value& x : v.as_array()) out += (out.empty() ? "" : "; ") + value(x);
      return out.empty() ? "nobody" : out;
    }
    return v.is_null() ? "unset" : json::serialize(v);
  }

  void entries(std::uint64_t from) {
    World& x = world();
    for (const std::string& bytes : x.journal->entries(from, 10'000)) {
      Result<Entry> parsed = Entry::parse(bytes);
      const Entry& e = *parsed;
      if (!e.kind.starts_with("case.") || e.kind == "case.adopt") continue;
      if (e.kind == "case.schedule") {
        say("schedule " + e.name + ": " + value(e.body));
        continue;
      }
      std::string line =
          named(e.case_id) + " " + e.kind.substr(5) + " " + e.name + " by " + e.actor;
      if (!e.basis.empty()) line += " (" + value(json::string(e.basis)) + ")";
      if (!e.content.empty()) line += " sealed";
      say(line);
      std::vector<std::string> keys;
      for (const auto& member : e.body) keys.emplace_back(member.key());
      std::sort(keys.begin(), keys.end());
      for (const std::string& key : keys) {
        const json::value& v = e.body.at(key);
        if (key == "role" || key == "form" || key == "org") continue;
        if (key == "tasks" || key == "clocks")
          for (const auto& [id, state] : v.as_object())
            say("    " + key.substr(0, key.size() - 1) + " " + std::string(id) + ": " +
                value(state));
        else
          say("    " + key + ": " + value(v));
      }
    }
  }

  void then(const Words& w) {
    World& x = world();
    if (w.at(0) == "list") return listed(w);
    auto [id, name] = target(w.at(0));
    if (w.size() > 1 && w.at(1) == "clock") return clock(id, w.at(2));
    if (w.size() > 1 && w.at(1) == "read") return readers(id, w);
    std::string viewer = w.size() > 2 && w[1] == "sees" ? w[2] : "";
    CaseView v = x.view(id, viewer);
    say(v.number + " " + v.procedure + "@" + std::to_string(v.version) + " " + v.state +
        (v.closed ? " closed" : "") + (v.level.empty() ? "" : ", level " + v.level) +
        (v.brief_due ? ", brief due" : "") + (v.mode == CaseMode::drill ? ", drill" : ""));
    for (const std::string& f : v.flags) say("  flag " + f);
    for (const TaskView& t : v.tasks) {
      constexpr const char* kPhases[] = {"open", "asked", "done", "withdrawn"};
      say("  task " + t.id + " " + kPhases[static_cast<int>(t.phase)] +
          (t.why.empty() ? "" : " (" + t.why + ")") + (t.late ? " late" : "") +
          (t.due_ms ? " due " + local(t.due_ms) : "") + (t.can ? " yours" : ""));
    }
    for (const ActionView& a : v.actions)
      if (!viewer.empty()) say("  action " + a.id + (a.can ? ": may" : ": " + a.why_not.en));
    for (const ClockView& k : v.clocks) clock_line(k);
    for (const ApprovalView& a : v.approvals)
      say("  approval " + std::to_string(a.id) + " of " + a.name + (a.can ? ": may" : ""));
    for (const LinkView& l : v.links)
      say("  " + l.kind + " " + l.as + (l.as.empty() ? "" : " ") + named(l.id) + " " + l.state +
          (l.closed ? " closed" : ""));
  }

  // "then C read by li wang": who of them may, and whether their lists show it.
  void readers(const std::string& id, const Words& w) {
    World& x = world();
    for (std::size_t i = 3; i < w.size(); ++i) {
      CaseFilter f{.orgs = {"org_sh"}, .drill = -1};
      bool may = false;
      x.journal->read([&] {
        may = x.engine->may_read(id, w[i]);
        f.restricted = x.engine->readable(w[i]);
      });
      std::int64_t counted = 0;
      bool listed = false;
      Status s = x.views->read(x.journal->size(), [&](Database& db) {
        const Result<CasePage> page = CaseList::find(db, f);
        for (const CaseRow& row : page->rows) listed |= row.id == id;
        for (const auto& [state, n] : CaseList::counts(db, f)) counted += n;
      });
      if (!s) return refused(s.problem());
      say(w[i] + (may ? " reads it" : " does not") + (listed ? ", listed" : ", not listed") +
          ", counts " + std::to_string(counted));
    }
  }

  void clock_line(const ClockView& k) {
    constexpr const char* kPhases[] = {"counting", "still", "stopped", "lifted"};
    say("  clock " + k.id + " " + kPhases[static_cast<int>(k.phase)] + " " + k.limit + ", used " +
        std::to_string(k.used_ms / 60'000) + "m of " + std::to_string(k.budget_ms / 60'000) +
        "m, " + std::to_string(k.percent) + " %" + (k.due_ms ? ", due " + local(k.due_ms) : "") +
        (k.missed ? ", missed" : "") + (k.provisional ? ", provisional" : ""));
  }

  void clock(const std::string& id, const std::string& name) {
    World& x = world();
    auto story = x.journal->read([&] { return x.engine->explain(id, name); });
    if (!story) return refused(story.problem());
    say(story->sentence.zh);
    say(story->sentence.en);
    for (const Segment& s : story->segments)
      say("  " + local(s.from_ms) + " – " + local(s.to_ms) + (s.counted ? " + " : "   ") +
          s.why.en);
  }

  void listed(const Words& w) {
    World& x = world();
    WorkFilter f{.targets = {w.begin() + 1, w.end()}, .orgs = {"org_sh"}};
    Status s = x.views->read(x.journal->size(), [&](Database& db) {
      Result<WorkPage> page = CaseList::work(db, f);
      for (const WorkRow& r : page->rows)
        say(r.kind + " " + named(r.case_id) + "." + r.name +
            (r.due_ms ? " due " + local(r.due_ms) : "") + (r.late ? " late" : "") +
            (r.assignee.empty() ? "" : " for " + r.assignee));
    });
    if (!s) refused(s.problem());
  }

  std::vector<std::string> lines_;
  std::size_t at_ = 0;
  std::string out_;
  std::unique_ptr<World> world_;
  std::shared_ptr<const Calendar> zone_;
  std::map<std::string, std::set<std::string>, std::less<>> people_;
  std::vector<std::pair<std::string, std::string>> own_files_;
  std::map<std::string, std::string> cases_;
  Result<Decide> last_{Decide{}};
  std::string last_command_;
  int commands_ = 0, unnamed_ = 0;
};

}  // namespace cw
