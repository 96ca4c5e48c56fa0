// What each kind of line becomes, first by hand, then over other people's labelled logs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/clock.h"
#include "corpus.h"
#include "pattern.h"
#include "stamp.h"
#include "watch.h"

namespace cw::watch {
namespace {

using detect::Event;
using Fields = std::map<std::string, std::string>;

struct Seen {
  std::string product, service;
  std::int64_t time_ms;
  Fields fields;
  const std::string& at(const std::string& name) { return fields[name]; }
};

const std::int64_t kNow = *from_rfc3339("2026-11-22T04:00:00Z");

std::vector<Seen> decode_all(Decoder& d, std::string_view line, std::int64_t received = kNow) {
  std::vector<Seen> out;
  d.decode({line, received, ""}, [&](const Event& e) {
    Seen s{std::string(e.logsource.product), std::string(e.logsource.service), e.time_ms, {}};
    for (const detect::Field& f : e.fields) s.fields[std::string(f.name)] = f.value;
    out.push_back(std::move(s));
  });
  return out;
}

Seen decode_one(std::string_view line, DecoderOptions o = {.source = "t", .utc_offset_min = 0}) {
  Decoder d(o);
  std::vector<Seen> all = decode_all(d, line);
  EXPECT_EQ(all.size(), 1u) << line;
  return all.empty() ? Seen{} : all.back();
}

std::string when(const Seen& s) { return to_rfc3339(s.time_ms); }

// ---- times
// ---------------------------------------------------------------------------------------

TEST(Stamp, a_missing_year_is_the_latest_that_is_not_in_the_future) {
  StampContext x{kNow, 0};
  auto year_of = [&](std::string_view text, const StampContext& c) {
    auto t = take_time(text, c);
    return t ? to_rfc3339(t->ms).substr(0, 4) : "none";
  };
  EXPECT_EQ(year_of("Nov 21 10:00:00", x), "2026");
  EXPECT_EQ(year_of("Nov 23 10:00:00", x), "2026");  // a clock a day ahead
  EXPECT_EQ(year_of("Dec 31 23:59:59", x), "2025");
  StampContext eve{*from_rfc3339("2026-12-31T23:59:58Z"), 0};
  EXPECT_EQ(year_of("Jan  1 00:00:03", eve), "2027");
  EXPECT_EQ(year_of("Feb 29 12:00:00", x), "2024");
  EXPECT_EQ(year_of("Feb 30 12:00:00", x), "none");
}

TEST(Stamp, zones_fractions_and_what_is_left) {
  std::string_view s = "2026-11-22T09:00:00.123456+0800 rest";
  auto t = take_time(s, {kNow, 0});
  ASSERT_TRUE(t);
  EXPECT_EQ(to_rfc3339(t->ms), "2026-11-22T01:00:00.123Z");
  EXPECT_TRUE(t->zone);
  EXPECT_EQ(s, " rest");
  s = "2026-11-22 09:00:00,5";
  EXPECT_EQ(to_rfc3339(take_time(s, {kNow, 480})->ms), "2026-11-22T01:00:00.500Z");
  for (std::string_view bad : {"2026-13-01 00:00:00", "2026-02-29 00:00:00", "Foo 1 00:00:00", "",
                               "2026-11-22 24:00:00", "11-22", "Nov 22 9:00:00"}) {
    std::string_view left = bad;
    EXPECT_FALSE(take_time(left, {kNow, 0})) << bad;
    EXPECT_EQ(left, bad);
  }
}

// ---- templates
// -----------------------------------------------------------------------------------

TEST(Template, an_address_is_read_with_or_without_its_port) {
  struct Case {
    std::string_view text, address, port;
    bool ip;
  };
  for (const Case& c : {Case{"192.0.2.1", "192.0.2.1", "", true},
                        {"192.0.2.1:5060", "192.0.2.1", "5060", true},
                        {"[2001:db8::1]:5060", "2001:db8::1", "5060", true},
                        {"2001:db8::1", "2001:db8::1", "", true},
                        {"::ffff:192.0.2.1", "192.0.2.1", "", true},
                        {"TCP:[192.0.2.1]:61470", "192.0.2.1", "61470", true},
                        {"pbx.example.com", "pbx.example.com", "", false}}) {
    Endpoint e;
    ASSERT_TRUE(parse_endpoint(c.text, e)) << c.text;
    EXPECT_EQ(e.address, c.address);
    EXPECT_EQ(e.port, c.port);
    EXPECT_EQ(e.ip, c.ip);
  }
  Endpoint e;
  for (std::string_view bad : {"", "[::1", "a b", "192.0.2.1:99999999", "a:b", "[::1]x"}) {
    EXPECT_FALSE(parse_endpoint(bad, e)) << bad;
  }
}

TEST(Template, a_line_made_to_explode_costs_bounded_steps) {
  Template t("{a:any}x{b:any}x{c:any}x{d:any}y");
  Captures out;
  EXPECT_FALSE(t.match(std::string(4096, 'x'), out));
}

// ---- syslog
// --------------------------------------------------------------------------------------

TEST(Rfc5424, the_header_structured_data_and_byte_order_mark) {
  Seen s = decode_one(
      "<165>1 2026-11-22T03:14:15.003-07:00 host.example su 77 ID47 "
      "[ex@1 k=\"a \\\"b\\\" \\] \\n\"][other x=\"1\"] \xEF\xBB\xBFhello 呼安");
  EXPECT_EQ(when(s), "2026-11-22T10:14:15.003Z");
  EXPECT_EQ(s.at("host.name"), "host.example");
  EXPECT_EQ(s.at("process.name"), "su");
  EXPECT_EQ(s.at("process.pid"), "77");
  EXPECT_EQ(s.at("log.message_id"), "ID47");
  EXPECT_EQ(s.at("log.facility"), "local4");
  EXPECT_EQ(s.at("log.severity"), "notice");
  EXPECT_EQ(s.at("sd.ex@1.k"), "a \"b\" ] \\n");
  EXPECT_EQ(s.at("sd.other.x"), "1");
  EXPECT_EQ(s.at("message"), "hello 呼安");
}

TEST(Rfc5424, what_breaks_the_grammar_is_not_taken_as_such) {
  for (std::string_view bad :
       {"<165>1 2026-11-22T03:14:15Z h a p m [x k=\"v\" hello",
        "<165>1 2026-11-22T03:14:15Z h a p m [x k=v] hello",
        "<165>1 2026-11-22 03:14:15 h a p m - hello", "<192>1 - h a p m - hello",
        "<01>1 - h a p m - hello", "<34>1 - h a p m hello"}) {
    Decoder d({.source = "t"});
    std::vector<Seen> all = decode_all(d, bad);
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(d.stats().deviant, 1u) << bad;
    EXPECT_EQ(all[0].fields.count("log.message_id"), 0u) << bad;
    EXPECT_EQ(all[0].fields.count("sd.x.k"), 0u) << bad;
  }
}

TEST(Rfc3164, the_deviations_that_devices_really_send) {
  Seen s = decode_one("<38>Nov  2 22:14:15 gw su[9]: failed");
  EXPECT_EQ(when(s), "2026-11-02T22:14:15.000Z");
  EXPECT_EQ(s.at("host.name"), "gw");
  EXPECT_EQ(s.at("process.pid"), "9");
  EXPECT_EQ(s.at("message"), "failed");
  s = decode_one("<38>Nov 2 2025 22:14:15 gw : failed");  // a year
  EXPECT_EQ(when(s), "2025-11-02T22:14:15.000Z");
  s = decode_one("<13>su: no time and no host");
  EXPECT_EQ(s.at("process.name"), "su");
  EXPECT_EQ(s.time_ms, kNow);
  s = decode_one("Nov 21 22:14:15 su: no host");
  EXPECT_EQ(s.at("host.name"), "");
  EXPECT_EQ(s.at("message"), "no host");
  s = decode_one("<13>just text");
  EXPECT_EQ(s.at("message"), "just text");
  EXPECT_EQ(s.at("log.severity"), "notice");
  s = decode_one("<38>2026-11-22T03:00:00+08:00 gw /usr/sbin/su[1]: iso time");
  EXPECT_EQ(when(s), "2026-11-21T19:00:00.000Z");
  EXPECT_EQ(s.at("process.name"), "su");
}

TEST(Generic, key_value_and_json_and_plain_text) {
  Seen s = decode_one("srcip=192.0.2.7 user=\"li \\\"x\\\" ming\" action=deny");
  EXPECT_EQ(s.at("source.address"), "192.0.2.7");
  EXPECT_EQ(s.at("account"), "li \"x\" ming");
  EXPECT_EQ(s.at("event.action"), "deny");
  s = decode_one(R"({"time":"2026-11-22T03:00:00Z","event":{"action":"export"},"rows":700})");
  EXPECT_EQ(when(s), "2026-11-22T03:00:00.000Z");
  EXPECT_EQ(s.at("event.action"), "export");
  EXPECT_EQ(s.at("rows"), "700");
  s = decode_one("{broken json");
  EXPECT_EQ(s.at("message"), "{broken json");
  s = decode_one("nothing to see");
  EXPECT_EQ(s.at("message"), "nothing to see");
}

TEST(Generic, bytes_that_are_not_text_and_endless_lines_do_no_harm) {
  Decoder d({.source = "t", .line_max = 100});
  std::string junk = "<13>\xff\xfe\x00[[[\"\\";
  EXPECT_EQ(decode_all(d, junk).size(), 1u);
  EXPECT_EQ(decode_all(d, std::string(1 << 20, '[')).size(), 1u);
  EXPECT_EQ(d.stats().cut, 1u);
  EXPECT_EQ(decode_all(d, " \r\n").size(), 0u);
}

TEST(Sshd, memory_of_connections_is_bounded) {
  Decoder d({.source = "t", .connections_max = 8});
  for (int pid = 0; pid < 1000; ++pid) {
    decode_all(d, "Nov 21 00:00:00 h sshd[" + std::to_string(pid) + "]: Connection from 192.0.2.1");
  }
  // The oldest are forgotten: their failures have no address; the newest are remembered.
  auto gone =
      decode_all(d, "Nov 21 00:00:01 h sshd[1]: Disconnecting: Too many authentication failures");
  EXPECT_EQ(gone[0].at("source.address"), "");
  auto kept =
      decode_all(d, "Nov 21 00:00:01 h sshd[999]: Disconnecting: Too many authentication failures");
  EXPECT_EQ(kept[0].at("source.address"), "192.0.2.1");
}

TEST(Asterisk, a_caller_cannot_plant_another_address_in_the_security_log) {
  Seen s = decode_one(
      R"([2026-11-22 03:00:00] SECURITY[1] res_security_log.c: SecurityEvent="InvalidAccountID",)"
      R"(EventTV="2026-11-22T11:00:00.5+0800",Severity="Error",Service="PJSIP",EventVersion="1",)"
      R"(AccountID="700",SessionID="",LocalAddress="IPV4/UDP/127.0.0.1/5060",)"
      R"(RemoteAddress="IPV4/UDP/5.6.7.8/1111"",LocalAddress="IPV4/UDP/192.0.2.9/5060",)"
      R"(RemoteAddress="IPV4/UDP/198.51.100.7/5061")");
  EXPECT_EQ(s.at("source.address"), "198.51.100.7");
  EXPECT_EQ(s.at("source.port"), "5061");
  EXPECT_EQ(s.at("destination.ip"), "192.0.2.9");
  EXPECT_EQ(s.at("account"), "700");
  EXPECT_EQ(s.at("event.action"), "account-unknown");
  EXPECT_EQ(when(s), "2026-11-22T03:00:00.500Z");
  EXPECT_EQ(s.product, "asterisk");
  EXPECT_EQ(s.service, "security");
}

// ---- other people's logs
// -------------------------------------------------------------------------

bool is_failed_logon(Seen& s) {
  return s.at("event.outcome") == "failure" && s.at("event.action") != "probe";
}
bool is_probe(Seen& s) {
  return s.at("event.action") == "probe" || s.at("event.action") == "challenge";
}

struct Score {
  int labelled = 0, decoded = 0, timed = 0, times_right = 0, negative = 0, silent = 0;
};

// Every labelled attack line becomes a failure of the labelled host at the labelled time, and no
// line labelled harmless does, in each mode of the filter that labels it.
Score score(const std::string& name, const std::vector<LabelledLine>& lines) {
  bool probes_count = name != "sshd";  // the other two filters have probes in their normal mode
  Score out;
  Decoder d({.source = name, .utc_offset_min = 0});
  std::int64_t now = *from_rfc3339("2005-08-14T12:00:00Z");  // the day its labels assume
  for (const LabelledLine& l : lines) {
    std::int64_t received = l.time.empty() ? now : *from_rfc3339(l.time + "Z") + 3'600'000;
    std::vector<Seen> all = decode_all(d, l.line, std::max(received, now));
    bool failed = false, probed = false;
    Seen* hit = nullptr;
    for (Seen& s : all) {
      if (is_failed_logon(s))
        failed = true, hit = &s;
      else if (is_probe(s))
        probed = true, hit = hit ? hit : &s;
    }
    for (auto [label, found] : {std::pair{l.normal, failed || (probes_count && probed)},
                                std::pair{l.aggressive, failed || probed}}) {
      if (label == 1) {
        ++out.labelled;
        bool right = found && hit && (l.host.empty() || hit->at("source.address") == l.host);
        out.decoded += right;
        EXPECT_TRUE(right) << name << ":" << l.number << " " << l.line << "\n  want " << l.host
                           << " got " << (hit ? hit->at("source.address") : "nothing");
      } else if (label == 0) {
        ++out.negative;
        out.silent += !found;
        EXPECT_FALSE(found) << name << ":" << l.number << " " << l.line;
      }
    }
    bool own_zone = l.line.find("EventTV=\"") != std::string::npos;
    if (hit && !l.time.empty() && !own_zone) {
      // Labels are in the filter's zone (Zurich, summer) where the line says one.
      std::int64_t shift =
          l.line.find("+00:00") != std::string::npos || l.line.find("-04:00") != std::string::npos
              ? 7'200'000
              : 0;
      ++out.timed;
      bool right = (hit->time_ms + shift) / 1000 == *from_rfc3339(l.time + "Z") / 1000;
      out.times_right += right;
      EXPECT_TRUE(right) << name << ":" << l.number << " " << to_rfc3339(hit->time_ms) << " "
                         << l.time;
    }
  }
  printf("%s: decoded %d/%d labelled attacks, silent %d/%d harmless, times %d/%d\n", name.c_str(),
         out.decoded, out.labelled, out.silent, out.negative, out.times_right, out.timed);
  return out;
}

TEST(Corpus, fail2ban_labels_hold_for_asterisk_freeswitch_and_sshd) {
  std::string folder = corpora_folder() + "/phone/fail2ban/";
  if (slurp(folder + "sshd.log").empty()) GTEST_SKIP() << "the corpora are not here: " << folder;
  Score a = score("asterisk", fail2ban_lines(slurp(folder + "asterisk.log")));
  Score f = score("freeswitch", fail2ban_lines(slurp(folder + "freeswitch.log")));
  Score s = score("sshd", fail2ban_lines(slurp(folder + "sshd.log")));
  EXPECT_GE(a.labelled, 50);
  EXPECT_GE(f.labelled, 9);
  EXPECT_GE(s.labelled, 100);
  EXPECT_GE(s.negative, 50);
}

// The members parser.assert states: program, addresses, ports, account, kind of event.
TEST(Corpus, crowdsec_parser_assertions_hold) {
  std::string folder = corpora_folder() + "/phone/crowdsec/";
  if (slurp(folder + "freeswitch/freeswitch.log").empty())
    GTEST_SKIP() << "the corpora are not here";
  const std::map<std::string, std::string> names{{"Parsed source_ip", "source.address"},
                                                 {"Parsed remote_ip", "source.address"},
                                                 {"Parsed target_ip", "destination.ip"},
                                                 {"Parsed source_port", "source.port"},
                                                 {"Parsed target_port", "destination.port"},
                                                 {"Parsed username", "account"},
                                                 {"Parsed asterisk_service", "service"},
                                                 {"Parsed asterisk_session_id", "asterisk.session"},
                                                 {"Meta source_ip", "source.address"},
                                                 {"Meta target_user", "account"}};
  const std::map<std::string, std::string> actions{{"user_enumeration", "account-unknown"},
                                                   {"auth_failure", "logon-failed"},
                                                   {"acl_reject", "acl-rejected"}};
  int held = 0, checked = 0;
  for (std::string name : {"asterisk-logs", "freeswitch"}) {
    std::vector<std::string> lines = lines_of(slurp(folder + name + "/" + name + ".log"));
    for (const std::string& assertion : lines_of(slurp(folder + name + "/parser.assert"))) {
      // results["s01-parse"]["…"][2].Evt.Parsed["source_ip"] == "1.2.3.4"
      std::size_t at = assertion.find("].Evt.");
      if (at == std::string::npos || !assertion.starts_with("results[\"s01-parse\"]")) continue;
      std::size_t open = assertion.rfind('[', at);
      auto index = to_int<std::size_t>(assertion.substr(open + 1, at - open - 1));
      std::size_t eq = assertion.find("\"] == \"", at);
      if (eq == std::string::npos || !index) continue;
      std::string key = assertion.substr(at + 6, eq - at - 6);
      key.replace(key.find("[\""), 2, " ");
      std::string want = assertion.substr(eq + 7, assertion.size() - eq - 8);
      auto known = names.find(key);
      bool sub_type = key == "Meta sub_type";
      if (known == names.end() && !sub_type) continue;
      Seen s = decode_one(lines.at(*index));
      std::string got = sub_type ? s.at("event.action") : s.at(known->second);
      ++checked;
      held += got == (sub_type ? actions.at(want) : want);
      EXPECT_EQ(got, sub_type ? actions.at(want) : want) << name << " " << assertion;
    }
  }
  printf("crowdsec: %d/%d parser assertions hold\n", held, checked);
  EXPECT_GE(checked, 40);
}

}  // namespace
}  // namespace cw::watch
