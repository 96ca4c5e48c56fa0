// What an event is: how JSON becomes fields, and how Windows events get Sigma's names.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "detect/detect.h"
#include "json_stream.h"

#include <sstream>

namespace cw::detect {
namespace {

std::vector<std::string> flat(const Event& event) {
  std::vector<std::string> out;
  for (const Field& f : event.fields) {
    out.push_back(std::string(f.name) + "=" +
                  (f.kind == Kind::null ? "(null)" : std::string(f.value)));
  }
  return out;
}

std::vector<std::string> flattened(std::string_view json) {
  EventBuilder builder;
  auto status = builder.add_json(json);
  if (!status) return {status.problem().code};
  return flat(builder.event("s", {}, 0));
}

TEST(Event, nested_keys_join_by_dots_and_a_key_with_dots_or_spaces_is_the_same_field) {
  EXPECT_THAT(flattened(R"({"a":{"b":{"c":1}},"a.b.c":2,"user agent":"x"})"),
              testing::ElementsAre("a.b.c=1", "a.b.c=2", "user agent=x"));
}

TEST(Event, array_elements_and_repeated_keys_are_several_fields_of_one_name) {
  EXPECT_THAT(flattened(R"({"ip":["1.1.1.1",["2.2.2.2"]],"ip":"3.3.3.3","o":[{"k":1},{"k":2}]})"),
              testing::ElementsAre("ip=1.1.1.1", "ip=2.2.2.2", "ip=3.3.3.3", "o.k=1", "o.k=2"));
}

TEST(Event, numbers_keep_the_text_they_were_written_in_and_null_is_not_empty) {
  EXPECT_THAT(
      flattened(R"({"v":10.0,"big":123456789012345678901234567890,"t":true,"n":null,"e":""})"),
      testing::ElementsAre("v=10.0", "big=123456789012345678901234567890", "t=true", "n=(null)",
                           "e="));
}

TEST(Event, what_is_not_one_json_object_is_refused) {
  for (const char* bad :
       {"", "[]", "7", "{", R"({"a":})", R"({"a":1}x)", R"({"a":1}{"b":2})", R"({"a":01})",
        R"({"a":nul})", R"({"a":tru})", "{\"a\":\"\xff\"}", R"({"a":1,})"}) {
    EXPECT_THAT(flattened(bad), testing::ElementsAre("event.json")) << bad;
  }
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "{\"a\":";
  EXPECT_THAT(flattened(deep), testing::ElementsAre(testing::AnyOf("event.depth", "event.json")));
  std::string nested = "1";
  for (int i = 0; i < 33; ++i) nested = "{\"a\":" + nested + "}";
  EXPECT_THAT(flattened(nested), testing::ElementsAre("event.depth"));
  EXPECT_THAT(flattened("{\"a\":\"" + std::string(2 << 20, 'x') + "\"}"),
              testing::ElementsAre("event.size"));
}

TEST(Event, fields_beyond_the_limit_are_counted_and_not_taken) {
  EventBuilder builder({.fields_max = 2});
  builder.add("a", "1");
  builder.add("b", "2");
  builder.add("c", "3");
  EXPECT_EQ(builder.event("s", {}, 0).fields.size(), 2u);
  EXPECT_EQ(builder.dropped(), 1u);
}

TEST(Event, bytes_that_are_not_utf8_become_replacement_characters) {
  EventBuilder builder;
  builder.add("m",
              "a\xff"
              "b\xe4\xb8"
              "c\xe4\xb8\xad");
  std::string value(builder.event("s", {}, 0).value("m"));
  EXPECT_EQ(value, "a\ufffdb\ufffd\ufffdc中");
  EXPECT_TRUE(is_utf8(value));
}

TEST(Event, an_exported_windows_event_gets_flat_names_its_log_source_and_its_time) {
  EventBuilder builder;
  auto event = builder.read(R"({"Event":{"#attributes":{"xmlns":"x"},"System":{
      "Provider":{"#attributes":{"Name":"Microsoft-Windows-Sysmon"}},"EventID":{"#attributes":{"Qualifiers":"0"},"#text":1},
      "Channel":"Microsoft-Windows-Sysmon/Operational",
      "TimeCreated":{"#attributes":{"SystemTime":"2025-10-24T23:41:00.601559Z"}}},
      "EventData":{"Image":"C:\\a.exe"}}})");
  ASSERT_TRUE(event.ok());
  EXPECT_EQ(event->value("EventID"), "1");
  EXPECT_EQ(event->value("Provider_Name"), "Microsoft-Windows-Sysmon");
  EXPECT_EQ(event->value("Image"), "C:\\a.exe");
  EXPECT_EQ(event->logsource.product, "windows");
  EXPECT_EQ(event->logsource.service, "sysmon");
  EXPECT_EQ(event->logsource.category, "process_creation");
  EXPECT_EQ(event->time_ms, 1'761'349'260'601);
}

TEST(Event, an_audited_process_start_speaks_sigmas_names_too) {
  EventBuilder builder;
  auto event = builder.read(
      R"({"Channel":"security","EventID":4688,"NewProcessName":"C:\\b.exe","EventTime":"2020-09-20 02:57:16"})");
  ASSERT_TRUE(event.ok());
  EXPECT_EQ(event->value("Image"), "C:\\b.exe");
  EXPECT_EQ(event->logsource.service, "security");
  EXPECT_EQ(event->logsource.category, "process_creation");
  EXPECT_EQ(event->time_ms, 1'600'570'636'000);
}

TEST(Event, an_event_may_name_its_own_log_source) {
  EventBuilder builder;
  auto event = builder.read(
      R"({"source":"pbx-1","logsource":{"product":"asterisk","service":"security"},"time":1700000000})");
  ASSERT_TRUE(event.ok());
  EXPECT_EQ(event->source, "pbx-1");
  EXPECT_EQ(event->logsource.product, "asterisk");
  EXPECT_EQ(event->time_ms, 1'700'000'000'000);
}

TEST(Event, a_file_of_events_may_hold_one_a_line_or_objects_over_several_lines) {
  std::istringstream in(
      "{\"a\":1}\n\n{\n \"b\": \"}{\\\"\"\n}{\"c\":3}\nnot json\n[{\"d\":4},\n{\"e\":5}]");
  JsonStream stream(in, 1000);
  std::vector<std::string> texts;
  for (std::string text; stream.next(text);) texts.emplace_back(trim(text));
  EXPECT_THAT(texts, testing::ElementsAre("{\"a\":1}", "{\n \"b\": \"}{\\\"\"\n}", "{\"c\":3}",
                                          "not json", "{\"d\":4}", "{\"e\":5}"));
}

}  // namespace
}  // namespace cw::detect
