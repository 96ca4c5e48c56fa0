#include "installation.h"
#include "base/thread.h"

#include <fmt/format.h>

#include "api/evidence.h"
#include "base/log.h"
#include "base/text.h"
#include "base/thread.h"
#include "detect/cli.h"
#include "procedure/cases.h"
#include "roster/duty_directory.h"
#include "storage/file.h"

namespace cw {
namespace {

constexpr std::int64_t kCallWithinMs = 3'600'000;  // an older alert calls nobody after a restart

class JournalEntries final : public EntrySource {
 public:
  explicit JournalEntries(Journal& journal) : journal_(journal) {}
  std::uint64_t size() override { return journal_.size(); }
  std::vector<std::string> read(std::uint64_t from, std::size_t count) override {
    return journal_.entries(from, std::min<std::size_t>(count, 4096));
  }

 private:
  Journal& journal_;
};

Problem mistakes_problem(const std::vector<Mistake>& mistakes) {
  Problem p =
      problem(Refusal::invalid, "content.mistakes",
              {"content/ 中有错误，未启动", "There are mistakes in content/; nothing was started"});
  for (const auto& m : mistakes)
    p.fields.push_back({fmt::format("{}:{}:{}", m.file, m.line, m.column), m.text});
  return p;
}

}  // namespace

Result<std::shared_ptr<const detect::RuleSet>> load_rules(const std::filesystem::path& content) {
  auto files = detect::read_rule_files({(content / "rules").string()});
  if (!files) return std::move(files).problem();
  return detect::RuleSet::load(*files, {});
}

struct Installation::Impl {
  Impl(InstallationOptions o, Clock& c, Random& r) : options(std::move(o)), clock(c), random(r) {}

  std::string path(std::string_view name) const { return options.data + "/" + std::string(name); }

  Status open() {
    make_folders(options.data);
    auto root = root_key_file(path("root.key"), random);
    if (!root) return std::move(root).problem();
    SecretBytes alert_key = hkdf_sha256(root->view(), "callwarden", "alert-entities", 32);
    if (auto status = read_origin(); !status) return status;
    std::vector<Mistake> mistakes;
    Library library = Library::load(options.content, mistakes);
    if (!mistakes.empty()) return mistakes_problem(mistakes);
    auto rules = load_rules(options.content);
    if (!rules) return std::move(rules).problem();

    std::string journal_path = path("journal.db");
    journal.emplace(
        JournalOptions{.path = journal_path,
                       .origin = options.origin,
                       .reserve_bytes = options.reserve_bytes,
                       .snapshot_every = options.snapshot_every,
                       .full_sync = options.full_sync,
                       .schemas = {Sealed::schema(), Identity::schema(), Engine::schema(),
                                   Publish::schema(), Notify::schema()}},
        clock, random);
    sealed.emplace(journal_path, std::move(*root), random);
    identity.emplace(*journal, *sealed, clock, random, options.access);
    notify.emplace(NotifyParts{*journal, *identity, *sealed, clock, random}, options.notify);
    roster.emplace(RosterParts{*journal, *identity, *sealed, clock, random}, library.calendars(),
                   roster_templates(options.content, mistakes));
    if (!mistakes.empty()) return mistakes_problem(mistakes);
    duty.emplace(*identity, *roster, clock);
    drills.emplace(DrillParts{*duty, *sealed, *notify, clock, random},
                   DrillFolder::load(options.content, library, mistakes));
    simulation = SimulationFolder::load(options.content, mistakes);
    if (!mistakes.empty()) return mistakes_problem(mistakes);
    engine.emplace(
        EngineParts{std::move(library), *duty, *sealed, *drills, clock, random, journal_path});
    drills->use(*engine);
    open_publish(journal_path);
    alerts.emplace(std::move(alert_key), *sealed);
    for (State* state : std::initializer_list<State*>{&*identity, &*roster, &*notify, &*engine,
                                                      &*drills, &*publish, &*alerts})
      journal->attach(*state);
    journal->open();
    identity->open();
    first = identity->first_start();
    if (auto status = publish->open(); !status) return status;
    if (auto recounted = engine->recount(*journal); !recounted) return recounted.problem();
    open_views();
    if (auto status = open_ledger(); !status) return status;
    return open_watch(std::move(*rules));
  }

