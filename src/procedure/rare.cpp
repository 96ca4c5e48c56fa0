// What few cases have (state.h, Rare) as an entry's body, and back.
#include <algorithm>

#include "body.h"

namespace cw {
namespace {

const Rare& rare_of(const Case& c) {
  static const Rare none;
  return c.rare ? *c.rare : none;
}

const Asked* asked_of(const Rare& r, std::uint32_t id) {
  for (const Asked& a : r.asked)
    if (a.id == id) return &a;
  return nullptr;
}

void asked_difference(const Engine::Impl& m, const Definition& d, const Rare& was, const Rare& is,
                      json::object& body) {
  json::array settled;
  for (const Asked& a : was.asked)
    if (!asked_of(is, a.id)) settled.emplace_back(std::int64_t{a.id});
  if (!settled.empty()) body["settled"] = std::move(settled);
  for (const Asked& a : is.asked) {
    const Asked* old = asked_of(was, a.id);
    if (!old) {
      json::object facts, o;
      for (auto [fact, value] : a.facts)
        facts[d.facts[fact].id] = fact_json(d.facts[fact], value, m.names);
      o["id"] = std::int64_t{a.id};
      o[a.task ? "task" : "action"] = a.task ? d.tasks[a.index].id : d.actions[a.index].id;
      if (!facts.empty()) o["facts"] = std::move(facts);
      if (a.evidence != 0) o["evidence"] = std::int64_t{a.evidence};
      if (a.to >= 0) o["to"] = d.states[a.to].id;
      body["ask"] = std::move(o);
    } else if (a.granted.size() > old->granted.size()) {
      body["granted"] =
          json::object{{"id", std::int64_t{a.id}}, {"by", m.names.text(a.granted.back())}};
    }
  }
}

template <typename T, typename F>
void list_difference(const std::vector<T>& was, const std::vector<T>& is, json::object& body,
                     const char* added, const char* removed, F&& write) {
  json::array plus, minus;
  for (const T& x : is)
    if (std::find(was.begin(), was.end(), x) == was.end()) plus.push_back(write(x));
  for (const T& x : was)
    if (std::find(is.begin(), is.end(), x) == is.end()) minus.push_back(write(x));
  if (!plus.empty()) body[added] = std::move(plus);
  if (!minus.empty()) body[removed] = std::move(minus);
}

// By name; since when is the entry's time.
void admitted_difference(const Engine::Impl& m, const std::vector<Admitted>& was,
                         const std::vector<Admitted>& is, json::object& body, const char* added,
                         const char* removed) {
  auto has = [](const std::vector<Admitted>& list, Name person) {
    return std::any_of(list.begin(), list.end(),
                       [&](const Admitted& a) { return a.person == person; });
  };
  json::array plus, minus;
  for (const Admitted& a : is)
    if (std::find(was.begin(), was.end(), a) == was.end())
      plus.emplace_back(m.names.text(a.person));
  for (const Admitted& a : was)
    if (!has(is, a.person)) minus.emplace_back(m.names.text(a.person));
  if (!plus.empty()) body[added] = std::move(plus);
  if (!minus.empty()) body[removed] = std::move(minus);
}

// Whoever acts for another makes both of them party to it.
void stand(Engine::Impl& m, Asked& asked, const Entry& e) {
  asked.stood.push_back(m.names.add(e.actor));
  if (auto holder = acted_for(e.basis); !holder.empty()) asked.stood.push_back(m.names.add(holder));
}

void patch_asked(Engine::Impl& m, Case& c, const Entry& e) {
  const Definition& d = *m.of(c).definition;
  const json::object& body = e.body;
  if (const json::value* settled = body.if_contains("settled"))
    for (const json::value& id : settled->as_array())
      std::erase_if(c.extra().asked, [&](const Asked& a) { return a.id == id.as_int64(); });
  if (const json::value* granted = body.if_contains("granted"))
    for (Asked& a : c.extra().asked)
      if (a.id == int_or(granted->as_object(), "id")) {
        a.granted.push_back(m.names.add(text_or(granted->as_object(), "by")));
        stand(m, a, e);
      }
  const json::value* ask = body.if_contains("ask");
  if (!ask) return;
  const json::object& o = ask->as_object();
  Asked a;
  a.id = static_cast<std::uint32_t>(int_or(o, "id"));
  a.task = o.contains("task");
  a.index = static_cast<std::uint16_t>(known(a.task ? d.task(c.state, text_or(o, "task"))
                                                    : d.action(c.state, text_or(o, "action"))));
  a.asker = m.names.add(e.actor);
  stand(m, a, e);
  a.seq = e.seq;
  a.at_ms = e.at_ms;
  a.content = e.content;
  a.evidence = static_cast<std::uint16_t>(int_or(o, "evidence"));
  if (o.contains("to")) a.to = known(d.state(text_or(o, "to")));
  if (const json::value* facts = o.if_contains("facts"))
    for (const auto& [id, value] : facts->as_object()) {
      int fact = known(d.fact(id));
      a.facts.emplace_back(static_cast<std::uint16_t>(fact),
                           fact_value(d.facts[fact], value, m.names));
    }
  std::sort(a.facts.begin(), a.facts.end());
  c.extra().approvals = a.id;
  c.extra().asked.push_back(std::move(a));
}

template <typename T, typename F>
void patch_list(Case& c, std::vector<T> Rare::*list, const json::object& body, const char* added,
                const char* removed, F&& read) {
  if (const json::value* plus = body.if_contains(added))
    for (const json::value& v : plus->as_array()) (c.extra().*list).push_back(read(v));
  if (const json::value* minus = body.if_contains(removed))
    for (const json::value& v : minus->as_array()) std::erase(c.extra().*list, read(v));
}

void patch_admitted(Engine::Impl& m, Case& c, std::vector<Admitted> Rare::*list, const Entry& e,
                    const char* added, const char* removed) {
  auto drop = [&](Name person) {
    std::erase_if(c.extra().*list, [&](const Admitted& a) { return a.person == person; });
  };
  if (const json::value* plus = e.body.if_contains(added))
    for (const json::value& v : plus->as_array()) {
      const Name person = m.names.add(v.as_string());
      drop(person);
      (c.extra().*list).push_back({person, e.at_ms});
    }
  if (const json::value* minus = e.body.if_contains(removed))
    for (const json::value& v : minus->as_array()) drop(m.names.add(v.as_string()));
}

}  // namespace

void rare_difference(const Engine::Impl& m, const Case& was, const Case& is, json::object& body) {
  const Definition& d = *m.of(is).definition;
  const Rare &old = rare_of(was), &rare = rare_of(is);
  asked_difference(m, d, old, rare, body);
  if (rare.children.size() > old.children.size()) {
    json::array opened;
    for (std::size_t i = old.children.size(); i < rare.children.size(); ++i) {
      json::object o{{"case", case_id(rare.children[i].key)}};
      if (!d.children.empty()) o["as"] = d.children[rare.children[i].as];
      opened.push_back(std::move(o));
    }
    body["opened"] = std::move(opened);
  }
  auto link = [&](const Link& l) {
    return json::object{{"is", m.names.text(l.kind)}, {"to", m.names.text(l.to)}};
  };
  list_difference(old.links, rare.links, body, "linked", "unlinked", link);
  auto name = [&](Name n) { return json::string(m.names.text(n)); };
  list_difference(old.watchers, rare.watchers, body, "watching", "unwatching", name);
  admitted_difference(m, old.readers, rare.readers, body, "reading", "unreading");
  admitted_difference(m, old.seated, rare.seated, body, "seated", "unseated");
  auto delegation = [&](const Delegation& g) {
    return json::object{
        {"from", m.names.text(g.from)}, {"to", m.names.text(g.to)}, {"until", g.until_ms}};
  };
  list_difference(old.delegations, rare.delegations, body, "delegated", "undelegated", delegation);
  json::object forms;
  for (const LatestForm& f : rare.forms)
    if (std::find(old.forms.begin(), old.forms.end(), f) == old.forms.end())
      forms[d.forms[f.form].form->id] = f.content;
  if (!forms.empty()) body["forms"] = std::move(forms);
}

void patch_rare(Engine::Impl& m, Case& c, const Entry& e) {
  const Definition& d = *m.of(c).definition;
  const json::object& body = e.body;
  patch_asked(m, c, e);
  if (const json::value* opened = body.if_contains("opened"))
    for (const json::value& v : opened->as_array()) {
      const json::object& o = v.as_object();
      auto as = std::find(d.children.begin(), d.children.end(), text_or(o, "as"));
      Child child{static_cast<std::uint16_t>(as == d.children.end() ? 0 : as - d.children.begin()),
                  *case_key(text_or(o, "case"))};
      c.extra().children.push_back(child);
    }
  patch_list(c, &Rare::links, body, "linked", "unlinked", [&](const json::value& v) {
    return Link{m.names.add(text_or(v.as_object(), "is")),
                m.names.add(text_or(v.as_object(), "to"))};
  });
  patch_list(c, &Rare::watchers, body, "watching", "unwatching",
             [&](const json::value& v) { return m.names.add(v.as_string()); });
  patch_admitted(m, c, &Rare::readers, e, "reading", "unreading");
  patch_admitted(m, c, &Rare::seated, e, "seated", "unseated");
  patch_list(c, &Rare::delegations, body, "delegated", "undelegated", [&](const json::value& v) {
    const json::object& o = v.as_object();
    return Delegation{m.names.add(text_or(o, "from")), m.names.add(text_or(o, "to")),
                      int_or(o, "until")};
  });
  if (const json::value* forms = body.if_contains("forms"))
    for (const auto& [id, content] : forms->as_object()) {
      auto form = static_cast<std::uint16_t>(known(d.form(id)));
      auto& list = c.extra().forms;
      std::erase_if(list, [&](const LatestForm& f) { return f.form == form; });
      auto at = std::find_if(list.begin(), list.end(), [&](auto& f) { return f.form > form; });
      list.insert(at, {form, std::string(content.as_string())});
    }
}

}  // namespace cw
