// The command line of one subcommand: "--name value", "--flag", and the rest. Thread-safe values.
//
//   Args args({"--data", "/var/lib/callwarden", "--json"}, {"json"});
//   std::string data = args.get("data");
//   if (auto status = args.only({"data", "json"}); !status) return usage(status.problem());
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace cw {

class Args {
 public:
  // `flags`: the names that take no value.
  Args(const std::vector<std::string>& words, const std::vector<std::string>& flags);
  bool has(const std::string& name) const { return values_.contains(name); }
  std::string get(const std::string& name, const std::string& fallback = "") const;
  // A whole number; the Problem names the option.
  Result<std::int64_t> number(const std::string& name, std::int64_t fallback, std::int64_t least,
                              std::int64_t most) const;
  const std::vector<std::string>& rest() const { return rest_; }
  // Refuses any other option, and a value that is missing.
  Status only(const std::vector<std::string>& names) const;

 private:
  std::map<std::string, std::string> values_;
  std::vector<std::string> rest_;
  std::string lacking_;
};

}  // namespace cw
