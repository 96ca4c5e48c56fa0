#include "definition.h"

#include <algorithm>
#include <set>

#include "calendar/calendar.h"

namespace cw {
namespace {

constexpr std::size_t layers_max = 12, shifts_max = 12, pattern_max = 366;

// "09:30" as minutes, up to 24:00.
std::optional<std::int64_t> minute_of(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  for (const std::size_t i : {0, 1, 3, 4})
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
  const int hour = (text[0] - '0') * 10 + text[1] - '0',
            minute = (text[3] - '0') * 10 + text[4] - '0';
  if (minute > 59 || hour * 60 + minute > 24 * 60) return std::nullopt;
  return hour * 60 + minute;
}

std::int64_t span_ms(const YamlNode& map, std::string_view key, YamlReader& reader) {
  const YamlNode* node = map.find(key);
  if (node == nullptr) return 0;
  const auto span = parse_span(node->text);
  if (!span || span->unit == Unit::workday || span->unit == Unit::close) {
    reader.mistake(*node, "roster.span",
                   {"这里应为时长，例如 30m、11h、1d", "expected a span such as 30m, 11h or 1d"});
    return 0;
  }
  const std::int64_t minutes = span->unit == Unit::minute ? 1
                               : span->unit == Unit::hour ? 60
                                                          : 1440;
  return span->amount * minutes * 60'000;
}

bool one_of(const YamlNode& map, std::string_view key, std::string_view usual,
            std::string_view other, YamlReader& reader) {
  const YamlNode* node = map.find(key);
  if (node == nullptr || node->text == usual) return false;
  if (node->text != other) {
    const std::string both = std::string(usual) + " / " + std::string(other);
    reader.mistake(*node, "roster.choice", {"这里应为 " + both, "expected " + both});
  }
  return true;
}

void read_shifts(const YamlNode& node, LayerDef& layer, YamlReader& reader) {
  if (!reader.map(node)) return;
  for (const YamlEntry& entry : node.entries) {
    ShiftDef shift;
    shift.id = reader.name(entry.key);
    if (!reader.map(entry.value)) continue;
    reader.keys(entry.value, {"title", "hours"});
    if (const YamlNode* title = reader.need(entry.value, "title"))
      shift.title = reader.text(*title);
    if (const YamlNode* hours = reader.need(entry.value, "hours")) {
      const std::string_view text = hours->text;
      const auto from = text.size() == 11 ? minute_of(text.substr(0, 5)) : std::nullopt;
      const auto to = text.size() == 11 ? minute_of(text.substr(6)) : std::nullopt;
      if (!from || !to || text[5] != '-' || *from == 1440) {
        reader.mistake(*hours, "roster.hours",
                       {"这里应为时段，例如 08:00-16:00", "expected hours such as 08:00-16:00"});
      } else {
        shift.from_minute = *from;
        shift.to_minute = *to <= *from ? *to + 1440 : *to;
      }
    }
    layer.shifts.push_back(std::move(shift));
  }
  if (layer.shifts.empty() || layer.shifts.size() > shifts_max)
    reader.mistake(node, "roster.shifts", {"每层须有 1–12 个班次", "a layer has 1–12 shifts"});
}

void read_pattern(const YamlNode& node, LayerDef& layer, YamlReader& reader) {
  if (node.is_scalar() && node.text == "turns") return;
  if (!reader.list(node)) return;
  for (const YamlNode& item : node.items) {
    int found = -1;
    for (std::size_t i = 0; i < layer.shifts.size(); ++i)
      if (layer.shifts[i].id == item.text) found = static_cast<int>(i);
    if (found < 0 && item.text != "off")
      reader.mistake(item, "roster.pattern",
                     {"没有这个班次；休息写 off", "there is no such shift; a day off is `off`"});
    layer.pattern.push_back(found);
  }
  if (layer.pattern.empty() || layer.pattern.size() > pattern_max)
    reader.mistake(node, "roster.pattern",
                   {"轮换须有 1–366 步，或写 turns", "a pattern has 1–366 steps, or is `turns`"});
}

LayerDef read_layer(const YamlEntry& entry, YamlReader& reader) {
  LayerDef layer;
  layer.id = reader.name(entry.key);
  const YamlNode& node = entry.value;
  if (!reader.map(node)) return layer;
  reader.keys(node, {"title", "post", "team", "need", "on_call", "strict", "qualifications",
                     "acknowledge", "shifts", "pattern", "each", "lag", "on"});
  if (const YamlNode* title = reader.need(node, "title")) layer.title = reader.text(*title);
  const YamlNode* post = node.find("post");
  const YamlNode* team = node.find("team");
  if (post != nullptr) layer.holds = "post:" + reader.name(*post);
  if (team != nullptr) layer.holds = "team:" + reader.name(*team);
  if (post != nullptr && team != nullptr)
    reader.mistake(
        *team, "roster.holds",
        {"一层对应一个岗位或一个小组，不能两者都写", "a layer holds a post or a team, not both"});
  if (const YamlNode* need = node.find("need"))
    layer.need = static_cast<std::size_t>(reader.integer(*need, 1, 200));
  if (const YamlNode* on_call = node.find("on_call")) layer.on_call = reader.boolean(*on_call);
  if (const YamlNode* strict = node.find("strict")) layer.strict = reader.boolean(*strict);
  if (const YamlNode* list = node.find("qualifications"); list != nullptr && reader.list(*list))
    for (const YamlNode& item : list->items) layer.qualifications.push_back(reader.name(item));
  layer.acknowledge_ms = span_ms(node, "acknowledge", reader);
  if (layer.acknowledge_ms == 0) layer.acknowledge_ms = 10 * 60'000;
  if (const YamlNode* shifts = reader.need(node, "shifts")) read_shifts(*shifts, layer, reader);
  if (const YamlNode* pattern = reader.need(node, "pattern")) read_pattern(*pattern, layer, reader);
  layer.weekly = one_of(node, "each", "day", "week", reader);
  layer.workdays_only = one_of(node, "on", "every-day", "workdays", reader);
  if (const YamlNode* lag = node.find("lag")) layer.lag = reader.integer(*lag, 1, 366);
  return layer;
}

std::int64_t modulo(std::int64_t value, std::int64_t by) { return ((value % by) + by) % by; }

// Weeks since the Monday of 1969-12-29.
std::int64_t week_of(std::int64_t day) { return (day + 3 - modulo(day + 3, 7)) / 7; }

}  // namespace

const ShiftDef* LayerDef::shift(std::string_view shift_id) const {
  for (const ShiftDef& s : shifts)
    if (s.id == shift_id) return &s;
  return nullptr;
}

const LayerDef* RosterDef::layer(std::string_view layer_id) const {
  for (const LayerDef& l : layers)
    if (l.id == layer_id) return &l;
  return nullptr;
}

bool LayerDef::works(std::size_t shift, std::size_t team, std::size_t teams, std::int64_t day,
                     std::int64_t anchor_day) const {
  const std::int64_t step = weekly ? week_of(day) - week_of(anchor_day) : day - anchor_day;
  const auto index = static_cast<std::int64_t>(team), count = static_cast<std::int64_t>(teams);
  if (pattern.empty()) return modulo(step, count) == index;
  const auto length = static_cast<std::int64_t>(pattern.size());
  const std::int64_t behind = lag != 0 ? lag : std::max<std::int64_t>(1, length / count);
  return pattern[static_cast<std::size_t>(modulo(step - index * behind, length))] ==
         static_cast<int>(shift);
}

std::shared_ptr<const RosterDef> read_roster(const std::string& text, const std::string& file,
                                             std::vector<Mistake>& mistakes) {
  const std::size_t before = mistakes.size();
  YamlReader reader(file, mistakes);
  const YamlTree tree = parse_yaml(text, file, mistakes, {.size_max = 16 << 10});
  if (mistakes.size() != before || !reader.map(tree.root)) return nullptr;
  const YamlNode& root = tree.root;
  reader.keys(root, {"roster", "version", "title", "calendar", "rest", "week_max", "ready_before",
                     "confirm_within", "handover_within", "layers"});
  auto out = std::make_shared<RosterDef>();
  out->source = text;
  if (const YamlNode* id = reader.need(root, "roster")) out->id = reader.name(*id);
  if (const YamlNode* version = reader.need(root, "version"))
    out->version = static_cast<int>(reader.integer(*version, 1, 1'000'000));
  if (const YamlNode* title = reader.need(root, "title")) out->title = reader.text(*title);
  if (const YamlNode* calendar = reader.need(root, "calendar"))
    out->calendar = reader.name(*calendar);
  out->rest_ms = span_ms(root, "rest", reader);
  out->week_max_ms = span_ms(root, "week_max", reader);
  out->ready_before_ms = span_ms(root, "ready_before", reader);
  out->confirm_within_ms = span_ms(root, "confirm_within", reader);
  out->handover_within_ms = span_ms(root, "handover_within", reader);
  if (const YamlNode* layers = reader.need(root, "layers");
      layers != nullptr && reader.map(*layers)) {
    for (const YamlEntry& entry : layers->entries) out->layers.push_back(read_layer(entry, reader));
    if (out->layers.empty() || out->layers.size() > layers_max)
      reader.mistake(*layers, "roster.layers", {"须有 1–12 层", "there are 1–12 layers"});
  }
  reader.sort();
  return reader.clean() ? out : nullptr;
}

}  // namespace cw
