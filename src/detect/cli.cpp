#include "detect/cli.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "base/clock.h"
#include "base/content.h"
#include "base/text.h"
#include "json_stream.h"

namespace cw::detect {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFilesMax = 100'000;
constexpr std::size_t kEntitiesShown = 20;

struct Command {
  std::string verb;
  std::vector<std::string> paths;
  bool as_json = false;
  std::string events, lang = "zh";
  std::string product, service, category;
  LoadOptions load;
};

Problem usage(const std::string& zh, const std::string& en) {
  return problem(Refusal::invalid, "rules.usage", {zh, en});
}

std::pair<std::string, std::string> cut(const std::string& text, char at) {
  std::size_t i = text.find(at);
  if (i == std::string::npos) return {text, {}};
  return {text.substr(0, i), text.substr(i + 1)};
}

Status read_option(Command& command, const std::string& name, const std::string& value) {
  if (name == "--events") {
    command.events = value;
  } else if (name == "--lang" && (value == "zh" || value == "en")) {
    command.lang = value;
  } else if (name == "--logsource") {
    for (std::string_view part : split(value, ',')) {
      auto [key, text] = cut(std::string(part), '=');
      if (key == "product")
        command.product = text;
      else if (key == "service")
        command.service = text;
      else if (key == "category")
        command.category = text;
      else
        return usage("--logsource 应为 product=…,service=…,category=…",
                     "--logsource is product=…,service=…,category=…");
    }
  } else if (name == "--placeholder") {
    auto [key, text] = cut(value, '=');
    for (std::string_view one : split(text, ',')) command.load.placeholders[key].emplace_back(one);
  } else if (name == "--set") {
    auto [key, text] = cut(value, '=');
    std::size_t dot = key.rfind('.');
    if (dot == std::string::npos)
      return usage("--set 应为 规则.参数=值", "--set is RULE.PARAMETER=VALUE");
    command.load.parameters[key.substr(0, dot)][key.substr(dot + 1)] = text;
  } else {
    return usage("不认识的选项 " + name, "unknown option " + name);
  }
  return done();
}

Result<Command> read_command(const std::vector<std::string>& args) {
  Command out;
  if (!args.empty()) out.verb = args[0];
  if (out.verb != "check" && out.verb != "test" && out.verb != "replay") {
    return usage("用法：rules check|test|replay 路径…", "usage: rules check|test|replay PATH…");
  }
  for (std::size_t i = 1; i < args.size(); ++i) {
    if (args[i] == "--json") {
      out.as_json = true;
    } else if (args[i].starts_with("--")) {
      auto [name, value] = cut(args[i], '=');
      if (args[i].find('=') == std::string::npos) {
        if (i + 1 == args.size()) return usage(name + " 缺少取值", name + " needs a value");
        value = args[++i];
      }
      if (auto status = read_option(out, name, value); !status) return status.problem();
    } else {
      out.paths.push_back(args[i]);
    }
  }
  if (out.paths.empty()) return usage("请给出规则文件或目录", "name a rule file or folder");
  if (out.verb == "replay" && out.events.empty()) {
    return usage("请用 --events 给出事件文件（- 为标准输入）",
                 "name the events with --events FILE (- is standard input)");
  }
  return out;
}

json::object text_json(const Text& text) { return {{"zh", text.zh}, {"en", text.en}}; }

json::object report_json(const RuleReport& r) {
  json::array reasons;
  for (const Mistake& m : r.reasons) {
    reasons.push_back(json::object{{"line", m.line},
                                   {"column", m.column},
                                   {"code", m.code},
                                   {"zh", m.text.zh},
                                   {"en", m.text.en}});
  }
  return {{"file", r.path},
          {"line", r.line},
          {"id", r.id},
          {"title", r.title},
          {"kind", to_string(r.kind)},
          {"outcome", to_string(r.outcome)},
          {"reasons", std::move(reasons)}};
}

json::object counts_json(const RuleSet& rules) {
  return {{"compiled", rules.count(Outcome::compiled)},
          {"degraded", rules.count(Outcome::degraded)},
          {"rejected", rules.count(Outcome::rejected)}};
}

int run_check(const Command& command, const RuleSet& rules, std::ostream& out) {
  json::object answer = counts_json(rules);
  if (command.as_json) {
    json::array list;
    for (const RuleReport& r : rules.reports()) list.push_back(report_json(r));
    answer["rules"] = std::move(list);
    out << json::serialize(answer) << "\n";
  } else {
    for (const RuleReport& r : rules.reports()) {
      for (const Mistake& m : r.reasons) {
        out << to_string(r.outcome) << "  " << describe(m, command.lang) << "\n";
      }
    }
    out << "compiled " << rules.count(Outcome::compiled) << "  degraded "
        << rules.count(Outcome::degraded) << "  rejected " << rules.count(Outcome::rejected)
        << "\n";
  }
  return rules.count(Outcome::rejected) == 0 ? 0 : 1;
}

int run_test(const Command& command, const std::shared_ptr<const RuleSet>& rules,
             std::ostream& out) {
  std::vector<ExampleResult> results = run_examples(rules);
  std::size_t failed = 0;
  json::array list;
  for (const ExampleResult& result : results) {
    const RuleInfo& rule = rules->rules()[result.rule];
    const Example& example = rule.examples[result.example];
    std::string_view wanted = example.fires ? "fires" : "silent";
    failed += !result.held;
    list.push_back(json::object{{"rule", rule.id},
                                {"file", rule.path},
                                {"line", example.line},
                                {"name", example.name},
                                {"wanted", wanted},
                                {"firings", result.firings},
                                {"held", result.held}});
    if (command.as_json || result.held) continue;
    out << rule.path << ":" << example.line << ": " << rule.title.in(command.lang) << ": " << wanted
        << " " << example.name << ": " << result.firings << "\n";
  }
  std::size_t untested = 0;
  for (const RuleInfo& rule : rules->rules()) untested += rule.examples.empty() && rule.alerts;
  std::size_t rejected = rules->count(Outcome::rejected);
  if (command.as_json) {
    out << json::serialize(json::object{{"examples", results.size()},
                                        {"failed", failed},
                                        {"rules_without_examples", untested},
                                        {"rejected", rejected},
                                        {"results", std::move(list)}})
        << "\n";
  } else {
    for (const RuleReport& r : rules->reports()) {
      if (r.outcome != Outcome::rejected) continue;
      for (const Mistake& m : r.reasons) out << describe(m, command.lang) << "\n";
    }
    out << "examples " << results.size() << "  failed " << failed << "  rules without examples "
        << untested << "  rejected " << rejected << "\n";
  }
  return failed == 0 && rejected == 0 ? 0 : 1;
}

// What a replay adds up.
class Replay {
 public:
  Replay(const Command& command, std::shared_ptr<const RuleSet> rules)
      : command_(command), rules_(rules), detector_(rules), tallies_(rules->rules().size()) {}

