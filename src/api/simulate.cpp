#include "simulate/simulate.h"

#include "common.h"

// Simulation before adoption: an installed procedure, or the text of another version of it.
namespace cw::api {
namespace {

constexpr std::int64_t kRunsMax = 1'000;  // of one request; the command line takes more

struct SimulateIn {
  std::optional<LongText> text;
  std::optional<std::string> people;
  std::optional<std::int64_t> runs, seed, threshold;
};
BOOST_DESCRIBE_STRUCT(SimulateIn, (), (text, people, runs, seed, threshold))

Result<std::shared_ptr<const Definition>> definition_in(const Library& library,
                                                        const std::string& id,
                                                        const SimulateIn& in) {
  if (!in.text) {
    auto found = library.procedure(id);
    if (!found) return no_such({"这个流程", "such a procedure"});
    return found;
  }
  std::vector<Mistake> mistakes;
  auto read = read_definition(in.text->text, id + ".yaml", library.surroundings(), mistakes);
  if (read && read->id == id) return read;
  Problem p =
      problem(Refusal::invalid, "procedure.mistakes",
              {"流程有错误，没有推演", "The procedure has mistakes; nothing was simulated"});
  if (read)
    p.fields.push_back({"/text", {"流程标识与地址不同", "Its id is not the one addressed"}});
  for (const Mistake& m : mistakes)
    p.fields.push_back(
        {"/text:" + std::to_string(m.line) + ":" + std::to_string(m.column), m.text});
  return p;
}

Result<json::object> run_simulation(Call& call, SimulateIn& in) {
  const Library library = call.s.engine.library();
  auto definition = definition_in(library, call.id(), in);
  if (!definition) return std::move(definition).problem();
  SimulationOptions options;
  const std::int64_t runs = in.runs.value_or(200);
  if (runs < 1 || runs > kRunsMax)
    return invalid("simulate.runs", "/runs", {"推演次数应为 1 到 1,000", "Runs are 1 to 1,000"});
  options.runs = static_cast<std::size_t>(runs);
  options.seed = static_cast<std::uint64_t>(in.seed.value_or(1));
  const std::int64_t threshold = in.threshold.value_or(0);
  options.threshold = threshold < 0 || threshold > 100 ? -1 : static_cast<int>(threshold);
  const std::string people = in.people.value_or("house");
  if (people != "house" && people != "real")
    return invalid("simulate.people", "/people",
                   {"须为 house 或 real", "This must be house or real"});
  if (call.s.simulation) {
    options.roster = call.s.simulation->roster;
    options.pace = call.s.simulation->pace(call.id());
  }
  if (people == "real") {
    Definitions all;
    const Library around = library.around(*definition);
    for (const auto& [id, d] : around.procedures()) all.push_back(d);
    options.roster = call.s.journal.read([&] {
      return std::make_shared<const Staffing>(Staffing::of(call.s.identity, call.who.org, all));
    });
    options.fill = false;
  }
  auto report = simulate(library, **definition, options);
  if (!report) return std::move(report).problem();
  return to_json(*report);
}

}  // namespace

void add_simulate(Table& t) {
  t.tag("procedures");
  t.post<SimulateIn, json::object>(
      "/procedures/{id}/simulate",
      {"procedures.manage",
       "Run it many times in memory: limits met, dead ends, overloaded posts; `text` for a version "
       "that is not installed; `people`: house (assumed) or real (those who hold the posts now)",
       {},
       2 << 20},
      run_simulation);
}

}  // namespace cw::api
