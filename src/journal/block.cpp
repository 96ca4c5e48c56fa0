#include "block.h"

namespace cw {
namespace {

constexpr std::size_t kBlockBytes = 64 << 10;  // a row is closed once it holds as much

void put_number(std::string& out, std::size_t at, std::size_t bytes, std::uint64_t value) {
  for (std::size_t i = bytes; i-- > 0; value >>= 8) out[at + i] = static_cast<char>(value);
}

std::uint64_t take_number(std::string_view& from, std::size_t bytes) {
  if (from.size() < bytes) throw StorageError(StorageError::Kind::corrupt, "a block is cut short");
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) value = value << 8 | static_cast<unsigned char>(from[i]);
  from.remove_prefix(bytes);
  return value;
}

std::string_view take_bytes(std::string_view& from, std::size_t length_bytes) {
  std::size_t size = take_number(from, length_bytes);
  if (from.size() < size) throw StorageError(StorageError::Kind::corrupt, "a block is cut short");
  std::string_view out = from.substr(0, size);
  from.remove_prefix(size);
  return out;
}

std::size_t text_max(std::string_view text) { return 2 + 6 * text.size(); }  // quoted, escaped

std::size_t value_max(const json::value& v) {
  if (const auto* s = v.if_string()) return text_max(*s);
  if (const auto* o = v.if_object()) return bytes_max(*o);
  std::size_t bytes = 20;  // the longest number
  if (const auto* a = v.if_array())
    for (const auto& item : *a) bytes += 1 + value_max(item);
  return bytes;
}

}  // namespace

std::size_t bytes_max(const json::object& body) {
  std::size_t bytes = 2;
  for (const auto& member : body) bytes += text_max(member.key()) + 2 + value_max(member.value());
  return bytes;
}

std::size_t bytes_max(const Entry& e) {
  std::size_t bytes = 200 + bytes_max(e.body);  // members' names, and two numbers
  for (const std::string* text :
       {&e.actor, &e.basis, &e.case_id, &e.command, &e.content, &e.kind, &e.name, &e.procedure})
    bytes += text_max(*text);
  return bytes <= kEntryMax ? bytes : e.canonical().size();
}

void Blocks::add(const Entry& entry) {
  std::size_t at = entries_.size();
  entries_.append(2, '\0');
  entry.canonical_to(entries_);
  put_number(entries_, at, 2, entries_.size() - at - 2);
  if (cuts_.empty() || at - cuts_.back().entries >= kBlockBytes)
    cuts_.push_back({entry.seq, 0, at, answers_.size()});
  ++cuts_.back().count;
}

// Each after its entry's place in the row (two bytes) and its length (four).
void Blocks::answer(std::uint64_t seq, const json::object& body) {
  auto cut = cuts_.end() - 1;
  while (cut->first > seq) --cut;
  std::size_t at = answers_.size();
  answers_.append(6, '\0');
  canonical_to(body, answers_);
  put_number(answers_, at, 2, seq - cut->first);
  put_number(answers_, at + 2, 4, answers_.size() - at - 6);
  while (++cut != cuts_.end()) cut->answers = answers_.size();
}

void Blocks::write(Database& db) const {
  for (std::size_t i = 0; i < cuts_.size(); ++i) {
    auto part = [&](const std::string& all, std::size_t Cut::*from) {
      std::size_t begin = cuts_[i].*from;
      std::size_t end = i + 1 < cuts_.size() ? cuts_[i + 1].*from : all.size();
      return Blob{std::string_view(all).substr(begin, end - begin)};
    };
    db.run("INSERT INTO block VALUES($1,$2,$3,$4)", cuts_[i].first, cuts_[i].count,
           part(entries_, &Cut::entries), part(answers_, &Cut::answers));
  }
}

void Blocks::clear() {
  entries_.clear();
  answers_.clear();
  cuts_.clear();
}

namespace blocks {

const char* const schema =
    "CREATE TABLE IF NOT EXISTS block(first INTEGER PRIMARY KEY, count INTEGER NOT NULL, "
    "entries BLOB NOT NULL, answers BLOB NOT NULL) STRICT";

std::uint64_t size(Database& db) {
  std::int64_t expected = 0;
  db.query("SELECT first,count FROM block ORDER BY first", [&](const Row& r) {
    if (r.integer(0) != expected || r.integer(1) < 1)
      throw StorageError(StorageError::Kind::corrupt, "the journal has gaps");
    expected += r.integer(1);
  });
  return static_cast<std::uint64_t>(expected);
}

void read(Database& db, std::uint64_t from,
          const std::function<bool(std::uint64_t seq, std::string_view bytes)>& each) {
  std::int64_t next = -1;  // the row to read
  db.query(
      "SELECT first FROM block WHERE first<=$1 ORDER BY first DESC LIMIT 1",
      [&](const Row& r) { next = r.integer(0); }, from);
  for (bool more = next >= 0; more;) {
    more = false;
    db.query(
        "SELECT count,entries FROM block WHERE first=$1",
        [&](const Row& r) {
          std::string_view rest = r.text(1);
          auto seq = static_cast<std::uint64_t>(next), end = seq;
          end += static_cast<std::uint64_t>(r.integer(0));
          for (more = true; more && seq < end; ++seq) {
            std::string_view bytes = take_bytes(rest, 2);
            if (seq >= from) more = each(seq, bytes);
          }
          next = static_cast<std::int64_t>(end);
        },
        next);
  }
}

std::string entry(Database& db, std::uint64_t seq) {
  std::string out;
  read(db, seq, [&](std::uint64_t, std::string_view bytes) {
    out = bytes;
    return false;
  });
  return out;
}

std::string answer(Database& db, std::uint64_t seq) {
  std::string out;
  db.query(
      "SELECT first,answers FROM block WHERE first<=$1 ORDER BY first DESC LIMIT 1",
      [&](const Row& r) {
        std::uint64_t place = seq - static_cast<std::uint64_t>(r.integer(0));
        for (std::string_view rest = r.text(1); !rest.empty();) {
          std::uint64_t at = take_number(rest, 2);
          std::string_view body = take_bytes(rest, 4);
          if (at == place) out = body;
        }
      },
      seq);
  return out;
}

}  // namespace blocks
}  // namespace cw
