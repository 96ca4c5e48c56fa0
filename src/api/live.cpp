#include "live.h"
#include "base/thread.h"

#include <algorithm>
#include <mutex>
#include <set>

#include "base/log.h"
#include "common.h"

namespace cw::api {
namespace {

constexpr std::size_t kResumeMax = 5000;    // entries; more and the client starts anew
constexpr std::int64_t kRightsMs = 30'000;  // how long a stream's rights are trusted
constexpr std::size_t kBatch = 512;
constexpr std::ptrdiff_t kStreamsOfOne = 16;  // tabs and devices of one person; the oldest goes

// What one entry means to a console, and whose organisation must be readable to hear it.
struct Told {
  std::string event, org, data;
  std::string restricted;  // a case that only its readers hear of
  Permission permission = Permission::case_read;
};

}  // namespace

struct Live::Impl {
  struct Listener {
    Principal who;
    std::shared_ptr<http::EventStream> stream;
    std::set<std::string> cases, alerts;  // organisations
    bool ledger = false, roster = false, definitions = false;
    std::int64_t rights_at = 0;
  };

  explicit Impl(Services& services) : s(services), next(s.journal.size()) {}

  Told tell(const Entry& e) {
    Told told;
    json::object data{{"seq", e.seq}, {"at_ms", e.at_ms}, {"kind", e.kind}, {"name", e.name}};
    if (!e.case_id.empty()) {
      told.event = "case";
      told.org = s.engine.org_of(e.case_id);
      if (s.engine.restricted(e.case_id)) told.restricted = e.case_id;
      data["id"] = e.case_id;
    } else if (e.kind.starts_with("alert.")) {
      told.event = "alert";
      told.permission = Permission::alert_read;
      std::string id(e.name.starts_with("alt_") ? e.name : text_or(e.body, "alert"));
      if (const auto* alert = s.alerts.find(id)) told.org = alert->org;
      data["id"] = id;
    } else if (e.kind.starts_with("drill.")) {
      told.event = "drill";
      const std::string id(text_or(e.body, "drill"));
      const Drill* drill = s.drills ? s.drills->find(id) : nullptr;
      if (drill) told.org = drill->org;
      data["id"] = id;
    } else if (e.kind.starts_with("identity.")) {
      return told;  // lists of people are fetched when they are opened
    } else if (e.kind.starts_with("roster.")) {
      // That duty changed, not whose: the roster is read anew with the reader's own rights.
      told.event = "roster";
      told.permission = Permission::roster_read;
      data.erase("name");
    } else if (e.kind.starts_with("definition.")) {  // a revision, a migration, or content/
      told.event = "revision";
      told.permission = Permission::definitions_read;
      const bool revised = e.body.contains("revision");
      data["id"] = std::string(text_or(e.body, revised ? "revision" : "migration"));
    } else {
      told.event = "entry";
      told.permission = Permission::ledger_read;
    }
    told.data = canonical(data);
    return told;
  }

  // Under the state lock. False: the session is over.
  bool refresh(Listener& l) {
    std::int64_t now = s.clock.now_ms();
    if (l.who.expires_at > 0 && now >= l.who.expires_at) return false;
    if (now - l.rights_at < kRightsMs) return true;
    auto person = s.identity.person(l.who.person);
    if (!l.who.is_token() && (!person || !person->active)) return false;
    auto where = [&](Permission p) {
      auto orgs = s.identity.orgs_where(l.who, p);
      return std::set<std::string>(orgs.begin(), orgs.end());
    };
    l.cases = where(Permission::case_read);
    l.alerts = where(Permission::alert_read);
    l.ledger = !s.identity.orgs_where(l.who, Permission::ledger_read).empty();
    l.roster = !s.identity.orgs_where(l.who, Permission::roster_read).empty();
    l.definitions = !s.identity.orgs_where(l.who, Permission::definitions_read).empty();
    l.rights_at = now;
    return true;
  }

