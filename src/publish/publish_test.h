// A house for the tests of publishing: a journal in a folder, one plan with one form, people who
// may do everything but approve what they wrote.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "procedure/cases.h"
#include "publish/publish.h"

namespace cw {

class Everybody final : public Directory {  // holds every post
 public:
  std::string post_basis(std::string_view, std::string_view p, std::string_view) const override {
    return "post:" + std::string(p);
  }
  std::string team_basis(std::string_view, std::string_view t, std::string_view) const override {
    return "team:" + std::string(t);
  }
  std::string queue_basis(std::string_view, std::string_view q, std::string_view) const override {
    return "queue:" + std::string(q);
  }
  std::string chief_post(std::string_view, std::string_view) const override { return "chief"; }
  std::vector<std::string> post_people(std::string_view, std::string_view) const override {
    return {"per_a"};
  }
  std::vector<std::string> team_people(std::string_view, std::string_view) const override {
    return {"per_a"};
  }
  std::vector<std::string> queue_people(std::string_view, std::string_view) const override {
    return {"per_a"};
  }
  bool is_active_person(std::string_view) const override { return true; }
  bool is_org(std::string_view) const override { return true; }
  std::vector<std::string> orgs_of(std::string_view) const override { return {"org_cn"}; }
  bool within(std::string_view, std::string_view) const override { return true; }
};

class Silent final : public Outbound {
 public:
  void notify(Draft&, const Notice&) override {}
  void send(Draft&, const Sending&) override {}
};

inline std::string plan_text(int version, const std::string& limit = "30m",
                             const std::string& form = "report") {
  return "procedure: plan.small\nversion: " + std::to_string(version) +
         "\ntitle: {zh: 小预案, en: Small plan}\ncalendar: always\nroles:\n  anyone: {any: true}\n"
         "  duty: {post: duty-officer}\nstart: {by: anyone, form: " +
         form + ", to: open}\nstates:\n  open:\n    tasks: {look: {by: duty, limit: " + limit +
         "}}\n    actions: {close: {by: duty, guard: tasks.done, to: done}}\n"
         "  done: {final: true, retain: 1y}\n";
}

inline std::string form_text(int version, const std::string& field = "what") {
  return "form: report\nversion: " + std::to_string(version) +
         "\ntitle: {zh: 报告, en: Report}\ntype: object\nrequired: [" + field +
         "]\nproperties:\n  " + field + ": {title: {zh: 内容, en: What}, type: string}\n";
}

class PublishTest : public ::testing::Test {
 protected:
  PublishTest() {
    char name[] = "/tmp/cw-publish-XXXXXX";
    folder_ = ::mkdtemp(name);
    open();
  }
  ~PublishTest() override {
    shut();
    std::filesystem::remove_all(folder_);
  }

  using Files = std::vector<std::pair<std::string, std::string>>;
  static std::string shipped_text(const std::string& path) {
    std::ifstream in(CW_SOURCE_DIR "/content/" + path);
    std::ostringstream all;
    all << in.rdbuf();
    return all.str();
  }
  void open() {
    std::vector<Mistake> mistakes;
    Files files = content;
    files.emplace_back("calendars/always.yaml", shipped_text("calendars/always.yaml"));
    Library library = Library::from_texts(files, mistakes);
    for (const Mistake& m : mistakes) ADD_FAILURE() << describe(m, "en");
    JournalOptions options{.path = folder_ + "/journal.db", .origin = "callwarden.example/test"};
    options.reserve_bytes = 1 << 20;
    options.full_sync = false;
    options.schemas = {Sealed::schema(), Engine::schema(), Publish::schema()};
    journal = std::make_unique<Journal>(options, clock, random);
    sealed =
        std::make_unique<Sealed>(options.path, SecretBytes::copy(std::string(32, 'k')), random);
    engine = std::make_unique<Engine>(
        EngineParts{library, people, *sealed, silent, clock, random, options.path});
    publish = std::make_unique<Publish>(PublishParts{
        *journal, *engine, *sealed, clock, random, options.path, nullptr,
        [this](const Principal& who, Permission p) -> Result<std::string> {
          if (who.actor == "per_auditor" && p != Permission::definitions_read)
            return problem(Refusal::forbidden, "permission.missing", {"无权", "not allowed"});
          return std::string("role:security");
        },
        [this](Draft&, const RevisionNotice& n) { told.push_back(n); },
        [this](Permission) { return holders; }});
    journal->attach(*engine);
    journal->attach(*publish);
    journal->open();
    ASSERT_TRUE(publish->open().ok());
  }
  void shut() {
    journal.reset();
    publish.reset();
    engine.reset();
    sealed.reset();
  }
  void restart(bool keep_snapshot = true) {
    shut();
    if (!keep_snapshot) std::filesystem::remove_all(folder_ + "/journal.db.snapshots");
    open();
  }

