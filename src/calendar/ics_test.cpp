#include "calendar/ics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/clock.h"
#include "base/text.h"
#include "calendar/calendar.h"

namespace cw {
namespace {

const std::filesystem::path content = std::filesystem::path(CW_SOURCE_DIR) / "content";

std::string wrapped(const std::string& event) {
  return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\n" + event +
         "END:VEVENT\r\nEND:VCALENDAR\r\n";
}

std::vector<IcsEvent> read(const std::string& event, IcsReading reading = {}) {
  auto events = read_ics(wrapped(event), reading);
  EXPECT_TRUE(events.ok()) << (events ? "" : events.problem().text.en);
  return events ? *events : std::vector<IcsEvent>();
}

TEST(Ics, WhatIsWrittenReadsBackTheSame) {
  IcsEvent shift;
  shift.uid = "2026-11-23/first/early@duty";
  shift.summary =
      "早班；一线值班，带\\反斜杠\n第二行，很长很长很长很长很长很长很长很长很长很长很长很长";
  shift.summary_en = "Early shift; first line, ok";
  shift.description = std::string(400, 'x') + "呼安";
  shift.categories = {"DUTY", "a,b"};
  shift.from_ms = *from_rfc3339("2026-11-23T00:00:00Z");
  shift.to_ms = shift.from_ms + 8 * 3'600'000;
  IcsEvent holiday;
  holiday.uid = "h";
  holiday.summary = "春节";
  holiday.all_day = true;
  holiday.from_day = days_from_civil(2026, 2, 15);
  holiday.to_day = days_from_civil(2026, 2, 23);

  const std::string file = write_ics("值班", {shift, holiday}, 0);
  for (const auto line : split(file, '\n')) {
    if (line.empty()) continue;
    EXPECT_TRUE(line.ends_with('\r'));
    EXPECT_LE(line.size(), 76u) << line;  // 75 octets and the CR
    EXPECT_TRUE(is_utf8(line)) << "a character was cut in two";
  }
  EXPECT_NE(file.find("DTEND;VALUE=DATE:20260224"), std::string::npos) << "DTEND is not included";
  const auto back = read_ics(file);
  ASSERT_TRUE(back.ok()) << back.problem().text.en;
  ASSERT_EQ(back->size(), 2u);
  EXPECT_EQ((*back)[0].summary, shift.summary);
  EXPECT_EQ((*back)[0].summary_en, shift.summary_en);
  EXPECT_EQ((*back)[0].description, shift.description);
  EXPECT_EQ((*back)[0].categories, shift.categories);
  EXPECT_EQ((*back)[0].from_ms, shift.from_ms);
  EXPECT_EQ((*back)[0].to_ms, shift.to_ms);
  EXPECT_TRUE((*back)[1].all_day);
  EXPECT_EQ((*back)[1].from_day, holiday.from_day);
  EXPECT_EQ((*back)[1].to_day, holiday.to_day);
}

TEST(Ics, TimesMayBeLocalUtcOfAZoneOrADuration) {
  auto at = [](const std::string& event, IcsReading reading = {}) {
    const auto events = read(event, reading);
    return events.empty() ? std::string()
                          : to_rfc3339(events[0].from_ms) + "/" + to_rfc3339(events[0].to_ms);
  };
  EXPECT_EQ(at("DTSTART:20260213T093000Z\nDTEND:20260213T101500Z\n"),
            "2026-02-13T09:30:00.000Z/2026-02-13T10:15:00.000Z");
  EXPECT_EQ(at("DTSTART;TZID=America/New_York:20260701T090000\nDURATION:PT1H30M\n"),
            "2026-07-01T13:00:00.000Z/2026-07-01T14:30:00.000Z");
  EXPECT_EQ(at("DTSTART;TZID=\"Asia/Shanghai\":20260701T090000\nDURATION:P1W\n"),
            "2026-07-01T01:00:00.000Z/2026-07-08T01:00:00.000Z");
  EXPECT_EQ(at("DTSTART:20260701T090000\nDURATION:P1DT2H\n", {.zone = "Asia/Shanghai"}),
            "2026-07-01T01:00:00.000Z/2026-07-02T03:00:00.000Z");
  const auto folded = read("DTSTART;VALU\r\n E=DATE:202602\r\n\t13\r\nSUMM\n ARY:Spr\n ing\n");
  ASSERT_EQ(folded.size(), 1u);
  EXPECT_EQ(folded[0].summary, "Spring");
  EXPECT_EQ(folded[0].from_day, folded[0].to_day);
}

TEST(Ics, YearlyRepetitionsAreBoundedAndLeapDaysAreSkipped) {
  IcsReading to2030;
  to2030.repeat_until_day = days_from_civil(2030, 12, 31);
  EXPECT_EQ(read("DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=YEARLY\n", to2030).size(), 5u);
  EXPECT_EQ(read("DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=YEARLY\n").size(), 55u);  // to 2080
  EXPECT_EQ(read("DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=YEARLY;COUNT=3\n").size(), 3u);
  EXPECT_EQ(read("DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=YEARLY;INTERVAL=2;UNTIL=20300101\n"
                 "EXDATE;VALUE=DATE:20280101\n")
                .size(),
            2u);
  const auto leap = read("DTSTART;VALUE=DATE:20240229\nRRULE:FREQ=YEARLY\n", to2030);
  ASSERT_EQ(leap.size(), 2u);
  EXPECT_EQ(civil_from_days(leap[1].from_day).year, 2028);
  // A local time keeps its hour through summer time.
  const auto call = read(
      "DTSTART;TZID=Europe/Berlin:20260329T090000\nDURATION:PT1H\n"
      "RRULE:FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=29;COUNT=2\n");
  ASSERT_EQ(call.size(), 2u);
  EXPECT_EQ(to_rfc3339(call[0].from_ms), "2026-03-29T07:00:00.000Z");
}

TEST(Ics, WhatIsPassedOverAndWhatIsRefusedWithItsLine) {
  const auto some = read_ics(
      "BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:X\nBEGIN:STANDARD\nDTSTART:19700101T000000\n"
      "END:STANDARD\nEND:VTIMEZONE\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20260101\nSTATUS:CANCELLED\n"
      "END:VEVENT\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20260102\nBEGIN:VALARM\nDURATION:nonsense\n"
      "END:VALARM\nEND:VEVENT\nEND:VCALENDAR");
  ASSERT_TRUE(some.ok()) << some.problem().text.en;
  EXPECT_EQ(some->size(), 1u);

  struct Case {
    std::string event, code;
  };
  const Case cases[] = {
      {"SUMMARY:x\n", "ics.start"},
      {"DTSTART;VALUE=DATE:20260230\n", "ics.time"},
      {"DTSTART;VALUE=DATE:20260101T000000\n", "ics.time"},
      {"DTSTART:20260101T250000Z\n", "ics.time"},
      {"DTSTART;TZID=Mars/Base:20260101T090000\n", "ics.zone"},
      {"DTSTART:20260101T090000Z\nDTEND:20251231T090000Z\n", "ics.end"},
      {"DTSTART;VALUE=DATE:20260101\nDTEND;VALUE=DATE:20400101\n", "ics.end"},
      {"DTSTART:20260101T090000Z\nDURATION:P1X\n", "ics.end"},
      {"DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=WEEKLY\n", "ics.repeat"},
      {"DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=YEARLY;BYDAY=1MO\n", "ics.repeat"},
      {"DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=YEARLY;BYMONTH=3\n", "ics.repeat"},
      {"nonsense\n", "ics.line"},
      {"SUMMARY:a\x01\n", "ics.control"},
      {"BEGIN:VALARM\n", "ics.nesting"},
  };
  for (const Case& c : cases) {
    const auto events = read_ics(wrapped(c.event));
    ASSERT_FALSE(events.ok()) << c.event;
    EXPECT_EQ(events.problem().code, c.code) << c.event;
    EXPECT_FALSE(events.problem().fields.empty());
    EXPECT_EQ(events.problem().text.en.find("20260101"), std::string::npos) << "no value is shown";
  }
  EXPECT_EQ(read_ics("").problem().code, "ics.nesting");
  EXPECT_EQ(read_ics("BEGIN:VCALENDAR\nBEGIN:VEVENT\n").problem().code, "ics.nesting");
  EXPECT_EQ(read_ics("\xFF").problem().code, "ics.utf8");
  EXPECT_EQ(read_ics(std::string(2 << 20, 'x')).problem().code, "ics.size");
  std::string many = "BEGIN:VCALENDAR\n";
  for (int i = 0; i < 200; ++i)
    many += "BEGIN:VEVENT\nDTSTART;VALUE=DATE:19700101\nRRULE:FREQ=YEARLY\nEND:VEVENT\n";
  EXPECT_EQ(read_ics(many + "END:VCALENDAR\n").problem().code, "ics.many");
}

class IcsCommand : public ::testing::Test {
 protected:
  int run(std::vector<std::string> args) {
    out.str("");
    err.str("");
    return calendar_main(args, content, 1'795'305'600'000, out, err);
  }
  std::ostringstream out, err;
};

TEST_F(IcsCommand, TheNationalHolidaysLeaveAndComeBackAsTheSameDays) {
  ASSERT_EQ(run({"export", "--calendar", "cn-office", "--years", "2007..2026"}), 0) << err.str();
  const auto folder = std::filesystem::temp_directory_path() / "callwarden-ics-test.ics";
  std::ofstream(folder, std::ios::binary) << out.str();
  ASSERT_EQ(run({"import", folder.string(), "--list", "back", "--announced", "2026-12-31"}), 0)
      << err.str();
  std::filesystem::remove(folder);
  std::vector<Mistake> mistakes;
  const std::string office =
      "calendar: t\nversion: 1\ntitle: {zh: 测, en: T}\nzone: Asia/Shanghai\nopen: [09:00-18:00]\n"
      "week: [mon, tue, wed, thu, fri]\nworkday: 8h\nholidays: back\n";
  const Calendars made = Calendars::from_texts({{"l", out.str()}, {"t", office}}, mistakes);
  ASSERT_NE(made.find("t"), nullptr) << (mistakes.empty() ? "" : describe(mistakes[0], "en"));
  const auto before = Calendars::load(content / "calendars", mistakes).find("cn-office");
  const auto& after = made.find("t")->named();
  std::size_t same = 0;
  for (const auto& day : before->named()) {
    if (day.day < days_from_civil(2007, 1, 1)) continue;
    ASSERT_LT(same, after.size());
    EXPECT_EQ(after[same].day, day.day);
    EXPECT_EQ(after[same].off, day.off);
    EXPECT_EQ(after[same].name, day.name);
    ++same;
  }
  EXPECT_EQ(same, after.size());
  EXPECT_GT(same, 650u);
}

TEST_F(IcsCommand, OpeningHoursLeaveAsTimedEvents) {
  ASSERT_EQ(run({"export", "--calendar", "cn-office", "--years", "2026", "--what", "hours",
                 "--lang", "en"}),
            0);
  const auto events = read_ics(out.str());
  ASSERT_TRUE(events.ok());
  std::int64_t sum = 0;
  for (const IcsEvent& e : *events) sum += e.to_ms - e.from_ms;
  std::vector<Mistake> mistakes;
  const auto office = Calendars::load(content / "calendars", mistakes).find("cn-office");
  EXPECT_EQ(sum, office->spent_ms(*office->from_local("2026-01-01T00:00"),
                                  *office->from_local("2027-01-01T00:00"), false));
  EXPECT_EQ(run({"export", "--calendar", "nope", "--years", "2026"}), 1);
  EXPECT_EQ(run({"export", "--calendar", "cn-office"}), 2);
  EXPECT_EQ(run({"import", "/nowhere.ics", "--list", "x"}), 1);
  EXPECT_EQ(run({"import"}), 2);
}

}  // namespace
}  // namespace cw