  // The origin names the ledger for ever: it is chosen once and kept beside the journal.
  Status read_origin() {
    auto kept = read_file(path("origin"));
    if (kept) {
      std::string was(trim(*kept));
      if (!options.origin.empty() && options.origin != was)
        return invalid("config.origin", "/origin",
                       {"审计链的名称一经启用不能更改：" + was,
                        "The ledger's origin cannot change once in use: " + was});
      options.origin = was;
      return done();
    }
    if (options.origin.empty()) options.origin = "callwarden.local/" + to_hex(random.bytes(6));
    write_file_atomic(path("origin"), options.origin + "\n");
    return done();
  }

  void open_publish(const std::string& journal_path) {
    publish.emplace(PublishParts{
        *journal, *engine, *sealed, clock, random, journal_path, &simulation,
        [this](const Principal& who, Permission p) { return identity->may(who, p, ""); },
        [this](Draft& draft, const RevisionNotice& n) {
          notify->tell(draft, {.about = "revision",
                               .seq = n.seq,
                               .name = n.revision,
                               .org = identity->root(),
                               .path = "/revisions/" + n.revision,
                               .title = n.title,
                               .text = n.text,
                               .people = n.people});
        },
        [this](Permission p) { return holders(p); },
        [this](const Library& now, const Library& next) {
          return broken_drills(drills->folder(), now, next);
        }});
  }

  // Everybody who may for all organisations. Writer thread.
  std::vector<std::string> holders(Permission permission) const {
    std::vector<std::string> out;
    PeopleQuery query{.active = true, .limit = 500};
    do {
      const auto page = identity->people(query);
      for (const Person& one : page.items) {
        Principal who;
        who.actor = who.person = one.id;
        who.org = one.org;
        if (identity->may(who, permission, "").ok()) out.push_back(one.id);
      }
      query.cursor = page.next;
    } while (!query.cursor.empty());
    return out;
  }

  void open_views() {
    views.emplace(path("views.db"), *journal);
    case_list.emplace(*engine);
    views->attach(*case_list);
    views->attach(alert_list);
    views->attach(evidence_list);
    views->start();
  }

  Status open_ledger() {
    entries.emplace(*journal);
    LedgerOptions made{
        .folder = path("ledger"), .origin = options.origin, .key_file = path("ledger.key")};
    for (const WitnessAddress& w : options.witnesses)
      made.witnesses.push_back({w.key, witness_at(w.url, w.ca_file)});
    auto opened = Ledger::open(std::move(made), *entries, random);
    if (!opened) return std::move(opened).problem();
    ledger = std::move(*opened);
    return done();
  }

  Status open_watch(std::shared_ptr<const detect::RuleSet> rules) {
    std::string root = journal->read([&] { return identity->root(); });
    for (auto& source : options.sources)
      if (source.org.empty()) source.org = root;
    watch.emplace(
        watch::WatchOptions{
            .folder = path("watch"), .sources = options.sources, .threads = options.threads},
        clock, random, *journal, *alerts, std::move(rules));
    return watch->start();
  }

  // ---- calling people to alerts ----

  // After a restart: from the first entry of the last hour.
  std::uint64_t first_to_call() {
    std::uint64_t from = journal->size();
    std::int64_t since = clock.now_ms() - kCallWithinMs;
    while (from > 0) {
      std::uint64_t step = std::min<std::uint64_t>(from, 256);
      auto batch = journal->entries(from - step, step);
      auto entry = Entry::parse(batch.front());
      from -= step;
      if (!entry || entry->at_ms < since) break;
    }
    return from;
  }

  // Tells whoever acts as duty officer of an alert that fired, and calls whoever is on duty when a
  // case with levels of command is opened. Once, however often it is said.
  void call_people() {
    for (auto batch = journal->entries(called, 512); !batch.empty();
         batch = journal->entries(called, 512)) {
      for (const auto& bytes : batch) {
        ++called;
        auto entry = Entry::parse(bytes);
        if (!entry || entry->at_ms < clock.now_ms() - kCallWithinMs) continue;
        if (entry->kind == "alert.fired" || entry->kind == "alert.refired")
          call_for_alert(*entry);
        else if (entry->kind == "case.start")
          call_for_case(*entry);
      }
    }
  }

