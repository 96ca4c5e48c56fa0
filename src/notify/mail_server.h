// Debian's exim4 on loopback, with a configuration, spool and mailbox of its own in a folder that
// goes away with it. For tests.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace cw {

inline std::uint16_t free_port() {
  int s = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::bind(s, reinterpret_cast<sockaddr*>(&a), sizeof a);
  socklen_t n = sizeof a;
  ::getsockname(s, reinterpret_cast<sockaddr*>(&a), &n);
  ::close(s);
  return ntohs(a.sin_port);
}

inline bool can_connect(std::uint16_t port) {
  int s = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(port);
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bool ok = ::connect(s, reinterpret_cast<sockaddr*>(&a), sizeof a) == 0;
  ::close(s);
  return ok;
}

class MailServer {
 public:
  static constexpr const char* kProgram = "/usr/sbin/exim4";
  // Why it cannot run here, or "".
  static std::string missing() {
    if (::access(kProgram, X_OK) != 0)
      return "exim4 is not installed (apt-get install exim4-daemon-light)";
    if (::geteuid() != 0 || ::getpwnam("Debian-exim") == nullptr)
      return "exim4 gives up its rights unless root starts it";
    return {};
  }

  explicit MailServer(std::filesystem::path folder, bool tls = false)
      : port(free_port()), folder_(std::move(folder)) {
    namespace fs = std::filesystem;
    for (const char* sub : {"spool", "log", "mail"}) fs::create_directories(folder_ / sub);
    fs::permissions(folder_, fs::perms::all);
    if (tls) {
      std::string make =
          "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext "
          "subjectAltName=IP:127.0.0.1,DNS:localhost -keyout " +
          (folder_ / "key.pem").string() + " -out " + certificate() + " 2>/dev/null";
      if (std::system(make.c_str()) != 0) std::abort();
    }
    std::ofstream c(folder_ / "exim.conf");
    std::string dir = folder_.string();
    c << "primary_hostname = mail.test.example\nspool_directory = " << dir
      << "/spool\nlog_file_path = " << dir << "/log/%slog\npid_file_path = " << dir
      << "/exim.pid\nexim_path = " << kProgram
      << "\nexim_user = Debian-exim\nexim_group = Debian-exim\nlocal_interfaces = "
         "127.0.0.1\ndaemon_smtp_ports = "
      << port
      << "\nacl_smtp_rcpt = rcpt\nhost_lookup =\nrfc1413_query_timeout = 0s\nkeep_environment "
         "=\nmessage_size_limit = 1M\n"
      << "smtp_enforce_sync = false\n"
      << (tls ? "tls_advertise_hosts = *\ntls_certificate = " + certificate() +
                    "\ntls_privatekey = " + dir + "/key.pem\ntls_dhparam = none\n"
              : std::string("tls_advertise_hosts =\n"))
      << "begin acl\nrcpt:\n  deny local_parts = nosuch\n  message = no such person here\n  defer "
         "local_parts = busy\n"
      << "  message = try again later\n  accept\n"
      << "begin routers\nall:\n  driver = accept\n  transport = box\nbegin transports\nbox:\n  "
         "driver = appendfile\n"
      << "  directory = " << dir << "/mail\n  user = Debian-exim\n  envelope_to_add\n";
    c.close();
    std::system(("chown -R Debian-exim:Debian-exim " + dir + " && chown root " + dir +
                 "/exim.conf && chmod 644 " + dir + "/exim.conf")
                    .c_str());
  }
  ~MailServer() {
    stop();
    std::error_code ignored;  // a delivery that ends just now may still hold a file
    std::filesystem::remove_all(folder_, ignored);
  }

  bool start() {
    pid_ = ::fork();
    if (pid_ == 0) {
      ::setpgid(0, 0);
      int quiet = ::open("/dev/null", O_RDWR);
      for (int fd : {0, 1, 2}) ::dup2(quiet, fd);
      std::string conf = (folder_ / "exim.conf").string();
      ::execl(kProgram, kProgram, "-bdf", "-C", conf.c_str(), nullptr);
      ::_exit(127);
    }
    for (int i = 0; i < 1'200; ++i) {
      if (can_connect(port)) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(25));
    }
    return false;
  }
  void stop() {
    if (pid_ <= 0) return;
    ::kill(-pid_, SIGTERM);
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

  // The messages delivered, as bytes; waits until there are `count` (25 ms a round).
  std::vector<std::string> mails(std::size_t count, int rounds = 1'200) {
    std::vector<std::string> out;
    for (int i = 0; i < rounds && out.size() < count; ++i) {
      if (i > 0) std::this_thread::sleep_for(std::chrono::milliseconds(25));
      out.clear();
      for (const auto& f : std::filesystem::directory_iterator(folder_ / "mail")) {
        if (f.path().filename().string()[0] != 'q') continue;  // still being written
        std::ifstream in(f.path(), std::ios::binary);
        std::stringstream text;
        text << in.rdbuf();
        out.push_back(text.str());
      }
    }
    return out;
  }
  std::string certificate() const { return (folder_ / "cert.pem").string(); }

  const std::uint16_t port;

 private:
  std::filesystem::path folder_;
  pid_t pid_ = -1;
};

}  // namespace cw
