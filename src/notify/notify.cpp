// From a cause to its rows, in the cause's own commit; and the workers' life.
#include "notify.h"

#include <algorithm>

#include "base/id.h"
#include "base/log.h"
#include "base/text.h"
#include "impl.h"

namespace cw {
namespace {

constexpr auto kLookAgain = std::chrono::milliseconds(500);

struct OutboxRow {
  std::string id, channel, recipient;
};

const char* about_name(Notice::About about) {
  switch (about) {
    case Notice::About::mark:
      return "mark";
    case Notice::About::task_late:
      return "task_late";
    case Notice::About::flag:
      return "flag";
    case Notice::About::command:
      return "command";
    case Notice::About::approval:
      return "approval";
    case Notice::About::assigned:
      return "assigned";
    case Notice::About::effect:
      return "effect";
    case Notice::About::work:
      return "work";
  }
  return "effect";
}

// What may wake somebody: lateness, command, approvals; and a limit that is nearly used up.
bool is_urgent(const Notice& n) {
  switch (n.about) {
    case Notice::About::task_late:
    case Notice::About::command:
    case Notice::About::approval:
      return true;
    case Notice::About::mark:
      return n.percent >= 80;
    default:
      return false;
  }
}

}  // namespace

const char* Notify::schema() {
  return "CREATE TABLE IF NOT EXISTS notify_message(id TEXT PRIMARY KEY, dedup TEXT NOT NULL "
         "UNIQUE, at INTEGER NOT NULL, "
         "facts TEXT NOT NULL) STRICT, WITHOUT ROWID;"
         "CREATE TABLE IF NOT EXISTS notify_inbox(person TEXT NOT NULL, message TEXT NOT NULL, at "
         "INTEGER NOT NULL, "
         "read_at INTEGER, ack_at INTEGER, PRIMARY KEY(person, message)) STRICT, WITHOUT ROWID;"
         "CREATE INDEX IF NOT EXISTS notify_inbox_unread ON notify_inbox(person) WHERE read_at IS "
         "NULL;"
         "CREATE INDEX IF NOT EXISTS notify_inbox_at ON notify_inbox(at);"
         "CREATE TABLE IF NOT EXISTS notify_outbox(id TEXT PRIMARY KEY, message TEXT NOT NULL, "
         "channel TEXT NOT NULL, "
         "recipient TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL, generation "
         "INTEGER NOT NULL, "
         "at INTEGER NOT NULL, next_at INTEGER NOT NULL, done_at INTEGER, error TEXT, "
         "UNIQUE(message, channel, recipient)) STRICT, WITHOUT ROWID;"
         "CREATE INDEX IF NOT EXISTS notify_outbox_due ON notify_outbox(channel, next_at) WHERE "
         "state='pending';"
         "CREATE INDEX IF NOT EXISTS notify_outbox_state ON notify_outbox(state, id)";
}

Notify::Notify(NotifyParts parts, NotifyOptions options)
    : impl_(std::make_unique<Impl>(parts, std::move(options))) {
  parts.journal.on_commit([this](std::uint64_t) { impl_->committed(); });
}

Notify::~Notify() { stop(); }

void Notify::on_notice(std::function<void(const std::vector<std::string>&)> listener) {
  impl_->listener = std::move(listener);
}

void Notify::start() {
  for (std::size_t i = 0; i < impl_->workers.size(); ++i) {
    CW_CHECK(!impl_->workers[i].joinable());
    impl_->workers[i] = start_thread("notify", [this, i] { impl_->work(i); });
  }
}

void Notify::stop() {
  {
    std::lock_guard lock(impl_->work_mutex);
    impl_->stopping = true;
  }
  impl_->work_there.notify_all();
  for (auto& w : impl_->workers) {
    if (w.joinable()) w.join();
  }
}

void Notify::Impl::committed() {
  if (queued) {
    {
      std::lock_guard lock(work_mutex);
      ++work_round;
    }
    work_there.notify_all();
    queued = false;
  }
  if (touched.empty()) return;
  std::vector<std::string> people(touched.begin(), touched.end());
  touched.clear();
  if (listener) listener(people);
}

void Notify::Impl::work(std::size_t worker) {
  std::uint64_t seen = 0;
  while (true) {
    {
      std::unique_lock lock(work_mutex);
      work_there.wait_for(lock, kLookAgain, [&] { return stopping || work_round != seen; });
      if (stopping) return;
      seen = work_round;
    }
    try {
      while (deliver(kWorkerChannels[worker]) > 0) {
      }
      if (worker == 0) forget_old();
    } catch (const std::exception& e) {
      log_warn("notify", "delivering paused: {}", e.what());  // nothing is lost: the rows stay
    }
  }
}

bool Notify::Impl::reaches(const WebhookRecord& w, const Message& m) const {
  if (!w.active || !parts.identity.within(m.org, w.org)) return false;
  return w.events.empty() || std::find(w.events.begin(), w.events.end(), m.about) != w.events.end();
}

void Notify::tell(Draft& d, const Message& message) {
  CW_CHECK(is_known_about(message.about));
  Impl& s = *impl_;
  Message m = message;
  if (m.org.empty()) m.org = s.parts.identity.root();
  if (m.path.empty() && !m.case_id.empty()) m.path = "/cases/" + m.case_id;
  auto add = [&](std::vector<OutboxRow>& rows, const char* channel, const std::string& recipient) {
    rows.push_back({new_id("out", d.now_ms(), d.random()), channel, recipient});
  };
  const bool sink = m.drill && m.about == "sending";  // seen in the console, sent nowhere
  std::vector<OutboxRow> rows;
  for (const auto& person : m.people) {
    if (sink) break;
    auto p = s.parts.identity.person(person);
    EmailWish wish = email_wish(person);
    bool wanted = wish == EmailWish::all || (wish == EmailWish::urgent && m.urgent);
    if (p && !p->email.empty() && wanted && s.options.smtp) add(rows, "email", person);
  }
  if (m.people.empty() && m.about != "test" && !sink) add(rows, "nobody", "");
  // What a drill sends stays in the house, and what a restricted case says with its readers.
  for (const auto& [id, w] : s.webhooks) {
    if (!m.drill && !m.restricted && s.reaches(w, m)) add(rows, "webhook", id);
  }
  std::string id = new_id("msg", d.now_ms(), d.random());
  std::string whom;
  for (const auto& person : m.people) whom += person + " ";
  std::string dedup = m.about + ":" + std::to_string(m.seq) + ":" + m.name + ":" +
                      to_hex(bytes_of(sha256(whom))).substr(0, 16);
  d.row([&s, id, dedup, at = d.now_ms(), people = m.people, facts = json::serialize(facts_of(m)),
         rows](Database& db) {
    db.run("INSERT INTO notify_message VALUES($1,$2,$3,$4) ON CONFLICT DO NOTHING", id, dedup, at,
           facts);
    if (db.changes() == 0) return;  // told before
    for (const auto& person : people) {
      db.run("INSERT INTO notify_inbox VALUES($1,$2,$3,NULL,NULL) ON CONFLICT DO NOTHING", person,
             id, at);
    }
    for (const auto& r : rows) {
      db.run("INSERT INTO notify_outbox VALUES($1,$2,$3,$4,'pending',0,0,$5,$5,NULL,NULL)", r.id,
             id, r.channel, r.recipient, at);
    }
    s.touched.insert(people.begin(), people.end());
    s.queued = s.queued || !rows.empty();
  });
}

void Notify::notify(Draft& d, const Notice& n) {
  tell(d, {.about = about_name(n.about),
           .seq = n.seq,
           .name = n.name,
           .case_id = n.case_id,
           .number = n.number,
           .procedure = n.procedure,
           .org = n.org,
           .title = n.title,
           .text = n.text,
           .percent = n.percent,
           .due_ms = n.due_ms,
           .drill = n.mode == CaseMode::drill,
           .urgent = is_urgent(n),
           .restricted = n.restricted,
           .people = n.people});
}

void Notify::send(Draft& d, const Sending& o) {
  tell(d, {.about = "sending",
           .seq = o.seq,
           .name = o.name,
           .case_id = o.case_id,
           .number = o.number,
           .procedure = o.procedure,
           .org = o.org,
           .text = o.text,
           .drill = o.mode == CaseMode::drill,
           .urgent = true,
           .restricted = o.restricted,
           .people = o.people});
}

void Notify::Impl::read(const std::function<void(Database&)>& f) {
  std::lock_guard lock(reader_mutex);
  if (!reader)
    reader = std::make_unique<Database>(parts.journal.path(), DatabaseOptions{.read_only = true});
  f(*reader);
}

}  // namespace cw
