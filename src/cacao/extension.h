// What of a procedure travels in our extension, and how its two halves are held together: the
// definition with its forms, and digests of it and of the workflow beside it. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/yaml.h"
#include "language/definition.h"

namespace cw::cacao {

inline constexpr std::string_view extension_id =
    "extension-definition--0d1c8a5e-7c5b-4f0e-9d64-3b7f6a1c2e90";
// Name space of the version 5 UUIDs of playbooks and identities.
inline constexpr std::string_view name_space = "6f2d3c1b-51f4-4a7e-8d29-c0a4be19d7f3";

json::object extension_definition(std::string_view identity);

// `playbook` already holds everything but the extension.
json::object extension_of(const Definition& definition, const json::object& playbook);

// SHA-256 in hex over the canonical parts of a playbook that say what is done: name, description,
// variables, agents, targets and the workflow, without the extensions that drawing tools add to
// steps. Nothing when it holds a number that has no canonical form here (a fraction).
std::optional<std::string> workflow_digest(const json::object& playbook);

struct Carried {
  enum class State { absent, whole, changed, unreadable };
  State state = State::absent;
  bool workflow_changed = false;    // changed: the steps
  bool definition_changed = false;  // changed: the extension
  std::string procedure;            // its YAML
  std::vector<std::string> forms;   // their YAML
};
Carried carried_by(const json::object& playbook);

bool has_fraction(const json::value& value);

}  // namespace cw::cacao
