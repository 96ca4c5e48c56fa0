#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/queue.h"
#include "base/random.h"
#include "base/text.h"

namespace cw {
namespace {

TEST(Utf8, RefusesOverlongSurrogatesAndCutSequences) {
  EXPECT_TRUE(is_utf8("呼安 Callwarden 😀"));
  for (const char* bad :
       {"\xC0\xAF", "\xED\xA0\x80", "\xE5\x91", "\xF4\x90\x80\x80", "\x80", "\xFF"})
    EXPECT_FALSE(is_utf8(bad)) << to_hex(bad);
}

TEST(Utf8, CountsAndClipsCodePoints) {
  EXPECT_EQ(code_points("呼安😀a"), 4u);
  EXPECT_EQ(clip("呼安😀a", 3), "呼安😀");
  EXPECT_EQ(clip("ab", 9), "ab");
}

TEST(Text, FoldMakesFullWidthAndCaseEqual) { EXPECT_EQ(fold("ＡbＣ"), "abc"); }

TEST(Text, Base64RoundTripsAndRefusesNonCanonical) {
  for (std::string s : {"", "f", "fo", "foo", "foob", "fooba", "foobar"}) {
    EXPECT_EQ(from_base64(to_base64(s)), s);
    EXPECT_EQ(from_base64url(to_base64url(s)), s);
  }
  EXPECT_EQ(to_base64("foob"), "Zm9vYg==");
  for (const char* bad : {"Zg=", "Zg", "Zh==", "Z===", "Zm9v=", "Zm 9"})
    EXPECT_EQ(from_base64(bad), std::nullopt) << bad;
}

TEST(Json, RefusesWhatTwoReadersCouldReadDifferently) {
  EXPECT_TRUE(parse_json(R"({"a":{"b":"x:\":y"},"c":[1]})").ok());
  EXPECT_EQ(parse_json(R"({"a":1,"a":2})").problem().code, "json.duplicate-key");
  EXPECT_EQ(parse_json(R"({"a":1} x)").problem().code, "json.malformed");
  EXPECT_EQ(parse_json("\"\xC0\xAF\"").problem().code, "json.malformed");
  EXPECT_EQ(parse_json("").problem().code, "json.malformed");
}

TEST(Json, DepthAndSizeAreBounded) {
  std::string deep(10'000'000, '[');
  EXPECT_EQ(parse_json(deep, {.size_max = 20'000'000}).problem().code, "json.malformed");
  EXPECT_EQ(parse_json(deep).problem().code, "json.too-large");
}

TEST(Json, CanonicalSortsByUtf16AndEscapesMinimally) {
  json::value v = {{"\xEF\xBF\xBD", 1}, {"😀", 2}, {"b", "\n\x01\"/呼"}, {"a", {true, nullptr, -5}}};
  EXPECT_EQ(canonical(v),
            "{\"a\":[true,null,-5],\"b\":\"\\n\\u0001\\\"/呼\",\"😀\":2,\"\xEF\xBF\xBD\":1}");
}

TEST(Time, Rfc3339RoundTrips) {
  EXPECT_EQ(to_rfc3339(1795305600123), "2026-11-22T00:00:00.123Z");
  EXPECT_EQ(from_rfc3339("2026-11-22T08:00:00.123+08:00"), 1795305600123);
  EXPECT_EQ(from_rfc3339("2026-11-22T00:00:00Z"), 1795305600000);
  for (const char* bad : {"2026-02-30T00:00:00Z", "2026-11-22", "2026-11-22T00:00:00", "",
                          "2026-11-22T00:00:00.Z", "2026-11-22T24:00:00Z"})
    EXPECT_EQ(from_rfc3339(bad), std::nullopt) << bad;
}

TEST(Time, CivilDaysAreInverse) {
  for (std::int64_t d = -800'000; d < 800'000; d += 17) {
    Civil c = civil_from_days(d);
    ASSERT_EQ(days_from_civil(c.year, c.month, c.day), d);
  }
}

TEST(Ids, SortByTimeAndAreRecognised) {
  SeededRandom random(1);
  std::string a = new_id("cas", 1000, random), b = new_id("cas", 2000, random);
  EXPECT_LT(a, b);
  EXPECT_TRUE(is_id(a, "cas"));
  EXPECT_FALSE(is_id(a, "per"));
  EXPECT_FALSE(is_id("cas_ILOU", "cas"));
}

TEST(Random, SeedReplaysAndBelowStaysBelow) {
  SeededRandom a(7), b(7);
  EXPECT_EQ(a.bytes(33), b.bytes(33));
  for (int i = 0; i < 1000; ++i) EXPECT_LT(a.below(10), 10u);
}

TEST(Queue, IsBoundedAndEndsWhenClosed) {
  BoundedQueue<int> q(2);
  EXPECT_TRUE(q.try_push(1));
  EXPECT_TRUE(q.try_push(2));
  EXPECT_FALSE(q.try_push(3));
  q.close();
  EXPECT_EQ(q.pop(), 1);
  EXPECT_EQ(q.pop(), 2);
  EXPECT_EQ(q.pop(), std::nullopt);
}

}  // namespace
}  // namespace cw
