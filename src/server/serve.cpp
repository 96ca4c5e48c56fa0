#include <pthread.h>
#include <signal.h>

#include <iostream>

#include "base/log.h"
#include "commands.h"
#include "config.h"
#include "options.h"
#include "storage/file.h"

namespace cw {

bool speaks_english() {
  const char* lang = std::getenv("CALLWARDEN_LANG");
  if (!lang) lang = std::getenv("LANG");
  return lang && std::string_view(lang).starts_with("en");
}

void complain(const Problem& problem) {
  const char* lang = speaks_english() ? "en" : "zh";
  std::cerr << "callwarden: " << problem.text.in(lang) << " (" << problem.code << ")\n";
  for (const auto& f : problem.fields)
    std::cerr << "  " << f.pointer << ": " << f.text.in(lang) << "\n";
}

namespace {

sigset_t held_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int s : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, s);
  return set;
}

}  // namespace

void hold_signals() {
  sigset_t held = held_signals();
  pthread_sigmask(SIG_BLOCK, &held, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

int wait_for_end(http::Server& server) {
  sigset_t held = held_signals();
  int number = 0;
  while (sigwait(&held, &number) == 0 && number == SIGHUP) {
    if (server.certificate_fingerprint().empty()) continue;
    if (auto reloaded = server.reload_tls(); reloaded)
      log_info("server", "read the certificate again");
    else
      log_error("server", "the certificate stays as it was: {}", reloaded.problem().text.en);
  }
  return number;
}

namespace {

Result<ServeConfig> serve_config(const Args& args, const std::filesystem::path& content) {
  ServeConfig config;
  config.installation.data = args.get("data");
  config.installation.content = content;
  config.installation.version = CW_VERSION;
  if (config.installation.data.empty())
    return invalid("args.data", "--data",
                   {"请用 --data 指明数据目录", "Say the data folder with --data"});
  config.http.host = "127.0.0.1";
  config.http.port = 8420;
  std::string file = args.get("config", config.installation.data + "/callwarden.json");
  auto text = read_file(file);
  if (!text && args.has("config"))
    return invalid("args.config", "--config",
                   {"没有这个配置文件", "There is no such configuration file"});
  if (text) {
    auto value = parse_json(*text);
    if (!value) return std::move(value).problem();
    if (!value->is_object())
      return invalid("config.wrong", "/",
                     {"配置应为 JSON 对象", "The configuration must be a JSON object"});
    if (auto status = read_config(value->get_object(), config); !status)
      return std::move(status).problem();
  }
  if (args.has("listen"))
    if (auto status = read_listen(args.get("listen"), config); !status)
      return std::move(status).problem();
  if (args.has("origin")) config.installation.origin = args.get("origin");
  if (args.has("tls-cert")) config.certificate_file = args.get("tls-cert");
  if (args.has("tls-key")) config.key_file = args.get("tls-key");
  if (!config.certificate_file.empty()) config.tls = true;
  if (args.has("no-sync")) config.installation.full_sync = false;
  auto reserve = args.number("reserve-mib", 32, 1, 4096);
  if (!reserve) return std::move(reserve).problem();
  config.installation.reserve_bytes = *reserve << 20;
  if (config.tls) {
    http::TlsOptions tls;
    tls.certificate_file = config.certificate_file.empty() ? config.installation.data + "/tls.crt"
                                                           : config.certificate_file;
    tls.key_file =
        config.key_file.empty() ? config.installation.data + "/tls.key" : config.key_file;
    tls.names.insert(tls.names.end(), config.certificate_names.begin(),
                     config.certificate_names.end());
    config.http.tls = tls;
  }
  return config;
}

}  // namespace

int serve_main(const Words& words, const std::filesystem::path& content, const Console& console) {
  Args args(words, {"test-clock", "no-sync"});
  auto allowed = args.only({"data", "listen", "config", "origin", "tls-cert", "tls-key",
                            "test-clock", "no-sync", "reserve-mib"});
  if (!allowed) return complain(allowed.problem()), 2;
  auto config = serve_config(args, content);
  if (!config) return complain(config.problem()), 2;
  hold_signals();
  OffsetClock clock;
  SystemRandom random;
  Installation installation(config->installation, clock, random);
  if (auto opened = installation.open(); !opened) return complain(opened.problem()), 1;
  installation.start();
  bool tls = config->tls;
  std::string host = config->http.host;
  auto serving =
      installation.serve(config->http, console, args.has("test-clock") ? &clock : nullptr);
  if (!serving) return complain(serving.problem()), 1;
  bool en = speaks_english();
  std::string shown = host.find(':') != std::string::npos ? "[" + host + "]" : host;
  std::cout << (en ? "Serving at " : "服务地址 ") << (tls ? "https://" : "http://") << shown << ":"
            << installation.server()->port() << std::endl;
  if (tls)
    std::cout << (en ? "Certificate SHA-256 " : "证书 SHA-256 ")
              << installation.server()->certificate_fingerprint() << std::endl;
  if (const auto& first = installation.first()) {
    std::cout << (en ? "First sign-in: login " : "首次登录：账号 ") << first->login
              << (en ? ", one-time password " : "，一次性密码 ") << first->one_time_password
              << std::endl;
  }
  int signal_number = wait_for_end(*installation.server());
  log_info("server", "stopping on signal {}", signal_number);
  installation.stop();
  return 0;
}

}  // namespace cw
