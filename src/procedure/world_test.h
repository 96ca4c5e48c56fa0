// A small call centre for the engine's tests: the real journal, sealed contents and views in a
// folder of their own, a table of people, a clock that tests set, an outbox that is a list.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>

#include "cases.h"
#include "engine.h"
#include "storage/file.h"

namespace cw {

// People by the posts and teams they hold: "post:duty-officer", "team:technical", "queue:…",
// "deputy:…", "for:PERSON" (a delegate). One organisation tree: org_cn (province) above org_sh
// (centre) and org_bj.
class PeopleTable final : public Directory {
 public:
  std::map<std::string, std::set<std::string>, std::less<>> holds;

  bool has(std::string_view person, const std::string& what) const {
    auto it = holds.find(person);
    return it != holds.end() && it->second.count(what) != 0;
  }
  std::string basis(std::string_view person, std::string what, const char* other = nullptr) const {
    if (has(person, what)) return what;
    for (const auto& [holder, held] : holds)  // "for:wang": acts in wang's posts
      if (what.starts_with("post:") && held.count(what) != 0 && has(person, "for:" + holder))
        return "delegate:" + holder;
    if (other) {
      std::string deputy = other + what.substr(what.find(':') + 1);
      if (has(person, deputy)) return deputy;
    }
    return {};
  }
  std::vector<std::string> who(const std::string& what) const {
    std::vector<std::string> out;
    for (const auto& [person, held] : holds)
      if (held.count(what) != 0) out.push_back(person);
    return out;
  }

  std::string post_basis(std::string_view p, std::string_view post,
                         std::string_view) const override {
    return basis(p, "post:" + std::string(post), "deputy:");
  }
  std::string team_basis(std::string_view p, std::string_view team,
                         std::string_view) const override {
    return basis(p, "team:" + std::string(team));
  }
  std::string queue_basis(std::string_view p, std::string_view q, std::string_view) const override {
    return basis(p, "queue:" + std::string(q));
  }
  std::string chief_post(std::string_view level, std::string_view) const override {
    if (level == "duty" || level == "agent") return level == "duty" ? "duty-officer" : "agent";
    return std::string(level) + "-chief";
  }
  std::vector<std::string> post_people(std::string_view post, std::string_view) const override {
    return who("post:" + std::string(post));
  }
  std::vector<std::string> team_people(std::string_view team, std::string_view) const override {
    return who("team:" + std::string(team));
  }
  std::vector<std::string> queue_people(std::string_view q, std::string_view) const override {
    return who("queue:" + std::string(q));
  }
  bool is_active_person(std::string_view p) const override {
    return holds.count(std::string(p)) != 0;
  }
  bool is_org(std::string_view org) const override {
    return org == "org_cn" || org == "org_sh" || org == "org_bj";
  }
  std::vector<std::string> orgs_of(std::string_view kind) const override {
    if (kind == "root" || kind == "hq") return {"org_cn"};
    if (kind == "centre") return {"org_sh", "org_bj"};
    return {"org_cn", "org_sh", "org_bj"};
  }
  bool within(std::string_view org, std::string_view ancestor) const override {
    return org == ancestor || ancestor == "org_cn";
  }
};

class OutboxList final : public Outbound {
 public:
  void notify(Draft&, const Notice& n) override { notices.push_back(n); }
  void send(Draft&, const Sending& s) override { sendings.push_back(s); }
  std::vector<Notice> notices;
  std::vector<Sending> sendings;
};

class World {
 public:
  explicit World(Library library,
                 std::int64_t start_ms = 1'772'413'200'000)  // Mon 2026-03-02 09:00
      : clock(start_ms), library_(std::move(library)) {
    char name[] = "/tmp/cw-engine-XXXXXX";
    folder = ::mkdtemp(name);
    open();
  }
  ~World() {
    shut();
    std::filesystem::remove_all(folder);
  }
  World(const World&) = delete;

  void open() {
    JournalOptions options;
    options.path = folder + "/journal.db";
    options.origin = "callwarden.example/test";
    options.reserve_bytes = 1 << 20;
    options.snapshot_every = 1'000'000;
    options.full_sync = false;  // durability is tested elsewhere; many small commits here
    options.schemas = {Sealed::schema(), Engine::schema()};
    journal = std::make_unique<Journal>(options, clock, random);
    sealed =
        std::make_unique<Sealed>(options.path, SecretBytes::copy(std::string(32, 'k')), random);
    engine = std::make_unique<Engine>(
        EngineParts{library_, people, *sealed, outbox, clock, random, options.path});
    journal->attach(*engine);
    journal->open();
    list = std::make_unique<CaseList>(*engine);
    views = std::make_unique<Views>(folder + "/views.db", *journal);
    views->attach(*list);
    views->start();
  }
  void shut() {
    if (views) views->stop();
    views.reset();
    journal.reset();
    list.reset();
    engine.reset();
    sealed.reset();
  }
  // Stops and starts on the same folder; without its snapshot everything is replayed.
  void restart(bool keep_snapshot) {
    shut();
    if (!keep_snapshot) std::filesystem::remove_all(folder + "/journal.db.snapshots");
    open();
  }
  void use(Library library) { library_ = std::move(library); }  // from the next start
  // Everything the engine knows, as its snapshot says it.
  std::vector<std::string> state() const {
    return journal->read([&] {
      std::vector<std::string> slices;
      for (std::size_t i = 0; auto s = engine->save_slice(i); ++i) slices.push_back(*s);
      return slices;
    });
  }

  Result<Answer> run(Result<Decide> decide, std::string id = "") {
    if (!decide) return decide.problem();
    return journal->run({.id = std::move(id)}, *decide);
  }
  CaseView view(const std::string& id, const std::string& viewer = "") const {
    return *journal->read([&] { return engine->view(id, viewer); });
  }

  ManualClock clock;
  SeededRandom random{7};
  PeopleTable people;
  OutboxList outbox;
  std::string folder;
  std::unique_ptr<Journal> journal;
  std::unique_ptr<Sealed> sealed;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<CaseList> list;
  std::unique_ptr<Views> views;

 private:
  Library library_;
};

}  // namespace cw
