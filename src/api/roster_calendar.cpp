#include "calendar/ics.h"
#include "roster.h"

// Shifts as iCalendar: a file for who is signed in, and a link for their calendar program.
namespace cw::api {
namespace {

struct CalendarLinkOut {
  std::int64_t seq = 0;
  std::string path;  // with its secret, shown this once; "" when the command was repeated
};
BOOST_DESCRIBE_STRUCT(CalendarLinkOut, (), (seq, path))

constexpr const char* kFeed = "/roster/feed/";

http::Response ics_response(const std::string& name, const std::vector<IcsEvent>& events,
                            std::int64_t now_ms) {
  http::Response response;
  response.status = 200;
  response.headers.set("Content-Type", "text/calendar; charset=utf-8");
  response.headers.set("Content-Disposition", "attachment; filename=\"duty.ics\"");
  response.body = write_ics(name, events, now_ms);
  return response;
}

// From a month ago to three months ahead; under the state lock.
std::vector<IcsEvent> own_events(const Services& s, const std::string& person,
                                 const std::string& org, const std::string& lang) {
  const std::int64_t today = s.roster.today(org);
  return s.roster.events(s.roster.shifts_of(person, today - 31, today + 92), lang, false);
}

// My shifts, or with `org` those of an organisation (and of one layer) with names.
Result<http::Response> calendar_file(Call& call) {
  std::string name;
  auto events = call.s.journal.read([&]() -> Result<std::vector<IcsEvent>> {
    const std::string& lang = call.who.lang;
    const std::string layer = call.query("layer");
    if (call.query("org").empty()) {
      name = call.s.identity.display_name(call.who.person);
      return own_events(call.s, call.who.person, call.who.org, lang);
    }
    auto days = asked_days(call, kGridDaysMax);
    if (!days) return std::move(days).problem();
    auto shifts = call.s.roster.shifts(days->org, days->from, days->to);
    if (!layer.empty()) std::erase_if(shifts, [&](const Shift& x) { return x.ref.layer != layer; });
    name = shifts.empty() ? "" : shifts.front().roster_title.in(lang);
    return call.s.roster.events(shifts, lang, true);
  });
  if (!events) return std::move(events).problem();
  return ics_response(name, *events, call.s.clock.now_ms());
}

// The secret is the key: whoever has the link sees these shifts' times, and nothing else.
Result<http::Response> feed(Call& call) {
  std::string key = call.http.param("key");
  if (key.ends_with(".ics")) key.resize(key.size() - 4);
  std::string name;
  std::vector<IcsEvent> events;
  const bool found = call.s.journal.read([&] {
    const Services& s = call.s;
    const std::string id = s.roster.linked_person(key);
    const auto person = s.identity.person(id);
    if (id.empty() || !person) return false;
    name = person->name;
    events = own_events(s, id, person->org, person->lang);
    return true;
  });
  if (!found) return no_such({"这个日历", "such a calendar"});
  return ics_response(name, events, call.s.clock.now_ms());
}

}  // namespace

void add_roster_calendar(Table& t) {
  t.raw("GET", "/roster/calendar.ics",
        {"roster.read",
         "iCalendar: my shifts, or those of an organisation",
         {{"org", "an organisation; absent: my own shifts"},
          {"layer", "only this layer"},
          {"from", "first day, 2026-11-23; absent: today"},
          {"days", "1–62"}},
         1024,
         "text/calendar"},
        calendar_file);
  t.raw(
      "GET", std::string(kFeed) + "{key}",
      {"public", "iCalendar of whose link has this key, `.ics` or not", {}, 1024, "text/calendar"},
      feed);
  t.post<Nothing, CalendarLinkOut>(
      "/roster/calendar-link",
      {"roster.read", "A link for my calendar program; the one before opens no longer"},
      [](Call& c, Nothing&) -> Result<CalendarLinkOut> {
        auto made = c.s.roster.link_calendar(c.who, c.command, false);
        if (!made) return std::move(made).problem();
        return CalendarLinkOut{
            static_cast<std::int64_t>(made->seq),
            made->secret.empty() ? "" : "/api/v1" + (kFeed + made->secret) + ".ics"};
      });
  t.remove<Written>("/roster/calendar-link", {"roster.read", "My calendar's link ends"},
                    [](Call& c) -> Result<Written> {
                      auto ended = c.s.roster.link_calendar(c.who, c.command, true);
                      if (!ended) return std::move(ended).problem();
                      return Written{static_cast<std::int64_t>(ended->seq)};
                    });
}

}  // namespace cw::api