  // What is commanded over levels and runs round the clock rings whoever is on duty; a ticket whose
  // limits count office hours waits on the workbench instead.
  void call_for_case(const Entry& entry) {
    auto definition = engine->definition(entry.procedure);
    if (!definition || definition->levels.empty() || definition->calendar != "always" ||
        !definition->readers.none())
      return;
    auto answer = journal->run({.vital = true}, [&](Draft& draft) -> Result<json::object> {
      const auto view = engine->view(entry.case_id, "");
      if (!view || view->mode != CaseMode::live || !handled_by(*view).empty())
        return json::object{};
      if (roster->called(view->id)) return json::object{};  // before a restart
      const Text& title = view->title;
      roster->open_call(draft, view->id, view->org,
                        {view->number + " " + title.zh, view->number + " " + title.en},
                        duty_teller());
      return json::object{};
    });
    if (!answer) log_warn("server", "nobody could be called to a case: {}", answer.problem().code);
  }

  // Who has begun with a case: "" while nobody has, "system" when that is no person.
  static std::string handled_by(const CaseView& view) {
    for (const TaskView& t : view.tasks)
      if (!t.doer.empty()) return t.doer;
    if (!view.commander.empty()) return view.commander;
    return view.closed || view.entered_ms != view.opened_ms ? "system" : "";
  }

  Roster::Tell duty_teller() {
    return [this](Draft& draft, std::uint64_t seq, const DutyNotice& n) {
      notify->tell(draft, {.about = n.about,
                           .seq = seq,
                           .name = n.name,
                           .org = n.org,
                           .path = n.path,
                           .title = n.title,
                           .text = n.text,
                           .due_ms = n.due_ms,
                           .urgent = n.urgent,
                           .people = n.people});
    };
  }

  void call_for_alert(const Entry& entry) {
    auto answer = journal->run({.vital = true}, [&](Draft& draft) -> Result<json::object> {
      const watch::Alert* alert = alerts->find(text_or(entry.body, "alert"));
      if (!alert || alert->closed() || !alert->silence.empty()) return json::object{};
      const auto* rule = watch->rules()->find(alert->rule);
      Text title = rule ? rule->title : Text{alert->rule, alert->rule};
      Message message{.about = alert->rule == "watch.source-silent" ? "source_silent" : "alert",
                      .seq = entry.seq,
                      .name = alert->id,
                      .org = alert->org,
                      .path = "/alerts/" + alert->id,
                      .title = title,
                      .text = title,
                      .urgent = alert->level >= watch::Level::high,
                      .people = duty->post_people("duty-officer", alert->org)};
      // What is urgent goes up the layers of the roster until somebody takes it.
      if (message.urgent)
        roster->open_call(draft, alert->id, alert->org, title,
                          [&](Draft&, std::uint64_t, const DutyNotice& n) {
                            for (const auto& id : n.people)
                              if (std::find(message.people.begin(), message.people.end(), id) ==
                                  message.people.end())
                                message.people.push_back(id);
                          });
      if (!message.people.empty()) notify->tell(draft, message);
      return json::object{};
    });
    if (!answer) log_warn("server", "nobody could be told of an alert: {}", answer.problem().code);
  }

  // Calls that go up, and what the roster says ahead of time.
  void tick_roster() {
    roster->tick(duty_teller(),
                 [this](const std::string& about) -> std::string {  // who has it in hand
                   if (about.starts_with("cas_")) {
                     const auto view = engine->view(about, "");
                     return view ? handled_by(*view) : "system";
                   }
                   const watch::Alert* alert = alerts->find(about);
                   if (!alert) return "system";
                   return !alert->owner.empty() ? alert->owner : alert->closed() ? "system" : "";
                 });
  }

