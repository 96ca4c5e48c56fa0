// `callwarden rules …` and the benchmark of detection. Reads files and the monotonic clock; one
// thread.
//
//   int exit_code = rules_main({"check", "--json", "content/rules"}, std::cin, std::cout,
//   std::cerr);
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "base/json.h"
#include "detect/detect.h"

namespace cw::detect {

// check  [--json] PATH…                     what compiled, degraded, was rejected and why;
//                                           exit 0 if nothing was rejected
// test   [--json] PATH…                     runs the examples in the rules; exit 0 if all hold
// replay [--json] PATH… --events FILE|-     runs the rules over JSON lines: counts and entities
//        [--logsource product=…,service=…,category=…]
// Common: --placeholder NAME=VALUE[,VALUE…] --set RULE.PARAMETER=VALUE --lang zh|en
// PATH is a file or a folder (*.yml, *.yaml below it, in order of name). Exit 2: wrong command
// line.
int rules_main(const std::vector<std::string>& args, std::istream& in, std::ostream& out,
               std::ostream& err);

// The YAML files under `paths`, read. Refuses a path that cannot be read and names it.
Result<std::vector<RuleFile>> read_rule_files(const std::vector<std::string>& paths);

// The result of one example of one rule.
struct ExampleResult {
  std::uint32_t rule = 0;
  std::size_t example = 0;
  std::size_t firings = 0;
  bool held = false;
};
std::vector<ExampleResult> run_examples(const std::shared_ptr<const RuleSet>& rules);

// Events per second on this thread, all rules on, beside parsing alone in the same run:
// {"rules","events","bytes","events_per_s","parse_only_per_s","ratio_to_parse","compile_ms",…}.
// `corpus` is a folder with sigma/ and otrf-style JSON lines (*.json, *.jsonl); "" takes synthetic
// rules and events.
json::object bench_detect(const std::string& corpus);

}  // namespace cw::detect
