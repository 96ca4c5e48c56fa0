#include "common.h"
#include "print.h"

// The server itself: health, status, and what only a server started for tests has.
namespace cw::api {
namespace {

struct HealthOut {
  std::string status;
};
BOOST_DESCRIBE_STRUCT(HealthOut, (), (status))

struct JournalOut {
  std::int64_t size = 0, queue = 0, commits = 0, refused = 0;
  bool disk_full = false;
};
BOOST_DESCRIBE_STRUCT(JournalOut, (), (size, queue, commits, refused, disk_full))
struct StatusOut {
  std::string version;
  std::int64_t now_ms = 0, views_position = 0, ledger_size = 0, cases = 0, open_cases = 0,
               people = 0;
  JournalOut journal;
  std::optional<Text> ledger_trouble;
};
BOOST_DESCRIBE_STRUCT(StatusOut, (),
                      (version, now_ms, views_position, ledger_size, cases, open_cases, people,
                       journal, ledger_trouble))

struct JumpIn {
  std::int64_t jump_ms = 0;
};
BOOST_DESCRIBE_STRUCT(JumpIn, (), (jump_ms))
struct JumpOut {
  std::int64_t now_ms = 0;
};
BOOST_DESCRIBE_STRUCT(JumpOut, (), (now_ms))

Result<StatusOut> status(Call& call) {
  const Services& s = call.s;
  auto j = s.journal.stats();
  StatusOut out;
  out.version = s.version;
  out.now_ms = s.clock.now_ms();
  out.views_position = static_cast<std::int64_t>(s.views.position());
  out.ledger_size = static_cast<std::int64_t>(s.ledger.size());
  out.journal = {static_cast<std::int64_t>(s.journal.size()), static_cast<std::int64_t>(j.queue),
                 static_cast<std::int64_t>(j.commits), static_cast<std::int64_t>(j.refused),
                 j.disk_full};
  if (auto trouble = s.ledger.trouble()) out.ledger_trouble = trouble->text;
  s.journal.read([&] {
    out.cases = static_cast<std::int64_t>(s.engine.size());
    out.open_cases = static_cast<std::int64_t>(s.engine.open_count());
    out.people = static_cast<std::int64_t>(s.identity.people_count());
  });
  return out;
}

// Time in a test server is pushed, never faked: every clock of the engine fires as it would have.
Result<JumpOut> jump(Call& call, JumpIn& in) {
  if (!call.s.test_clock) return no_such({"这个地址", "such an address"});
  if (in.jump_ms < 0 || in.jump_ms > 400ll * 86'400'000)
    return invalid("test.jump", "/jump_ms", {"须在 0 到 400 天之间", "This must be 0 to 400 days"});
  call.s.test_clock->jump_ms(in.jump_ms);
  call.s.engine.run_due(call.s.journal);
  return JumpOut{call.s.clock.now_ms()};
}

}  // namespace

void add_system(Table& t) {
  t.tag("system");
  t.get<HealthOut>("/health", {"public", "Whether the server can write"},
                   [](Call& c) -> Result<HealthOut> {
                     if (!c.s.journal.stats().disk_full) return HealthOut{"ok"};
                     c.status = 503;
                     return HealthOut{"disk-full"};
                   });
  t.get<StatusOut>("/status", {"system.read", "Figures of the running server"}, status);
  t.raw("GET", "/print.css", {"public", "Style sheet of printed pages", {}, 1024, "text/css"},
        [](Call&) -> Result<http::Response> {
          return http::text_response(200, print_style(), "text/css; charset=utf-8");
        });
  t.post<JumpIn, JumpOut>("/test/clock", {"public", "Push the test server's clock ahead"}, jump);
}

}  // namespace cw::api
