// Regulations: reading them, and the limits of procedures that come from one.
#include <algorithm>

#include "base/clock.h"
#include "base/text.h"
#include "names.h"
#include "read.h"

namespace cw {
namespace {

constexpr std::size_t editions_max = 32;
using Words = std::vector<std::string_view>;

class RegulationReader {
 public:
  RegulationReader(const std::string& file, std::vector<Mistake>& mistakes)
      : reader_(file, mistakes) {}

  std::shared_ptr<const Regulation> read(const YamlNode& root) {
    if (!reader_.map(root)) return nullptr;
    reader_.keys(root,
                 {"regulation", "version", "title", "instrument", "article", "duty", "who", "when",
                  "grades", "base", "key", "fact", "unit", "form", "note", "editions"});
    if (const YamlNode* id = reader_.need(root, "regulation")) out_.id = reader_.name(*id);
    if (const YamlNode* version = reader_.need(root, "version")) {
      out_.version = static_cast<int>(reader_.integer(*version, 1, 1'000'000));
    }
    texts(root);
    if (const YamlNode* duty = reader_.need(root, "duty")) {
      out_.duty = word(*duty, {"report", "answer", "keep", "repeat", "classify"});
    }
    out_.grades = words(root, "grades", {"none", "general", "larger", "major", "extreme"});
    out_.base = words(root, "base", {"discovery", "learning", "receipt", "handled"});
    if (const YamlNode* list = reader_.need(root, "editions")) editions(*list);
    reader_.sort();
    return reader_.clean() ? std::make_shared<const Regulation>(std::move(out_)) : nullptr;
  }

 private:
  void texts(const YamlNode& root) {
    const std::pair<const char*, Text*> needed[] = {{"title", &out_.title},
                                                    {"instrument", &out_.instrument},
                                                    {"who", &out_.who},
                                                    {"when", &out_.when}};
    for (const auto& [key, text] : needed) {
      if (const YamlNode* node = reader_.need(root, key)) *text = reader_.text(*node);
    }
    if (const YamlNode* node = root.find("note")) out_.note = reader_.text(*node);
    if (const YamlNode* node = root.find("unit")) out_.unit = reader_.text(*node);
    const std::pair<const char*, std::string*> names[] = {
        {"article", &out_.article}, {"key", &out_.key}, {"fact", &out_.fact}, {"form", &out_.form}};
    for (const auto& [key, name] : names) {
      if (const YamlNode* node = root.find(key)) *name = reader_.string(*node);
    }
  }

  void wrong(const YamlNode& at, const char* zh, const char* en) {
    reader_.mistake(at, "regulation.edition", {zh, en});
  }

  std::string word(const YamlNode& node, const Words& known) {
    const std::string text = reader_.string(node);
    if (text.empty() || std::find(known.begin(), known.end(), text) != known.end()) return text;
    std::string list;
    for (const std::string_view w : known) list += (list.empty() ? "" : ", ") + std::string(w);
    reader_.mistake(
        node, "regulation.word",
        {"“" + text + "”应为其中之一：" + list, "'" + text + "' must be one of: " + list});
    return "";
  }

  std::vector<std::string> words(const YamlNode& root, const char* key, const Words& known) {
    std::vector<std::string> out;
    const YamlNode* node = root.find(key);
    if (node == nullptr || !reader_.list(*node)) return out;
    for (const YamlNode& item : node->items) out.push_back(word(item, known));
    return out;
  }

  // A day in Beijing time, as the moment it begins.
  std::int64_t day(const YamlNode& node) {
    const std::string text = reader_.string(node);
    const auto at = text.size() == 10 ? from_rfc3339(text + "T00:00:00+08:00") : std::nullopt;
    if (!at) wrong(node, "这里应为日期，例如 2025-11-01", "expected a day such as 2025-11-01");
    return at.value_or(0);
  }

