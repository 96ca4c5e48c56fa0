// Who is who and who may what: the organisation's tree, people, posts with deputies, teams, queues,
// roles and permissions; and how people and programs prove who they are (passwords, one-time codes,
// sessions, API tokens). Every change is a journal entry without personal data: names, logins,
// addresses and credentials are sealed contents, held in memory only as far as look-up needs them.
//
//   Identity identity(journal, sealed, clock, random);
//   journal.attach(identity); journal.open(); identity.open();
//   if (auto first = identity.first_start()) print(first->login, first->one_time_password);
//   auto in = identity.access().sign_in({.login = "wang", .password = pw, .address = ip});
//   journal.read([&] { return identity.may(in->principal, Permission::case_read, org); });
//
// Thread-safety: const members (and Directory) are called under the state lock, that is inside
// Journal::read or a decide function. All other members take it themselves: call them outside.
#pragma once

#include <array>
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
#include "crypto/crypto.h"
#include "identity/directory.h"
#include "journal/journal.h"
#include "sealed/sealed.h"

namespace cw {

// ---- permissions -------------------------------------------------------------------------------

// What a role allows or denies. To add one: a line here and one in authorise.cpp's table.
enum class Permission : std::uint8_t {
  case_read,
  case_start,
  case_act,
  alert_read,
  alert_triage,
  signals_write,
  logs_read,
  rules_manage,
  procedures_manage,
  ledger_read,
  ledger_export,
  audit_read,
  people_read,
  people_manage,
  posts_manage,
  roles_manage,
  tokens_manage,
  outbox_manage,
  wall_read,
  system_read,
  system_manage,
  roster_read,
  roster_manage,
  definitions_read,
  definitions_write,
  definitions_review,
  definitions_approve,
};
inline constexpr std::size_t permission_count = 27;

struct PermissionInfo {
  Permission id;
  const char* name;  // "case.read": in roles, tokens and the API
  Text title;
};
const std::array<PermissionInfo, permission_count>& permissions();
std::optional<Permission> permission_named(std::string_view name);
const char* name_of(Permission permission);

class PermissionSet {
 public:
  PermissionSet() = default;
  PermissionSet(std::initializer_list<Permission> list) {
    for (auto p : list) add(p);
  }
  void add(Permission p) { bits_ |= 1ull << static_cast<unsigned>(p); }
  bool has(Permission p) const { return (bits_ >> static_cast<unsigned>(p)) & 1; }
  bool includes(PermissionSet other) const { return (bits_ & other.bits_) == other.bits_; }
  bool empty() const { return bits_ == 0; }
  std::vector<std::string> names() const;
  static Result<PermissionSet> parse(const std::vector<std::string>& names,
                                     std::string_view pointer);
  bool operator==(const PermissionSet&) const = default;

