// One installation: a data folder with its journal, keys, ledger and read models, and every module
// wired together over it. The server, the demo and the tests all run this.
//
//   Installation in({.data = folder, .content = content}, clock, random);
//   if (auto opened = in.open(); !opened) return opened.problem();
//   in.start();                     // threads: clocks, delivery, checkpoints, sources
//   in.serve({.port = 0}, {});      // HTTP
//
// Thread-safety: open, start, serve and stop from one thread; the modules as each says.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/api.h"
#include "drill/drill.h"
#include "http/http.h"
#include "identity/identity.h"
#include "journal/journal.h"
#include "journal/views.h"
#include "ledger/ledger.h"
#include "notify/notify.h"
#include "procedure/engine.h"
#include "publish/publish.h"
#include "roster/roster.h"
#include "watch/watch.h"

namespace cw {

// An outsider who is asked to cosign each checkpoint.
struct WitnessAddress {
  std::string url;      // /add-checkpoint is below it
  VerifierKey key;      // kind 4
  std::string ca_file;  // trusts only these certificates (PEM); "": the system's
};

struct InstallationOptions {
  std::string data;               // made when absent, mode 0750
  std::filesystem::path content;  // procedures, forms, calendars, rules
  std::string origin;             // the ledger's; "" makes one on the first start
  std::vector<WitnessAddress> witnesses;
  std::string version = "dev";
  std::vector<watch::SourceConfig> sources;  // an empty `org` becomes the root's
  NotifyOptions notify;
  AccessOptions access;
  bool full_sync = true;  // false only to show that the fault harness sees losses
  bool threads = true;    // false: advance() does everything (demo --once, tests)
  std::int64_t reserve_bytes = 32 << 20;
  std::uint64_t snapshot_every = 200'000;
};

class Installation {
 public:
  Installation(InstallationOptions options, Clock& clock, Random& random);
  ~Installation();  // stops

  // Opens everything. Refusals name the file or option at fault; storage failures throw.
  Status open();
  // The administrator made by open() on an empty folder.
  const std::optional<Identity::First>& first() const;

  void start();  // the threads; nothing when options.threads is false
  // What the threads do, once: fires due clocks, drains the sources, delivers, signs.
  void advance();
  void stop();

  // Serves the API and, when there are any, the console's files. Refuses as http::Server does.
  Status serve(http::ServerOptions options, std::vector<http::Asset> console,
               OffsetClock* test_clock = nullptr);
  http::Server* server();

  Journal& journal();
  Views& views();
  Sealed& sealed();
  Identity& identity();
  Roster& roster();
  Engine& engine();
  Drills& drills();
  Publish& publish();
  watch::Alerts& alerts();
  watch::Watch& watch();
  Ledger& ledger();
  Notify& notify();
  std::string ledger_folder() const;
  const std::filesystem::path& content() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Rules below `content/rules`, compiled.
Result<std::shared_ptr<const detect::RuleSet>> load_rules(const std::filesystem::path& content);

}  // namespace cw
