// Schedules: reading them, and the slots that follow from one.
#include <algorithm>

#include "base/clock.h"
#include "base/text.h"
#include "names.h"
#include "read.h"

namespace cw {
namespace {

constexpr std::string_view kEveryUnits[] = {"d", "wd", "w", "mo", "y"};
constexpr std::int64_t kSearchDays = 4'000;  // how far ahead a workday is looked for

int days_in_month(int year, int month) {
  return static_cast<int>(
      days_from_civil(month == 12 ? year + 1 : year, month == 12 ? 1 : month + 1, 1) -
      days_from_civil(year, month, 1));
}

std::string date_text(std::int64_t day) {
  const Civil c = civil_from_days(day);
  char text[16];
  std::snprintf(text, sizeof text, "%04d-%02d-%02d", c.year, c.month, c.day);
  return text;
}

std::optional<std::int64_t> parse_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto year = to_int<int>(text.substr(0, 4)), month = to_int<int>(text.substr(5, 2)),
             day = to_int<int>(text.substr(8, 2));
  if (!year || !month || !day || *year < 1970 || *year > 2200 || *month < 1 || *month > 12 ||
      *day < 1 || *day > days_in_month(*year, *month)) {
    return std::nullopt;
  }
  return days_from_civil(*year, *month, *day);
}

std::optional<int> parse_minute(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto hour = to_int<int>(text.substr(0, 2)), minute = to_int<int>(text.substr(3, 2));
  if (!hour || !minute || *hour < 0 || *hour > 23 || *minute < 0 || *minute > 59) {
    return std::nullopt;
  }
  return *hour * 60 + *minute;
}

// Days of one calendar.
class SlotDays {
 public:
  explicit SlotDays(const Calendar& calendar) : calendar_(calendar) {}
  std::int64_t moment(std::int64_t day, int minute) const {
    char time[16];
    std::snprintf(time, sizeof time, "T%02d:%02d", minute / 60, minute % 60);
    return calendar_.from_local(date_text(day) + time).value_or(INT64_MAX);
  }
  bool open(std::int64_t day) const {
    return calendar_.spent_ms(moment(day, 0), moment(day + 1, 0), false) > 0;
  }
  std::optional<std::int64_t> workday(std::int64_t day) const {  // this one or the next
    for (std::int64_t end = day + kSearchDays; day < end; ++day) {
      if (open(day)) return day;
    }
    return std::nullopt;
  }

 private:
  const Calendar& calendar_;
};

// The k-th day of a schedule that does not count workdays.
std::int64_t nth_day(const Schedule& s, std::int64_t k) {
  const std::int64_t steps = k * s.every;
  if (s.unit == Schedule::Unit::day) return s.first + steps;
  if (s.unit == Schedule::Unit::week) return s.first + steps * 7;
  const Civil from = civil_from_days(s.first);
  const std::int64_t months = (s.unit == Schedule::Unit::year ? 12 : 1) * steps + from.month - 1;
  const int year = from.year + static_cast<int>(months / 12);
  const int month = static_cast<int>(months % 12) + 1;
  return days_from_civil(year, month, std::min(from.day, days_in_month(year, month)));
}

}  // namespace

