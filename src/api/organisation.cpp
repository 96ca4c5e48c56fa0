#include "organisation/organisation.h"

#include "common.h"

// A house's organisation from its file: what it would change, or the change itself.
namespace cw::api {
namespace {

struct OrganisationIn {
  std::string text;  // the file, YAML
  std::optional<bool> dry_run;
};
BOOST_DESCRIBE_STRUCT(OrganisationIn, (), (text, dry_run))

struct OrganisationStepOut {
  std::string what, id, org, act;
  Text title;
};
BOOST_DESCRIBE_STRUCT(OrganisationStepOut, (), (what, id, org, act, title))

struct OneTimeOut {
  std::string login, secret;
};
BOOST_DESCRIBE_STRUCT(OneTimeOut, (), (login, secret))

struct OrganisationOut {
  bool dry_run = false;
  std::vector<OrganisationStepOut> steps;
  std::vector<Text> gaps;
  std::vector<OneTimeOut> issued;  // told once
};
BOOST_DESCRIBE_STRUCT(OrganisationOut, (), (dry_run, steps, gaps, issued))

OrganisationOut planned(const OrganisationPlan& plan) {
  OrganisationOut out;
  for (const OrganisationStep& s : plan.steps)
    out.steps.push_back({s.what, s.id, s.org, s.act, s.title});
  out.gaps = plan.gaps;
  return out;
}

Result<OrganisationOut> post_organisation(Call& call, OrganisationIn& in) {
  const std::string root = call.s.journal.read([&] { return call.s.identity.root(); });
  for (const Permission needed : {Permission::people_manage, Permission::posts_manage})
    if (auto may = call.may(needed, root); !may) return std::move(may).problem();
  std::vector<Mistake> mistakes;
  auto file = read_organisation(in.text, "", templates_in(call.s.content), mistakes);
  if (!file) return organisation_problem(mistakes);
  if (in.dry_run.value_or(false)) {
    OrganisationOut out = planned(
        call.s.journal.read([&] { return plan_organisation(*file, call.s.identity, mistakes); }));
    if (!mistakes.empty()) return organisation_problem(mistakes);
    out.dry_run = true;
    return out;
  }
  auto loaded = load_organisation(*file, call.s.identity, call.s.journal, call.who);
  if (!loaded) return std::move(loaded).problem();
  OrganisationOut out = planned(loaded->plan);
  for (auto& issued : loaded->issued) out.issued.push_back({issued.login, issued.secret});
  return out;
}

}  // namespace

void add_organisation(Table& t) {
  t.tag("people");
  t.post<OrganisationIn, OrganisationOut>(
      "/organisation",
      {"people.manage",
       "Load a house's organisation from its file; with dry_run, only tell what would change"},
      post_organisation);
}

}  // namespace cw::api