  static Principal as(const std::string& person) {
    Principal p;
    p.actor = p.person = person;
    return p;
  }
  static DefinitionId plan() { return {DefinitionKind::procedure, "plan.small"}; }
  static DefinitionId form() { return {DefinitionKind::form, "report"}; }

  std::string save(std::vector<DefinitionText> documents, const std::string& revision = "") {
    auto saved = publish->save(as("per_author"), {},
                               {.revision = revision,
                                .title = "Shorter",
                                .why = "It was too long.",
                                .documents = std::move(documents),
                                .if_seq = {}});
    EXPECT_TRUE(saved.ok()) << (saved.ok() ? "" : saved.problem().code);
    return saved ? std::string(text_or(saved->body, "revision")) : "";
  }
  // As far as a reviewer's pass.
  std::string reviewed(std::vector<DefinitionText> documents) {
    const std::string id = save(std::move(documents));
    auto sent = publish->submit(as("per_author"), {}, id);
    EXPECT_TRUE(sent.ok()) << (sent.ok() ? "" : sent.problem().code);
    EXPECT_TRUE(publish->pass(as("per_reviewer"), {}, id, "").ok());
    return id;
  }
  void in_force(std::vector<DefinitionText> documents) {
    const std::string id = reviewed(std::move(documents));
    auto answer = publish->approve(as("per_boss"), {},
                                   {.revision = id, .from_ms = 0, .waiver = "nobody is hurt"});
    ASSERT_TRUE(answer.ok()) << answer.problem().code;
    EXPECT_EQ(publish->run_due(), 1u);
    EXPECT_EQ(phase(id), RevisionPhase::effective);
  }
  RevisionPhase phase(const std::string& id) const {
    return journal->read([&] { return publish->find(id)->phase; });
  }
  int version(const DefinitionId& of) const {
    return journal->read([&] {
      const VersionRecord* now = publish->in_force(of);
      return now ? now->version : 0;
    });
  }
  std::string start() {
    auto decide = engine->start({.procedure = "plan.small",
                                 .org = "org_cn",
                                 .actor = "per_a",
                                 .form = {{"what", "something"}}});
    EXPECT_TRUE(decide.ok()) << (decide.ok() ? "" : decide.problem().code);
    return std::string(text_or(journal->run({}, *decide)->body, "case"));
  }
  std::vector<std::string> slices() const {
    return journal->read([&] {
      std::vector<std::string> out;
      for (std::size_t i = 0; auto s = publish->save_slice(i); ++i) out.push_back(*s);
      for (std::size_t i = 0; auto s = engine->save_slice(i); ++i) out.push_back(*s);
      return out;
    });
  }
  static std::string code(const Result<Answer>& answer) {
    return answer ? "" : answer.problem().code;
  }

  Files content{{"forms/report.yaml", form_text(1)}, {"procedures/plan.small.yaml", plan_text(1)}};
  ManualClock clock{1'772'413'200'000};
  SeededRandom random{7};
  Everybody people;
  Silent silent;
  std::vector<RevisionNotice> told;
  std::vector<std::string> holders;  // of any permission: whom a revision waits for
  std::string folder_;
  std::unique_ptr<Journal> journal;
  std::unique_ptr<Sealed> sealed;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<Publish> publish;
};

}  // namespace cw