  void editions(const YamlNode& list) {
    if (!reader_.list(list)) return;
    if (list.items.empty() || list.items.size() > editions_max) {
      wrong(list, "须有 1 到 32 个版本", "there must be 1 to 32 editions");
    }
    for (const YamlNode& node : list.items) {
      if (!reader_.map(node)) continue;
      const bool first = out_.editions.empty();
      Regulation::Edition made;
      if (const YamlNode* from = node.find("from")) {
        made.from_ms = day(*from);
      } else if (!first) {
        wrong(node, "只有第一个版本可以没有 from", "only the first edition may lack from");
      }
      if (const YamlNode* until = node.find("until")) made.until_ms = day(*until) + 86'400'000;
      if (made.until_ms <= made.from_ms) {
        wrong(node, "until 早于 from", "until lies before from");
      }
      if (!first) {
        Regulation::Edition& before = out_.editions.back();
        if (before.until_ms == INT64_MAX) before.until_ms = made.from_ms;
        if (before.until_ms > made.from_ms || before.from_ms >= made.from_ms) {
          wrong(node, "版本须按时间先后，且不重叠", "editions stand in order and do not overlap");
        }
      }
      content(node, made);
      out_.editions.push_back(std::move(made));
    }
  }

  void content(const YamlNode& node, Regulation::Edition& made) {
    reader_.keys(node, {"from", "until", "certainty", "within", "at_once", "keep", "every",
                        "thresholds", "to"});
    if (const YamlNode* certainty = reader_.need(node, "certainty")) {
      made.certainty = word(*certainty, {"read", "secondary", "unchecked"});
    }
    int given = 0;
    for (const char* key : {"within", "at_once", "keep", "every", "thresholds"}) {
      given += node.find(key) != nullptr ? 1 : 0;
    }
    if (given != 1) {
      wrong(node, "须且只须有 within、at_once、keep、every、thresholds 之一",
            "exactly one of within, at_once, keep, every, thresholds");
    }
    if (const YamlNode* within = node.find("within")) spans(*within, made);
    if (const YamlNode* once = node.find("at_once")) made.at_once = reader_.boolean(*once);
    if (const YamlNode* keep = node.find("keep")) made.keep = long_span(*keep);
    if (const YamlNode* every = node.find("every")) made.every = long_span(*every);
    if (const YamlNode* table = node.find("thresholds")) thresholds(*table, made);
    if (const YamlNode* to = node.find("to")) addressees(*to, made);
    if ((!made.within.empty() || made.at_once) && out_.base.empty()) {
      wrong(node, "时限须写明 base（从何时起）", "a limit says its base (from when)");
    }
  }

  void spans(const YamlNode& node, Regulation::Edition& made) {
    auto add = [&](const std::string& value, const YamlNode& text) {
      const auto span = text.is_scalar() ? parse_span(text.text) : std::nullopt;
      if (!span) {
        wrong(text, "这里应为时限，例如 4h、30d", "expected a limit such as 4h, 30d");
        return;
      }
      made.within.emplace_back(value, *span);
    };
    if (!node.is_map()) return add("", node);
    if (out_.key.empty()) wrong(node, "分档的时限须有 key", "a table of limits needs a key");
    for (const auto& [value, text] : node.entries) add(value.text, text);
  }

  std::string long_span(const YamlNode& node) {
    const std::string text = reader_.string(node);
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto amount = to_int<int>(std::string_view(text).substr(0, digits));
    const std::string unit = text.substr(digits);
    if (!amount || *amount < 1 || *amount > 1'000 || (unit != "d" && unit != "mo" && unit != "y")) {
      wrong(node, "这里应为例如 30d、6mo、3y", "expected a time such as 30d, 6mo, 3y");
    }
    return text;
  }