 private:
  std::uint64_t bits_ = 0;
};

// Who is asking: made by Access from a cookie or a bearer token, handed on by the API.
struct Principal {
  std::string actor;   // "per_…" or "tok_…": what entries name
  std::string person;  // "" for an API token
  std::string org;
  std::string lang = "zh";
  std::string session;                // "ses_…", or ""
  std::string csrf;                   // what the X-CSRF header must hold; "" for an API token
  std::int64_t authenticated_at = 0;  // the last time a password or code was given
  std::int64_t expires_at = 0;        // the end of the session or token at the latest
  bool must_change_password = false;
  PermissionSet scopes;  // an API token's; unused for people
  bool is_token() const { return person.empty(); }
  bool is_system() const { return actor == "system"; }
  static Principal system();  // the server itself: first start, demo; may do everything
};

// ---- the organisation --------------------------------------------------------------------------

struct Org {
  std::string id, parent, kind;
  Text name;
};  // kind: hq, province, centre

struct Grant {
  std::string role, org;
};  // holds for `org` and everything below it

struct Person {
  std::string id, org, staff_no, lang, name, login, email, phone;  // name "" once erased
  bool active = true, totp = false, must_change_password = false, has_password = false;
  std::vector<Grant> grants;
  std::int64_t added_at = 0, signed_in_at = 0;
};

struct Post {
  std::string org, id;
  Text title;
  std::string holder;                              // "" when vacant
  std::vector<std::string> deputies;               // in order
  std::vector<std::string> chief_of;               // levels of command it heads
  std::int64_t absent_from = 0, absent_until = 0;  // of the holder; 0, 0: present
  std::vector<std::string>
      acting;              // who acts now (derived): the holder and delegates, else deputies
  std::string acting_org;  // where they were found: this org or an ancestor (derived)
};

// A holder lets another person act in their posts, or in those named, from one moment to another.
// Who acts so acts as "delegate:<holder>" and hands nothing on.
struct PostDelegation {
  std::string id, from, to;
  std::vector<std::string> posts;  // ids; empty: every post that `from` holds
  std::int64_t from_at = 0, until_at = 0;
};

struct Team {
  std::string org, id;
  Text title;
  std::vector<std::string> members;
};
struct Queue {
  std::string org, procedure;
  std::vector<std::string> people, teams;
};
struct Role {
  std::string id;
  Text title;
  PermissionSet allow, deny;
  bool builtin = false;
};

struct Token {  // an API token, without its secret
  std::string id, org, label, made_by;
  PermissionSet scopes;
  std::int64_t added_at = 0, expires_at = 0, used_at = 0;
  bool revoked = false;
};

struct Session {
  std::string id, person;
  std::int64_t since = 0, seen_at = 0, expires_at = 0;
  bool current = false;
};

template <typename T>
struct Page {
  std::vector<T> items;
  std::string next;       // cursor for the next page, "" at the end
  std::size_t total = 0;  // that match
};

struct PeopleQuery {
  std::string q;           // part of name, login or staff number, folded
  std::string org;         // with everything below it; "" for all
  std::string post, role;  // holding or deputising for; granted anywhere
  std::optional<bool> active;
  std::string cursor;
  std::size_t limit = 50;  // at most 500
};

struct PersonInput {
  std::string name, login, staff_no, org, email, phone, lang = "zh";
  std::vector<Grant> grants;
};
struct PersonChange {
  std::optional<std::string> name, login, staff_no, org, email, phone, lang;
};
struct PostInput {
  std::string org, id;
  std::optional<Text> title;  // needed for a post outside the template
  std::string holder;
  std::vector<std::string> deputies;                 // at most 8
  std::optional<std::vector<std::string>> chief_of;  // nothing: as the template says
  std::int64_t absent_from = 0, absent_until = 0;
};

// An answer with a secret that is told once. Secrets are not kept: a repeated command has none.
struct Issued {
  Answer answer;
  std::string id, secret;
};

class Access;
struct AccessOptions {
  std::int64_t idle_ms = 30 * 60'000;           // a session ends after this long without a request
  std::int64_t absolute_ms = 12 * 3'600'000;    // and after this long anyway
  std::int64_t recent_ms = 10 * 60'000;         // how long a sign-in counts for dangerous acts
  std::int64_t one_time_ms = 7 * 86'400'000ll;  // a one-time password is good for
  PasswordCost cost;
  unsigned hashing_max = 2;           // password checks at one time (64 MiB each)
  std::string issuer = "Callwarden";  // shown by authenticator apps
};

class Identity final : public State, public Directory {
 public:
  Identity(Journal& journal, Sealed& sealed, Clock& clock, Random& random,
           AccessOptions options = {});
  ~Identity() override;

  // Its table in the journal's database: when sessions and tokens were last used. Not truth.
  static const char* schema();

  // After journal.open(): opens the sealed names. Before it, nobody can be found by login.
  void open();

  // On an empty journal: the root organisation and one administrator ("admin") with a one-time
  // password. Nothing when there is already somebody.
  struct First {
    std::string login, one_time_password, person, org;
  };
  std::optional<First> first_start(Text organisation = {"总部", "Headquarters"});

