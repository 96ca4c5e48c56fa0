#include <algorithm>
#include <set>
#include <unordered_map>

#include "base/text.h"
#include "compiled.h"

namespace cw::detect {
namespace {

constexpr std::size_t kRoutesMax = 1024;
constexpr std::size_t kMemoSlots = 4096;
constexpr std::size_t kMemoValueMax = 96;  // bytes; longer values seldom come twice

// Values of such fields are never kept beyond their event.
bool is_secret_name(std::string_view name) {
  std::string lower = to_lower(name);
  for (std::string_view part : {"pass", "secret", "token", "credential", "card", "phone", "mobile",
                                "idno", "id_no", "auth"}) {
    if (lower.find(part) != std::string::npos) return true;
  }
  return false;
}

bool same_part(std::string_view rule, std::string_view event) {
  return rule.empty() || equals_ignore_case(rule, event);
}

bool applies(const RuleInfo& rule, const LogSource& source) {
  if (!same_part(rule.product, source.product) || !same_part(rule.service, source.service)) {
    return false;
  }
  return same_part(rule.category, source.category) ||
         (rule.category == "registry_event" && source.category.starts_with("registry_"));
}

struct Route {
  std::vector<bool> rules;            // those that apply
  std::vector<bool> fields;           // those that any of them reads
  std::vector<std::uint32_t> always;  // without a witness
  bool keywords = false;
};

struct MemoSlot {
  std::uint64_t hash = 0;
  std::uint32_t field = kNone;
  std::string value;
  std::vector<std::uint32_t> hits;
};

}  // namespace

struct Engine::Impl {
  std::shared_ptr<const RuleSet> rules;
  const RuleSet::Impl& set;
  const RuleIndex& index;

  std::unordered_map<std::string, std::unique_ptr<Route>> routes;
  std::string route_key;
  IndexScratch scratch;
  std::vector<MemoSlot> memo;
  std::vector<bool> remembers;  // by field

  // Of the current event. A stamp equal to `epoch` means: set in this event.
  std::uint32_t epoch = 0;
  struct Value {
    std::string_view text;
    Kind kind;
    std::uint32_t next;  // of the same field
  };
  std::vector<Value> values;
  std::vector<std::uint32_t> first_value, first_stamp;  // by field
  std::vector<std::uint32_t> hit, known;                // by predicate
  std::vector<std::uint32_t> tried;                     // by rule
  std::vector<std::uint32_t> hits, candidates, matched;
  Event event;
  const Route* route = nullptr;

  explicit Impl(std::shared_ptr<const RuleSet> r)
      : rules(std::move(r)), set(rules->impl()), index(set.index), memo(kMemoSlots) {
    std::size_t fields = index.fields.size(), predicates = set.predicates.all().size();
    first_value.resize(fields);
    first_stamp.resize(fields);
    hit.resize(predicates);
    known.resize(predicates);
    tried.resize(set.infos.size());
    remembers.resize(fields);
    for (std::size_t f = 0; f < fields; ++f) {
      index.fields[f].fit(scratch.match);
      remembers[f] = index.fields[f].heavy() && !is_secret_name(set.predicates.field_names()[f]);
    }
  }

  const Route* find_route(const LogSource& source) {
    route_key.assign(source.product).append(1, '\0').append(source.service).append(1, '\0');
    route_key.append(source.category);
    auto found = routes.find(route_key);
    if (found != routes.end()) return found->second.get();
    if (routes.size() >= kRoutesMax) routes.clear();
    auto made = std::make_unique<Route>();
    made->rules.resize(set.infos.size());
    made->fields.resize(index.fields.size());
    for (std::uint32_t rule = 0; rule < set.infos.size(); ++rule) {
      if (index.roots[rule] == kNone || !applies(set.infos[rule], source)) continue;
      made->rules[rule] = true;
      for (std::uint32_t f : index.rule_fields[rule]) made->fields[f] = true;
      if (index.uses_keywords[rule]) made->keywords = true;
    }
    for (std::uint32_t rule : index.unwitnessed) {
      if (made->rules[rule]) made->always.push_back(rule);
    }
    return routes.emplace(route_key, std::move(made)).first->second.get();
  }

  void next_epoch() {
    if (++epoch != 0) return;
    for (auto* stamps : {&first_stamp, &hit, &known, &tried}) {
      std::fill(stamps->begin(), stamps->end(), 0);
    }
    epoch = 1;
  }

  void try_rule(std::uint32_t rule) {
    if (tried[rule] == epoch || !route->rules[rule]) return;
    tried[rule] = epoch;
    candidates.push_back(rule);
  }

  void on_hit(std::uint32_t predicate) {
    if (hit[predicate] == epoch) return;
    hit[predicate] = epoch;
    for (std::uint32_t i = index.witness_first[predicate]; i < index.witness_first[predicate + 1];
         ++i) {
      try_rule(index.witness_rules[i]);
    }
  }

  void scan_value(std::uint32_t field, std::string_view value) {
    const FieldIndex& fields = index.fields[field];
    if (fields.empty()) return;
    if (!remembers[field] || value.size() > kMemoValueMax) {
      hits.clear();
      fields.find(value, scratch, hits);
      for (std::uint32_t id : hits) on_hit(id);
      return;
    }
    std::uint64_t hash = hash_bytes(value) + field * 0x9e3779b97f4a7c15ULL;
    MemoSlot& slot = memo[(hash ^ (hash >> 33)) % kMemoSlots];
    if (slot.hash != hash || slot.field != field || slot.value != value) {
      slot.hash = hash;
      slot.field = field;
      slot.value.assign(value);
      slot.hits.clear();
      fields.find(value, scratch, slot.hits);
    }
    for (std::uint32_t id : slot.hits) on_hit(id);
  }

