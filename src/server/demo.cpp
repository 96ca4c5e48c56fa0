#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <thread>

#include "base/log.h"
#include "base/text.h"
#include "commands.h"
#include "config.h"
#include "options.h"
#include "procedure/cases.h"
#include "storage/file.h"
#include "story.h"

namespace cw {
namespace {

constexpr std::int64_t kDay = 86'400'000;

// The demo's people sign in often while history is made; the live server uses the usual cost.
constexpr PasswordCost kQuickCost{.passes = 1, .memory_bytes = 8 << 20};

watch::SourceConfig push_source() {
  watch::SourceConfig source;
  source.id = "pbx";
  source.kind = watch::SourceConfig::Kind::push;
  source.owner = "security-officer";
  source.format = watch::Format::asterisk;
  return source;
}

watch::SourceConfig syslog_source(std::uint16_t port) {
  watch::SourceConfig source = push_source();
  source.id = "pbx-1";
  source.kind = watch::SourceConfig::Kind::syslog_udp;
  source.port = port;
  return source;
}

// A day before now: the main job to its end, a leak in its first hours, a ticket.
bool history(const std::string& data, const std::filesystem::path& content,
             const std::string& password, std::int64_t now_ms) {
  ManualClock clock(now_ms - 3 * kDay);
  SystemRandom random;
  InstallationOptions options{.data = data,
                              .content = content,
                              .version = CW_VERSION,
                              .sources = {push_source()},
                              .threads = false};
  options.access.cost = kQuickCost;
  Installation in(options, clock, random);
  if (auto opened = in.open(); !opened) return complain(opened.problem()), false;
  auto centre = Centre::make(in, password);
  if (!centre) return complain(centre.problem()), false;
  Story story(in, clock, *centre, std::cout);
  if (!(story.attack() && story.respond() && story.recover() && story.verify())) return false;
  clock.set_ms(now_ms - 40 * 60'000);
  in.advance();
  auto run = [&](Result<Decide> decide) {
    auto answer =
        decide ? in.journal().run({}, std::move(*decide)) : Result<Answer>(decide.problem());
    if (!answer) complain(answer.problem());
    return answer ? std::string(text_or(answer->body, "case")) : std::string();
  };
  std::string leak =
      run(in.engine().start({.procedure = "plan.customer-leak",
                             .org = centre->org(),
                             .actor = centre->id("zheng"),
                             .form = {{"discovered_at", to_rfc3339(clock.now_ms() - 6 * 60'000)},
                                      {"summary", "账单邮件误发：附件含其他客户信息"},
                                      {"source", "customer"}}}));
  if (leak.empty()) return false;
  run(in.engine().do_task({leak, centre->id("wang"), {}}, "ack", {}, {}));
  run(in.engine().act({leak, centre->id("wang"), {}}, "activate", {},
                      {{"severity", "III"},
                       {"grade", "general"},
                       {"people", 27},
                       {"operator", "other"},
                       {"hazard", "low"},
                       {"grounds", "误发 1 封，附件含 27 名客户"}}));
  std::string ticket = run(in.engine().start(
      {.procedure = "ticket.after-sales",
       .org = centre->org(),
       .actor = centre->id("feng"),
       .form = {
           {"subject", "宽带频繁掉线"}, {"content", "晚高峰每小时掉线两次"}, {"priority", "P2"}}}));
  if (ticket.empty()) return false;
  in.stop();
  return true;
}

void send_syslog(std::uint16_t port, const std::string& lines) {
  int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (auto line : split(lines, '\n')) {
    if (line.empty()) continue;
    std::string packet = "<37>1 - pbx-1 asterisk 2211 - - " + std::string(line);
    (void)!::sendto(fd, packet.data(), packet.size(), 0, reinterpret_cast<sockaddr*>(&to),
                    sizeof to);
  }
  ::close(fd);
}

int once(const std::string& data, const std::filesystem::path& content) {
  ManualClock clock(1'795'305'600'000);  // 2026-11-22, 08:00 in Shanghai
  SystemRandom random;
  InstallationOptions options{.data = data,
                              .content = content,
                              .version = CW_VERSION,
                              .sources = {push_source()},
                              .threads = false};
  options.access.cost = kQuickCost;
  int steps = 0;
  std::string case_id;
  {
    Installation in(options, clock, random);
    if (auto opened = in.open(); !opened) return complain(opened.problem()), 1;
    auto centre = Centre::make(in, to_hex(random.bytes(8)));
    if (!centre) return complain(centre.problem()), 1;
    Story story(in, clock, *centre, std::cout);
    if (!(story.attack() && story.respond() && story.recover() && story.verify())) return 1;
    steps = story.steps();
    case_id = story.case_id();
  }
  // Started again over the same folder, the record says the same.
  Installation again(options, clock, random);
  if (auto opened = again.open(); !opened) return complain(opened.problem()), 1;
  bool closed = again.journal().read([&] {
    auto view = again.engine().view(case_id, "");
    return view && view->closed;
  });
  std::cout << (speaks_english() ? "After a restart the incident is closed: "
                                 : "重新启动后事件仍为已办结：")
            << (closed ? "✓" : "✗") << "\n"
            << steps + 1 << (speaks_english() ? " steps; " : " 步；") << again.journal().size()
            << (speaks_english() ? " entries\n" : " 个条目\n");
  return closed ? 0 : 1;
}

}  // namespace

int demo_main(const Words& words, const std::filesystem::path& content, const Console& console) {
  Args args(words, {"once", "test-clock"});
  auto allowed = args.only({"data", "listen", "once", "syslog-port", "password", "test-clock"});
  if (!allowed) return complain(allowed.problem()), 2;
  std::string data = args.get("data");
  if (data.empty())
    return complain(invalid("args.data", "--data",
                            {"请用 --data 指明数据目录", "Say the data folder with --data"})),
           2;
  if (args.has("once")) return once(data, content);
  auto port = args.number("syslog-port", 5514, 0, 65535);
  if (!port) return complain(port.problem()), 2;
  ServeConfig config;
  if (auto status = read_listen(args.get("listen", "127.0.0.1:8420"), config); !status)
    return complain(status.problem()), 2;

  hold_signals();
  OffsetClock clock;
  SystemRandom random;
  bool en = speaks_english();
  std::string password = args.get("password");
  std::string note = data + "/demo-password";
  if (!std::filesystem::exists(data + "/journal.db")) {
    if (password.empty()) password = "demo-" + to_hex(random.bytes(5));
    log_level(LogLevel::warn);
    if (!history(data, content, password, clock.now_ms())) return 1;
    log_level(LogLevel::info);
    write_file_atomic(note, password, 0600);
  } else if (auto kept = read_file(note)) {
    password = *kept;
  }

  config.installation = {
      .data = data,
      .content = content,
      .version = CW_VERSION,
      .sources = {push_source(), syslog_source(static_cast<std::uint16_t>(*port))}};
  if (config.tls)
    config.http.tls =
        http::TlsOptions{.certificate_file = data + "/tls.crt", .key_file = data + "/tls.key"};
  Installation in(config.installation, clock, random);
  if (auto opened = in.open(); !opened) return complain(opened.problem()), 1;
  auto centre = Centre::find(in);
  if (!centre) return complain(centre.problem()), 1;
  in.start();
  if (auto serving = in.serve(config.http, console, args.has("test-clock") ? &clock : nullptr);
      !serving)
    return complain(serving.problem()), 1;
  std::uint16_t syslog = in.watch().port("pbx-1");
  std::cout << "\n"
            << (en ? "Address   " : "地址  ") << (config.tls ? "https://" : "http://")
            << config.http.host << ":" << in.server()->port() << "\n"
            << (en ? "Accounts  " : "账号  ") << "wang " << (en ? "(duty officer)" : "（值班长）")
            << ", li " << (en ? "(commander)" : "（指挥长）") << ", chen, he, sun, qian, wu, liu "
            << (en ? "(auditor)" : "（审计员）") << ", zheng " << (en ? "(agent)" : "（坐席）")
            << "\n"
            << (en ? "Password  " : "密码  ") << password << "\n"
            << (en ? "Syslog    " : "日志  ") << "udp 127.0.0.1:" << syslog << std::endl;

  // An attack on the telephone system, in its own log format, so that the visitor sees it arrive.
  std::atomic<bool> stopping{false};
  std::thread attacker([&] {
    for (int wait = 0; wait < 200 && !stopping; ++wait)
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    for (int i = 0; i < 24 && !stopping; ++i) {
      send_syslog(syslog, asterisk_attack(clock.now_ms(), 1, "203.0.113.66", i));
      std::this_thread::sleep_for(std::chrono::milliseconds(400));
    }
  });
  wait_for_end(*in.server());
  stopping = true;
  attacker.join();
  in.stop();
  return 0;
}

}  // namespace cw
