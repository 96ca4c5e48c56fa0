// The outbox: what is due, one attempt at it, and what is recorded. At least once outside (a crash
// between the server's answer and our commit repeats the attempt under the same message id), and
// exactly one receipt inside.
#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "impl.h"

namespace cw {
namespace {

constexpr std::size_t kBatch = 64;
constexpr std::int64_t kForgetEveryMs = 3'600'000;

std::string cell(const Row& r, int column) { return std::string(r.text(column)); }

Entry receipt_entry(const char* verb, const Due& d, const Attempt& a) {
  Entry e;
  e.actor = "system";
  e.kind = std::string("notify.") + verb;
  e.name = d.message.about;
  e.case_id = d.message.case_id;
  e.body = {{"message", d.id},
            {"channel", d.channel},
            {"attempts", d.attempts + 1},
            {"cause", d.message.seq}};
  if (!d.recipient.empty()) e.body["recipient"] = d.recipient;
  if (!a.ok) e.body["error"] = a.code;
  return e;
}

}  // namespace

std::vector<Due> Notify::Impl::due(std::string_view channels, std::size_t count_max) {
  std::vector<Due> out;
  std::int64_t now = parts.clock.now_ms();
  read([&](Database& db) {
    for (auto channel : split(channels, ',')) {
      db.query(
          "SELECT o.id, o.channel, o.recipient, o.attempts, o.generation, o.at, m.facts FROM "
          "notify_outbox o "
          "JOIN notify_message m ON m.id=o.message WHERE o.state='pending' AND o.channel=$1 AND "
          "o.next_at<=$2 "
          "ORDER BY o.next_at LIMIT $3",
          [&](const Row& r) {
            Due d{cell(r, 0),   cell(r, 1),   cell(r, 2), static_cast<unsigned>(r.integer(3)),
                  r.integer(4), r.integer(5), {}};
            auto facts = parse_json(r.text(6));
            if (facts && facts->is_object()) d.message = message_from(facts->get_object());
            out.push_back(std::move(d));
          },
          channel, now, count_max);
    }
  });
  return out;
}

std::size_t Notify::deliver_due() {
  std::size_t n = 0;
  for (auto channels : kWorkerChannels) n += impl_->deliver(channels);
  return n;
}

std::size_t Notify::Impl::deliver(std::string_view channels) {
  std::lock_guard one(delivering[channels == kWorkerChannels[0] ? 0 : 1]);
  std::size_t n = 0;
  auto& known = unrecorded[channels == kWorkerChannels[0] ? 0 : 1];
  for (const auto& d : due(channels, kBatch)) {
    {
      std::lock_guard lock(work_mutex);
      if (stopping) break;
    }
    // While the journal refuses (a full disk), what was sent must not be sent again and again.
    auto [it, fresh] = known.try_emplace(d.id);
    if (fresh) it->second = attempt(d);
    if (!record(d, it->second)) break;
    known.erase(it);
    ++n;
  }
  return n;
}

Attempt Notify::Impl::attempt(const Due& d) {
  if (d.channel == "email") return attempt_email(d);
  if (d.channel == "webhook") return attempt_webhook(d);
  return {.permanent = true, .code = "nobody"};
}

Attempt Notify::Impl::attempt_email(const Due& d) {
  if (!options.smtp) return {.permanent = true, .code = "no-smtp"};
  auto person = parts.journal.read([&] { return parts.identity.person(d.recipient); });
  if (!person || !person->active) return {.permanent = true, .code = "inactive"};
  if (person->email.empty()) return {.permanent = true, .code = "no-address"};
  Sentence s = sentence_of(d.message, options);
  Mail mail{d.id, person->email, s.title.in(person->lang), s.body.in(person->lang) + "\n", d.at_ms};
  if (!options.base_url.empty() && !d.message.path.empty())
    mail.text += "\n" + options.base_url + d.message.path + "\n";
  return send_mail(mail, *options.smtp, options.timeout_ms);
}

Attempt Notify::Impl::attempt_webhook(const Due& d) {
  auto found = parts.journal.read([&]() -> std::optional<WebhookRecord> {
    auto it = webhooks.find(d.recipient);
    return it == webhooks.end() || !it->second.active ? std::nullopt : std::optional(it->second);
  });
  if (!found) return {.permanent = true, .code = "inactive"};
  auto text = parts.sealed.open(found->content);
  auto parsed = text ? parse_json(*text) : Result<json::value>(text.problem());
  if (!parsed || !parsed->is_object()) return {.permanent = true, .code = "inactive"};
  const auto& secret = parsed->get_object();
  json::object data = facts_of(d.message);
  Sentence s = sentence_of(d.message, options);
  data["sentence"] = json::object{{"zh", s.title.zh}, {"en", s.title.en}};
  data.erase("about");
  json::object body{
      {"type", d.message.about}, {"timestamp", to_rfc3339(d.at_ms)}, {"data", std::move(data)}};
  Delivery out{std::string(text_or(secret, "url")),
               std::string(text_or(secret, "secret")),
               d.id,
               json::serialize(body),
               parts.clock.now_ms(),
               options.webhooks_to_loopback};
  return send_webhook(out, options.timeout_ms);
}

// Doubling, with a fifth of chance either way: many messages must not come back at one moment.
std::int64_t Notify::Impl::backoff_ms(unsigned attempts) {
  std::int64_t wait = options.backoff_first_ms << std::min(attempts - 1, 20u);
  wait = std::min(wait, options.backoff_max_ms);
  std::int64_t fifth = wait / 5;
  return wait - fifth +
         static_cast<std::int64_t>(parts.random.below(static_cast<std::uint64_t>(2 * fifth + 1)));
}

// One entry when a message is delivered or given up; retries only move its row.
bool Notify::Impl::record(const Due& d, const Attempt& a) {
  std::int64_t now = parts.clock.now_ms();
  bool dead = !a.ok && (a.permanent || d.attempts + 1 >= options.attempts_max);
  std::int64_t next = a.ok || dead ? now : now + backoff_ms(d.attempts + 1);
  const char* state = a.ok ? "sent" : dead ? "dead" : "pending";
  Command command{.vital = true};
  if (a.ok || dead)
    command.id =
        (a.ok ? "notify-sent-" : "notify-failed-") + d.id + "-" + std::to_string(d.generation);
  auto answer = parts.journal.run(std::move(command), [&](Draft& draft) -> Result<json::object> {
    if (a.ok || dead) draft.append(receipt_entry(a.ok ? "sent" : "failed", d, a));
    draft.row([id = d.id, generation = d.generation, attempts = d.attempts + 1,
               state = std::string(state), next, now, settled = a.ok || dead,
               code = a.code](Database& db) {
      db.run(
          "UPDATE notify_outbox SET state=$3, attempts=$4, next_at=$5, done_at=$6, error=$7 "
          "WHERE id=$1 AND generation=$2 AND state='pending'",
          id, generation, state, attempts, next, settled ? Param(now) : Param(nullptr), code);
    });
    return json::object{};
  });
  if (!answer) {
    log_warn("notify", "message={} outcome={} is not recorded yet: {}", d.id, state,
             answer.problem().code);
    return false;
  }
  if (!a.ok) {
    log_info("notify", "message={} channel={} attempt={} failed: {}{}", d.id, d.channel,
             d.attempts + 1, a.code, dead ? ", given up" : "");
  }
  return true;
}

// What was delivered or dismissed, and what was read, is forgotten after keep_ms.
void Notify::Impl::forget_old() {
  std::int64_t now = parts.clock.now_ms();
  if (now - forgot_at < kForgetEveryMs) return;
  forgot_at = now;
  parts.journal.submit(
      {},
      [before = now - options.keep_ms](Draft& d) -> Result<json::object> {
        d.row([before](Database& db) {
          db.run("DELETE FROM notify_inbox WHERE at<$1 AND read_at IS NOT NULL", before);
          db.run("DELETE FROM notify_outbox WHERE state IN ('sent','dismissed') AND at<$1", before);
          db.run(
              "DELETE FROM notify_message WHERE at<$1 AND NOT EXISTS(SELECT 1 FROM notify_inbox i "
              "WHERE i.message="
              "notify_message.id) AND NOT EXISTS(SELECT 1 FROM notify_outbox o WHERE "
              "o.message=notify_message.id)",
              before);
        });
        return json::object{};
      },
      [](const Result<Answer>&) {});
}

Notify::Stats Notify::stats() {
  Stats s;
  impl_->read([&](Database& db) {
    db.query("SELECT state, count(*), min(at) FROM notify_outbox GROUP BY state",
             [&](const Row& r) {
               auto n = static_cast<std::uint64_t>(r.integer(1));
               if (r.text(0) == "pending") s.pending = n, s.oldest_pending_ms = r.integer(2);
               if (r.text(0) == "dead") s.dead = n;
               if (r.text(0) == "sent") s.sent = n;
             });
  });
  return s;
}

}  // namespace cw
