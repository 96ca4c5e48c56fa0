// The report as a picture: SVG with its own style, so that it can be opened, printed and filed.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "simulate/simulate.h"

namespace cw {
namespace {

constexpr int kWidth = 900, kEdge = 24;
constexpr int kAxis = 372, kAxisWide = 220;  // probabilities: 0 to 100 %
constexpr int kUsed = 668, kBin = 9;         // what of a limit was spent
constexpr std::size_t kReasons = 12;         // more are counted
constexpr double kUnits = 128;               // half-widths in a line of prose
constexpr const char* kStyle =
    "text{font:12px 'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif;fill:#1b1f24}"
    ".h{font-size:16px;font-weight:600}.b{font-weight:600}.s{fill:#5a626c}.bg{fill:#fff}"
    ".grid{stroke:#d9dde2}.line{stroke:#1b1f24;stroke-width:1.5}.limit{stroke:#1b1f24;"
    "stroke-dasharray:4 3}.in{fill:#aab2bb}.out,.dot{fill:#1b1f24}"
    "@media(prefers-color-scheme:dark){text,.out,.dot{fill:#e8ebef}.s{fill:#a5aeb8}.bg{fill:#12161c"
    "}.grid{stroke:#333b45}.line,.limit{stroke:#e8ebef}.in{fill:#66707b}}";

std::string xml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (static_cast<unsigned char>(c) >= 0x20) {
      out += c;
    }
  }
  return out;
}

// Half-widths: a Chinese character takes two.
double units(std::string_view point) { return point.size() > 2 ? 2 : 1.1; }

std::vector<std::string_view> points_of(std::string_view text) {
  std::vector<std::string_view> out;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t n = 1;
    while (i + n < text.size() && (static_cast<unsigned char>(text[i + n]) & 0xC0) == 0x80) ++n;
    out.push_back(text.substr(i, n));
    i += n;
  }
  return out;
}

std::vector<std::string> lines_of(std::string_view text, double wide) {
  std::vector<std::string> out{""};
  double used = 0;
  std::size_t space = std::string::npos;  // where the present line may be broken
  for (const std::string_view point : points_of(text)) {
    if (used + units(point) > wide) {
      std::string rest;
      if (space != std::string::npos && space > out.back().size() / 2) {
        rest = out.back().substr(space + 1);
        out.back().resize(space);
      }
      used = 0;
      for (const std::string_view moved : points_of(rest)) used += units(moved);
      out.push_back(std::move(rest));
      space = std::string::npos;
    }
    if (point == " ") space = out.back().size();
    out.back() += point;
    used += units(point);
  }
  return out;
}

std::string cut(std::string_view text, double wide) {
  std::vector<std::string> lines = lines_of(text, wide);
  return lines.size() > 1 ? lines[0] + "…" : lines[0];
}

class Plot {
 public:
  Plot(const SimulationReport& report, std::string_view lang) : r_(report), zh_(lang != "en") {}

