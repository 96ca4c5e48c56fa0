// What notify keeps in memory: people's wishes and the webhooks; and the commands that change them.
#include <algorithm>

#include "base/id.h"
#include "base/text.h"
#include "impl.h"

namespace cw {
namespace {

constexpr std::size_t kWebhooksMax = 50;

std::string string_in(const json::object& o, std::string_view key) {
  return std::string(text_or(o, key));
}

std::vector<std::string> list_in(const json::object& o, std::string_view key) {
  std::vector<std::string> out;
  if (const auto* list = o.if_contains(key); list != nullptr && list->is_array()) {
    for (const auto& v : list->get_array()) out.emplace_back(v.as_string());
  }
  return out;
}

Entry entry_of(const Principal& who, std::string basis, const char* kind, json::object body) {
  Entry e;
  e.actor = who.actor;
  e.basis = std::move(basis);
  e.kind = kind;
  e.body = std::move(body);
  return e;
}

}  // namespace

json::object body_of(const WebhookRecord& w) {
  json::array events;
  for (const auto& e : w.events) events.emplace_back(e);
  return {{"webhook", w.id},
          {"org", w.org},
          {"events", std::move(events)},
          {"active", w.active},
          {"sealed", w.content}};
}

WebhookRecord webhook_from(const json::object& b) {
  return {string_in(b, "webhook"), string_in(b, "org"), string_in(b, "sealed"),
          list_in(b, "events"), bool_or(b, "active")};
}

// Receipts and acknowledgements are records only; their effect is in rows of the same commit.
void Notify::apply(const Entry& e) {
  impl_->next_seq = e.seq + 1;
  if (e.seq < impl_->loaded_seq) return;
  if (e.kind == "notify.wish-set") {
    if (auto w = wish_named(text_or(e.body, "email")))
      impl_->wishes[string_in(e.body, "person")] = *w;
  } else if (e.kind == "notify.webhook-set") {
    WebhookRecord w = webhook_from(e.body);
    w.content = e.content.empty() ? impl_->webhooks[w.id].content : e.content;
    impl_->webhooks[w.id] = std::move(w);
  }
}

std::optional<std::string> Notify::save_slice(std::size_t i) const {
  if (i > 0) return std::nullopt;
  json::object wishes;
  for (const auto& [person, wish] : impl_->wishes) wishes[person] = wish_name(wish);
  json::array hooks;
  for (const auto& [id, w] : impl_->webhooks) hooks.push_back(body_of(w));
  return json::serialize(json::object{{"next_seq", impl_->next_seq},
                                      {"wishes", std::move(wishes)},
                                      {"webhooks", std::move(hooks)}});
}

void Notify::load_slice(std::string_view bytes) {
  auto parsed = parse_json(bytes, {.size_max = std::size_t{256} << 20});
  CW_CHECK(parsed.ok() && parsed->is_object());
  const auto& o = parsed->get_object();
  impl_->next_seq = impl_->loaded_seq =
      static_cast<std::uint64_t>(o.at("next_seq").to_number<std::int64_t>());
  for (const auto& [person, wish] : o.at("wishes").as_object()) {
    if (auto w = wish_named(wish.as_string())) impl_->wishes[std::string(person)] = *w;
  }
  for (const auto& body : o.at("webhooks").as_array()) {
    WebhookRecord w = webhook_from(body.as_object());
    impl_->webhooks[w.id] = std::move(w);
  }
}

EmailWish Notify::email_wish(std::string_view person) const {
  auto it = impl_->wishes.find(std::string(person));
  return it == impl_->wishes.end() ? EmailWish::urgent : it->second;
}

Result<Answer> Notify::set_email_wish(const Principal& who, Command command, EmailWish wish) {
  return impl_->parts.journal.run(std::move(command), [&](Draft& d) -> Result<json::object> {
    if (!impl_->parts.identity.is_active_person(who.person)) {
      return problem(Refusal::forbidden, "notify.no-person",
                     {"只有人员可以设置通知偏好", "Only a person has wishes"});
    }
    if (email_wish(who.person) != wish) {
      d.append(entry_of(who, "self", "notify.wish-set",
                        {{"person", who.person}, {"email", wish_name(wish)}}));
    }
    return json::object{};
  });
}

std::vector<Webhook> Notify::webhooks(const Principal& who) {
  auto records = impl_->parts.journal.read([&] {
    std::vector<WebhookRecord> out;
    for (const auto& [id, w] : impl_->webhooks) {
      if (impl_->parts.identity.may(who, Permission::system_manage, w.org).ok()) out.push_back(w);
    }
    return out;
  });
  std::vector<Webhook> out;
  for (const auto& w : records) {
    Webhook shown{w.id, w.org, {}, w.events, w.active};
    if (auto text = impl_->parts.sealed.open(w.content)) {
      if (auto o = parse_json(*text); o && o->is_object())
        shown.url = string_in(o->get_object(), "url");
    }
    out.push_back(std::move(shown));
  }
  return out;
}

Result<Issued> Notify::set_webhook(const Principal& who, Command command, const Webhook& wanted) {
  Impl& s = *impl_;
  if (auto ok = check_webhook_url(wanted.url, "/url"); !ok) return ok.problem();
  for (std::size_t i = 0; i < wanted.events.size(); ++i) {
    if (!is_known_about(wanted.events[i])) {
      return invalid("notify.event", "/events/" + std::to_string(i),
                     {"没有这种事件", "There is no such event"});
    }
  }
  std::string secret, content;
  if (!wanted.id.empty()) {  // a changed webhook keeps its secret
    content = s.parts.journal.read([&] {
      auto it = s.webhooks.find(wanted.id);
      return it == s.webhooks.end() ? std::string() : it->second.content;
    });
    auto text = s.parts.sealed.open(content);
    if (!text)
      return problem(Refusal::not_found, "notify.no-webhook",
                     {"没有这个接收端", "There is no such webhook"});
    if (auto o = parse_json(*text); o && o->is_object())
      secret = string_in(o->get_object(), "secret");
  }
  bool fresh = wanted.id.empty();
  if (fresh) secret = "whsec_" + to_base64(s.parts.random.bytes(32));
  auto answer = s.parts.journal.run(std::move(command), [&](Draft& d) -> Result<json::object> {
    WebhookRecord w{wanted.id,
                    wanted.org.empty() ? s.parts.identity.root() : wanted.org,
                    {},
                    wanted.events,
                    wanted.active};
    auto basis = s.parts.identity.may(who, Permission::system_manage, w.org);
    if (!basis) return basis.problem();
    if (auto recent = s.parts.identity.recent(who); !recent) return recent.problem();
    if (!fresh) {
      auto there =
          s.parts.identity.may(who, Permission::system_manage, s.webhooks.at(wanted.id).org);
      if (!there) return there.problem();
    } else if (s.webhooks.size() >= kWebhooksMax) {
      return problem(Refusal::conflict, "notify.webhooks-max",
                     {"接收端最多 50 个", "There are at most 50 webhooks"});
    }
    if (fresh) w.id = new_id("whk", d.now_ms(), d.random());
    SealedContent sealed = s.parts.sealed.seal(
        w.id, json::serialize(json::object{{"url", wanted.url}, {"secret", secret}}));
    json::object body = body_of(w);
    body.erase("sealed");
    Entry e = entry_of(who, *basis, "notify.webhook-set", std::move(body));
    e.content = sealed.commitment;
    d.append(std::move(e));
    d.row(std::move(sealed.write), sealed.bytes);
    return json::object{{"id", w.id}};
  });
  if (!answer) return answer.problem();
  bool tell_secret = fresh && !answer->repeated;
  return Issued{*answer, string_in(answer->body, "id"), tell_secret ? secret : std::string()};
}

Result<Answer> Notify::test(const Principal& who, Command command, std::string_view channel,
                            std::string_view recipient) {
  Impl& s = *impl_;
  return s.parts.journal.run(std::move(command), [&](Draft& d) -> Result<json::object> {
    std::string to = channel == "email" ? who.person : std::string(recipient);
    std::string org = who.org;
    if (channel == "webhook") {
      auto it = s.webhooks.find(to);
      if (it == s.webhooks.end())
        return problem(Refusal::not_found, "notify.no-webhook",
                       {"没有这个接收端", "There is no such webhook"});
      org = it->second.org;
      if (auto basis = s.parts.identity.may(who, Permission::system_manage, org); !basis)
        return basis.problem();
    } else if (channel != "email" || who.person.empty()) {
      return invalid("notify.channel", "/channel",
                     {"通道为 email 或 webhook", "The channel is email or webhook"});
    }
    Message m{.about = "test", .seq = 0, .org = org};
    std::string message = new_id("msg", d.now_ms(), d.random()),
                out = new_id("out", d.now_ms(), d.random());
    m.seq = d.append(entry_of(who, "self", "notify.tested",
                              {{"channel", std::string(channel)}, {"message", out}}));
    d.row([&s, message, out, to, at = d.now_ms(), channel = std::string(channel),
           facts = json::serialize(facts_of(m))](Database& db) {
      db.run("INSERT INTO notify_message VALUES($1,$1,$2,$3)", message, at, facts);
      db.run("INSERT INTO notify_outbox VALUES($1,$2,$3,$4,'pending',0,0,$5,$5,NULL,NULL)", out,
             message, channel, to, at);
      s.queued = true;
    });
    return json::object{{"id", out}};
  });
}

}  // namespace cw
