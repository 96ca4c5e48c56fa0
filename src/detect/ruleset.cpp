#include <algorithm>
#include <mutex>

#include "base/check.h"
#include "base/text.h"
#include "compiled.h"

namespace cw::detect {
namespace {

constexpr std::size_t kFileMax = 1 << 20;
constexpr std::size_t kDocumentsMax = 256;  // of one file

bool is_document_mark(std::string_view line) {
  return line == "---" || line == "---\r" || line.starts_with("--- ");
}

// Cuts a file at its `---` lines. Each document keeps empty lines for those before it.
std::vector<RuleDocument> split_documents(const RuleFile& file) {
  std::vector<RuleDocument> out;
  std::string text;
  bool content = false;
  int line = 0, first = 1;
  auto finish = [&](int next) {
    if (content)
      out.push_back(
          {file.path, std::string(static_cast<std::size_t>(first - 1), '\n') + text, first});
    text.clear();
    content = false;
    first = next;
  };
  for (std::string_view one : split(file.text, '\n')) {
    ++line;
    if (is_document_mark(one)) {
      finish(line + 1);
      continue;
    }
    std::string_view bare = trim(one);
    content |= !bare.empty() && bare[0] != '#';
    text.append(one).append(1, '\n');
  }
  finish(line);
  return out;
}

RuleReport refused(const RuleFile& file, std::string code, Text text) {
  RuleReport report;
  report.path = report.id = file.path;
  report.line = 1;
  report.outcome = Outcome::rejected;
  report.reasons.push_back({file.path, 1, 1, std::move(code), std::move(text)});
  return report;
}

void self_test_once() {
  static std::once_flag once;
  std::call_once(once, [] { matcher_self_test(20'221'122, 12); });
}

}  // namespace

// Turns files into linked rules: read all, apply filters, link correlations, index.
class RuleLinker {
 public:
  RuleLinker(RuleSet::Impl& out, const LoadOptions& options) : out_(out), options_(options) {}

  void read(const RuleFile& file) {
    if (file.text.size() > kFileMax) {
      return add_refused(file, "rule.size", {"文件超过 1 MiB", "the file is larger than 1 MiB"});
    }
    std::vector<RuleDocument> documents = split_documents(file);
    if (documents.empty() || documents.size() > kDocumentsMax) {
      return add_refused(file, "rule.documents",
                         {"文件应含 1–256 个规则文档", "a file holds 1 to 256 rule documents"});
    }
    for (const RuleDocument& document : documents) {
      parsed_.push_back(read_rule(document, out_.predicates, options_));
    }
  }

  void link() {
    refuse_duplicates();
    for (ParsedRule& filter : parsed_) {
      if (filter.info.kind == RuleKind::filter && live(filter)) apply_filter(filter);
    }
    order_rules();
    link_correlations();
    finish();
  }

 private:
  static bool live(const ParsedRule& r) { return r.report.outcome != Outcome::rejected; }

  void add_refused(const RuleFile& file, std::string code, Text text) {
    ParsedRule refusal;
    refusal.report = refused(file, std::move(code), std::move(text));
    parsed_.push_back(std::move(refusal));
  }

  static void note(ParsedRule& rule, int line, int column, bool rejects, std::string code,
                   Text text) {
    rule.report.reasons.push_back(
        {rule.report.path, line, column, std::move(code), std::move(text)});
    if (rejects) {
      rule.report.outcome = Outcome::rejected;
    } else if (live(rule)) {
      rule.report.outcome = Outcome::degraded;
    }
  }

  void refuse_duplicates() {
    std::unordered_map<std::string, const ParsedRule*> seen;
    for (ParsedRule& rule : parsed_) {
      if (!live(rule)) continue;
      auto [first, added] = seen.try_emplace(rule.info.id, &rule);
      if (added) continue;
      const RuleReport& other = first->second->report;
      std::string place = other.path + ":" + std::to_string(other.line);
      note(rule, rule.report.line, 1, true, "rule.duplicate",
           {"id 与 " + place + " 的规则相同", "its id is already that of the rule at " + place});
    }
  }

  // The rule called so by id or by name, or null.
  ParsedRule* find(std::string_view reference) {
    for (ParsedRule& rule : parsed_) {
      if (rule.report.outcome == Outcome::rejected || rule.info.kind == RuleKind::filter) continue;
      if (rule.info.id == reference) return &rule;
    }
    for (ParsedRule& rule : parsed_) {
      if (rule.report.outcome == Outcome::rejected || rule.info.kind == RuleKind::filter) continue;
      if (!rule.info.name.empty() && rule.info.name == reference) return &rule;
    }
    return nullptr;
  }

