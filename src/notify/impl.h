// What the sources of notify share. Internal.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>

#include "base/thread.h"
#include "notify.h"

namespace cw {

// How an attempt ended. `permanent`: no retry will help (a 5xx from SMTP, a 4xx from a webhook).
struct Attempt {
  bool ok = false, permanent = false;
  std::string code;  // "smtp.451", "connect"
};

// Words (words.cpp): everything is made from the facts stored with a message.
struct Sentence {
  Text title, body;
};
Sentence sentence_of(const Message& m, const NotifyOptions& options);
json::object facts_of(const Message& m);
Message message_from(const json::object& facts);
Text error_text(std::string_view code);
std::string local_time(std::int64_t utc_ms, int offset_minutes);
bool is_known_about(std::string_view about);

// Mail (smtp.cpp).
struct Mail {
  std::string id, to, subject, text;
  std::int64_t at_ms = 0;
};
std::string mail_bytes(const Mail& mail, const SmtpOptions& smtp);
Attempt send_mail(const Mail& mail, const SmtpOptions& smtp, int timeout_ms);

// Webhooks (webhook.cpp). The signature is that of the Standard Webhooks specification.
struct Delivery {
  std::string url, secret, id, body;
  std::int64_t at_ms = 0;
  bool loopback = false;
};
std::string webhook_signature(std::string_view secret, std::string_view id, std::int64_t unix_s,
                              std::string_view body);
Attempt send_webhook(const Delivery& delivery, int timeout_ms);
Status check_webhook_url(std::string_view url, std::string_view pointer);

struct WebhookRecord {
  std::string id, org, content;  // content: the sealed {"url","secret"}
  std::vector<std::string> events;
  bool active = true;
};
json::object body_of(const WebhookRecord& w);
WebhookRecord webhook_from(const json::object& body);

// A row of the outbox with its message.
struct Due {
  std::string id, channel, recipient;
  unsigned attempts = 0;
  std::int64_t generation = 0, at_ms = 0;
  Message message;
};

struct Notify::Impl {
  Impl(NotifyParts p, NotifyOptions o) : parts(p), options(std::move(o)) {}

  // --- notify.cpp ---
  void committed();
  void work(std::size_t worker);

  // --- deliver.cpp ---
  std::vector<Due> due(std::string_view channels, std::size_t count_max);
  std::size_t deliver(std::string_view channels);
  Attempt attempt(const Due& d);
  Attempt attempt_email(const Due& d);
  Attempt attempt_webhook(const Due& d);
  bool record(const Due& d, const Attempt& a);
  std::int64_t backoff_ms(unsigned attempts);
  void forget_old();

  // Reads with a connection of its own (the journal's writer has another).
  void read(const std::function<void(Database&)>& f);
  std::optional<OutboxItem> outbox_item(std::string_view id);
  bool reaches(const WebhookRecord& w, const Message& m) const;

  NotifyParts parts;
  NotifyOptions options;
  std::function<void(const std::vector<std::string>&)> listener;

  // --- the state ---
  std::uint64_t next_seq = 0, loaded_seq = 0;
  std::map<std::string, EmailWish> wishes;
  std::map<std::string, WebhookRecord> webhooks;

  // --- set by the rows of the commit under way: whose inbox it touches, whether it sends ---
  std::set<std::string> touched;
  bool queued = false;

  std::mutex reader_mutex;
  std::unique_ptr<Database> reader;

  std::mutex work_mutex;
  std::condition_variable work_there;
  std::uint64_t work_round = 0;
  bool stopping = false;
  std::int64_t forgot_at = 0;
  std::array<std::mutex, 2> delivering;                      // one at a time per group of channels
  std::array<std::map<std::string, Attempt>, 2> unrecorded;  // outbox id: how its attempt ended
  std::array<std::thread, 2> workers;
};

inline constexpr std::array<std::string_view, 2> kWorkerChannels = {"email,nobody", "webhook"};
std::string wish_name(EmailWish wish);
std::optional<EmailWish> wish_named(std::string_view name);

}  // namespace cw
