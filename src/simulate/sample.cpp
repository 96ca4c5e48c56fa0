// Forms filled at random: what a machine can write that the form accepts.
#include <algorithm>
#include <cmath>

#include "base/clock.h"
#include "chance.h"
#include "simulate.h"

namespace cw {
namespace {

class Sampler {
 public:
  Sampler(Random& random, const json::object& wanted, const Sampling& sampling)
      : random_(random), wanted_(wanted), s_(sampling) {}

  json::object fields(const std::vector<FormField>& fields, bool top) {
    json::object out;
    for (const FormField& f : fields) {
      const json::value* want = top ? wanted_.if_contains(f.name) : nullptr;
      if (want && fits(f, *want)) {
        out[f.name] = *want;
      } else if (f.required || f.late || chance(random_, 70)) {
        out[f.name] = value(f);
      }
    }
    return out;
  }

  json::value value(const FormField& f) {
    switch (f.type) {
      case FieldType::boolean:
        return chance(random_, s_.yes);
      case FieldType::integer:
        return whole(f.minimum, f.maximum);
      case FieldType::enumeration:
        return json::value(f.values[random_.below(f.values.size())]);
      case FieldType::time:
        return json::value(to_rfc3339(moment(f.name)));
      case FieldType::date:
        return json::value(to_rfc3339(moment(f.name)).substr(0, 10));
      case FieldType::reference:
        return json::value(reference(f.ref));
      case FieldType::list:
        return list(f);
      case FieldType::text:
        break;
    }
    return json::value(words(f));
  }

 private:
  static bool fits(const FormField& f, const json::value& v) {
    switch (f.type) {
      case FieldType::boolean:
        return v.is_bool();
      case FieldType::integer:
        return v.is_int64() && v.get_int64() >= f.minimum && v.get_int64() <= f.maximum;
      case FieldType::enumeration:
        return v.is_string() && f.ordinal(v.get_string()) >= 0;
      case FieldType::reference:
      case FieldType::time:
        return v.is_string();
      default:
        return false;
    }
  }

  // A third of them the least; otherwise as often in the tens as in the hundreds.
  std::int64_t whole(std::int64_t low, std::int64_t high) {
    if (low >= high || chance(random_, 33)) return std::max(low, std::min<std::int64_t>(0, high));
    const std::int64_t from = std::max<std::int64_t>(low, 0);
    const double span = static_cast<double>(std::min<std::int64_t>(high - from, 10'000));
    return from + static_cast<std::int64_t>(std::exp(uniform(random_) * std::log1p(span)) - 0.5);
  }

  std::int64_t moment(const std::string& field) {
    if (s_.ahead_ms)
      if (auto it = s_.ahead_ms->find(field); it != s_.ahead_ms->end())
        return s_.now_ms + it->second;
    constexpr double kMinute = 60'000;
    if (s_.past_ms)
      if (auto it = s_.past_ms->find(field); it != s_.past_ms->end()) {
        const auto median = static_cast<double>(it->second);
        return s_.now_ms - draw(random_, Spread::around(median, 2 * median));
      }
    return s_.now_ms - draw(random_, Spread::around(4 * kMinute, 8 * kMinute));
  }

  std::string reference(const std::string& kind) {
    if (kind == "person" && s_.people && !s_.people->empty())
      return (*s_.people)[random_.below(s_.people->size())];
    return kind + "-" + std::to_string(1 + random_.below(9));
  }

  json::value list(const FormField& f) {
    const std::int64_t least = std::max<std::int64_t>(f.minimum, 1);
    const std::int64_t most = std::max(std::min(f.maximum, least + 2), least);
    const auto size = least + static_cast<std::int64_t>(
                                  random_.below(static_cast<std::uint64_t>(most - least + 1)));
    const bool plain = f.items.size() == 1 && f.items[0].name.empty();
    json::array out;
    for (std::int64_t i = 0; i < size; ++i)
      out.push_back(plain ? value(f.items[0]) : json::value(fields(f.items, false)));
    return out;
  }

  static std::string words(const FormField& f) {
    const std::int64_t least = std::max<std::int64_t>(f.minimum, 1);
    const std::int64_t size = std::max(std::min<std::int64_t>(f.maximum, 8), least);
    std::string out;
    for (std::int64_t i = 0; i < size; ++i) out += i % 2 == 0 ? "模" : "拟";
    return out;
  }

  Random& random_;
  const json::object& wanted_;
  const Sampling& s_;
};

}  // namespace

json::object sample(const Form& form, Random& random, const json::object& wanted,
                    const Sampling& sampling) {
  Sampler sampler(random, wanted, sampling);
  json::object out = sampler.fields(form.fields, true);
  // A rule's own fields may make another rule hold: as many rounds as there are rules.
  for (std::size_t round = 0; round < form.rules.size(); ++round)
    for (const FormRule& rule : form.rules) {
      const FormField& field = form.fields[rule.field];
      const json::value* seen = out.if_contains(field.name);
      const json::value given = seen ? *seen : field.fallback ? *field.fallback : json::value();
      if (std::find(rule.values.begin(), rule.values.end(), given) == rule.values.end()) continue;
      for (int index : rule.required)
        if (!out.contains(form.fields[index].name))
          out[form.fields[index].name] = sampler.value(form.fields[index]);
    }
  return out;
}

}  // namespace cw
