// A desk to test with: journal, identity, notify, a receiver of webhooks. For tests.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <mutex>

#include "base/text.h"
#include "impl.h"
#include "mail_server.h"

namespace cw {

class Desk {
 public:
  explicit Desk(NotifyOptions o = {}) : options(std::move(o)) {
    folder = std::filesystem::temp_directory_path() / ("notify-" + to_hex(SystemRandom().bytes(8)));
    std::filesystem::create_directories(folder);
    root_key_ = SystemRandom().bytes(32);
  }
  ~Desk() {
    stop();
    std::filesystem::remove_all(folder);
  }

  void start() {
    std::string path = (folder / "journal.db").string();
    JournalOptions jo{
        .path = path, .origin = "test.example/log", .reserve_bytes = 1 << 20, .full_sync = false};
    jo.schemas = {Sealed::schema(), Identity::schema(), Notify::schema()};
    journal = std::make_unique<Journal>(jo, clock, random);
    sealed = std::make_unique<Sealed>(path, SecretBytes::copy(root_key_), random);
    AccessOptions cheap;
    cheap.cost = {1, 8 << 10};
    identity = std::make_unique<Identity>(*journal, *sealed, clock, random, cheap);
    notify =
        std::make_unique<Notify>(NotifyParts{*journal, *identity, *sealed, clock, random}, options);
    notify->on_notice([this](const std::vector<std::string>& people) {
      told.insert(told.end(), people.begin(), people.end());
    });
    journal->attach(*identity);
    journal->attach(*notify);
    journal->open();
    identity->open();
    if (auto first = identity->first_start()) org = first->org;
  }
  void stop() {
    if (notify) notify->stop();
    if (journal) journal->close();
    notify.reset();
    identity.reset();
    sealed.reset();
    journal.reset();
  }

  std::string person(const std::string& login, const std::string& email,
                     const std::string& lang = "zh", std::vector<Grant> grants = {}) {
    auto made = identity->add_person(Principal::system(), {},
                                     {.name = "王小明",
                                      .login = login,
                                      .org = org,
                                      .email = email,
                                      .lang = lang,
                                      .grants = std::move(grants)});
    EXPECT_TRUE(made.ok());
    return made->id;
  }
  Principal as(const std::string& person) {
    Principal p;
    p.actor = p.person = person;
    p.org = org;
    p.authenticated_at = clock.now_ms();
    return p;
  }

  // A cause: an entry, and the message in the same commit.
  void tell(Message m) {
    auto answer = journal->run({}, [&](Draft& d) -> Result<json::object> {
      m.seq = d.append({.actor = "system", .kind = "test.cause", .body = {}});
      if (m.org.empty()) m.org = org;
      notify->tell(d, m);
      return json::object{};
    });
    ASSERT_TRUE(answer.ok());
  }
  Message late(std::vector<std::string> people) {
    return {.about = "task_late",
            .name = "contain",
            .case_id = "cas_01",
            .number = "CL-2026-0001",
            .title = {"客户信息泄露应急预案", "Customer-information leak plan"},
            .text = {"止损", "Contain"},
            .due_ms = clock.now_ms() - 60'000,
            .urgent = true,
            .people = std::move(people)};
  }
  std::vector<Entry> entries(const std::string& kind) {
    std::vector<Entry> out;
    for (const auto& bytes : journal->entries(0, 10'000)) {
      auto e = *Entry::parse(bytes);
      if (e.kind == kind) out.push_back(std::move(e));
    }
    return out;
  }
  std::vector<OutboxItem> outbox(const std::string& state) {
    return notify->outbox(Principal::system(), {.state = state}).items;
  }

  NotifyOptions options;
  std::filesystem::path folder;
  ManualClock clock{1'795'305'600'000};
  SystemRandom random;
  std::unique_ptr<Journal> journal;
  std::unique_ptr<Sealed> sealed;
  std::unique_ptr<Identity> identity;
  std::unique_ptr<Notify> notify;
  std::string org;
  std::vector<std::string> told;

 private:
  std::string root_key_;
};

// Answers each request with the next scripted status (the last one for ever) and keeps what came.
class Receiver {
 public:
  struct Request {
    std::string head, body;
  };
  explicit Receiver(std::vector<std::string> answers) : answers_(std::move(answers)) {
    listen_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(listen_, reinterpret_cast<sockaddr*>(&a), sizeof a);
    socklen_t n = sizeof a;
    ::getsockname(listen_, reinterpret_cast<sockaddr*>(&a), &n);
    port = ntohs(a.sin_port);
    ::listen(listen_, 8);
    thread_ = std::thread([this] { serve(); });
  }
  ~Receiver() {
    ::shutdown(listen_, SHUT_RDWR);
    thread_.join();
    ::close(listen_);
  }
  std::string url(const std::string& path = "/hook") const {
    return "http://127.0.0.1:" + std::to_string(port) + path;
  }
  std::vector<Request> requests() {
    std::lock_guard lock(mutex_);
    return requests_;
  }
  std::uint16_t port = 0;

 private:
  void serve() {
    for (std::size_t i = 0;; ++i) {
      int s = ::accept(listen_, nullptr, nullptr);
      if (s < 0) return;
      std::string all;
      char buffer[4096];
      std::size_t need = std::string::npos;
      while (all.size() < need) {
        auto n = ::recv(s, buffer, sizeof buffer, 0);
        if (n <= 0) break;
        all.append(buffer, static_cast<std::size_t>(n));
        auto end = all.find("\r\n\r\n");
        auto at = all.find("Content-Length: ");
        if (end != std::string::npos && at != std::string::npos)
          need = end + 4 + std::stoul(all.substr(at + 16));
      }
      auto end = all.find("\r\n\r\n");
      {
        std::lock_guard lock(mutex_);
        requests_.push_back(
            {all.substr(0, end), end == std::string::npos ? "" : all.substr(end + 4)});
      }
      const std::string& answer = answers_[std::min(i, answers_.size() - 1)];
      (void)!::send(s, answer.data(), answer.size(), MSG_NOSIGNAL);
      ::close(s);
    }
  }

  std::vector<std::string> answers_;
  int listen_ = -1;
  std::mutex mutex_;
  std::vector<Request> requests_;
  std::thread thread_;
};

template <typename T>
std::string code_of(const Result<T>& r) {
  return r ? "" : r.problem().code;
}

}  // namespace cw