  std::string draw() {
    head();
    limits();
    durations();
    posts();
    const std::string name = xml(title());
    return fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" "
        "viewBox=\"0 0 {0} {1}\" role=\"img\" lang=\"{2}\"><title>{3}</title><style>{4}</style>"
        "<path class=\"bg\" d=\"M0 0h{0}v{1}h-{0}z\"/>\n{5}</svg>\n",
        kWidth, y_ + 8, zh_ ? "zh-CN" : "en", name, kStyle, out_);
  }

 private:
  const char* say(const char* zh, const char* en) const { return zh_ ? zh : en; }
  std::string in(const Text& t) const { return zh_ ? t.zh : t.en; }
  std::string title() const {
    return in(r_.title) + " " + r_.procedure + "@" + std::to_string(r_.version);
  }

  void text(double x, double y, std::string_view what, const char* style = "",
            const char* anchor = "start") {
    out_ +=
        fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"{}\" text-anchor=\"{}\">{}</text>\n",
                    x, y, style, anchor, xml(what));
  }
  void path(const char* style, const std::string& d) {
    out_ += fmt::format("<path class=\"{}\" d=\"{}\"/>\n", style, d);
  }
  void section(const char* zh, const char* en) {
    y_ += 34;
    text(kEdge, y_, say(zh, en), "b");
    y_ += 10;
  }

  void head() {
    text(kEdge, 32, title(), "h");
    y_ = 54;
    text(kEdge, y_,
         fmt::format("{} · {} {} · {} {} · {} {} %",
                     r_.pass ? say("通过", "Pass") : say("不通过", "Fail"), r_.runs,
                     say("次推演", "runs"), say("种子", "seed"), r_.seed, say("门槛", "threshold"),
                     r_.threshold),
         "b");
    for (std::size_t i = 0; i < r_.reasons.size() && i < kReasons; ++i)
      for (const std::string& line : lines_of("✗ " + in(r_.reasons[i]), kUnits))
        text(kEdge, y_ += 18, line);
    if (r_.reasons.size() > kReasons)
      text(kEdge, y_ += 18,
           fmt::format("{} {}", say("另有", "and more:"), r_.reasons.size() - kReasons), "s");
  }

  static double at(int thousandths) { return kAxis + thousandths * kAxisWide / 1000.0; }

  void share_row(const Share& s) {
    path("line", fmt::format("M{:.1f} {}H{:.1f}", at(s.low()), y_ - 4, at(s.high())));
    out_ += fmt::format("<circle class=\"dot\" cx=\"{:.1f}\" cy=\"{}\" r=\"3.5\"/>\n", at(s.p()),
                        y_ - 4);
  }

  // The tenths of the limit: grey in time, black beyond it.
  void used_row(const Share& s) {
    const std::int64_t most = *std::max_element(s.used.begin(), s.used.end());
    for (std::size_t i = 0; i < s.used.size(); ++i) {
      if (s.used[i] == 0) continue;
      const double tall =
          std::max(1.0, 18.0 * static_cast<double>(s.used[i]) / static_cast<double>(most));
      path(i < 10 ? "in" : "out",
           fmt::format("M{} {}v-{:.1f}h{}v{:.1f}z", kUsed + static_cast<int>(i) * kBin, y_ + 3,
                       tall, kBin - 1, tall));
    }
    path("grid", fmt::format("M{} {}h{}", kUsed, y_ + 3.5, kBin * static_cast<int>(used_bins)));
  }

  void limits() {
    section("各时限按时概率，横线为 95 % 区间", "Limits met, with the 95 % interval");
    text(kUsed, y_ - 10, say("用去时限的百分比", "Percent of the limit spent"), "b");
    y_ += 14;
    for (const int t : {0, 500, 1000})
      if (std::abs(t - r_.threshold * 10) >= 100)
        text(at(t), y_, std::to_string(t / 10) + " %", "s", "middle");
    text(at(r_.threshold * 10), y_, std::to_string(r_.threshold) + " %", "b", "middle");
    for (const int t : {0, 10, 20})
      text(kUsed + t * kBin, y_, std::to_string(t * 10) + (t == 20 ? " %+" : " %"), "s", "middle");
    const int top = y_ + 6;
    for (const LimitReport& l : r_.limits) limit(l);
    for (const int t : {0, 500, 1000}) path("grid", fmt::format("M{} {}V{}", at(t), top, y_ + 6));
    path("limit", fmt::format("M{} {}V{}", at(r_.threshold * 10), top, y_ + 6));
    path("limit", fmt::format("M{} {}V{}", kUsed + 10 * kBin - 0.5, top, y_ + 6));
    y_ += 6;
  }

  void limit(const LimitReport& l) {
    y_ += 26;
    text(kEdge, y_, cut(in(l.title) + "  " + l.limit, 52), l.impossible ? "b" : "");
    if (l.all.of == 0) {
      text(kAxis, y_, say("从未起作用", "never applied"), "s");
      return;
    }
    share_row(l.all);
    text(kAxis + kAxisWide + 66, y_,
         l.impossible ? say("不可能", "impossible") : percent_text(l.all.p()),
         l.impossible || l.all.p() < r_.threshold * 10 ? "b" : "", "end");
    used_row(l.all);
    for (const auto& [value, share] : l.groups) {
      if (share.of == 0 || l.groups.size() < 2) continue;
      y_ += 16;
      text(kAxis - 12, y_, cut(value, 26), "s", "end");
      share_row(share);
      text(kAxis + kAxisWide + 66, y_, percent_text(share.p()),
           share.p() < r_.threshold * 10 ? "b" : "s", "end");
    }
  }

  std::string span(std::int64_t ms) const {
    const std::int64_t minutes = ms / 60'000;
    if (minutes < 120) return fmt::format("{} {}", minutes, say("分钟", "min"));
    if (minutes < 2'880) return fmt::format("{:.1f} {}", minutes / 60.0, say("小时", "h"));
    return fmt::format("{:.1f} {}", minutes / 1'440.0, say("天", "d"));
  }

  void durations() {
    if (r_.counts.empty()) return;
    section("办结时长（对数刻度）", "Time to the end (logarithmic)");
    const int wide = 852 / static_cast<int>(r_.counts.size()), bottom = y_ + 84;
    const std::int64_t most = *std::max_element(r_.counts.begin(), r_.counts.end());
    for (std::size_t i = 0; i < r_.counts.size(); ++i) {
      const double tall = 72.0 * static_cast<double>(r_.counts[i]) / static_cast<double>(most);
      const int x = kEdge + static_cast<int>(i) * wide;
      path("in", fmt::format("M{} {}v-{:.1f}h{}v{:.1f}z", x, bottom, tall, wide - 1, tall));
      if (i % 6 == 0) text(x, bottom + 16, span(r_.edges_ms[i]), "s");
    }
    path("grid", fmt::format("M{} {}.5h852", kEdge, bottom));
    y_ = bottom + 36;
    text(kEdge, y_,
         fmt::format("P5 {} · P50 {} · P80 {} · P95 {}", span(r_.p5_ms), span(r_.p50_ms),
                     span(r_.p80_ms), span(r_.p95_ms)));
  }

  void posts() {
    if (r_.posts.empty()) return;
    section("岗位占用", "How busy posts are");
    y_ += 6;
    for (const PostReport& p : r_.posts) {
      y_ += 20;
      text(kEdge, y_, cut(fmt::format("{} ×{}", p.post, p.people), 52), p.overloaded ? "b" : "");
      path("in",
           fmt::format("M{} {}h{:.1f}v10h-{:.1f}z", kAxis, y_ - 9,
                       p.utilisation * kAxisWide / 1000.0, p.utilisation * kAxisWide / 1000.0));
      path("grid", fmt::format("M{} {}h{}", kAxis, y_ + 1.5, kAxisWide));
      text(kAxis + kAxisWide + 66, y_, percent_text(p.utilisation), p.overloaded ? "b" : "s",
           "end");
      std::string says = fmt::format(fmt::runtime(say("{} 件，{} 件等人，{} 件因此超时",
                                                      "{} items, {} waited, {} late by it")),
                                     p.items, p.waited, p.late_by_wait);
      if (p.overloaded) says += say("，超负荷", ": overloaded");
      if (p.assumed) says += say("，假定", ", assumed");
      text(kUsed, y_, says, p.overloaded ? "b" : "s");
    }
  }

  const SimulationReport& r_;
  const bool zh_;
  std::string out_;
  int y_ = 0;
};

}  // namespace

std::string to_svg(const SimulationReport& report, std::string_view lang) {
  return Plot(report, lang).draw();
}

}  // namespace cw