  void thresholds(const YamlNode& node, Regulation::Edition& made) {
    if (out_.fact.empty()) wrong(node, "分级须有 fact", "thresholds need a fact");
    if (!reader_.map(node)) return;
    for (const auto& [grade, least] : node.entries) {
      const std::string name = word(grade, {"general", "larger", "major", "extreme"});
      const std::int64_t number = reader_.integer(least, 0, 9'007'199'254'740'991);
      if (!made.thresholds.empty() && made.thresholds.back().second >= number) {
        wrong(least, "数值须逐级增大", "the numbers must rise");
      }
      made.thresholds.emplace_back(name, number);
    }
  }

  void addressees(const YamlNode& node, Regulation::Edition& made) {
    if (node.find("zh") != nullptr || !node.is_map()) {
      made.to.emplace_back("", reader_.text(node));
      return;
    }
    for (const auto& [value, text] : node.entries) {
      const bool known =
          std::any_of(made.within.begin(), made.within.end(),
                      [&, key = value.text](const auto& w) { return w.first == key; });
      if (!known) wrong(value, "within 中没有这个值", "within has no such value");
      made.to.emplace_back(value.text, reader_.text(text));
    }
  }

  YamlReader reader_;
  Regulation out_;
};

}  // namespace

std::shared_ptr<const Regulation> read_regulation(std::string_view text, const std::string& file,
                                                  std::vector<Mistake>& mistakes) {
  const std::size_t before = mistakes.size();
  const YamlTree tree = parse_yaml(text, file, mistakes);
  if (mistakes.size() != before) return nullptr;
  return RegulationReader(file, mistakes).read(tree.root);
}

// limit: {regulation: ID}, for a clock that counts from a moment. `key` defaults to the
// regulation's own; every edition must have a limit for each of the fact's values.
Limit DefinitionReader::statutory_limit(const YamlNode& body, const YamlNode& id) {
  auto wrong = [&](const Text& text) {
    reader_.mistake(id, "procedure.regulation", text);
    return Limit{};
  };
  reader_.keys(*body.find("limit"), {"regulation"});
  const std::string name = reader_.name(id);
  if (name.empty()) return {};
  if (body.find("from") == nullptr) {
    return wrong({"法定时限只用于 from 时钟", "a statutory limit is for a clock with from"});
  }
  const auto found = around_.regulation ? around_.regulation(name) : nullptr;
  if (found == nullptr) return wrong({"没有法规“" + name + "”", "no regulation '" + name + "'"});
  Limit out;
  out.regulation = name;
  const YamlNode* key = body.find("key");
  const bool table = std::any_of(found->editions.begin(), found->editions.end(),
                                 [](const auto& e) { return e.within.size() > 1; });
  if (table || key != nullptr) {
    YamlNode own = id;
    own.text = found->key;
    out.key = fact_index(key != nullptr ? *key : own);
    if (out.key < 0) return {};
    if (d_->facts[out.key].type != FieldType::enumeration) {
      return wrong({"key 应为枚举事实", "key must be an enum fact"});
    }
  }
  for (const Regulation::Edition& edition : found->editions) {
    if (edition.within.empty()) {
      return wrong({"法规“" + name + "”没有时限", "regulation '" + name + "' has no time limit"});
    }
    auto span_of = [&](std::string_view value) -> std::optional<Span> {
      for (const auto& [for_value, span] : edition.within)
        if (for_value.empty() || for_value == value) return span;
      return std::nullopt;
    };
    Limit::Edition made{edition.from_ms, {}};
    const std::vector<std::string> all{""};
    for (const std::string& value : out.key < 0 ? all : d_->facts[out.key].values) {
      const auto span = span_of(value);
      if (!span) {
        return wrong({"法规“" + name + "”没有“" + value + "”的时限",
                      "regulation '" + name + "' has no limit for '" + value + "'"});
      }
      made.spans.push_back(*span);
    }
    out.editions.push_back(std::move(made));
  }
  out.spans = out.editions.back().spans;
  return out;
}

}  // namespace cw
