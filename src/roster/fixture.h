// A centre with people and a roster, to test with: a journal in a folder of its own, a manual
// clock.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/text.h"
#include "duty_directory.h"
#include "roster.h"

namespace cw {

inline const std::filesystem::path duty_content = std::filesystem::path(CW_SOURCE_DIR) / "content";

inline std::string duty_source(const std::string& name) {
  std::ifstream in(duty_content / "rosters" / (name + ".yaml"));
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

class DutyWorld {
 public:
  DutyWorld() {
    folder_ =
        std::filesystem::temp_directory_path() / ("roster-" + to_hex(SystemRandom().bytes(8)));
    std::filesystem::create_directories(folder_);
    start();
    first = *identity->first_start({"某市呼叫中心", "City call centre"});
    boss = Principal::system();
    auto made = identity->add_org(boss, {}, first.org, "centre", {"分中心", "Branch"});
    branch = std::string(text_or(made->body, "id"));
  }
  ~DutyWorld() {
    stop();
    std::filesystem::remove_all(folder_);
  }

  void start() {
    const std::string path = (folder_ / "journal.db").string();
    JournalOptions jo{
        .path = path, .origin = "test.example/log", .reserve_bytes = 1 << 20, .full_sync = false};
    jo.schemas = {Sealed::schema(), Identity::schema()};
    journal = std::make_unique<Journal>(jo, clock, random);
    sealed = std::make_unique<Sealed>(path, SecretBytes::copy(std::string(32, 'k')), random);
    AccessOptions cheap;
    cheap.cost = {1, 8 << 10};
    identity = std::make_unique<Identity>(*journal, *sealed, clock, random, cheap);
    std::vector<Mistake> mistakes;
    roster = std::make_unique<Roster>(RosterParts{*journal, *identity, *sealed, clock, random},
                                      Calendars::load(duty_content / "calendars", mistakes));
    directory = std::make_unique<DutyDirectory>(*identity, *roster, clock);
    journal->attach(*identity);
    journal->attach(*roster);
    journal->open();
    identity->open();
  }
  void stop() {
    if (journal) journal->close();
    directory.reset();
    roster.reset();
    identity.reset();
    sealed.reset();
    journal.reset();
  }
  void restart(bool keep_snapshot) {
    stop();
    if (!keep_snapshot) std::filesystem::remove_all(folder_ / "journal.db.snapshots");
    start();
  }

  // A person of the headquarters, and who they are when they ask.
  std::string person(const std::string& login, const std::vector<std::string>& roles = {}) {
    PersonInput in{.name = "测试 " + login,
                   .login = "user-" + login,
                   .staff_no = "S-" + login,
                   .org = first.org};
    for (const auto& r : roles) in.grants.push_back({r, first.org});
    auto made = identity->add_person(boss, {}, in);
    EXPECT_TRUE(made.ok()) << (made ? "" : made.problem().code);
    ids[login] = made->id;
    return made->id;
  }
  Principal as(const std::string& login) const {
    Principal p;
    p.actor = p.person = ids.at(login);
    p.org = first.org;
    return p;
  }

  // The round-the-clock roster: a, b, c, d in four teams, s on standby with each; e, f second line;
  // g, h command; from Monday 2026-11-23. m manages.
  void plan() {
    for (const char* login : {"a", "b", "c", "d", "e", "f", "g", "h", "s"})
      person(login, {"agent"});
    person("m", {"lead"});
    for (const char* login : {"a", "b", "c", "d", "s"})
      ok(roster->qualify(boss, {}, {ids[login], "duty", 0}, false));
    RosterInput in{.org = first.org, .source = duty_source("duty-24h"), .from_day = monday};
    for (const char* login : {"a", "b", "c", "d"})
      in.layers["first"].push_back({{ids[login]}, {ids["s"]}});
    in.layers["second"] = {{{ids["e"]}, {}}, {{ids["f"]}, {}}};
    in.layers["commander"] = {{{ids["g"]}, {}}, {{ids["h"]}, {}}};
    ok(roster->set(boss, {}, in));
  }

  template <typename T>
  void ok(const Result<T>& r) {
    ASSERT_TRUE(r.ok()) << (r ? ""
                              : r.problem().code + ": " + r.problem().text.en +
                                    (r.problem().fields.empty()
                                         ? ""
                                         : " " + r.problem().fields[0].pointer + " " +
                                               r.problem().fields[0].text.en));
  }
  template <typename F>
  auto read(F&& f) const {
    return journal->read(std::forward<F>(f));
  }
  ShiftRef ref(std::int64_t day, const std::string& shift,
               const std::string& layer = "first") const {
    return {first.org, "duty-24h", layer, shift, day};
  }
  std::string who(std::int64_t day, const std::string& shift,
                  const std::string& layer = "first") const {
    std::string out;
    const auto s = read([&] { return roster->shift(ref(day, shift, layer)); });
    if (!s) return "-";
    for (const OnShift& o : s->people) out += name(o.person);
    return out;
  }
  std::string name(const std::string& id) const {
    for (const auto& [login, other] : ids)
      if (other == id) return login;
    return "?";
  }
  std::string now_on(const std::string& post, const std::string& org = "") const {
    std::string out;
    const auto people =
        read([&] { return directory->post_people(post, org.empty() ? first.org : org); });
    for (const auto& id : people) out += name(id);
    return out;
  }
  void at(const std::string& local) {  // "2026-11-23T09:00" in Shanghai
    clock.set_ms(*from_rfc3339(local + ":00+08:00"));
  }

  ManualClock clock{*from_rfc3339("2026-11-22T12:00:00+08:00")};  // a Sunday
  SystemRandom random;
  std::unique_ptr<Journal> journal;
  std::unique_ptr<Sealed> sealed;
  std::unique_ptr<Identity> identity;
  std::unique_ptr<Roster> roster;
  std::unique_ptr<DutyDirectory> directory;
  Identity::First first;
  Principal boss;
  std::string branch;
  std::map<std::string, std::string> ids;
  const std::int64_t monday = days_from_civil(2026, 11, 23);

 private:
  std::filesystem::path folder_;
};

template <typename T>
std::string duty_code(const Result<T>& r) {
  return r ? "" : r.problem().code;
}

}  // namespace cw