  void apply_filter(ParsedRule& filter) {
    auto fits = [&](const ParsedRule& rule) {
      auto part = [](const std::string& f, const std::string& r) { return f.empty() || f == r; };
      return rule.expr && live(rule) && rule.info.kind == RuleKind::single &&
             part(filter.info.product, rule.info.product) &&
             part(filter.info.service, rule.info.service) &&
             part(filter.info.category, rule.info.category);
    };
    auto apply = [&](ParsedRule& rule) {
      rule.expr = make_all({std::move(*rule.expr), *filter.expr});
    };
    if (filter.filters_any) {
      for (ParsedRule& rule : parsed_) {
        if (fits(rule)) apply(rule);
      }
      return;
    }
    for (const YamlNode& reference : filter.filtered) {
      ParsedRule* rule = find(reference.text);
      if (rule != nullptr && fits(*rule)) {
        apply(*rule);
        continue;
      }
      std::string shown(clip(reference.text, 64));
      note(filter, reference.line, reference.column, false, "filter.rule",
           {"没有加载日志来源相符的规则“" + shown + "”，过滤器对它不起作用",
            "no loaded rule '" + shown + "' with this log source: the filter does nothing there"});
    }
  }

  // Gives rules their numbers: singles, then correlations so that inputs come before their users.
  void order_rules() {
    for (ParsedRule& rule : parsed_) {
      if (live(rule) && rule.info.kind == RuleKind::single) number(rule);
    }
    for (ParsedRule& rule : parsed_) {
      if (live(rule) && rule.info.kind == RuleKind::correlation) visit(rule, 0);
    }
  }

  void number(ParsedRule& rule) {
    numbers_[&rule] = static_cast<std::uint32_t>(ordered_.size());
    ordered_.push_back(&rule);
  }

  void visit(ParsedRule& rule, int depth) {
    if (numbers_.contains(&rule) || !live(rule)) return;
    if (depth > 8 || !visiting_.insert({&rule, true}).second) {
      note(rule, rule.report.line, 1, true, "correlation.cycle",
           {"关联规则互相引用成环或嵌套超过 8 层",
            "correlations refer to each other in a circle, or more than 8 deep"});
      return;
    }
    for (const YamlNode& reference : rule.correlation.rules) {
      ParsedRule* input = find(reference.text);
      if (input != nullptr && input->info.kind == RuleKind::correlation) visit(*input, depth + 1);
      if (input == nullptr || !numbers_.contains(input)) {
        std::string shown(clip(reference.text, 64));
        note(rule, reference.line, reference.column, true, "correlation.rule",
             {"没有加载规则“" + shown + "”", "rule '" + shown + "' is not loaded"});
      } else if (input->report.outcome == Outcome::degraded) {
        note(rule, reference.line, reference.column, false, "correlation.degraded",
             {"引用的规则已降级", "the rule it refers to is degraded"});
      }
    }
    visiting_.erase(&rule);
    if (live(rule)) number(rule);
  }

  void link_correlations() {
    out_.feeds.resize(ordered_.size());
    std::vector<bool> silent(ordered_.size()), generated(ordered_.size());
    for (std::uint32_t i = 0; i < ordered_.size(); ++i) {
      const ParsedRule& rule = *ordered_[i];
      if (rule.info.kind != RuleKind::correlation) continue;
      Correlation made = link_correlation(rule, i);
      auto at = static_cast<std::uint32_t>(out_.correlations.size());
      for (std::uint32_t input = 0; input < made.inputs.size(); ++input) {
        std::uint32_t from = made.inputs[input].rule;
        out_.feeds[from].emplace_back(at, input);
        ordered_[i]->info.correlates.push_back(from);
        silent[from] = true;
        if (rule.correlation.generate) generated[from] = true;
      }
      out_.correlations.push_back(std::move(made));
    }
    for (std::uint32_t i = 0; i < ordered_.size(); ++i) {
      ordered_[i]->info.alerts = !silent[i] || generated[i];
    }
  }

