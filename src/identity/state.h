// What identity holds in memory, and the helpers its sources share. Internal.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <semaphore>
#include <unordered_map>

#include "identity.h"

namespace cw {

// Activity of a session or token: touched by readers, so atomic. Not truth: kept in a table of its
// own, written now and then.
struct SeenAt {
  SeenAt() = default;
  SeenAt(const SeenAt& o) : at(o.at.load()), saved(o.saved.load()) {}
  SeenAt& operator=(const SeenAt& o) {
    at = o.at.load();
    saved = o.saved.load();
    return *this;
  }
  mutable std::atomic<std::int64_t> at{0}, saved{0};
};

struct PersonRecord {
  Person facts;                // name, login, email, phone are filled from the sealed profile
  std::string profile;         // commitment of {"name","login","email","phone"}
  std::string password, totp;  // commitments; "" when none
  std::string password_owner, totp_owner;  // owners of their keys, destroyed on replacement
  std::int64_t one_time_until = 0;         // 0: not a one-time password, or good for ever
  std::int64_t reset_ms = 0;               // see Directory::credentials_reset_ms
  std::int64_t totp_step = 0;              // the last step used; only larger ones are accepted
  std::vector<std::int64_t> recovery_used;
  bool erased = false;
  std::uint64_t seen = 0;  // entries up to here are already in a loaded slice
  std::string folded;      // name, login and staff number, folded, for search
};

struct SessionRecord {
  std::string id, person, hash;
  std::int64_t since = 0, expires_at = 0, authenticated_at = 0;
  SeenAt seen;
};

struct TokenRecord {
  Token facts;
  std::string hash, label;  // label: commitment of the sealed text
  SeenAt used;
};

using OrgKey = std::pair<std::string, std::string>;  // org, then post, team or procedure

struct Identity::Impl {
  Impl(Journal& j, Sealed& s, Clock& c, Random& r, AccessOptions o)
      : journal(j),
        sealed(s),
        clock(c),
        random(r),
        options(std::move(o)),
        hashing(options.hashing_max) {}

  Journal& journal;
  Sealed& sealed;
  Clock& clock;
  Random& random;
  AccessOptions options;
  std::unique_ptr<Access> access;
  bool opened = false;

  // --- the state; "core" is everything but people ---
  std::uint64_t next_seq = 0, core_seen = 0;  // entries below core_seen came with a slice
  std::size_t prune_at = 1024;                // sessions
  std::string root;
  std::map<std::string, Org> orgs;
  std::deque<PersonRecord> people;  // in the order they were added; never shrinks
  std::unordered_map<std::string, PersonRecord*> person_by_id;
  std::unordered_map<std::string, PersonRecord*> person_by_login;  // folded
  std::unordered_map<std::string, PersonRecord*> person_by_staff_no;
  std::map<OrgKey, Post> posts;
  std::map<std::string, PostDelegation> delegations;  // by id, so by when they were given
  std::map<OrgKey, Team> teams;
  std::map<OrgKey, Queue> queues;
  std::map<std::string, Role> roles;  // custom, and changed built-in ones
  std::map<std::string, SessionRecord> sessions;
  std::unordered_map<std::string, std::string> session_by_hash;
  std::map<std::string, TokenRecord> tokens;
  std::unordered_map<std::string, std::string> token_by_hash;

  std::unordered_map<std::string, std::vector<std::string>> sessions_of;  // person, oldest first

  // Plaintext that the command being decided has sealed: apply cannot read it back before COMMIT.
  // Touched on the writer thread alone.
  std::unordered_map<std::string, std::string> pending;

  // --- state.cpp ---
  using Apply = void (Impl::*)(const Entry&);
  static const std::unordered_map<std::string_view, Apply>& verbs();
  PersonRecord* find(std::string_view person);
  const PersonRecord* find(std::string_view person) const;
  const PersonRecord* find_login(std::string_view login) const;
  const SessionRecord* live_session(const std::string& id) const;
  PersonRecord& add(PersonRecord record);
  void fill_profile(PersonRecord& p, std::string_view json_text);
  void forget_profile(PersonRecord& p);
  void index_staff_no(PersonRecord& p, std::string staff_no);
  void add_session(SessionRecord s);
  void drop_session(const std::string& id);
  void end_sessions_of(const std::string& person, std::string_view except);
  void prune_sessions(std::int64_t now_ms);
  void add_token(TokenRecord t);
  PersonRecord* person_to_change(const Entry& e);  // nullptr: unknown, or already in its slice
  bool core_to_change(const Entry& e) const { return e.seq >= core_seen; }
  void on_person_added(const Entry& e);
  void on_person_changed(const Entry& e);
  void on_person_active(const Entry& e);
  void on_person_erased(const Entry& e);
  void on_password_set(const Entry& e);
  void on_totp_set(const Entry& e);
  void on_totp_removed(const Entry& e);
  void on_recovery_used(const Entry& e);
  void on_granted(const Entry& e);
  void on_withdrawn(const Entry& e);
  void on_signed_in(const Entry& e);
  void on_stepped_up(const Entry& e);
  void on_signed_out(const Entry& e);
  void on_org(const Entry& e);
  void on_role(const Entry& e);
  void on_post(const Entry& e);
  void on_delegated(const Entry& e);
  void on_delegation_ended(const Entry& e);
  void on_team(const Entry& e);
  void on_queue(const Entry& e);
  void on_token_added(const Entry& e);
  void on_token_revoked(const Entry& e);

