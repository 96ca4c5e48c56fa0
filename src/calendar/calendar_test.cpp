#include "calendar/calendar.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>

#include "base/clock.h"
#include "base/json.h"
#include "base/random.h"
#include "zone.h"

namespace cw {
namespace {

const std::filesystem::path content = std::filesystem::path(CW_SOURCE_DIR) / "content";

const Calendars& calendars() {
  static const Calendars loaded = [] {
    std::vector<Mistake> mistakes;
    Calendars all = Calendars::load(content / "calendars", mistakes);
    for (const Mistake& m : mistakes) ADD_FAILURE() << describe(m, "en");
    return all;
  }();
  return loaded;
}

std::shared_ptr<const Calendar> made(const std::string& body) {
  std::vector<Mistake> mistakes;
  const Calendars all = Calendars::from_texts(
      {{"t.yaml", "calendar: t\nversion: 1\ntitle: {zh: 测, en: T}\n" + body}}, mistakes);
  for (const Mistake& m : mistakes) ADD_FAILURE() << describe(m, "en");
  return all.find("t");
}

std::string due(const Calendar& calendar, const char* from, const char* add) {
  const std::int64_t from_ms = *calendar.from_local(from);
  return calendar.local(calendar.due_ms(from_ms, calendar.budget(*parse_span(add), from_ms)));
}

TEST(Calendar, TheThreeDueTimesOfTheDesign) {
  const Calendar& office = *calendars().find("cn-office");
  EXPECT_EQ(due(office, "2026-02-13T17:30", "8h"), "2026-02-14T17:30:00+08:00");
  EXPECT_EQ(due(office, "2026-02-14T17:30", "8h"), "2026-02-24T17:30:00+08:00");
  EXPECT_EQ(due(office, "2026-09-30T17:00", "2h"), "2026-10-08T10:00:00+08:00");
}

TEST(Calendar, UnitsCountOpenTimeOrNaturalDays) {
  const Calendar& office = *calendars().find("cn-office");
  EXPECT_EQ(due(office, "2026-02-13T17:30", "30m"), "2026-02-13T18:00:00+08:00");  // at closing
  EXPECT_EQ(due(office, "2026-02-13T17:30", "31m"), "2026-02-14T09:01:00+08:00");
  EXPECT_EQ(due(office, "2026-02-13T17:30", "1wd"), "2026-02-14T17:30:00+08:00");
  EXPECT_EQ(due(office, "2026-02-13T17:30", "7d"), "2026-02-20T17:30:00+08:00");
  EXPECT_EQ(due(office, "2026-02-15T03:00", "1h"), "2026-02-24T10:00:00+08:00");  // starts closed
  const Calendar& always = *calendars().find("always");
  EXPECT_EQ(due(always, "2026-02-13T23:30", "8h"), "2026-02-14T07:30:00+08:00");
  EXPECT_EQ(due(always, "2026-02-13T23:30", "1wd"), "2026-02-14T23:30:00+08:00");
}

TEST(Calendar, CloseOfBusinessIsAMomentOfTheWorkingDayAtHandOrOfALaterOne) {
  const Calendar& office = *calendars().find("cn-office");
  EXPECT_EQ(due(office, "2026-02-13T17:30", "cob"), "2026-02-13T18:00:00+08:00");
  EXPECT_EQ(due(office, "2026-02-13T07:00", "cob"), "2026-02-13T18:00:00+08:00");  // before opening
  EXPECT_EQ(due(office, "2026-02-13T12:30", "cob"), "2026-02-13T18:00:00+08:00");  // in the break
  EXPECT_EQ(due(office, "2026-02-13T18:00", "cob"), "2026-02-14T18:00:00+08:00");  // just closed
  EXPECT_EQ(due(office, "2026-02-13T17:30", "1cob"), "2026-02-14T18:00:00+08:00");  // made up
  EXPECT_EQ(due(office, "2026-02-13T17:30", "2cob"), "2026-02-24T18:00:00+08:00");  // the festival
  EXPECT_EQ(due(office, "2026-02-15T03:00", "cob"), "2026-02-24T18:00:00+08:00");
  EXPECT_EQ(due(office, "2026-02-27T19:00", "cob"), "2026-02-28T18:00:00+08:00");  // a Saturday
  const std::int64_t eleven = *office.from_local("2026-02-13T11:00");
  EXPECT_EQ(office.budget({0, Unit::close}, eleven).ms, 6 * 3'600'000) << "less the break";

  const Calendar& always = *calendars().find("always");
  EXPECT_EQ(due(always, "2026-02-13T23:30", "cob"), "2026-02-14T00:00:00+08:00");
  EXPECT_EQ(due(always, "2026-02-13T00:00", "cob"), "2026-02-14T00:00:00+08:00");
  EXPECT_EQ(due(always, "2026-02-13T23:30", "1cob"), "2026-02-15T00:00:00+08:00");

  const auto night = made(
      "zone: Asia/Shanghai\nopen: [22:00-06:00]\nweek: [mon, tue, wed, thu, fri]\nworkday: 8h\n"
      "dates: {2026-11-18: [22:00-23:00]}\n");
  EXPECT_EQ(due(*night, "2026-11-17T03:00", "cob"), "2026-11-17T06:00:00+08:00");  // Monday's
  EXPECT_EQ(due(*night, "2026-11-17T12:00", "cob"), "2026-11-18T06:00:00+08:00");
  EXPECT_EQ(due(*night, "2026-11-17T12:00", "1cob"), "2026-11-18T23:00:00+08:00");
  EXPECT_EQ(due(*night, "2026-11-21T12:00", "cob"), "2026-11-24T06:00:00+08:00");  // Saturday noon
  const auto round = made(
      "zone: Asia/Shanghai\nopen: [00:00-24:00]\nweek: [mon, tue, wed, thu, fri]\nworkday: 8h\n");
  EXPECT_EQ(due(*round, "2026-11-17T03:00", "cob"), "2026-11-18T00:00:00+08:00");
  EXPECT_EQ(due(*round, "2026-11-20T03:00", "1cob"), "2026-11-24T00:00:00+08:00");
}

TEST(Calendar, ThreeThousandClosesOfBusinessEqualAWalkDayByDay) {
  const Calendar& office = *calendars().find("cn-office");
  SeededRandom random(20);
  const std::int64_t first = *office.from_local("2025-01-01T00:00");
  for (int i = 0; i < 3000; ++i) {
    const std::int64_t minute = static_cast<std::int64_t>(random.below(3 * 366 * 1440));
    const std::int64_t from_ms = first + minute * 60'000;
    const auto ahead = static_cast<std::int64_t>(random.below(30));
    std::int64_t day = office.day_of(from_ms) - 1, left = ahead + 1;
    while (left > 0) {
      ++day;
      if (office.workday(day) && office.moment(day, 18 * 60) > from_ms) --left;
    }
    const Budget budget = office.budget({ahead, Unit::close}, from_ms);
    ASSERT_EQ(office.due_ms(from_ms, budget), office.moment(day, 18 * 60)) << office.local(from_ms);
  }
}

TEST(Calendar, SpansAreBoundedAndWrittenBack) {
  for (const char* good : {"1m", "15m", "8h", "5wd", "30d", "3650d", "cob", "2cob"}) {
    ASSERT_TRUE(parse_span(good)) << good;
    EXPECT_EQ(to_string(*parse_span(good)), good);
  }
  for (const char* bad : {"", "0m", "m", "8", "8x", "-1h", "1.5h", "8 h", "3651d",
                          "99999999999999999999m", "0cob", "cobs", "3651cob"}) {
    EXPECT_FALSE(parse_span(bad)) << bad;
  }
}

// Office hours computed a second time, from the corpus where it is present and minute by minute.
struct Walker {
  std::map<std::string, bool> special;  // date → off

