#include "common.h"
#include "notify/notify.h"

// One's inbox, what could not be delivered, webhooks.
namespace cw::api {
namespace {

struct NoticeOut {
  std::string id, about, path;
  std::optional<CaseRef> case_ref;
  std::int64_t at_ms = 0, seq = 0;
  Text title, body;
  bool read = false, urgent = false, drill = false, acknowledged = false;
};
BOOST_DESCRIBE_STRUCT(NoticeOut, (),
                      (id, about, path, case_ref, at_ms, seq, title, body, read, urgent, drill,
                       acknowledged))
struct ReadIn {
  std::optional<std::vector<std::string>> ids;
};
BOOST_DESCRIBE_STRUCT(ReadIn, (), (ids))
struct OutboxOut {
  std::string id, channel, state, org, error_code;
  std::optional<PersonRef> recipient;
  std::optional<CaseRef> case_ref;
  Text title, error;
  std::int64_t attempts = 0, at_ms = 0;
  std::optional<std::int64_t> next_at, done_at;
};
BOOST_DESCRIBE_STRUCT(OutboxOut, (),
                      (id, channel, state, org, error_code, recipient, case_ref, title, error,
                       attempts, at_ms, next_at, done_at))
struct WishIo {
  std::string email;
};
BOOST_DESCRIBE_STRUCT(WishIo, (), (email))
struct WebhookOut {
  std::string id, org, url;
  std::vector<std::string> events;
  bool active = true;
};
BOOST_DESCRIBE_STRUCT(WebhookOut, (), (id, org, url, events, active))
struct WebhookIn {
  std::string org, url;
  std::optional<std::vector<std::string>> events;
  std::optional<bool> active;
};
BOOST_DESCRIBE_STRUCT(WebhookIn, (), (org, url, events, active))
struct WebhookMade {
  std::int64_t seq = 0;
  std::string id, secret;
};
BOOST_DESCRIBE_STRUCT(WebhookMade, (), (seq, id, secret))
struct TestIn {
  std::string channel;
  std::optional<std::string> webhook;
};
BOOST_DESCRIBE_STRUCT(TestIn, (), (channel, webhook))

std::optional<CaseRef> named_case(const std::string& id, const std::string& number) {
  return id.empty() || number.empty() ? std::nullopt : std::optional(CaseRef{id, number});
}

Result<Page<NoticeOut>> inbox(Call& call) {
  auto limit = call.number("limit", 50, 1, 200);
  if (!limit) return std::move(limit).problem();
  auto found = call.s.notify.inbox(
      call.who.person,
      {call.query("unread") == "true", call.query("cursor"), static_cast<std::size_t>(*limit)});
  auto page = page_of<NoticeOut>(found.items, found.next, [](const InboxItem& i) {
    return NoticeOut{i.id,    i.about,
                     i.path,  named_case(i.case_id, i.number),
                     i.at_ms, static_cast<std::int64_t>(i.seq),
                     i.title, i.body,
                     i.read,  i.urgent,
                     i.drill, i.acknowledged};
  });
  page.total = static_cast<std::int64_t>(found.total);
  return page;
}

Result<Page<OutboxOut>> outbox(Call& call) {
  auto limit = call.number("limit", 50, 1, 200);
  if (!limit) return std::move(limit).problem();
  std::string state = call.query("state");
  auto found = call.s.notify.outbox(call.who, {state.empty() ? "dead" : state, call.query("cursor"),
                                               static_cast<std::size_t>(*limit)});
  auto page = page_of<OutboxOut>(found.items, found.next, [&](const OutboxItem& i) {
    OutboxOut out{i.id,
                  i.channel,
                  i.state,
                  i.org,
                  i.error_code,
                  std::nullopt,
                  named_case(i.case_id, i.number),
                  i.title,
                  i.error,
                  i.attempts,
                  i.at_ms,
                  std::nullopt,
                  std::nullopt};
    call.s.journal.read([&] {
      if (i.recipient.starts_with("per_")) out.recipient = person_ref(call.s, i.recipient);
      if (i.case_id.empty() || !call.s.engine.exists(i.case_id) ||
          call.s.engine.may_read(i.case_id, call.who.actor))
        return;
      out.case_ref = std::nullopt;  // it can be retried or given up without knowing what it says
      out.title = {"限阅事项的消息", "A message of a restricted case"};
    });
    if (i.state == "pending") out.next_at = i.next_ms;
    if (i.done_ms > 0) out.done_at = i.done_ms;
    return out;
  });
  page.total = static_cast<std::int64_t>(found.total);
  return page;
}

Result<WishIo> wish(Call& call) {
  static constexpr const char* names[] = {"none", "urgent", "all"};
  return WishIo{call.s.journal.read(
      [&] { return names[static_cast<int>(call.s.notify.email_wish(call.who.person))]; })};
}

Result<Written> set_wish(Call& call, WishIo& in) {
  if (in.email != "none" && in.email != "urgent" && in.email != "all")
    return invalid("notify.wish", "/email",
                   {"须为 none、urgent 或 all", "This must be none, urgent or all"});
  EmailWish wish = in.email == "none"  ? EmailWish::none
                   : in.email == "all" ? EmailWish::all
                                       : EmailWish::urgent;
  return written(call.s.notify.set_email_wish(call.who, call.command, wish));
}

// One of another organisation is as absent as one that never was.
Status may_webhook(Call& call, const std::string& id) {
  const auto mine = call.s.notify.webhooks(call.who);
  if (std::any_of(mine.begin(), mine.end(), [&](const Webhook& w) { return w.id == id; }))
    return done();
  return no_such({"这个接收端", "such a webhook"});
}

Result<WebhookMade> set_webhook(Call& call, const std::string& id, WebhookIn& in) {
  auto made =
      call.s.notify.set_webhook(call.who, call.command,
                                {id, in.org, in.url, in.events.value_or(std::vector<std::string>{}),
                                 in.active.value_or(true)});
  if (!made) return std::move(made).problem();
  return WebhookMade{written(made->answer).seq, made->id, made->secret};
}

}  // namespace

void add_notices(Table& t) {
  t.tag("notices");
  t.get<Page<NoticeOut>>("/notices",
                         {"session",
                          "My inbox, newest first; total counts the unread",
                          {{"unread", "true"}, {"cursor", ""}, {"limit", "1–200"}}},
                         inbox);
  t.post<ReadIn, Nothing>("/notices/read", {"session", "Mark as read; without ids: all"},
                          [](Call& c, ReadIn& in) -> Result<Nothing> {
                            auto status = c.s.notify.mark_read(
                                c.who.person, in.ids.value_or(std::vector<std::string>{}));
                            if (!status) return std::move(status).problem();
                            return Nothing{};
                          });
  t.post<Nothing, Written>(
      "/notices/{id}/acknowledge", {"session", "I have seen it"},
      [](Call& c, Nothing&) { return written(c.s.notify.acknowledge(c.who, c.command, c.id())); });
  t.get<WishIo>("/notices/wish", {"session", "What I get by e-mail: none, urgent, all"}, wish);
  t.put<WishIo, Written>("/notices/wish", {"session", "Set it"}, set_wish);
  t.get<Page<OutboxOut>>(
      "/outbox",
      {"outbox.manage",
       "Messages to people and machines",
       {{"state", "dead (default), pending, sent, dismissed"}, {"cursor", ""}, {"limit", "1–200"}}},
      outbox);
  t.post<Nothing, Written>(
      "/outbox/{id}/retry", {"outbox.manage", "Try a dead letter again"},
      [](Call& c, Nothing&) { return written(c.s.notify.retry(c.who, c.command, c.id())); });
  t.post<Nothing, Written>(
      "/outbox/{id}/dismiss", {"outbox.manage", "Give a dead letter up"},
      [](Call& c, Nothing&) { return written(c.s.notify.dismiss(c.who, c.command, c.id())); });
  t.get<Page<WebhookOut>>(
      "/webhooks", {"system.manage", "Webhooks"}, [](Call& c) -> Result<Page<WebhookOut>> {
        return page_of<WebhookOut>(c.s.notify.webhooks(c.who), "", [](const Webhook& w) {
          return WebhookOut{w.id, w.org, w.url, w.events, w.active};
        });
      });
  t.post<WebhookIn, WebhookMade>("/webhooks",
                                 {"system.manage", "Add a webhook; its secret is told once"},
                                 [](Call& c, WebhookIn& in) { return set_webhook(c, "", in); });
  t.put<WebhookIn, WebhookMade>("/webhooks/{id}", {"system.manage", "Change a webhook"},
                                [](Call& c, WebhookIn& in) -> Result<WebhookMade> {
                                  if (auto may = may_webhook(c, c.id()); !may)
                                    return std::move(may).problem();
                                  return set_webhook(c, c.id(), in);
                                });
  t.post<TestIn, Written>(
      "/notices/test", {"system.manage", "Send a test message: email (to me) or webhook"},
      [](Call& c, TestIn& in) -> Result<Written> {
        if (in.channel == "webhook")
          if (auto may = may_webhook(c, in.webhook.value_or("")); !may)
            return std::move(may).problem();
        return written(c.s.notify.test(c.who, c.command, in.channel, in.webhook.value_or("")));
      });
}

}  // namespace cw::api
