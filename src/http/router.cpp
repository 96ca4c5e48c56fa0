#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "base/text.h"
#include "http.h"
#include "internal.h"

namespace cw::http {

// A tree of segments: each step of a path tries the literal child, then the parameter, then the
// tail, and comes back where a branch ends without a route. Depth is bounded by the pattern's.
struct Router::Impl {
  struct Leaf {
    const Route* route;
    std::vector<std::string> names;  // of the parameters, in the order of the path
  };
  struct Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> literal;
    std::unique_ptr<Node> parameter;
    std::map<std::string, Leaf> here;  // by method
    std::map<std::string, Leaf> tail;  // "{name*}": by method
  };
  using Values = std::vector<std::string>;

  static std::string rest_of(const std::vector<std::string>& segments, std::size_t from) {
    std::string out;
    for (std::size_t i = from; i < segments.size(); ++i) {
      if (i > from) out += '/';
      out += segments[i];
    }
    return out;
  }

  // The first node in preference order whose table `wanted` accepts.
  template <typename Wanted>
  bool walk(const Node& node, const std::vector<std::string>& segments, std::size_t at,
            Values& values, const Wanted& wanted) const {
    if (at == segments.size()) {
      return !node.here.empty() && wanted(node.here, values);
    }
    if (auto next = node.literal.find(segments[at]); next != node.literal.end()) {
      if (walk(*next->second, segments, at + 1, values, wanted)) return true;
    }
    if (node.parameter && !segments[at].empty()) {
      values.push_back(segments[at]);
      if (walk(*node.parameter, segments, at + 1, values, wanted)) return true;
      values.pop_back();
    }
    if (!node.tail.empty()) {
      values.push_back(rest_of(segments, at));
      if (wanted(node.tail, values)) return true;
      values.pop_back();
    }
    return false;
  }

  std::deque<Route> routes;
  Node root;
  std::optional<Route> fallback;
};

Router::Router() : impl_(std::make_unique<Impl>()) {}
Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

void Router::add(std::string method, std::string pattern, Handler handler, RouteOptions options) {
  CW_CHECK(!pattern.empty() && pattern[0] == '/' && handler);
  CW_CHECK(method != "HEAD" && method != "OPTIONS");  // derived
  Impl::Node* node = &impl_->root;
  Impl::Leaf leaf{nullptr, {}};
  bool tail = false;
  std::string_view steps = std::string_view(pattern).substr(1);
  for (std::string_view step : split(steps, '/')) {
    CW_CHECK(!tail);  // "{name*}" ends a pattern
    if (step.size() > 2 && step.front() == '{' && step.back() == '}') {
      std::string_view name = step.substr(1, step.size() - 2);
      tail = name.back() == '*';
      if (tail) name.remove_suffix(1);
      CW_CHECK(!name.empty());
      leaf.names.emplace_back(name);
      if (tail) continue;
      if (!node->parameter) node->parameter = std::make_unique<Impl::Node>();
      node = node->parameter.get();
    } else {
      auto& child = node->literal[std::string(step)];
      if (!child) child = std::make_unique<Impl::Node>();
      node = child.get();
    }
  }
  auto& table = tail ? node->tail : node->here;
  impl_->routes.push_back({method, std::move(pattern), std::move(handler), std::move(options)});
  leaf.route = &impl_->routes.back();
  CW_CHECK(table.emplace(std::move(method), std::move(leaf)).second);  // each route once
}

void Router::fallback(Handler handler) {
  impl_->fallback = Route{"GET", "", std::move(handler), {.body_max = 0, .access = {}}};
}

std::vector<const Route*> Router::routes() const {
  std::vector<const Route*> out;
  for (const Route& route : impl_->routes) out.push_back(&route);
  return out;
}

namespace {

std::string router_allow_list(std::set<std::string> methods) {
  if (methods.contains("GET")) methods.insert("HEAD");
  methods.insert("OPTIONS");
  std::string out;
  for (const auto& method : methods) {
    if (!out.empty()) out += ", ";
    out += method;
  }
  return out;
}

}  // namespace

Router::Match Router::match(std::string_view method,
                            const std::vector<std::string>& segments) const {
  Match out;
  if (segments.size() > kSegmentsMax) return out;
  const std::string looked_up(method == "HEAD" ? std::string_view("GET") : method);
  std::set<std::string> known;
  Impl::Values values;
  auto wanted = [&](const std::map<std::string, Impl::Leaf>& table, const Impl::Values& v) {
    auto found = table.find(looked_up);
    if (found == table.end()) {
      for (const auto& entry : table) known.insert(entry.first);
      return false;
    }
    const Impl::Leaf& leaf = found->second;
    out.route = leaf.route;
    for (std::size_t i = 0; i < leaf.names.size(); ++i) {
      out.params.emplace_back(leaf.names[i], v[i]);
    }
    return true;
  };
  if (impl_->walk(impl_->root, segments, 0, values, wanted)) return out;
  if (known.empty() && impl_->fallback) {
    if (looked_up == "GET") {
      out.route = &*impl_->fallback;
      return out;
    }
    known.insert("GET");
  }
  if (!known.empty()) out.allow = router_allow_list(std::move(known));
  return out;
}

}  // namespace cw::http
