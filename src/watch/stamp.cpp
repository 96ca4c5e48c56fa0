#include "stamp.h"

#include <array>

#include "base/clock.h"

namespace cw::watch {
namespace {

constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::int64_t kDay = 86'400'000;

// Reads forward; any failure leaves `ok` false and the caller drops the cursor.
struct Cursor {
  std::string_view s;
  bool ok = true;

  bool at(char c) const { return !s.empty() && s.front() == c; }
  bool eat(char c) {
    if (!at(c)) return false;
    s.remove_prefix(1);
    return true;
  }
  void need(char c) { ok = eat(c) && ok; }
  int number(std::size_t least, std::size_t most, int low, int high) {
    std::size_t n = 0;
    int value = 0;
    while (n < s.size() && n < most && s[n] >= '0' && s[n] <= '9')
      value = value * 10 + (s[n++] - '0');
    if (n < least || value < low || value > high) ok = false;
    s.remove_prefix(n);
    return value;
  }
};

bool is_leap(int y) { return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0; }

bool is_date(int year, int month, int day) {
  constexpr std::array<int, 12> days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int most = days[static_cast<std::size_t>(month - 1)] + (month == 2 && is_leap(year) ? 1 : 0);
  return day <= most;
}

// HH:MM:SS[.fraction]; a leap second counts as the second before.
std::int64_t time_of_day(Cursor& c) {
  int h = c.number(2, 2, 0, 23);
  c.need(':');
  int m = c.number(2, 2, 0, 59);
  c.need(':');
  int s = c.number(2, 2, 0, 60);
  std::int64_t ms = ((h * 60 + m) * 60 + (s == 60 ? 59 : s)) * std::int64_t{1000};
  if (c.ok && (c.at('.') || c.at(',')) && c.s.size() > 1 && c.s[1] >= '0' && c.s[1] <= '9') {
    c.s.remove_prefix(1);
    int scale = 100;
    for (int n = 0; n < 9 && !c.s.empty() && c.s.front() >= '0' && c.s.front() <= '9'; ++n) {
      ms += (c.s.front() - '0') * scale;
      scale /= 10;
      c.s.remove_prefix(1);
    }
  }
  return ms;
}

// Z, +08:00 or +0800, right after the time; nothing else is a zone.
bool take_zone(Cursor& c, int& minutes) {
  Cursor z = c;
  if (z.eat('Z')) {
    minutes = 0;
  } else if (z.at('+') || z.at('-')) {
    int sign = z.eat('+') ? 1 : (z.s.remove_prefix(1), -1);
    int h = z.number(2, 2, 0, 23);
    z.eat(':');
    int m = z.number(2, 2, 0, 59);
    if (!z.ok) return false;
    minutes = sign * (h * 60 + m);
  } else {
    return false;
  }
  c = z;
  return true;
}

std::int64_t to_ms(int year, int month, int day, std::int64_t of_day, int offset_min) {
  return days_from_civil(year, month, day) * kDay + of_day - offset_min * std::int64_t{60'000};
}

// The year that makes the time latest without lying more than two days ahead of `near`.
std::optional<std::int64_t> nearest_year(int month, int day, std::int64_t of_day,
                                         const StampContext& x) {
  std::int64_t local = x.near_ms + x.utc_offset_min * std::int64_t{60'000};
  int year = civil_from_days((local - (local < 0 ? kDay - 1 : 0)) / kDay).year;
  for (int y = year + 1; y >= year - 8; --y) {  // eight: a 29 February across 1900 or 2100
    if (!is_date(y, month, day)) continue;
    std::int64_t ms = to_ms(y, month, day, of_day, x.utc_offset_min);
    if (ms <= x.near_ms + 2 * kDay) return ms;
  }
  return std::nullopt;
}

std::optional<Stamp> take_iso(Cursor& c, const StampContext& x) {
  int year = c.number(4, 4, 1970, 9999);
  c.need('-');
  int month = c.number(2, 2, 1, 12);
  c.need('-');
  int day = c.number(2, 2, 1, 31);
  if (!c.eat('T')) c.need(' ');
  std::int64_t of_day = time_of_day(c);
  if (!c.ok || !is_date(year, month, day)) return std::nullopt;
  int offset = x.utc_offset_min;
  bool zone = take_zone(c, offset);
  return Stamp{to_ms(year, month, day, of_day, offset), true, zone};
}

std::optional<Stamp> take_bsd(Cursor& c, const StampContext& x) {
  int month = 0;
  for (std::size_t i = 0; i < kMonths.size(); ++i) {
    if (c.s.starts_with(kMonths[i])) month = static_cast<int>(i) + 1;
  }
  if (month == 0) return std::nullopt;
  c.s.remove_prefix(3);
  c.need(' ');
  c.eat(' ');
  int day = c.number(1, 2, 1, 31);
  c.need(' ');
  if (!c.ok) return std::nullopt;
  Cursor with_year = c;
  int year = with_year.number(4, 4, 1970, 9999);
  with_year.need(' ');
  if (with_year.ok) {
    std::int64_t of_day = time_of_day(with_year);
    if (with_year.ok && is_date(year, month, day)) {
      c = with_year;
      return Stamp{to_ms(year, month, day, of_day, x.utc_offset_min), true, false};
    }
  }
  std::int64_t of_day = time_of_day(c);
  if (!c.ok) return std::nullopt;
  std::optional<std::int64_t> ms = nearest_year(month, day, of_day, x);
  if (!ms) return std::nullopt;
  return Stamp{*ms, false, false};
}

std::optional<Stamp> take_month_day(Cursor& c, const StampContext& x) {
  int month = c.number(2, 2, 1, 12);
  c.need('-');
  int day = c.number(2, 2, 1, 31);
  c.need(' ');
  std::int64_t of_day = time_of_day(c);
  if (!c.ok) return std::nullopt;
  std::optional<std::int64_t> ms = nearest_year(month, day, of_day, x);
  if (!ms) return std::nullopt;
  return Stamp{*ms, false, false};
}

}  // namespace

std::optional<Stamp> take_time(std::string_view& s, const StampContext& context) {
  if (s.empty()) return std::nullopt;
  using Take = std::optional<Stamp> (*)(Cursor&, const StampContext&);
  bool digits = s.front() >= '0' && s.front() <= '9';
  Take month_first = digits ? take_month_day : take_bsd;
  Take forms[] = {digits ? take_iso : month_first, month_first};
  for (Take take : forms) {
    Cursor c{s};
    if (std::optional<Stamp> t = take(c, context)) {
      s = c.s;
      return t;
    }
  }
  return std::nullopt;
}

}  // namespace cw::watch
