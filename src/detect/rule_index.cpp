#include <algorithm>
#include <limits>

#include "base/check.h"
#include "base/text.h"
#include "compiled.h"

namespace cw::detect {
namespace {

constexpr double kImpossible = std::numeric_limits<double>::infinity();

// How often, roughly, a predicate holds on a day of ordinary events: only ratios matter.
double predicate_cost(const Predicate& p) {
  auto by_length = [](std::size_t size, double common) {
    return size >= 12 ? 1.0 : size >= 8 ? 2.0 : size >= 5 ? 5.0 : size >= 3 ? 20.0 : common;
  };
  if (!p.indexed) return 200;  // known only by the presence of the field
  switch (p.op) {
    // A short number is an event id or a port, which whole kinds of events share.
    case Op::equals:
      return parse_number(p.text) ? 60 : by_length(p.text.size(), 40);
    case Op::prefix:
      return 2 * by_length(p.text.size(), 100);
    case Op::suffix:
      return by_length(p.text.size(), 100);
    case Op::contains:
      return 2 * by_length(p.text.size(), 150);
    case Op::glob:
    case Op::regex:
      return 3 * by_length(p.triggers[0].size(), 150);
    default:
      return 200;
  }
}

struct Witness {
  double cost = kImpossible;
  std::vector<std::uint32_t> predicates;
};

class WitnessFinder {
 public:
  WitnessFinder(const Predicates& predicates, const std::vector<std::uint32_t>& presence)
      : predicates_(predicates), presence_(presence) {}

  Witness find(const Expr& e) const {
    switch (e.kind) {
      case Expr::Kind::predicate: {
        const Predicate& p = predicates_[e.predicate];
        std::uint32_t witness = p.indexed ? e.predicate : presence_[p.field];
        if (witness == kNone) return {};
        return {predicate_cost(p), {witness}};
      }
      case Expr::Kind::all: {
        Witness best;
        for (const Expr& kid : e.kids) {
          Witness w = find(kid);
          if (w.cost < best.cost) best = std::move(w);
        }
        return best;
      }
      case Expr::Kind::any: {
        Witness sum{0, {}};
        for (const Expr& kid : e.kids) {
          Witness w = find(kid);
          sum.cost += w.cost;
          if (sum.cost == kImpossible) return {};
          sum.predicates.insert(sum.predicates.end(), w.predicates.begin(), w.predicates.end());
        }
        return sum;
      }
      case Expr::Kind::negation:
        return {};
    }
    return {};
  }

 private:
  const Predicates& predicates_;
  const std::vector<std::uint32_t>& presence_;
};

void collect_predicates(const Expr& e, std::vector<std::uint32_t>& out) {
  if (e.kind == Expr::Kind::predicate) out.push_back(e.predicate);
  for (const Expr& kid : e.kids) collect_predicates(kid, out);
}

void sort_unique(std::vector<std::uint32_t>& v) {
  std::sort(v.begin(), v.end());
  v.erase(std::unique(v.begin(), v.end()), v.end());
}

}  // namespace

std::uint32_t RuleIndex::add(const Expr& expr) {
  auto at = static_cast<std::uint32_t>(nodes.size());
  nodes.push_back({expr.kind, expr.predicate, 0});
  if (expr.kind == Expr::Kind::predicate) return at;
  std::vector<std::uint32_t> mine;
  for (const Expr& kid : expr.kids) mine.push_back(add(kid));
  if (expr.kind == Expr::Kind::negation) {
    nodes[at].a = mine[0];
  } else {
    nodes[at].a = static_cast<std::uint32_t>(kids.size());
    nodes[at].count = static_cast<std::uint32_t>(mine.size());
    kids.insert(kids.end(), mine.begin(), mine.end());
  }
  return at;
}

void build_index(const Predicates& predicates, const std::vector<Expr>& exprs,
                 const std::vector<std::uint32_t>& roots_of, std::size_t rules, RuleIndex& out) {
  std::size_t field_count = predicates.field_names().size();
  out.roots.assign(rules, kNone);
  out.rule_fields.resize(rules);
  out.uses_keywords.resize(rules);
  out.presence.assign(field_count, kNone);
  for (std::uint32_t id = 0; id < predicates.all().size(); ++id) {
    if (predicates[id].op == Op::exists) out.presence[predicates[id].field] = id;
  }

  std::vector<std::pair<std::uint32_t, std::uint32_t>> witnesses;  // predicate, rule
  std::vector<std::uint32_t> used;
  WitnessFinder finder(predicates, out.presence);
  for (std::size_t i = 0; i < exprs.size(); ++i) {
    std::uint32_t rule = roots_of[i];
    out.roots[rule] = out.add(exprs[i]);
    std::vector<std::uint32_t> mine;
    collect_predicates(exprs[i], mine);
    sort_unique(mine);
    for (std::uint32_t id : mine) {
      const Predicate& p = predicates[id];
      out.rule_fields[rule].push_back(p.field);
      if (p.op == Op::field_ref) out.rule_fields[rule].push_back(p.other_field);
      if (p.field == Predicates::kAnyField) out.uses_keywords[rule] = true;
      used.push_back(id);
    }
    sort_unique(out.rule_fields[rule]);
    Witness witness = finder.find(exprs[i]);
    sort_unique(witness.predicates);
    if (witness.cost == kImpossible)
      out.unwitnessed.push_back(rule);
    else
      for (std::uint32_t id : witness.predicates) witnesses.emplace_back(id, rule);
  }

  std::sort(witnesses.begin(), witnesses.end());
  out.witness_first.assign(predicates.all().size() + 1, 0);
  for (auto [predicate, rule] : witnesses) {
    ++out.witness_first[predicate + 1];
    out.witness_rules.push_back(rule);
  }
  for (std::size_t i = 1; i < out.witness_first.size(); ++i) {
    out.witness_first[i] += out.witness_first[i - 1];
  }

  out.fields.resize(field_count);
  sort_unique(used);
  for (std::uint32_t id : used) {
    if (predicates[id].indexed) out.fields[predicates[id].field].add(id, predicates[id]);
  }
  for (std::uint32_t f = 0; f < field_count; ++f) {
    out.fields[f].build(predicates);
    if (f != Predicates::kAnyField) out.field_ids.add(predicates.field_names()[f], f);
  }
  out.field_ids.build();
}

}  // namespace cw::detect