  // --- authorise.cpp ---
  const Role* role(const std::string& id) const;
  bool within(std::string_view org, std::string_view ancestor) const;
  Result<std::string> may(const Principal& who, Permission p, std::string_view org) const;
  // The same for an organisation that somebody names: that there is none of that id learns only who
  // may everywhere. To anybody else it is one out of reach.
  Result<std::string> may_in(const Principal& who, Permission p, std::string_view org,
                             std::string_view pointer) const;
  // [people.manage] over somebody; who may not even read of them learns nothing, not that they are.
  Result<std::string> may_person(const Principal& who, const PersonRecord& person) const;
  Status recent(const Principal& who) const;
  PermissionSet allowed_at(const Principal& who, std::string_view org) const;

  // --- directory.cpp ---
  std::string parent_of(std::string_view org) const;
  bool active(std::string_view person) const;
  bool absent(const Post& post) const;
  std::vector<std::string> acting(const Post& post) const;
  std::vector<std::string> delegates(const Post& post) const;  // of its holder, now
  const Post* acting_post(std::string_view post, std::string_view org) const;
  const Team* acting_team(std::string_view team, std::string_view org) const;
  const Queue* acting_queue(std::string_view procedure, std::string_view org) const;

  // --- identity.cpp ---
  Result<Answer> change(Command command, const Decide& decide);
  // Seals under `owner`'s key and adds the rows; apply finds the plaintext in `pending`.
  std::string seal(Draft& d, const std::string& owner, const std::string& plaintext);
  void destroy(Draft& d, const std::string& owner);
  Result<std::string> hash_password(std::string_view password);
  Result<bool> check_password(const std::string& phc, std::string_view password);
  void set_password(Draft& d, const Entry& by, const std::string& person, const std::string& phc,
                    json::object more);
  void touch(const std::string& id, const SeenAt& seen, std::int64_t now, std::int64_t every_ms,
             std::int64_t until);

  // --- people.cpp ---
  Status may_grant(const Principal& who, const Grant& grant, std::string_view pointer) const;

  std::counting_semaphore<64> hashing;
};

// The post template: what every organisation has from the start.
struct PostTemplate {
  const char* id;
  Text title;
  std::vector<std::string> chief_of;
};
const std::vector<PostTemplate>& post_template();
const std::vector<Role>& builtin_roles();

// Records as they stand in entries' bodies and in snapshots.
json::object body_of(const Org& org);
json::object body_of(const Role& role);
json::object body_of(const Post& post);
json::object body_of(const PostDelegation& delegation);
json::object body_of(const Team& team);
json::object body_of(const Queue& queue);
json::object body_of(const TokenRecord& token);
json::object body_of(const PersonRecord& person);
Org org_from(const json::object& body);
Role role_from(const json::object& body);
Post post_from(const json::object& body);
PostDelegation delegation_from(const json::object& body);
Team team_from(const json::object& body);
Queue queue_from(const json::object& body);
TokenRecord token_from(const json::object& body);
PersonRecord person_from(const json::object& body);

json::array to_array(const std::vector<std::string>& list);
std::vector<std::string> strings_of(const json::object& o, std::string_view key);
json::object text_object(const Text& text);
Text text_of(const json::object& o, std::string_view key);

// A name for a post, team, role, queue: [a-z][a-z0-9.-]{0,63}.
bool is_slug(std::string_view s);
bool fits(std::string_view utf8, std::size_t points_min,
          std::size_t points_max);  // and no controls
Status check_title(const Text& title, std::string_view pointer);
Problem unknown_person(std::string_view pointer);
Problem unknown_org(std::string_view pointer);

// A one-time password: 16 characters without look-alikes, in groups of four (76 bits).
std::string make_one_time_password(Random& random);
std::string token_hash(std::string_view secret);  // SHA-256, hex: 256-bit secrets cannot be guessed
std::string csrf_of(std::string_view cookie);
Entry entry_by(const Principal& who, std::string basis, std::string_view verb, json::object body);

}  // namespace cw