  Correlation link_correlation(const ParsedRule& rule, std::uint32_t number) {
    const ParsedCorrelation& c = rule.correlation;
    Correlation out{number,   c.type,        {},           c.group_by, c.fields,
                    c.bounds, c.timespan_ms, c.percentile, true,       0};
    for (const YamlNode& reference : c.rules) {
      ParsedRule* input = find(reference.text);
      CorrelationInput linked{numbers_.at(input), c.group_by};
      for (std::string& field : linked.group_by) {
        for (const Alias& alias : c.aliases) {
          if (alias.name != field) continue;
          for (const auto& [name, source] : alias.fields) {
            if (name == input->info.name || name == input->info.id) {
              field = source;
              break;
            }
          }
          break;
        }
      }
      out.inputs.push_back(std::move(linked));
    }
    bool temporal =
        c.type == CorrelationType::temporal || c.type == CorrelationType::temporal_ordered;
    if (temporal && out.bounds.empty()) {
      out.bounds.push_back({Relation::gte, static_cast<double>(out.inputs.size())});
    }
    // An average of few values means nothing, and "fewer than" is known only at the end.
    out.immediate =
        c.type != CorrelationType::value_avg && c.type != CorrelationType::value_percentile;
    for (const Bound& bound : out.bounds) {
      bool lower = bound.relation == Relation::gt || bound.relation == Relation::gte;
      if (!lower) out.immediate = false;
      bool counts =
          c.type == CorrelationType::event_count || c.type == CorrelationType::value_count;
      if (counts)
        out.events_min = std::max(out.events_min, static_cast<std::size_t>(bound.number) + 2);
    }
    return out;
  }

  void finish() {
    std::vector<Expr> exprs;
    std::vector<std::uint32_t> rules;
    for (std::uint32_t i = 0; i < ordered_.size(); ++i) {
      ParsedRule& rule = *ordered_[i];
      if (rule.expr) {
        exprs.push_back(std::move(*rule.expr));
        rules.push_back(i);
      }
      out_.by_id.emplace(rule.info.id, i);
      out_.infos.push_back(std::move(rule.info));
    }
    // A predicate that is computed on demand is witnessed by its field being there.
    for (std::uint32_t id = 0; id < out_.predicates.all().size(); ++id) {
      const Predicate& p = out_.predicates[id];
      if (!p.indexed && p.op != Op::exists && p.field != Predicates::kAnyField) {
        out_.predicates.intern({.field = p.field, .op = Op::exists});
      }
    }
    build_index(out_.predicates, exprs, rules, out_.infos.size(), out_.index);
    for (ParsedRule& rule : parsed_) out_.reports.push_back(std::move(rule.report));
  }

  RuleSet::Impl& out_;
  const LoadOptions& options_;
  std::vector<ParsedRule> parsed_;
  std::vector<ParsedRule*> ordered_;
  std::unordered_map<const ParsedRule*, std::uint32_t> numbers_;
  std::unordered_map<const ParsedRule*, bool> visiting_;
};

std::string_view to_string(Level level) {
  constexpr std::string_view kNames[] = {"informational", "low", "medium", "high", "critical"};
  return kNames[static_cast<int>(level)];
}
std::string_view to_string(Warning warning) {
  constexpr std::string_view kNames[] = {"none", "blue", "yellow", "orange", "red"};
  return kNames[static_cast<int>(warning)];
}
std::string_view to_string(RuleKind kind) {
  constexpr std::string_view kNames[] = {"single", "correlation", "filter"};
  return kNames[static_cast<int>(kind)];
}
std::string_view to_string(Outcome outcome) {
  constexpr std::string_view kNames[] = {"compiled", "degraded", "rejected"};
  return kNames[static_cast<int>(outcome)];
}

RuleSet::RuleSet(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RuleSet::~RuleSet() = default;

std::shared_ptr<const RuleSet> RuleSet::load(std::span<const RuleFile> files,
                                             const LoadOptions& options) {
  self_test_once();
  auto impl = std::make_unique<Impl>();
  RuleLinker linker(*impl, options);
  for (const RuleFile& file : files) linker.read(file);
  linker.link();
  return std::make_shared<const RuleSet>(std::move(impl));
}

std::shared_ptr<const RuleSet> RuleSet::load(std::initializer_list<RuleFile> files,
                                             const LoadOptions& options) {
  return load(std::span<const RuleFile>(files.begin(), files.size()), options);
}

const std::vector<RuleReport>& RuleSet::reports() const { return impl_->reports; }
const std::vector<RuleInfo>& RuleSet::rules() const { return impl_->infos; }
const RuleInfo* RuleSet::find(std::string_view id) const {
  auto at = impl_->by_id.find(std::string(id));
  return at == impl_->by_id.end() ? nullptr : &impl_->infos[at->second];
}
std::size_t RuleSet::count(Outcome outcome) const {
  return static_cast<std::size_t>(
      std::count_if(impl_->reports.begin(), impl_->reports.end(),
                    [&](const RuleReport& r) { return r.outcome == outcome; }));
}

}  // namespace cw::detect
