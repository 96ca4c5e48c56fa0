// `callwarden procedure simulate`.
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <fstream>
#include <ostream>

#include "base/content.h"
#include "simulate/simulate.h"

namespace cw {
namespace {

namespace fs = std::filesystem;

struct Words {
  std::vector<std::string> files;
  std::string roster, pace, plot, lang;
  bool json = false;
  SimulationOptions options;
};

template <typename N>
bool number(const std::string& text, N& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

std::optional<Words> read_words(std::span<const std::string> args) {
  Words w;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const std::string& a = args[i];
    if (a == "--json") {
      w.json = true;
    } else if (!a.starts_with("--")) {
      w.files.push_back(a);
    } else if (++i >= args.size()) {
      return std::nullopt;
    } else if (a == "--runs"        ? number(args[i], w.options.runs)
               : a == "--seed"      ? number(args[i], w.options.seed)
               : a == "--threshold" ? number(args[i], w.options.threshold)
                                    : false) {
    } else if (a == "--roster") {
      w.roster = args[i];
    } else if (a == "--pace") {
      w.pace = args[i];
    } else if (a == "--plot") {
      w.plot = args[i];
    } else if (a == "--lang" && (args[i] == "zh" || args[i] == "en")) {
      w.lang = args[i];
    } else {
      return std::nullopt;
    }
  }
  if (w.files.empty() || (!w.plot.empty() && w.files.size() > 1)) return std::nullopt;
  return w;
}

std::optional<std::string> simulated_text(const std::string& path, std::ostream& err) {
  auto text = content_text(path);
  if (!text) err << path << ": 无法读取 / cannot be read\n";
  return text;
}

bool plotted(const SimulationReport& report, const Words& words, std::ostream& err) {
  if (words.plot.empty()) return true;
  std::ofstream file(words.plot, std::ios::binary);
  file << to_svg(report, words.lang.empty() ? "zh" : words.lang);
  if (file.flush()) return true;
  err << words.plot << ": 无法写入 / cannot be written\n";
  return false;
}

// One line on a terminal that is written over, at most ten times a second.
class Progress {
 public:
  Progress(std::string id, std::ostream& err) : id_(std::move(id)), err_(err) {}
  void tell(std::size_t run, std::size_t of) {
    const auto now = std::chrono::steady_clock::now();
    if (!shown_on_ || now - told_ < std::chrono::milliseconds(100)) return;
    told_ = now;
    err_ << "\r" << id_ << " " << run << "/" << of << "\x1b[K" << std::flush;
    any_ = true;
  }
  void end() {
    if (any_) err_ << "\r\x1b[K" << std::flush;
  }

 private:
  const std::string id_;
  std::ostream& err_;
  const bool shown_on_ = ::isatty(STDERR_FILENO) != 0;
  bool any_ = false;
  std::chrono::steady_clock::time_point told_;
};

int told(const std::vector<Mistake>& mistakes, std::ostream& err) {
  for (const Mistake& m : mistakes) err << describe(m, "zh") << " / " << m.text.en << "\n";
  return 2;
}

}  // namespace

int procedure_simulate_main(std::span<const std::string> args, const fs::path& content,
                            std::ostream& out, std::ostream& err) {
  std::optional<Words> words = read_words(args);
  if (!words) {
    err << "usage: callwarden procedure simulate FILE... [--runs N] [--roster FILE] [--pace FILE]\n"
           "         [--seed N] [--threshold PERCENT] [--json] [--plot FILE.svg] [--lang zh|en]\n"
           "--plot: one FILE\n";
    return 2;
  }
  std::vector<Mistake> of_content, mistakes;
  const Library library =
      fs::is_directory(content) ? Library::load(content, of_content) : Library();
  const SimulationFolder folder = SimulationFolder::load(content, mistakes);
  words->options.roster = folder.roster;
  std::shared_ptr<const Pace> given;
  if (!words->roster.empty()) {
    auto text = simulated_text(words->roster, err);
    if (!text) return 2;
    words->options.roster = Staffing::read(*text, words->roster, mistakes);
  }
  if (!words->pace.empty()) {
    auto text = simulated_text(words->pace, err);
    if (!text) return 2;
    given = read_pace(*text, words->pace, mistakes);
  }
  if (!mistakes.empty()) return told(mistakes, err);
  bool pass = true;
  json::array reports;
  for (const std::string& file : words->files) {
    auto text = simulated_text(file, err);
    if (!text) return 2;
    auto definition = read_definition(*text, file, library.surroundings(file, mistakes), mistakes);
    if (!definition) return told(mistakes, err);
    SimulationOptions options = words->options;
    options.pace = given ? given : folder.pace(definition->id);
    Progress progress(definition->id, err);
    options.progress = [&](std::size_t run, std::size_t of) { progress.tell(run, of); };
    Result<SimulationReport> report = simulate(library, *definition, options);
    progress.end();
    if (!report) {
      err << report.problem().text.zh << " / " << report.problem().text.en << "\n";
      return 2;
    }
    if (!plotted(*report, *words, err)) return 2;
    pass &= report->pass;
    if (words->json)
      reports.push_back(to_json(*report));
    else {
      if (words->lang != "en") out << to_text(*report, "zh");
      if (words->lang != "zh") out << to_text(*report, "en");
    }
  }
  if (words->json)
    out << json::serialize(reports.size() == 1 ? reports[0] : json::value(std::move(reports)))
        << "\n";
  return pass ? 0 : 1;
}

}  // namespace cw