  Access& access();

  // ---- may ----
  // The basis ("role:<role>", "scope") or the reason why not. A deny in any role that reaches `org`
  // wins over every allow. `org` "" asks about the whole installation (the root).
  Result<std::string> may(const Principal& who, Permission permission, std::string_view org) const;
  // The organisations in which `who` may: for lists. Sorted.
  std::vector<std::string> orgs_where(const Principal& who, Permission permission) const;
  // Everything `who` may somewhere: for the console's menus.
  std::vector<std::string> permissions_of(const Principal& who) const;
  // Refused with "session.step-up-required" unless `who` proved themselves recently.
  Status recent(const Principal& who) const;

  // ---- look-up and lists ----
  const std::string& root() const;
  std::vector<Org> orgs() const;  // parents before children
  std::optional<Org> org(std::string_view id) const;
  std::optional<Person> person(std::string_view id) const;
  std::optional<Person> person_by_login(std::string_view login) const;
  std::string display_name(std::string_view person) const;  // name, else staff number, else id
  std::size_t people_count() const;
  Page<Person> people(const PeopleQuery& query) const;
  std::vector<Post> posts(std::string_view org) const;        // template and own posts of one org
  std::vector<Post> posts_of(std::string_view person) const;  // in which they act now
  std::vector<PostDelegation> delegations(
      std::string_view person) const;                   // given or received, not ended; "" for all
  std::vector<Team> teams(std::string_view org) const;  // "" for all
  std::vector<Queue> queues(std::string_view org) const;
  std::vector<Role> roles() const;
  std::vector<Token> tokens(std::string_view org) const;  // with everything below; "" for all

  // ---- changes: need the permission in brackets in the organisation they touch ----
  Result<Answer> add_org(const Principal&, Command, std::string_view parent, std::string_view kind,
                         Text name);  // [people.manage]
  Result<Answer> rename_org(const Principal&, Command, std::string_view org, Text name);
  Result<Issued> add_person(const Principal&, Command,
                            const PersonInput&);  // [people.manage]; secret: one-time password
  Result<Answer> change_person(const Principal&, Command, std::string_view person,
                               const PersonChange&);
  Result<Answer> set_active(const Principal&, Command, std::string_view person,
                            bool active);  // ends sessions, tokens
  Result<Answer> erase_person(const Principal&, Command,
                              std::string_view person);  // inactive only; for ever
  Result<Issued> reset_password(const Principal&, Command, std::string_view person);
  Result<Answer> remove_totp(const Principal&, Command, std::string_view person);
  // A role may be given by whoever holds all it allows there, or roles.manage.
  Result<Answer> grant(const Principal&, Command, std::string_view person, const Grant&);
  Result<Answer> withdraw(const Principal&, Command, std::string_view person, const Grant&);
  Result<Answer> set_role(const Principal&, Command, const Role&);       // [roles.manage]
  Result<Answer> set_post(const Principal&, Command, const PostInput&);  // [posts.manage]
  // One's own posts, or [posts.manage] another's (`from`). `and_then` writes along with the entry.
  Result<Answer> delegate_posts(
      const Principal&, Command, PostDelegation wanted,
      const std::function<void(Draft&, std::uint64_t seq)>& and_then = {});
  Result<Answer> end_delegation(const Principal&, Command,
                                std::string_view id);  // either side, or [posts.manage]
  Result<Answer> set_team(const Principal&, Command, const Team&);
  Result<Answer> set_queue(const Principal&, Command, const Queue&);  // procedure "*": any
  Result<Issued> add_token(const Principal&, Command,
                           const Token& wanted);  // [tokens.manage] and each scope
  Result<Answer> revoke_token(const Principal&, Command, std::string_view token);