  bool hears(const Listener& l, const Told& told) const {
    if (told.event.empty()) return false;
    if (told.permission == Permission::case_read)
      return l.cases.contains(told.org) && (told.restricted.empty() || s.journal.read([&] {
               return s.engine.may_read(told.restricted, l.who.actor);
             }));
    if (told.permission == Permission::alert_read) return l.alerts.contains(told.org);
    if (told.permission == Permission::definitions_read) return l.definitions || l.ledger;
    return told.permission == Permission::roster_read ? l.roster : l.ledger;
  }

  // Sends entries [from, …) to one or all; returns the entry after the last.
  std::uint64_t deliver(std::uint64_t from, std::vector<std::shared_ptr<Listener>>& to) {
    for (const auto& bytes : s.journal.entries(from, kBatch)) {
      auto entry = Entry::parse(bytes);
      CW_CHECK(entry.ok());
      ++from;
      Told told = s.journal.read([&] { return tell(*entry); });
      http::Event event{std::to_string(entry->seq), told.event, told.data};
      std::erase_if(to, [&](const auto& l) { return hears(*l, told) && !l->stream->send(event); });
    }
    return from;
  }

  void follow() {
    while (!stopping) {
      s.journal.wait_for(next + 1, std::chrono::milliseconds(250));
      std::lock_guard lock(mutex);
      s.journal.read([&] {
        std::erase_if(listeners, [&](const auto& l) {
          if (l->stream->open() && refresh(*l)) return false;
          l->stream->close();
          return true;
        });
      });
      // Nothing is shown before the lists can show it too.
      std::uint64_t end = std::min<std::uint64_t>(s.journal.size(), s.views.position());
      if (listeners.empty())
        next = end;
      else if (next < end)
        next = deliver(next, listeners);
    }
  }

  Services& s;
  std::mutex mutex;
  std::vector<std::shared_ptr<Listener>> listeners;
  std::uint64_t next;
  std::atomic<bool> stopping{false};
  std::thread thread;
};

Live::Live(Services& services) : impl_(std::make_unique<Impl>(services)) {
  impl_->thread = start_thread("live", [this] { impl_->follow(); });
}

Live::~Live() {
  impl_->stopping = true;
  impl_->thread.join();
}

void Live::join(const Principal& who, std::shared_ptr<http::EventStream> stream,
                std::string_view last_id) {
  auto listener = std::make_shared<Impl::Listener>();
  listener->who = who;
  listener->stream = std::move(stream);
  std::lock_guard lock(impl_->mutex);
  bool live = impl_->s.journal.read([&] { return impl_->refresh(*listener); });
  if (!live) return;
  auto last = to_int<std::uint64_t>(last_id);
  std::uint64_t from = last ? *last + 1 : impl_->next;
  listener->stream->send(
      {"", "hello",
       canonical(json::object{{"now_ms", impl_->s.clock.now_ms()}, {"next", impl_->next}})});
  if (from > impl_->next || impl_->next - from > kResumeMax) {
    listener->stream->send({std::to_string(impl_->next == 0 ? 0 : impl_->next - 1), "reset", "{}"});
  } else {
    std::vector<std::shared_ptr<Impl::Listener>> one{listener};
    while (from < impl_->next && !one.empty()) from = impl_->deliver(from, one);
  }
  auto mine = [&](const auto& l) { return l->who.actor == who.actor; };
  auto& all = impl_->listeners;
  if (std::count_if(all.begin(), all.end(), mine) >= kStreamsOfOne) {
    auto oldest = std::find_if(all.begin(), all.end(), mine);
    (*oldest)->stream->close();
    all.erase(oldest);
  }
  all.push_back(std::move(listener));
}

void add_live(Table& t) {
  t.tag("live");
  t.raw("GET", "/events",
        {"session",
         "Server-sent events: case, alert, drill, roster, revision, entry; resume by Last-Event-ID",
         {},
         1024,
         "text/event-stream"},
        [](Call& c) -> Result<http::Response> {
          http::Response response;
          response.events = [live = c.s.live, who = c.who,
                             last = std::string(c.http.last_event_id())](
                                std::shared_ptr<http::EventStream> stream) {
            live->join(who, std::move(stream), last);
          };
          return response;
        });
}

}  // namespace cw::api
