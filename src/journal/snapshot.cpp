#include "snapshot.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/log.h"
#include "storage/file.h"

namespace cw {
namespace {

constexpr std::size_t kHeadMax = std::size_t{256} << 20;

// FNV-1a: against damage on disk, not against people (who could as well edit the journal, which
// the ledger shows).
std::int64_t sum_of(std::string_view bytes) {
  std::uint64_t h = 0xCBF29CE484222325u;
  for (unsigned char c : bytes) h = (h ^ c) * 0x100000001B3u;
  return static_cast<std::int64_t>(h);
}

}  // namespace

bool Snapshots::whole(const Held& held, std::string_view bytes) const {
  return bytes.size() == held.size && sum_of(bytes) == held.sum;
}

// The head: one line of JSON, then the bytes of the small slices in its order.
std::uint64_t Snapshots::load(const std::vector<State*>& states, std::uint64_t journal_size) {
  try {
    std::optional<std::string> head = read_file(path("head"));
    if (!head) return 0;
    std::size_t line = std::min(head->find('\n'), head->size());
    auto parsed = parse_json(std::string_view(*head).substr(0, line), {.size_max = kHeadMax});
    if (!parsed || !parsed->is_object()) return 0;
    const json::object& o = parsed->get_object();
    if (int_or(o, "format") != 1 || !o.contains("slices")) return 0;
    const auto first = static_cast<std::uint64_t>(int_or(o, "from"));
    if (static_cast<std::uint64_t>(int_or(o, "included")) > journal_size) return 0;
    std::string_view rest = std::string_view(*head).substr(std::min(line + 1, head->size()));

    std::map<std::string_view, State*> known;
    for (State* state : states) known[state->prefix()] = state;
    std::set<std::string_view> seen;
    struct Found {
      State* state;
      std::string_view bytes;  // of a small one
      const Held* held;
    };
    std::vector<Found> found;
    Slices held;
    for (const json::value& v :
         o.at("slices").as_array()) {  // all is read before a State is touched
      const json::object& s = v.as_object();
      Held h{.included = first,
             .file = std::string(text_or(s, "file")),
             .size = static_cast<std::size_t>(int_or(s, "size")),
             .sum = int_or(s, "sum")};
      auto state = known.find(text_or(s, "state"));
      if (state == known.end() || int_or(s, "version") != state->second->version()) return 0;
      const std::string_view inside = rest.substr(0, h.file.empty() ? h.size : 0);
      rest.remove_prefix(inside.size());
      if (h.file.empty() ? !whole(h, inside) : !whole(h, read_file(path(h.file)).value_or("")))
        return 0;
      auto [at, _] = held.emplace(
          std::pair(std::string(state->first), static_cast<std::size_t>(int_or(s, "i"))), h);
      found.push_back({state->second, inside, &at->second});
      seen.insert(state->first);
    }
    if (seen.size() != known.size()) return 0;
    for (const Found& f : found)
      f.state->load_slice(f.held->file.empty() ? f.bytes : read_file(path(f.held->file)).value());
    held_ = std::move(held);
    number_ = static_cast<std::uint64_t>(int_or(o, "number"));
    return first;
  } catch (const std::exception& e) {
    log_warn("journal", "the snapshot cannot be read and is left out: {}", e.what());
    return 0;
  }
}

void Snapshots::save(const std::vector<State*>& states, const Slice& slice,
                     const std::function<bool(std::uint64_t)>& settle) {
  make_folders(folder_, 0700);
  ++number_;
  std::uint64_t from = UINT64_MAX, included_max = 0;
  Slices held;
  json::array lines;
  std::string small;
  for (State* state : states) {
    for (std::size_t i = 0;; ++i) {
      const std::pair key(std::string(state->prefix()), i);
      auto before = held_.find(key);
      // A small one is written again each time: only a file can be kept.
      const bool kept = before != held_.end() && !before->second.file.empty();
      auto part = slice(*state, i, kept ? before->second.included : 0);
      if (!part) break;
      Held h = kept ? before->second : Held{};
      h.included = part->included;
      json::object line{{"state", state->prefix()}, {"version", state->version()}, {"i", i}};
      if (part->bytes) {
        h.size = part->bytes->size();
        h.sum = sum_of(*part->bytes);
        h.file.clear();
        if (h.size >= kOwnFile) {
          h.file = key.first + "." + std::to_string(i) + "." + std::to_string(number_);
          write_file(path(h.file), *part->bytes, 0600);
        } else {
          small += *part->bytes;
        }
      }
      if (!h.file.empty()) line["file"] = h.file;
      line["size"] = h.size;
      line["sum"] = h.sum;
      lines.push_back(std::move(line));
      from = std::min(from, h.included);
      included_max = std::max(included_max, h.included);
      held.emplace(key, std::move(h));
    }
  }
  if (from == UINT64_MAX || !settle(included_max)) return;  // the one before stays
  const json::object head{{"format", 1},
                          {"number", number_},
                          {"from", from},
                          {"included", included_max},
                          {"slices", std::move(lines)}};
  write_file_atomic(path("head"), json::serialize(head) + "\n" + small, 0600);
  held_ = std::move(held);
  sweep();
}

// Files of earlier saves, and of one that did not come to its end.
void Snapshots::sweep() const {
  std::set<std::string> ours{"head"};
  for (const auto& [key, h] : held_)
    if (!h.file.empty()) ours.insert(h.file);
  for (const auto& file : std::filesystem::directory_iterator(folder_))
    if (!ours.contains(file.path().filename().string())) ::unlink(file.path().c_str());
}

}  // namespace cw
