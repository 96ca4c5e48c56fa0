// Slice 0: everything but people. Slice n: people (n-1)*1000 … in the order they were added; the
// order never changes, so slices saved at different moments fit together.
#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "state.h"

namespace cw {
namespace {

constexpr std::size_t kPeoplePerSlice = 1000;

template <typename Map>
json::array bodies_of(const Map& map) {
  json::array out;
  for (const auto& [key, value] : map) out.push_back(body_of(value));
  return out;
}

template <typename F>
void each_body(const json::object& slice, std::string_view key, const F& f) {
  if (const auto* list = slice.if_contains(key)) {
    for (const auto& body : list->as_array()) f(body.as_object());
  }
}

// A line a session: there may be a hundred thousand, and everyone waits while they are written.
std::string session_lines(const std::map<std::string, SessionRecord>& sessions) {
  std::string out;
  for (const auto& [id, s] : sessions) {
    out += fmt::format("{} {} {} {} {} {}\n", id, s.person, s.hash, s.since, s.expires_at,
                       s.authenticated_at);
  }
  return out;
}

SessionRecord session_from(std::string_view line) {
  auto parts = split(line, ' ');
  CW_CHECK(parts.size() == 6);
  SessionRecord s;
  s.id = parts[0];
  s.person = parts[1];
  s.hash = parts[2];
  s.since = to_int<std::int64_t>(parts[3]).value_or(0);
  s.expires_at = to_int<std::int64_t>(parts[4]).value_or(0);
  s.authenticated_at = to_int<std::int64_t>(parts[5]).value_or(0);
  return s;
}

}  // namespace

std::optional<std::string> Identity::save_slice(std::size_t i) const {
  json::object slice;
  slice["next_seq"] = impl_->next_seq;
  if (i == 0) {
    slice["orgs"] = bodies_of(impl_->orgs);
    slice["roles"] = bodies_of(impl_->roles);
    slice["posts"] = bodies_of(impl_->posts);
    slice["delegations"] = bodies_of(impl_->delegations);
    slice["teams"] = bodies_of(impl_->teams);
    slice["queues"] = bodies_of(impl_->queues);
    slice["tokens"] = bodies_of(impl_->tokens);
    slice["sessions"] = session_lines(impl_->sessions);
    return json::serialize(slice);
  }
  std::size_t from = (i - 1) * kPeoplePerSlice;
  if (from >= impl_->people.size()) return std::nullopt;
  json::array people;
  for (std::size_t k = from; k < std::min(from + kPeoplePerSlice, impl_->people.size()); ++k) {
    people.push_back(body_of(impl_->people[k]));
  }
  slice["people"] = std::move(people);
  return json::serialize(slice);
}

void Identity::load_slice(std::string_view bytes) {
  auto parsed = parse_json(bytes, {.size_max = std::size_t{1} << 30});
  CW_CHECK(parsed.ok() && parsed->is_object());  // the journal has checked the slice's sum
  const json::object& slice = parsed->get_object();
  Impl& s = *impl_;
  auto next = static_cast<std::uint64_t>(slice.at("next_seq").to_number<std::int64_t>());
  s.next_seq = std::max(s.next_seq, next);
  each_body(slice, "people", [&](const json::object& b) {
    PersonRecord p = person_from(b);
    p.seen = next;
    s.add(std::move(p));
  });
  if (!slice.contains("orgs")) return;
  s.core_seen = next;
  each_body(slice, "orgs", [&](const json::object& b) {
    Org org = org_from(b);
    if (org.parent.empty()) s.root = org.id;
    s.orgs[org.id] = std::move(org);
  });
  each_body(slice, "roles", [&](const json::object& b) {
    Role r = role_from(b);
    s.roles[r.id] = std::move(r);
  });
  each_body(slice, "posts", [&](const json::object& b) {
    Post p = post_from(b);
    s.posts[{p.org, p.id}] = std::move(p);
  });
  each_body(slice, "delegations", [&](const json::object& b) {
    PostDelegation d = delegation_from(b);
    s.delegations[d.id] = std::move(d);
  });
  each_body(slice, "teams", [&](const json::object& b) {
    Team t = team_from(b);
    s.teams[{t.org, t.id}] = std::move(t);
  });
  each_body(slice, "queues", [&](const json::object& b) {
    Queue q = queue_from(b);
    s.queues[{q.org, q.procedure}] = std::move(q);
  });
  each_body(slice, "tokens", [&](const json::object& b) { s.add_token(token_from(b)); });
  for (auto line : split(text_or(slice, "sessions"), '\n')) {
    if (!line.empty()) s.add_session(session_from(line));
  }
  s.prune_at = std::max<std::size_t>(1024, s.sessions.size() * 2);
}

}  // namespace cw
