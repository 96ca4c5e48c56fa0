// Construction, start, and what every change shares: deciding, sealing, hashing.
#include "identity.h"

#include <chrono>

#include "base/id.h"
#include "base/text.h"
#include "state.h"

namespace cw {

const char* Identity::schema() {
  return "CREATE TABLE IF NOT EXISTS identity_seen(id TEXT PRIMARY KEY, at INTEGER NOT NULL, until "
         "INTEGER NOT NULL) "
         "STRICT, WITHOUT ROWID;"
         "CREATE INDEX IF NOT EXISTS identity_seen_until ON identity_seen(until)";
}

// Names are opened once, here: a replay meets many that were replaced or erased since.
void Identity::open() {
  CW_CHECK(!impl_->opened);
  for (auto& p : impl_->people) {
    if (p.profile.empty()) continue;
    if (auto text = impl_->sealed.open(p.profile)) impl_->fill_profile(p, *text);
  }
  for (auto& [id, t] : impl_->tokens) {
    if (auto text = impl_->sealed.open(t.label)) t.facts.label = *text;
  }
  Database db(impl_->journal.path(), {.read_only = true});
  db.query("SELECT id, at FROM identity_seen", [&](const Row& r) {
    std::string id(r.text(0));
    if (auto s = impl_->sessions.find(id); s != impl_->sessions.end()) {
      s->second.seen.at = std::max(s->second.since, r.integer(1));
    } else if (auto t = impl_->tokens.find(id); t != impl_->tokens.end()) {
      t->second.used.at = r.integer(1);
    }
  });
  impl_->opened = true;
}

std::optional<Identity::First> Identity::first_start(Text organisation) {
  if (impl_->journal.read([&] { return !impl_->people.empty(); })) return std::nullopt;
  First first{"admin", make_one_time_password(impl_->random), {}, {}};
  auto phc = impl_->hash_password(first.one_time_password);
  CW_CHECK(phc.ok());  // nobody else is hashing yet
  std::int64_t now = impl_->clock.now_ms();
  first.org = new_id("org", now, impl_->random);
  first.person = new_id("per", now, impl_->random);
  auto answer = impl_->change(
      {.id = "identity-first-start", .vital = true}, [&](Draft& d) -> Result<json::object> {
        Entry by = entry_by(Principal::system(), "system", "org-set",
                            body_of(Org{first.org, "", "hq", organisation}));
        d.append(by);
        PersonRecord p;
        p.facts = {.id = first.person, .org = first.org, .lang = "zh"};
        json::object profile{
            {"name", "Administrator"}, {"login", first.login}, {"email", ""}, {"phone", ""}};
        Entry added = entry_by(
            Principal::system(), "system", "person-added",
            {{"person", first.person}, {"org", first.org}, {"staff_no", ""}, {"lang", "zh"}});
        added.content = impl_->seal(d, first.person, json::serialize(profile));
        d.append(added);
        d.append(
            entry_by(Principal::system(), "system", "granted",
                     {{"person", first.person}, {"role", "administrator"}, {"org", first.org}}));
        impl_->set_password(d, by, first.person, *phc, {{"one_time", true}, {"until", 0}});
        return json::object{};
      });
  if (!answer || answer->repeated) return std::nullopt;
  return first;
}

Result<Answer> Identity::Impl::change(Command command, const Decide& decide) {
  return journal.run(std::move(command), [this, &decide](Draft& d) -> Result<json::object> {
    auto body = decide(d);
    for (auto& [commitment, text] : pending) wipe(text);
    pending.clear();
    return body;
  });
}

std::string Identity::Impl::seal(Draft& d, const std::string& owner, const std::string& plaintext) {
  SealedContent content = sealed.seal(owner, plaintext);
  pending[content.commitment] = plaintext;
  d.row(std::move(content.write), content.bytes);
  return content.commitment;
}

void Identity::Impl::destroy(Draft& d, const std::string& owner) {
  if (!owner.empty()) d.row(sealed.destroy(owner));
}

namespace {

Problem hashing_busy() {
  Problem p = problem(Refusal::unavailable, "session.busy",
                      {"登录请求过多，请稍后再试；什么也没有改变",
                       "Too many sign-ins at once; try again shortly. Nothing was changed"});
  p.retry_after_s = 3;
  return p;
}

constexpr auto kHashingWait = std::chrono::seconds(10);

}  // namespace

// A password's check takes 64 MiB: how many run at once is bounded, and so is the wait for a turn.
Result<std::string> Identity::Impl::hash_password(std::string_view password) {
  if (!hashing.try_acquire_for(kHashingWait)) return hashing_busy();
  std::string phc = password_hash(password, random, options.cost);
  hashing.release();
  return phc;
}

Result<bool> Identity::Impl::check_password(const std::string& phc, std::string_view password) {
  if (!hashing.try_acquire_for(kHashingWait)) return hashing_busy();
  bool right = password_verify(phc, password);
  hashing.release();
  return right;
}

// Each credential has an owner of its own, so that replacing it destroys the old one's key.
void Identity::Impl::set_password(Draft& d, const Entry& by, const std::string& person,
                                  const std::string& phc, json::object more) {
  std::string old_owner;
  if (const PersonRecord* p = find(person)) old_owner = p->password_owner;
  Entry e = by;
  e.kind = "identity.password-set";
  e.body = std::move(more);
  std::string owner = new_id("crd", d.now_ms(), random);
  e.body["person"] = person;
  e.body["credential"] = owner;
  e.content = seal(d, owner, phc);
  d.append(std::move(e));
  destroy(d, old_owner);
}

// Remembers when a session or token was used, at most once per `every_ms`. Not waited for: a crash
// may only make a session look idle for longer than it was.
void Identity::Impl::touch(const std::string& id, const SeenAt& seen, std::int64_t now,
                           std::int64_t every_ms, std::int64_t until) {
  seen.at = now;
  std::int64_t saved = seen.saved;
  if (now - saved < every_ms || !seen.saved.compare_exchange_strong(saved, now)) return;
  journal.submit(
      {},
      [id, now, until](Draft& d) -> Result<json::object> {
        d.row([id, now, until](Database& db) {
          db.run(
              "INSERT INTO identity_seen VALUES($1,$2,$3) ON CONFLICT(id) DO UPDATE SET "
              "at=excluded.at",
              id, now, until);
          db.run("DELETE FROM identity_seen WHERE until<$1", now);
        });
        return json::object{};
      },
      [](const Result<Answer>&) {});
}

Entry entry_by(const Principal& who, std::string basis, std::string_view verb, json::object body) {
  Entry e;
  e.actor = who.actor;
  e.basis = std::move(basis);
  e.kind = "identity." + std::string(verb);
  e.body = std::move(body);
  return e;
}

std::string make_one_time_password(Random& random) {
  constexpr std::string_view alphabet = "23456789abcdefghjkmnpqrstuvwxyz";  // no 0 o 1 l i
  std::string out;
  for (int i = 0; i < 16; ++i) {
    if (i > 0 && i % 4 == 0) out += '-';
    out += alphabet[random.below(alphabet.size())];
  }
  return out;
}

std::string token_hash(std::string_view secret) { return to_hex(bytes_of(sha256(secret))); }

std::string csrf_of(std::string_view cookie) {
  return to_base64url(bytes_of(hmac_sha256(cookie, "callwarden/csrf")));
}

}  // namespace cw
