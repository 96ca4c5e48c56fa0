// Telling people and machines: an inbox in the console, e-mail through an SMTP server, signed
// webhooks. What causes a message writes its rows in the same commit (an outbox); worker threads
// deliver them with retries, record one receipt per message as an entry, and keep what could not be
// delivered as dead letters that people see. Texts are made from facts (case number, titles, due
// time), never from sealed contents.
//
//   Notify notify({journal, identity, sealed, clock, random}, options);
//   journal.attach(notify); journal.open(); notify.start();
//   notify.tell(draft, {.about = "alert", .seq = seq, .org = org, .text = title, .people = duty});
//   auto page = notify.inbox(person, {.unread = true});
//
// Thread-safety: everything but tell, notify, send and apply is safe from any thread and must not
// be called under the state lock; those four run on the writer thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "identity/identity.h"
#include "journal/journal.h"
#include "procedure/engine.h"
#include "sealed/sealed.h"

namespace cw {

struct SmtpOptions {
  std::string host;
  std::uint16_t port = 25;
  enum class Tls : std::uint8_t { none, starttls, tls } tls = Tls::starttls;  // starttls: required
  std::string user, password;  // both empty: no authentication
  std::string from;            // the envelope's and the header's sender
  std::string ca_file;         // PEM; empty: the system's
};

struct NotifyOptions {
  std::optional<SmtpOptions> smtp;         // nothing: no e-mail
  std::string base_url;                    // of the console, for links: "https://desk.example"
  int utc_offset_minutes = 480;            // in which times are written
  unsigned attempts_max = 10;              // then the message is a dead letter
  std::int64_t backoff_first_ms = 10'000;  // doubles each time, ± 20 %
  std::int64_t backoff_max_ms = 3'600'000;
  int timeout_ms = 15'000;                   // for one attempt
  std::int64_t keep_ms = 90ll * 86'400'000;  // delivered and read messages
  // Webhooks to 127.0.0.0/8 and ::1 are refused unless set; link-local, multicast and unspecified
  // addresses always are.
  bool webhooks_to_loopback = false;
};

// Something to tell. `about` picks the sentence (see words.cpp) and is the webhook's event type.
// (about, seq, name, people) is the deduplication key: the same is told once, however often said.
struct Message {
  std::string about;      // mark, task_late, flag, command, approval, assigned, effect,
                          // sending, alert, source_silent, duty_call, duty_gap,
                          // duty_not_ready, handover_due, revision, test
  std::uint64_t seq = 0;  // the entry that caused it
  std::string name;       // of the clock, task, flag, … it is about
  std::string case_id, number, procedure, org;
  std::string path;  // in the console; "" with a case: its record
  Text title, text;  // of the procedure; of the thing named
  int percent = 0;
  std::int64_t due_ms = 0;
  bool drill = false, urgent = false;
  bool restricted = false;  // about a restricted case: to its readers, never to a webhook
  std::vector<std::string> people;
};

struct InboxItem {
  std::string id, about, case_id, number, path;
  std::int64_t at_ms = 0;
  Text title, body;
  bool read = false, urgent = false, drill = false, acknowledged = false;
  std::uint64_t seq = 0;
};

struct InboxQuery {
  bool unread = false;
  std::string cursor;
  std::size_t limit = 50;
};  // at most 200

// One message on one channel to one recipient.
struct OutboxItem {
  std::string id, message, channel, recipient;  // email → person; webhook → webhook; nobody → ""
  std::string state;                            // pending, sent, dead, dismissed
  std::string org, case_id, number;
  Text title, error;       // error: of the last attempt, in words
  std::string error_code;  // "smtp.550", "http.503", "connect", "nobody", …
  unsigned attempts = 0;
  std::int64_t at_ms = 0, next_ms = 0, done_ms = 0;
};

struct OutboxQuery {
  std::string state = "dead", cursor;
  std::size_t limit = 50;
};  // at most 200

enum class EmailWish : std::uint8_t { none, urgent, all };  // the quiet default is urgent

struct Webhook {
  std::string id, org;              // tells about `org` and everything below it
  std::string url;                  // sealed; shown to whoever manages the system
  std::vector<std::string> events;  // Message::about; empty: all
  bool active = true;
};

struct NotifyParts {
  Journal& journal;
  Identity& identity;
  Sealed& sealed;
  Clock& clock;
  Random& random;
};

class Notify final : public State, public Outbound {
 public:
  static const char* schema();  // for JournalOptions::schemas

  Notify(NotifyParts parts, NotifyOptions options);
  ~Notify() override;
  void start();  // after journal.open(): the worker threads
  void stop();

  // Called after each commit that put something into inboxes, on the committer thread, with whose.
  // Set before journal.open(); must be quick.
  void on_notice(std::function<void(const std::vector<std::string>& people)> listener);

  // ---- in a decide function ----
  void tell(Draft& draft, const Message& message);
  void notify(Draft& draft, const Notice& notice) override;
  void send(Draft& draft, const Sending& sending) override;

  // ---- inbox ----
  Page<InboxItem> inbox(std::string_view person,
                        const InboxQuery& query);  // newest first; total: unread
  std::size_t unread(std::string_view person);
  Status mark_read(std::string_view person,
                   const std::vector<std::string>& ids);  // at most 500; none: all
  // "I have seen it": an entry, once per message and person.
  Result<Answer> acknowledge(const Principal& who, Command command, std::string_view message);

  // ---- what left, and what did not ----
  // Messages of organisations in which `who` has outbox.manage, newest first.
  Page<OutboxItem> outbox(const Principal& who, const OutboxQuery& query);
  Result<Answer> retry(const Principal& who, Command command, std::string_view outbox_id);
  Result<Answer> dismiss(const Principal& who, Command command, std::string_view outbox_id);
  // Attempts everything that is due now; how many. The workers do this; tests and `demo` call it.
  std::size_t deliver_due();
  struct Stats {
    std::uint64_t pending = 0, dead = 0, sent = 0;
    std::int64_t oldest_pending_ms = 0;
  };
  Stats stats();

  // ---- wishes and webhooks ----
  EmailWish email_wish(std::string_view person) const;  // under the state lock
  Result<Answer> set_email_wish(const Principal& who, Command command,
                                EmailWish wish);        // one's own
  std::vector<Webhook> webhooks(const Principal& who);  // [system.manage]
  // Makes (id "") or changes a webhook; the secret ("whsec_…") is told once, when made.
  Result<Issued> set_webhook(const Principal& who, Command command, const Webhook& webhook);
  // Sends a test message: channel "email" to oneself, or "webhook" to that id.
  Result<Answer> test(const Principal& who, Command command, std::string_view channel,
                      std::string_view recipient);

  // ---- State ----
  std::string_view prefix() const override { return "notify"; }
  void apply(const Entry& entry) override;
  std::optional<std::string> save_slice(std::size_t i) const override;
  void load_slice(std::string_view bytes) override;

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace cw