  bool open(std::int64_t utc_ms) const {
    const std::int64_t local = utc_ms + 8 * 3'600'000;
    const std::int64_t day = local / zone_day_ms;
    const std::int64_t minute = local % zone_day_ms / 60'000;
    const Civil c = civil_from_days(day);
    char date[32];
    std::snprintf(date, sizeof date, "%04d-%02d-%02d", c.year, c.month, c.day);
    const std::int64_t weekday = (day + 3) % 7;
    bool workday = weekday < 5;
    if (auto s = special.find(date); s != special.end()) workday = !s->second;
    return workday && ((minute >= 540 && minute < 720) || (minute >= 780 && minute < 1080));
  }
};

std::filesystem::path corpora() {
  if (const char* set = std::getenv("CALLWARDEN_CORPORA")) return set;
  return std::filesystem::path(CW_SOURCE_DIR) / ".." / "shared" / "corpora";
}

Walker walker_from_corpus() {
  Walker walker;
  for (int year = 2007; year <= 2026; ++year) {
    std::ifstream in(corpora() / "holiday-cn" / (std::to_string(year) + ".json"));
    std::stringstream text;
    text << in.rdbuf();
    const auto parsed = parse_json(text.str());
    if (!parsed) return {};
    for (const json::value& day : parsed->at("days").as_array()) {
      walker.special[std::string(day.at("date").as_string())] = day.at("isOffDay").as_bool();
    }
  }
  return walker;
}

TEST(Calendar, HolidaysSince2007EqualThePublishedDays) {
  const Walker walker = walker_from_corpus();
  if (walker.special.empty()) GTEST_SKIP() << "corpora/holiday-cn is not beside the repository";
  const Calendar& office = *calendars().find("cn-office");
  int days = 0;
  for (std::int64_t day = days_from_civil(2007, 1, 1); day < days_from_civil(2027, 1, 1); ++day) {
    const std::int64_t ten = day * zone_day_ms + 2 * 3'600'000;  // 10:00 in Shanghai
    ASSERT_EQ(office.open_at(ten), walker.open(ten)) << office.local(ten);
    ++days;
  }
  EXPECT_EQ(days, 20 * 365 + 5);
}

constexpr std::int64_t minute_ms = 60'000;

// 3,000 random stretches and budgets between two days, beside a count minute by minute.
void expect_equal_to_a_walk(const Calendar& calendar, std::int64_t first_day, std::int64_t last_day,
                            const std::function<bool(std::int64_t utc_ms)>& open) {
  const std::int64_t begin = first_day * zone_day_ms;
  const std::int64_t minutes = (last_day - first_day) * 24 * 60;
  std::vector<std::int32_t> before(static_cast<std::size_t>(minutes) + 1, 0);
  for (std::int64_t m = 0; m < minutes; ++m) {
    before[m + 1] = before[m] + (open(begin + m * minute_ms) ? 1 : 0);
  }
  SeededRandom random(20261122);
  int checked = 0;
  while (checked < 3000) {
    const auto a = static_cast<std::int64_t>(random.below(minutes - 60 * 24 * 61));
    const auto b = a + static_cast<std::int64_t>(random.below(60 * 24 * 60));
    const std::int64_t spent =
        calendar.spent_ms(begin + a * minute_ms, begin + b * minute_ms, false);
    ASSERT_EQ(spent, (before[b] - before[a]) * minute_ms)
        << calendar.id() << " " << calendar.local(begin + a * minute_ms);
    const auto budget = 1 + static_cast<std::int64_t>(random.below(60 * 8 * 20));
    std::int64_t walked = a;  // the first minute at which `budget` open minutes have passed
    while (walked < minutes && before[walked] - before[a] < budget) ++walked;
    if (before[walked] - before[a] < budget) continue;  // beyond the walk
    ASSERT_EQ(calendar.due_ms(begin + a * minute_ms, {budget * minute_ms, false}),
              begin + walked * minute_ms)
        << calendar.id() << " " << checked;
    ++checked;
  }
}

TEST(Calendar, ThreeThousandIntervalsEqualAWalkMinuteByMinute) {
  const Walker walker = walker_from_corpus();
  if (walker.special.empty()) GTEST_SKIP() << "corpora/holiday-cn is not beside the repository";
  for (const auto& [id, calendar] : calendars().all()) {
    ASSERT_TRUE(id == "cn-office" || id == "always") << id << ": say here how it is walked";
    for (const int year : {2007, 2013, 2019, 2025}) {
      expect_equal_to_a_walk(
          *calendar, days_from_civil(year, 1, 2), days_from_civil(year + 1, 12, 31),
          [&](std::int64_t at) { return calendar->id() == "always" || walker.open(at); });
    }
  }
}

TEST(Calendar, AnyZoneSeveralStretchesNightsAndDatedDaysEqualAWalk) {
  struct Case {
    const char* body;
    std::function<bool(int weekday, std::int64_t day, std::int64_t minute)> open;  // local
  };
  const std::int64_t christmas = days_from_civil(2026, 12, 24);
  const Case cases[] = {
      {"zone: Europe/Berlin\nopen: [08:00-11:30, 12:15-16:45, 18:00-19:00]\n"
       "week: [mon, tue, wed, thu, fri]\nworkday: 8h\n"
       "dates: {2026-12-24..2026-12-26: [], 2026-12-27: [10:00-12:00]}\n",
       [=](int weekday, std::int64_t day, std::int64_t m) {
         if (day >= christmas && day < christmas + 3) return false;
         if (day == christmas + 3) return m >= 600 && m < 720;
         return weekday < 5 &&
                ((m >= 480 && m < 690) || (m >= 735 && m < 1005) || (m >= 1080 && m < 1140));
       }},
      {"zone: America/New_York\nopen: [20:00-04:00]\n"
       "week: [mon, tue, wed, thu, fri, sat, sun]\nworkday: 8h\n",
       [](int, std::int64_t, std::int64_t m) { return m >= 1200 || m < 240; }},
      {"zone: Asia/Kathmandu\nopen: [10:15-17:40]\nweek: {sun: [10:15-17:40], fri: "
       "[07:00-09:30, 10:00-12:00]}\nworkday: 7h\n",
       [](int weekday, std::int64_t, std::int64_t m) {
         if (weekday == 6) return m >= 615 && m < 1060;
         return weekday == 4 && ((m >= 420 && m < 570) || (m >= 600 && m < 720));
       }},
      {"zone: Australia/Lord_Howe\nopen: [00:00-24:00]\nweek: [sat, sun]\nworkday: 24h\n",
       [](int weekday, std::int64_t, std::int64_t) { return weekday >= 5; }},
  };
  for (const Case& c : cases) {
    const auto calendar = made(c.body);
    ASSERT_NE(calendar, nullptr) << c.body;
    const auto offsets = zone_offsets(calendar->zone(), 2025, 2029);
    expect_equal_to_a_walk(*calendar, days_from_civil(2026, 1, 2), days_from_civil(2028, 1, 2),
                           [&](std::int64_t at) {
                             const std::int64_t local = at + zone_offset(offsets, at);
                             const std::int64_t day = zone_day(local);
                             return c.open(static_cast<int>((day + 3) % 7), day,
                                           (local - day * zone_day_ms) / minute_ms);
                           });
  }
}

TEST(Calendar, EveryDueTimeExplainsItself) {
  const Calendar& office = *calendars().find("cn-office");
  const std::int64_t from = *office.from_local("2026-02-14T17:30");
  const std::int64_t to = office.due_ms(from, office.budget({8, Unit::hour}, from));
  const std::vector<Segment> way = office.explain(from, to, false);
  ASSERT_EQ(way.size(), 5u);
  EXPECT_EQ(way[0].why.en, "make-up workday (Spring Festival)");
  EXPECT_FALSE(way[1].counted);
  EXPECT_EQ(way[1].why.zh, "春节");
  EXPECT_EQ(way[3].why.en, "break");
  std::int64_t sum = 0, at = from;
  for (const Segment& s : way) {
    EXPECT_EQ(s.from_ms, at);
    at = s.to_ms;
    if (s.counted) sum += s.to_ms - s.from_ms;
  }
  EXPECT_EQ(at, to);
  EXPECT_EQ(sum, 8 * 3'600'000);
  EXPECT_EQ(office.explain(from, to + 3650 * zone_day_ms, false, 10).size(), 10u);
  EXPECT_EQ(office.explain(from, to, true).size(), 1u);
}

TEST(Calendar, BeyondTheAnnouncedYearADueTimeIsProvisional) {
  const Calendar& office = *calendars().find("cn-office");
  EXPECT_FALSE(office.provisional(*office.from_local("2026-12-31T18:00")));
  EXPECT_TRUE(office.provisional(*office.from_local("2027-01-01T00:00")));
  EXPECT_FALSE(calendars().find("always")->provisional(*office.from_local("2050-01-01T00:00")));
}

TEST(Calendar, ATimeThatDoesNotExistShiftsForwardAndAFoldIsOpenThroughout) {
  // New York: 02:00–03:00 is skipped on 2026-03-08, 01:00–02:00 comes twice on 2026-11-01.
  const auto gap = made("zone: America/New_York\nopen: [02:30-04:00]\nweek: [sun]\nworkday: 1h\n");
  const std::int64_t march = *from_rfc3339("2026-03-08T05:00:00Z");  // midnight
  EXPECT_EQ(gap->local(gap->due_ms(march, {60'000, false})), "2026-03-08T03:01:00-04:00");
  EXPECT_EQ(gap->spent_ms(march, march + zone_day_ms, false), 3'600'000);
  EXPECT_EQ(gap->local(*gap->from_local("2026-03-08T02:30")), "2026-03-08T03:00:00-04:00");

  const auto fold = made("zone: America/New_York\nopen: [01:15-01:45]\nweek: [sun]\nworkday: 1h\n");
  const std::int64_t november = *from_rfc3339("2026-11-01T04:00:00Z");
  EXPECT_EQ(fold->spent_ms(november, november + zone_day_ms, false), 90 * 60'000);
  EXPECT_EQ(fold->local(*fold->from_local("2026-11-01T01:15")), "2026-11-01T01:15:00-04:00");
  // Usual days of a zone with summer time keep their local hours.
  const auto office =
      made("zone: Europe/Berlin\nopen: [09:00-17:00]\nweek: [mon, tue]\nworkday: 8h\n");
  EXPECT_EQ(due(*office, "2026-03-23T16:00", "9h"), "2026-03-24T17:00:00+01:00");
  EXPECT_EQ(due(*office, "2026-03-24T16:00", "2h"), "2026-03-30T10:00:00+02:00");
}

TEST(Calendar, NightsDatedHoursAndDaysOfTheirOwn) {
  const auto night = made(
      "zone: Asia/Shanghai\nopen: [22:00-06:00]\nweek: {fri: [22:00-06:00], sat: []}\n"
      "workday: 8h\ndates: {2026-11-20: [20:00-24:00], 2026-11-27..2026-11-28: []}\n");
  EXPECT_EQ(due(*night, "2026-11-13T12:00", "3h"), "2026-11-14T01:00:00+08:00");
  EXPECT_EQ(due(*night, "2026-11-20T12:00", "1h"), "2026-11-20T21:00:00+08:00");
  EXPECT_EQ(due(*night, "2026-11-21T12:00", "1h"), "2026-12-04T23:00:00+08:00");
}

TEST(Calendar, MistakesAreNamedAtTheirPlace) {
  struct Case {
    const char* body;
    const char* expected;
  };
  const Case cases[] = {
      {"zone: Mars/Base\nopen: always\nworkday: 8h\n", "4:7 calendar.zone"},
      {"zone: UTC\nopen: [9-12]\nweek: [mon]\nworkday: 8h\n", "5:8 calendar.hours"},
      {"zone: UTC\nopen: [09:00-12:00, 11:00-13:00]\nweek: [mon]\nworkday: 8h\n",
       "5:21 calendar.overlap"},
      {"zone: UTC\nopen: [09:00-12:00]\nweek: [monday]\nworkday: 8h\n", "6:8 calendar.day"},
      {"zone: UTC\nopen: always\nworkday: 8d\n", "6:10 calendar.workday"},
      {"zone: UTC\nopen: [09:00-12:00]\nweek: [mon]\nworkday: 3h\nholidays: xx\n",
       "8:11 calendar.holidays"},
      {"zone: UTC\nopen: [09:00-12:00]\nweek: [mon]\nworkday: 3h\ndates: {2026-02-30: []}\n",
       "8:9 calendar.date"},
      {"zone: UTC\nopen: [09:00-12:00]\nweek: []\nworkday: 3h\n", "1:1 calendar.closed"},
      {"zone: UTC\nopen: always\nworkday: 8h\ncolour: red\n", "7:1 yaml.unknown"},
  };
  for (const Case& c : cases) {
    std::vector<Mistake> mistakes;
    const std::string head = "calendar: t\nversion: 1\ntitle: {zh: 测, en: T}\n";
    EXPECT_EQ(Calendars::from_texts({{"t", head + c.body}}, mistakes).find("t"), nullptr);
    ASSERT_FALSE(mistakes.empty()) << c.body;
    EXPECT_EQ(std::to_string(mistakes[0].line) + ":" + std::to_string(mistakes[0].column) + " " +
                  mistakes[0].code,
              c.expected);
  }
}

TEST(CalendarCommand, PrintsTheDueTimeAndItsDerivation) {
  std::ostringstream out, err;
  const std::vector<std::string> args{
      "due", "--calendar", "cn-office", "--from", "2026-02-13T17:30", "--add", "8h", "--json"};
  ASSERT_EQ(calendar_main(args, content, 0, out, err), 0) << err.str();
  const auto parsed = parse_json(out.str());
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->at("due").as_string(), "2026-02-14T17:30:00+08:00");
  EXPECT_EQ(parsed->at("provisional").as_bool(), false);
  std::int64_t sum = 0;
  for (const auto& s : parsed->at("segments").as_array()) sum += s.at("counted_ms").as_int64();
  EXPECT_EQ(sum, 8 * 3'600'000);

  std::ostringstream text;
  const std::vector<std::string> plain(args.begin(), args.end() - 1);
  ASSERT_EQ(calendar_main(plain, content, 0, text, err), 0);
  EXPECT_NE(text.str().find("春节调休上班"), std::string::npos) << text.str();
  std::ostringstream close;
  ASSERT_EQ(
      calendar_main(std::vector<std::string>{"due", "--calendar", "cn-office", "--from",
                                             "2026-02-13T11:00", "--add", "1cob", "--lang", "en"},
                    content, 0, close, err),
      0);
  EXPECT_NE(close.str().find("due 2026-02-14T18:00:00+08:00"), std::string::npos) << close.str();
  EXPECT_NE(close.str().find("+5h = 14h  make-up workday"), std::string::npos) << close.str();
  EXPECT_EQ(calendar_main(std::vector<std::string>{"due", "--from", "x"}, content, 0, out, err), 2);
  EXPECT_EQ(calendar_main(std::vector<std::string>{"due", "--calendar", "nope", "--from",
                                                   "2026-02-13T17:30", "--add", "8h"},
                          content, 0, out, err),
            2);
}

}  // namespace
}  // namespace cw
