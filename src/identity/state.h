// What identity holds in memory, and the helpers its sources share. Internal.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <unordered_map>

#include "identity.h"

namespace cw {

// Activity of a session or token: touched by readers, so atomic. Not truth: kept by snapshots only.
struct SeenAt {
  SeenAt() = default;
  SeenAt(const SeenAt& o) : at(o.at.load()) {}
  SeenAt& operator=(const SeenAt& o) { at = o.at.load(); return *this; }
  mutable std::atomic<std::int64_t> at{0};
};

struct PersonRecord {
  Person facts;                   // name, login, email, phone are filled from the sealed profile
  std::string profile;            // commitment of {"name","login","email","phone"}
  std::string password, totp;     // commitments; "" when none
  std::string password_owner, totp_owner;  // owners of their keys, destroyed on replacement
  std::int64_t one_time_until = 0;         // 0: not a one-time password, or good for ever
  std::int64_t totp_step = 0;              // the last step used; only larger ones are accepted
  std::vector<std::int64_t> recovery_used;
  bool erased = false;
  std::uint64_t seen = 0;         // entries up to here are already in a loaded slice
  std::string folded;             // name, login and staff number, folded, for search
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
      : journal(j), sealed(s), clock(c), random(r), options(std::move(o)) {}

  Journal& journal;
  Sealed& sealed;
  Clock& clock;
  Random& random;
  AccessOptions options;
  std::unique_ptr<Access> access;
  bool opened = false;

  // --- the state; "core" is everything but people ---
  std::uint64_t next_seq = 0, core_seen = 0;  // the next entry; entries below core_seen are loaded
  std::string root;
  std::map<std::string, Org> orgs;
  std::deque<PersonRecord> people;            // in the order they were added; never shrinks
  std::unordered_map<std::string, PersonRecord*> person_by_id;
  std::unordered_map<std::string, PersonRecord*> person_by_login;   // folded
  std::unordered_map<std::string, PersonRecord*> person_by_staff_no;
  std::map<OrgKey, Post> posts;
  std::map<OrgKey, Team> teams;
  std::map<OrgKey, Queue> queues;
  std::map<std::string, Role> roles;          // custom, and changed built-in ones
  std::map<std::string, SessionRecord> sessions;
  std::unordered_map<std::string, std::string> session_by_hash;
  std::map<std::string, TokenRecord> tokens;
  std::unordered_map<std::string, std::string> token_by_hash;

  // Plaintext of contents sealed by commands under way: apply cannot read them back before COMMIT.
  std::mutex pending_mutex;
  std::unordered_map<std::string, std::string> pending;

  // --- state.cpp ---
  PersonRecord* find(std::string_view person);
  const PersonRecord* find(std::string_view person) const;
  const PersonRecord* find_login(std::string_view login) const;
  void fill_profile(PersonRecord& p, const std::string& json_text);
  void forget_profile(PersonRecord& p);
  void end_sessions_of(std::string_view person, std::string_view except);
  void index_session(const SessionRecord& s);
  void drop_session(const std::string& id);
  std::string content_text(const std::string& commitment);  // pending, else opened, else ""

  // --- authorise.cpp ---
  const Role* role(const std::string& id) const;
  bool within(std::string_view org, std::string_view ancestor) const;
  Result<std::string> may(const Principal& who, Permission p, std::string_view org) const;
  Status recent(const Principal& who) const;
  PermissionSet allowed_at(const Principal& who, std::string_view org) const;

  // --- directory.cpp ---
  std::string parent_of(std::string_view org) const;
  bool active(std::string_view person) const;
  bool absent(const Post& post) const;
  std::vector<std::string> acting(const Post& post) const;
  const Post* acting_post(std::string_view post, std::string_view org) const;
  const Team* acting_team(std::string_view team, std::string_view org) const;
  const Queue* acting_queue(std::string_view procedure, std::string_view org) const;

  // --- commands.cpp ---
  // May, recently proved, and not a stale session: what every change asks first.
  Result<std::string> allow_change(const Principal& who, Permission p, std::string_view org) const;
  Result<Answer> change(const Principal& who, Command command, Decide decide);
  // Seals, remembers the plaintext until the command is over, and adds the rows.
  std::string seal(Draft& d, const std::string& owner, const std::string& plaintext);
  void destroy(Draft& d, const std::string& owner);
};

// The post template: what every organisation has from the start.
struct PostTemplate { const char* id; Text title; std::vector<std::string> chief_of; };
const std::vector<PostTemplate>& post_template();
const std::vector<Role>& builtin_roles();

// Body helpers for entries.
json::array to_array(const std::vector<std::string>& list);
std::vector<std::string> strings_of(const json::object& o, std::string_view key);
json::object text_object(const Text& text);
Text text_of(const json::object& o, std::string_view key);

// A name for a post, team, role, queue: [a-z][a-z0-9.-]{0,63}.
bool is_slug(std::string_view s);
bool fits(std::string_view utf8, std::size_t points_min, std::size_t points_max);  // and no controls
Status check_title(const Text& title, std::string_view pointer);
Problem unknown_person(std::string_view pointer);
Problem unknown_org(std::string_view pointer);

// A one-time password: 16 characters without look-alikes, in groups of four (76 bits).
std::string make_one_time_password(Random& random);
std::string token_hash(std::string_view secret);  // SHA-256, hex: 256-bit secrets cannot be guessed
std::string csrf_of(std::string_view cookie);

}  // namespace cw
