// Opening: a snapshot, then the entries after it.
#include "base/log.h"
#include "impl.h"

namespace cw {
namespace {

constexpr std::uint64_t kRememberedMax = 1 << 20;  // entries whose commands are known at start

// The command of a canonical entry without parsing it. Members are sorted, and after "command"
// come only texts in which a quote is escaped, so the last match is the member itself.
std::string_view command_in(std::string_view bytes) {
  constexpr std::string_view key = "\"command\":\"";
  std::size_t at = bytes.rfind(key);
  if (at == std::string_view::npos) return {};
  bytes.remove_prefix(at + key.size());
  return bytes.substr(0, bytes.find('"'));
}

}  // namespace

void Journal::Impl::apply(const Entry& entry) {
  auto found = states.find(std::string_view(entry.kind).substr(0, entry.kind.find('.')));
  if (found != states.end()) found->second->apply(entry);
}

void Journal::Impl::open() {
  db = std::make_unique<Database>(options.path, DatabaseOptions{.create = true,
                                                                .full_sync = options.full_sync,
                                                                .cache_kib = 16'384,
                                                                .checkpoints = false});
  db->exec(blocks::schema);
  for (const char* schema : options.schemas) db->exec(schema);
  reserve.has_room();
  replay(blocks::size(*db));
  writer = start_thread("journal-write", [this] { write_loop(); });
  committer = start_thread("journal-commit", [this] { commit_loop(); });
  checkpointer = start_thread("journal-check", [this] { checkpoint_loop(); });
}

void Journal::Impl::replay(std::uint64_t size) {
  std::int64_t begun = clock.monotonic_ns();
  std::uint64_t from = snapshots.load(state_list, size);
  snapshot_at = from;
  std::uint64_t expected = std::min(from, size > kRememberedMax ? size - kRememberedMax : 0);
  std::string last_command;
  blocks::read(*db, expected, [&](std::uint64_t seq, std::string_view bytes) {
    CW_CHECK(seq == expected++);
    if (seq >= from || seq + 1 == size) {
      auto entry = Entry::parse(bytes);
      if (!entry || entry->seq != seq)
        throw StorageError(StorageError::Kind::corrupt,
                           "entry " + std::to_string(seq) + " is damaged");
      stamp_ms = entry->at_ms;
      if (seq >= from) apply(*entry);
    }
    std::string_view id = command_in(bytes);
    if (!id.empty() && id != last_command) {
      seen.add(id, seq);
      last_command = id;
    }
    return true;
  });
  applied = durable = size;
  if (size > 0)
    log_info("journal", "opened with {} entries, replayed {} in {} ms", size, size - from,
             (clock.monotonic_ns() - begun) / 1'000'000);
}

}  // namespace cw