std::optional<std::int64_t> Schedule::next(const Calendar& by, std::int64_t after_ms) const {
  const SlotDays days(by);
  if (unit == Unit::workday) {
    const std::int64_t day_before = after_ms / 86'400'000 - 2;  // each workday: no need to count
    auto day = days.workday(every == 1 ? std::max(first, day_before) : first);
    for (std::int64_t k = 0; day; day = days.workday(*day + 1), ++k) {
      const std::int64_t at = days.moment(*day, minute);
      if (k % every == 0 && at > after_ms) return at;
    }
    return std::nullopt;
  }
  constexpr std::int64_t most_days[] = {1, 1, 7, 31, 366};
  const std::int64_t step = most_days[static_cast<int>(unit)] * every;
  const std::int64_t passed = after_ms / 86'400'000 - first;
  // A few steps early: a slot may have been moved behind a holiday.
  for (std::int64_t k = std::max<std::int64_t>(0, passed / step - 30 / step - 2);; ++k) {
    std::optional<std::int64_t> day = nth_day(*this, k);
    if (workday) day = days.workday(*day);
    if (!day || *day > first + 90'000) return std::nullopt;
    const std::int64_t at = days.moment(*day, minute);
    if (at > after_ms) return at;
  }
}

// {every: 1wd, at: "08:30", from: 2026-01-01, calendar: …, workday: true, org: each, start: {…}}
void DefinitionReader::schedule(const YamlNode& node) {
  Schedule& out = d_->schedule;
  if (!reader_.map(node)) return;
  reader_.keys(node, {"every", "at", "from", "calendar", "workday", "org", "start"});
  out.calendar = d_->calendar;
  if (const YamlNode* every = reader_.need(node, "every")) schedule_every(*every, out);
  if (const YamlNode* at = reader_.need(node, "at")) {
    if (const auto minute = at->is_scalar() ? parse_minute(at->text) : std::nullopt) {
      out.minute = *minute;
    } else {
      reader_.mistake(
          *at, "procedure.schedule",
          {"at 应为一天中的时刻，例如 \"08:30\"", "at is a time of day such as \"08:30\""});
    }
  }
  if (const YamlNode* from = reader_.need(node, "from")) {
    if (const auto day = from->is_scalar() ? parse_date(from->text) : std::nullopt) {
      out.first = *day;
    } else {
      reader_.mistake(*from, "procedure.schedule",
                      {"from 应为日期，例如 2026-01-01", "from is a date such as 2026-01-01"});
    }
  }
  if (const YamlNode* id = node.find("calendar")) out.calendar = calendar(*id);
  if (const YamlNode* workday = node.find("workday")) {
    out.workday = reader_.boolean(*workday);
    if (out.unit == Schedule::Unit::day || out.unit == Schedule::Unit::workday) {
      reader_.mistake(*workday, "procedure.schedule",
                      {"workday 只用于按周、月、年的周期", "workday goes with w, mo and y only"});
    }
  }
  if (const YamlNode* org = node.find("org")) {
    static const Names kinds{"root", "each", "hq", "province", "centre"};
    const int kind = find(*org, kinds, "procedure.schedule", {"单位范围", "kind of organisation"});
    if (kind >= 0) out.org = kinds[static_cast<std::size_t>(kind)];
  }
  schedule_start(node.find("start"), node, out);
}

void DefinitionReader::schedule_every(const YamlNode& node, Schedule& out) {
  std::size_t digits = 0;
  while (digits < node.text.size() && node.text[digits] >= '0' && node.text[digits] <= '9') {
    ++digits;
  }
  const auto amount = to_int<int>(std::string_view(node.text).substr(0, digits));
  const std::string_view unit = std::string_view(node.text).substr(digits);
  const auto known = std::find(std::begin(kEveryUnits), std::end(kEveryUnits), unit);
  if (node.is_scalar() && amount && *amount >= 1 && *amount <= 1'000 &&
      known != std::end(kEveryUnits)) {
    out.every = *amount;
    out.unit = static_cast<Schedule::Unit>(known - std::begin(kEveryUnits));
    return;
  }
  reader_.mistake(
      node, "procedure.schedule",
      {"every 应为 1d（天）、1wd（工作日）、1w（周）、1mo（月）、1y（年）之类，1 到 1000",
       "every is such as 1d (days), 1wd (workdays), 1w, 1mo or 1y; 1 to 1000"});
}

json::value DefinitionReader::schedule_value(const YamlNode& node, const FormField& field) {
  if (!node.is_scalar() || node.quoted) return json::value(json::string(node.text));
  if (field.type == FieldType::boolean && (node.text == "true" || node.text == "false")) {
    return node.text == "true";
  }
  if (field.type == FieldType::integer) {
    if (const auto number = to_int<std::int64_t>(node.text)) return *number;
  }
  return json::value(json::string(node.text));
}

// What a person would write into the start form, and facts outside it. It is filled here once, so
// that it cannot fail in the night.
void DefinitionReader::schedule_start(const YamlNode* node, const YamlNode& whole, Schedule& out) {
  const Form* form = d_->start_form >= 0 ? d_->forms[d_->start_form].form.get() : nullptr;
  if (node != nullptr && !reader_.map(*node)) return;
  json::object trial;
  YamlNode facts;
  facts.kind = YamlNode::Kind::map;
  if (node != nullptr) {
    for (const auto& [key, value] : node->entries) {
      const int field = form != nullptr ? form->field(key.text) : -1;
      if (field < 0) {
        facts.entries.push_back({key, value});
        continue;
      }
      const FormField& known = form->fields[static_cast<std::size_t>(field)];
      out.form[key.text] = schedule_value(value, known);
      const bool now = known.type == FieldType::time && value.text == "now";
      trial[key.text] =
          now ? json::value("2026-01-01T00:00:00Z") : json::value(out.form.at(key.text));
    }
  }
  out.set = assignments(facts, -1);
  if (form == nullptr) return;
  const Result<json::object> filled = fill(*form, trial);
  if (filled) return;
  for (const FieldProblem& wrong : filled.problem().fields) {
    const std::string name = wrong.pointer.empty() ? "" : wrong.pointer.substr(1);
    const YamlNode* value = node != nullptr ? node->find(name) : nullptr;
    reader_.mistake(value != nullptr  ? *value
                    : node != nullptr ? *node
                                      : whole,
                    "procedure.schedule",
                    {"按时自动发起时须填好起始表单的“" + name + "”：" + wrong.text.zh,
                     "opened by itself, the start form needs '" + name + "': " + wrong.text.en});
  }
}

}  // namespace cw
