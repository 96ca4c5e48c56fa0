// A centre to test with: a journal in a folder of its own, a manual clock, cheap passwords.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/text.h"
#include "identity.h"

namespace cw {

class Centre {
 public:
  explicit Centre(AccessOptions options = cheap()) : options_(std::move(options)) {
    folder_ =
        std::filesystem::temp_directory_path() / ("identity-" + to_hex(SystemRandom().bytes(8)));
    std::filesystem::create_directories(folder_);
    root_key_ = SystemRandom().bytes(32);
    start();
    first = *identity->first_start({"某市呼叫中心", "City call centre"});
    admin = enter("admin", first.one_time_password, "an administrator's long one");
  }
  ~Centre() {
    stop();
    std::filesystem::remove_all(folder_);
  }

  static AccessOptions cheap() {
    AccessOptions o;
    o.cost = {1, 8 << 10};
    return o;
  }

  void start() {
    std::string path = (folder_ / "journal.db").string();
    JournalOptions jo{
        .path = path, .origin = "test.example/log", .reserve_bytes = 1 << 20, .full_sync = false};
    jo.schemas = {Sealed::schema(), Identity::schema()};
    journal = std::make_unique<Journal>(jo, clock, random);
    sealed = std::make_unique<Sealed>(path, SecretBytes::copy(root_key_), random);
    identity = std::make_unique<Identity>(*journal, *sealed, clock, random, options_);
    journal->attach(*identity);
    journal->open();
    identity->open();
  }
  void stop() {
    if (journal) journal->close();
    identity.reset();
    sealed.reset();
    journal.reset();
  }
  void restart() {
    stop();
    start();
  }

  // Signs in, and changes the password first when `chosen` is given.
  Principal enter(const std::string& login, const std::string& password,
                  const std::string& chosen = "") {
    auto in = identity->access().sign_in({.login = login, .password = password});
    EXPECT_TRUE(in.ok()) << login << ": " << (in ? "" : in.problem().code);
    if (!in) return {};
    if (chosen.empty()) return in->principal;
    auto changed = identity->access().change_password(in->principal, password, chosen);
    EXPECT_TRUE(changed.ok()) << changed.problem().code;
    return enter(login, chosen);
  }

  // A person of the centre with the given roles, and their sign-in.
  std::string person(const std::string& login, const std::vector<std::string>& roles = {},
                     std::string org = "") {
    PersonInput in{.name = "测试 " + login,
                   .login = login,
                   .staff_no = "S-" + login,
                   .org = org.empty() ? first.org : org};
    for (const auto& r : roles) in.grants.push_back({r, in.org});
    auto made = identity->add_person(admin, {}, in);
    EXPECT_TRUE(made.ok()) << made.problem().code;
    passwords[login] = made->secret;
    return made->id;
  }
  Principal principal(const std::string& login) {
    return enter(login, passwords[login],
                 login == "x" ? "" : "correct horse battery " + login + "!");
  }

  template <typename F>
  auto read(F&& f) {
    return journal->read(std::forward<F>(f));
  }

  std::vector<Entry> entries() {
    std::vector<Entry> out;
    for (const auto& bytes : journal->entries(0, 100'000)) out.push_back(*Entry::parse(bytes));
    return out;
  }
  std::size_t count(const std::string& kind) {
    std::size_t n = 0;
    for (const auto& e : entries()) n += e.kind == kind;
    return n;
  }
  std::string org(const std::string& kind, const std::string& parent) {
    auto made = identity->add_org(admin, {}, parent, kind, {"组织", "Organisation"});
    EXPECT_TRUE(made.ok());
    return std::string(text_or(made->body, "id"));
  }
  void post(PostInput in) {
    auto s = identity->set_post(admin, {}, in);
    EXPECT_TRUE(s.ok()) << s.problem().code;
  }

  ManualClock clock{1'795'305'600'000};
  SystemRandom random;
  std::unique_ptr<Journal> journal;
  std::unique_ptr<Sealed> sealed;
  std::unique_ptr<Identity> identity;
  Identity::First first;
  Principal admin;
  std::map<std::string, std::string> passwords;

 private:
  AccessOptions options_;
  std::filesystem::path folder_;
  std::string root_key_;
};

inline std::string code_of(const Status& s) { return s ? "" : s.problem().code; }
template <typename T>
std::string code_of(const Result<T>& r) {
  return r ? "" : r.problem().code;
}

}  // namespace cw
