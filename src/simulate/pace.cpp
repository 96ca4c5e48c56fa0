// How long things take and how people choose: read from a file, or a spread made from numbers.
#include <cmath>

#include "base/content.h"
#include "simulate/setting.h"

namespace cw {
namespace {

namespace fs = std::filesystem;

constexpr double kZ95 = 1.6448536269514722;  // the normal distribution's 95th percentile

// "30m", "2h", "3d" in milliseconds; a workday counts 8 hours.
std::int64_t span_ms(YamlReader& reader, const YamlNode& node) {
  const auto span = parse_span(reader.string(node));
  if (!span || span->unit == Unit::close) {
    reader.mistake(node, "pace.span",
                   {"应为时长，例如 30m、2h、3d", "write a span such as 30m, 2h or 3d"});
    return 60'000;
  }
  constexpr std::int64_t kMinute = 60'000;
  const std::int64_t unit = span->unit == Unit::minute    ? kMinute
                            : span->unit == Unit::hour    ? 60 * kMinute
                            : span->unit == Unit::workday ? 480 * kMinute
                                                          : 1440 * kMinute;
  return span->amount * unit;
}

Spread read_spread(YamlReader& reader, const YamlNode& node) {
  if (!reader.map(node)) return {};
  reader.keys(node, {"least", "likely", "most"});
  std::int64_t three[3] = {1, 1, 1};
  const char* names[3] = {"least", "likely", "most"};
  for (int i = 0; i < 3; ++i)
    if (const YamlNode* at = reader.need(node, names[i])) three[i] = span_ms(reader, *at);
  if (three[0] > three[1] || three[1] > three[2] || three[0] == three[2])
    reader.mistake(node, "pace.order",
                   {"应满足 least ≤ likely ≤ most，且首尾不同",
                    "least <= likely <= most, and not all the same"});
  return Spread::of(static_cast<double>(three[0]), static_cast<double>(three[1]),
                    static_cast<double>(three[2]));
}

void read_shares(YamlReader& reader, const YamlNode& node, Pace& out) {
  for (const auto& [fact, body] : node.entries) {
    if (!reader.map(body)) continue;
    for (const auto& [value, weight] : body.entries)
      out.shares[fact.text][value.text] = static_cast<int>(reader.integer(weight, 0, 1'000));
  }
}

}  // namespace

Spread Spread::of(double least, double likely, double most) {
  const double mean = (least + likely + most) / 3;
  const double variance = (least * least + likely * likely + most * most - least * likely -
                           least * most - likely * most) /
                          18;
  const double square = std::log1p(variance / (mean * mean));
  return {std::log(mean) - square / 2, std::sqrt(square), static_cast<std::int64_t>(least)};
}

Spread Spread::around(double median, double p95) {
  return {std::log(median), std::log(p95 / median) / kZ95,
          static_cast<std::int64_t>(median * median / p95)};
}

std::shared_ptr<const Pace> read_pace(std::string_view text, const std::string& file,
                                      std::vector<Mistake>& mistakes) {
  const YamlTree tree = parse_yaml(text, file, mistakes);
  YamlReader reader(file, mistakes);
  auto out = std::make_shared<Pace>();
  const YamlNode& root = tree.root;
  if (!reader.map(root)) return nullptr;
  reader.keys(root, {"simulation", "threshold", "effort", "reject", "times", "choose", "facts",
                     "ahead", "past"});
  if (const YamlNode* id = reader.need(root, "simulation")) {
    const bool family = id->text.size() > 2 && id->text.ends_with(".*");
    out->procedure = family ? id->text : reader.name(*id);
  }
  if (const YamlNode* n = root.find("threshold"))
    out->threshold = static_cast<int>(reader.integer(*n, 1, 100));
  if (const YamlNode* n = root.find("effort")) out->effort_ms = span_ms(reader, *n);
  if (const YamlNode* n = root.find("reject"))
    out->reject = static_cast<int>(reader.integer(*n, 0, 90));
  if (const YamlNode* n = root.find("times"); n && reader.map(*n))
    for (const auto& [name, body] : n->entries) out->times[name.text] = read_spread(reader, body);
  if (const YamlNode* n = root.find("choose"); n && reader.map(*n))
    for (const auto& [name, body] : n->entries)
      out->choose[name.text] = static_cast<int>(reader.integer(body, 0, 1'000));
  if (const YamlNode* n = root.find("facts"); n && reader.map(*n)) read_shares(reader, *n, *out);
  if (const YamlNode* n = root.find("ahead"); n && reader.map(*n))
    for (const auto& [name, body] : n->entries) out->ahead_ms[name.text] = span_ms(reader, body);
  if (const YamlNode* n = root.find("past"); n && reader.map(*n))
    for (const auto& [name, body] : n->entries) out->past_ms[name.text] = span_ms(reader, body);
  if (!reader.clean()) return nullptr;
  return out;
}

std::shared_ptr<const Pace> SimulationFolder::pace(std::string_view procedure) const {
  if (auto own = paces.find(procedure); own != paces.end()) return own->second;
  const std::size_t dot = procedure.find('.');
  if (dot == std::string_view::npos) return nullptr;
  auto family = paces.find(std::string(procedure.substr(0, dot)) + ".*");
  return family == paces.end() ? nullptr : family->second;
}

SimulationFolder SimulationFolder::load(const fs::path& content, std::vector<Mistake>& mistakes) {
  SimulationFolder out;
  for (const fs::path& path : yaml_files(content / "simulation")) {
    const std::string text = content_text(path).value_or("");
    if (path.filename() == "roster.yaml") {
      out.roster = Staffing::read(text, path.string(), mistakes);
    } else if (auto pace = read_pace(text, path.string(), mistakes)) {
      out.paces[pace->procedure] = pace;
    }
  }
  return out;
}

}  // namespace cw
