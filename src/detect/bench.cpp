#include <simdjson.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/clock.h"
#include "base/random.h"
#include "compiled.h"
#include "detect/cli.h"
#include "json_stream.h"

namespace cw::detect {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kEventsMax = 60'000;
constexpr std::size_t kBytesMax = 200 << 20;
constexpr int kSyntheticRules = 3'000;
constexpr int kSyntheticEvents = 20'000;

std::string word(Random& random, std::size_t size) {
  std::string out(size, 'a');
  for (char& c : out) c = static_cast<char>('a' + random.below(26));
  return out;
}

// Rules like the public ones: a program's name and parts of its command line, or a file's path.
std::vector<RuleFile> synthetic_rules(Random& random) {
  std::vector<RuleFile> out;
  for (int i = 0; i < kSyntheticRules; ++i) {
    bool file = i % 4 == 0;
    std::string text = "title: synthetic " + std::to_string(i) + "\nid: s" + std::to_string(i) +
                       "\nlogsource:\n  product: windows\n  category: " +
                       (file ? "file_event" : "process_creation") + "\ndetection:\n  selection:\n";
    text += std::string("    ") + (file ? "TargetFilename" : "Image") + "|endswith: '\\" +
            word(random, 6) + ".exe'\n";
    if (!file) {
      text += "    CommandLine|contains:\n";
      for (int k = 0; k < 6; ++k) text += "      - ' " + word(random, 4 + random.below(8)) + "'\n";
    }
    text += "  filter:\n    User|contains: '" + word(random, 5) + "'\n";
    text += "  condition: selection and not filter\n";
    out.push_back({"synthetic-" + std::to_string(i) + ".yml", text});
  }
  return out;
}

// Process creations of about 700 bytes.
std::vector<std::string> synthetic_events(Random& random) {
  std::vector<std::string> programs;
  for (int i = 0; i < 200; ++i) programs.push_back(word(random, 6));
  std::vector<std::string> out;
  for (int i = 0; i < kSyntheticEvents; ++i) {
    const std::string& program = programs[random.below(programs.size())];
    json::object event{
        {"Channel", "Microsoft-Windows-Sysmon/Operational"},
        {"EventID", i % 5 == 0 ? 11 : 1},
        {"UtcTime", "2026-01-01 00:00:00.000"},
        {"Computer", "ws-" + std::to_string(random.below(500)) + ".example.org"},
        {"ProcessGuid", "{" + word(random, 32) + "}"},
        {"ProcessId", static_cast<std::int64_t>(random.below(60'000))},
        {"Image", "C:\\Windows\\System32\\" + program + ".exe"},
        {"TargetFilename",
         "C:\\Users\\" + word(random, 7) + "\\AppData\\" + word(random, 9) + ".dat"},
        {"CommandLine", "C:\\Windows\\System32\\" + program + ".exe /" + word(random, 8) + " " +
                            word(random, 24) + " --" + word(random, 6) + "=" + word(random, 40)},
        {"CurrentDirectory", "C:\\Windows\\system32\\"},
        {"User", "EXAMPLE\\user" + std::to_string(random.below(800))},
        {"ParentImage", "C:\\Windows\\explorer.exe"},
        {"ParentCommandLine", "C:\\Windows\\Explorer.EXE"},
        {"Hashes", "MD5=" + word(random, 32) + ",SHA256=" + word(random, 64)}};
    out.push_back(json::serialize(event));
  }
  return out;
}

std::vector<std::string> events_under(const std::string& folder) {
  std::vector<std::string> files, out;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    std::string extension = at->path().extension().string();
    bool sigma = at->path().string().find("/sigma/") != std::string::npos;
    if (!sigma && (extension == ".json" || extension == ".jsonl"))
      files.push_back(at->path().string());
  }
  std::sort(files.begin(), files.end());
  std::size_t bytes = 0, of_each = files.empty() ? 0 : kEventsMax / files.size() + 1;
  for (const std::string& file : files) {
    std::ifstream in(file, std::ios::binary);
    JsonStream stream(in, EventLimits{}.size_max);
    std::string text;
    for (std::size_t n = 0; n < of_each && bytes < kBytesMax && stream.next(text); ++n) {
      bytes += text.size();
      out.push_back(text);
    }
  }
  return out;
}

template <typename Work>
double per_second(std::size_t count, Work work) {
  SystemClock clock;
  std::int64_t start = clock.monotonic_ns();
  work();
  return static_cast<double>(count) * 1e9 / static_cast<double>(clock.monotonic_ns() - start + 1);
}

// The baseline: every value of every event visited by simdjson, nothing kept.
std::size_t visit(simdjson::dom::element element) {
  std::size_t n = 1;
  if (element.is_object()) {
    for (auto member : simdjson::dom::object(element)) n += visit(member.value);
  } else if (element.is_array()) {
    for (auto one : simdjson::dom::array(element)) n += visit(one);
  }
  return n;
}

}  // namespace

json::object bench_detect(const std::string& corpus) {
  SeededRandom random(1);
  SystemClock clock;
  std::vector<RuleFile> files;
  std::vector<std::string> events;
  if (!corpus.empty()) {
    events = events_under(corpus);
    if (fs::is_directory(corpus + "/sigma")) {
      std::vector<std::string> folders;
      for (const auto& entry : fs::directory_iterator(corpus + "/sigma")) {
        if (entry.path().filename().string().starts_with("rules"))
          folders.push_back(entry.path().string());
      }
      if (auto read = read_rule_files(folders); read) files = std::move(*read);
    }
  }
  bool own_rules = files.empty(), own_events = events.empty();
  if (own_rules) files = synthetic_rules(random);
  if (own_events) events = synthetic_events(random);
  std::size_t bytes = 0;
  for (const std::string& e : events) bytes += e.size();

  std::int64_t start = clock.monotonic_ns();
  auto rules = RuleSet::load(files);
  double load_ms = static_cast<double>(clock.monotonic_ns() - start) / 1e6;
  std::size_t pattern_bytes = 0;
  for (const FieldIndex& field : rules->impl().index.fields) pattern_bytes += field.bytes();

  simdjson::dom::parser parser;
  std::size_t visited = 0, refused = 0, fields = 0;
  double parse = per_second(events.size(), [&] {
    for (const std::string& e : events) {
      simdjson::dom::element root;
      if (!parser.parse(e).get(root)) visited += visit(root);
    }
  });
  EventBuilder builder;
  double read = per_second(events.size(), [&] {
    for (const std::string& e : events) {
      auto event = builder.read(e);
      if (event) fields += event->fields.size();
    }
  });
  Detector detector(rules);
  std::vector<Firing> fired;
  std::size_t firings = 0;
  double all = per_second(events.size(), [&] {
    for (const std::string& e : events) {
      auto event = builder.read(e);
      if (!event) {
        ++refused;
        continue;
      }
      fired.clear();
      detector.feed(*event, event->time_ms, fired);
      firings += fired.size();
    }
  });
  return {{"rules", rules->rules().size()},
          {"rules_synthetic", own_rules},
          {"events", events.size()},
          {"events_synthetic", own_events},
          {"refused", refused},
          {"bytes_per_event", bytes / std::max<std::size_t>(events.size(), 1)},
          {"fields_per_event", fields / std::max<std::size_t>(events.size(), 1)},
          {"values_visited", visited},
          {"firings", firings},
          {"events_per_s", all},
          {"simdjson_only_per_s", parse},
          {"read_only_per_s", read},
          {"ratio_to_simdjson", all / parse},
          {"load_ms", load_ms},
          {"pattern_bytes", pattern_bytes},
          {"predicates", rules->impl().predicates.all().size()},
          {"instruction_set", matcher_instruction_set()}};
}

}  // namespace cw::detect
