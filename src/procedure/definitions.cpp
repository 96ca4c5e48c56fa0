// Definitions that cases run on. The text of each is kept beside the journal when its first case
// starts, so that a case stays on its version whatever becomes of content/.
#include <algorithm>
#include <mutex>

#include "base/text.h"
#include "crypto/crypto.h"
#include "impl.h"

namespace cw {
namespace {

json::object texts_of(const Definition& d) {
  json::object forms;
  for (const FormUse& use : d.forms)
    if (!use.form->source.empty()) forms[use.form->id] = json::string_view(use.form->source);
  return {{"procedure", json::string_view(d.source)}, {"forms", std::move(forms)}};
}

std::string name_of(const Definition& d) { return d.id + "@" + std::to_string(d.version); }

// The marks of a clock and its expiry in the order they fire; at 100 % effects come first.
std::vector<ClockStep> steps_of(const ClockDef& clock) {
  std::vector<ClockStep> steps;
  for (std::size_t i = 0; i < clock.marks.size(); ++i)
    steps.push_back({clock.marks[i].percent, static_cast<int>(i)});
  if (clock.expires) {
    auto after = std::find_if(steps.begin(), steps.end(),
                              [](const ClockStep& s) { return s.percent > 100; });
    steps.insert(after, {100, -1});
  }
  return steps;
}

void mark_forms(const std::vector<Effect>& effects, std::vector<bool>& each_form) {
  for (const Effect& e : effects)
    if (e.kind == Effect::Kind::open && e.form >= 0) each_form[e.form] = true;
}

}  // namespace

std::string digest_of(const Definition& d) {
  return "sha256:" + to_hex(bytes_of(sha256(canonical(texts_of(d)))));
}

std::string number_prefix(std::string_view procedure) {
  std::string out;
  std::size_t dot = procedure.rfind('.');
  bool first = true;
  for (char ch : procedure.substr(dot == std::string_view::npos ? 0 : dot + 1)) {
    if (first && ch >= 'a' && ch <= 'z') out += static_cast<char>(ch - 'a' + 'A');
    first = ch == '-' || ch == '_';
  }
  return out.empty() ? "C" : out;
}

std::string Engine::Impl::digest_of(const Definition& d) const {
  {
    std::shared_lock lock(gate);
    if (auto it = digests.find(&d); it != digests.end()) return it->second;
  }
  return cw::digest_of(d);
}

void Engine::Impl::use(Library library) {
  std::map<const Definition*, std::string> fresh;
  for (const auto& [id, d] : library.procedures()) {
    CW_CHECK(d->flags.size() <= 64 && d->clocks.size() <= 255 && d->tasks.size() <= 65'535);
    fresh[d.get()] = cw::digest_of(*d);
  }
  for (const auto& [id, d] : library.retired()) fresh[d.get()] = cw::digest_of(*d);
  std::unique_lock lock(gate);
  parts.library = std::move(library);
  digests = std::move(fresh);
  unplan_slots();
  for (Installed& in : installed) connect_calendars(in);
}

void Engine::Impl::connect_calendars(Installed& in) const {
  const Definition& d = *in.definition;
  auto calendar = [&](const std::string& id) {
    std::shared_ptr<const Calendar> found = parts.library.calendar(id.empty() ? d.calendar : id);
    if (!found) found = parts.library.calendar("always");
    if (!found) throw std::runtime_error("calendar " + id + " of " + in.name + " is missing");
    return found;
  };
  in.calendar = calendar(d.calendar);
  in.task_calendars.clear();
  in.clock_calendars.clear();
  for (const TaskDef& t : d.tasks) in.task_calendars.push_back(calendar(t.calendar));
  for (const ClockDef& k : d.clocks) in.clock_calendars.push_back(calendar(k.calendar));
}

std::uint16_t Engine::Impl::place_of(const Definition& d, const std::string& digest) const {
  for (std::size_t i = installed.size(); i-- > 0;)
    if (installed[i].digest == digest && installed[i].definition->id == d.id)
      return static_cast<std::uint16_t>(i);
  return UINT16_MAX;
}

std::uint16_t Engine::Impl::install(std::shared_ptr<const Definition> definition,
                                    const std::string& digest) {
  if (std::uint16_t place = place_of(*definition, digest); place != UINT16_MAX) return place;
  CW_CHECK(installed.size() < UINT16_MAX);
  Installed in;
  in.definition = std::move(definition);
  const Definition& d = *in.definition;
  in.name = name_of(d);
  in.digest = digest;
  for (const ClockDef& k : d.clocks) in.steps.push_back(steps_of(k));
  in.each_form.assign(d.forms.size(), false);
  for (const StateDef& s : d.states) mark_forms(s.enter, in.each_form);
  for (const TaskDef& t : d.tasks)
    mark_forms(t.late, in.each_form), mark_forms(t.effects, in.each_form);
  for (const ActionDef& a : d.actions) mark_forms(a.effects, in.each_form);
  for (const ClockDef& k : d.clocks)
    for (const Mark& mark : k.marks) mark_forms(mark.effects, in.each_form);
  in.automatic.resize(d.states.size());
  for (std::size_t i = 0; i < d.states.size(); ++i)
    for (int action : d.states[i].actions)
      if (d.actions[action].kind == ActionDef::Kind::automatic) in.automatic[i].push_back(action);
  std::unique_lock lock(gate);
  connect_calendars(in);
  installed.push_back(std::move(in));
  return static_cast<std::uint16_t>(installed.size() - 1);
}

void Engine::Impl::keep(Draft& draft, const Definition& d, const std::string& digest) const {
  draft.row([digest, name = name_of(d), text = canonical(texts_of(d))](Database& db) {
    db.run(
        "INSERT INTO procedure_kept(digest, name, texts) VALUES($1,$2,$3) ON CONFLICT DO NOTHING",
        digest, name, text);
  });
}

std::uint16_t Engine::Impl::install(const std::string& name, const std::string& digest) {
  for (const auto& [definition, known] : digests)
    if (known == digest && name_of(*definition) == name)
      return install(parts.library.remembered(definition->id), digest);
  std::string texts;
  Database db(parts.path, {.read_only = true});
  db.query(
      "SELECT texts FROM procedure_kept WHERE digest=$1",
      [&](const Row& row) { texts = row.text(0); }, digest);
  if ("sha256:" + to_hex(bytes_of(sha256(texts))) != digest)
    throw std::runtime_error("the kept text of " + name + " is missing or altered");
  auto parsed = parse_json(texts, {.size_max = 16 << 20});
  const json::object& all = parsed->as_object();
  std::vector<Mistake> mistakes;
  // What it names outside its text was there when it was kept; limits of law stay where they were.
  Surroundings around;
  around.calendar = [](std::string_view) { return true; };
  around.procedure = [](std::string_view) { return std::optional<std::string>(""); };
  around.regulation = [this](std::string_view id) { return parts.library.regulation(id); };
  around.form = [&](std::string_view id) -> std::shared_ptr<const Form> {
    const json::value* text = all.at("forms").as_object().if_contains(id);
    if (!text) return nullptr;
    return read_form(std::string_view(text->as_string()), std::string(id), mistakes);
  };
  auto definition =
      read_definition(std::string_view(all.at("procedure").as_string()), name, around, mistakes);
  if (!definition) throw std::runtime_error("the kept text of " + name + " can no longer be read");
  return install(std::move(definition), digest);
}

}  // namespace cw
