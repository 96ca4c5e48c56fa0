#include "cacao/cacao.h"

#include "common.h"

// The library of procedures, as people read it and as the console draws it.
namespace cw::api {
namespace {

struct ProcedureOut {
  std::string id, calendar, start_form;
  std::int64_t version = 0, states = 0, tasks = 0, clocks = 0, open_cases = 0;
  Text title;
  std::vector<std::string> basis;
  std::optional<std::int64_t> retired_at;
};
BOOST_DESCRIBE_STRUCT(ProcedureOut, (),
                      (id, calendar, start_form, version, states, tasks, clocks, open_cases, title,
                       basis, retired_at))

std::shared_ptr<const Definition> find(Call& call, const std::string& id) {
  return id.find('@') == std::string::npos ? call.s.engine.library().remembered(id)
                                           : call.s.engine.definition(id);
}

// When each retired procedure was retired.
std::map<std::string, std::int64_t> retired(Call& call) {
  std::map<std::string, std::int64_t> out;
  if (const Publish* publish = call.s.publish)
    call.s.journal.read([&] {
      for (const DefinitionId& of : publish->retired())
        out[of.id] = publish->retirement(of)->from_ms;
    });
  return out;
}

Result<Page<ProcedureOut>> list_procedures(Call& call) {
  Page<ProcedureOut> page;
  CaseFilter filter{.open = 1};
  let_see(call, filter);
  auto library = call.s.engine.library();
  Library::Procedures listed = library.procedures();
  const bool all = call.query("retired") == "true";
  const auto since = all ? retired(call) : std::map<std::string, std::int64_t>{};
  if (all) listed.insert(library.retired().begin(), library.retired().end());
  auto status = call.s.views.read(call.s.journal.size(), [&](Database& db) {
    for (const auto& [id, d] : listed) {
      ProcedureOut out{
          id,
          d->calendar,
          d->start_form >= 0 ? d->forms[static_cast<std::size_t>(d->start_form)].form->id : "",
          d->version,
          static_cast<std::int64_t>(d->states.size()),
          static_cast<std::int64_t>(d->tasks.size()),
          static_cast<std::int64_t>(d->clocks.size()),
          0,
          d->title,
          d->basis,
          {}};
      if (auto it = since.find(id); it != since.end()) out.retired_at = it->second;
      filter.procedures = {id};
      for (const auto& [state, n] : CaseList::counts(db, filter)) out.open_cases += n;
      page.items.push_back(std::move(out));
    }
  });
  if (!status) return std::move(status).problem();
  return page;
}

Result<json::object> one_procedure(Call& call) {
  auto d = find(call, call.id());
  if (!d) return no_such({"这个流程", "such a procedure"});
  json::object out = to_json(*d), regulations;
  const auto since = retired(call);
  if (auto it = since.find(d->id); it != since.end()) out["retired_at"] = it->second;
  const Library library = call.s.engine.library();
  auto add = [&](const std::string& id) {
    if (auto r = library.regulation(id)) regulations[id] = to_json(*r);
  };
  for (const std::string& id : d->basis) add(id);
  for (const ClockDef& clock : d->clocks) add(clock.limit.regulation);
  out["regulations"] = std::move(regulations);  // those of this house among its sources
  return out;
}

Result<json::object> one_form(Call& call) {
  auto d = find(call, call.id());
  int i = d ? d->form(call.http.param("form")) : -1;
  if (i < 0) return no_such({"这份表单", "such a form"});
  const FormUse& use = d->forms[static_cast<std::size_t>(i)];
  json::object schema = to_json(*use.form);
  json::array facts;  // fields that become clear, permanent facts
  for (std::size_t f = 0; f < use.facts.size(); ++f)
    if (use.facts[f] >= 0) facts.push_back(json::string(use.form->fields[f].name));
  schema["x-facts"] = std::move(facts);
  return schema;
}

Result<http::Response> export_cacao(Call& call) {
  auto d = find(call, call.id());
  if (!d) return no_such({"这个流程", "such a procedure"});
  const std::string lang = call.query("lang"), identity = call.query("identity");
  if (!lang.empty() && lang != "zh" && lang != "en")
    return invalid("cacao.lang", "/query/lang", {"须为 zh 或 en", "This must be zh or en"});
  if (!identity.empty() && !cacao::is_identity(identity))
    return invalid("cacao.identity", "/query/identity",
                   {"须为 identity-- 加 UUID", "This must be identity-- and a UUID"});
  cacao::ExportOptions options{.at_ms = call.s.clock.now_ms(), .identity = identity};
  if (!lang.empty()) options.lang = lang;
  http::Response response = http::json_response(200, cacao::write_playbook(*d, options));
  response.headers.set("Content-Disposition", "attachment; filename=\"" + d->id + ".cacao.json\"");
  return response;
}

// Stores nothing: the draft and the report go back to whoever sent the playbook. The text as it
// came is read, since a signature covers it.
Result<http::Response> import_cacao(Call& call) {
  auto draft = cacao::read_playbook(call.http.body, call.s.engine.library());
  if (!draft) return std::move(draft).problem();
  return http::json_response(200, cacao::to_json(*draft));
}

}  // namespace

void add_procedures(Table& t) {
  t.tag("procedures");
  t.get<Page<ProcedureOut>>("/procedures",
                            {"case.read",
                             "Procedures that new cases run on",
                             {{"retired", "true: also those that are retired"}}},
                            list_procedures);
  t.get<json::object>("/procedures/{id}",
                      {"case.read", "A definition with names; id or id@version"}, one_procedure);
  t.get<json::object>("/procedures/{id}/forms/{form}",
                      {"case.read", "A form as JSON Schema with titles in zh and en"}, one_form);
  t.raw("GET", "/procedures/{id}/cacao",
        {"case.read",
         "A definition as a CACAO 2.0 playbook (docs/formats/cacao.md); id or id@version",
         {{"lang", "zh or en (default), of names and descriptions"},
          {"identity", "identity--UUID for created_by"}}},
        export_cacao);
  t.raw("POST", "/procedures/import-cacao",
        {"procedures.manage",
         "A CACAO 2.0 playbook (raw body, at most 8 MiB) as draft files with a report of what was "
         "mapped, lost and is to be checked; stores nothing",
         {},
         cacao::playbook_size_max},
        import_cacao);
}

}  // namespace cw::api
