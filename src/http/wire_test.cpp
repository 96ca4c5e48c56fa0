#include "wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace cw::http {
namespace {

// The guard's verdict on a whole header, given in pieces of `piece` bytes.
struct Verdict {
  int status = 0;  // 0: accepted
  std::string code;
  Head head;
  std::size_t used = 0;
};

Verdict judge(std::string_view bytes, std::size_t piece = std::string::npos,
              WireLimits limits = {}) {
  HeadReader reader(limits);
  for (std::size_t have = std::min(piece, bytes.size());;) {
    std::size_t used = 0;
    switch (reader.read(bytes.substr(0, have), used)) {
      case Step::done:
        return {0, "", reader.head(), used};
      case Step::refused:
        return {reader.refusal().status, reader.refusal().problem.code, {}, 0};
      case Step::more:
        break;
    }
    if (have == bytes.size()) return {-1, "more", {}, 0};
    have = std::min(bytes.size(), have + piece);
  }
}

std::string get(const std::string& fields) {
  return "GET / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}
std::string post(const std::string& fields) {
  return "POST / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}

TEST(Wire, ReadsAnOrdinaryRequest) {
  auto v = judge(
      "GET /api/v1/cases/cas_1?state=open&q=%E5%91%BC%E5%8F%AB+a HTTP/1.1\r\n"
      "Host: cw.example:8443\r\nAccept-Language: en-GB, zh;q=0.5\r\nX-A:  b \t\r\n"
      "\r\nrest");
  ASSERT_EQ(v.status, 0) << v.code;
  const Request& r = v.head.request;
  EXPECT_EQ(r.method, "GET");
  EXPECT_EQ(r.path, "/api/v1/cases/cas_1");
  EXPECT_THAT(r.segments, testing::ElementsAre("api", "v1", "cases", "cas_1"));
  EXPECT_EQ(r.query_get("state"), "open");
  EXPECT_EQ(r.query_get("q"), "呼叫 a");
  EXPECT_EQ(r.headers.get("x-a"), "b");
  EXPECT_EQ(r.lang, "en");
  EXPECT_TRUE(v.head.keep_alive);
}

TEST(Wire, ByteByByteGivesTheSameVerdict) {
  const std::string whole = post("Content-Length: 12\r\nCookie: a=b\r\n") + "body of this";
  auto v = judge(whole, 1);
  EXPECT_EQ(v.status, 0);
  EXPECT_EQ(v.head.content_length, 12u);
  EXPECT_EQ(v.used, whole.size() - 12);
}

std::string times(int n, const std::string& text) {
  std::string out;
  for (int i = 0; i < n; ++i) out += text;
  return out;
}

struct Case {
  const char* name;
  std::string bytes;
  int status;
};

class Hostile : public testing::TestWithParam<Case> {};

TEST_P(Hostile, IsRefusedHoweverItArrives) {
  const Case& c = GetParam();
  EXPECT_EQ(judge(c.bytes).status, c.status) << judge(c.bytes).code;
  EXPECT_EQ(judge(c.bytes, 1).status, c.status);
  EXPECT_EQ(judge(c.bytes, 7).status, c.status);
}

const Case kCases[] = {
    {"LengthAndChunked", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400},
    {"ChunkedAndLength", post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400},
    {"TwoLengths", post("Content-Length: 5\r\nContent-Length: 6\r\n"), 400},
    {"TwoEqualLengths", post("Content-Length: 5\r\nContent-Length: 5\r\n"), 400},
    {"LengthList", post("Content-Length: 5, 5\r\n"), 400},
    {"LengthSigned", post("Content-Length: +5\r\n"), 400},
    {"LengthNegative", post("Content-Length: -5\r\n"), 400},
    {"LengthHex", post("Content-Length: 0x5\r\n"), 400},
    {"LengthEmpty", post("Content-Length:\r\n"), 400},
    {"LengthHuge", post("Content-Length: 99999999999999999999999\r\n"), 400},
    {"EncodingGzipChunked", post("Transfer-Encoding: gzip, chunked\r\n"), 400},
    {"EncodingChunkedIdentity", post("Transfer-Encoding: chunked, identity\r\n"), 400},
    {"EncodingIdentity", post("Transfer-Encoding: identity\r\n"), 400},
    {"EncodingTab", post("Transfer-Encoding: x\tchunked\r\n"), 400},
    {"EncodingVerticalTab",
     post("Transfer-Encoding: \x0b"
          "chunked\r\n"),
     400},
    {"EncodingQuoted", post("Transfer-Encoding: \"chunked\"\r\n"), 400},
    {"EncodingTwice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
    {"EncodingSpaceColon", post("Transfer-Encoding : chunked\r\n"), 400},
    {"EncodingIn10", "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"Folded", get("X-A: b\r\n c: d\r\n"), 400},
    {"FoldedTab", get("X-A: b\r\n\tc\r\n"), 400},
    {"FoldedFirst", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400},
    {"BareLineFeed", "GET / HTTP/1.1\nHost: h\n\n", 400},
    {"BareLineFeedInField", get("X-A: b\nTransfer-Encoding: chunked\r\n"), 400},
    {"BareReturn", get("X-A: b\rX-B: c\r\n"), 400},
    {"Nul", get(std::string("X-A: b\0c\r\n", 10)), 400},
    {"NulInTarget", std::string("GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n", 29), 400},
    {"NoHost", "GET / HTTP/1.1\r\n\r\n", 400},
    {"TwoHosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
    {"EmptyHost", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
    {"HostList", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400},
    {"HostWithPath", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
    {"HostWithUser", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400},
    {"HostBadPort", "GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n", 400},
    {"NoColon", get("X-A\r\n"), 400},
    {"EmptyName", get(": b\r\n"), 400},
    {"NameWithSpace", get("X A: b\r\n"), 400},
    {"NameInUtf8", get("呼: b\r\n"), 400},
    {"InvalidUtf8Value", get("X-A: \xff\xfe\r\n"), 400},
    {"ControlInValue", get("X-A: \x01\r\n"), 400},
    {"EmptyLine", "\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"Http09", "GET /\r\n", 400},
    {"Http2Preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
    {"Http12", "GET / HTTP/1.2\r\nHost: h\r\n\r\n", 505},
    {"LowerVersion", "GET / http/1.1\r\nHost: h\r\n\r\n", 400},
    {"TlsHello", std::string("\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03", 11), 400},
    {"MethodBad", "G@T / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"MethodLong", std::string(64, 'A') + " / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"TwoSpaces", "GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"SpaceInTarget", "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"Fragment", "GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"RawUtf8Target", "GET /呼 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"Relative", "GET a HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"Authority", "CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"StarGet", "GET * HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"AbsoluteOther", "GET http://other/ HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"AbsoluteFtp", "GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"EscapedSlash", "GET /a%2fb HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"EscapedBackslash", "GET /a%5Cb HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"EscapedNul", "GET /a%00 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"EscapedNewline", "GET /?a=%0d%0aX HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"EscapedBadUtf8", "GET /%ff HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"EscapedOverlong", "GET /%c0%af HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"EscapedBadUtf8Query", "GET /?q=%ff HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"EscapeCut", "GET /%4 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"EscapeNotHex", "GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"DotDot", "GET /a/../b HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"EscapedDotDot", "GET /a/%2e%2E/b HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"BodyOfGet", get("Content-Length: 3\r\n"), 400},
    {"ChunkedGet", get("Transfer-Encoding: chunked\r\n"), 400},
    {"ExpectOther", post("Expect: a-miracle\r\n"), 417},
    {"GzipBody", post("Content-Encoding: gzip\r\nContent-Length: 3\r\n"), 415},
    {"TwoAuthorizations", get("Authorization: a\r\nAuthorization: b\r\n"), 400},
    {"LongTarget", "GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n", 414},
    {"EndlessTarget", "GET /" + std::string(100'000, 'a'), 414},
    {"LargeHeader", get("X-A: " + std::string(100'000, 'a') + "\r\n"), 431},
    {"ManyHeaders", get(times(100, "A: b\r\n")), 431},
    {"ManySegments", "GET " + times(40, "/a") + " HTTP/1.1\r\nHost: h\r\n\r\n", 400},
};

INSTANTIATE_TEST_SUITE_P(Wire, Hostile, testing::ValuesIn(kCases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Wire, AcceptsWhatIsUnusualButClear) {
  EXPECT_EQ(judge(post("Transfer-Encoding: CHUNKED\r\n")).status, 0);
  EXPECT_EQ(judge(post("Expect: 100-continue\r\nContent-Length: 3\r\n")).status, 0);
  EXPECT_EQ(judge(get("X-A:\r\nX-B: \xe5\x91\xbc\r\n")).status, 0);
  EXPECT_EQ(judge("GET / HTTP/1.0\r\n\r\n").status, 0);
  EXPECT_FALSE(judge("GET / HTTP/1.0\r\n\r\n").head.keep_alive);
  EXPECT_FALSE(judge(get("Connection: close\r\n")).head.keep_alive);
  EXPECT_EQ(judge("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n").status, 0);
  EXPECT_EQ(judge("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n").status, 0);
  auto absolute = judge("GET http://H:80/a?b=c HTTP/1.1\r\nHost: h:80\r\n\r\n");
  EXPECT_EQ(absolute.head.request.target, "/a?b=c");
}

TEST(Wire, AsksForMoreUntilTheHeaderIsWhole) {
  EXPECT_EQ(judge("").code, "more");
  EXPECT_EQ(judge("GET / HTTP/1.1\r\nHost: h\r\n\r").code, "more");
}

// The body of `bytes` in pieces; the status of a refusal, 0 when whole, -1 for more.
int body_verdict(const Head& head, std::string_view bytes, std::size_t piece, std::size_t body_max,
                 std::string& out, std::size_t* used_all = nullptr) {
  BodyReader reader(head, body_max);
  std::string pending;
  std::size_t total = 0;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    pending.append(bytes.substr(at, piece));
    std::size_t used = 0;
    const Step step = reader.read(pending, used, out);
    pending.erase(0, used);
    total += used;
    if (used_all) *used_all = total;
    if (step == Step::refused) return reader.refusal().status;
    if (step == Step::done) return 0;
  }
  return -1;
}

TEST(Body, ChunksAreJoinedHoweverTheyArrive) {
  Head head;
  head.chunked = true;
  const std::string wire = "5\r\nhello\r\n1\r\n \r\n00A\r\n0123456789\r\n0\r\n\r\nGET /next";
  for (std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{3}, wire.size()}) {
    std::string body;
    std::size_t used = 0;
    ASSERT_EQ(body_verdict(head, wire, piece, 100, body, &used), 0);
    EXPECT_EQ(body, "hello 0123456789");
    EXPECT_EQ(used, wire.size() - 9) << "what follows is the next request";
  }
}

TEST(Body, OddChunksAreRefused) {
  Head head;
  head.chunked = true;
  const std::pair<const char*, int> cases[] = {
      {"5;ext=1\r\nhello\r\n0\r\n\r\n", 400},
      {"5\nhello\r\n0\r\n\r\n", 400},
      {"0x5\r\nhello\r\n0\r\n\r\n", 400},
      {" 5\r\nhello\r\n0\r\n\r\n", 400},
      {"5 \r\nhello\r\n0\r\n\r\n", 400},
      {"-5\r\nhello\r\n0\r\n\r\n", 400},
      {"\r\nhello", 400},
      {"5\r\nhelloX\r\n0\r\n\r\n", 400},
      {"5\r\nhello\n0\r\n\r\n", 400},
      {"0\r\nTrailer: x\r\n\r\n", 400},
      {"000000005\r\nhello\r\n", 400},
      {"FFFFFFFF\r\n", 413},
      {"65\r\n", 413},
      {"5\r\nhello\r\n60\r\n", 413},
      {"ffffffffffffffff\r\n", 400},
  };
  for (const auto& [wire, status] : cases) {
    for (std::size_t piece : {std::size_t{1}, std::size_t{64}}) {
      std::string body;
      EXPECT_EQ(body_verdict(head, wire, piece, 100, body), status) << wire;
      EXPECT_LE(body.size(), 100u);
    }
  }
}

TEST(Body, LengthStopsExactlyAndRefusesTooMuchBeforeReading) {
  Head head;
  head.content_length = 5;
  std::string body;
  std::size_t used = 0;
  EXPECT_EQ(body_verdict(head, "helloGET /", 100, 5, body, &used), 0);
  EXPECT_EQ(body, "hello");
  EXPECT_EQ(used, 5u);
  BodyReader reader(head, 4);
  EXPECT_EQ(reader.read("", used, body), Step::refused);
  EXPECT_EQ(reader.refusal().status, 413);
}

TEST(Wire, LanguageFollowsTheCallersPreference) {
  EXPECT_EQ(language_of(""), "zh");
  EXPECT_EQ(language_of("en"), "en");
  EXPECT_EQ(language_of("fr, de"), "zh");
  EXPECT_EQ(language_of("zh-CN,zh;q=0.9,en;q=0.8"), "zh");
  EXPECT_EQ(language_of("zh;q=0.2, en-US;q=0.7"), "en");
  EXPECT_EQ(language_of("en;q=0"), "zh");
}

}  // namespace
}  // namespace cw::http
