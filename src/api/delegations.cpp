#include "common.h"

// Posts lent for a time: a holiday. Whoever acts so acts for the holder, who stays answerable.
namespace cw::api {
namespace {

struct DelegationOut {
  std::string id;
  PersonRef from, to;
  std::vector<std::string> posts;  // empty: every post that `from` holds
  std::vector<Text> titles;        // of those
  std::int64_t from_at = 0, until_at = 0;
  bool now = false;
};
BOOST_DESCRIBE_STRUCT(DelegationOut, (), (id, from, to, posts, titles, from_at, until_at, now))

struct DelegationIn {
  std::string to;
  std::optional<std::string> from;
  std::optional<std::vector<std::string>> posts;
  std::optional<std::int64_t> from_at;
  std::int64_t until_at = 0;
};
BOOST_DESCRIBE_STRUCT(DelegationIn, (), (to, from, posts, from_at, until_at))

struct DelegationMade {
  std::int64_t seq = 0;
  std::string id;
};
BOOST_DESCRIBE_STRUCT(DelegationMade, (), (seq, id))

// The posts that a delegation covers, as people call them. Under the state lock.
std::vector<Text> titles_of(const Services& s, const PostDelegation& d) {
  std::vector<Text> out;
  for (const auto& org : s.identity.orgs())
    for (const auto& post : s.identity.posts(org.id)) {
      const bool named =
          d.posts.empty() || std::find(d.posts.begin(), d.posts.end(), post.id) != d.posts.end();
      if (post.holder == d.from && named) out.push_back(post.title);
    }
  return out;
}

Result<Page<DelegationOut>> list_delegations(Call& call) {
  std::string person = call.query("person");
  if (person.empty()) person = call.who.person;
  return call.s.journal.read([&]() -> Result<Page<DelegationOut>> {
    if (person != call.who.person) {
      auto who = call.s.identity.person(person);
      if (!who || !call.s.identity.may(call.who, Permission::people_read, who->org))
        return no_such({"这位人员", "such a person"});
    }
    Page<DelegationOut> page;
    const std::int64_t now = call.s.clock.now_ms();
    for (const auto& d : call.s.identity.delegations(person)) {
      if (person.empty()) break;  // a program has none
      page.items.push_back({d.id, person_ref(call.s, d.from), person_ref(call.s, d.to), d.posts,
                            titles_of(call.s, d), d.from_at, d.until_at,
                            d.from_at <= now && now < d.until_at});
    }
    return page;
  });
}

Result<DelegationMade> delegate(Call& call, DelegationIn& in) {
  PostDelegation wanted{.id = {},
                        .from = in.from.value_or(""),
                        .to = in.to,
                        .posts = in.posts.value_or(std::vector<std::string>{}),
                        .from_at = in.from_at.value_or(0),
                        .until_at = in.until_at};
  if (wanted.from.empty()) wanted.from = call.who.person;
  auto tell = [&](Draft& draft, std::uint64_t seq) {
    Text posts;
    for (const Text& title : titles_of(call.s, wanted)) {
      posts.zh += (posts.zh.empty() ? "" : "、") + title.zh;
      posts.en += (posts.en.empty() ? "" : ", ") + title.en;
    }
    call.s.notify.tell(draft, {.about = "assigned",
                               .seq = seq,
                               .name = "delegation",
                               .org = call.who.org,
                               .path = "/account",
                               .text = {"代行岗位 " + posts.zh, "To act as " + posts.en},
                               .due_ms = wanted.until_at,
                               .people = {wanted.to}});
  };
  auto answer = call.s.identity.delegate_posts(call.who, call.command, wanted, tell);
  if (!answer) return std::move(answer).problem();
  return DelegationMade{written(*answer).seq, std::string(text_or(answer->body, "id"))};
}

}  // namespace

void add_delegations(Table& t) {
  t.tag("people");
  t.get<Page<DelegationOut>>(
      "/delegations",
      {"session",
       "Posts that I lent or was lent, not yet ended; of another person with "
       "people.read",
       {{"person", ""}}},
      list_delegations);
  t.create<DelegationIn, DelegationMade>(
      "/delegations",
      {"session", "Let a person act in my posts until a time; with posts.manage in another's"},
      delegate);
  t.remove<Written>("/delegations/{id}", {"session", "End it: either side, or posts.manage"},
                    [](Call& c) -> Result<Written> {
                      auto answer = c.s.identity.end_delegation(c.who, c.command, c.id());
                      if (!answer) return std::move(answer).problem();
                      return written(*answer);
                    });
}

}  // namespace cw::api
