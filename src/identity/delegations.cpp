// A holder lets somebody act in their posts for a time: a holiday. It begins and ends by itself.
#include <algorithm>

#include "base/id.h"
#include "state.h"

namespace cw {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kLongestMs = 90 * kDayMs;
constexpr std::int64_t kAheadMs = 366 * kDayMs;
constexpr std::size_t kOfOneMax = 20;  // not yet ended, of one holder

bool covers(const PostDelegation& d, const std::string& post) {
  return d.posts.empty() || std::find(d.posts.begin(), d.posts.end(), post) != d.posts.end();
}

bool holds(const Identity::Impl& s, std::string_view person, std::string_view post) {
  return std::any_of(s.posts.begin(), s.posts.end(), [&](const auto& p) {
    return p.second.holder == person && (post.empty() || p.second.id == post);
  });
}

Status check_times(const PostDelegation& d, std::int64_t now) {
  if (d.from_at < now - 60'000 || d.from_at > now + kAheadMs)
    return invalid("delegation.from", "/from_at",
                   {"开始时间须为现在或今后一年之内", "It begins now or within a year"});
  if (d.until_at <= d.from_at || d.until_at - d.from_at > kLongestMs)
    return invalid("delegation.until", "/until_at",
                   {"结束时间须在开始之后 90 天之内", "It ends within 90 days of its beginning"});
  return done();
}

// Only what somebody holds can be delegated: who acts as deputy or delegate hands nothing on.
Status check_posts(const Identity::Impl& s, const PostDelegation& d) {
  if (d.posts.empty() && !holds(s, d.from, ""))
    return problem(
        Refusal::conflict, "delegation.no-post",
        {"没有任职的岗位可以委托；代理和受委托的岗位不能再委托",
         "There is no post held to delegate; acting as deputy or delegate goes no further"});
  for (std::size_t i = 0; i < d.posts.size(); ++i) {
    const bool twice = std::find(d.posts.begin(), d.posts.begin() + static_cast<std::ptrdiff_t>(i),
                                 d.posts[i]) != d.posts.begin() + static_cast<std::ptrdiff_t>(i);
    if (twice || !holds(s, d.from, d.posts[i]))
      return invalid(
          "delegation.post", "/posts/" + std::to_string(i),
          {"只能委托自己任职的岗位，每个写一次", "Only posts that one holds, each once"});
  }
  return done();
}

}  // namespace

std::vector<std::string> Identity::Impl::delegates(const Post& post) const {
  std::vector<std::string> out;
  const std::int64_t now = clock.now_ms();
  for (const auto& [id, d] : delegations) {
    if (d.from != post.holder || now < d.from_at || now >= d.until_at) continue;
    if (!covers(d, post.id) || !active(d.to)) continue;
    if (std::find(out.begin(), out.end(), d.to) == out.end()) out.push_back(d.to);
  }
  return out;
}

Result<Answer> Identity::delegate_posts(
    const Principal& who, Command command, PostDelegation wanted,
    const std::function<void(Draft&, std::uint64_t)>& and_then) {
  return impl_->change(std::move(command), [&](Draft& d) -> Result<json::object> {
    PostDelegation made = wanted;
    if (made.from.empty()) made.from = who.person;
    const PersonRecord* from = impl_->find(made.from);
    if (from == nullptr || !from->facts.active) return unknown_person("/from");
    std::string basis = "self";
    if (made.from != who.person) {
      auto may = impl_->may(who, Permission::posts_manage, from->facts.org);
      if (!may) return may.problem();
      basis = *may;
    }
    if (made.to == made.from || !impl_->active(made.to))
      return invalid("delegation.person", "/to",
                     {"请选择另一位在岗人员", "Choose another active person"});
    if (made.from_at == 0) made.from_at = d.now_ms();
    if (auto s = check_times(made, d.now_ms()); !s) return s.problem();
    if (auto s = check_posts(*impl_, made); !s) return s.problem();
    const auto open =
        std::count_if(impl_->delegations.begin(), impl_->delegations.end(), [&](const auto& o) {
          return o.second.from == made.from && o.second.until_at > d.now_ms();
        });
    if (static_cast<std::size_t>(open) >= kOfOneMax)
      return problem(Refusal::conflict, "delegation.too-many",
                     {"未结束的委托最多 20 项", "At most 20 delegations at a time"});
    made.id = new_id("dlg", d.now_ms(), d.random());
    const std::uint64_t seq = d.append(entry_by(who, basis, "delegated", body_of(made)));
    if (and_then) and_then(d, seq);
    return json::object{{"id", made.id}};
  });
}

Result<Answer> Identity::end_delegation(const Principal& who, Command command,
                                        std::string_view id) {
  return impl_->change(std::move(command), [&](Draft& d) -> Result<json::object> {
    auto it = impl_->delegations.find(std::string(id));
    auto unknown =
        problem(Refusal::not_found, "delegation.unknown",
                {"没有这项委托，或已结束", "There is no such delegation, or it has ended"});
    if (it == impl_->delegations.end() || it->second.until_at <= d.now_ms()) return unknown;
    std::string basis = who.person == it->second.from ? "self" : "delegate";
    if (who.person != it->second.from && who.person != it->second.to) {
      const PersonRecord* from = impl_->find(it->second.from);
      auto may = impl_->may(who, Permission::posts_manage, from->facts.org);
      if (!may) return unknown;
      basis = *may;
    }
    d.append(entry_by(who, basis, "delegation-ended", {{"delegation", it->second.id}}));
    return json::object{};
  });
}

std::vector<PostDelegation> Identity::delegations(std::string_view person) const {
  std::vector<PostDelegation> out;
  for (const auto& [id, d] : impl_->delegations)
    if (d.until_at > impl_->clock.now_ms() &&
        (person.empty() || d.from == person || d.to == person))
      out.push_back(d);
  return out;
}

void Identity::Impl::on_delegated(const Entry& e) {
  if (!core_to_change(e)) return;
  std::erase_if(delegations, [&](const auto& d) { return d.second.until_at <= e.at_ms; });
  PostDelegation d = delegation_from(e.body);
  delegations[d.id] = std::move(d);
}

void Identity::Impl::on_delegation_ended(const Entry& e) {
  if (core_to_change(e)) delegations.erase(std::string(text_or(e.body, "delegation")));
}

json::object body_of(const PostDelegation& d) {
  return {{"delegation", d.id},         {"from", d.from},       {"to", d.to},
          {"posts", to_array(d.posts)}, {"from_at", d.from_at}, {"until_at", d.until_at}};
}

PostDelegation delegation_from(const json::object& b) {
  return {std::string(text_or(b, "delegation")),
          std::string(text_or(b, "from")),
          std::string(text_or(b, "to")),
          strings_of(b, "posts"),
          int_or(b, "from_at"),
          int_or(b, "until_at")};
}

}  // namespace cw
