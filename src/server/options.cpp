#include "options.h"

#include <algorithm>

#include "base/text.h"

namespace cw {

Args::Args(const std::vector<std::string>& words, const std::vector<std::string>& flags) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (!word.starts_with("--") || word.size() == 2) {
      rest_.push_back(word);
      continue;
    }
    std::size_t equals = word.find('=');
    std::string name = word.substr(2, equals == std::string::npos ? equals : equals - 2);
    if (equals != std::string::npos)
      values_[name] = word.substr(equals + 1);
    else if (std::find(flags.begin(), flags.end(), name) != flags.end())
      values_[name] = "";
    else if (i + 1 < words.size())
      values_[name] = words[++i];
    else
      lacking_ = name;
  }
}

std::string Args::get(const std::string& name, const std::string& fallback) const {
  auto found = values_.find(name);
  return found == values_.end() ? fallback : found->second;
}

Result<std::int64_t> Args::number(const std::string& name, std::int64_t fallback,
                                  std::int64_t least, std::int64_t most) const {
  if (!has(name)) return fallback;
  auto value = to_int<std::int64_t>(get(name));
  if (value && *value >= least && *value <= most) return *value;
  std::string range = std::to_string(least) + "–" + std::to_string(most);
  return invalid("args.number", "--" + name,
                 {"--" + name + " 应为 " + range, "--" + name + " must be in " + range});
}

Status Args::only(const std::vector<std::string>& names) const {
  if (!lacking_.empty())
    return invalid("args.value", "--" + lacking_,
                   {"--" + lacking_ + " 缺少取值", "--" + lacking_ + " lacks a value"});
  for (const auto& [name, value] : values_)
    if (std::find(names.begin(), names.end(), name) == names.end())
      return invalid("args.unknown", "--" + name,
                     {"没有 --" + name + " 这个选项", "There is no option --" + name});
  return done();
}

}  // namespace cw