  // ---- Directory ----
  std::string post_basis(std::string_view person, std::string_view post,
                         std::string_view org) const override;
  std::string team_basis(std::string_view person, std::string_view team,
                         std::string_view org) const override;
  std::string queue_basis(std::string_view person, std::string_view procedure,
                          std::string_view org) const override;
  std::string chief_post(std::string_view level, std::string_view org) const override;
  std::vector<std::string> post_people(std::string_view post, std::string_view org) const override;
  // The organisation, `org` or above, whose post that is: where somebody acts now; "" if nowhere.
  std::string post_org(std::string_view post, std::string_view org) const;
  std::string team_org(std::string_view team, std::string_view org) const;
  std::vector<std::string> team_people(std::string_view team, std::string_view org) const override;
  std::vector<std::string> queue_people(std::string_view procedure,
                                        std::string_view org) const override;
  // The same where `teams` says who is in each of the queue's teams.
  std::string queue_basis(std::string_view person, std::string_view procedure, std::string_view org,
                          const Directory& teams) const;
  std::vector<std::string> queue_people(std::string_view procedure, std::string_view org,
                                        const Directory& teams) const;
  bool is_active_person(std::string_view person) const override;
  std::int64_t credentials_reset_ms(std::string_view person) const override;
  bool is_org(std::string_view org) const override;
  std::vector<std::string> orgs_of(std::string_view kind) const override;
  bool within(std::string_view org, std::string_view ancestor) const override;

  // ---- State ----
  std::string_view prefix() const override { return "identity"; }
  void apply(const Entry& entry) override;
  std::optional<std::string> save_slice(std::size_t i) const override;
  void load_slice(std::string_view bytes) override;

  struct Impl;

 private:
  friend class Access;
  std::unique_ptr<Impl> impl_;
};

// ---- proving who you are -----------------------------------------------------------------------

struct SignIn {
  std::string login, password, code;  // code: a one-time or recovery code, "" when not yet asked
  std::string address;                // the peer's, for throttling; never stored
  std::string lang;                   // "" keeps the person's own
};

struct SignedIn {
  Principal principal;
  std::string cookie;  // the session's secret, 43 characters; only its hash is kept
};

// Thread-safe: none of these may be called under the state lock.
class Access {
 public:
  // Refusals: `session.refused` (whatever was wrong; unknown logins take the same time),
  // `session.totp-required` (the password was right), `session.throttled` with retry_after_s.
  Result<SignedIn> sign_in(const SignIn& request);
  // Who holds this cookie. Each call counts as activity. `session.expired` when there is nobody.
  Result<Principal> by_cookie(std::string_view cookie);
  // Who holds this API token ("cwt_…"). `token.refused`.
  Result<Principal> by_token(std::string_view token);
  // Whether a writing request carries the session's own X-CSRF value.
  static bool csrf_matches(const Principal& who, std::string_view header);

  Status sign_out(const Principal& who);
  std::vector<Session> sessions(const Principal& who);                    // mine, newest first
  Status revoke_session(const Principal& who, std::string_view session);  // one of mine
  // A new password; every other session of the person ends. Its refusals name /old or /new.
  Status change_password(const Principal& who, std::string_view old_password,
                         std::string_view new_password);
  // Proves oneself again before a dangerous act; gives the moment until which it counts.
  Result<std::int64_t> step_up(const Principal& who, std::string_view password,
                               std::string_view code);
  Status set_language(const Principal& who, std::string_view lang);

  struct Enrolment {
    std::string secret, uri;
  };                                                   // base 32, otpauth://
  Result<Enrolment> begin_totp(const Principal& who);  // good for 10 minutes
  Result<std::vector<std::string>> confirm_totp(const Principal& who,
                                                std::string_view code);  // recovery codes
  Status drop_totp(const Principal& who, std::string_view password);

  struct Impl;
  explicit Access(std::unique_ptr<Impl> impl);
  ~Access();

 private:
  std::unique_ptr<Impl> impl_;
};

// NIST SP 800-63B §5.1.1.2: length and a list of common ones, no composition rules, no rotation.
// At least 12 code points, at most 128; not common, not the login or one character repeated.
Status password_policy(std::string_view password, std::string_view login, std::string_view pointer);

}  // namespace cw