  void clock_loop() {
    while (!stopping) {
      try {
        engine->run_due(*journal);
        drills->run_due(*journal);
        publish->run_due();
        call_people();
        tick_roster();
      } catch (const std::exception& e) {
        log_error("server", "the clocks' round failed: {}", e.what());
      }
      // A clock is at most this late; the next due time may also come nearer by a command.
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }

  InstallationOptions options;
  Clock& clock;
  Random& random;
  std::optional<Identity::First> first;
  std::optional<Journal> journal;
  std::optional<Sealed> sealed;
  std::optional<Identity> identity;
  std::optional<Roster> roster;
  std::optional<DutyDirectory> duty;
  std::optional<Notify> notify;
  std::optional<Drills> drills;
  SimulationFolder simulation;
  std::optional<Engine> engine;
  std::optional<Publish> publish;
  std::optional<watch::Alerts> alerts;
  std::optional<CaseList> case_list;
  watch::AlertList alert_list;
  api::EvidenceList evidence_list;
  std::optional<Views> views;
  std::optional<JournalEntries> entries;
  std::unique_ptr<Ledger> ledger;
  std::optional<watch::Watch> watch;
  std::unique_ptr<api::Api> api;
  std::unique_ptr<http::Server> server;
  std::uint64_t called = 0;
  std::atomic<bool> stopping{false};
  std::thread clocks;
};

Installation::Installation(InstallationOptions options, Clock& clock, Random& random)
    : impl_(std::make_unique<Impl>(std::move(options), clock, random)) {}

Installation::~Installation() { stop(); }

Status Installation::open() {
  auto status = impl_->open();
  if (status) impl_->called = impl_->first_to_call();
  return status;
}

const std::optional<Identity::First>& Installation::first() const { return impl_->first; }

void Installation::start() {
  if (!impl_->options.threads) return;
  impl_->notify->start();
  impl_->ledger->start();
  impl_->clocks = start_thread("clocks", [this] { impl_->clock_loop(); });
}

void Installation::advance() {
  impl_->watch->drain();
  impl_->watch->tick();
  impl_->engine->run_due(*impl_->journal);
  impl_->drills->run_due(*impl_->journal);
  impl_->publish->run_due();
  impl_->call_people();
  impl_->tick_roster();
  impl_->notify->deliver_due();
  auto status = impl_->ledger->advance();
  if (!status) log_warn("server", "no checkpoint: {}", status.problem().code);
}

// In the order of what may still cause what: requests, sources, clocks, delivery, then the record.
void Installation::stop() {
  if (impl_->stopping.exchange(true)) return;
  if (impl_->server) impl_->server->stop();
  impl_->api.reset();
  if (impl_->clocks.joinable()) impl_->clocks.join();
  if (impl_->watch) impl_->watch->stop();
  if (impl_->notify) impl_->notify->stop();
  if (impl_->ledger) impl_->ledger->stop();
  if (impl_->views) impl_->views->stop();
  if (impl_->journal) impl_->journal->close();
}

Status Installation::serve(http::ServerOptions options, std::vector<http::Asset> console,
                           OffsetClock* test_clock) {
  Impl& m = *impl_;
  m.api = std::make_unique<api::Api>(api::Services{*m.journal,
                                                   *m.views,
                                                   *m.sealed,
                                                   *m.identity,
                                                   *m.roster,
                                                   *m.duty,
                                                   *m.engine,
                                                   *m.alerts,
                                                   *m.watch,
                                                   *m.ledger,
                                                   *m.notify,
                                                   m.clock,
                                                   m.random,
                                                   m.options.version,
                                                   ledger_folder(),
                                                   test_clock,
                                                   test_clock ? 10'000 : 30,
                                                   test_clock ? 10'000 : 200,
                                                   &*m.drills,
                                                   &m.simulation,
                                                   &*m.publish,
                                                   m.options.content});
  http::Router router;
  m.api->add_to(router);
  if (!console.empty()) router.fallback(http::static_files(std::move(console)));
  options.gate = m.api->gate();
  m.server =
      std::make_unique<http::Server>(std::move(options), std::move(router), m.clock, m.random);
  return m.server->start();
}

http::Server* Installation::server() { return impl_->server.get(); }
Journal& Installation::journal() { return *impl_->journal; }
Views& Installation::views() { return *impl_->views; }
Sealed& Installation::sealed() { return *impl_->sealed; }
Identity& Installation::identity() { return *impl_->identity; }
Roster& Installation::roster() { return *impl_->roster; }
Engine& Installation::engine() { return *impl_->engine; }
Drills& Installation::drills() { return *impl_->drills; }
Publish& Installation::publish() { return *impl_->publish; }
watch::Alerts& Installation::alerts() { return *impl_->alerts; }
watch::Watch& Installation::watch() { return *impl_->watch; }
Ledger& Installation::ledger() { return *impl_->ledger; }
Notify& Installation::notify() { return *impl_->notify; }
const std::filesystem::path& Installation::content() const { return impl_->options.content; }
std::string Installation::ledger_folder() const { return impl_->path("ledger"); }

}  // namespace cw
