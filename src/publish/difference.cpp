#include "publish/difference.h"

#include <algorithm>
#include <span>
#include <unordered_map>

#include "base/text.h"

namespace cw {
namespace {

constexpr int kEditsMax = 2'000;                // beyond: the middle is replaced as a whole
constexpr std::int64_t kStepsMax = 20'000'000;  // of comparing
constexpr std::size_t kRowsMax = 20'000;

struct Edit {
  DifferenceRow::Op op;  // same, removed or added
  int left, right;       // from 0; -1 = not on this side
};

std::vector<std::string_view> lines_of(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  std::vector<std::string_view> out;
  if (text.empty()) return out;
  for (std::string_view line : split(text, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    out.push_back(line);
  }
  return out;
}

// Lines as numbers: equal lines have equal ones.
std::vector<int> numbered(const std::vector<std::string_view>& lines,
                          std::unordered_map<std::string_view, int>& known) {
  std::vector<int> out;
  for (std::string_view line : lines)
    out.push_back(known.emplace(line, static_cast<int>(known.size())).first->second);
  return out;
}

// Myers' greedy algorithm: on diagonal k = x - y, v[k] is the furthest x that d edits reach.
// `trace` keeps v of every d, so that the way back can be read.
class Myers {
 public:
  Myers(std::span<const int> a, std::span<const int> b)
      : a_(a), b_(b), n_(static_cast<int>(a.size())), m_(static_cast<int>(b.size())) {}

  // Appends the edits; false when there are more than the bound.
  bool run(std::vector<Edit>& out) {
    const int most = std::min(n_ + m_, kEditsMax);
    std::vector<int> v(2 * static_cast<std::size_t>(most) + 3, 0);
    const int zero = most + 1;
    for (int d = 0; d <= most; ++d) {
      trace_.emplace_back(v.begin() + (zero - d - 1), v.begin() + (zero + d + 2));
      for (int k = -d; k <= d; k += 2) {
        const bool down = k == -d || (k != d && v[zero + k - 1] < v[zero + k + 1]);
        int x = down ? v[zero + k + 1] : v[zero + k - 1] + 1;
        int y = x - k;
        for (; x < n_ && y < m_ && a_[x] == b_[y]; ++x, ++y) ++steps_;
        v[zero + k] = x;
        if (x >= n_ && y >= m_) return back(d, out), true;
      }
      steps_ += d;
      if (steps_ > kStepsMax) return false;
    }
    return false;
  }

 private:
  void back(int d, std::vector<Edit>& out) const {
    const std::size_t first = out.size();
    int x = n_, y = m_;
    for (; d > 0; --d) {
      const std::vector<int>& v = trace_[d];
      const int zero = d + 1, k = x - y;
      const bool down = k == -d || (k != d && v[zero + k - 1] < v[zero + k + 1]);
      const int before = down ? k + 1 : k - 1;
      const int edited = down ? v[zero + before] : v[zero + before] + 1;  // x after the edit
      while (x > edited) --x, --y, out.push_back({DifferenceRow::Op::same, x, y});
      if (down)
        --y, out.push_back({DifferenceRow::Op::added, -1, y});
      else
        --x, out.push_back({DifferenceRow::Op::removed, x, -1});
    }
    while (x > 0) --x, --y, out.push_back({DifferenceRow::Op::same, x, y});
    std::reverse(out.begin() + static_cast<std::ptrdiff_t>(first), out.end());
  }

  std::span<const int> a_, b_;
  int n_, m_;
  std::int64_t steps_ = 0;
  std::vector<std::vector<int>> trace_;
};

std::vector<Edit> edits_of(const std::vector<int>& a, const std::vector<int>& b, bool& coarse) {
  using Op = DifferenceRow::Op;
  std::vector<Edit> out;
  const int n = static_cast<int>(a.size()), m = static_cast<int>(b.size());
  int head = 0, tail = 0;
  while (head < n && head < m && a[head] == b[head]) ++head;
  while (tail < n - head && tail < m - head && a[n - 1 - tail] == b[m - 1 - tail]) ++tail;
  for (int i = 0; i < head; ++i) out.push_back({Op::same, i, i});
  std::vector<Edit> middle;
  const std::span<const int> left(a.data() + head, static_cast<std::size_t>(n - head - tail));
  const std::span<const int> right(b.data() + head, static_cast<std::size_t>(m - head - tail));
  coarse = !Myers(left, right).run(middle);
  if (coarse) {
    middle.clear();
    for (int i = 0; i < n - head - tail; ++i) middle.push_back({Op::removed, i, -1});
    for (int i = 0; i < m - head - tail; ++i) middle.push_back({Op::added, -1, i});
  }
  for (const Edit& e : middle)
    out.push_back({e.op, e.left < 0 ? -1 : e.left + head, e.right < 0 ? -1 : e.right + head});
  for (int i = tail; i > 0; --i) out.push_back({Op::same, n - i, m - i});
  return out;
}

bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

// The part of two lines that differs, in code points.
void mark_changed(DifferenceRow& row) {
  const std::string &a = row.left_text, &b = row.right_text;
  std::size_t head = 0, tail = 0;
  while (head < a.size() && head < b.size() && a[head] == b[head]) ++head;
  while (head > 0 && ((head < a.size() && !starts_character(a[head])) ||
                      (head < b.size() && !starts_character(b[head]))))
    --head;
  while (tail < a.size() - head && tail < b.size() - head &&
         a[a.size() - 1 - tail] == b[b.size() - 1 - tail])
    ++tail;
  while (tail > 0 && !starts_character(a[a.size() - tail])) --tail;
  auto points = [](const std::string& s, std::size_t end) {
    return static_cast<int>(code_points(std::string_view(s).substr(0, end)));
  };
  row.left_from = row.right_from = points(a, head);
  row.left_to = points(a, a.size() - tail);
  row.right_to = points(b, b.size() - tail);
}

// Rows side by side: a run of removed lines stands beside the run of added ones after it.
std::vector<DifferenceRow> rows_of(const std::vector<Edit>& edits,
                                   const std::vector<std::string_view>& left,
                                   const std::vector<std::string_view>& right) {
  using Op = DifferenceRow::Op;
  std::vector<DifferenceRow> out;
  auto add = [&](Op op, int l, int r) {
    DifferenceRow row{.op = op, .left = l + 1, .right = r + 1};
    if (l >= 0) row.left_text = left[l];
    if (r >= 0) row.right_text = right[r];
    if (op == Op::changed) mark_changed(row);
    out.push_back(std::move(row));
  };
  for (std::size_t i = 0; i < edits.size();) {
    if (edits[i].op == Op::same) {
      add(Op::same, edits[i].left, edits[i].right), ++i;
      continue;
    }
    std::vector<int> gone, come;
    for (; i < edits.size() && edits[i].op != Op::same; ++i)
      edits[i].op == Op::removed ? gone.push_back(edits[i].left) : come.push_back(edits[i].right);
    for (std::size_t j = 0; j < std::max(gone.size(), come.size()); ++j) {
      if (j < gone.size() && j < come.size())
        add(Op::changed, gone[j], come[j]);
      else if (j < gone.size())
        add(Op::removed, gone[j], -1);
      else
        add(Op::added, -1, come[j]);
    }
  }
  return out;
}

}  // namespace

LineDifference line_difference(std::string_view left, std::string_view right, int context) {
  const std::vector<std::string_view> a = lines_of(left), b = lines_of(right);
  std::unordered_map<std::string_view, int> known;
  const std::vector<int> x = numbered(a, known), y = numbered(b, known);
  LineDifference out;
  std::vector<Edit> edits = edits_of(x, y, out.coarse);
  for (const Edit& e : edits) {
    out.removed += e.op == DifferenceRow::Op::removed;
    out.added += e.op == DifferenceRow::Op::added;
  }
  std::vector<DifferenceRow> rows = rows_of(edits, a, b);
  const auto near = static_cast<std::size_t>(std::max(context, 0));
  std::size_t told = 0, shown_to = 0;  // rows before shown_to are in a hunk
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].op == DifferenceRow::Op::same) continue;
    const std::size_t from = i < near ? 0 : i - near;
    if (out.hunks.empty() || from > shown_to) out.hunks.emplace_back(), shown_to = from;
    const std::size_t to = std::min(rows.size(), i + near + 1);
    for (; shown_to < to; ++shown_to) {
      if (++told > kRowsMax) return out.cut = true, out;
      out.hunks.back().rows.push_back(std::move(rows[shown_to]));
    }
  }
  return out;
}

}  // namespace cw
