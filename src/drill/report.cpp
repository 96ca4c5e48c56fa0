// A drill on paper: Markdown, and the same as a page of A4.
#include "base/clock.h"
#include "drill/drill.h"

namespace cw {
namespace {

// Local time of the house (UTC+8), to the minute.
std::string drill_time(std::int64_t ms) {
  const std::string t = to_rfc3339(ms + 8 * 3'600'000);
  return t.substr(0, 10) + " " + t.substr(11, 5);
}

std::string drill_span(std::int64_t ms, bool zh) {
  if (ms < 0) return zh ? "未做" : "not done";
  const std::int64_t s = ms / 1000;
  if (s < 3'600 && s % 60 == 0) return std::to_string(s / 60) + (zh ? " 分" : " min");
  if (s < 3'600)
    return std::to_string(s / 60) + (zh ? " 分 " : " min ") + std::to_string(s % 60) +
           (zh ? " 秒" : " s");
  return std::to_string(s / 3'600) + (zh ? " 小时 " : " h ") + std::to_string(s / 60 % 60) +
         (zh ? " 分" : " min");
}

struct DrillRows {
  std::string title;
  std::vector<std::pair<std::string, std::string>> head;
  struct Table {
    std::string title;
    std::vector<std::string> columns;
    std::vector<std::vector<std::string>> rows;
    std::size_t text = 0;  // the column of words, which may break into lines
  };
  std::vector<Table> tables;
};

std::string name_in(const DrillReport& r, const std::string& person) {
  auto it = r.names.find(person);
  return it == r.names.end() ? person : it->second;
}

std::string action_in(const DrillReport& r, const std::string& line) {
  auto finding = r.drill.findings.find(line);
  return finding == r.drill.findings.end() ? "—" : finding->second;
}

DrillRows::Table results(const DrillReport& r, bool zh) {
  DrillRows::Table out;
  out.title = zh ? "时限与动作" : "Limits and acts";
  out.columns = zh ? std::vector<std::string>{"事项",         "时限",         "用时", "结果",
                                              "真实事件达标", "真实事件中位", "整改"}
                   : std::vector<std::string>{
                         "What",         "Limit", "Took", "Result", "Met in real incidents",
                         "Their median", "Action"};
  for (const DrillLine& l : r.drill.score.lines) {
    std::string real = "—", median = "—";
    for (const RealLine& k : r.real)
      if (k.id == l.id) {
        real = std::to_string(k.met) + "/" + std::to_string(k.of);
        median = k.median_ms < 0 ? "—" : drill_span(k.median_ms, zh);
      }
    const Text title = l.title.zh.empty() ? Text{l.id, l.id} : l.title;
    out.rows.push_back({title.in(zh ? "zh" : "en"), drill_span(l.limit_ms, zh),
                        drill_span(l.took_ms, zh),
                        l.met ? (zh ? "达标" : "met") : (zh ? "超时" : "missed"), real, median,
                        action_in(r, l.id)});
  }
  return out;
}

DrillRows::Table injects(const DrillReport& r, bool zh) {
  DrillRows::Table out;
  out.title = zh ? "情况注入" : "Injects";
  out.columns = zh ? std::vector<std::string>{"时间", "内容", "对象"}
                   : std::vector<std::string>{"At", "What", "To"};
  out.text = 1;
  for (std::size_t i = 0; i < r.drill.injected && r.scenario && i < r.scenario->injects.size();
       ++i) {
    const DrillInject& inject = r.scenario->injects[i];
    std::string to;
    for (const std::string& one : inject.to) {
      auto role = r.roles.find(one);
      to += (to.empty() ? ""
             : zh       ? "、"
                        : ", ") +
            (role == r.roles.end() ? one : role->second.in(zh ? "zh" : "en"));
    }
    out.rows.push_back(
        {drill_time(r.drill.began_ms + inject.at_ms), inject.text.in(zh ? "zh" : "en"), to});
  }
  return out;
}

std::string words_in(const std::string& text, bool zh) {
  return !text.empty() ? text : zh ? "内容已依法销毁" : "Destroyed as the law asks";
}

std::string word_in(std::string_view value, bool zh) {
  constexpr struct {
    std::string_view value, zh, en;
  } kWords[] = {{"excellent", "优秀", "Excellent"}, {"good", "良好", "Good"},
                {"pass", "合格", "Pass"},           {"fail", "不合格", "Fail"},
                {"adequate", "一般", "Adequate"},   {"poor", "差", "Poor"}};
  for (const auto& word : kWords)
    if (word.value == value) return std::string(zh ? word.zh : word.en);
  return std::string(value);
}

DrillRows::Table observations(const DrillReport& r, bool zh) {
  DrillRows::Table out;
  out.title = zh ? "观察记录" : "Observations";
  out.columns =
      zh ? std::vector<std::string>{"时间", "记录人", "对象", "评价", "内容", "整改"}
         : std::vector<std::string>{"At", "By", "About", "Rating", "What was seen", "Action"};
  out.text = 4;
  for (std::size_t i = 0; i < r.drill.observations.size(); ++i) {
    const DrillObservation& o = r.drill.observations[i];
    out.rows.push_back({drill_time(o.at_ms), name_in(r, o.by),
                        about_title(r.scenario.get(), o.about).in(zh ? "zh" : "en"),
                        word_in(o.rating, zh),
                        words_in(i < r.observed.size() ? r.observed[i] : "", zh),
                        action_in(r, "observation:" + std::to_string(i + 1))});
  }
  return out;
}

DrillRows::Table conclusion(const DrillReport& r, bool zh) {
  DrillRows::Table out;
  out.title = zh ? "评估结论" : "Conclusion";
  out.columns = zh ? std::vector<std::string>{"时间", "组织人", "等次", "结论", "修订预案", "整改"}
                   : std::vector<std::string>{"At",         "Director",        "Grade",
                                              "Conclusion", "Revise the plan", "Action"};
  out.text = 3;
  if (const auto& c = r.drill.conclusion)
    out.rows.push_back(
        {drill_time(c->at_ms), name_in(r, c->by), word_in(c->grade, zh), words_in(r.concluded, zh),
         c->revise ? (zh ? "须修订" : "yes") : (zh ? "不须" : "no"), action_in(r, "revise")});
  return out;
}

std::string names_in(const DrillReport& r, const std::vector<std::string>& people, bool zh) {
  std::string out;
  for (const std::string& person : people)
    out += (out.empty() ? "" : zh ? "、" : ", ") + name_in(r, person);
  return out;
}

DrillRows rows_of(const DrillReport& r, std::string_view lang) {
  const bool zh = lang != "en";
  DrillRows out;
  const Text title = r.scenario ? r.scenario->title : Text{r.drill.scenario, r.drill.scenario};
  out.title = (zh ? "演练报告：" : "Drill report: ") + title.in(zh ? "zh" : "en");
  auto head = [&](const char* a, const char* b, std::string value) {
    if (!value.empty()) out.head.emplace_back(zh ? a : b, std::move(value));
  };
  if (r.scenario) head("目的", "Goal", r.scenario->goal.in(zh ? "zh" : "en"));
  head("预案", "Plan", r.plan_title.in(zh ? "zh" : "en"));
  head("编号", "Number", r.number);
  head("计划时间", "Planned for", drill_time(r.drill.on_ms));
  if (r.drill.began_ms != 0) head("开始", "Began", drill_time(r.drill.began_ms));
  if (r.drill.ended_ms != 0) head("结束", "Ended", drill_time(r.drill.ended_ms));
  head("组织人", "Director", name_in(r, r.drill.director));
  head("参加人", "Participants", names_in(r, r.drill.people, zh));
  head("评估人", "Evaluators", names_in(r, r.drill.evaluators, zh));
  if (r.drill.phase == DrillPhase::ended) {
    const DrillScore& score = r.drill.score;
    head("得分", "Score",
         score.percent ? std::to_string(*score.percent) + " / 100"
         : zh          ? "未评分"
                       : "not scored");
    const std::string all = std::to_string(score.expected()), left = std::to_string(score.unjudged);
    head("期望动作", "Expected acts",
         zh ? all + " 项，其中 " + left + " 项未评" : all + ", " + left + " not judged");
  }
  out.tables.push_back(results(r, zh));
  out.tables.push_back(injects(r, zh));
  out.tables.push_back(observations(r, zh));
  out.tables.push_back(conclusion(r, zh));
  return out;
}

std::string md(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '|' || c == '\\' || c == '`' || c == '*' || c == '_' || c == '<' || c == '[')
      out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

}  // namespace

std::string to_markdown(const DrillReport& report, std::string_view lang) {
  const DrillRows r = rows_of(report, lang);
  std::string out = "# " + md(r.title) + "\n\n";
  for (const auto& [name, value] : r.head)
    out += "- " + name + (lang == "en" ? ": " : "：") + md(value) + "\n";
  for (const auto& table : r.tables) {
    if (table.rows.empty()) continue;
    out += "\n## " + table.title + "\n\n|";
    for (const auto& c : table.columns) out += " " + c + " |";
    out += "\n|";
    for (std::size_t i = 0; i < table.columns.size(); ++i) out += "---|";
    out += "\n";
    for (const auto& row : table.rows) {
      out += "|";
      for (const auto& cell : row) out += " " + md(cell) + " |";
      out += "\n";
    }
  }
  return out;
}

std::string to_html(const DrillReport& report, std::string_view lang, std::string_view style) {
  const DrillRows r = rows_of(report, lang);
  const bool zh = lang != "en";
  std::string out = "<!doctype html><html lang=\"" + std::string(zh ? "zh-CN" : "en") +
                    "\"><head><meta charset=\"utf-8\"><title>" + escaped(r.title) +
                    "</title><link rel=\"stylesheet\" href=\"" + std::string(style) +
                    "\"></head><body><header><h1>" + escaped(r.title) + "</h1><p class=\"drill\">" +
                    (zh ? "演练" : "DRILL") + "</p></header><table>";
  for (const auto& [name, value] : r.head)
    out += "<tr><th>" + escaped(name) + "</th><td>" + escaped(value) + "</td></tr>";
  out += "</table>";
  for (const auto& table : r.tables) {
    if (table.rows.empty()) continue;
    out += "<h2>" + escaped(table.title) + "</h2><table><tr>";
    for (const auto& c : table.columns) out += "<td><b>" + escaped(c) + "</b></td>";
    out += "</tr>";
    for (const auto& row : table.rows) {
      out += "<tr>";
      for (std::size_t i = 0; i < row.size(); ++i)
        out += (i == table.text ? "<td>" : "<td class=\"short\">") + escaped(row[i]) + "</td>";
      out += "</tr>";
    }
    out += "</table>";
  }
  return out + "</body></html>";
}

}  // namespace cw