  void read(std::istream& in) {
    JsonStream stream(in, EventLimits{}.size_max);
    EventBuilder builder;
    std::string text;
    std::vector<Firing> fired;
    std::int64_t now = 0;
    while (stream.next(text)) {
      auto event = builder.read(text);
      if (!event) {
        ++refused_;
        continue;
      }
      ++events_;
      if (!command_.product.empty()) event->logsource.product = command_.product;
      if (!command_.service.empty()) event->logsource.service = command_.service;
      if (!command_.category.empty()) event->logsource.category = command_.category;
      const LogSource& s = event->logsource;
      unrouted_ += s.product.empty() && s.service.empty() && s.category.empty();
      now = std::max(now, event->time_ms);
      fired.clear();
      detector_.feed(*event, now, fired);
      count(fired);
    }
    fired.clear();
    detector_.tick(now + 40LL * 86'400'000, fired);
    count(fired);
  }

  json::object answer() const {
    json::array list;
    for (std::size_t i = 0; i < tallies_.size(); ++i) {
      if (tallies_[i].firings > 0) list.push_back(rule_json(i));
    }
    CorrelatorStats stats = detector_.stats();
    return {{"events", events_},
            {"refused", refused_},
            {"without_logsource", unrouted_},
            {"firings", firings_},
            {"late", stats.late},
            {"evicted_groups", stats.evicted_groups},
            {"evicted_events", stats.evicted_events},
            {"rules", std::move(list)}};
  }

  void print(std::ostream& out) const {
    out << "events " << events_ << "  refused " << refused_ << "  without log source " << unrouted_
        << "  firings " << firings_ << "\n";
    for (std::size_t i = 0; i < tallies_.size(); ++i) {
      if (tallies_[i].firings == 0) continue;
      const RuleInfo& rule = rules_->rules()[i];
      out << tallies_[i].firings << "\t" << to_string(rule.level) << "\t"
          << rule.title.in(command_.lang) << "\t" << tallies_[i].entities.size() << " entities\n";
    }
  }

