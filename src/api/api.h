// HTTP ⇄ modules: every endpoint with its types, its permission and its OpenAPI description.
// Handlers run on the server's worker threads; Api is immutable after construction.
//
//   Api api(services);
//   api.add_to(router);
//   std::string document = api_document();     // api/openapi.json, without any service
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "drill/drill.h"
#include "http/http.h"
#include "identity/identity.h"
#include "journal/journal.h"
#include "journal/views.h"
#include "ledger/ledger.h"
#include "notify/notify.h"
#include "procedure/cases.h"
#include "procedure/engine.h"
#include "publish/publish.h"
#include "roster/duty_directory.h"
#include "roster/roster.h"
#include "sealed/sealed.h"
#include "simulate/setting.h"
#include "watch/watch.h"

namespace cw::api {

class Live;

// What the endpoints stand on. All outlive the Api.
struct Services {
  Journal& journal;
  Views& views;
  Sealed& sealed;
  Identity& identity;
  Roster& roster;
  DutyDirectory& duty;
  Engine& engine;
  watch::Alerts& alerts;
  watch::Watch& watch;
  Ledger& ledger;
  Notify& notify;
  Clock& clock;
  Random& random;
  std::string version;                // of the program
  std::string ledger_folder;          // the published tiles
  OffsetClock* test_clock = nullptr;  // only in a server started for tests: may be pushed ahead
  int sign_ins_per_minute = 30;       // of one address
  int requests_per_second = 200;      // of one address, and three times as many in a burst
  Drills* drills = nullptr;           // never null in a server
  const SimulationFolder* simulation = nullptr;  // who and how fast; null: from limits alone
  Publish* publish = nullptr;                    // never null in a server
  std::filesystem::path content;                 // where a house's organisation finds what it uses
  Live* live = nullptr;                          // set by the Api
};

// One endpoint, for the authorisation matrix and the document.
struct EndpointInfo {
  std::string method, path;
  std::string access;  // "public", "session" (anybody signed in) or a permission ("case.read")
  std::string summary;
  bool writes = false;  // needs X-CSRF from a session, takes Idempotency-Key
  int status = 200;     // of an answer that is no problem
  bool gives_etag = false, takes_if_match = false;
};

class Api {
 public:
  explicit Api(Services services);
  ~Api();
  void add_to(http::Router& router);
  // For ServerOptions::gate: refuses an address that asks too fast, and who brings no credential
  // where one is needed, before any body is read.
  std::function<std::optional<http::Response>(http::Request&)> gate();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

std::vector<EndpointInfo> endpoints();
// OpenAPI 3.1, pretty-printed and stable, as committed in api/openapi.json.
std::string api_document();

}  // namespace cw::api
