// A believable call centre for the demo: content/organisation/demonstration.yaml loaded as any
// house's file is, with a week of duty. Made through the same calls as an administrator's. One
// thread.
//
//   Centre centre = *Centre::make(installation, password);
//   installation.journal().run({}, *engine.do_task({id, centre.id("tech")}, …));
#pragma once

#include <map>
#include <string>

#include "installation.h"

namespace cw {

struct Organisation;

class Centre {
 public:
  // On an installation with nobody but its administrator. Everyone gets `password`.
  static Result<Centre> make(Installation& installation, const std::string& password);
  // Finds the same people again after a restart.
  static Result<Centre> find(Installation& installation);

  const std::string& org() const { return org_; }         // the centre where things happen
  const std::string& id(const std::string& login) const;  // "per_…"

 private:
  void know(const Organisation& file, const Identity& identity);
  Status plan_duty(Installation& in, const std::string& root) const;
  Status draft_revision(Installation& in, const std::string& root) const;

  std::string org_;
  std::map<std::string, std::string> people_;
};

}  // namespace cw