  void take_field(const Field& field) {
    if (route->keywords && field.kind != Kind::null) scan_value(Predicates::kAnyField, field.value);
    auto found = index.field_ids.find(field.name);
    if (found.empty() || !route->fields[found[0]]) return;
    std::uint32_t id = found[0];
    auto at = static_cast<std::uint32_t>(values.size());
    values.push_back({field.value, field.kind, kNone});
    if (first_stamp[id] == epoch) values[at].next = first_value[id];
    first_stamp[id] = epoch;
    first_value[id] = at;
    if (index.presence[id] != kNone) on_hit(index.presence[id]);
    if (field.kind != Kind::null) scan_value(id, field.value);
  }

  template <typename Test>
  bool any_value(std::uint32_t field, Test test) const {
    if (first_stamp[field] != epoch) return false;
    for (std::uint32_t at = first_value[field]; at != kNone; at = values[at].next) {
      if (test(values[at])) return true;
    }
    return false;
  }

  bool references(const Predicate& p) {
    std::string left, right;
    return any_value(p.field, [&](const Value& a) {
      return any_value(p.other_field, [&](const Value& b) {
        if (a.kind == Kind::null || b.kind == Kind::null) return false;
        left = a.text;
        right = b.text;
        if (!p.cased) {
          fold_case(a.text, left);
          fold_case(b.text, right);
        }
        switch (p.reference) {
          case Op::prefix:
            return left.starts_with(right);
          case Op::suffix:
            return left.ends_with(right);
          case Op::contains:
            return left.find(right) != std::string::npos;
          default:
            return left == right;
        }
      });
    });
  }

  bool compute(const Predicate& p) {
    switch (p.op) {
      case Op::exists:
        return first_stamp[p.field] == epoch;
      case Op::is_null:
        return any_value(p.field, [](const Value& v) { return v.kind == Kind::null; });
      case Op::cidr:
        return any_value(p.field, [&](const Value& v) { return p.cidr.contains(v.text); });
      case Op::number:
        return any_value(p.field, [&](const Value& v) {
          auto number = parse_number(v.text);
          return number && holds(p.relation, *number, p.number);
        });
      case Op::time_part:
        return any_value(p.field, [&](const Value& v) {
          auto part = time_part(p.part, v.text);
          return part && holds(p.relation, *part, p.number);
        });
      case Op::field_ref:
        return references(p);
      default:
        return any_text(p);
    }
  }

  // A glob or an expression that no literal triggers.
  bool any_text(const Predicate& p) {
    auto test = [&](std::string_view text, Kind kind) {
      return kind != Kind::null && predicate_holds(p, text, scratch.regex);
    };
    if (p.field != Predicates::kAnyField) {
      return any_value(p.field, [&](const Value& v) { return test(v.text, v.kind); });
    }
    return std::any_of(event.fields.begin(), event.fields.end(),
                       [&](const Field& f) { return test(f.value, f.kind); });
  }

  bool predicate_true(std::uint32_t id) {
    if (hit[id] == epoch) return true;
    const Predicate& p = set.predicates[id];
    if (p.indexed || known[id] == epoch) return false;
    known[id] = epoch;
    bool value = compute(p);
    if (value) hit[id] = epoch;
    return value;
  }

  bool eval(std::uint32_t at) {
    const Node& node = index.nodes[at];
    switch (node.kind) {
      case Expr::Kind::predicate:
        return predicate_true(node.a);
      case Expr::Kind::negation:
        return !eval(node.a);
      case Expr::Kind::all:
        for (std::uint32_t i = 0; i < node.count; ++i) {
          if (!eval(index.kids[node.a + i])) return false;
        }
        return true;
      case Expr::Kind::any:
        for (std::uint32_t i = 0; i < node.count; ++i) {
          if (eval(index.kids[node.a + i])) return true;
        }
        return false;
    }
    return false;
  }

  void collect_fields(std::uint32_t at, std::set<std::string>& out) {
    const Node& node = index.nodes[at];
    if (node.kind == Expr::Kind::negation || !eval(at)) return;
    if (node.kind != Expr::Kind::predicate) {
      for (std::uint32_t i = 0; i < node.count; ++i) collect_fields(index.kids[node.a + i], out);
      return;
    }
    const Predicate& p = set.predicates[node.a];
    if (p.field != Predicates::kAnyField) {
      out.insert(set.predicates.field_names()[p.field]);
      return;
    }
    for (const Field& f : event.fields) {
      if (f.kind != Kind::null && predicate_holds(p, f.value, scratch.regex)) {
        out.emplace(f.name);
      }
    }
  }
};

Engine::Engine(std::shared_ptr<const RuleSet> rules)
    : impl_(std::make_unique<Impl>(std::move(rules))) {}
Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;

std::span<const std::uint32_t> Engine::evaluate(const Event& event) {
  Impl& self = *impl_;
  self.next_epoch();
  self.event = event;
  self.route = self.find_route(event.logsource);
  self.values.clear();
  self.candidates.clear();
  self.matched.clear();
  for (const Field& field : event.fields) self.take_field(field);
  for (std::uint32_t rule : self.route->always) self.try_rule(rule);
  for (std::uint32_t rule : self.candidates) {
    if (self.eval(self.index.roots[rule])) self.matched.push_back(rule);
  }
  std::sort(self.matched.begin(), self.matched.end());
  return self.matched;
}

std::vector<std::string> Engine::matched_fields(std::uint32_t rule) const {
  std::set<std::string> out;
  if (rule < impl_->index.roots.size() && impl_->index.roots[rule] != kNone) {
    impl_->collect_fields(impl_->index.roots[rule], out);
  }
  return {out.begin(), out.end()};
}

}  // namespace cw::detect