 private:
  struct Tally {
    std::size_t firings = 0;
    std::int64_t first_ms = INT64_MAX, last_ms = INT64_MIN;
    std::map<std::vector<std::pair<std::string, std::string>>, std::size_t> entities;
  };

  void count(std::vector<Firing>& fired) {
    for (Firing& f : fired) {
      ++firings_;
      Tally& tally = tallies_[f.rule];
      ++tally.firings;
      tally.first_ms = std::min(tally.first_ms, f.first_ms);
      tally.last_ms = std::max(tally.last_ms, f.time_ms);
      ++tally.entities[std::move(f.entities)];
    }
  }

  json::object rule_json(std::size_t i) const {
    const RuleInfo& rule = rules_->rules()[i];
    const Tally& tally = tallies_[i];
    std::vector<std::pair<std::size_t, const std::vector<std::pair<std::string, std::string>>*>>
        top;
    for (const auto& [entities, count] : tally.entities) top.emplace_back(count, &entities);
    std::stable_sort(top.begin(), top.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    if (top.size() > kEntitiesShown) top.resize(kEntitiesShown);
    json::array entities;
    for (const auto& [count, values] : top) {
      json::object one{{"count", count}};
      for (const auto& [name, value] : *values) one[name] = value;
      entities.push_back(std::move(one));
    }
    return {{"id", rule.id},
            {"title", text_json(rule.title)},
            {"level", to_string(rule.level)},
            {"warning", to_string(rule.warning)},
            {"firings", tally.firings},
            {"first", to_rfc3339(tally.first_ms)},
            {"last", to_rfc3339(tally.last_ms)},
            {"distinct_entities", tally.entities.size()},
            {"entities", std::move(entities)}};
  }

  const Command& command_;
  std::shared_ptr<const RuleSet> rules_;
  Detector detector_;
  std::vector<Tally> tallies_;
  std::size_t events_ = 0, refused_ = 0, unrouted_ = 0, firings_ = 0;
};

int run_replay(const Command& command, const std::shared_ptr<const RuleSet>& rules,
               std::istream& in, std::ostream& out, std::ostream& err) {
  Replay replay(command, rules);
  if (command.events == "-") {
    replay.read(in);
  } else {
    std::ifstream file(command.events, std::ios::binary);
    if (!file) {
      err << (command.lang == "en" ? "cannot read " : "无法读取 ") << command.events << "\n";
      return 2;
    }
    replay.read(file);
  }
  if (command.as_json) {
    out << json::serialize(replay.answer()) << "\n";
  } else {
    replay.print(out);
  }
  return 0;
}

}  // namespace

Result<std::vector<RuleFile>> read_rule_files(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  std::error_code error;
  for (const std::string& path : paths) {
    if (!fs::is_directory(path, error)) {
      files.push_back(path);
      continue;
    }
    std::vector<std::string> found;
    for (fs::recursive_directory_iterator at(path, error), end; !error && at != end;
         at.increment(error)) {
      std::string extension = at->path().extension().string();
      if ((extension == ".yml" || extension == ".yaml") && at->is_regular_file(error)) {
        found.push_back(at->path().string());
      }
    }
    std::sort(found.begin(), found.end());
    files.insert(files.end(), found.begin(), found.end());
  }
  if (files.size() > kFilesMax) return usage("规则文件太多", "too many rule files");
  std::vector<RuleFile> out;
  for (const std::string& path : files) {
    auto text = content_text(path);
    if (!text) {
      return problem(Refusal::not_found, "rules.unreadable",
                     {"无法读取规则文件 " + path, "cannot read the rule file " + path});
    }
    out.push_back({path, std::move(*text)});
  }
  return out;
}

int rules_main(const std::vector<std::string>& args, std::istream& in, std::ostream& out,
               std::ostream& err) {
  auto command = read_command(args);
  if (!command) {
    err << command.problem().text.zh << "\n" << command.problem().text.en << "\n";
    return 2;
  }
  auto files = read_rule_files(command->paths);
  if (!files) {
    err << files.problem().text.in(command->lang) << "\n";
    return 2;
  }
  auto rules = RuleSet::load(*files, command->load);
  if (command->verb == "check") return run_check(*command, *rules, out);
  if (command->verb == "test") return run_test(*command, rules, out);
  return run_replay(*command, rules, in, out, err);
}

}  // namespace cw::detect
