// The link from which a calendar program reads somebody's own shifts. Only a hash of its secret is
// kept; the secret has 256 bits and cannot be guessed.
#include "base/text.h"
#include "crypto/crypto.h"
#include "state.h"

namespace cw {
namespace {

std::string hash_of(std::string_view secret) { return to_hex(bytes_of(sha256(secret))); }

}  // namespace

Result<Roster::CalendarLink> Roster::link_calendar(const Principal& who, Command command,
                                                   bool end) {
  const std::string secret = end ? "" : to_base64url(impl_->parts.random.bytes(32));
  auto answer = impl_->parts.journal.run(std::move(command), [&](Draft& d) -> Result<json::object> {
    if (!impl_->parts.identity.is_active_person(who.person))
      return problem(
          Refusal::forbidden, "roster.person-only",
          {"只有本人可以订阅自己的班次", "Only a person subscribes to their own shifts"});
    if (end && !impl_->links.contains(who.person)) return json::object{};
    d.append(duty_entry(who, "self", "link", end ? "ended" : "made",
                        {{"person", who.person}, {"hash", end ? "" : hash_of(secret)}}));
    return json::object{};
  });
  if (!answer) return std::move(answer).problem();
  return CalendarLink{answer->first, answer->repeated ? "" : secret};
}

std::int64_t Roster::linked_at(std::string_view person) const {
  auto it = impl_->links.find(person);
  return it == impl_->links.end() ? 0 : it->second.at_ms;
}

std::string Roster::linked_person(std::string_view secret) const {
  const std::string hash = hash_of(secret);
  for (const auto& [person, link] : impl_->links)
    if (link.hash == hash && impl_->parts.identity.is_active_person(person)) return person;
  return {};
}

}  // namespace cw
